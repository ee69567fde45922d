"""Webhooks through the app: who hears of what, and what was sent.

added = app.webhooks.add("https://example.com/hook", events=["job.dead", "queue.paused"], queues=["billing"])
added.secret                                   # shown this once: the receiver verifies by it

app.webhooks["example.com"].test()
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from relet.clock import Ids
from relet.control import PAGE
from relet.errors import NotFound, UsageError
from relet.handles import as_uuid
from relet.job.duration import Duration, to_us
from relet.job.moment import from_at, from_at_or_none
from relet.job.webhook import ROTATION_US, TEST, Format, checked_secret, message_id, secret_of, webhook_of
from relet.steered import Steered
from relet.store.webhook_rows import DeliveryRow, TryRow, WebhookRow


class Telling(Steered, Protocol):
    """What webhooks need of their app."""

    @property
    def ids(self) -> Ids: ...


class WebhookInfo(msgspec.Struct, frozen=True):
    """A webhook as it stood when it was read. Its secrets are not in it."""

    name: str
    url: str
    events: tuple[str, ...]
    queues: tuple[str, ...]
    """Of jobs of these queues alone; empty: of all."""
    tasks: tuple[str, ...]
    format: Format
    active: bool
    disabled_at: datetime | None
    disabled_by: str | None
    disable_reason: str | None
    failures: int
    """Attempts in a row that have failed, up to now."""
    failing_since: datetime | None
    delivered_at: datetime | None
    """When a message arrived last."""
    last_error: str | None
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, row: WebhookRow) -> WebhookInfo:
        """The record of a row."""
        hook = row.definition
        return cls(
            name=hook.name,
            url=hook.url,
            events=hook.events,
            queues=hook.queues,
            tasks=hook.tasks,
            format=hook.format,
            active=row.active,
            disabled_at=from_at_or_none(row.disabled_at),
            disabled_by=row.disabled_by,
            disable_reason=row.disable_reason,
            failures=row.failures,
            failing_since=from_at_or_none(row.failing_since),
            delivered_at=from_at_or_none(row.delivered_at),
            last_error=row.error,
            changed_by=row.changed_by,
            changed_at=from_at(row.changed_at),
        )


class DeliveryTry(msgspec.Struct, frozen=True):
    """One attempt to send a message."""

    n: int
    at: datetime
    seconds: float
    status: int | None
    """None: there was no answer."""
    answer: str
    """How it began."""
    error: str

    @classmethod
    def of(cls, row: TryRow) -> DeliveryTry:
        """The record of a row."""
        return cls(row.n, from_at(row.at), row.took_us / 1e6, row.status, row.answer, row.error)


class Delivery(msgspec.Struct, frozen=True):
    """One message for one receiver as it stood when it was read."""

    id: UUID
    message: str
    """The `webhook-id` that it is sent under, each time."""
    webhook: str
    """Empty: it goes to the address that its job names."""
    event: str
    job_id: UUID | None
    """The job that it is about."""
    at: datetime
    """When it happened."""
    state: str
    """pending, delivered, failed (after all attempts) or dropped (its webhook was disabled or deleted)."""
    attempts: int
    delivered_at: datetime | None
    sender_id: UUID
    """The job that sends it."""
    body: str | None
    """What is sent; None: it was not tried yet."""

    @classmethod
    def of(cls, row: DeliveryRow) -> Delivery:
        """The record of a row."""
        return cls(
            id=UUID(bytes=row.id),
            message=message_id(row.id),
            webhook=row.webhook,
            event=row.event,
            job_id=None if row.job_id is None else UUID(bytes=row.job_id),
            at=from_at(row.at),
            state=row.state,
            attempts=row.attempts,
            delivered_at=from_at_or_none(row.delivered_at),
            sender_id=UUID(bytes=row.sender_id),
            body=row.body,
        )


class AddedWebhook(msgspec.Struct, frozen=True):
    """A webhook that was made or changed."""

    name: str
    secret: str | None
    """What its receiver verifies signatures by, shown this once; None: it was there, and has the one that it had."""


class Webhook:
    """One webhook by name."""

    def __init__(self, app: Telling, name: str) -> None:
        self._app = app
        self.name = name

    def info(self) -> WebhookInfo:
        """How it stands. Raises NotFound, as do the verbs below."""
        with self._app.shared.use() as store:
            row = store.insights.webhook(self.name)
        if row is None:
            raise _no_webhook(self.name)
        return WebhookInfo.of(row)

    def test(self) -> UUID:
        """Send it a message of the event `webhook.test`; returns the id of the delivery."""
        delivery_id = self._app.ids.job()
        with self._app.shared.use() as store:
            self._found(store.send_webhook(self.name, TEST, delivery_id))
        return UUID(bytes=delivery_id)

    def rotate(self, secret: str | None = None, *, keep: Duration = ROTATION_US / 1e6, by: str = "") -> str:
        """Sign by another secret, which is returned this once; for `keep`, by the former one, too. Raises UsageError."""
        new = _secret(self._app.ids, secret)
        with self._app.shared.use() as store:
            self._found(store.rotate_webhook(self.name, new, to_us(keep, name="keep"), self._app.who(by)))
        return new

    def disable(self, reason: str = "", *, by: str = "") -> bool:
        """It hears of nothing from now on, and what was not sent is dropped. False: it was disabled."""
        self.info()
        with self._app.shared.use() as store:
            return store.disable_webhook(self.name, self._app.who(by), reason)

    def enable(self, *, by: str = "") -> bool:
        """It hears of what happens from now on. False: it was not disabled."""
        self.info()
        with self._app.shared.use() as store:
            return store.enable_webhook(self.name, self._app.who(by))

    def delete(self) -> None:
        """Remove it. What was sent stays in the history, and the rest is dropped."""
        with self._app.shared.use() as store:
            self._found(store.delete_webhook(self.name))

    def _found(self, done: bool) -> None:
        if not done:
            raise _no_webhook(self.name)

    def __repr__(self) -> str:
        return f"<Webhook {self.name}>"


class Webhooks:
    """`app.webhooks`: by name, or all of them."""

    def __init__(self, app: Telling) -> None:
        self._app = app

    def __getitem__(self, name: str) -> Webhook:
        """The handle of a webhook. Reads nothing yet."""
        return Webhook(self._app, name)

    def __iter__(self) -> Iterator[Webhook]:
        return (self[info.name] for info in self.list())

    def list(self) -> list[WebhookInfo]:
        """All webhooks, by name."""
        with self._app.shared.use() as store:
            return [WebhookInfo.of(row) for row in store.insights.webhooks()]

    def add(
        self,
        url: str,
        events: Iterable[str],
        *,
        name: str | None = None,
        queues: Iterable[str] = (),
        tasks: Iterable[str] = (),
        secret: str | None = None,
        format: Format = "standard",  # noqa: A002  the word of both standards
        by: str = "",
    ) -> AddedWebhook:
        """Tell this address of what happens from now on, or change what it hears of. Raises UsageError.

        The name is that of the host, unless given. `events` are names such as "job.dead", or "*" for all. With `queues` or
        `tasks`, it hears of jobs of these alone. Without a secret, one is made."""
        hook = webhook_of(name or urlsplit(url).hostname or "", url, events, queues, tasks, format)
        new = _secret(self._app.ids, secret)
        with self._app.shared.use() as store:
            made = store.put_webhook(hook, new, self._app.who(by))
        return AddedWebhook(hook.name, new if made else None)

    def deliveries(
        self,
        webhook: str = "",
        *,
        state: str = "",
        job: UUID | str | None = None,
        before: UUID | None = None,
        limit: int = PAGE,
    ) -> list[Delivery]:
        """A page of messages, newest first: to one webhook, in one state, about one job."""
        if state not in ("", "pending", "delivered", "failed", "dropped"):
            raise UsageError(f"state={state!r}; use 'pending', 'delivered', 'failed' or 'dropped'.")
        about, last = None if job is None else as_uuid(job).bytes, None if before is None else before.bytes
        with self._app.shared.use() as store:
            return [Delivery.of(row) for row in store.insights.deliveries(webhook, state, about, last, limit)]

    def attempts(self, delivery_id: UUID | str) -> list[DeliveryTry]:
        """The attempts to send a message, the oldest first. Raises NotFound."""
        wanted = as_uuid(delivery_id)
        with self._app.shared.use() as store:
            if store.insights.delivery(wanted.bytes) is None:
                raise _no_delivery(wanted)
            return [DeliveryTry.of(row) for row in store.insights.delivery_attempts(wanted.bytes)]

    def redeliver(self, delivery_id: UUID | str) -> UUID:
        """Send a message once more, with the same id and body; returns the job that does. Raises NotFound, and Refused if it is
        on its way, or its webhook is disabled."""
        wanted, job_id = as_uuid(delivery_id), self._app.ids.job()
        with self._app.shared.use() as store:
            if not store.resend(wanted.bytes, job_id):
                raise _no_delivery(wanted)
        return UUID(bytes=job_id)


def _secret(ids: Ids, given: str | None) -> str:
    return secret_of(ids.session() + ids.session()) if given is None else checked_secret(given)


def _no_webhook(name: str) -> NotFound:
    return NotFound(f"There is no webhook {name!r}. Nothing was changed. List them with: relet webhooks ls")


def _no_delivery(wanted: UUID) -> NotFound:
    return NotFound(f"There is no message {wanted}. Nothing was changed. List them with: relet webhooks deliveries")
