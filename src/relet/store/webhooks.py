"""Webhooks: put, steered, and what has happened made into messages, each with a job that sends it, over any link."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from relet.clock import Clock
from relet.errors import Refused
from relet.job.job import NewJob, Options
from relet.job.textsafe import clip, storable
from relet.job.webhook import GIVE_UP_US, LIMIT, QUEUE, TASK, Format, Secret, Webhook, rotated
from relet.store.contention import repeated
from relet.store.drive import drive
from relet.store.enqueue import script
from relet.store.link import Link, Row, Tx
from relet.store.options import options_of
from relet.store.page import ANY_TEXT, FIRST_ID, LAST_ID, id_behind, page_size
from relet.store.webhook_rows import DeliveryRow, News, Standing, Tried, TryRow, WebhookRow

ANSWER_CHARS = 1_000
"""So much is kept of what a receiver has answered."""

_SECRETS = msgspec.json.Decoder(tuple[Secret, ...])


class Webhooks(ABC):
    """The verbs of webhooks."""

    _link: Link
    real: Clock

    @abstractmethod
    def _tie_new(self, jobs: Sequence[NewJob]) -> None:
        """Let them pass their limits."""

    def _listen(self, tx: Tx) -> None:
        """Turn on what tells of what happens while there is an active webhook, or off."""
        tx.all("listen_out")

    @repeated
    def put_webhook(self, webhook: Webhook, secret: str, by: str) -> bool:
        with self._link.write() as tx:
            tx.all("webhook_hold")
            values = _values(webhook)
            made = tx.run("webhook_new", **values, secrets=_encoded((Secret(secret),)), by=storable(by)) > 0
            if not made:
                tx.run("webhook_change", **values, by=storable(by))
            self._listen(tx)
            return made

    @repeated
    def delete_webhook(self, webhook: str) -> bool:
        with self._link.write() as tx:
            tx.all("webhook_hold")
            gone = tx.run("webhook_delete", webhook=webhook) > 0
            tx.run("webhook_forget", webhook=webhook)
            self._listen(tx)
            return gone

    @repeated
    def disable_webhook(self, webhook: str, by: str, reason: str) -> bool:
        with self._link.write() as tx:
            tx.all("webhook_hold")
            done = tx.run("webhook_disable", webhook=webhook, by=storable(by), reason=storable(reason)) > 0
            tx.run("webhook_forget", webhook=webhook)
            self._listen(tx)
            return done

    @repeated
    def enable_webhook(self, webhook: str, by: str) -> bool:
        with self._link.write() as tx:
            tx.all("webhook_hold")
            done = tx.run("webhook_enable", webhook=webhook, by=storable(by)) > 0
            self._listen(tx)
            return done

    @repeated
    def rotate_webhook(self, webhook: str, secret: str, keep_us: int, by: str) -> bool:
        with self._link.write() as tx:
            tx.all("webhook_hold")
            found = tx.all("webhook_rows", webhook=webhook)
            if not found:
                return False
            now = int(tx.all("session_now")[0][0])
            secrets = rotated(_row(found[0]).secrets, secret, now, keep_us)
            return tx.run("webhook_secrets", webhook=webhook, secrets=_encoded(secrets), by=storable(by)) > 0

    # ── what has happened ─────────────────────────────────────────────────────────────────────────────────────────
    def news(self) -> News:
        with self._link.read() as tx:
            return News(*map(bool, tx.all("outbox_news", queue=QUEUE)[0]))

    def tell_news(self, ids: Callable[[int], list[bytes]], limit: int) -> int:
        with self._link.write() as tx:
            taken = sorted(tx.all("outbox_take", limit=limit))
            rows = [row for row in map(_addressed(tx), taken) if row is not None]
            named = [{**row, "id": job_id} for row, job_id in zip(rows, ids(len(rows)), strict=True)]
            jobs = _send(tx, named)
        self._tie_new(jobs)
        return len(taken)

    @repeated
    def send_webhook(self, webhook: str, event: str, delivery_id: bytes) -> bool:
        with self._link.write() as tx:
            if not tx.all("webhook_rows", webhook=webhook):
                return False
            now = int(tx.all("session_now")[0][0])
            about = {"job_id": None, "epoch": 0, "at": now, "details": "{}"}
            jobs = _send(tx, [{"id": delivery_id, "webhook": webhook, "url": "", "event": event, **about}])
        self._tie_new(jobs)
        return True

    @repeated
    def resend(self, delivery_id: bytes, job_id: bytes) -> bool:
        with self._link.write() as tx:
            if not tx.all("delivery_lock", id=delivery_id):
                return False
            delivery = _delivery(tx, delivery_id)
            assert delivery is not None, "it is locked"
            if delivery.sender_id == job_id:  # the call is repeated
                return True
            _refuse(tx, delivery)
            tx.run("delivery_sender", id=delivery_id, sender_id=job_id)
            job = _job(job_id, delivery_id, _receiver(delivery.webhook, delivery.url))
            drive(tx, script([job]))
        self._tie_new([job])
        return True

    # ── what was sent ─────────────────────────────────────────────────────────────────────────────────────────────
    @repeated
    def body_of(self, delivery_id: bytes, body: str, form: Format) -> DeliveryRow | None:
        with self._link.write() as tx:
            tx.run("delivery_body", id=delivery_id, body=storable(body), format=form)
            return _delivery(tx, delivery_id)

    @repeated
    def tried(self, delivery_id: bytes, attempt: Tried) -> Standing | None:
        with self._link.write() as tx:
            held = tx.all("delivery_lock", id=delivery_id)
            if not held:
                return None
            webhook: str = held[0][1]
            texts = {"answer": _kept(attempt.answer), "error": _kept(attempt.error)}
            tx.run("delivery_tried", id=delivery_id, took_us=attempt.took_us, status=attempt.status, **texts)
            tx.run("delivery_counted", id=delivery_id, done=0 if attempt.error else 1)
            if not attempt.error:
                tx.run("webhook_worked", webhook=webhook)
                return None
            found = tx.all("webhook_failed", webhook=webhook, error=texts["error"])
            return _standing(found[0]) if found else None

    def prune_deliveries(self, older_us: int, limit: int) -> int:
        with self._link.write() as tx:
            rows = [{"id": delivery} for (delivery,) in tx.all("prune_deliveries", older_us=older_us, limit=limit)]
            if rows:
                for name in ("erase_delivery_attempts", "erase_delivery"):
                    tx.many(name, rows)
            return len(rows)


def _delivery(tx: Tx, delivery_id: bytes) -> DeliveryRow | None:
    wanted = {"webhook": ANY_TEXT, "state": ANY_TEXT, "job_id": None, "limit": 1}
    rows = tx.all("delivery_rows", **wanted, least=delivery_id, before=id_behind(delivery_id) or LAST_ID)
    return DeliveryRow(*rows[0]) if rows else None


class WebhookReading:
    """What people and workers see of webhooks."""

    _link: Link

    def webhooks(self) -> list[WebhookRow]:
        with self._link.read() as tx:
            return [_row(row) for row in tx.all("webhook_rows", webhook="")]

    def webhook(self, webhook: str) -> WebhookRow | None:
        with self._link.read() as tx:
            found = tx.all("webhook_rows", webhook=webhook) if webhook else []
            return _row(found[0]) if found else None

    def deliveries(
        self,
        webhook: str = "",
        state: str = "",
        job_id: bytes | None = None,
        before: bytes | None = None,
        limit: int = 50,
    ) -> list[DeliveryRow]:
        wanted = {"webhook": webhook, "state": state, "job_id": job_id, "before": before or LAST_ID, "least": FIRST_ID}
        with self._link.read() as tx:
            rows = tx.all("delivery_rows", **wanted, limit=page_size(limit))
            return [DeliveryRow(*row) for row in rows]

    def delivery(self, delivery_id: bytes) -> DeliveryRow | None:
        with self._link.read() as tx:
            return _delivery(tx, delivery_id)

    def delivery_attempts(self, delivery_id: bytes) -> list[TryRow]:
        with self._link.read() as tx:
            return [TryRow(*row) for row in tx.all("delivery_attempts", id=delivery_id)]


def _values(webhook: Webhook) -> dict[str, Any]:
    return {
        "webhook": webhook.name,
        "url": webhook.url,
        "format": webhook.format,
        "events": json.dumps(webhook.events),
        "queues": json.dumps(webhook.queues),
        "tasks": json.dumps(webhook.tasks),
    }


def _encoded(secrets: Sequence[Secret]) -> str:
    return msgspec.json.encode(secrets).decode()


def _row(row: Row) -> WebhookRow:
    name, url, form, events, queues, tasks, secrets, active, *rest = row
    listed = (tuple(json.loads(text)) for text in (events, queues, tasks))
    return WebhookRow(Webhook(name, url, *listed, format=form), _SECRETS.decode(secrets), bool(active), *rest)


def _standing(row: Row) -> Standing:
    active, failures, since, now = row
    return Standing(bool(active), int(failures), int(now) - int(since))


def _kept(text: str) -> str:
    return storable(clip(text, ANSWER_CHARS))


def _addressed(tx: Tx) -> Callable[[Row], dict[str, Any] | None]:
    """What has happened as a message, with the address that its job names, if one does; None: there is no such job any more."""

    def addressed(row: Row) -> dict[str, Any] | None:
        _, webhook, event, job_id, epoch, at, details = row
        url = "" if webhook else _address(tx, job_id)
        about = {"job_id": job_id, "epoch": epoch, "at": at, "details": details}
        return {"webhook": webhook, "url": url, "event": event, **about} if webhook or url else None

    return addressed


def _address(tx: Tx, job_id: bytes) -> str:
    found = tx.each("job_options", [{"job_id": job_id}])
    return (options_of(found[0][1]).notify or "") if found else ""


def _send(tx: Tx, rows: Sequence[dict[str, Any]]) -> list[NewJob]:
    if not rows:
        return []
    tx.many("delivery_new", rows)
    jobs = [_job(row["id"], row["id"], _receiver(row["webhook"], row["url"])) for row in rows]
    drive(tx, script(jobs))
    return jobs


def _receiver(webhook: str, url: str) -> str:
    """The key by which messages to one receiver are held to so many at once."""
    return webhook or url.partition("://")[2].partition("/")[0][:300]


def _job(job_id: bytes, delivery_id: bytes, receiver: str) -> NewJob:
    """The job that sends a message."""
    options = Options(deadline_us=GIVE_UP_US, gates=((LIMIT, receiver, 1),))
    return NewJob(job_id, TASK, QUEUE, args=json.dumps({"delivery": delivery_id.hex()}), options=options)


def _refuse(tx: Tx, delivery: DeliveryRow) -> None:
    if delivery.state == "pending":
        raise Refused(f"This message is on its way, after {delivery.attempts} attempts. Nothing was changed.")
    found = tx.all("webhook_rows", webhook=delivery.webhook) if delivery.webhook else []
    if delivery.webhook and not found:
        raise Refused(f"Webhook {delivery.webhook!r}, which it was for, is gone. Nothing was changed.")
    if found and not _row(found[0]).active:
        raise Refused(f"Webhook {delivery.webhook!r} is disabled. Nothing was changed. Enable it first.")
