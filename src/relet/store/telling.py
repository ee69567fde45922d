"""The verbs for who is told of what happens. See `relet.store.port` for the rules.

What ends a job writes who is to be told of it in the same transaction. A chore makes messages of that, each with the job that
sends it, in one transaction: so an event is never lost, and each receiver is told at least once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from relet.job.webhook import Format, Webhook
from relet.store.webhook_rows import DeliveryRow, News, Standing, Tried, TryRow, WebhookRow


class Telling(Protocol):
    """Webhooks, and what was sent to them."""

    def put_webhook(self, webhook: Webhook, secret: str, by: str) -> bool:
        """Make a webhook with this secret, or change it, which keeps its secrets. False: it was changed, or is so already.

        It hears of what is committed from now on."""
        ...

    def delete_webhook(self, webhook: str) -> bool:
        """Remove it. What was sent stays in the history, the rest is not sent. False: there is none; so with the others."""
        ...

    def disable_webhook(self, webhook: str, by: str, reason: str) -> bool:
        """It hears of nothing from now on, and what was not sent is dropped. False: it is disabled, or there is none."""
        ...

    def enable_webhook(self, webhook: str, by: str) -> bool:
        """It hears of what happens from now on."""
        ...

    def rotate_webhook(self, webhook: str, secret: str, keep_us: int, by: str) -> bool:
        """Sign by this secret, and for so much longer by the former ones, too."""
        ...

    def news(self) -> News:
        """Whether there is something for webhooks to do. One read."""
        ...

    def tell_news(self, ids: Callable[[int], list[bytes]], limit: int) -> int:
        """Make messages of what has happened, each with a job; at most `limit`; returns how many there were."""
        ...

    def send_webhook(self, webhook: str, event: str, delivery_id: bytes) -> bool:
        """A message with this id, of an event that has not happened: a test."""
        ...

    def resend(self, delivery_id: bytes, job_id: bytes) -> bool:
        """Send a message once more, as it is, by a new job with this id. False: there is no such message. Raises Refused if it
        is on its way, or its webhook is disabled."""
        ...

    def body_of(self, delivery_id: bytes, body: str, form: Format) -> DeliveryRow | None:
        """Keep the body of a message, unless it has one; returns the message as it is to be sent."""
        ...

    def tried(self, delivery_id: bytes, attempt: Tried) -> Standing | None:
        """Write down an attempt, and how its webhook stands by it. None: it has arrived, or belongs to no webhook."""
        ...

    def prune_deliveries(self, older_us: int, limit: int) -> int:
        """Forget messages of so long ago that are not on their way; at most `limit`; returns how many."""
        ...


class ReadsTelling(Protocol):
    """The reading side."""

    def webhooks(self) -> list[WebhookRow]:
        """All webhooks, by name."""
        ...

    def webhook(self, webhook: str) -> WebhookRow | None:
        """One of them."""
        ...

    def deliveries(
        self,
        webhook: str = "",
        state: str = "",
        job_id: bytes | None = None,
        before: bytes | None = None,
        limit: int = 50,
    ) -> list[DeliveryRow]:
        """A page of messages, newest first: to one webhook, in one state, about one job."""
        ...

    def delivery(self, delivery_id: bytes) -> DeliveryRow | None:
        """One of them."""
        ...

    def delivery_attempts(self, delivery_id: bytes) -> list[TryRow]:
        """The attempts to send it, the oldest first."""
        ...
