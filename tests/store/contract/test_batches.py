"""Jobs that are counted together, and what runs once when all of them have ended, or the first has failed."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from relet.clock import DAY, SECOND
from relet.job.job import After, Need, NewBatch, NewJob, Options
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from relet.store.rows import BatchRow
from tests.store.beds import Bed
from tests.store.hands import IDS, Worker, decide, new, news, put, put_new

CALLBACKS = {"complete": Need.END, "success": Need.SUCCESS, "failure": Need.FAILURE}


def begin(store: Store, jobs: Sequence[NewJob]) -> tuple[bytes, dict[str, bytes], list[bytes]]:
    """A batch of these jobs with all callbacks; its id, theirs, and those of the jobs."""
    batch = NewBatch(IDS.job(), "import")
    members = [_in(job, batch) for job in jobs]
    callbacks = {name: new(name, queue="callbacks", after=(After(batch.id, need),)) for name, need in CALLBACKS.items()}
    answers = store.enqueue([*members, *callbacks.values()], [batch])
    return (
        batch.id,
        {name: job.id for name, job in callbacks.items()},
        [job_id for job_id, _ in answers[: len(members)]],
    )


def _in(job: NewJob, batch: NewBatch) -> NewJob:
    return replace(job, options=replace(job.options, batch=batch.id.hex()))


def look(store: Store, batch: bytes) -> BatchRow:
    row = store.insights.batch(batch)
    assert row is not None
    return row


def counts(store: Store, batch: bytes) -> tuple[int, ...]:
    row = look(store, batch)
    return row.total, row.open, row.succeeded, row.dead, row.cancelled


def states(store: Store, callbacks: dict[str, bytes]) -> dict[str, State]:
    rows = {name: store.insights.job(job_id) for name, job_id in callbacks.items()}
    return {name: row.state for name, row in rows.items() if row is not None}


def test_progress_is_counted_and_the_last_success_releases_the_callbacks(store: Store):
    batch, callbacks, _ = begin(store, news(3))
    worker = Worker(store)
    first, *others = worker.claim()

    worker.end(first)
    assert counts(store, batch) == (3, 2, 1, 0, 0)
    assert set(states(store, callbacks).values()) == {State.WAITING}
    worker.settle(*[decide(claim, Ended.SUCCESS) for claim in others])

    assert counts(store, batch) == (3, 0, 3, 0, 0)
    assert look(store, batch).ended_at is not None
    assert states(store, callbacks) == {
        "complete": State.READY,
        "success": State.READY,
        "failure": State.CANCELLED,
    }


def test_the_first_failure_releases_its_callback_at_once(store: Store):
    batch, callbacks, _ = begin(store, news(2))
    worker = Worker(store)
    first, second = worker.claim()

    worker.bury(first)
    assert states(store, callbacks) == {
        "complete": State.WAITING,
        "success": State.WAITING,
        "failure": State.READY,
    }
    worker.end(second)

    assert counts(store, batch) == (2, 0, 1, 1, 0)
    assert states(store, callbacks) == {
        "complete": State.READY,
        "success": State.CANCELLED,
        "failure": State.READY,
    }


def test_a_cancelled_job_is_a_failure_too(store: Store):
    batch, callbacks, (first, second) = begin(store, news(2))
    store.cancel(first, "", "ann", 0)
    store.purge_queue("default", "ann", 1)

    assert store.insights.job(second)
    assert counts(store, batch) == (2, 0, 0, 0, 2)
    assert states(store, callbacks)["success"] is State.CANCELLED


def test_an_empty_batch_has_succeeded(store: Store):
    batch, callbacks, _ = begin(store, [])

    assert look(store, batch).ended_at is not None
    assert states(store, callbacks) == {
        "complete": State.READY,
        "success": State.READY,
        "failure": State.CANCELLED,
    }


def test_a_job_for_which_another_stands_is_not_counted(store: Store):
    put_new(store, unique="k", queue="elsewhere")
    batch, _, _ = begin(store, [new(unique="k"), new(unique="l"), new(unique="l"), new()])

    assert look(store, batch).total == 2


def test_a_retried_dead_letter_is_open_again_and_the_callbacks_do_not_come_twice(store: Store, bed: Bed):
    batch, _, _ = begin(store, news(1))
    worker = Worker(store)
    claim = worker.take()
    worker.bury(claim)
    assert counts(store, batch) == (1, 0, 0, 1, 0)
    before = bed.rows("select count(*) from relet.ready")

    store.retry_dead(claim.job_id, None, "ann")
    assert counts(store, batch) == (1, 1, 0, 0, 0)
    worker.end(worker.take())

    assert counts(store, batch) == (1, 0, 1, 0, 0)
    assert bed.rows("select count(*) from relet.ready") == before


def test_a_retry_while_the_batch_goes_on_keeps_it_open(store: Store):
    batch, callbacks, _ = begin(store, news(2))
    worker = Worker(store)
    first, second = worker.claim()
    worker.bury(first)
    store.retry_dead(first.job_id, None, "ann")
    worker.end(second)
    assert states(store, callbacks)["complete"] is State.WAITING

    worker.end(worker.take())

    assert counts(store, batch) == (2, 0, 2, 0, 0)
    assert states(store, callbacks)["success"] is State.READY


def test_a_job_may_come_after_a_batch_that_is_there(store: Store):
    batch, _, _ = begin(store, news(1))
    late = new("late", after=(After(batch),))
    put(store, late)
    worker = Worker(store)
    worker.end(worker.take())
    later = new("late", after=(After(batch),))
    put(store, later)

    assert set(states(store, {"late": late.id, "later": later.id}).values()) == {State.READY}


def test_members_may_come_after_each_other(store: Store):
    first = new()
    second = new(after=(After(first.id),))
    batch, callbacks, _ = begin(store, [first, second])
    worker = Worker(store)
    worker.bury(worker.take())

    assert counts(store, batch) == (2, 0, 0, 1, 1)
    assert states(store, callbacks)["complete"] is State.READY


def test_a_repeated_enqueue_makes_no_second_batch(store: Store, bed: Bed):
    batch = NewBatch(IDS.job(), "import")
    jobs = [_in(job, batch) for job in news(3)]
    store.enqueue(jobs, [batch])
    worker = Worker(store)
    worker.end(worker.take())

    store.enqueue(jobs, [batch])

    assert counts(store, batch.id) == (3, 2, 1, 0, 0)
    assert bed.rows("select count(*) from relet.member") == [(3,)]


def test_the_jobs_of_a_batch_are_listed_by_what_became_of_them(store: Store):
    batch, _, jobs = begin(store, news(4))
    worker = Worker(store)
    claims = worker.claim(3)
    worker.end(claims[0])
    worker.bury(claims[1])
    store.cancel(jobs[3], "", "ann", 0)
    members = store.insights.members

    assert members(batch) == jobs
    assert members(batch, limit=2) == jobs[:2]
    assert members(batch, after=jobs[1]) == jobs[2:]
    assert (members(batch, "succeeded"), members(batch, "dead")) == ([jobs[0]], [jobs[1]])
    assert (members(batch, "open"), members(batch, "cancelled")) == ([jobs[2]], [jobs[3]])


def test_batches_are_listed_newest_first(store: Store):
    first, *_ = begin(store, [])
    second, *_ = begin(store, news(1))

    assert [row.id for row in store.insights.batches()] == [second, first]
    assert [row.id for row in store.insights.batches(only_open=True)] == [second]
    assert [row.id for row in store.insights.batches(before=second)] == [first]
    assert store.insights.batches(label="other") == []


def test_a_batch_that_is_counted_wrong_is_repaired_and_closes(store: Store, bed: Bed):
    batch, callbacks, _ = begin(store, news(2))
    assert store.mend_batch(bytes(16)).repaired == ()
    worker = Worker(store)
    first, second = worker.claim()
    worker.end(first)
    worker.end(second)
    bed.rows("update relet.batch set open = 1, succeeded = 1, ended_at = null")

    found = store.mend_batch(bytes(16))

    assert (found.repaired, found.last) == ((batch,), batch)
    assert counts(store, batch) == (2, 0, 2, 0, 0)
    assert look(store, batch).ended_at is not None
    assert store.mend_batch(batch).last is None
    assert states(store, callbacks)["complete"] is State.READY


def test_an_open_batch_stays_and_an_ended_one_is_forgotten(store: Store, bed: Bed):
    stays, *_ = begin(store, news(1, queue="other"))
    batch = NewBatch(IDS.job(), "")
    store.enqueue([_in(new(), batch)], [batch])
    worker = Worker(store)
    worker.end(worker.take())
    bed.advance(3 * DAY)

    for _ in range(3):
        store.prune(DAY, DAY, 100)

    assert store.insights.batch(stays) is not None
    assert store.insights.batch(batch.id) is None


@pytest.mark.parametrize("delay_us", [0, 5 * SECOND])
def test_a_member_with_a_key_a_delay_and_options(store: Store, bed: Bed, delay_us: int):
    batch, callbacks, _ = begin(store, [new(options=Options(unique="k", timeout_us=5), delay_us=delay_us)])
    bed.advance(10 * SECOND)
    store.promote(10)
    worker = Worker(store)
    worker.end(worker.take())

    assert counts(store, batch) == (1, 0, 1, 0, 0)
    assert states(store, callbacks)["success"] is State.READY


def test_a_job_that_another_one_of_the_same_call_has_replaced_does_not_keep_its_batch_open(store: Store, bed: Bed):
    batch = NewBatch(IDS.job())
    options = Options(unique="k", batch=batch.id.hex())
    jobs = [new(options=options), new(options=options, on_conflict="replace")]
    callback = new("callback", after=(After(batch.id, Need.END),))
    store.enqueue([*jobs, callback], [batch])
    store.enqueue([*jobs, callback], [batch])
    worker = Worker(store)

    worker.end(worker.take())

    row = store.insights.batch(batch.id)
    assert row is not None
    assert (row.total, row.open, row.succeeded, row.cancelled) == (2, 0, 1, 1)
    assert bed.rows("select task from relet.ready") == [("callback",)]
