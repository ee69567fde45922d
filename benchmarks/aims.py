"""What was aimed at, on a machine with two cores, and why a figure can fall short of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.figures import Figure

_SQL = (
    "A job is eight changes of a B-tree: `ready` and its index, `running` and its index, and `finished`, in and out. The raw "
    "engine alone needs most of the time that the aim leaves. The aim came from a prototype with fewer tables."
)
_PYTHON = (
    "Python: an asyncio task, a copied context, decoding and an outcome for each job, all under one interpreter lock; "
    "the other thread makes the turn's parameters meanwhile."
)
_DISK = "Each turn waits for the disk once, and a turn has only so many jobs here: see what an fsync takes, above."
_PRODUCER = "Each call waits for a commit of its own. Calls of several threads or tasks share theirs."


class Aim(NamedTuple):
    """One aim."""

    engine: str
    figure: str
    """How the figure's name begins."""
    name: str
    least: float | None
    most: float | None
    unit: str
    why: str
    """Why it may fall short."""
    part: Callable[[Figure], float | None] = lambda figure: figure.value

    def is_of(self, figure: Figure) -> bool:
        """Whether this figure is what it is about."""
        return figure.engine == self.engine and figure.name.startswith(self.figure)

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def words(self) -> str:
        """For the table."""
        bound = f"≥ {self.least:,g}" if self.least is not None else f"≤ {self.most:,g}"
        return f"{bound} {self.unit}".rstrip()


def _ratio(figure: Figure) -> float | None:
    return figure.ratio


def _worker(figure: Figure) -> float | None:
    return figure.worker_us


def _server(figure: Figure) -> float | None:
    return figure.server_us


def _drains(engine: str, one: float) -> list[Aim]:
    whole, ten, single = "drain, one worker process", "drain, 10 at a time", "drain, 1 at a time"
    return [
        Aim(engine, whole, whole, one, None, "jobs/s", _PYTHON if engine == "postgres" else f"{_SQL} {_PYTHON}"),
        Aim(engine, whole, "the same, of the raw engine", 0.5, None, "", _PYTHON, _ratio),
        Aim(engine, whole, "worker's CPU a job", None, 6, "µs", _PYTHON, _worker),
        Aim(engine, ten, ten, 50_000, None, "jobs/s", _DISK),
        Aim(engine, single, single, 6_000, None, "jobs/s", _DISK),
    ]


def _rest(engine: str) -> list[Aim]:
    one, bulk, many = "enqueue, one by one", "enqueue in bulk, ready rows", "enqueue_many, with encoding"
    start, claim, drain = "start on an idle system, ", "claim of 100", "drain behind"
    return [
        Aim(engine, one, one, 12_000, None, "jobs/s", _PRODUCER),
        Aim(engine, bulk, bulk, 200_000, None, "jobs/s", "A row in `job` and one in `ready` with its index, per job."),
        Aim(
            engine,
            many,
            many,
            100_000,
            None,
            "jobs/s",
            "The rows themselves, and what a call pays for checks and encoding.",
        ),
        Aim(engine, f"{start}p50", f"{start}p50", None, 1.5, "ms", _DISK),
        Aim(engine, f"{start}p99", f"{start}p99", None, 5, "ms", _DISK),
        Aim(engine, claim, "claim at 1,000,000 waiting, of 4,000", None, 1.2, "", "The index is deeper.", _ratio),
        Aim(
            engine,
            f"{drain} 1",
            "drain behind 1,000,000 that it may not take",
            0.8,
            None,
            "",
            "A look past them.",
            _ratio,
        ),
        Aim(engine, "job of a killed process runs again, same host", "re-run, same host", None, 2, "s", "Load."),
        Aim(
            engine,
            "job of a killed process runs again, by its lease alone",
            "re-run by a lease of 6 s",
            None,
            9,
            "s",
            "Load.",
        ),
        Aim(engine, "idle worker", "idle worker", None, 1, "% CPU", "Polls."),
        Aim(engine, "idle worker's memory", "worker's memory", None, 80, "MB", "Imports."),
    ]


AIMS: tuple[Aim, ...] = (
    *_drains("sqlite", 150_000),
    *_rest("sqlite"),
    *_drains("postgres", 100_000),
    Aim("postgres", "drain, one worker process", "server's CPU a job", None, 8, "µs", _SQL, _server),
    *_rest("postgres"),
    Aim(
        "postgres",
        "enqueue and drain under a held snapshot",
        "last fifth under a held snapshot, of the first",
        0.8,
        None,
        "",
        "Dead rows that cannot be removed yet are walked over.",
        _ratio,
    ),
)
"""In the order in which they are printed."""
