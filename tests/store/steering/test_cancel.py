"""Cancelling and deleting jobs."""

import pytest

from relet.clock import SECOND
from relet.job.job import NewJob
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.hands import IDS, Worker, new, put, put_new


def cancel(store: Store, job_id: bytes, reason: str = "not wanted", by: str = "ann") -> State | None:
    return store.cancel(job_id, reason, by, 20 * SECOND)


def state(store: Store, job_id: bytes) -> State:
    found = store.insights.job(job_id)
    assert found is not None
    return found.state


@pytest.mark.parametrize(("delay_us", "found"), [(0, State.READY), (60 * SECOND, State.SCHEDULED)])
def test_a_waiting_job_ends_as_cancelled_at_once_with_the_reason(store: Store, delay_us: int, found: State) -> None:
    job_id = put_new(store, delay_us=delay_us)
    assert cancel(store, job_id) is found
    job = store.insights.job(job_id)
    assert job is not None
    assert (job.state, job.error, job.epoch, job.worker) == (State.CANCELLED, "not wanted", 0, None)
    assert Worker(store).claim() == ()


def test_cancelling_a_waiting_job_leaves_no_request_behind(bed: Bed, store: Store) -> None:
    cancel(store, put_new(store))
    assert bed.rows("select * from relet.control") == []


def test_cancelling_frees_the_unique_key(store: Store) -> None:
    first = put_new(store, unique="k")
    cancel(store, first)
    second = new(unique="k")
    assert put(store, second) == [second.id]


def test_cancelling_one_job_leaves_the_others_alone(store: Store) -> None:
    first, second = put_new(store, unique="a"), put_new(store, unique="b")
    later = put_new(store, delay_us=SECOND)
    cancel(store, first)
    assert state(store, second) is State.READY
    assert state(store, later) is State.SCHEDULED
    assert put(store, new(unique="b")) == [second]


def test_a_running_job_goes_on_and_its_worker_is_told(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    assert cancel(store, job_id) is State.RUNNING
    (control,) = store.listen(worker.id).controls
    assert control == (job_id, "cancel", "not wanted", 20 * SECOND)
    assert worker.renew().controls == (control,)
    assert worker.end(claim, Ended.CANCEL, error=control.reason) is Answer.ACCEPTED
    assert state(store, job_id) is State.CANCELLED


def test_the_first_reason_is_kept(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()
    cancel(store, job_id, "first")
    assert cancel(store, job_id, "second") is State.RUNNING
    assert [control.reason for control in store.listen(worker.id).controls] == ["first"]


def test_a_cancel_asked_while_it_ran_ends_it_with_the_first_reason_when_asked_again(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    cancel(store, job_id, "first")
    worker.fail(claim)
    assert cancel(store, job_id, "second") is State.SCHEDULED
    job = store.insights.job(job_id)
    assert job is not None
    assert (job.state, job.error, job.epoch, job.attempt) == (State.CANCELLED, "first", 1, 1)


def test_a_cancel_that_reached_nobody_alive_is_honoured_by_the_reclaim(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    Worker(store, "dies").take()
    cancel(store, job_id)
    bed.advance(100 * SECOND)
    (gone,) = store.reclaim_expired()
    assert (gone.returned, gone.cancelled) == (0, 1)
    assert state(store, job_id) is State.CANCELLED


def test_a_job_that_was_given_back_is_still_asked_to_be_cancelled(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    cancel(store, job_id)
    worker.end(claim, Ended.RELEASE)
    assert worker.take().cancel == "not wanted"


def test_the_chore_ends_jobs_that_wait_again_though_their_cancel_was_asked(bed: Bed, store: Store) -> None:
    failed, released, running = put_new(store), put_new(store, unique="k"), put_new(store)
    worker = Worker(store)
    claims = {claim.job_id: claim for claim in worker.claim()}
    for job_id in claims:
        cancel(store, job_id)
    worker.fail(claims[failed])
    worker.end(claims[released], Ended.RELEASE)
    assert store.honour_cancels(10) == 2
    assert [state(store, job_id) for job_id in (failed, released, running)] == [
        State.CANCELLED,
        State.CANCELLED,
        State.RUNNING,
    ]
    assert bed.rows("select job_id from relet.control") == [(running,)]
    assert bed.rows("select * from relet.unique_key") == []
    assert store.honour_cancels(10) == 0


def test_the_chore_does_no_more_than_its_limit(store: Store) -> None:
    put(store, *(new() for _ in range(3)))
    worker = Worker(store)
    for claim in worker.claim():
        cancel(store, claim.job_id)
        worker.fail(claim)
    assert [store.honour_cancels(2), store.honour_cancels(2)] == [2, 1]


@pytest.mark.parametrize("ended", [State.SUCCEEDED, State.CANCELLED, State.DEAD])
def test_a_job_that_has_ended_is_left_as_it_is(bed: Bed, store: Store, ended: State) -> None:
    job_id = _ended(store, ended)
    before = store.insights.job(job_id)
    assert cancel(store, job_id, "too late") is ended
    assert store.insights.job(job_id) == before
    assert bed.rows("select * from relet.control") == []


def test_a_cancel_that_came_too_late_leaves_no_request_behind(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    cancel(store, job_id)
    worker.end(claim)
    assert cancel(store, job_id) is State.SUCCEEDED
    assert bed.rows("select * from relet.control") == []


def test_cancelling_an_unknown_job_finds_nothing_and_writes_nothing(bed: Bed, store: Store) -> None:
    assert cancel(store, IDS.job()) is None
    assert bed.rows("select * from relet.control") == []


def test_repeating_a_cancel_finds_the_job_cancelled(store: Store) -> None:
    job_id = put_new(store)
    assert [cancel(store, job_id), cancel(store, job_id)] == [State.READY, State.CANCELLED]


def test_a_reason_that_not_every_engine_can_store_is_made_storable(store: Store) -> None:
    job_id = put_new(store)
    cancel(store, job_id, "a\0b\ud800c")
    job = store.insights.job(job_id)
    assert job is not None
    assert job.error == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("ended", [State.SUCCEEDED, State.CANCELLED])
def test_an_ended_job_can_be_deleted_with_its_history(bed: Bed, store: Store, ended: State) -> None:
    job_id = _ended(store, ended)
    assert store.delete_job(job_id) is ended
    assert store.insights.job(job_id) is None
    for table in ("job", "finished", "attempt"):
        assert bed.rows(f"select * from relet.{table}") == []
    assert store.delete_job(job_id) is None


def test_a_job_that_has_not_ended_or_is_dead_is_not_deleted(store: Store) -> None:
    waiting, later = put_new(store), put_new(store, delay_us=SECOND)
    dead = _ended(store, State.DEAD, task="u")
    assert store.delete_job(waiting) is State.READY
    assert store.delete_job(later) is State.SCHEDULED
    assert store.delete_job(dead) is State.DEAD
    Worker(store).take()
    assert store.delete_job(waiting) is State.RUNNING
    assert all(store.insights.job(job_id) for job_id in (waiting, later, dead))


def _ended(store: Store, how: State, task: str = "t") -> bytes:
    job: NewJob = new(task)
    put(store, job)
    worker = Worker(store, tasks=(task,))
    claim = worker.take()
    worker.end(claim, {State.SUCCEEDED: Ended.SUCCESS, State.CANCELLED: Ended.CANCEL, State.DEAD: Ended.REJECT}[how])
    return job.id
