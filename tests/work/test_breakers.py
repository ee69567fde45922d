"""Circuit breakers under real workers: they trip at their failure, what is held keeps its attempts."""

from pathlib import Path
from typing import Any

import pytest

from relet import BreakerOpen, Job
from relet.job.breaker import State
from relet.job.state import State as JobState
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop


@pytest.fixture
def flag(any_shop: Shop) -> Path:
    """As long as this file is there, the service is down."""
    made = any_shop.folder / "down"
    made.touch()
    return made


def put(task: Any, shop: Shop, flag: Path | str, count: int) -> list[Job[Any]]:
    return tasks.app.enqueue_many([task.call(shop.ledger, str(flag)) for _ in range(count)])


def states(shop: Shop, jobs: list[Job[Any]]) -> list[JobState]:
    return [shop.row(job).state for job in jobs]


def test_it_trips_at_exactly_its_failure_and_what_is_held_keeps_its_attempts(any_shop: Shop, flag: Path) -> None:
    jobs = put(tasks.guarded, any_shop, flag, 12)
    any_shop.worker(slots=1)
    breaker = tasks.app.breakers[tasks.guarded]
    until(lambda: breaker.status().state is State.OPEN)

    assert tasks.add.options(queue="guarded").enqueue(1, 2).result("5s") == 3, "other tasks of the queue go on"
    status = breaker.status()
    assert (status.trips, status.because, status.last_error) == (1, "3 failures in a row", "OSError: it is down")
    assert states(any_shop, jobs).count(JobState.DEAD) == 3
    held = [any_shop.row(job) for job in jobs if any_shop.row(job).state is JobState.READY]
    assert [(row.attempt, row.epoch) for row in held] == [(0, 0)] * 9
    assert any_shop.lines() == ["tried"] * 3
    assert any_shop.told("breaker.opened")[0]["breaker"] == breaker.name
    assert tasks.app.why(Job(tasks.app, held[0].id, None).id)[0].startswith(f"Breaker {breaker.name} is open")

    flag.unlink()
    breaker.reset(by="ann")
    assert [job.result("10s") for job in jobs if job.id.bytes in {row.id for row in held}] == ["done"] * 9
    assert breaker.status().changed_by == "ann"
    assert until(lambda: any_shop.told("breaker.closed")) == [{"breaker": breaker.name}]


def test_many_slots_overshoot_by_no_more_than_what_had_begun(any_shop: Shop, flag: Path) -> None:
    jobs = put(tasks.guarded, any_shop, flag, 60)
    any_shop.worker(slots=6)
    any_shop.worker(slots=6)
    until(lambda: tasks.app.breakers[tasks.guarded].status().state is State.OPEN)
    until(lambda: JobState.RUNNING not in states(any_shop, jobs))

    assert 3 <= len(any_shop.lines()) <= 3 + 12 + 6
    assert all(any_shop.row(job).attempt == 0 for job in jobs if any_shop.row(job).state is not JobState.DEAD)


def test_it_closes_by_itself_when_a_probe_succeeds(any_shop: Shop, flag: Path) -> None:
    jobs = put(tasks.mending, any_shop, flag, 30)
    any_shop.worker(slots=1)
    breaker = tasks.app.breakers[tasks.mending]
    until(lambda: breaker.status().trips >= 2)
    flag.unlink()
    until(lambda: all(state.ended for state in states(any_shop, jobs)))

    status = breaker.status()
    dead = states(any_shop, jobs).count(JobState.DEAD)
    assert dead == 3 + status.trips - 1, "each time that it was half-open, one probe failed"
    assert (status.state, status.changed_by) == (State.CLOSED, "relet")
    assert len(any_shop.lines()) == 30


def test_child_processes_are_guarded_too_and_ignored_errors_do_not_count(any_shop: Shop, flag: Path) -> None:
    any_shop.worker(slots=1)
    breaker = tasks.app.breakers[tasks.guarded_apart]
    for job in put(tasks.guarded_apart, any_shop, "ignored", 3):
        until(lambda job=job: any_shop.row(job).state is JobState.DEAD)  # type: ignore[misc]  # of this pass
    assert breaker.status().failures == 0

    put(tasks.guarded_apart, any_shop, flag, 4)
    until(lambda: breaker.status().state is State.OPEN)
    assert any_shop.lines() == ["tried"] * 2


@pytest.mark.parametrize("task", [tasks.calling, tasks.calling_async, tasks.calling_apart])
def test_a_call_that_is_turned_away_puts_its_job_off_until_the_breaker_closes(
    any_shop: Shop, flag: Path, task: Any
) -> None:
    jobs = put(task, any_shop, flag, 5)
    any_shop.worker(slots=1)
    until(lambda: sorted(states(any_shop, jobs)) == [JobState.DEAD] * 2 + [JobState.SCHEDULED] * 3)

    put_off = [any_shop.row(job) for job in jobs if any_shop.row(job).state is JobState.SCHEDULED]
    assert [row.attempt for row in put_off] == [0] * 3
    assert (
        "breaker service is open: 2 failures in a row: OSError: it is down"
        in tasks.app.why(Job(tasks.app, put_off[0].id, None).id)[0]
    )
    until(lambda: tasks.app.breakers["service"].status().state is State.OPEN)
    with pytest.raises(BreakerOpen) as turned_away, tasks.app.breaker("service"):
        pass
    assert turned_away.value.until > tasks.app.breakers["service"].status().opened_at  # type: ignore[operator]  # it is open

    flag.unlink()
    tasks.app.breakers["service"].close(by="ann")
    assert [Job(tasks.app, row.id, None).result("10s") for row in put_off] == ["done"] * 3
    assert [any_shop.row(Job(tasks.app, row.id, None)).attempt for row in put_off] == [0] * 3
