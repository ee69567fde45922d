"""The verbs and the reading of what is measured: figures of runs, events, how many jobs there are. See `relet.store.port` for the
rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from relet.job.figures import Figure


class News(NamedTuple):
    """What has been counted since it was written down last."""

    rows: Mapping[tuple[str, str], Sequence[int]]
    """By queue and task, the columns of `relet.job.figures`."""
    events: Mapping[str, int]
    """By name."""

    def __bool__(self) -> bool:
        return bool(self.rows or self.events)


class FigurePoint(NamedTuple):
    """What was counted in one step of time."""

    at: int
    """Where it begins."""
    figure: Figure


class FigureSum(NamedTuple):
    """What was counted of the runs of one task in one queue."""

    queue: str
    task: str
    figure: Figure


class DepthRow(NamedTuple):
    """How many jobs of a queue there were at a minute. A count that equals the cap of the look means "or more"."""

    at: int
    queue: str
    ready: int
    running: int
    scheduled: int
    waiting: int
    dead: int
    """Unresolved ones."""
    oldest_us: int
    """How long the oldest ready one had been ready."""


class Measures(Protocol):
    """What workers write of it. It is worth less than jobs: a crash may lose the last second of it."""

    def add_figures(self, news: News) -> None:
        """Add what has been counted to all that it belongs to. Repeated, it counts twice."""
        ...

    def take_depth(self, every_us: int, cap: int = 100_000) -> bool:
        """Write down how many jobs each queue has, unless somebody has done so within `every_us`: False. Counts stop at `cap`."""
        ...


class Measured(Protocol):
    """What people see of it."""

    def figure_points(self, since_at: int, span_us: int, queue: str = "", task: str = "") -> list[FigurePoint]:
        """What was counted from then on, in steps of `span_us`, the oldest first; steps in which nothing was are left out.

        Minutes are known for some hours, and hours, for a `span_us` of whole hours, for a month."""
        ...

    def figure_sums(self, since_at: int | None = None, queue: str = "") -> list[FigureSum]:
        """The same by queue and task, over all that time. None: since ever."""
        ...

    def event_counts(self) -> dict[str, int]:
        """How often what has a name has happened, since ever."""
        ...

    def depths(self, since_at: int, queue: str = "") -> list[DepthRow]:
        """How many jobs there were, by minutes, the oldest first; they are known for a day."""
        ...
