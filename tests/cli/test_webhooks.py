"""`relet webhooks`: added, shown without secrets, tested, rotated, disabled, and messages sent again."""

from __future__ import annotations

from relet.job.webhook import QUEUE, TASK
from relet.shapes import webhooks as shapes
from relet.store.webhook_rows import Tried
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms

URL = "https://example.com/hook"


def add(cli: Cli) -> str:
    secret: str = cli("webhooks", "add", URL, "-e", "job.dead", "--queue", "mail", "--json").json["secret"]
    return secret


def test_a_secret_is_shown_once(cli: Cli, shop: Shop) -> None:
    assert "nobody is told" in cli("webhooks", "ls").err
    secret = add(cli)
    assert secret.startswith("whsec_")
    assert cli("webhooks", "add", URL, "-e", "*", "--json").json["secret"] is None
    for words in (("ls",), ("show", "example.com"), ("ls", "--json"), ("show", "example.com", "--json")):
        assert secret not in cli("webhooks", *words).out
    rotated = cli("webhooks", "rotate", "example.com", "--keep", "1h")
    assert rotated.out.startswith("whsec_")
    assert secret not in rotated.out


def test_records_are_as_documented(cli: Cli, shop: Shop) -> None:
    add(cli)
    (hook,) = cli("webhooks", "ls", "--json").json["webhooks"]
    assert conforms(hook, shapes.WebhookOut)
    assert (hook["name"], hook["events"], hook["queues"], hook["active"]) == (
        "example.com",
        ["job.dead"],
        ["mail"],
        True,
    )
    (sent,) = cli("webhooks", "test", "example.com", "--json").json["deliveries"]
    assert conforms(sent, shapes.DeliveryOut)
    shop.store.tried(bytes.fromhex(sent["id"].replace("-", "")), Tried(5_000, 503, "busy", "answered 503"))
    found = cli("webhooks", "deliveries", sent["id"], "--json").json
    assert all(conforms(each, shapes.DeliveryTryOut) for each in found["attempts"])
    assert [each["status"] for each in found["attempts"]] == [503]
    assert "answered 503" in cli("webhooks", "deliveries", sent["message"]).out


def test_disable_enable_and_remove(cli: Cli, shop: Shop) -> None:
    add(cli)
    (hook,) = cli("webhooks", "disable", "example.com", "--reason", "moved", "--json").json["webhooks"]
    assert (hook["active"], hook["disable_reason"]) == (False, "moved")
    assert "already" in cli("webhooks", "disable", "example.com").err
    assert cli("webhooks", "enable", "example.com", "--json").json["webhooks"][0]["active"] is True
    assert cli("webhooks", "rm", "example.com").status == 0
    assert cli("webhooks", "show", "example.com").status == 3


def test_what_failed_is_sent_again_and_what_is_on_its_way_is_not(cli: Cli, shop: Shop) -> None:
    add(cli)
    (sent,) = cli("webhooks", "test", "example.com", "--json").json["deliveries"]
    assert cli("webhooks", "redeliver", sent["id"]).status == 4
    shop.store.cancel(bytes.fromhex(sent["sender_id"].replace("-", "")), "", "ann", 0)
    (again,) = cli("webhooks", "redeliver", sent["id"], "--json").json["deliveries"]
    assert (again["id"], again["state"], again["sender_id"] == sent["sender_id"]) == (sent["id"], "pending", False)
    (job,) = cli("jobs", "ls", "--queue", QUEUE, "--state", "waiting", "--json").json["jobs"]
    assert job["task"] == TASK
    assert cli("webhooks", "redeliver", "01a2130b-496a-7000-9324-3c5482b8d1b3").status == 3


def test_what_cannot_be_is_refused(cli: Cli, shop: Shop) -> None:
    assert "did you mean 'job.dead'" in cli("webhooks", "add", URL, "-e", "job.deed").err
    assert cli("webhooks", "add", "ftp://example.com", "-e", "*").status == 2
    add(cli)
    assert "Did you mean 'example.com'?" in cli("webhooks", "show", "exampel.com").err
