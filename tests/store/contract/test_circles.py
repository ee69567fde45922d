"""Nothing that is enqueued waits for itself, also not by way of a batch that counts it or of a key that it shares."""

import pytest
from msgspec.structs import replace

from relet.errors import UsageError
from relet.job.job import NewBatch, NewJob, OnConflict, Options
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.contract.test_edges import after
from tests.store.hands import IDS, Worker, new


def member(job: NewJob, batch: NewBatch) -> NewJob:
    return replace(job, options=Options(batch=batch.id.hex()))


def refused(store: Store, bed: Bed, jobs: list[NewJob], batches: list[NewBatch], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        store.enqueue(jobs, batches)
    assert bed.rows("select (select count(*) from relet.job), (select count(*) from relet.batch)") == [(0, 0)]


def test_a_job_that_comes_after_the_batch_that_counts_it_is_refused(store: Store, bed: Bed):
    batch = NewBatch(IDS.job())

    refused(
        store, bed, [member(after(batch.id), batch), new()], [batch], r"child \(.*\) after batch \(.*\) after child"
    )


def test_a_job_that_comes_after_the_callback_of_its_batch_is_refused(store: Store, bed: Bed):
    batch = NewBatch(IDS.job())
    callback = after(batch.id, task="callback")

    refused(store, bed, [member(after(callback.id), batch), callback], [batch], "wait for each other")


def test_two_batches_that_wait_for_each_other_are_refused(store: Store, bed: Bed):
    one, two = NewBatch(IDS.job()), NewBatch(IDS.job())

    refused(store, bed, [member(after(two.id), one), member(after(one.id), two)], [one, two], "wait for each other")


@pytest.mark.parametrize("conflict", ["existing", "replace", "debounce"])
@pytest.mark.parametrize("parents_first", [True, False])
def test_a_job_with_the_key_of_what_it_comes_after_does_not_wait_for_itself(
    store: Store, bed: Bed, conflict: OnConflict, parents_first: bool
):
    first = new(unique="k")
    between = after(first.id)
    last = replace(after(between.id, task="t"), options=Options(unique="k"), on_conflict=conflict)
    jobs = [first, between, last]
    store.enqueue(jobs if parents_first else jobs[::-1])
    worker = Worker(store, tasks=("t", "child"))
    for _ in range(3):
        bed.advance(60_000_000)
        worker.renew()
        store.promote(10)
        for claim in worker.claim():
            worker.end(claim)

    assert bed.rows("select job_id from relet.waiting") == []
