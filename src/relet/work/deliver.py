"""The task that sends messages of webhooks, in an app of its own: its worker serves nothing else."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from relet.app import App
from relet.clock import Clock
from relet.errors import ReletError, UsageError
from relet.events import Emitter
from relet.job.breaker import Breaker
from relet.job.limits import Rule
from relet.job.moment import ends_at
from relet.job.outcome import Cancel, RetryLater
from relet.job.webhook import (
    LIMIT,
    LONGEST_WAIT_US,
    MOST_AT_ONCE,
    QUEUE,
    RETRY,
    SHORTEST_WAIT_US,
    TASK,
    Format,
    Happened,
    Secret,
    body_of,
    headers,
    live_secrets,
)
from relet.settings import Settings
from relet.shapes.records import data_of, job_out, time_text
from relet.store.port import Store
from relet.store.webhook_rows import DeliveryRow, Standing, Tried
from relet.work.post import Answer, Post

BREAKER = Breaker(failures=5, cool="1m")
GONE = 410
BY = "relet"


class DeliveryFailed(ReletError):
    """A receiver did not take a message. It is tried again."""


class Letter(NamedTuple):
    """A message, ready to be sent."""

    row: DeliveryRow
    url: str
    secrets: tuple[Secret, ...]
    at: int
    """Now, by the store's clock."""

    @property
    def receiver(self) -> str:
        return self.row.webhook or str(urlsplit(self.url).hostname)


def delivering(settings: Settings, clock: Clock, emit: Emitter) -> App:
    """The app whose only task sends messages."""
    app = App(settings=settings, clock=clock)
    app.limits_of_code[LIMIT] = Rule(MOST_AT_ONCE)
    deliveries = Deliveries(app, emit)

    @app.task(name=TASK, queue=QUEUE, retry=RETRY)
    async def deliver(delivery: str) -> int:
        return await deliveries.send(bytes.fromhex(delivery))

    return app


class Deliveries:
    """Sends one message after the other, and writes down what came of it."""

    def __init__(self, app: App, emit: Emitter) -> None:
        settings = app.settings
        self._app = app
        self._emit = emit
        self._post = Post(settings.webhook_allow, settings.webhook_timeout_us, app.clock)

    async def send(self, delivery_id: bytes) -> int:
        """Send it; returns the status. Raises what says how the run ends, if it did not arrive."""
        letter = await self._app.threads.run(partial(self._prepared, delivery_id))
        async with self._app.breaker(f"webhook:{letter.receiver}", BREAKER):
            answer = await self._attempt(letter)
        assert answer.status is not None, "it has arrived"
        return answer.status

    async def _attempt(self, letter: Letter) -> Answer:
        row, body = letter.row, (letter.row.body or "").encode()
        answer = await self._post.send(
            letter.url, headers(letter.secrets, row.id, letter.at, body, row.format or "standard"), body
        )
        tried = Tried(answer.took_us, answer.status, answer.text, answer.error)
        standing = await self._app.threads.run(partial(self._written, row.id, tried))
        if answer.error:
            await self._app.threads.run(partial(self._consider, letter, answer, standing))
            raise _failure(answer, letter.at)
        return answer

    def _prepared(self, delivery_id: bytes) -> Letter:
        with self._app.shared.use() as store:
            row = store.insights.delivery(delivery_id)
            if row is None:
                raise Cancel("the message is not in the store any more")
            hook = store.insights.webhook(row.webhook) if row.webhook else None
            if row.webhook and hook is None:
                raise Cancel(f"webhook {row.webhook} was deleted")
            if hook is not None and not hook.active:
                raise Cancel(f"webhook {row.webhook} is disabled")
            now = store.now()
            wanted: Format = "standard" if hook is None else hook.definition.format
            row = row if row.body is not None else self._with_body(store, row, wanted)
            own = self._app.settings.webhook_secret
            secrets = ((Secret(own),) if own else ()) if hook is None else live_secrets(hook.secrets, now)
            return Letter(row, row.url if hook is None else hook.definition.url, secrets, now)

    def _with_body(self, store: Store, row: DeliveryRow, wanted: Format) -> DeliveryRow:
        happened = Happened(row.id, row.event, row.at, row.job_id, row.epoch)
        kept = store.body_of(row.id, body_of(happened, _data(store, row), wanted), wanted)
        if kept is None:
            raise Cancel("the message is not in the store any more")
        return kept

    def _written(self, delivery_id: bytes, tried: Tried) -> Standing | None:
        with self._app.shared.use() as store:
            return store.tried(delivery_id, tried)

    def _consider(self, letter: Letter, answer: Answer, standing: Standing | None) -> None:
        """Disable a webhook that is gone, or has failed for too long."""
        if standing is None or not standing.active:
            return
        patience = self._app.settings.webhook_patience_us
        gone = answer.status == GONE
        if not gone and (not patience or standing.failing_us < patience):
            return
        reason = (
            f"{answer.error}: it is gone" if gone else f"nothing but failures for too long; the last: {answer.error}"
        )
        with self._app.shared.use() as store:
            done = store.disable_webhook(letter.row.webhook, BY, reason)
        if done:
            self._emit("webhook.disabled", webhook=letter.row.webhook, reason=reason)


def _failure(answer: Answer, now: int) -> Exception:
    """What says when to try again."""
    if answer.status == GONE:
        return Cancel(answer.error)
    wait_us = _asked_us(answer, now) if answer.status in (429, 503) else None
    return DeliveryFailed(answer.error) if wait_us is None else RetryLater(wait_us / 1e6, answer.error)


def _asked_us(answer: Answer, now: int) -> int | None:
    """How long the receiver asks to be left alone, within bounds; None: it does not say, or nothing that makes sense."""
    text = answer.retry_after.strip()
    try:
        wait_us = int(text[:12]) * 1_000_000 if text.isdecimal() else ends_at(text, now, name="Retry-After") - now
    except UsageError:
        return None
    return max(SHORTEST_WAIT_US, min(LONGEST_WAIT_US, wait_us))


def _data(store: Store, row: DeliveryRow) -> dict[str, Any]:
    """What a message tells, as it stands when it is made."""
    if row.job_id is None:
        return _details(row.details)
    job = store.insights.job(row.job_id)
    found: dict[str, Any] = {"id": row.job_id.hex()} if job is None else dict(job_out(job))
    return found | {"claim": row.epoch}


def _details(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.convert(data_of(text or "{}"), dict[str, Any])
    return {name: time_text(at) if name.endswith("_at") and isinstance(at, int) else at for name, at in found.items()}
