"""Limits of queues under real worker processes that are killed: never exceeded at any instant, and no slot is lost."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relet import Job
from relet.records import AttemptInfo
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop
from tests.work.test_processes import Process

SECONDS = 3
TABLE = {"lead": (5, 50, 70), "site": (3, 20, 30), "email": (10, 100, 140), "delivery": (2, 10, 14)}
"""For each queue: at once, starts in three seconds (a minute, made short), and how many jobs there are."""


@pytest.fixture
def start(any_shop: Shop) -> Iterator[Callable[[], Process]]:
    """Starts worker processes, and sees to their end."""
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(any_shop, "30s", 10))
        return started[-1].ready()

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.kill()


def test_limits_hold_at_every_instant_while_workers_are_killed(any_shop: Shop, start: Callable[[], Process]) -> None:
    for queue, (concurrency, units, _) in TABLE.items():
        tasks.app.queues[queue].limit(concurrency=concurrency, rate=f"{units}/{SECONDS}s")
    crew = [start() for _ in range(3)]
    jobs = {queue: _enqueue(any_shop, queue, count) for queue, (_, _, count) in TABLE.items()}
    _kill_five(any_shop, crew, start, 0.6)
    for queue in TABLE:
        assert [job.result("30s") for job in jobs[queue]] == ["rested"] * len(jobs[queue])

    lost = 0
    for queue, (concurrency, units, count) in TABLE.items():
        history = [attempt for job in jobs[queue] for attempt in job.attempts]
        lost += sum(attempt.outcome == "lost" for attempt in history)
        assert _most_at_once(history) <= concurrency, queue
        assert _most_in_a_window(history) <= units, queue
        assert len(history) >= count
    assert lost > 0, "no worker was killed with a job in its hands"
    assert {queue.name: queue.running for queue in tasks.app.queues.list()} == dict.fromkeys(TABLE, 0)


def test_limits_by_key_hold_at_every_instant_while_workers_are_killed(
    any_shop: Shop, start: Callable[[], Process]
) -> None:
    crew = [start() for _ in range(3)]
    tenants = {"a": 20, "b": 18, "c": 6}
    jobs = {
        tenant: tasks.app.enqueue_many([tasks.call_partner.call(any_shop.ledger, tenant, 0.3) for _ in range(count)])
        for tenant, count in tenants.items()
    }
    _kill_five(any_shop, crew, start, 0.25)
    for tenant, ones in jobs.items():
        assert [job.result("30s") for job in ones] == ["rested"] * len(ones), tenant

    lost = 0
    for tenant, ones in jobs.items():
        history = [attempt for job in ones for attempt in job.attempts]
        lost += sum(attempt.outcome == "lost" for attempt in history)
        assert _most_at_once(history) <= 3, tenant
        assert _most_in_a_window([job.attempts[0] for job in ones]) <= 16, tenant
    assert lost > 0, "no worker was killed with a job in its hands"
    (partner,) = [limit for limit in any_shop.store.insights.limits() if limit.name == "partner"]
    assert (partner.passed, partner.waiting) == (0, 0)


def _kill_five(shop: Shop, crew: list[Process], start: Callable[[], Process], pause: float) -> None:
    """Kill and replace five, one after the other: those that have begun a job, and first one that has for certain."""
    until(lambda: _at_it(shop))
    for _ in range(5):
        busy = _at_it(shop)
        victim = next((one for one in crew if one.pid in busy), crew[0])
        victim.kill()
        crew.remove(victim)
        crew.append(start())
        time.sleep(pause)


def _at_it(shop: Shop) -> set[int]:
    """The processes in which a run has begun and not ended."""
    open_runs: Counter[int] = Counter()
    for line in shop.lines():
        word, _, pid = line.split()
        open_runs[int(pid)] += 1 if word == "started" else -1
    return {pid for pid, count in open_runs.items() if count > 0}


def _enqueue(shop: Shop, queue: str, count: int) -> list[Job[Any]]:
    return tasks.app.enqueue_many([tasks.nap.options(queue=queue).call(shop.ledger, 0.15, 0.15) for _ in range(count)])


def _most_at_once(history: list[AttemptInfo]) -> int:
    """Ends count before starts of the same instant: one turn settles and claims."""
    changes = sorted([(one.started_at, 1) for one in history] + [(one.ended_at, -1) for one in history])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def _most_in_a_window(history: list[AttemptInfo]) -> int:
    starts = sorted(one.started_at.timestamp() for one in history)
    return max(sum(first <= at < first + SECONDS for at in starts) for first in starts)
