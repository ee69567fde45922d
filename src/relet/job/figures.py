"""What is counted of runs: what they came to, how long their jobs were ready before, and how long they took.

A figure is a row of numbers that are only ever added: of one run, of a minute, or of all that there ever were.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from relet.clock import HOUR, MS, SECOND
from relet.job.outcome import Ended
from relet.job.state import State

MINUTE = 60 * SECOND

BOUNDS_US = (
    *(MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS),
    *(SECOND, 2_500 * MS, 5 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND, 300 * SECOND, 1800 * SECOND),
)
"""The upper bounds of the buckets; a last one has what took longer."""

BUCKETS = len(BOUNDS_US) + 1


class Came(StrEnum):
    """What a run came to, for whoever counts."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """A failed attempt; the job will be tried again."""
    DEAD = "dead"
    CANCELLED = "cancelled"
    SNOOZED = "snoozed"
    """Put off by the task itself, which costs no attempt."""
    RELEASED = "released"
    """Given back unfinished."""


ERRORS = (Came.FAILED, Came.DEAD)
"""What counts as an error."""

OUTCOMES = len(Came)
WAIT_US, RUN_US = OUTCOMES, OUTCOMES + 1
"""Places of the sums of all times."""
WAIT, RUN = OUTCOMES + 2, OUTCOMES + 2 + BUCKETS
"""Places of the first buckets."""

COLUMNS = (
    *(str(came) for came in Came),
    *("wait_us", "run_us"),
    *(f"wait_{n}" for n in range(BUCKETS)),
    *(f"run_{n}" for n in range(BUCKETS)),
)
"""What each number is, in order; the columns of the table."""

STEPS_US = (0, MINUTE, HOUR)
"""What is added up: everything ever, minutes, hours."""

_PLACES = {came: place for place, came in enumerate(Came)}
_TO = {
    State.SUCCEEDED: Came.SUCCEEDED,
    State.DEAD: Came.DEAD,
    State.CANCELLED: Came.CANCELLED,
    State.READY: Came.RELEASED,
}


def came_to(ended: Ended, to: State) -> Came:
    """What a run that ended so, and whose job is in this state now, came to."""
    return _TO.get(to) or (Came.SNOOZED if ended is Ended.SNOOZE else Came.FAILED)


def place_of(came: Came) -> int:
    """Its place in the row."""
    return _PLACES[came]


def bucket(us: int) -> int:
    """The bucket of a time."""
    return bisect_left(BOUNDS_US, us)


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, of many."""

    total_us: int
    buckets: tuple[int, ...]

    @property
    def count(self) -> int:
        """Of how many."""
        return sum(self.buckets)

    @property
    def mean_us(self) -> int | None:
        """On average. None: there were none."""
        return self.total_us // self.count if self.count else None

    def quantile(self, q: float) -> int | None:
        """So long at most took this part of them, 0.95 for 95 %: as if those of a bucket lay evenly in it. None: there were none.

        What took longer than the last bound counts as if it had taken so long."""
        rank, before, low = q * self.count, 0, 0
        for found, high in zip(self.buckets, BOUNDS_US, strict=False):
            if found and before + found >= rank:
                return round(low + (high - low) * max(0.0, rank - before) / found)
            before, low = before + found, high
        return low if self.count else None


class Figure(NamedTuple):
    """What has been counted."""

    counts: tuple[int, ...] = (0,) * len(COLUMNS)

    def of(self, came: Came) -> int:
        """How many runs came to this."""
        return self.counts[_PLACES[came]]

    @property
    def processed(self) -> int:
        """Runs that succeeded or failed."""
        return self.of(Came.SUCCEEDED) + self.errors

    @property
    def errors(self) -> int:
        """Runs that failed."""
        return sum(self.of(came) for came in ERRORS)

    @property
    def failure_rate(self) -> float:
        """Which part of those processed failed: 0 to 1."""
        return self.errors / self.processed if self.processed else 0.0

    @property
    def wait(self) -> Times:
        """How long their jobs were ready before they were claimed."""
        return Times(self.counts[WAIT_US], self.counts[WAIT:RUN])

    @property
    def run(self) -> Times:
        """How long they took."""
        return Times(self.counts[RUN_US], self.counts[RUN:])

    @classmethod
    def sum(cls, rows: Iterable[Sequence[int]]) -> Figure:
        """All of these together."""
        added = tuple(map(sum, zip(*rows, strict=True)))
        return cls(added) if added else cls()
