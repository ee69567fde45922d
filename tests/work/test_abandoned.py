"""What is told of a run that did not end when told to."""

from relet.job.state import State
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop


def test_a_cancel_without_a_reason_still_reads_as_a_sentence(shop: Shop) -> None:
    shop.worker()
    job = tasks.stubborn.options(timeout="1m").enqueue(shop.ledger, 4.0)
    until(lambda: shop.lines() == ["begun"])
    job.cancel(grace=0.1)
    row = shop.ended(job)
    assert (row.state, row.error) == (State.CANCELLED, "did not end when told to")
