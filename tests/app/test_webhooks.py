"""Webhooks through the app: added once, steered by name, and what was sent is read and sent again."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from relet import App
from relet.errors import NotFound, Refused, UsageError
from relet.settings import Settings

URL = "https://example.com/hook"


@pytest.fixture
def app(shared_url: str) -> Iterator[App]:
    with App(settings=Settings.load(code={"url": shared_url}, env={})) as made:
        yield made


def test_it_is_added_changed_and_steered(app: App) -> None:
    added = app.webhooks.add(URL, ["job.dead"], queues=["mail"], by="ann")
    assert (added.name, added.secret is not None) == ("example.com", True)
    assert app.webhooks.add(URL, ["*"], format="cloudevents").secret is None
    (hook,) = app.webhooks
    info = hook.info()
    assert (info.events, info.queues, info.format, info.active) == (("*",), (), "cloudevents", True)
    assert added.secret is not None
    assert added.secret not in repr(info)
    assert hook.rotate() != added.secret
    assert hook.disable("moved", by="ann") is True
    assert (hook.info().active, hook.info().disable_reason, hook.info().disabled_by) == (False, "moved", "ann")
    assert hook.disable() is False
    assert hook.enable() is True
    hook.delete()
    assert app.webhooks.list() == []


def test_what_is_sent_can_be_read_and_sent_again(app: App) -> None:
    app.webhooks.add(URL, ["job.dead"], name="alerts")
    delivery_id = app.webhooks["alerts"].test()
    (sent,) = app.webhooks.deliveries("alerts", state="pending")
    assert (sent.id, sent.event, sent.job_id, sent.attempts) == (delivery_id, "webhook.test", None, 0)
    assert app.webhooks.attempts(delivery_id) == []
    with pytest.raises(Refused):
        app.webhooks.redeliver(delivery_id)
    app.cancel(sent.sender_id, "no")
    assert app.webhooks.deliveries(state="dropped")[0].id == delivery_id
    assert app.webhooks.redeliver(delivery_id) == app.webhooks.deliveries()[0].sender_id


def test_what_is_not_there_or_cannot_be_is_said_so(app: App) -> None:
    hook = app.webhooks["none"]
    for verb in (hook.info, hook.test, hook.rotate, hook.disable, hook.enable, hook.delete):
        with pytest.raises(NotFound):
            verb()
    for read in (app.webhooks.attempts, app.webhooks.redeliver):
        with pytest.raises(NotFound):
            read(uuid4())
    with pytest.raises(UsageError):
        app.webhooks.add("ftp://example.com", ["*"])
    with pytest.raises(UsageError):
        app.webhooks.deliveries(state="sent")


def test_a_call_names_its_address_or_is_refused(app: App) -> None:
    @app.task
    def work(n: int) -> int:
        return n

    with pytest.raises(UsageError):
        work.options(notify="file:///etc/passwd")
    job = work.options(notify=URL).options(tags={"a": "b"}).enqueue(1)
    job.cancel("no")
    with app.shared.use() as store:
        store.tell_news(app.ids.jobs, 10)
    assert [(sent.webhook, sent.event, sent.job_id) for sent in app.webhooks.deliveries(job=job.id)] == [
        ("", "job.cancelled", job.id)
    ]
