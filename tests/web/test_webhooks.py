"""Webhooks over HTTP and on their pages."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from relet import App

API = "/api/v1"
URL, EVENTS = "https://hooks.example.com/in/secret-path", ["job.dead", "health.changed"]
HOOK = {"url": URL, "events": EVENTS}


@pytest.fixture
def secret(open_site: TestClient) -> str:
    """That of the webhook `ops`."""
    made = open_site.put(f"{API}/webhooks/ops", json=HOOK).json()
    assert made["webhook"]["events"] == ["health.changed", "job.dead"]
    return made["secret"]


def test_a_webhook_is_added_changed_steered_and_deleted_and_its_secret_told_once(open_site: TestClient, secret: str):
    assert secret.startswith("whsec_")
    again = open_site.put(f"{API}/webhooks/ops", json={**HOOK, "queues": ["email"]}).json()
    assert (again["secret"], again["webhook"]["queues"]) == (None, ["email"])
    assert open_site.post(f"{API}/webhooks/ops/rotate", json={}).json()["secret"] not in (None, secret)
    off = open_site.post(f"{API}/webhooks/ops/disable", json={"reason": "too loud"}).json()
    assert (off["active"], off["disable_reason"]) == (False, "too loud")
    assert open_site.post(f"{API}/webhooks/ops/enable", json={}).json()["active"]
    assert secret not in open_site.get(f"{API}/audit").text
    assert open_site.delete(f"{API}/webhooks/ops").status_code == 200
    assert open_site.get(f"{API}/webhooks").json() == {"webhooks": []}
    for name in ("test", "rotate", "enable"):
        assert open_site.post(f"{API}/webhooks/ops/{name}", json={}).status_code == 404


def test_messages_are_listed_shown_and_seen_on_their_pages(open_site: TestClient, secret: str):
    sent = open_site.post(f"{API}/webhooks/ops/test", json={}).json()["delivery"]
    (listed,) = open_site.get(f"{API}/deliveries", params={"webhook": "ops"}).json()["deliveries"]
    assert (listed["id"], listed["event"], listed["state"]) == (sent, "webhook.test", "pending")
    assert open_site.get(f"{API}/deliveries", params={"state": "failed"}).json()["deliveries"] == []
    assert open_site.get(f"{API}/deliveries/{sent}").json()["tries"] == []
    assert open_site.post(f"{API}/deliveries/{sent}/redeliver", json={}).status_code == 409
    assert "webhook.test" in open_site.get("/admin/workers/webhooks").text
    assert listed["message"] in open_site.get(f"/admin/workers/deliveries/{sent}").text


def test_addresses_are_not_shown_to_those_who_may_only_read(
    closed_site: TestClient, bearer: Callable[..., dict[str, str]], app: App
):
    app.webhooks.add(URL, EVENTS, name="ops")
    viewer = bearer("viewer")
    for path in ("/webhooks", "/webhooks/ops", "/deliveries"):
        assert closed_site.get(API + path, headers=viewer).status_code == 403, path
    assert closed_site.put(f"{API}/webhooks/x", json=HOOK, headers=bearer("operator")).status_code == 403
