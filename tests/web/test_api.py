"""The HTTP API as programs use it."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from starlette.testclient import TestClient
from starlette.types import Message

from relet import App
from relet.web.site import make_site
from tests.app.work import work_off

API = "/api/v1"


def enqueue(site: TestClient, to: str = "ann", **more: Any) -> str:
    answer = site.post(f"{API}/jobs", json={"task": "mail.send", "args": {"to": to}, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_a_job_is_enqueued_listed_shown_and_explained(app: App, open_site: TestClient):
    job_id = enqueue(open_site)
    assert [job["id"] for job in open_site.get(f"{API}/jobs", params={"state": "ready"}).json()["jobs"]] == [job_id]
    assert "no worker" in open_site.get(f"{API}/jobs/{job_id}/why").json()["why"][0].lower()

    assert work_off(app) == 1
    shown = open_site.get(f"{API}/jobs/{job_id}").json()
    assert (shown["job"]["state"], shown["job"]["result"]) == ("succeeded", "sent 1 to ann")
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["success"]


def test_pages_of_jobs_follow_each_other_without_gap(open_site: TestClient):
    ids = [enqueue(open_site) for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = open_site.get(f"{API}/jobs", params=query).json()
        seen += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        query["before"] = page["next"]
    assert seen == ids[::-1]


def test_a_repeated_request_with_a_key_makes_one_job(app: App, open_site: TestClient):
    body = {"task": "mail.send", "args": {"to": "ann"}}
    headers = {"Idempotency-Key": "order-7"}
    first, second = (open_site.post(f"{API}/jobs", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len(app.jobs.list()) == 1

    other = open_site.post(f"{API}/jobs", json={**body, "args": {"to": "bob"}}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "urn:relet:problem:key-reused")
    assert len(app.jobs.list()) == 1


def test_a_repeated_request_whose_first_answer_was_lost_makes_one_job(app: App, open_site: TestClient):
    body = {"task": "mail.send", "args": {"to": "ann"}}
    headers = {"Idempotency-Key": "order-8"}
    first = open_site.post(f"{API}/jobs", json=body, headers=headers).json()
    with app.shared.use() as store, store._link.write() as tx:  # type: ignore[attr-defined]  # as if killed before it was kept
        tx.connection.execute(
            "update relet_once set status = null" if "sqlite" in app.url else "update relet.once set status = null"
        )
    again = open_site.post(f"{API}/jobs", json=body, headers=headers).json()
    assert again["id"] == first["id"]
    assert len(app.jobs.list()) == 1


def test_all_that_match_are_counted_before_they_are_cancelled(app: App, open_site: TestClient):
    for to in ("ann", "bob", "cid"):
        enqueue(open_site, to)
    enqueue(open_site, "dan", queue="other")
    wanted = {"queue": "email", "reason": "flood"}
    counted = open_site.post(f"{API}/jobs/cancel", json={**wanted, "dry_run": True}).json()
    assert (counted["matched"], counted["done"], len(app.jobs.list(state="ready"))) == (3, 0, 4)

    done = open_site.post(f"{API}/jobs/cancel", json=wanted).json()
    assert (done["matched"], done["done"], done["more"]) == (3, 3, False)
    assert [job.queue for job in app.jobs.list(state="ready")] == ["other"]


def test_a_job_runs_again_with_edited_arguments(app: App, open_site: TestClient):
    job_id = enqueue(open_site, "bad")
    work_off(app)
    again = open_site.post(f"{API}/jobs/{job_id}/again", json={"patch": {"to": "good"}})
    assert again.status_code == 201
    work_off(app)
    assert app.job(again.json()["id"]).result(0) == "sent 1 to good"


def test_dead_letters_are_found_resolved_retried_and_deleted(app: App, open_site: TestClient):
    first, second, third = (enqueue(open_site, "bad") for _ in range(3))
    work_off(app)
    page = open_site.get(f"{API}/dead", params={"error": "NO MAILBOX", "limit": 2}).json()
    assert (page["total"], [dead["id"] for dead in page["dead"]]) == (3, [third, second])
    assert "ValueError" in page["dead"][0]["stack"]

    assert open_site.post(f"{API}/dead/{first}/resolve", json={"note": "refunded"}).json()["did"] == "resolved"
    assert app.dead.get(first).notes == "refunded"
    assert open_site.post(f"{API}/dead/{second}/retry", json={"patch": {"to": "good"}}).json()["did"] == "retried"
    work_off(app)
    assert app.job(second).result(0) == "sent 1 to good"
    counted = open_site.post(f"{API}/dead/delete", json={"dry_run": True}).json()
    assert counted["matched"] == 1
    assert open_site.post(f"{API}/dead/delete", json={}).json()["done"] == 1
    assert open_site.get(f"{API}/dead/{third}").status_code == 404
    assert app.dead.get(first).resolved


def test_a_purge_is_counted_with_the_jobs_that_wait_for_others(app: App, open_site: TestClient):
    first = app.enqueue_by_name("mail.send", {"to": "ann"})
    app.enqueue_by_name("mail.send", {"to": "bob"}, after=[first])
    for dry_run in (True, False):
        answer = open_site.post(f"{API}/queues/email/purge", json={"dry_run": dry_run})
        assert answer.json()["purged"] == 2


def test_a_queue_is_steered_and_shown(open_site: TestClient):
    queue = f"{API}/queues/email"
    paused = open_site.post(f"{queue}/pause", json={"reason": "flood", "until": "1h"}).json()
    assert (paused["state"], paused["paused_by"], paused["pause_reason"]) == ("paused", "local", "flood")
    assert open_site.post(f"{queue}/resume").json()["state"] == "open"
    limited = open_site.post(f"{queue}/limit", json={"concurrency": 5, "rate": "50/min"}).json()
    assert "50/min" in limited["limit"]
    assert "50/min" in open_site.post(f"{queue}/limit", json={"concurrency": "none"}).json()["limit"]
    assert open_site.post(f"{queue}/unlimit").json()["limit"] is None
    enqueue(open_site)
    assert open_site.post(f"{queue}/purge", json={"dry_run": True}).json()["purged"] == 1
    assert open_site.post(f"{queue}/purge", json={}).json()["purged"] == 1
    assert open_site.post(f"{queue}/drain", json={"reason": "over"}).json()["state"] == "closed"
    refused = open_site.post(f"{API}/jobs", json={"task": "mail.send", "args": {"to": "ann"}})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:relet:problem:refused")


def test_schedules_are_put_triggered_paused_and_deleted(app: App, open_site: TestClient):
    schedule = f"{API}/schedules/report"
    put = {"task": "mail.send", "args": {"to": "boss"}, "cron": "0 6 * * *", "tz": "UTC"}
    made = open_site.put(schedule, json=put).json()
    assert (made["name"], made["args"]) == ("report", {"to": "boss"})
    triggered = open_site.post(f"{schedule}/trigger").json()
    assert UUID(triggered["job_id"]) == app.jobs.list()[0].id
    assert open_site.post(f"{schedule}/pause", json={"reason": "holiday"}).json()["pause_reason"] == "holiday"
    assert open_site.post(f"{schedule}/resume").json()["pause_reason"] is None
    assert open_site.get(f"{schedule}/history").json()["firings"][0]["job_id"] == triggered["job_id"]
    assert open_site.get(f"{API}/routines/report").status_code == 404, "it is no routine"
    assert open_site.delete(schedule).status_code == 200
    assert open_site.get(schedule).status_code == 404


def test_limits_and_breakers_are_steered(app: App, open_site: TestClient):
    limit = f"{API}/limits/stripe"
    assert open_site.put(limit, json={"rate": "100/min", "concurrency": 3}).json()["concurrency"] == 3
    assert open_site.post(f"{limit}/pause", json={"until": "5m"}).json()["paused"]
    assert not open_site.post(f"{limit}/resume", json={}).json()["paused"]
    assert open_site.get(limit).json()["limit"]["rate"] == "100/min"
    assert open_site.delete(limit).status_code == 200

    with app.breaker("mailer"):
        pass
    app.breakers.flush()
    breaker = f"{API}/breakers/mailer"
    assert open_site.post(f"{breaker}/open", json={"reason": "maintenance"}).json()["state"] == "open"
    assert open_site.post(f"{breaker}/close").json()["state"] == "closed"
    assert [one["name"] for one in open_site.get(f"{API}/breakers").json()["breakers"]] == ["mailer"]


def test_an_answer_that_has_not_changed_is_not_sent_again(open_site: TestClient):
    first = open_site.get(f"{API}/jobs")
    assert open_site.get(f"{API}/jobs", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    enqueue(open_site)
    assert open_site.get(f"{API}/jobs", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_what_does_not_fit_is_told_with_its_place(open_site: TestClient):
    missing = str(uuid4())
    for method, path, body, status, kind in (
        ("GET", "/jobs?limit=many", None, 400, "usage"),
        ("GET", "/jobs?state=lost", None, 400, "usage"),
        ("GET", "/jobs?colour=red", None, 400, "usage"),
        ("GET", "/jobs?limit=1&limit=2", None, 400, "usage"),
        ("GET", "/jobs?before=7", None, 400, "usage"),
        ("GET", "/jobs?since=yesterday", None, 400, "usage"),
        ("GET", f"/jobs/{missing}", None, 404, "not-found"),
        ("POST", "/jobs", {"task": "mail.send", "args": {"nobody": 1}}, 422, "payload"),
        ("POST", "/jobs", {"task": "mail.send", "args": {"to": "x"}, "delay": "soon"}, 400, "usage"),
        ("POST", "/jobs", {"args": {}}, 400, "usage"),
        ("POST", "/jobs", ["mail.send"], 400, "usage"),
        ("POST", f"/dead/{missing}/retry", {}, 404, "not-found"),
        ("POST", "/limits/nix/pause", {}, 404, "not-found"),
        ("POST", "/queues/email/limit", {"concurrency": "lots"}, 400, "usage"),
        ("POST", "/queues/email/pause", {"name": "other"}, 400, "usage"),
        ("PATCH", "/jobs", {}, 405, "method"),
        ("GET", "/nothing", None, 404, "not-found"),
    ):
        answer = open_site.request(method, API + path, json=body)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:relet:problem:{kind}"), (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_or_no_json_is_refused(open_site: TestClient):
    big = open_site.post(f"{API}/jobs", content=b"[" * (5 * 1024 * 1024), headers={"content-type": "application/json"})
    assert (big.status_code, big.json()["type"]) == (413, "urn:relet:problem:too-large")

    def drip() -> Any:
        for _ in range(5):
            yield b"[" * 1024 * 1024

    assert (
        open_site.post(f"{API}/jobs", content=drip(), headers={"content-type": "application/json"}).status_code == 413
    )
    deep = open_site.post(f"{API}/jobs", content=b"[" * 100_000, headers={"content-type": "application/json"})
    assert deep.status_code == 400
    assert open_site.post(f"{API}/jobs", content=b"a=1").status_code == 415
    assert (
        open_site.post(f"{API}/jobs", content=b"\xff", headers={"content-type": "application/json"}).status_code == 400
    )


def test_every_answer_has_the_headers_that_keep_browsers_safe(open_site: TestClient):
    for path in ("/livez", f"{API}/jobs", "/nothing", f"{API}/openapi.json", "/sign-in"):
        headers = open_site.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'"), path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_secrets_in_arguments_are_hidden(app: App, open_site: TestClient):
    job_id = enqueue(open_site, to="ann")
    app.enqueue_by_name("other.task", {"password": "hunter2", "url": "https://u:hunter2@x/"}, queue="q")
    for path in ("/jobs", f"/jobs/{job_id}", "/audit"):
        assert "hunter2" not in open_site.get(API + path).text


def test_probes_tell_alive_ready_and_started(open_site: TestClient):
    for path in ("/livez", "/readyz", "/startupz"):
        assert open_site.get(path).json()["ok"], path


def test_an_id_that_is_none_among_many_changes_nothing(open_site: TestClient):
    job_id = enqueue(open_site)
    for path in ("/jobs/cancel", "/jobs/delete", "/dead/retry"):
        assert open_site.post(API + path, json={"ids": [job_id, "none"]}).status_code == 400, path
    assert open_site.get(f"{API}/jobs/{job_id}").json()["job"]["state"] == "ready"


def test_what_no_engine_stores_is_refused(open_site: TestClient):
    for answer in (
        open_site.get(f"{API}/jobs", params={"queue": "\0"}),
        open_site.get(f"{API}/dead", params={"causes": ["a", "b\0"]}),
        open_site.post(f"{API}/queues/a%00b/pause", json={}),
    ):
        assert answer.status_code == 400, answer.text


def test_a_form_that_cannot_be_read_is_a_problem(open_site: TestClient):
    answer = open_site.post("/sign-in", content=b"x", headers={"content-type": "multipart/form-data; boundary=y"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_who_goes_away_in_the_middle_of_a_request_is_no_defect(app: App):
    told: list[str] = []
    site = make_site(app, open_to_all=True, emit=lambda event, **_: told.append(event))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None: ...

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": f"{API}/jobs", "query_string": b"", "headers": headers}
    asyncio.run(site.asgi(scope, receive, send))
    site.desk.close()
    assert told == []
