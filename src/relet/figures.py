"""`app.figures`: what workers have counted, and how many jobs there were."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from relet.clock import HOUR
from relet.control import moment_of
from relet.errors import UsageError
from relet.job.duration import Duration, to_us
from relet.job.figures import MINUTE, Came, Figure, Times
from relet.job.moment import from_at, from_at_or_none
from relet.steered import Steered
from relet.store.measures import DepthRow


class Spread(msgspec.Struct, frozen=True):
    """How long something took, of many. Parts of a bucket are taken as even, so the figures are as fine as the buckets."""

    count: int
    mean: timedelta | None
    p50: timedelta | None
    p95: timedelta | None
    p99: timedelta | None

    @classmethod
    def of(cls, times: Times) -> Spread:
        """The record of a histogram."""
        return cls(times.count, _span(times.mean_us), *(_span(times.quantile(q)) for q in (0.5, 0.95, 0.99)))


class FigureInfo(msgspec.Struct, frozen=True):
    """What was counted of runs that have ended."""

    queue: str
    """Empty: of all."""
    task: str
    """Empty: of all."""
    since: datetime | None
    """From when on. None: since ever."""
    succeeded: int
    failed: int
    """Failed attempts of jobs that were tried again."""
    dead: int
    cancelled: int
    snoozed: int
    released: int
    """Given back unfinished: a worker was stopping, or its lease was lost."""
    failure_rate: float
    """Failed and dead ones among these and those that succeeded: 0 to 1."""
    wait: Spread
    """How long their jobs were ready before they were claimed."""
    run: Spread
    """How long they took."""

    @classmethod
    def of(cls, figure: Figure, queue: str, task: str, since_at: int | None) -> FigureInfo:
        """The record of what was counted."""
        return cls(
            queue=queue,
            task=task,
            since=from_at_or_none(since_at),
            **{str(came): figure.of(came) for came in Came},
            failure_rate=figure.failure_rate,
            wait=Spread.of(figure.wait),
            run=Spread.of(figure.run),
        )


class DepthInfo(msgspec.Struct, frozen=True):
    """How many jobs of a queue there were at a minute. Counting stops at 100,000: that figure means "or more"."""

    at: datetime
    queue: str
    ready: int
    running: int
    scheduled: int
    waiting: int
    dead: int
    """Unresolved ones."""
    oldest: timedelta
    """How long the oldest ready one had been ready."""

    @classmethod
    def of(cls, row: DepthRow) -> DepthInfo:
        """The record of a row."""
        return cls(from_at(row.at), *row[1:7], timedelta(microseconds=row.oldest_us))


class Figures:
    """What runs came to. Workers write it once a second; what a crash loses of it is never more than that."""

    def __init__(self, app: Steered) -> None:
        self._app = app

    def totals(self, *, since: datetime | Duration | None = None, queue: str = "") -> list[FigureInfo]:
        """By queue and task: from then on (a duration counts back from now, in minutes, or hours beyond six of them), or since
        ever. Never goes down."""
        with self._app.shared.use() as store:
            since_at = moment_of(store, since, "since")
            rows = store.insights.figure_sums(since_at, queue)
            return [FigureInfo.of(row.figure, row.queue, row.task, since_at) for row in rows]

    def series(
        self,
        *,
        since: datetime | Duration = "1h",
        step: Duration = "1m",
        queue: str = "",
        task: str = "",
    ) -> list[FigureInfo]:
        """In steps of whole minutes (known for six hours) or whole hours (for 35 days), the oldest first. Steps in which nothing
        ended are left out. Raises UsageError."""
        span_us = to_us(step, name="step")
        if span_us <= 0 or span_us % MINUTE or (span_us > HOUR and span_us % HOUR):
            raise UsageError(f"step: {step!r} is neither whole minutes, up to an hour, nor whole hours.")
        with self._app.shared.use() as store:
            points = store.insights.figure_points(moment_of(store, since, "since") or 0, span_us, queue, task)
            return [FigureInfo.of(point.figure, queue, task, point.at) for point in points]

    def depths(self, *, since: datetime | Duration = "1h", queue: str = "") -> list[DepthInfo]:
        """How many jobs each queue had, by minutes, the oldest first; known for a day."""
        with self._app.shared.use() as store:
            return [DepthInfo.of(row) for row in store.insights.depths(moment_of(store, since, "since") or 0, queue)]

    def events(self) -> dict[str, int]:
        """How often workers have told of each event (`job.claimed`, `session.reclaimed`, `job.fenced`), since ever."""
        with self._app.shared.use() as store:
            return store.insights.event_counts()


def _span(us: int | None) -> timedelta | None:
    return None if us is None else timedelta(microseconds=us)
