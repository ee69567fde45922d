"""From rows of the store to the records of `relet.shapes.schema`, with secrets hidden."""

from __future__ import annotations

import json
from typing import Any, cast

from relet.clock import SECOND
from relet.job.gates import FOREVER
from relet.job.limits import say_rates
from relet.job.moment import from_at
from relet.job.redact import Redactor
from relet.shapes.schedules import FiringOut, RoutineOut, ScheduleOut
from relet.shapes.schema import (
    AttemptOut,
    BatchOut,
    BondOut,
    BreakerOut,
    DeadOut,
    DeadStatsOut,
    JobOut,
    LeaseOut,
    LimitKeyOut,
    LimitOut,
    LogOut,
    QueueOut,
    ReclaimedOut,
    ShareOut,
    UsageOut,
    WorkerOut,
)
from relet.store import records, rows

SHOWN_CHARS = 16_000
"""Longer arguments and results are cut in `show`; the job itself keeps them whole."""

_REDACTOR = Redactor()


def job_out(row: rows.JobRow) -> JobOut:
    return JobOut(
        id=uuid_text(row.id),
        task=row.task,
        queue=row.queue,
        priority=row.priority,
        state=row.state.value,
        args=data_of(row.args),
        needs=_list(row.needs),
        created_at=time_text(row.created_at),
        run_at=time_or_none(row.run_at),
        started_at=time_or_none(row.started_at),
        ended_at=time_or_none(row.ended_at),
        worker=row.worker,
        claims=row.epoch,
        failed_attempts=row.attempt,
        crashes=row.crashes,
        suspicions=row.suspicions,
        releases=row.releases,
        percent=row.percent,
        message=text_of(row.message),
        cancel_asked=text_of(row.cancel_asked),
        result=data_of(row.result),
        error=text_of(row.error),
    )


def attempt_out(row: rows.AttemptRow) -> AttemptOut:
    return AttemptOut(
        claim=row.epoch,
        outcome=row.outcome,
        worker=row.worker,
        started_at=time_text(row.started_at),
        ended_at=time_text(row.ended_at),
        seconds=(row.ended_at - row.started_at) / SECOND,
        error=_REDACTOR.text(row.error),
        stack=_REDACTOR.text(row.stack),
    )


def bond_out(row: rows.EdgeRow, *, parent: bool) -> BondOut:
    """An edge as its child sees the parent, or the other way round."""
    return BondOut(
        id=uuid_text(row.parent_id if parent else row.child_id),
        name=text_of(row.name),
        batch=row.is_batch,
        state=row.state,
        on_failure="hold" if row.hold else "skip" if row.need == "success" else "run",
    )


def batch_out(row: rows.BatchRow) -> BatchOut:
    return BatchOut(
        id=uuid_text(row.id),
        label=_REDACTOR.text(row.label),
        total=row.total,
        open=row.open,
        succeeded=row.succeeded,
        dead=row.dead,
        cancelled=row.cancelled,
        percent=100.0 * (row.total - row.open) / row.total if row.total else 100.0,
        created_at=time_text(row.created_at),
        ended_at=time_or_none(row.ended_at),
    )


def log_out(row: records.LogLine) -> LogOut:
    return LogOut(
        at=time_text(row.at),
        claim=row.epoch,
        level=row.level,
        message=_REDACTOR.text(row.message),
        fields=data_of(row.fields),
    )


def usage_out(row: records.Usage) -> UsageOut:
    return UsageOut(claim=row.epoch, kind=row.kind, amount=row.amount, unit=row.unit, details=data_of(row.details))


def dead_out(row: rows.DeadRow) -> DeadOut:
    return DeadOut(
        id=uuid_text(row.job_id),
        task=row.task,
        queue=row.queue,
        args=data_of(row.args),
        reason=row.reason,
        error=_REDACTOR.text(row.error),
        stack=_REDACTOR.text(row.stack),
        claims=row.epoch,
        failed_attempts=row.attempt,
        crashes=row.crashes,
        failed_at=time_text(row.failed_at),
        resolved=bool(row.resolved),
        resolved_at=time_or_none(row.resolved_at),
        resolved_by=row.resolved_by,
        notes=text_of(row.notes),
    )


