"""Webhooks, messages and attempts to send them, as people and workers see them."""

from __future__ import annotations

from typing import NamedTuple

from relet.job.webhook import Format, Secret, Webhook


class WebhookRow(NamedTuple):
    """One receiver, and how it goes."""

    definition: Webhook
    secrets: tuple[Secret, ...]
    """Not for the eyes of people."""
    active: bool
    disabled_at: int | None
    disabled_by: str | None
    disable_reason: str | None
    failures: int
    """In a row, up to now."""
    failing_since: int | None
    delivered_at: int | None
    error: str | None
    changed_by: str
    changed_at: int


class DeliveryRow(NamedTuple):
    """One message for one receiver."""

    id: bytes
    webhook: str
    """Empty: the job that it is about names the address itself."""
    url: str
    """Empty: that of the webhook."""
    event: str
    job_id: bytes | None
    """The job that it is about."""
    epoch: int
    at: int
    details: str | None
    sender_id: bytes
    """The job that sends it."""
    body: str | None
    """None: it was not tried yet."""
    format: Format | None
    attempts: int
    delivered_at: int | None
    state: str
    """pending, delivered, failed (the job that sends it is dead) or dropped (it was cancelled)."""


class TryRow(NamedTuple):
    """One attempt to send a message."""

    n: int
    at: int
    took_us: int
    status: int | None
    """None: there was no answer."""
    answer: str
    """How it began."""
    error: str


class Tried(NamedTuple):
    """What came of an attempt."""

    took_us: int
    status: int | None
    answer: str = ""
    error: str = ""
    """Empty: it has arrived."""


class Standing(NamedTuple):
    """How a webhook stands after a failure."""

    active: bool
    failures: int
    failing_us: int
    """How long there was nothing but failures."""


class News(NamedTuple):
    """Whether there is something for webhooks to do."""

    told: bool
    """Something has happened that is not on its way."""
    listening: bool
    """There is an active webhook."""
    sending: bool
    """Messages are ready to be sent."""
