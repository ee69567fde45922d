"""What the app shows of jobs, attempts, dead letters, queues, workers and leases: ids as UUIDs, times as UTC datetimes."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import msgspec

from relet.job.limits import QueueLimit, say_rates
from relet.job.moment import from_at, from_at_or_none
from relet.job.state import State
from relet.store.records import LogLine, Reclaimed, Usage
from relet.store.rows import AttemptRow, DeadRow, EdgeRow, JobRow, LeaseRow, QueueRow, SessionRow, ShareRow


class JobInfo(msgspec.Struct, frozen=True):
    """One job, as it stood when it was read."""

    id: UUID
    task: str
    queue: str
    priority: int
    state: State
    args: dict[str, Any]
    """By parameter name, in JSON's own types."""
    tags: dict[str, str]
    created_at: datetime
    run_at: datetime | None
    """When it is due, if scheduled."""
    started_at: datetime | None
    ended_at: datetime | None
    claims: int
    """How often it has been let to a worker."""
    attempts: int
    """How many runs have failed."""
    crashes: int
    releases: int
    worker: str | None
    """Who runs it, or ended it."""
    progress: float | None
    message: str | None
    error: str | None
    cancel_asked: str | None
    """The reason, when someone asked to cancel it and it still runs."""

    @classmethod
    def of(cls, row: JobRow) -> JobInfo:
        """The record of a row."""
        return cls(
            id=UUID(bytes=row.id),
            task=row.task,
            queue=row.queue,
            priority=row.priority,
            state=row.state,
            args=_object(row.args),
            tags=_object(row.options).get("tags", {}),
            created_at=from_at(row.created_at),
            run_at=from_at_or_none(row.run_at),
            started_at=from_at_or_none(row.started_at),
            ended_at=from_at_or_none(row.ended_at),
            claims=row.epoch,
            attempts=row.attempt,
            crashes=row.crashes,
            releases=row.releases,
            worker=row.worker,
            progress=row.percent,
            message=row.message,
            error=row.error,
            cancel_asked=row.cancel_asked,
        )


class BondInfo(msgspec.Struct, frozen=True):
    """That a job comes after another job, or after a batch, as seen from one of the two."""

    id: UUID
    """The other one."""
    name: str | None
    """Its task, or the batch's label; None: it is forgotten."""
    is_batch: bool
    state: str | None
    """Where the other one stands; of a batch: open, succeeded, failed."""
    on_failure: str
    """What becomes of the child when the parent does not succeed: skip, run or hold."""
    outcome: str | None
    """How the parent ended, as far as the child is concerned; None: it has not."""

    @classmethod
    def of(cls, row: EdgeRow, *, parent: bool) -> BondInfo:
        """The record of a row, as the child sees its parent or the other way round."""
        on_failure = "hold" if row.hold else "skip" if row.need == "success" else "run"
        other = row.parent_id if parent else row.child_id
        return cls(UUID(bytes=other), row.name, row.is_batch, row.state, on_failure, row.outcome)


class AttemptInfo(msgspec.Struct, frozen=True):
    """One ended claim of a job. `outcome` is a word such as success, failure, timeout, snooze, lost."""

    claim: int
    worker: str | None
    started_at: datetime
    ended_at: datetime
    outcome: str
    error: str
    stack: str

    @property
    def took(self) -> timedelta:
        """From the claim to its end."""
        return self.ended_at - self.started_at

    @classmethod
    def of(cls, row: AttemptRow) -> AttemptInfo:
        """The record of a row."""
        times = from_at(row.started_at), from_at(row.ended_at)
        return cls(row.epoch, row.worker, *times, row.outcome, row.error, row.stack)


class LogEntry(msgspec.Struct, frozen=True):
    """One line that a running job wrote."""

    claim: int
    n: int
    at: datetime
    level: str
    message: str
    fields: dict[str, Any]

    @classmethod
    def of(cls, row: LogLine) -> LogEntry:
        """The record of a row."""
        return cls(row.epoch, row.n, from_at(row.at), row.level, row.message, _object(row.fields))


class UsageEntry(msgspec.Struct, frozen=True):
    """What one run of a job consumed, as it told."""

    claim: int
    kind: str
    amount: Decimal
    unit: str
    details: dict[str, Any]

    @classmethod
    def of(cls, row: Usage) -> UsageEntry:
        """The record of a row."""
        return cls(row.epoch, row.kind, Decimal(row.amount), row.unit, _object(row.details))


class DeadJob(msgspec.Struct, frozen=True):
    """One dead letter, with everything needed to judge it."""

    id: UUID
    task: str
    queue: str
    args: dict[str, Any]
    reason: str
    """attempts, permanent, rejected, poison or deadline."""
    error: str
    stack: str
    claims: int
    attempts: int
    crashes: int
    failed_at: datetime
    resolved: bool
    resolved_at: datetime | None
    resolved_by: str | None
    notes: str | None

    @classmethod
    def of(cls, row: DeadRow) -> DeadJob:
        """The record of a row."""
        return cls(
            id=UUID(bytes=row.job_id),
            task=row.task,
            queue=row.queue,
            args=_object(row.args),
            reason=row.reason,
            error=row.error,
            stack=row.stack,
            claims=row.epoch,
            attempts=row.attempt,
            crashes=row.crashes,
            failed_at=from_at(row.failed_at),
            resolved=row.resolved,
            resolved_at=from_at_or_none(row.resolved_at),
            resolved_by=row.resolved_by,
            notes=row.notes,
        )


