"""Who may come in, and what they may do: tokens, roles, scopes, browsers, links; and that it is written down."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from relet import App
from relet.errors import OutcomeUnknown, Refused
from relet.job.redact import HIDDEN
from relet.web import serve
from relet.web.attempts import Attempts
from relet.web.auth import COOKIE
from relet.web.endpoint import Endpoint
from relet.web.endpoints import ENDPOINTS
from relet.web.site import make_site
from relet.web.tokens import Made, make_link
from relet.web.visitor import Role, Visitor
from tests.app.work import work_off
from tests.web.conftest import ROOT

API = "/api/v1"
Bearer = Callable[..., dict[str, str]]


def ask(site: TestClient, endpoint: Endpoint, headers: dict[str, str]) -> int:
    path = endpoint.path
    for place in endpoint.places:
        path = path.replace(f"{{{place}}}", "nobody")
    body = {} if endpoint.changes and endpoint.method != "DELETE" else None
    return site.request(endpoint.method, API + path, json=body, headers=headers).status_code


def test_nobody_comes_in_without_saying_who_they_are(closed_site: TestClient):
    for endpoint in ENDPOINTS:
        assert ask(closed_site, endpoint, {}) == 401, endpoint.name
        assert ask(closed_site, endpoint, {"authorization": "Basic YTpi"}) == 401, endpoint.name
    for path in ("/worker/stats", "/distributed/stats", "/api/admin/dead-letter-queue", "/jobs/1"):
        assert closed_site.get(path).status_code == 401, path
    assert closed_site.post("/distributed/recover-orphans").status_code == 401
    assert closed_site.post("/new-job", json={}).status_code == 401


def test_every_act_is_refused_to_each_role_below_its_own(closed_site: TestClient, bearer: Bearer):
    headers = {role: bearer(role.word) for role in Role}
    for endpoint in ENDPOINTS:
        for role in Role:
            refused = ask(closed_site, endpoint, headers[role]) == 403
            assert refused == (role < endpoint.role), (endpoint.name, role)


def test_every_endpoint_that_changes_something_needs_more_than_reading():
    assert all(endpoint.role > Role.VIEWER for endpoint in ENDPOINTS if endpoint.changes)


def test_a_token_is_good_for_its_scopes_alone(closed_site: TestClient, bearer: Bearer):
    headers = bearer("admin", scopes=["jobs.*", "dead.list"])
    allowed = {one.name for one in ENDPOINTS if ask(closed_site, one, headers) != 403}
    assert allowed == {one.name for one in ENDPOINTS if one.noun == "jobs"} | {"dead.list"}


def test_a_token_that_is_over_or_revoked_is_good_for_nothing(app: App, closed_site: TestClient, bearer: Bearer):
    over = bearer("admin", lasts_us=0)
    assert closed_site.get(f"{API}/jobs", headers=over).status_code == 401
    good = bearer("admin")
    token_id = closed_site.get(f"{API}/tokens", headers=good).json()["tokens"][0]["id"]
    assert closed_site.delete(f"{API}/tokens/{token_id}", headers=good).status_code == 200
    assert closed_site.get(f"{API}/jobs", headers=good).status_code == 401


def test_the_text_of_a_token_is_told_once(closed_site: TestClient, bearer: Bearer):
    admin = bearer("admin")
    made = closed_site.post(f"{API}/tokens", json={"name": "ci", "role": "operator"}, headers=admin).json()
    assert closed_site.get(f"{API}/whoami", headers={"authorization": f"Bearer {made['token']}"}).json()["name"] == "ci"
    for path in ("/tokens", "/audit"):
        assert made["token"] not in closed_site.get(API + path, headers=admin).text


def test_wrong_tokens_have_to_wait_and_good_ones_do_not(closed_site: TestClient, bearer: Bearer):
    good = bearer("viewer")
    wrong = {"authorization": "Bearer relet_wrong"}
    answers = [closed_site.get(f"{API}/jobs", headers=wrong).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    late = closed_site.post("/sign-in", data={"token": "wrong"})
    assert (late.status_code, int(late.headers["retry-after"]) <= 61) == (429, True)
    assert closed_site.get(f"{API}/jobs", headers=good).status_code == 200


def test_a_good_token_signs_in_also_while_others_at_its_address_have_to_wait(
    closed_site: TestClient, token: Callable[..., Made]
):
    for _ in range(11):
        last = closed_site.post("/sign-in", data={"token": "wrong"})
    assert last.status_code == 429
    signed_in(closed_site, token("viewer"))


def test_a_token_makes_no_token_that_may_do_more_than_itself(closed_site: TestClient, bearer: Bearer):
    limited = bearer("admin", scopes=["tokens.*", "job?.*"])
    made = {
        scope: closed_site.post(f"{API}/tokens", json={"name": "ci", "scopes": [scope]}, headers=limited).status_code
        for scope in ("tokens.list", "tokens.*", "job?.*", "jobs.list", "*", "*obs.*", "t*", "queues.list")
    }
    assert [scope for scope, status in made.items() if status == 201] == [
        "tokens.list",
        "tokens.*",
        "job?.*",
        "jobs.list",
    ]
    assert set(made.values()) == {201, 403}


def test_a_link_is_revoked_like_a_token(app: App, open_site: TestClient):
    with app.shared.use() as store:
        link = make_link(store, Role.ADMIN, "the start")
    assert open_site.delete(f"{API}/tokens/{link.id}").json()["did"] == "revoked"
    assert open_site.post("/sign-in", data={"code": link.text}).status_code == 401


def test_attempts_are_counted_by_address_in_a_window():
    attempts = Attempts(most=2, window_us=100)
    attempts.failed("a", 0)
    attempts.failed("a", 60)
    assert (attempts.wait_us("a", 60), attempts.wait_us("b", 60), attempts.wait_us("a", 100)) == (40, 0, 0)


# ── browsers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def signed_in(site: TestClient, made: Made) -> None:
    answer = site.post("/sign-in", data={"token": made.text}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def csrf_of(app: App, site: TestClient) -> str:
    from relet.web.tokens import hash_of

    with app.shared.use() as store:
        visit = store.find_visit(hash_of(site.cookies[COOKIE]))
    assert visit is not None
    return visit.csrf


def test_a_browser_that_is_made_to_ask_by_another_site_is_refused(
    app: App, closed_site: TestClient, token: Callable[..., Made]
):
    signed_in(closed_site, token("operator"))
    pause = f"{API}/queues/email/pause"
    good = {"x-relet-csrf": csrf_of(app, closed_site)}
    for headers in (
        {},
        {"x-relet-csrf": "guessed"},
        {**good, "origin": "https://evil.example"},
        {**good, "sec-fetch-site": "cross-site"},
        {**good, "sec-fetch-site": "same-site"},
        {**good, "origin": "null"},
    ):
        assert closed_site.post(pause, json={}, headers=headers).status_code == 403, headers
    assert app.queues["email"].status().paused_at is None
    assert closed_site.post(pause, json={}, headers={**good, "origin": ROOT}).status_code == 200


def test_a_proxy_that_changes_the_name_of_the_host_keeps_no_browser_out(
    app: App, closed_site: TestClient, token: Callable[..., Made]
):
    signed_in(closed_site, token("operator"))
    said = {
        "x-relet-csrf": csrf_of(app, closed_site),
        "sec-fetch-site": "same-origin",
        "origin": "https://jobs.example",
    }
    assert closed_site.post(f"{API}/queues/email/pause", json={}, headers=said).status_code == 200


def test_another_site_signs_no_browser_in(closed_site: TestClient, token: Callable[..., Made]):
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "http://["}):
        answer = closed_site.post("/sign-in", data={"token": token("viewer").text}, headers=headers)
        assert (answer.status_code, COOKIE in closed_site.cookies) == (403, False), headers


def test_signing_out_ends_the_sign_in_for_every_copy_of_the_cookie(
    app: App, closed_site: TestClient, token: Callable[..., Made]
):
    signed_in(closed_site, token("viewer"))
    copied, csrf = closed_site.cookies[COOKIE], csrf_of(app, closed_site)
    assert closed_site.post("/sign-out", data={}).status_code == 403
    assert closed_site.post("/sign-out", data={"csrf": csrf}, follow_redirects=False).status_code == 303
    assert closed_site.get(f"{API}/jobs", headers={"cookie": f"{COOKIE}={copied}"}).status_code == 401


def test_a_link_lets_one_browser_in_once_and_a_look_does_not_use_it_up(app: App, closed_site: TestClient):
    with app.shared.use() as store:
        link = make_link(store, Role.ADMIN, "the start")
    for _ in range(2):
        assert closed_site.get("/sign-in/link", params={"code": link.text}).status_code == 200
    assert closed_site.post("/sign-in", data={"code": link.text}, follow_redirects=False).status_code == 303
    assert closed_site.get(f"{API}/whoami").json()["role"] == "admin"
    closed_site.cookies.clear()
    assert closed_site.post("/sign-in", data={"code": link.text}).status_code == 401


def test_signing_in_leads_nowhere_else(closed_site: TestClient, token: Callable[..., Made]):
    made = token("viewer")
    for to, place in (
        ("/jobs", "/jobs"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
    ):
        answer = closed_site.post("/sign-in", params={"to": to}, data={"token": made.text}, follow_redirects=False)
        assert answer.headers["location"] == place


# ── where nobody is asked ─────────────────────────────────────────────────────────────────────────────────────────────
def test_without_a_sign_in_another_site_still_changes_nothing(app: App, open_site: TestClient):
    pause = f"{API}/queues/email/pause"
    for headers in ({"origin": "https://evil.example"}, {"origin": ROOT}, {"sec-fetch-site": "cross-site"}):
        assert open_site.post(pause, json={}, headers=headers).status_code == 403, headers
    assert open_site.post(pause, content="{}", headers={"content-type": "text/plain"}).status_code == 415
    assert app.queues["email"].status().paused_at is None


def test_a_name_that_was_made_to_point_here_is_not_answered_to(app: App):
    site = make_site(app, open_to_all=True, hosts=("localhost",)).asgi
    with TestClient(site, base_url="http://localhost:8700") as client:
        assert client.get(f"{API}/jobs").status_code == 200
        assert client.get(f"{API}/jobs", headers={"host": "evil.example"}).status_code == 421
        assert client.get(f"{API}/jobs", headers={"host": "["}).status_code == 400
    site = make_site(app, open_to_all=True, hosts=("Jobs.Example",)).asgi
    with TestClient(site, base_url="http://jobs.example") as client:
        assert client.get(f"{API}/jobs").status_code == 200


def test_a_public_address_without_a_sign_in_is_refused():
    for host in ("0.0.0.0", "::", "192.0.2.7", "host.example"):
        with pytest.raises(Refused, match="without a sign-in"):
            serve.place_of(host, 0, "off")
        assert serve.place_of(host, 0, "auto").sign_in
    for host in ("127.0.0.1", "::1", "localhost", "127.1.2.3"):
        assert not serve.place_of(host, 0, "auto").sign_in
        assert serve.place_of(host, 0, "on").sign_in


def test_the_application_around_us_may_say_who_it_is(app: App):
    def identify(request: Request) -> Visitor | None:
        name = request.headers.get("x-user")
        return Visitor(name, Role.VIEWER, "browser") if name else None

    with TestClient(make_site(app, identify=identify).asgi, base_url=ROOT) as client:
        assert client.get(f"{API}/whoami", headers={"x-user": "ann"}).json()["name"] == "ann"
        assert client.get(f"{API}/whoami").status_code == 401
        assert client.post(f"{API}/queues/email/pause", json={}, headers={"x-user": "ann"}).status_code == 403


# ── written down ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_was_done_is_written_down_with_who_why_and_how_it_was(closed_site: TestClient, bearer: Bearer):
    operator, admin = bearer("operator", name="ann"), bearer("admin", name="root")
    pause = f"{API}/queues/email/pause"
    closed_site.post(pause, json={"reason": "flood"}, headers={**operator, "x-relet-reason": "ticket 7"})
    closed_site.post(f"{API}/dead/{'0' * 32}/retry", json={}, headers=operator)
    closed_site.post(f"{API}/jobs/cancel", json={"dry_run": True}, headers=operator)

    audit: list[dict[str, Any]] = closed_site.get(f"{API}/audit", headers=admin).json()["audit"]
    failed, paused = audit
    assert (paused["who"], paused["role"], paused["act"], paused["subject"]) == (
        "ann",
        "operator",
        "queues.pause",
        "email",
    )
    assert (paused["reason"], paused["outcome"], paused["done"]) == ("ticket 7", "done", 1)
    assert (paused["was"]["state"], paused["became"]["state"]) == ("open", "paused")
    assert failed["outcome"].startswith("refused: Job 0000")


def test_who_resolves_in_the_name_of_another_is_written_down_themselves(
    app: App, closed_site: TestClient, bearer: Bearer
):
    job = app.enqueue_by_name("mail.send", {"to": "bad"})
    work_off(app)
    said = {"id": str(job.id), "resolvedBy": "root"}
    answer = closed_site.patch("/api/admin/dead-letter-queue", json=said, headers=bearer("operator", name="ann"))
    assert answer.json()["job"]["resolved_by"] == "root"
    (row,) = closed_site.get(f"{API}/audit", headers=bearer("admin")).json()["audit"]
    assert (row["who"], row["asked"]["by"]) == ("ann", "root")


def test_an_act_whose_end_nobody_knows_is_written_down_without_one(app: App, open_site: TestClient):
    app.enqueue_by_name("mail.send", {"to": "ann"})

    def lost(*_: object, **__: object) -> None:
        raise OutcomeUnknown("The answer was lost.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(app.queues["email"]), "pause", lost)
        assert open_site.post(f"{API}/queues/email/pause", json={}).status_code == 503
    (row,) = open_site.get(f"{API}/audit").json()["audit"]
    assert (row["act"], row["outcome"]) == ("queues.pause", None)


def test_secrets_in_a_reason_are_hidden(open_site: TestClient):
    open_site.post(f"{API}/queues/email/pause", json={}, headers={"x-relet-reason": "password=hunter2 leaked"})
    assert "hunter2" not in open_site.get(f"{API}/audit").text


def test_a_new_token_is_not_kept_with_the_key_of_its_request(app: App, open_site: TestClient):
    asked = {"json": {"name": "ci"}, "headers": {"idempotency-key": "k"}}
    first, again = (open_site.post(f"{API}/tokens", **asked).json() for _ in range(2))
    assert first["token"].startswith("relet_")
    assert (again["id"], again["token"]) == (first["id"], HIDDEN)
