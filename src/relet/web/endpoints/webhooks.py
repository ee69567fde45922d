"""Webhooks: listed, added, tested, steered; and what was sent.

An address may have a secret in it, so that looking at webhooks takes more than reading; saying where messages go takes an admin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypedDict

import msgspec

from relet.errors import NotFound
from relet.handles import as_uuid
from relet.job.webhook import Format
from relet.shapes.webhooks import DeliveryOut, DeliveryTryOut, WebhookOut, delivery_out, try_out, webhook_out
from relet.store.port import Store
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Id, Name, Note, PageSize, id_or_none
from relet.web.visitor import Role

Names = Annotated[list[Name], msgspec.Meta(max_length=100)]


class WebhookList(TypedDict):
    """All webhooks, by name."""

    webhooks: list[WebhookOut]


class OneWebhook(Input):
    """A webhook by name."""

    name: Name


class PutWebhook(OneWebhook):
    """A webhook to be added or changed: who hears of what."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    events: Names
    """Such as "job.dead"; "*": all of them."""
    queues: Names = msgspec.field(default_factory=list[str])
    """Jobs of these alone; empty: of all."""
    tasks: Names = msgspec.field(default_factory=list[str])
    secret: str | None = None
    """Null: one is made."""
    format: Format = "standard"


class PutOut(TypedDict):
    """A webhook that was added or changed. Its secret is told this once; null: it was there and has the one that it had."""

    webhook: WebhookOut
    secret: str | None


class DisableWebhook(OneWebhook):
    """A webhook to be disabled."""

    reason: Note = ""


class Tested(TypedDict):
    """The message that is sent."""

    name: str
    delivery: str


class Rotated(TypedDict):
    """The new secret, told this once. For a day, messages are signed by the former one, too."""

    name: str
    secret: str


class ListDeliveries(Input):
    """A page of messages."""

    webhook: str = ""
    state: Literal["", "pending", "delivered", "failed", "dropped"] = ""
    job: Id | None = None
    before: Id | None = None
    limit: PageSize = 50


class DeliveryPage(TypedDict):
    """Messages, newest first. `next`: what to give as `before` for the next page."""

    deliveries: list[DeliveryOut]
    next: str | None


class OneDelivery(Input):
    """A message by its id."""

    id: Id


class ShownDelivery(TypedDict):
    """A message with the attempts to send it, oldest first."""

    delivery: DeliveryOut
    tries: list[DeliveryTryOut]


class Resent(TypedDict):
    """The job that sends it once more."""

    id: str
    job_id: str


def list_webhooks(call: Call, _given: Input) -> WebhookList:
    """List webhooks, and how they fare."""
    return WebhookList(webhooks=[webhook_out(row) for row in call.store.insights.webhooks()])


def show_webhook(call: Call, given: OneWebhook) -> WebhookOut:
    """Show one webhook."""
    return _shown(call.store, given.name)


def put_webhook(call: Call, given: PutWebhook) -> PutOut:
    """Add a webhook, or change the one of this name. A new one's secret is in this answer alone."""
    made = call.app.webhooks.add(
        given.url,
        given.events,
        name=given.name,
        queues=given.queues,
        tasks=given.tasks,
        secret=given.secret,
        format=given.format,
        by=call.by,
    )
    became = _shown(call.store, given.name)
    call.trace.done, call.trace.became = 1, became
    return PutOut(webhook=became, secret=made.secret)


def test_webhook(call: Call, given: OneWebhook) -> Tested:
    """Send a webhook a message of the event `webhook.test`."""
    delivery = call.app.webhooks[given.name].test()
    call.trace.done = 1
    return Tested(name=given.name, delivery=str(delivery))


def rotate_webhook(call: Call, given: OneWebhook) -> Rotated:
    """Sign by a new secret, which is in this answer alone; for a day, by the former one, too."""
    secret = call.app.webhooks[given.name].rotate(by=call.by)
    call.trace.done = 1
    return Rotated(name=given.name, secret=secret)