def dead_stats_out(row: tuple[str, int, int]) -> DeadStatsOut:
    queue, total, resolved = row
    return DeadStatsOut(queue=queue, total=total, resolved=resolved, open=total - resolved)


def routine_out(row: rows.ScheduleRow, standing_by: int | None = None) -> RoutineOut:
    definition = row.definition
    return RoutineOut(
        name=definition.name,
        mode=definition.mode.value,
        task=definition.task,
        rule=row.rule,
        replicas=definition.replicas,
        standby=definition.standby,
        standing_by=standing_by,
        state=row.state,
        disable_reason=text_of(row.disable_reason),
        disabled_by=row.disabled_by,
        pause_reason=text_of(row.pause_reason),
        paused_by=row.paused_by,
        running=[uuid_text(job_id) for job_id in row.running],
        queued=[uuid_text(job_id) for job_id in row.queued],
        blocks=list(definition.blocks),
        waits_for=list(row.unmet),
        due_since=time_or_none(row.progress.pending_at),
        next_due_at=time_or_none(row.due_at),
        consecutive_failures=row.failures,
        successes=row.successes,
        last_run_at=time_or_none(row.fired_at),
        last_end_at=time_or_none(row.ended_at),
        last_success_at=time_or_none(row.success_at),
        last_failure_at=time_or_none(row.failure_at),
        last_error=text_of(row.error),
    )


def schedule_out(row: rows.ScheduleRow) -> ScheduleOut:
    return ScheduleOut(
        **routine_out(row),
        queue=row.definition.queue,
        args=data_of(row.definition.args),
        changed_by=row.changed_by,
        changed_at=time_text(row.changed_at),
    )


def firing_out(row: rows.FiringRow) -> FiringOut:
    return FiringOut(
        due_at=time_text(row.due_at),
        job_id=None if row.job_id is None else uuid_text(row.job_id),
        cause=_REDACTOR.text(row.cause),
        fired_at=time_text(row.fired_at),
        ended_at=time_or_none(row.ended_at),
        outcome=row.outcome,
    )


def limit_out(row: rows.LimitRow, now: int) -> LimitOut:
    rule, (paused, until) = row.rule, _pause(row.paused_until, now)
    return LimitOut(
        name=row.name,
        rule=str(rule),
        concurrency=rule.concurrency,
        rate=say_rates(rule.rates) or None,
        paused=paused,
        paused_until=until,
        origin=row.origin,
        changed_by=_REDACTOR.text(row.changed_by),
        changed_at=time_text(row.changed_at),
        keys=row.keys,
        passed=row.passed,
        waiting=row.waiting,
    )


def limit_key_out(row: rows.GateRow, now: int) -> LimitKeyOut:
    paused, until = _pause(row.paused_until, now)
    opens_at = None if row.opens_at is None or row.opens_at >= FOREVER else row.opens_at
    return LimitKeyOut(
        key=_REDACTOR.text(row.key),
        passed=row.passed,
        waiting=row.waiting,
        used={str(rate): used for rate, used in zip(row.rule.rates, row.used, strict=True)},
        opens_at=time_or_none(opens_at),
        paused=paused,
        paused_until=until,
    )


def _pause(until: int | None, now: int) -> tuple[bool, str | None]:
    """Whether it is paused, and until when."""
    if until is None or until <= now:
        return False, None
    return True, None if until >= FOREVER else time_text(until)


def queue_out(row: rows.QueueRow) -> QueueOut:
    return QueueOut(
        name=row.name,
        ready=row.ready,
        running=row.running,
        scheduled=row.scheduled,
        dead=row.dead,
        oldest_ready_at=time_or_none(row.oldest_ready_at),
        state="paused" if row.paused_at is not None else "closed" if row.closed_at is not None else "open",
        paused_at=time_or_none(row.paused_at),
        paused_by=row.paused_by,
        pause_reason=text_of(row.pause_reason),
        paused_until=time_or_none(row.resume_at),
        closed_at=time_or_none(row.closed_at),
        limit=None if row.limit is None else str(row.limit.rule),
        limit_use=None if row.limit is None else row.limit.in_use,
        next_start_at=None if row.limit is None else time_or_none(row.limit.next_at),
        limited_by=None if row.limit is None else text_of(row.limit.changed_by),
    )


