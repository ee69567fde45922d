"""Webhooks under real workers and a real receiver: signed, tried again under one id, and never lost."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from relet.clock import Ids
from relet.job.state import State
from relet.job.webhook import TASK, webhook_of
from relet.store.rows import JobFilter
from relet.store.webhook_rows import DeliveryRow
from tests.support.receiver import Received, Receiver, first, silent, status
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop
from tests.work.test_processes import Process

HERE = {"webhook_allow": "127.0.0.0/8"}
SECRET = "whsec_" + "A" * 32
OTHER = "whsec_" + "B" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def listen(shop: Shop, receiver: Receiver, *events: str, name: str = "w", **more: Any) -> None:
    shop.store.put_webhook(webhook_of(name, receiver.url, events or ("*",), **more), SECRET, "ann")


def verified(received: Received, secret: str = SECRET) -> dict[str, Any]:
    """What an independent library makes of it; raises if the signature is wrong."""
    found: dict[str, Any] = Verifier(secret).verify(received.body, received.headers)
    return found


def sent(shop: Shop, state: str = "delivered") -> list[DeliveryRow]:
    return shop.store.insights.deliveries(state=state)


def test_a_message_is_signed_tells_of_the_job_and_is_written_down(any_shop: Shop, receiver: Receiver) -> None:
    receiver.reply = status(200, text="thanks")
    listen(any_shop, receiver, "job.succeeded")
    any_shop.worker(**HERE)
    job = tasks.add.enqueue(1, 2)
    (delivery,) = until(lambda: sent(any_shop))
    (received,) = receiver.received
    body = verified(received)
    assert body["type"] == "job.succeeded"
    assert (body["data"]["id"], body["data"]["result"], body["data"]["claim"]) == (str(job.id), 3, 1)
    assert received.headers["webhook-id"] == f"msg_{delivery.id.hex()}"
    assert received.headers["content-type"] == "application/json"
    (attempt,) = any_shop.store.insights.delivery_attempts(delivery.id)
    assert (attempt.status, attempt.answer, attempt.error) == (200, "thanks", "")


def test_a_failed_attempt_is_made_up_for_with_the_same_id_and_body(any_shop: Shop, receiver: Receiver) -> None:
    receiver.reply = first(503, "retry-after: 1")
    listen(any_shop, receiver, "job.succeeded")
    any_shop.worker(**HERE)
    tasks.add.enqueue(1, 2)
    (delivery,) = until(lambda: sent(any_shop))
    one, two = receiver.received
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert one.body == two.body
    assert verified(one) == verified(two)
    tries = any_shop.store.insights.delivery_attempts(delivery.id)
    assert [attempt.status for attempt in tries] == [503, 200]


def test_after_a_rotation_both_secrets_verify_for_a_while(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "job.succeeded")  # not of health, which may change just then
    shop.store.rotate_webhook("w", OTHER, 60_000_000, "ann")
    shop.store.send_webhook("w", "webhook.test", Ids().job())
    shop.worker(**HERE)
    (received,) = until(lambda: receiver.received)
    assert len(received.headers["webhook-signature"].split()) == 2
    assert verified(received, OTHER) == verified(received, SECRET)


def test_cloudevents_are_told_in_their_own_form(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "queue.paused", form="cloudevents")
    shop.worker(**HERE)
    tasks.app.queues["mail"].pause(reason="too many", by="ann")
    (received,) = until(lambda: receiver.received)
    body = verified(received)
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert (body["specversion"], body["type"], body["source"]) == ("1.0", "relet.queue.paused", "/relet")
    assert body["id"] == received.headers["webhook-id"]
    assert (body["data"]["queue"], body["data"]["reason"], body["data"]["resume_at"]) == ("mail", "too many", None)


def test_a_job_tells_the_address_that_it_names(any_shop: Shop, receiver: Receiver) -> None:
    any_shop.worker(**HERE, webhook_secret=SECRET)
    tasks.add.options(notify=receiver.url).enqueue(1, 2)
    (received,) = until(lambda: receiver.received)
    assert verified(received)["data"]["result"] == 3


def test_without_permission_nothing_in_this_network_is_told(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "job.succeeded")
    shop.worker()
    tasks.add.enqueue(1, 2)
    until(lambda: [d for d in sent(shop, "pending") if d.attempts])
    assert receiver.connections == 0
    (delivery,) = sent(shop, "pending")
    assert "webhook_allow" in shop.store.insights.delivery_attempts(delivery.id)[0].error


def test_one_that_says_it_is_gone_is_disabled(any_shop: Shop, receiver: Receiver) -> None:
    receiver.reply = status(410)
    listen(any_shop, receiver, "job.succeeded")
    any_shop.worker(**HERE)
    tasks.add.enqueue(1, 2)
    until(lambda: any_shop.told("webhook.disabled"))
    row = any_shop.store.insights.webhook("w")
    assert row is not None
    assert (row.active, row.disabled_by) == (False, "relet")
    until(lambda: sent(any_shop, "dropped"))


def test_one_that_fails_for_too_long_is_disabled(shop: Shop, receiver: Receiver) -> None:
    receiver.reply = status(500, "retry-after: 1")
    listen(shop, receiver, "job.succeeded")
    shop.worker(**HERE, webhook_patience="10ms")
    for _ in range(2):
        tasks.add.enqueue(1, 2)
        until(shop.store.insights.deliveries)
    until(lambda: shop.told("webhook.disabled"))
    assert "500" in shop.told("webhook.disabled")[0]["reason"]


def test_a_receiver_that_hangs_takes_no_slots_of_the_jobs(shop: Shop, receiver: Receiver) -> None:
    receiver.reply = silent
    listen(shop, receiver, "job.succeeded")
    shop.worker(**HERE, slots=1, webhook_slots=1, webhook_timeout="3s")
    for _ in range(5):
        tasks.add.enqueue(1, 2)
    until(lambda: receiver.received)
    assert tasks.add.enqueue(1, 2).result("2s") == 3


def test_no_event_is_lost_when_workers_are_killed(any_shop: Shop, receiver: Receiver) -> None:
    """Each is killed at some moment between the end of the jobs and the last message."""
    listen(any_shop, receiver, "job.succeeded")
    jobs = {str(tasks.add.enqueue(n, n).id) for n in range(40)}
    for _ in range(3):
        worker = Process(any_shop, "1s", 4)
        seen = len(receiver.received)
        until(lambda: len(receiver.received) > min(seen + 3, len(jobs) - 1), 30)  # noqa: B023
        os.kill(worker.pid, signal.SIGKILL)
        worker.popen.wait()
    last = Process(any_shop, "1s", 4)
    try:
        until(lambda: {verified(one)["data"]["id"] for one in tuple(receiver.received)} == jobs, 60)
    finally:
        last.kill()
    ids = {verified(one)["data"]["id"]: one.headers["webhook-id"] for one in receiver.received}
    for one in receiver.received:
        assert ids[verified(one)["data"]["id"]] == one.headers["webhook-id"], "told twice under two ids"
    senders = any_shop.store.insights.jobs(JobFilter(task=TASK, limit=200))
    assert len(senders) == len(jobs)
    assert {job.state for job in senders} <= {State.SUCCEEDED, State.RUNNING, State.READY, State.WAITING}
