"""What `--json` prints of health."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from relet.health import Health, QueueHealth, WorkerHealth
from relet.job.redact import Redactor

_REDACTOR = Redactor()


class QueueHealthOut(TypedDict):
    """A queue and its health: `health`."""

    name: str
    healthy: bool
    because: str
    """Why not."""
    since: str | None
    """Null: it never was anything else."""
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


class WorkerHealthOut(TypedDict):
    """A live worker and its health: `health`."""

    name: str
    healthy: bool
    because: str
    since: str | None
    running: int
    slots: int
    total_succeeded: int
    """Since its start."""
    total_failed: int


class HealthOut(TypedDict):
    """How healthy everything is: `health`."""

    healthy: bool
    because: str
    since: str | None
    looked_at: str | None
    """When a worker has looked last."""
    uptime_day: float | None
    """For which part of the last day all was healthy, 0 to 1, as far as it is known."""
    uptime_month: float | None
    queues: list[QueueHealthOut]
    workers: list[WorkerHealthOut]


def health_out(health: Health) -> HealthOut:
    return HealthOut(
        healthy=health.healthy,
        because=_REDACTOR.text(health.because),
        since=_text(health.since),
        looked_at=_text(health.looked_at),
        uptime_day=health.uptime_day,
        uptime_month=health.uptime_month,
        queues=[_queue(one) for one in health.queues],
        workers=[_worker(one) for one in health.workers],
    )


def _queue(one: QueueHealth) -> QueueHealthOut:
    return QueueHealthOut(
        name=one.name,
        healthy=one.healthy,
        because=_REDACTOR.text(one.because),
        since=_text(one.since),
        ready=one.ready,
        running=one.running,
        succeeded=one.succeeded,
        failed=one.failed,
        failure_rate=one.failure_rate,
        total_succeeded=one.total_succeeded,
        total_failed=one.total_failed,
    )


def _worker(one: WorkerHealth) -> WorkerHealthOut:
    return WorkerHealthOut(
        name=one.name,
        healthy=one.healthy,
        because=_REDACTOR.text(one.because),
        since=_text(one.since),
        running=one.running,
        slots=one.slots,
        total_succeeded=one.total_succeeded,
        total_failed=one.total_failed,
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
