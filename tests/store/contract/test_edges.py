"""Jobs that come after others: released once, by the end of the last parent, and never left hanging by any end."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from relet.clock import DAY, SECOND
from relet.errors import NotFound, UsageError
from relet.job.job import After, Need, NewJob, Options
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.hands import Worker, decide, ids, new, put, put_new


def after(*parents: bytes, need: Need = Need.SUCCESS, hold: bool = False, **fields: object) -> NewJob:
    """A job behind these, with a task of its own, so that a worker does not take it unasked."""
    return new(str(fields.pop("task", "child")), after=tuple(After(parent, need, hold) for parent in parents), **fields)


def state_of(store: Store, job_id: bytes) -> State:
    row = store.insights.job(job_id)
    assert row is not None
    return row.state


def error_of(store: Store, job_id: bytes) -> str:
    row = store.insights.job(job_id)
    assert row is not None
    return row.error or ""


def test_a_child_waits_and_is_ready_when_its_parent_has_succeeded(store: Store):
    parent = new()
    child = after(parent.id)
    put(store, parent, child)
    worker = Worker(store, tasks=("t", "child"))

    claims = worker.claim()
    assert ids(claims) == [parent.id]
    assert state_of(store, child.id) is State.WAITING

    worker.end(claims[0])
    assert ids(worker.claim()) == [child.id]


def test_a_child_of_a_job_that_is_there_already(store: Store):
    parent = put_new(store)
    child = after(parent)
    put(store, child)
    worker = Worker(store)

    worker.end(worker.take())

    assert state_of(store, child.id) is State.READY


@pytest.mark.parametrize("place", ["ready", "scheduled", "running", "retried", "released", "promoted"])
def test_a_parent_is_found_wherever_it_stands(store: Store, bed: Bed, place: str):
    worker = Worker(store)
    parent = put_new(store, delay_us=SECOND if place in ("scheduled", "promoted") else 0)
    claim = worker.take() if place in ("running", "retried", "released") else None
    child = after(parent)
    put(store, child)
    bed.advance(60 * SECOND)
    worker.renew()
    if place == "retried" and claim:
        worker.fail(claim)
        bed.advance(60 * SECOND)
        worker.renew()
    if place == "released" and claim:
        worker.end(claim, Ended.RELEASE)
    store.promote(10)
    claim = worker.take() if place != "running" or claim is None else claim

    worker.end(claim)

    assert state_of(store, child.id) is State.READY


def test_a_child_of_a_job_that_has_succeeded_is_ready_at_once(store: Store):
    parent = put_new(store)
    worker = Worker(store)
    worker.end(worker.take())

    child = after(parent)
    put(store, child)

    assert state_of(store, child.id) is State.READY


def test_it_waits_for_all_of_its_parents(store: Store):
    parents = put(store, new(), new(), new())
    child = after(*parents)
    put(store, child)
    worker = Worker(store)
    claims = worker.claim()

    worker.end(claims[0])
    worker.end(claims[1])
    assert state_of(store, child.id) is State.WAITING
    worker.end(claims[2])
    assert state_of(store, child.id) is State.READY


def test_two_last_parents_in_one_turn_release_once(store: Store, bed: Bed):
    parents = put(store, new(), new())
    child = after(*parents)
    put(store, child)
    worker = Worker(store, tasks=("t", "child"))
    first, second = worker.claim()

    worker.settle(decide(first, Ended.SUCCESS), decide(second, Ended.SUCCESS))

    assert bed.rows("select count(*) from relet.ready") == [(1,)]
    assert ids(worker.claim()) == [child.id]


def test_a_delay_counts_from_the_enqueue(store: Store, bed: Bed):
    parent = put_new(store)
    late, early = after(parent, delay_us=100 * SECOND), after(parent, delay_us=SECOND)
    put(store, late, early)
    worker = Worker(store)
    bed.advance(10 * SECOND)

    worker.end(worker.take())

    assert state_of(store, late.id) is State.SCHEDULED
    assert state_of(store, early.id) is State.READY


def test_a_chain_runs_one_after_the_other(store: Store):
    jobs = [new()]
    for _ in range(4):
        jobs.append(after(jobs[-1].id, task="t"))
    put(store, *reversed(jobs))
    worker = Worker(store)
    done: list[bytes] = []

    while claims := worker.claim():
        (claim,) = claims
        done.append(claim.job_id)
        worker.end(claim)

    assert done == [job.id for job in jobs]


def test_a_parent_named_twice_counts_once(store: Store):
    parent = put_new(store)
    child = after(parent, parent)
    put(store, child)
    worker = Worker(store)
    worker.end(worker.take())

    assert state_of(store, child.id) is State.READY


def test_a_repeated_enqueue_changes_nothing(store: Store, bed: Bed):
    parent = new()
    child = after(parent.id)
    first = put(store, parent, child)

    assert put(store, parent, child) == first
    assert bed.rows("select count(*) from relet.edge") == [(1,)]

    worker = Worker(store)
    worker.end(worker.take())
    assert put(store, parent, child) == first
    assert bed.rows("select count(*) from relet.waiting") == [(0,)]


def test_a_repeat_that_brings_a_child_ties_it_to_the_parent_that_was_there(store: Store):
    parent = new()
    put(store, parent)
    child = after(parent.id)
    put(store, parent, child)
    worker = Worker(store)

    worker.end(worker.take())

    assert state_of(store, child.id) is State.READY


def test_a_parent_that_was_never_there_is_refused_and_nothing_is_written(store: Store, bed: Bed):
    with pytest.raises(NotFound, match="come after"):
        put(store, new(), after(new().id))

    assert bed.rows("select count(*) from relet.job") == [(0,)]


def test_a_circle_is_refused_and_spelled_out(store: Store, bed: Bed):
    a, b, c = new("a"), new("b"), new("c")
    a = replace(a, after=(After(c.id),))
    b = replace(b, after=(After(a.id),))
    c = replace(c, after=(After(b.id),))

    with pytest.raises(UsageError, match=r"b \(.*\) after a \(.*\) after c \(.*\) after b"):
        put(store, new(), b, c, a)

    assert bed.rows("select count(*) from relet.job") == [(0,)]


# ── every end under every policy ────────────────────────────────────────────────────────────────────────────────────
def _succeed(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    worker.end(worker.take())


def _bury(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    worker.bury(worker.take())


def _cancel_itself(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    worker.end(worker.take(), Ended.CANCEL)


def _expire(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    worker.end(worker.take(), Ended.EXPIRE)


def _cancel(store: Store, bed: Bed, parent: bytes) -> None:
    store.cancel(parent, "not needed", "ann", 0)


def _cancel_running(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    worker.take()
    store.cancel(parent, "not needed", "ann", 0)
    bed.advance(1000 * SECOND)
    store.reclaim_expired()


def _cancel_released(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    claim = worker.take()
    store.cancel(parent, "not needed", "ann", 0)
    worker.end(claim, Ended.RELEASE)
    store.honour_cancels(10)


def _purge(store: Store, bed: Bed, parent: bytes) -> None:
    store.purge_queue("parents", "ann", 10)


def _replace(store: Store, bed: Bed, parent: bytes) -> None:
    put(store, new(unique="k", on_conflict="replace", queue="others"))


def _poison(store: Store, bed: Bed, parent: bytes) -> None:
    for _ in range(20):
        worker = Worker(store, queues=("parents",))
        if not worker.claim():
            return
        store.reclaim(worker.id, "killed")


def _delete_the_dead(store: Store, bed: Bed, parent: bytes) -> None:
    _bury(store, bed, parent)
    store.delete_dead(parent)


def _fail_at_last(store: Store, bed: Bed, parent: bytes) -> None:
    worker = Worker(store, queues=("parents",))
    for _ in range(3):
        worker.fail(worker.take())
        bed.advance(60 * SECOND)
        worker.renew()
        store.promote(10)


ENDS: dict[str, tuple[Callable[[Store, Bed, bytes], None], State]] = {
    "succeeded": (_succeed, State.SUCCEEDED),
    "dead": (_bury, State.DEAD),
    "failed at last": (_fail_at_last, State.DEAD),
    "poison": (_poison, State.DEAD),
    "cancelled itself": (_cancel_itself, State.CANCELLED),
    "expired": (_expire, State.CANCELLED),
    "cancelled": (_cancel, State.CANCELLED),
    "cancelled while it ran": (_cancel_running, State.CANCELLED),
    "cancelled and released": (_cancel_released, State.CANCELLED),
    "purged": (_purge, State.CANCELLED),
    "replaced": (_replace, State.CANCELLED),
    "deleted": (_delete_the_dead, State.SUCCEEDED),
}
POLICIES = {"skip": (Need.SUCCESS, False), "run": (Need.END, False), "hold": (Need.SUCCESS, True)}


def _expected(end: str, policy: str) -> State:
    if end == "succeeded" or policy == "run":
        return State.READY
    if policy == "hold" and ENDS[end][1] is State.DEAD:
        return State.WAITING
    return State.CANCELLED


@pytest.fixture(params=["before", "after", "late"])
def when(request: pytest.FixtureRequest) -> str:
    """The child comes with its parent, when the parent waits, or when it has ended."""
    name: str = request.param
    return name


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("end", ENDS)
def test_every_end_of_a_parent_decides_about_its_child(store: Store, bed: Bed, end: str, policy: str, when: str):
    if (end, when) == ("deleted", "late"):
        pytest.skip("it is refused, for its parent is gone")
    need, hold = POLICIES[policy]
    parent = new(queue="parents", unique="k")
    child = after(parent.id, need=need, hold=hold)
    grandchild = after(child.id)
    act, _ = ENDS[end]
    if when == "before":
        put(store, parent, child, grandchild)
    else:
        put(store, parent)
    if when == "after":
        put(store, child, grandchild)
    act(store, bed, parent.id)
    if when == "late":
        put(store, child, grandchild)

    expected = _expected(end, policy)
    assert state_of(store, child.id) is expected
    assert state_of(store, grandchild.id) is (State.CANCELLED if expected is State.CANCELLED else State.WAITING)
    if expected is State.CANCELLED:
        assert "skipped" in error_of(store, child.id)


# ── the dead, and those that hold ───────────────────────────────────────────────────────────────────────────────────
def test_a_child_that_holds_runs_when_its_dead_parent_was_retried(store: Store):
    parent = put_new(store)
    child = after(parent, hold=True)
    put(store, child)
    worker = Worker(store)
    worker.bury(worker.take())

    assert store.retry_dead(parent, None, "ann")
    assert state_of(store, child.id) is State.WAITING
    worker.end(worker.take())

    assert state_of(store, child.id) is State.READY


def test_a_child_that_holds_waits_again_when_the_retried_parent_dies_again(store: Store):
    parent = put_new(store)
    child = after(parent, hold=True)
    put(store, child)
    worker = Worker(store)
    for _ in range(2):
        worker.bury(worker.take())
        assert state_of(store, child.id) is State.WAITING
        store.retry_dead(parent, None, "ann")
    store.cancel(parent, "enough", "ann", 0)

    assert state_of(store, child.id) is State.CANCELLED


def test_a_child_that_was_skipped_stays_so_when_its_parent_is_retried(store: Store):
    parent = put_new(store)
    child = after(parent)
    put(store, child)
    worker = Worker(store)
    worker.bury(worker.take())
    store.retry_dead(parent, None, "ann")
    worker.end(worker.take())

    assert state_of(store, child.id) is State.CANCELLED


def test_a_dead_child_can_be_retried_and_waits_for_nobody(store: Store):
    parent = put_new(store)
    child = after(parent)
    put(store, child)
    worker = Worker(store, tasks=("t", "child"))
    worker.end(worker.take())
    worker.bury(worker.take())

    assert store.retry_dead(child.id, None, "ann")
    assert state_of(store, child.id) is State.READY


# ── what people do to a child ───────────────────────────────────────────────────────────────────────────────────────
def test_a_child_is_cancelled_while_it_waits(store: Store):
    parent = put_new(store)
    child = after(parent, unique="c")
    put(store, child)

    assert store.cancel(child.id, "not needed", "ann", 0) is State.WAITING

    assert state_of(store, child.id) is State.CANCELLED
    worker = Worker(store)
    worker.end(worker.take())
    assert state_of(store, child.id) is State.CANCELLED


def test_a_purge_takes_what_waits_in_the_queue(store: Store):
    parent = put_new(store)
    child = after(parent, queue="purged")
    grandchild = after(child.id)
    put(store, child, grandchild)

    assert store.purge_queue("purged", "ann", 10) == 1
    assert [state_of(store, job.id) for job in (child, grandchild)] == [State.CANCELLED, State.CANCELLED]


def test_a_child_may_be_replaced_and_debounced_while_it_waits(store: Store, bed: Bed):
    parent = put_new(store)
    first = after(parent, unique="c", task="child")
    put(store, first)
    second = after(parent, unique="c", on_conflict="replace", task="child")
    put(store, second)

    assert state_of(store, first.id) is State.CANCELLED
    assert state_of(store, second.id) is State.WAITING

    put(store, new("child", unique="c", on_conflict="debounce", debounce_us=10 * SECOND))
    worker = Worker(store)
    worker.end(worker.take())
    assert state_of(store, second.id) is State.SCHEDULED


def test_a_child_comes_after_the_job_that_stands_for_its_parent(store: Store):
    holder = put_new(store, unique="k")
    parent = new(unique="k")
    child = after(parent.id)
    assert put(store, parent, child) == [holder, child.id]
    worker = Worker(store)

    worker.end(worker.take())

    assert state_of(store, child.id) is State.READY


def test_children_have_unique_keys_too(store: Store):
    parent = put_new(store)
    first, second = after(parent, unique="c"), after(parent, unique="c")

    assert put(store, first, second) == [first.id, first.id]
    assert put(store, after(parent, unique="c")) == [first.id]


# ── crashes ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_parent_that_is_reclaimed_goes_on_to_release_its_child(store: Store, bed: Bed):
    parent = put_new(store)
    child = after(parent)
    put(store, child)
    lost = Worker(store)
    lost.take()
    bed.advance(1000 * SECOND)
    store.reclaim_expired()
    assert state_of(store, child.id) is State.WAITING

    worker = Worker(store)
    worker.end(worker.take())
    assert state_of(store, child.id) is State.READY


def test_a_child_whose_producer_died_before_it_was_tied_is_tied_by_the_chore(store: Store, bed: Bed):
    parent = put_new(store)
    child = after(parent)
    store.tie = lambda limit: 0  # type: ignore[method-assign]  # the producer dies here
    put(store, child)
    worker = Worker(store)
    worker.end(worker.take())
    assert state_of(store, child.id) is State.WAITING

    assert bed.open().tie(10) == 1
    assert state_of(store, child.id) is State.READY


def test_a_mend_finds_nothing_where_all_is_well(store: Store):
    parent = put_new(store)
    put(store, after(parent), after(parent, hold=True))

    found = store.mend(bytes(16), 10)

    assert found.repaired == ()
    assert store.mend(found.last or b"", 10).last is None


@pytest.mark.parametrize(
    "damage",
    [
        "delete from relet.running",
        "update relet.waiting set edges = 7",
        "update relet.edge set outcome = 'moot'",
        "update relet.waiting set edges = 0",
    ],
)
def test_a_mend_repairs_what_waits_for_nothing(store: Store, bed: Bed, damage: str):
    parent = put_new(store)
    child = after(parent, need=Need.END)
    put(store, child)
    worker = Worker(store)
    claim = worker.take()
    bed.rows(damage)
    if damage.startswith("delete"):
        bed.rows(f"delete from relet.job where id = {bed.literal(parent)}")

    assert store.mend(bytes(16), 10).repaired == (child.id,)
    worker.end(claim)

    assert state_of(store, child.id) is State.READY


# ── what stays ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_parent_stays_as_long_as_its_child_has_not_ended(store: Store, bed: Bed):
    first, second = put(store, new(), new("other"))
    child = after(first, second)
    put(store, child)
    worker = Worker(store)
    worker.end(worker.take())
    bed.advance(3 * DAY)

    store.prune(DAY, DAY, 100)
    assert state_of(store, first) is State.SUCCEEDED

    worker = Worker(store, tasks=("other", "child"))
    worker.end(worker.take())
    worker.end(worker.take())
    bed.advance(3 * DAY)
    store.prune(DAY, DAY, 100)
    store.prune(DAY, DAY, 100)
    assert store.insights.job(first) is None
    assert bed.rows("select count(*) from relet.edge") == [(0,)]


def test_a_child_with_options_of_its_own_keeps_them(store: Store):
    parent = put_new(store)
    child = after(parent, options=Options(timeout_us=5), priority=2, queue="q", needs=("gpu=1",))
    put(store, child)
    worker = Worker(store)
    worker.end(worker.take())

    (claim,) = Worker(store, tasks=("child",), queues=("q",), offers=("gpu=1",)).claim()
    assert claim.options is not None
    assert "5" in claim.options
