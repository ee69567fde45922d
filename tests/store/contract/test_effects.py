"""Effects in the store's own database: committed together with the settle, or not at all."""

from typing import Any

import pytest

from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Notes
from tests.store.beds import Bed
from tests.store.contract.test_notes import notes
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

    assert effects.settle(decide(claim, Ended.SUCCESS), Notes()) is Answer.ACCEPTED
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

    assert effects.settle(decide(claim, Ended.SUCCESS), Notes()) is Answer.FENCED
    assert ledger() == []


def test_effects_of_a_repeated_settle_are_undone(store: Store, other: Store, ledger: Any):
    put_new(store)
    worker = Worker(store)
    settle = decide(worker.take(), Ended.SUCCESS)
    worker.settle(settle)

    effects = other.begin_effects(worker.id)
    write(effects.connection, "paid twice")

    assert effects.settle(settle, Notes()) is Answer.REPLAYED
    assert ledger() == []


def test_what_a_run_has_said_is_committed_with_its_effects(store: Store, other: Store, ledger: Any):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn(notes=notes(job_id, claim.epoch, 1))
    said = notes(job_id, claim.epoch, 1, 2)

    effects = other.begin_effects(worker.id)
    write(effects.connection, "paid")
    assert effects.settle(decide(claim, Ended.SUCCESS), said) is Answer.ACCEPTED
    worker.turn(notes=said)

    assert ledger() == ["paid"]
    assert store.insights.logs(job_id, (0, 0), 10) == list(said.logs)
    assert store.insights.usage(job_id) == list(said.usage)


def test_what_a_lost_claim_has_said_is_refused_with_its_effects(store: Store, other: Store, ledger: Any):
    job_id = put_new(store)
    zombie = Worker(store)
    claim = zombie.take()
    store.reclaim(zombie.id, "killed")
    Worker(store).take()

    effects = other.begin_effects(zombie.id)
    write(effects.connection, "paid twice")

    assert effects.settle(decide(claim, Ended.SUCCESS), notes(job_id, claim.epoch, 1)) is Answer.FENCED
    assert store.insights.logs(job_id, (0, 0), 10) == []
    assert store.insights.usage(job_id) == []


def test_an_error_of_the_tasks_own_is_not_the_stores(store: Store, other: Store, ledger: Any):
    put_new(store)
    worker = Worker(store)
    worker.take()
    effects = other.begin_effects(worker.id)
    with pytest.raises(Exception, match="nowhere") as caught:
        effects.connection.execute("insert into nowhere values (1)")

    assert not effects.lost_with(caught.value)
    effects.roll_back()


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
    effects.settle(decide(claim, Ended.SUCCESS), Notes())

    job_id = put_new(other)

    assert other.insights.job(job_id) is not None
