"""A task's own statements, in a transaction whose server goes away: that costs the job nothing. What the task does wrong does."""

import pytest

from relet.job.state import State
from tests.crash import tasks
from tests.crash.scene import Scene


@pytest.fixture
def ledger(pg_scene: Scene) -> Scene:
    """With tables of the application."""
    pg_scene.rows("create table effect (job text, epoch integer)")
    pg_scene.rows("create table parent (n integer primary key)")
    pg_scene.rows("create table child (n integer references parent deferrable initially deferred)")
    return pg_scene


@pytest.mark.parametrize("how", ["inside", "wrapped", "behind"])
def test_statement_that_fails_with_its_server_costs_no_attempt(ledger: Scene, how: str) -> None:
    ledger.worker()
    job = tasks.pay_badly.enqueue(ledger.marks_path, how)
    row = ledger.ended(job)
    assert (row.state, row.epoch, row.attempt, row.crashes) == (State.SUCCEEDED, 2, 0, 0)
    assert ledger.history(job) == ["snooze", "success"]
    assert ledger.rows("select epoch from effect") == [(2,)]


@pytest.mark.parametrize("how", ["refused", "idle", "swallowed", "deferred"])
def test_statement_that_the_server_refuses_is_a_failed_attempt(ledger: Scene, how: str) -> None:
    ledger.worker()
    job = tasks.pay_badly.enqueue(ledger.marks_path, how)
    row = ledger.ended(job)
    assert (row.state, row.epoch, row.attempt) == (State.DEAD, 1, 1)
    assert ledger.rows("select epoch from effect") == []


def test_effects_of_a_process_of_its_own_come_with_what_it_has_said(scene: Scene) -> None:
    scene.rows("create table effect (job text, epoch integer)")
    scene.worker()
    job = tasks.pay_apart.enqueue(scene.marks_path)
    assert scene.ended(job).state is State.SUCCEEDED
    lines = scene.store.insights.logs(job.id.bytes, (0, 0), 10)
    assert [line.message for line in lines] == ["paid"]
    assert len(scene.store.insights.usage(job.id.bytes)) == 1
