"""The figures: the same procedure for every side."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.ground import wait_for
from benchmarks.peers.environment import Environment
from benchmarks.peers.sides import Side
from benchmarks.peers.stage import Failed, Stage, kill, stage
from tests.support.postgres import PostgresServer

FIRST_COUNT, FEWEST, MOST = 1_000, 300, 500_000
"""Jobs of the first drain, which finds out how many are wanted; and the bounds."""
HEAD_START = 0.5
"""Seconds by which one of two workers may be up before the other: its jobs do not count."""
STAMP_MS, WARM_STAMPS = 25, 20
TRICKLE_MS = 250
WORKER_SECONDS = 60
RECOVERY_SECONDS = 60


@dataclass
class Findings:
    """All samples of one side, by figure. Rates are jobs a second, latencies milliseconds, recovery seconds."""

    samples: dict[str, list[float]] = field(default_factory=lambda: defaultdict[str, list[float]](list))
    troubles: list[str] = field(default_factory=list[str])
    pace: dict[str, float] = field(default_factory=dict[str, float])
    recovery: float | None = None
    recovery_tried: bool = False

    def shed(self) -> None:
        """Drop what was measured to warm up; what it says about the pace is kept."""
        self.samples.clear()


@dataclass
class Bench:
    """One run over all sides."""

    sides: list[Side]
    environment: Environment
    server: PostgresServer | None
    home: Path
    seconds: float
    note: Callable[[str], None]
    found: dict[str, Findings] = field(default_factory=lambda: defaultdict[str, Findings](Findings))

    def round(self) -> None:
        """Every figure but recovery once, the sides taking turns."""
        for name, part in PARTS.items():
            for side in self.sides:
                with self._troubles(side, name), self._stage(side) as place:
                    part(self, place, self.found[side.name])

    def recovery(self) -> None:
        """Kill a worker of every side and see who runs its job again. All at once: it is mostly waiting."""
        with ExitStack() as opened:
            doomed = list(self._doomed(opened))
            time.sleep(2)
            killed = [(place, _killed(victim)) for place, victim in doomed]
            wait_for(lambda: all(len(place.held()) > 1 for place, _ in killed), RECOVERY_SECONDS, 0.05)
            for place, at in killed:
                findings, again = self.found[place.side.name], place.held()[1:2]
                findings.recovery_tried = True
                findings.recovery = again[0] - at if again else None

    def _doomed(self, opened: ExitStack) -> Iterator[tuple[Stage, subprocess.Popen[bytes]]]:
        for side in self.sides:
            with self._troubles(side, "recovery"):
                place = opened.enter_context(self._stage(side))
                yield place, _doomed(place)

    def _stage(self, side: Side) -> AbstractContextManager[Stage]:
        return stage(side, self.environment, self.server, self.home)

    def _troubles(self, side: Side, name: str) -> _Troubles:
        return _Troubles(self, side, name)


@dataclass
class _Troubles:
    """What goes wrong with one side is written down, and the run goes on with the others."""

    bench: Bench
    side: Side
    name: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Failed | psycopg.Error | sqlite3.Error):
            return False
        words = f"{self.name}: {error}".strip()
        self.bench.found[self.side.name].troubles.append(words)
        self.bench.note(f"{self.side.title}: {words}")
        return True


def enqueue(bench: Bench, place: Stage, findings: Findings) -> None:
    """One by one, for half of the time."""
    said = place.client("one", str(bench.seconds / 2))
    findings.samples["one by one"].append(said["count"] / said["seconds"])


def drain_1(bench: Bench, place: Stage, findings: Findings) -> None:
    """A backlog, drained by one worker process."""
    _drain(bench, place, findings, 1)


def drain_2(bench: Bench, place: Stage, findings: Findings) -> None:
    """A backlog, drained by two."""
    _drain(bench, place, findings, 2)


def _drain(bench: Bench, place: Stage, findings: Findings, workers: int) -> None:
    """Jobs a second, from the moment at which every worker has run one until the store says that nothing is left."""
    figure = f"drain {workers}"
    total = _wanted(findings, figure, bench.seconds + HEAD_START * (workers - 1))
    said = place.client("bulk", str(total))
    findings.samples["bulk"].append(total / said["seconds"])
    with place.judge() as unfinished:
        for _ in range(workers):
            place.worker()
        began, before = _all_at_work(place, workers, total)
        if not wait_for(lambda: place.ground.runs()[0] >= total, 20 * bench.seconds + 60):
            raise Failed(f"{place.ground.runs()[0]} of {total} jobs ran; the worker: {place.complaint()}")
        if not wait_for(lambda: not unfinished(), 60):
            raise Failed(f"all {total} jobs ran, but not all were settled within 60 s")
        ended = time.monotonic()
    findings.pace[figure] = (total - before) / (ended - began)
    findings.samples[figure].append(findings.pace[figure])


def _wanted(findings: Findings, figure: str, seconds: float) -> int:
    """How many jobs last so long, by the last drain."""
    pace = findings.pace.get(figure) or findings.pace.get("drain 1")
    return int(min(MOST, max(FEWEST, pace * seconds))) if pace else FIRST_COUNT


def _all_at_work(place: Stage, workers: int, total: int) -> tuple[float, int]:
    """When the last worker ran its first job, and how many jobs had been run by then. Raises Failed if none runs.

    Workers do not start equally fast. If one ran nothing while the others drained all, then the figure is theirs.
    """
    if not wait_for(lambda: place.ground.runs()[0], WORKER_SECONDS, 0.001):
        raise Failed(f"no job ran within {WORKER_SECONDS} s; the worker: {place.complaint()}")
    if workers > 1:
        wait_for(lambda: len(place.at_work()) >= workers or place.ground.runs()[0] >= total, WORKER_SECONDS, 0.001)
        before, _, last = place.ground.runs()
        if before < total:
            return last, before
    return place.ground.runs()[1], 0


def latency(bench: Bench, place: Stage, findings: Findings) -> None:
    """From just before the enqueue call to the first line of the job, with one worker that has nothing else to do."""
    place.worker()
    place.client("stamps", str(WARM_STAMPS), str(STAMP_MS))
    if not wait_for(lambda: len(place.waits()) >= WARM_STAMPS, WORKER_SECONDS):
        raise Failed(f"no job ran within {WORKER_SECONDS} s; the worker: {place.complaint()}")
    count = int(bench.seconds * 1000 / STAMP_MS)
    place.client("stamps", str(count), str(STAMP_MS))
    wait_for(lambda: len(place.waits()) >= WARM_STAMPS + count, 15)
    findings.samples["latency"] += place.waits()[WARM_STAMPS:]


PARTS: dict[str, Callable[[Bench, Stage, Findings], None]] = {
    "one by one": enqueue,
    "drain 1": drain_1,
    "drain 2": drain_2,
    "latency": latency,
}


def _doomed(place: Stage) -> subprocess.Popen[bytes]:
    """A worker that holds a job, beside a healthy one that has proved to be so by running others."""
    victim = place.worker()
    place.client("hold", str(place.ground.home / "held"))
    if not wait_for(place.held, WORKER_SECONDS):
        raise Failed(f"no job ran within {WORKER_SECONDS} s; the worker: {place.complaint()}")
    place.worker()
    place.trickle(TRICKLE_MS)
    if not wait_for(lambda: place.at_work() - {victim.pid}, WORKER_SECONDS, 0.1):
        raise Failed(f"the second worker ran nothing within {WORKER_SECONDS} s; it said: {place.complaint()}")
    return victim


def _killed(victim: subprocess.Popen[bytes]) -> float:
    now = time.monotonic()
    kill(victim)
    return now
