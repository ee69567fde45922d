"""How webhooks and messages look to programs."""

from __future__ import annotations

from typing import TypedDict

from relet.clock import SECOND
from relet.job.webhook import message_id
from relet.shapes.records import text_of, time_or_none, time_text, uuid_text
from relet.store.webhook_rows import DeliveryRow, TryRow, WebhookRow


class WebhookOut(TypedDict):
    """One webhook: `webhooks ls`, `webhooks show`. Its secrets are in no record but that of `webhooks add` and `rotate`."""

    name: str
    url: str
    events: list[str]
    queues: list[str]
    tasks: list[str]
    format: str
    active: bool
    disabled_at: str | None
    disabled_by: str | None
    disable_reason: str | None
    failures: int
    """Attempts in a row that have failed, up to now."""
    failing_since: str | None
    delivered_at: str | None
    last_error: str | None
    changed_by: str
    changed_at: str


class DeliveryOut(TypedDict):
    """One message for one receiver: `webhooks deliveries`."""

    id: str
    message: str
    """The `webhook-id` that it is sent under, each time."""
    webhook: str
    """Empty: it goes to the address that its job names."""
    event: str
    job_id: str | None
    at: str
    state: str
    """pending, delivered, failed (after all attempts) or dropped (its webhook was disabled or deleted)."""
    attempts: int
    delivered_at: str | None
    sender_id: str
    """The job that sends it."""


class DeliveryTryOut(TypedDict):
    """One attempt to send a message: `webhooks deliveries ID`."""

    n: int
    at: str
    seconds: float
    status: int | None
    answer: str
    error: str


def webhook_out(row: WebhookRow) -> WebhookOut:
    hook = row.definition
    return WebhookOut(
        name=hook.name,
        url=hook.url,
        events=list(hook.events),
        queues=list(hook.queues),
        tasks=list(hook.tasks),
        format=hook.format,
        active=row.active,
        disabled_at=time_or_none(row.disabled_at),
        disabled_by=row.disabled_by,
        disable_reason=text_of(row.disable_reason),
        failures=row.failures,
        failing_since=time_or_none(row.failing_since),
        delivered_at=time_or_none(row.delivered_at),
        last_error=text_of(row.error),
        changed_by=row.changed_by,
        changed_at=time_text(row.changed_at),
    )


def delivery_out(row: DeliveryRow) -> DeliveryOut:
    return DeliveryOut(
        id=uuid_text(row.id),
        message=message_id(row.id),
        webhook=row.webhook,
        event=row.event,
        job_id=None if row.job_id is None else uuid_text(row.job_id),
        at=time_text(row.at),
        state=row.state,
        attempts=row.attempts,
        delivered_at=time_or_none(row.delivered_at),
        sender_id=uuid_text(row.sender_id),
    )


def try_out(row: TryRow) -> DeliveryTryOut:
    return DeliveryTryOut(
        n=row.n,
        at=time_text(row.at),
        seconds=row.took_us / SECOND,
        status=row.status,
        answer=text_of(row.answer) or "",
        error=text_of(row.error) or "",
    )