class DeadStats(msgspec.Struct, frozen=True):
    """How many dead letters a queue has, and how many of them are resolved."""

    queue: str
    total: int
    resolved: int


class QueueInfo(msgspec.Struct, frozen=True):
    """One queue with its counts. Counting stops at 100,000: that figure means "or more"."""

    name: str
    ready: int
    running: int
    scheduled: int
    dead: int
    oldest_ready_at: datetime | None
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None
    paused_until: datetime | None
    """None: not paused, or until somebody resumes it."""
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None
    concurrency: int | None = None
    """Jobs that may run at once, in all workers."""
    per_worker: int | None = None
    """Jobs that may run at once in each worker."""
    rate: str | None = None
    """Jobs that may start in a time, such as "50/min"."""
    rate_used: tuple[int, ...] = ()
    """What of each rate is used now."""
    next_start_at: datetime | None = None
    """When the next job may start, where the rate lets none start now."""
    limited_by: str | None = None
    """Who has limited it."""

    @classmethod
    def empty(cls, name: str) -> QueueInfo:
        """A queue without jobs and settings."""
        return cls(name, 0, 0, 0, 0, None, None, None, None, None, None, None, None)

    @classmethod
    def of(cls, row: QueueRow) -> QueueInfo:
        """The record of a row."""
        return cls(
            name=row.name,
            ready=row.ready,
            running=row.running,
            scheduled=row.scheduled,
            dead=row.dead,
            oldest_ready_at=from_at_or_none(row.oldest_ready_at),
            paused_at=from_at_or_none(row.paused_at),
            paused_by=row.paused_by,
            pause_reason=row.pause_reason,
            paused_until=from_at_or_none(row.resume_at),
            closed_at=from_at_or_none(row.closed_at),
            closed_by=row.closed_by,
            close_reason=row.close_reason,
            **_limit(row.limit),
        )


class ShareInfo(msgspec.Struct, frozen=True):
    """A tenant of a queue: one that has jobs there, had some lately, or has a weight."""

    tenant: str
    """As `fair_by` says; "" for jobs that name none."""
    weight: int
    ready: int
    oldest_ready_at: datetime | None

    @classmethod
    def of(cls, row: ShareRow) -> ShareInfo:
        """The record of a row."""
        return cls(row.tenant, row.weight, row.ready, from_at_or_none(row.oldest_ready_at))


def _limit(limit: QueueLimit | None) -> dict[str, Any]:
    if limit is None:
        return {}
    return {
        "concurrency": limit.rule.concurrency,
        "per_worker": limit.rule.per_worker,
        "rate": say_rates(limit.rule.rates) or None,
        "rate_used": limit.used,
        "next_start_at": from_at_or_none(limit.next_at),
        "limited_by": limit.changed_by,
    }


class WorkerInfo(msgspec.Struct, frozen=True):
    """One worker process, living or gone, by its session."""

    id: UUID
    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    tasks: tuple[str, ...]
    offers: tuple[str, ...]
    slots: int
    tier: int
    version: str
    live: bool
    """By the store's clock: not ended, and its lease has not lapsed."""
    held: int
    """Jobs that it runs."""
    done: int
    failed: int
    rss_bytes: int
    started_at: datetime
    renewed_at: datetime
    ended_at: datetime | None
    end_cause: str | None
    asked: str
    """What people ask of it: "", "drain" or "stop"."""

    @classmethod
    def of(cls, row: SessionRow) -> WorkerInfo:
        """The record of a row."""
        return cls(
            id=UUID(bytes=row.id),
            name=row.worker,
            host=row.host,
            pid=row.pid,
            queues=tuple(msgspec.json.decode(row.queues)),
            tasks=tuple(msgspec.json.decode(row.tasks)),
            offers=tuple(msgspec.json.decode(row.offers)),
            slots=row.slots,
            tier=row.tier,
            version=row.version,
            live=row.live,
            held=row.held,
            done=row.done,
            failed=row.failed,
            rss_bytes=row.rss_bytes,
            started_at=from_at(row.started_at),
            renewed_at=from_at(row.renewed_at),
            ended_at=from_at_or_none(row.ended_at),
            end_cause=row.end_cause,
            asked=row.verb,
        )


class LeaseInfo(msgspec.Struct, frozen=True):
    """One job that is held now."""

    job_id: UUID
    task: str
    queue: str
    claim: int
    worker: str
    claimed_at: datetime
    locked_until: datetime
    expired: bool
    progress: float | None
    message: str | None

    @classmethod
    def of(cls, row: LeaseRow) -> LeaseInfo:
        """The record of a row."""
        return cls(
            job_id=UUID(bytes=row.job_id),
            task=row.task,
            queue=row.queue,
            claim=row.epoch,
            worker=row.worker,
            claimed_at=from_at(row.claimed_at),
            locked_until=from_at(row.locked_until),
            expired=row.expired,
            progress=row.percent,
            message=row.message,
        )


class RecoveredWorker(msgspec.Struct, frozen=True):
    """A session whose lease had lapsed, and what became of the jobs that it held."""

    id: UUID
    worker: str
    returned: int
    dead: int
    cancelled: int

    @classmethod
    def of(cls, row: Reclaimed) -> RecoveredWorker:
        """The record of an answer."""
        return cls(UUID(bytes=row.session_id), row.worker, row.returned, row.dead, row.cancelled)


def _object(text: str | None) -> dict[str, Any]:
    """A stored JSON object. What somebody else wrote into the row, and is none, is shown as text and hinders nobody."""
    if not text:
        return {}
    try:
        found: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"unreadable": text}