def share_out(queue: str, row: rows.ShareRow) -> ShareOut:
    return ShareOut(
        queue=queue,
        tenant=row.tenant,
        weight=row.weight,
        ready=row.ready,
        oldest_ready_at=time_or_none(row.oldest_ready_at),
    )


def worker_out(row: rows.SessionRow) -> WorkerOut:
    return WorkerOut(
        session=uuid_text(row.id),
        worker=row.worker,
        host=row.host,
        pid=row.pid,
        state=_worker_state(row),
        queues=_list(row.queues),
        tasks=_list(row.tasks),
        offers=_list(row.offers),
        slots=row.slots,
        running=row.held,
        done=row.done,
        failed=row.failed,
        tier=row.tier,
        rss_bytes=row.rss_bytes,
        version=row.version,
        started_at=time_text(row.started_at),
        renewed_at=time_text(row.renewed_at),
        turned_at=time_or_none(row.turned_at or None),
        lease_seconds=row.lease_us / SECOND,
        ended_at=time_or_none(row.ended_at),
        end_cause=text_of(row.end_cause),
    )


def _worker_state(row: rows.SessionRow) -> str:
    if row.ended_at is not None:
        return "ended"
    return {"drain": "draining", "stop": "stopping"}.get(row.verb, "live") if row.live else "lapsed"


def breaker_out(row: rows.BreakerRow, now: int) -> BreakerOut:
    status = row.status
    return BreakerOut(
        name=row.name,
        state=status.state(now).value,
        rule=str(row.rule),
        failures=status.failures,
        trips=status.trips,
        opened_at=time_or_none(status.opened_at),
        probe_at=time_or_none(status.probe_at),
        probes_out=row.out,
        because=_REDACTOR.text(status.because),
        last_error=_REDACTOR.text(status.error),
        changed_by=row.changed_by,
        changed_at=time_text(row.changed_at),
    )


def lease_out(row: rows.LeaseRow) -> LeaseOut:
    return LeaseOut(
        id=uuid_text(row.job_id),
        task=row.task,
        queue=row.queue,
        worker=row.worker,
        session=uuid_text(row.session_id),
        claim=row.epoch,
        failed_attempts=row.attempt,
        claimed_at=time_text(row.claimed_at),
        locked_until=time_text(row.locked_until),
        expired=bool(row.expired),
        percent=row.percent,
        message=text_of(row.message),
    )


def reclaimed_out(row: records.Reclaimed) -> ReclaimedOut:
    return ReclaimedOut(
        session=uuid_text(row.session_id),
        worker=row.worker,
        returned=row.returned,
        dead=row.dead,
        cancelled=row.cancelled,
    )


def uuid_text(raw: bytes) -> str:
    return str(records.uuid_of(raw))


def time_text(at: int) -> str:
    return from_at(at).isoformat().replace("+00:00", "Z")


def time_or_none(at: int | None) -> str | None:
    return None if at is None else time_text(at)


def text_of(text: str | None) -> str | None:
    """A text of a job with its secrets hidden."""
    return None if text is None else _REDACTOR.text(text)


def data_of(text: str | None) -> Any:
    """Stored JSON as a value, with its secrets hidden; text that is none of it, and what is too long, as text."""
    if text is None:
        return None
    if len(text) > SHOWN_CHARS:
        return f"{_REDACTOR.text(text[:SHOWN_CHARS])}… ({len(text):,} characters)"
    try:
        return _REDACTOR.value(json.loads(text))
    except (ValueError, RecursionError):
        return _REDACTOR.text(text)


def json_text(value: object) -> str:
    """A value of Python, such as a result, as JSON."""
    import msgspec

    return msgspec.json.encode(value, enc_hook=str).decode()


def compact(value: Any) -> str:
    """A value of a record on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _list(text: str | None) -> list[str]:
    """A stored JSON list of words."""
    value = data_of(text)
    return [str(word) for word in cast("list[object]", value)] if isinstance(value, list) else []
