"""Steering against workers and other people, statement by statement, on PostgreSQL (SQLite has one writer at a time)."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import pytest

from relet.clock import SECOND
from relet.errors import UniqueConflict
from relet.job.job import NewJob
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from tests.store.beds import PostgresBed
from tests.store.hands import Worker, new, news, put, put_new
from tests.store.invariants import check_invariants
from tests.store.steering.interleave import Person, interleave

MOST_STATEMENTS = 40


@pytest.fixture
def engine() -> str:
    """PostgreSQL alone: SQLite has one writer at a time."""
    return "postgres"


class Scene(NamedTuple):
    """A job, the worker that holds it (or may claim it), and what its other connection does meanwhile."""

    job_id: bytes
    act: Callable[[Store], object]


def state(store: Store, job_id: bytes) -> State:
    found = store.insights.job(job_id)
    assert found is not None
    return found.state


def asked(bed: PostgresBed, job_id: bytes) -> bool:
    return bool(bed.rows(f"select 1 from relet.control where job_id = '{UUID(bytes=job_id)}'"))


# ── what happens to a job while somebody cancels it ─────────────────────────────────────────────────────────────────
def _claimed(bed: PostgresBed, other: Store) -> Scene:
    worker = Worker(other)
    return Scene(put_new(other, unique="k"), lambda _: worker.claim())


def _promoted(bed: PostgresBed, other: Store) -> Scene:
    job_id = put_new(other, unique="k", delay_us=SECOND)
    bed.advance(2 * SECOND)
    return Scene(job_id, lambda store: store.promote(10))


def _promoted_and_claimed(bed: PostgresBed, other: Store) -> Scene:
    scene = _promoted(bed, other)
    worker = Worker(other)
    return Scene(scene.job_id, lambda store: (store.promote(10), worker.claim()))


def _settled(ended: Ended) -> Callable[[PostgresBed, Store], Scene]:
    def scene(bed: PostgresBed, other: Store) -> Scene:
        job_id = put_new(other, unique="k")
        worker = Worker(other)
        claim = worker.take()
        return Scene(job_id, lambda _: worker.end(claim, ended))

    return scene


def _released_and_claimed(bed: PostgresBed, other: Store) -> Scene:
    job_id = put_new(other, unique="k")
    worker = Worker(other)
    claim = worker.take()
    return Scene(job_id, lambda _: (worker.end(claim, Ended.RELEASE), worker.claim()))


def _reclaimed(bed: PostgresBed, other: Store) -> Scene:
    job_id = put_new(other, unique="k")
    Worker(other).take()
    bed.advance(100 * SECOND)
    return Scene(job_id, lambda store: store.reclaim_expired())


def _retried(bed: PostgresBed, other: Store) -> Scene:
    job_id = put_new(other, unique="k")
    worker = Worker(other)
    worker.bury(worker.take())
    return Scene(job_id, lambda store: store.retry_dead(job_id, None, "bob"))


def _retried_after_a_request(bed: PostgresBed, other: Store) -> Scene:
    """It had been asked to end before, and died without having heard of it."""
    job_id = put_new(other, unique="k")
    worker = Worker(other)
    claim = worker.take()
    other.cancel(job_id, "over", "bob", 0)
    worker.bury(claim)
    return Scene(job_id, lambda store: (store.retry_dead(job_id, None, "bob"), worker.claim()))


def _cancelled(bed: PostgresBed, other: Store) -> Scene:
    job_id = put_new(other, unique="k")
    return Scene(job_id, lambda store: store.cancel(job_id, "theirs", "bob", 0))


def _purged(bed: PostgresBed, other: Store) -> Scene:
    return Scene(put_new(other, unique="k"), lambda store: store.purge_queue("default", "bob", 10))


def _enqueued_again(on_conflict: str, delay_us: int = 0) -> Callable[[PostgresBed, Store], Scene]:
    def scene(bed: PostgresBed, other: Store) -> Scene:
        newer = new(unique="k", on_conflict=on_conflict, debounce_us=5 * SECOND)
        return Scene(put_new(other, unique="k", delay_us=delay_us), lambda store: put(store, newer))

    return scene


SCENES = {
    "claimed": _claimed,
    "promoted": _promoted,
    "promoted and claimed": _promoted_and_claimed,
    "succeeded": _settled(Ended.SUCCESS),
    "failed": _settled(Ended.FAILURE),
    "released": _settled(Ended.RELEASE),
    "released and claimed": _released_and_claimed,
    "dead": _settled(Ended.REJECT),
    "reclaimed": _reclaimed,
    "retried from the dead letters": _retried,
    "retried and claimed after a request that was over": _retried_after_a_request,
    "cancelled by somebody else": _cancelled,
    "purged": _purged,
    "enqueued again": _enqueued_again("existing"),
    "replaced": _enqueued_again("replace"),
    "replaced while scheduled": _enqueued_again("replace", 60 * SECOND),
    "debounced": _enqueued_again("debounce"),
    "debounced while scheduled": _enqueued_again("debounce", 60 * SECOND),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_a_cancel_is_never_forgotten_whatever_happens_between_its_statements(
    bed: PostgresBed, store: Store, other: Store, scene: Callable[[PostgresBed, Store], Scene]
) -> None:
    for at in range(MOST_STATEMENTS):
        job_id, act = scene(bed, other)
        found, _, happened = interleave(bed, store, _cancelling(job_id), other, act, at)
        if not happened:
            act(other)
        now = state(store, job_id)
        if found in (State.READY, State.SCHEDULED):
            assert now is State.CANCELLED, f"at statement {at}: cancelled as {found}, yet {now}"
        elif found is State.RUNNING:
            assert now.ended or asked(bed, job_id), f"at statement {at}: {now} and nobody was asked to cancel it"
        _clear(bed, store)
        if not happened:
            break
    else:
        pytest.fail("the verb has more statements than were tried")


Steers = Callable[[Person | Store], object]


def _cancelling(job_id: bytes, reason: str = "mine") -> Steers:
    return lambda store: store.cancel(job_id, reason, "ann", 0)


def _retrying(job_id: bytes) -> Steers:
    return lambda store: store.retry_dead(job_id, None, "ann")


def _deleting(job_id: bytes) -> Steers:
    return lambda store: store.delete_dead(job_id)


def _purging(limit: int) -> Steers:
    return lambda store: store.purge_queue("default", "ann", limit)


def _putting(job: NewJob) -> Callable[[Store], object]:
    return lambda store: put(store, job)


def _claiming(worker: Worker, limit: int) -> Callable[[Store], object]:
    return lambda _: worker.claim(limit)


def _clear(bed: PostgresBed, store: Store) -> None:
    """What still lives is cancelled, by the chore and by claims that report it; nothing may be left of it."""
    check_invariants(bed)
    store.honour_cancels(100)
    store.purge_queue("default", "test", 100)
    for (session_id,) in bed.rows("select distinct session_id from relet.running"):
        store.reclaim(session_id, "test")
    store.purge_queue("default", "test", 100)
    bed.advance(1)
    store.prune(0, 0, 100)
    assert bed.rows("select * from relet.unique_key") == []


# ── single races, told in full ──────────────────────────────────────────────────────────────────────────────────────
def test_a_job_claimed_between_two_looks_is_found_running(bed: PostgresBed, store: Store, other: Store) -> None:
    job_id = put_new(other)
    worker = Worker(other)
    found, claimed, _ = interleave(bed, store, _cancelling(job_id), other, lambda _: worker.claim(), 3)
    assert found is State.RUNNING
    assert not claimed.waited
    assert [control.job_id for control in store.listen(worker.id).controls] == [job_id]


def test_a_claim_passes_a_job_that_is_being_cancelled(bed: PostgresBed, store: Store, other: Store) -> None:
    job_id, following = put(other, *news(2))
    worker = Worker(other)
    found, claimed, _ = interleave(bed, store, _cancelling(job_id), other, lambda _: worker.claim(), 5)
    assert found is State.READY
    assert not claimed.waited
    assert [claim.job_id for claim in claimed.result] == [following]  # type: ignore[attr-defined]


def test_a_failure_that_did_not_see_the_request_leaves_it_to_the_next_claim(
    bed: PostgresBed, store: Store, other: Store
) -> None:
    job_id = put_new(other)
    worker = Worker(other)
    claim = worker.take()
    found, settled, _ = interleave(bed, store, _cancelling(job_id), other, lambda _: worker.fail(claim), 2)
    assert (found, settled.waited, settled.result) == (State.RUNNING, True, Answer.ACCEPTED)
    assert state(store, job_id) is State.SCHEDULED
    bed.advance(10 * SECOND)
    store.promote(10)
    assert worker.take().cancel == "mine"


# ── dead letters ────────────────────────────────────────────────────────────────────────────────────────────────────
def _dead(store: Store) -> bytes:
    job_id = put_new(store, unique="k")
    worker = Worker(store)
    worker.bury(worker.take())
    return job_id


def test_of_two_people_who_retry_a_dead_letter_one_does(bed: PostgresBed, store: Store, other: Store) -> None:
    for at in range(MOST_STATEMENTS):
        job_id = _dead(store)
        mine, theirs, happened = interleave(bed, store, _retrying(job_id), other, _retrying(job_id), at)
        assert state(store, job_id) is State.READY
        if not happened:
            break
        assert sorted([mine, theirs.result]) == [False, True], f"at statement {at}"  # type: ignore[type-var]
        assert len(store.insights.logs(job_id, (0, 0), 10)) == 1
        _clear(bed, store)
    else:
        pytest.fail("the verb has more statements than were tried")


def test_a_dead_letter_is_retried_or_deleted_never_both(bed: PostgresBed, store: Store, other: Store) -> None:
    for at in range(MOST_STATEMENTS):
        job_id = _dead(store)
        retried, deleted, happened = interleave(bed, store, _retrying(job_id), other, _deleting(job_id), at)
        if not happened:
            break
        assert sorted([retried, deleted.result]) == [False, True], f"at statement {at}"  # type: ignore[type-var]
        assert (store.insights.job(job_id) is not None) is retried
        check_invariants(bed)
        _clear(bed, store)
    else:
        pytest.fail("the verb has more statements than were tried")


def test_a_retry_and_an_enqueue_never_hold_the_same_key(bed: PostgresBed, store: Store, other: Store) -> None:
    for at in range(MOST_STATEMENTS):
        job_id, newer = _dead(store), new(unique="k")
        conflict: UniqueConflict | None = None
        try:
            _, put_other, happened = interleave(bed, store, _retrying(job_id), other, _putting(newer), at)
        except UniqueConflict as refused:
            conflict = refused
        else:
            if not happened:
                break
            assert put_other.result == [job_id], f"at statement {at}"
        live = [job for job in (job_id, newer.id) if (row := store.insights.job(job)) and not row.state.ended]
        assert live == ([newer.id] if conflict else [job_id]), f"at statement {at}"
        assert conflict is None or conflict.holder.bytes == newer.id
        _clear(bed, store)
        if conflict:
            store.delete_dead(job_id)
    else:
        pytest.fail("the verb has more statements than were tried")


def test_a_retry_waits_for_the_holder_of_its_key_to_end_and_then_succeeds(
    bed: PostgresBed, store: Store, other: Store
) -> None:
    job_id = _dead(store)
    holder = put_new(store, unique="k")
    mine, retried, _ = interleave(bed, store, _cancelling(holder), other, _retrying(job_id), 7)
    assert (mine, retried.waited, retried.result) == (State.READY, True, True)


# ── purging ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_purge_and_claims_share_the_jobs_between_them(bed: PostgresBed, store: Store, other: Store) -> None:
    for at in range(MOST_STATEMENTS):
        put(store, *news(3), new(unique="k"), new(delay_us=60 * SECOND))
        worker = Worker(other)
        purged, claimed, happened = interleave(bed, store, _purging(4), other, _claiming(worker, 2), at)
        if not happened:
            break
        assert not claimed.waited
        running = len(bed.rows("select 1 from relet.running"))
        cancelled = len(bed.rows("select 1 from relet.finished"))
        assert (purged, len(claimed.result)) == (cancelled, running)  # type: ignore[arg-type]
        _clear(bed, store)
    else:
        pytest.fail("the verb has more statements than were tried")


def test_a_purge_and_a_promotion_share_the_jobs_between_them(bed: PostgresBed, store: Store, other: Store) -> None:
    for at in range(MOST_STATEMENTS):
        put(store, *news(2), *(new(delay_us=SECOND) for _ in range(2)))
        bed.advance(2 * SECOND)
        purged, _, happened = interleave(bed, store, _purging(10), other, lambda s: s.promote(10), at)
        assert purged == len(bed.rows("select 1 from relet.finished"))
        if not happened:
            break
        _clear(bed, store)
    else:
        pytest.fail("the verb has more statements than were tried")


@pytest.mark.parametrize("on_conflict", ["existing", "replace", "debounce"])
def test_a_purge_and_an_enqueue_of_the_same_key_wait_for_each_other(
    bed: PostgresBed, store: Store, other: Store, on_conflict: str
) -> None:
    for at in range(MOST_STATEMENTS):
        put(store, new(unique="k"), new(unique="l", delay_us=60 * SECOND))
        newer = new(unique="k", on_conflict=on_conflict, debounce_us=SECOND)
        _, enqueued, happened = interleave(bed, store, _purging(10), other, _putting(newer), at)
        if not happened:
            break
        assert enqueued.error is None, f"at statement {at}"
        check_invariants(bed)
        _clear(bed, store)
    else:
        pytest.fail("the verb has more statements than were tried")


# ── the chore that honours cancels ──────────────────────────────────────────────────────────────────────────────────
def test_a_cancel_honoured_late_is_not_forgotten_when_the_job_is_claimed_meanwhile(
    bed: PostgresBed, store: Store, other: Store
) -> None:
    for at in range(MOST_STATEMENTS):
        job_id, worker = put_new(other, unique="k"), Worker(other)
        claim = worker.take()
        store.cancel(job_id, "mine", "ann", 0)
        worker.end(claim, Ended.RELEASE)
        honoured, claimed, happened = interleave(
            bed, store, lambda person: person.honour_cancels(10), other, _claiming(worker, 1), at
        )
        if not happened:
            break
        now = state(store, job_id)
        assert (honoured, now) in ((1, State.CANCELLED), (0, State.RUNNING)), f"at statement {at}"
        if now is State.RUNNING:
            assert asked(bed, job_id), f"at statement {at}"
            assert [taken.cancel for taken in claimed.result] == ["mine"]  # type: ignore[attr-defined]
        _clear(bed, store)
    else:
        pytest.fail("the verb has more statements than were tried")
