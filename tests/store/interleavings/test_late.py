"""What comes late, on PostgreSQL: a retry beside the chores that look at dead letters, and an enqueue that is repeated while
its job ends."""

from collections.abc import Callable, Iterator

import pytest

from relet.job.job import OnConflict
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Enqueued
from tests.store.beds import PostgresBed
from tests.store.hands import Worker, new, put_new
from tests.store.interleavings.stepping import Act, Happening, PostgresOther, Stepper, interleave
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

GATE = 4243


@pytest.fixture
def engine() -> str:
    """PostgreSQL alone: SQLite has one writer at a time."""
    return "postgres"


def everywhere(bed: PostgresBed, scene: Callable[[], tuple[Act, Act]]) -> Iterator[tuple[int, object, object]]:
    """Play the scene once for each statement of its first verb, the second happening there: (place, both answers)."""
    mine, theirs = bed.open(), bed.open()
    stepper = Stepper(mine)
    theirs.now()
    for place in range(60):
        verb, act = scene()
        answers = interleave(bed, stepper, mine, verb, [Happening(place, theirs, act)])
        if answers is None:
            return
        check_invariants(bed)
        yield place, answers[0], answers[1]
    pytest.fail("the verb has more statements than were tried")


def state(store: Store, job_id: bytes) -> State | None:
    row = store.insights.job(job_id)
    return None if row is None else row.state


def bury(store: Store, *, cancel: bool = False) -> bytes:
    """A dead letter; with `cancel`, of a run that was asked to end and did not hear of it."""
    job_id, worker = put_new(store, unique="k"), Worker(store)
    claim = worker.take()
    if cancel:
        store.cancel(job_id, "no longer wanted", "ann", 0)
    worker.bury(claim)
    return job_id


def prune(store: Store) -> int:
    return store.prune(0, 0, 100)


@pytest.mark.parametrize("first", ["prune", "retry"])
def test_a_dead_letter_is_pruned_or_retried_never_both(bed: PostgresBed, store: Store, first: str):
    current = b""

    def retry(on: Store) -> bool:
        return on.retry_dead(current, None, "ann")

    def scene() -> tuple[Act, Act]:
        nonlocal current
        store.purge_queue("default", "test", 100)
        current = bury(store)
        store.resolve_dead(current, True, "ann", "")
        bed.advance(1)
        return (prune, retry) if first == "prune" else (retry, prune)

    places = 0
    for place, mine, theirs in everywhere(bed, scene):
        retried = theirs if first == "prune" else mine
        assert state(store, current) is (State.READY if retried else None), f"at statement {place}"
        places += 1
    assert places > 4


@pytest.mark.parametrize("first", ["honour", "retry"])
def test_a_retried_job_is_not_cancelled_by_a_request_that_was_over(bed: PostgresBed, store: Store, first: str):
    current = b""

    def retry(on: Store) -> bool:
        return on.retry_dead(current, None, "ann")

    def honour(on: Store) -> int:
        return on.honour_cancels(10)

    def scene() -> tuple[Act, Act]:
        nonlocal current
        store.purge_queue("default", "test", 100)
        current = bury(store, cancel=True)
        return (honour, retry) if first == "honour" else (retry, honour)

    for place, mine, theirs in everywhere(bed, scene):
        assert sorted([mine, theirs]) == [0, True], f"at statement {place}"  # type: ignore[type-var]  # 0 honoured
        assert state(store, current) is State.READY, f"at statement {place}"
        assert bed.rows("select 1 from relet.control") == []


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.REJECT])
@pytest.mark.parametrize("on_conflict", ["existing", "replace", "debounce"])
def test_an_enqueue_that_is_repeated_while_its_job_comes_and_ends_leaves_no_key(
    bed: PostgresBed, store: Store, on_conflict: OnConflict, ended: Ended
):
    job = new()

    def scene() -> tuple[Act, Act]:
        nonlocal job
        job = new(unique="k", on_conflict=on_conflict)
        worker = Worker(store)

        def earlier(on: Store) -> None:
            on.enqueue([job])
            for claim in worker.claim(1):  # none, when the repeat came first and we waited for it
                worker.end(claim, ended)

        return (lambda on: on.enqueue([job])), earlier

    for place, mine, _ in everywhere(bed, scene):
        assert mine == [Enqueued(job.id, True)], f"at statement {place}"
        if state(store, job.id) is State.READY:
            store.purge_queue("default", "test", 100)
        assert bed.rows("select 1 from relet.unique_key") == [], f"at statement {place}"


@pytest.fixture
def gated(pg: Databases) -> Iterator[PostgresBed]:
    """A database in which one connection can be held up between the snapshot of a statement and the key that it takes."""
    made = PostgresBed(pg)
    made.rows("create table relet.gated (pid integer)")
    made.rows(
        f"""create function relet.gate() returns trigger language plpgsql as $$ begin
                if pg_backend_pid() = (select pid from relet.gated) then
                    perform pg_advisory_xact_lock_shared({GATE});
                end if;
                return new;
            end $$"""
    )
    made.rows("create trigger gate before insert on relet.unique_key for each row execute function relet.gate()")
    yield made
    made.drop()


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.REJECT])
@pytest.mark.parametrize("on_conflict", ["existing", "replace", "debounce"])
def test_an_enqueue_that_is_repeated_in_the_moment_it_takes_its_key_leaves_no_key(
    gated: PostgresBed, on_conflict: OnConflict, ended: Ended
):
    mine, theirs = gated.open(), gated.open()
    job, worker = new(unique="k", on_conflict=on_conflict), Worker(theirs)
    mine.now()
    gated.rows(f"insert into relet.gated values ({gated.pid_of(mine)})")
    gated.rows(f"select pg_advisory_lock({GATE})")
    repeat = PostgresOther(gated, mine, lambda on: on.enqueue([job]))
    repeat.start()
    theirs.enqueue([job])
    worker.end(worker.take(), ended)
    gated.rows(f"select pg_advisory_unlock({GATE})")
    repeat.finish()

    assert repeat.result == [Enqueued(job.id, True)]
    check_invariants(gated)
    assert gated.rows("select 1 from relet.unique_key") == []
