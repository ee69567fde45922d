"""Effects in the store's own database: committed together with the settle, or not at all."""

from typing import Any

import pytest

from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.hands import Worker, decide, put_new


@pytest.fixture
def ledger(bed: Bed):
    """A table of the application."""
    bed.rows("create table ledger (entry text not null)")
    yield lambda: [entry for (entry,) in bed.rows("select entry from ledger")]
    bed.rows("drop table ledger")


def write(connection: Any, entry: str) -> None:
    connection.execute(f"insert into ledger values ('{entry}')")


def test_effects_and_settle_are_committed_together(store: Store, other: Store, ledger: Any):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()

    effects = other.begin_effects(worker.id)
    write(effects.connection, "paid")

    assert effects.settle(decide(claim, Ended.SUCCESS)) is Answer.ACCEPTED
    assert ledger() == ["paid"]
    row = store.insights.job(job_id)
    assert row is not None
    assert row.state is State.SUCCEEDED


def test_effects_of_a_lost_claim_are_undone(store: Store, other: Store, ledger: Any):
    put_new(store)
    zombie = Worker(store)
    claim = zombie.take()
    store.reclaim(zombie.id, "killed")
    heir = Worker(store)
    heir.take()

    effects = other.begin_effects(zombie.id)
    write(effects.connection, "paid twice")

    assert effects.settle(decide(claim, Ended.SUCCESS)) is Answer.FENCED
    assert ledger() == []


def test_effects_of_a_repeated_settle_are_undone(store: Store, other: Store, ledger: Any):
    put_new(store)
    worker = Worker(store)
    settle = decide(worker.take(), Ended.SUCCESS)
    worker.settle(settle)

    effects = other.begin_effects(worker.id)
    write(effects.connection, "paid twice")

    assert effects.settle(settle) is Answer.REPLAYED
    assert ledger() == []


def test_effects_that_are_rolled_back_leave_the_claim_standing(store: Store, other: Store, ledger: Any):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    effects = other.begin_effects(worker.id)
    write(effects.connection, "paid")

    effects.roll_back()
    effects.roll_back()

    assert ledger() == []
    assert worker.end(claim) is Answer.ACCEPTED


def test_after_effects_the_connection_serves_as_before(store: Store, other: Store, ledger: Any):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    effects = other.begin_effects(worker.id)
    effects.settle(decide(claim, Ended.SUCCESS))

    job_id = put_new(other)

    assert other.insights.job(job_id) is not None
