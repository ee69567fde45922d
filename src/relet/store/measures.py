"""The verbs and the reading of what is measured: figures of runs, events, how many jobs there are. See `relet.store.port` for the
rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from relet.job.duration import format_us
from relet.job.figures import Figure
from relet.job.health import UNSEEN_US, Rules, Standing, Tally


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


ALL = ""
"""The subject that stands for all queues and workers together."""


class HealthRow(NamedTuple):
    """How healthy something is."""

    standing: Standing
    since_at: int | None
    """None: it never was anything else."""


class QueueHealth(NamedTuple):
    """A queue and its health."""

    name: str
    health: HealthRow
    ready: int
    running: int
    recent: Tally
    """Of the last minutes, as many as count."""
    ever: Tally


class WorkerHealth(NamedTuple):
    """A live worker and its health."""

    name: str
    health: HealthRow
    running: int
    slots: int
    ever: Tally
    """Since its start."""


class HealthReport(NamedTuple):
    """How healthy everything is."""

    now: int
    looked_at: int | None
    """When a worker has looked last. None: none ever has."""
    overall: HealthRow
    queues: tuple[QueueHealth, ...]
    workers: tuple[WorkerHealth, ...]

    @property
    def verdict(self) -> Standing:
        """Of all together. If nobody has looked for a minute, nobody is there."""
        if self.looked_at is None:
            return Standing(False, True, "no worker has ever run")
        unseen = self.now - self.looked_at
        if unseen > UNSEEN_US:
            return Standing(False, True, f"no worker is there: the last one has looked {format_us(unseen)} ago")
        return self.overall.standing

    @property
    def since_at(self) -> int | None:
        """Since when it stands so."""
        unseen = self.looked_at is not None and self.now - self.looked_at > UNSEEN_US
        return self.looked_at if unseen else self.overall.since_at


class HealthChange(NamedTuple):
    """Something became healthy, or ceased to be: `queue:NAME`, `worker:NAME`, or all together."""

    subject: str
    at: int
    healthy: bool
    because: str


class Measures(Protocol):
    """What workers write of it. It is worth less than jobs: a crash may lose the last second of it."""

    def add_figures(self, news: News) -> None:
        """Add what has been counted to all that it belongs to. Repeated, it counts twice."""
        ...

    def take_depth(self, every_us: int, cap: int = 100_000) -> bool:
        """Write down how many jobs each queue has, unless somebody has done so within `every_us`: False. Counts stop at `cap`."""
        ...

    def judge_health(self, rules: Rules) -> list[HealthChange]:
        """Judge all queues, and all together, by what was counted lately; what has changed."""
        ...

    def judge_worker(self, worker: str, tally: Tally, rules: Rules) -> HealthChange | None:
        """Judge a worker by what it has counted itself within the window of the rules. None: nothing has changed."""
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

    def health_report(self, rules: Rules, cap: int = 100_000) -> HealthReport:
        """How healthy everything is, with the counts by which that is judged; those of jobs stop at `cap`."""
        ...

    def health_changes(self, subject: str, since_at: int) -> list[HealthChange]:
        """When its health has changed since then, the oldest first, and the last time before."""
        ...
