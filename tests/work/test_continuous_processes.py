"""Continuous routines under real worker processes that are killed and told to go."""

import sys
import time
from itertools import pairwise
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import NamedTuple

from relet.store.open import open_store
from relet.store.port import Store
from tests.support.waiting import until

CODE = """
import asyncio, os, time
from relet import App, Context
app = App()

def write(name: str, what: str) -> None:
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write(f"{name} {os.environ['CREW']} {what} {time.monotonic_ns()}\\n")

@app.routine(continuous=True, idle="20ms")
def plain() -> None:
    write("plain", "begin")
    time.sleep(0.1)
    write("plain", "end")

@app.routine(continuous=True, idle="20ms")
async def on_loop() -> None:
    write("on-loop", "begin")
    await asyncio.sleep(0.1)
    write("on-loop", "end")

@app.routine(continuous=True, idle="20ms", executor="process")
def apart() -> None:
    write("apart", "begin")
    time.sleep(0.1)
    write("apart", "end")

@app.routine(continuous=True, idle="1h", executor="process")
async def rests_apart(ctx: Context) -> None:
    write("rests-apart", "begin")
    write("rests-apart", "end")
"""
ROUTINES = ("plain", "on-loop", "apart", "rests-apart")
LEASE_S = 2.0


class Line(NamedTuple):
    """One line of the ledger."""

    routine: str
    worker: str
    what: str
    at: float


class Crew:
    """Workers that notice the death of another only by its lease: each has a lock directory of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.workers: dict[str, Popen[bytes]] = {}

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "relet", "worker", "-A", "keeping", "--url", self.url, "--quiet"]
        command += ["--lease", f"{LEASE_S}s", "--lock-dir", str(self.folder / f"locks-{name}")]
        path = f"{self.folder}:{':'.join(sys.path)}"
        env = {"PYTHONPATH": path, "LEDGER": str(self.folder / "ledger"), "CREW": name, "PATH": "/usr/bin:/bin"}
        self.workers[name] = Popen(command, cwd=self.folder, env=env, stdout=DEVNULL, stderr=DEVNULL)

    def lines(self) -> list[Line]:
        path = self.folder / "ledger"
        found = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [Line(routine, worker, what, int(at) / 1e9) for routine, worker, what, at in found]

    def at_it(self, name: str) -> bool:
        """Whether this worker has made passes of each routine."""
        return {line.routine for line in self.lines() if line.worker == name and line.what == "end"} == set(ROUTINES)

    def end(self) -> None:
        for worker in self.workers.values():
            worker.terminate()
        for worker in self.workers.values():
            assert worker.wait(20) in (0, -9)


def first_pass(lines: list[Line], routine: str, worker: str) -> float:
    return min(line.at for line in lines if (line.routine, line.worker, line.what) == (routine, worker, "begin"))


def check_one_at_a_time(lines: list[Line], routine: str, killed: str) -> None:
    """Each pass began after the one before it had ended, or had been cut off by the kill of its worker."""
    order = sorted((line for line in lines if line.routine == routine), key=lambda line: line.at)
    assert [line.worker for line in order] == sorted(line.worker for line in order), "one after the other"
    for one, two in pairwise(order):
        cut_off = one.worker == killed != two.worker
        assert (one.what, two.what) in {("begin", "end"), ("end", "begin"), *([("begin", "begin")] if cut_off else [])}


def ends_of(store: Store, routine: str) -> list[str]:
    """How the claims of its one run have ended."""
    row = store.insights.schedule(routine)
    assert row is not None
    (run,) = row.live
    return [attempt.outcome for attempt in store.insights.attempts(run)]


def test_a_continuous_routine_outlives_its_worker_and_never_runs_twice_at_once(shared_url: str, tmp_path: Path) -> None:
    (tmp_path / "keeping.py").write_text(CODE)
    crew = Crew(tmp_path, shared_url)
    try:
        crew.start("1")
        until(lambda: crew.at_it("1"), pause=0.02)
        crew.start("2")
        time.sleep(LEASE_S / 2)
        assert {line.worker for line in crew.lines()} == {"1"}, "the second one stands by"
        crew.workers["1"].kill()
        killed = time.monotonic()
        until(lambda: crew.at_it("2"), pause=0.02)
        crew.start("3")
        store = open_store(shared_url)
        until(lambda: sum(session.live for session in store.insights.sessions()) >= 2, pause=0.02)
        crew.workers["2"].terminate()
        until(lambda: crew.at_it("3"), pause=0.02)
        ends = {routine: ends_of(store, routine) for routine in ROUTINES}
        store.close()
    finally:
        crew.end()
    lines = crew.lines()
    for routine in ROUTINES:
        check_one_at_a_time(lines, routine, killed="1")
        assert first_pass(lines, routine, "2") - killed < 2 * LEASE_S
        assert ends[routine] == ["lost", "release"], "by the lease, and by hand"
