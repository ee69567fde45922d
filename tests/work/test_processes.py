"""Real worker processes that are killed, paused and stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from relet.job.state import State
from relet.store.rows import DeadFilter
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop

ROOT = Path(__file__).parents[2]
Start = Callable[..., "Process"]


class Process:
    """A worker process and what it tells."""

    def __init__(self, shop: Shop, lease: str, slots: int, lock_dir: str = "") -> None:
        self.out = shop.folder / f"out-{time.monotonic_ns()}"
        folder = lock_dir or str(shop.folder)
        command = [sys.executable, "-m", "tests.work.serve", shop.url, folder, lease, str(slots)]
        with self.out.open("wb") as out:
            self.popen = subprocess.Popen(command, cwd=ROOT, stdout=out)
        self.pid = self.popen.pid

    def told(self, event: str) -> list[dict[str, Any]]:
        """The events of that name so far."""
        lines = [json.loads(line) for line in self.out.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def ready(self) -> "Process":
        """Wait until it holds a lease."""
        until(lambda: self.told("session.opened"), 15)
        return self

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()


@pytest.fixture
def start(any_shop: Shop) -> Iterator[Start]:
    """Starts worker processes, and sees to their end."""
    started: list[Process] = []

    def begin(lease: str = "3s", slots: int = 10, **more: Any) -> Process:
        started.append(Process(any_shop, lease, slots, **more))
        return started[-1].ready()

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.popen.send_signal(signal.SIGCONT)
            process.kill()


def test_jobs_of_a_killed_worker_run_again_within_two_seconds(any_shop: Shop, start: Start) -> None:
    victim = start(lease="30s")
    jobs = [tasks.nap.enqueue(any_shop.ledger, 60) for _ in range(5)]
    until(lambda: len(any_shop.lines()) == 5)
    start(lease="30s")
    victim.kill()
    killed_at = time.monotonic()
    until(lambda: sum(line.startswith("started 2") for line in any_shop.lines()) == 5)
    assert time.monotonic() - killed_at < 2.5
    assert [job.result("10s") for job in jobs] == ["rested"] * 5
    rows = [any_shop.row(job) for job in jobs]
    assert [(row.epoch, row.attempt, row.crashes) for row in rows] == [(2, 0, 0)] * 5


def test_lease_decides_where_locks_cannot(any_shop: Shop, start: Start, tmp_path: Path) -> None:
    other_host = tmp_path / "elsewhere"
    other_host.mkdir()
    victim = start(lease="2s", lock_dir=str(other_host))
    job = tasks.nap.enqueue(any_shop.ledger, 60)
    until(any_shop.lines)
    start(lease="2s")
    victim.kill()
    assert job.result("10s") == "rested"
    assert any_shop.row(job).epoch == 2


def test_worker_paused_past_its_lease_is_fenced_when_it_goes_on(any_shop: Shop, start: Start) -> None:
    zombie = start(lease="1s")
    job = tasks.nap.enqueue(any_shop.ledger, 1)
    until(any_shop.lines)
    os.kill(zombie.pid, signal.SIGSTOP)
    start(lease="1s")
    assert job.result("10s") == "rested"
    os.kill(zombie.pid, signal.SIGCONT)
    until(lambda: zombie.told("job.fenced"))
    assert zombie.told("session.lost")
    row = any_shop.row(job)
    assert (row.state, row.epoch) == (State.SUCCEEDED, 2)
    until(lambda: len(zombie.told("session.opened")) == 2, 10)
    assert tasks.add.enqueue(1, 2).result("5s") == 3


def test_first_sigterm_drains_and_the_exit_status_is_0(any_shop: Shop, start: Start) -> None:
    process = start()
    job = tasks.nap.enqueue(any_shop.ledger, 0.5)
    until(any_shop.lines)
    process.popen.terminate()
    assert process.popen.wait(10) == 0
    assert any_shop.row(job).state is State.SUCCEEDED
    assert not any_shop.store.insights.sessions()


def test_second_sigterm_gives_back_what_runs(any_shop: Shop, start: Start) -> None:
    process = start()
    job = tasks.nap.enqueue(any_shop.ledger, 60)
    until(any_shop.lines)
    process.popen.terminate()
    until(lambda: process.told("worker.draining"))
    process.popen.terminate()
    assert process.popen.wait(10) == 0
    row = any_shop.row(job)
    assert (row.state, row.attempt, row.releases) == (State.READY, 0, 1)


def test_poison_is_quarantined_and_costs_nobody_else_anything(any_shop: Shop, start: Start) -> None:
    poison = tasks.poison.enqueue(any_shop.ledger)
    bystanders = [tasks.nap.enqueue(any_shop.ledger, 0.3) for _ in range(8)]
    process, deaths = start(), 0
    limit = time.monotonic() + 60
    while not any_shop.row(poison).state.ended:
        assert time.monotonic() < limit
        if process.popen.poll() is not None:
            deaths += 1
            process = start()
        time.sleep(0.02)
    assert deaths <= 2, "alone in a child process it takes no worker down any more"
    assert [job.result("20s") for job in bystanders] == ["rested"] * 8
    row = any_shop.row(poison)
    assert (row.state, row.crashes, row.attempt) == (State.DEAD, 3, 0)
    (dead,) = any_shop.store.insights.dead(DeadFilter())
    assert (dead.reason, dead.error) == ("poison", "its process was killed by signal 9 (SIGKILL; out of memory?)")
    assert all((r.attempt, r.crashes) == (0, 0) for r in map(any_shop.row, bystanders))


def test_children_die_with_their_worker(any_shop: Shop, start: Start) -> None:
    process = start()
    tasks.breed.options(timeout=60).enqueue(any_shop.ledger)
    until(lambda: len(any_shop.lines()) == 2)
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(int(any_shop.lines()[0]))]
    process.kill()
    until(lambda: not any(one.is_running() for one in family), 5)


def test_processes_that_multiply_end_with_their_job(any_shop: Shop, start: Start) -> None:
    start()
    row = any_shop.ended(tasks.swarm.enqueue(any_shop.ledger))
    assert row.error == "ran into its timeout"
    swarm = {int(line) for line in any_shop.lines()}
    assert len(swarm) == 32
    until(lambda: not any(map(psutil.pid_exists, swarm)), 5)
    assert tasks.add.enqueue(1, 2).result("5s") == 3


def test_flooded_output_harms_nobody(any_shop: Shop, start: Start) -> None:
    start()
    tasks.flood.enqueue().result("10s")
    assert tasks.add.enqueue(1, 2).result("5s") == 3