def disable_webhook(call: Call, given: DisableWebhook) -> WebhookOut:
    """Let a webhook hear of nothing from now on; what was not sent is dropped."""
    return _changed(call, given, lambda: call.app.webhooks[given.name].disable(given.reason, by=call.by))


def enable_webhook(call: Call, given: OneWebhook) -> WebhookOut:
    """Let a webhook hear of what happens from now on."""
    return _changed(call, given, lambda: call.app.webhooks[given.name].enable(by=call.by))


def delete_webhook(call: Call, given: OneWebhook) -> WebhookOut:
    """Delete a webhook. What was sent stays in the history, and the rest is dropped."""
    call.trace.was = _shown(call.store, given.name)
    call.app.webhooks[given.name].delete()
    call.trace.done = 1
    return call.trace.was


def list_deliveries(call: Call, given: ListDeliveries) -> DeliveryPage:
    """List messages, newest first."""
    about, before = id_or_none(given.job), id_or_none(given.before)
    rows = call.store.insights.deliveries(given.webhook, given.state, about, before, given.limit)
    found = [delivery_out(row) for row in rows]
    return DeliveryPage(deliveries=found, next=found[-1]["id"] if len(found) == given.limit else None)


def show_delivery(call: Call, given: OneDelivery) -> ShownDelivery:
    """Show a message with the attempts to send it."""
    wanted = as_uuid(given.id).bytes
    row = call.store.insights.delivery(wanted)
    if row is None:
        raise NotFound(f"There is no message {given.id}. It may have been removed by retention.")
    tries = [try_out(each) for each in call.store.insights.delivery_attempts(wanted)]
    return ShownDelivery(delivery=delivery_out(row), tries=tries)


def redeliver(call: Call, given: OneDelivery) -> Resent:
    """Send a message once more, with the same id and body."""
    job_id = call.app.webhooks.redeliver(given.id)
    call.trace.done = 1
    return Resent(id=given.id, job_id=str(job_id))


def _changed(call: Call, given: OneWebhook, change: Callable[[], object]) -> WebhookOut:
    call.trace.was = _shown(call.store, given.name)
    change()
    call.trace.done, call.trace.became = 1, _shown(call.store, given.name)
    return call.trace.became


def _shown(store: Store, name: str) -> WebhookOut:
    for row in store.insights.webhooks():
        if row.definition.name == name:
            return webhook_out(row)
    raise NotFound(f"There is no webhook {name!r}. Nothing was changed.")


ENDPOINTS = (
    Endpoint("webhooks.list", "GET", "/webhooks", Role.OPERATOR, list_webhooks),
    Endpoint("webhooks.show", "GET", "/webhooks/{name}", Role.OPERATOR, show_webhook),
    Endpoint("webhooks.put", "PUT", "/webhooks/{name}", Role.ADMIN, put_webhook),
    Endpoint("webhooks.delete", "DELETE", "/webhooks/{name}", Role.ADMIN, delete_webhook),
    Endpoint("webhooks.rotate", "POST", "/webhooks/{name}/rotate", Role.ADMIN, rotate_webhook),
    Endpoint("webhooks.test", "POST", "/webhooks/{name}/test", Role.OPERATOR, test_webhook),
    Endpoint("webhooks.disable", "POST", "/webhooks/{name}/disable", Role.OPERATOR, disable_webhook),
    Endpoint("webhooks.enable", "POST", "/webhooks/{name}/enable", Role.OPERATOR, enable_webhook),
    Endpoint("webhooks.deliveries", "GET", "/deliveries", Role.OPERATOR, list_deliveries),
    Endpoint("webhooks.delivery", "GET", "/deliveries/{id}", Role.OPERATOR, show_delivery),
    Endpoint("webhooks.redeliver", "POST", "/deliveries/{id}/redeliver", Role.OPERATOR, redeliver),
)
