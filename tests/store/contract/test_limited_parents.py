"""Where a limit meets jobs that wait for others: a slot is a slot, whatever else hangs on its job."""

import pytest

from relet.job.job import After, NewBatch, NewJob, Options
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from tests.store.contract.test_limits import Limited
from tests.store.hands import IDS, Worker, decide, ids, new, news, put


def _limited(store: Store, concurrency: int = 1) -> Limited:
    store.limit_queue("default", Rule(concurrency=concurrency), "ann")
    return Limited(store)


def _put_special(store: Store, kind: str) -> NewJob:
    """A job with a flag: others come after it, or a batch counts it."""
    if kind == "batch":
        batch = NewBatch(IDS.job(), "")
        job = new(options=Options(batch=batch.id.hex()))
        store.enqueue([job], [batch])
        return job
    job = new()
    child = new("child", queue="other", after=(After(job.id),))
    if kind == "parent":
        put(store, job, child)
    else:
        put(store, job)
    return job


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.FAILURE, Ended.REJECT, Ended.CANCEL])
@pytest.mark.parametrize("kind", ["parent", "batch"])
def test_the_end_of_a_job_with_flags_frees_its_slot(store: Store, kind: str, ended: Ended):
    job = _put_special(store, kind)
    put(store, *news(2))
    worker = _limited(store)
    claim = worker.take()
    assert claim.job_id == job.id
    assert worker.claim() == ()

    assert worker.end(claim, ended) is Answer.ACCEPTED

    assert len(worker.claim()) == 1
    assert worker.claim() == ()


def test_a_job_that_became_a_parent_while_it_ran_frees_its_slot(store: Store):
    parent, *others = put(store, *news(3))
    worker = _limited(store, 2)
    claims = worker.claim()
    child = new("child", queue="other", after=(After(parent),))
    put(store, child)

    assert worker.settle(*[decide(claim, Ended.SUCCESS) for claim in claims]) == (Answer.ACCEPTED,) * 2

    row = store.insights.job(child.id)
    assert row is not None
    assert row.state is State.READY
    assert ids(worker.claim()) == others[1:]


def test_a_job_that_waited_is_claimed_under_the_limit_of_its_queue(store: Store):
    parents = put(store, *news(2, queue="other"))
    children = put(store, *[new(after=(After(parent),)) for parent in parents])
    worker, free = _limited(store), Worker(store, queues=("other",))

    for claim in free.claim():
        free.end(claim)

    (first,) = worker.claim()
    assert worker.claim() == ()
    worker.end(first)
    assert {first.job_id, worker.take().job_id} == set(children)
    assert worker.claim() == ()
