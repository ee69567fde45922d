"""What was aimed at, on a machine with two cores, and why a figure can fall short of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.figures import Figure

_SQL = "seven changes of a B-tree per job: [below](#where-the-time-goes)"
_PYTHON = "Python, under one interpreter lock: [below](#where-the-time-goes)"
_DISK = "each turn waits for the disk, and has few jobs here: [below](#how-to-read-it)"
_PRODUCER = "each call waits for a commit of its own"
_UNKNOWN = "missed; the cause is not known"


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
        name = figure.name
        return figure.engine == self.engine and (
            name == self.figure or name.startswith((f"{self.figure} ", f"{self.figure},"))
        )

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
        Aim(engine, whole, whole, one, None, "jobs/s", _PYTHON if engine == "postgres" else f"{_SQL}; {_PYTHON}"),
        Aim(engine, whole, "the same, of the raw engine", 0.5, None, "", _PYTHON, _ratio),
        Aim(engine, whole, "worker's CPU a job", None, 6, "µs", _PYTHON, _worker),
        Aim(engine, ten, ten, 50_000, None, "jobs/s", _DISK),
        Aim(engine, single, single, 6_000, None, "jobs/s", _DISK),
    ]


def _rest(engine: str) -> list[Aim]:
    one, bulk, many = "enqueue, one by one", "enqueue in bulk, ready rows", "enqueue_many, with encoding"
    p50, p99, killed = (
        "start on an idle system, p50",
        "start on an idle system, p99",
        "job of a killed process runs again",
    )
    of_4000, of_none = (
        "claim of 100 at 1,000,000 waiting, of one at 5,000",
        "drain behind jobs it may not take, of none of them",
    )
    return [
        Aim(engine, one, one, 12_000, None, "jobs/s", _PRODUCER),
        Aim(engine, bulk, bulk, 200_000, None, "jobs/s", "a row in `job`, and one in `ready` and its index, per job"),
        Aim(engine, many, many, 100_000, None, "jobs/s", "those rows; and Python, which checks and encodes each call"),
        Aim(engine, p50, p50, None, 1.5, "ms", "two commits lie between, the enqueue's and the claim's"),
        Aim(engine, p99, p99, None, 5, "ms", _UNKNOWN),
        Aim(engine, "claim of 100", of_4000, None, 1.2, "", _UNKNOWN, _ratio),
        Aim(engine, "drain behind", of_none, 0.8, None, "", _UNKNOWN, _ratio),
        Aim(engine, f"{killed}, same host", f"{killed}, same host", None, 2, "s", _UNKNOWN),
        Aim(
            engine,
            f"{killed}, by its lease alone",
            f"{killed}, by its lease alone",
            None,
            1.5,
            "leases",
            _UNKNOWN,
            _ratio,
        ),
        Aim(engine, "idle worker", "idle worker", None, 1, "% CPU", _UNKNOWN),
        Aim(engine, "idle worker's memory", "worker's memory", None, 80, "MB", _UNKNOWN),
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
        "rows that were deleted cannot be removed yet, and are walked over",
        _ratio,
    ),
)
"""In the order in which they are printed."""
