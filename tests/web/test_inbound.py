"""Events of others become jobs: once each, and only if they are genuine."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from starlette.testclient import TestClient

from relet import App, Received
from relet.errors import DefinitionError
from relet.web.site import make_site
from tests.app.work import work_off

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
PLAIN = "a shared secret that nobody guesses"
BODY = b'{"type":"lead.created","lead":{"email":"ann@example.com"}}'


@pytest.fixture
def hooked(app: App) -> App:
    @app.inbound("clay", secret=[SECRET, OLD], queue="leads")
    def lead(event: Received) -> Any:
        return [event.id, event.json()["lead"]["email"]]

    @app.inbound("github", secret=PLAIN, style="github")
    def pushed(event: Received) -> str:
        return event.type

    @app.inbound("partner", secret=PLAIN, style="plain", header="X-Partner-Signature")
    def told(event: Received) -> str:
        return event.raw

    del lead, pushed, told
    return app


@pytest.fixture
def site(hooked: App) -> Iterator[TestClient]:
    with TestClient(make_site(hooked).asgi, raise_server_exceptions=False) as client:
        yield client


def signed(event_id: str = "msg_1", body: bytes = BODY, secret: str = SECRET, ago: float = 0) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    signature = standardwebhooks.Webhook(secret).sign(event_id, at, body.decode())
    return {"webhook-id": event_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def hmac_hex(body: bytes = BODY) -> str:
    return hmac.new(PLAIN.encode(), body, hashlib.sha256).hexdigest()


def test_a_genuine_event_makes_one_job_however_often_it_is_sent(hooked: App, site: TestClient):
    first = site.post("/hooks/clay", content=BODY, headers=signed())
    assert (first.status_code, first.json()["created"]) == (202, True)
    for secret in (SECRET, OLD):
        again = site.post("/hooks/clay", content=BODY, headers=signed(secret=secret))
        assert (again.status_code, again.json()) == (200, {"job_id": first.json()["job_id"], "created": False})
    work_off(hooked)
    assert hooked.job(first.json()["job_id"]).result(0) == ["msg_1", "ann@example.com"]
    assert site.post("/hooks/clay", content=BODY, headers=signed()).json()["created"] is False, "also when it has ended"
    assert site.post("/hooks/clay", content=BODY, headers=signed("msg_2")).json()["created"]
    assert [job.queue for job in hooked.jobs.list()] == ["leads", "leads"]


def test_what_is_forged_changed_or_too_old_makes_no_job(hooked: App, site: TestClient):
    good = signed()
    for headers, body in (
        ({}, BODY),
        ({**good, "webhook-id": "msg_2"}, BODY),
        ({**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}, BODY),
        (good, BODY.replace(b"ann", b"eve")),
        (signed(secret="whsec_" + base64.b64encode(b"x" * 32).decode()), BODY),
        (signed(ago=600), BODY),
        (signed(ago=-600), BODY),
        ({**good, "webhook-signature": "v1," + "A" * 44}, BODY),
        ({**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}, BODY),
        ({**good, "webhook-timestamp": "soon"}, BODY),
    ):
        answer = site.post("/hooks/clay", content=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:relet:problem:forged"), headers
    assert hooked.jobs.list() == []


def test_github_style_is_known_by_its_body_whatever_its_delivery_is_called(hooked: App, site: TestClient):
    headers = {"x-hub-signature-256": f"sha256={hmac_hex()}", "x-github-event": "push", "x-github-delivery": "d-1"}
    made = site.post("/hooks/github", content=BODY, headers=headers).json()
    replayed = site.post("/hooks/github", content=BODY, headers={**headers, "x-github-delivery": "d-2"}).json()
    assert replayed == {"job_id": made["job_id"], "created": False}
    work_off(hooked)
    assert hooked.job(made["job_id"]).result(0) == "push"
    assert site.post("/hooks/github", content=BODY, headers={"x-hub-signature-256": hmac_hex()}).status_code == 401


def test_a_plain_signature_is_taken_as_hex_or_base64_and_the_body_is_kept(hooked: App, site: TestClient):
    digest = bytes.fromhex(hmac_hex())
    made = [
        site.post("/hooks/partner", content=BODY, headers={"x-partner-signature": said}).json()
        for said in (digest.hex(), base64.b64encode(digest).decode(), f"sha256={digest.hex()}")
    ]
    assert [one["created"] for one in made] == [True, False, False]
    work_off(hooked)
    assert hooked.job(made[0]["job_id"]).result(0) == BODY.decode()


def test_credentials_in_headers_are_not_kept(hooked: App, site: TestClient):
    site.post(
        "/hooks/clay", content=BODY, headers={**signed(), "authorization": "Bearer hunter2", "cookie": "a=hunter2"}
    )
    (job,) = hooked.jobs.list()
    with hooked.shared.use() as store:
        row = store.insights.job(job.id.bytes)
    assert row is not None
    assert "hunter2" not in row.args


def test_an_event_that_does_not_fit_is_told_and_may_come_again(hooked: App, site: TestClient):
    hooked.queues["leads"].close("over")
    assert site.post("/hooks/clay", content=BODY, headers=signed()).status_code == 409
    hooked.queues["leads"].resume()
    assert site.post("/hooks/clay", content=BODY, headers=signed()).json()["created"]
    assert site.post("/hooks/nobody", content=BODY, headers=signed()).status_code == 404


def test_hooks_that_anybody_could_use_are_not_declared(app: App):
    for secret, style, why in (
        ("", "plain", "0 bytes"),
        ("short", "github", "can be guessed"),
        ([], "standard", "no secret"),
        ("whsec_*", "standard", "base64"),
        (PLAIN, "own", "none of"),
    ):
        with pytest.raises(DefinitionError, match=why):
            app.inbound("x", secret=secret, style=style)  # type: ignore[arg-type]

    def two(event: Received, more: int) -> None: ...

    with pytest.raises(DefinitionError, match="has to take one event"):
        app.inbound("x", secret=PLAIN)(two)
