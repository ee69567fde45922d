"""`app.health()`: how healthy queues and workers are, and for how much of the time all was."""

from __future__ import annotations

from datetime import datetime

import msgspec

from relet.clock import DAY
from relet.job.health import Rules, Turn, uptime
from relet.job.moment import from_at_or_none
from relet.store.measures import ALL, HealthRow
from relet.store.port import Store


class QueueHealth(msgspec.Struct, frozen=True):
    """A queue and its health. Counts of jobs stop at 100,000: that figure means "or more"."""

    name: str
    healthy: bool
    because: str
    """Why not."""
    since: datetime | None
    """None: it never was anything else."""
    ready: int
    running: int
    succeeded: int
    """Runs within the window of the rules."""
    failed: int
    failure_rate: float
    """Within the window: 0 to 1."""
    total_succeeded: int
    """Since ever."""
    total_failed: int


class WorkerHealth(msgspec.Struct, frozen=True):
    """A live worker and its health."""

    name: str
    healthy: bool
    because: str
    since: datetime | None
    running: int
    slots: int
    total_succeeded: int
    """Since its start."""
    total_failed: int


class Health(msgspec.Struct, frozen=True):
    """How healthy everything is."""

    healthy: bool
    """All queues and live workers are, and a worker has looked within the last minute."""
    because: str
    since: datetime | None
    looked_at: datetime | None
    """When a worker has looked last."""
    uptime_day: float | None
    """For which part of the last day all was healthy, 0 to 1, as far as it is known."""
    uptime_month: float | None
    """The same of 30 days."""
    queues: tuple[QueueHealth, ...]
    workers: tuple[WorkerHealth, ...]


def health_of(store: Store, rules: Rules) -> Health:
    """How healthy everything in this store is."""
    report = store.insights.health_report(rules)
    now, verdict = report.now, report.verdict
    changes = store.insights.health_changes(ALL, now - 30 * DAY)
    turns = [Turn(change.at, change.healthy) for change in changes]
    return Health(
        verdict.healthy,
        verdict.because,
        from_at_or_none(report.since_at),
        from_at_or_none(report.looked_at),
        uptime(turns, now - DAY, now),
        uptime(turns, now - 30 * DAY, now),
        tuple(
            QueueHealth(
                one.name,
                *_standing(one.health),
                one.ready,
                one.running,
                *one.recent,
                one.recent.failure_rate,
                *one.ever,
            )
            for one in report.queues
        ),
        tuple(
            WorkerHealth(one.name, *_standing(one.health), one.running, one.slots, *one.ever) for one in report.workers
        ),
    )


def _standing(row: HealthRow) -> tuple[bool, str, datetime | None]:
    return row.standing.healthy, row.standing.because, from_at_or_none(row.since_at)
