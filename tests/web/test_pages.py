"""The pages: who sees what, what their forms do, and that nothing of what jobs say gets out of its place."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from relet import App
from relet.job.redact import HIDDEN
from relet.web.auth import COOKIE
from relet.web.endpoints import BY_NAME
from relet.web.pages import doing, overview
from relet.web.pages.routes import ALL
from relet.web.render import templates
from relet.web.site import make_site
from relet.web.tokens import Made, open_visit
from tests.app.work import work_off
from tests.web.conftest import ROOT

BASE = "/admin/workers"
ELSEWHERE = ("routine", "limit", "delivery")
"""Pages of what workers write down; the page of a schedule is the same as that of a routine."""
BROWSER = {"sec-fetch-site": "same-origin", "origin": ROOT}
Token = Callable[..., Made]


def run_out(app: App) -> None:
    """Run all that is ready."""
    work_off(app)


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    return unescape(found[1]) if found else ""


def do(site: TestClient, name: str, back: str = BASE, /, **fields: Any) -> Any:
    """Send a form, as a page of ours does, and follow it to the page that it ends at."""
    data = {"csrf": csrf_of(site.get(f"{BASE}/jobs").text), "back": back, **fields}
    return site.post(f"{BASE}/do/{name}", data=data, headers=BROWSER)


def signed_in(app: App, site: TestClient, token: Token, role: str, **more: Any) -> TestClient:
    made = token(role, **more)
    with app.shared.use() as store:
        row = next(row for row in store.tokens() if row.id == made.id)
        site.cookies.set(COOKIE, open_visit(store, row).cookie)
    return site


def audits(app: App) -> list[str]:
    with app.shared.use() as store:
        return [row.act for row in store.audits()]


def address(one: Any, job: str) -> str:
    return BASE + one.path.replace("{id}", job).replace("{name}", "nightly" if one.name == "schedule" else "email")


@pytest.fixture
def dead(app: App) -> str:
    """A dead job, and some others."""
    app.enqueue_by_name("mail.send", {"to": "ann"})
    job = app.enqueue_by_name("mail.send", {"to": "bad", "n": 7})
    app.enqueue_by_name("mail.send", {"to": "late"}, delay="1h")
    app.schedules.upsert_by_name("nightly", "mail.send", {"to": "ann"}, every="1h")
    work_off(app)
    return str(job.id)


# ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_every_page_is_there_empty_and_with_jobs(open_site: TestClient, app: App):
    plain = [one for one in ALL if "{" not in one.path]
    for one in plain:
        assert open_site.get(BASE + one.path).status_code == 200, one.name
    app.enqueue_by_name("mail.send", {"to": "bad"})
    app.schedules.upsert_by_name("nightly", "mail.send", {"to": "ann"}, every="1h")
    work_off(app)
    job = str(app.jobs.list()[0].id)
    for one in ALL:
        if one.name in ELSEWHERE:
            continue
        page = open_site.get(address(one, job))
        assert page.status_code == 200, (one.name, page.text)
        assert page.headers["content-security-policy"].startswith("default-src 'self';")
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text), one.name


def test_a_page_that_is_not_there_is_told_as_a_page(open_site: TestClient):
    for path in ("/nothing", "/jobs/01890000-0000-7000-8000-000000000000", "/limits/nobody", "/routines/nobody"):
        found = open_site.get(BASE + path)
        assert (found.status_code, found.headers["content-type"]) == (404, "text/html; charset=utf-8"), path


def test_who_has_not_signed_in_is_asked_to_and_comes_back(closed_site: TestClient):
    found = closed_site.get(f"{BASE}/dead", follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (303, f"/sign-in?to={BASE}/dead")


def test_the_root_leads_to_the_dashboard(open_site: TestClient):
    assert open_site.get("/", follow_redirects=False).headers["location"] == BASE


def test_all_addresses_are_below_the_path_that_the_site_is_mounted_at(app: App, dead: str):
    from starlette.applications import Starlette
    from starlette.routing import Mount

    made = make_site(app, open_to_all=True)
    site = TestClient(Starlette(routes=[Mount("/a/b", made.asgi)]), base_url=ROOT)
    for one in ALL:
        if one.name in ELSEWHERE:
            continue
        text = site.get(f"/a/b{address(one, dead)}").text
        found = re.findall(r'(?:href|src|action|formaction|data-base|data-events)="([^"#]*)"', text)
        assert found
        assert [place for place in found if not place.startswith("/a/b/")] == [], one.name
    assert site.get("/a/b/", follow_redirects=False).headers["location"] == f"/a/b{BASE}"
    assert site.get(f"/a/b{BASE}/static/relet.css").status_code == 200
    made.desk.close()


def test_what_a_job_says_is_text_and_never_markup(open_site: TestClient, app: App):
    job = app.enqueue_by_name("mail.send", {"to": "<script>alert(1)</script>"})
    for path in (f"/jobs/{job.id}", "/jobs", "/jobs?q=%3Cscript%3Ealert(2)%3C/script%3E"):
        page = open_site.get(BASE + path).text
        assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in open_site.get(f"{BASE}/jobs/{job.id}").text


def test_secrets_are_hidden_and_long_arguments_are_cut_until_they_are_asked_for(open_site: TestClient, app: App):
    secret = "ghp_" + "a" * 36
    job = app.enqueue_by_name("mail.send", {"to": f"{secret} {'long ' * 6_000}end of it"})
    page, whole = open_site.get(f"{BASE}/jobs/{job.id}").text, open_site.get(f"{BASE}/jobs/{job.id}/args").text
    assert secret not in page
    assert "end of it" not in page
    assert f"/jobs/{job.id}/args" in page
    assert secret not in whole
    assert "end of it" in whole


def test_a_viewer_sees_no_buttons_and_is_refused_without_them(
    app: App, closed_site: TestClient, token: Token, dead: str
):
    site = signed_in(app, closed_site, token, "viewer")
    for one in ALL:
        if one.name in (*ELSEWHERE, "audit", "webhooks"):
            continue
        assert "/do/" not in site.get(address(one, dead)).text, one.name
    assert site.get(f"{BASE}/audit").status_code == 403
    assert "Audit" not in site.get(BASE).text
    refused = do(site, "dead.retry", id=dead)
    assert refused.status_code == 403
    assert app.dead.get(dead) is not None


def test_a_token_for_jobs_alone_sees_no_other_page(app: App, closed_site: TestClient, token: Token):
    site = signed_in(app, closed_site, token, "admin", scopes=["jobs.*"])
    page = site.get(f"{BASE}/jobs")
    assert page.status_code == 200
    assert f'href="{BASE}/dead"' not in page.text
    assert site.get(f"{BASE}/dead").status_code == 403


def test_lists_go_on_behind_their_last_row(open_site: TestClient, app: App):
    ids = [str(app.enqueue_by_name("mail.send", {"to": str(n)}).id) for n in range(60)]
    first = open_site.get(f"{BASE}/jobs?q=queue:email").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = open_site.get(unescape(older[1])).text
    shown = re.findall(r'<tr data-k="([^"]+)"', first) + re.findall(r'<tr data-k="([^"]+)"', second)
    assert shown == ids[::-1]


# ── doing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_form_does_what_the_endpoint_does_and_is_written_down(open_site: TestClient, app: App):
    app.enqueue_by_name("mail.send", {"to": "ann"})
    page = do(open_site, "queues.pause", f"{BASE}/queues/email", name="email", reason="a storm")
    assert page.url.path == f"{BASE}/queues/email"
    assert "a storm" in page.text
    assert "Done: pause email." in page.text
    assert app.queues["email"].status().paused_at is not None
    assert audits(app) == ["queues.pause"]
    assert "Done: pause" not in open_site.get(f"{BASE}/queues/email").text


def test_a_form_of_another_site_does_nothing(open_site: TestClient, app: App):
    data = {"name": "email", "back": BASE, "csrf": csrf_of(open_site.get(f"{BASE}/jobs").text)}
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert open_site.post(f"{BASE}/do/queues.pause", data=data, headers=elsewhere).status_code == 403
    assert open_site.post(f"{BASE}/do/queues.pause", data={**data, "csrf": "x"}, headers=BROWSER).status_code == 403
    assert open_site.post(f"{BASE}/do/queues.pause", data={**data, "csrf": ""}, headers=BROWSER).status_code == 403
    assert audits(app) == []


def test_a_form_leads_back_to_pages_of_ours_alone(open_site: TestClient):
    token = csrf_of(open_site.get(f"{BASE}/jobs").text)
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"):
        data = {"csrf": token, "back": back, "name": "email"}
        sent = open_site.post(f"{BASE}/do/queues.resume", data=data, headers=BROWSER, follow_redirects=False)
        assert sent.headers["location"] == BASE, back


def test_what_reads_cannot_be_done_by_a_form(open_site: TestClient):
    for name in ("jobs.list", "nothing.at-all"):
        assert do(open_site, name).status_code == 404


def test_many_are_asked_back_with_their_number_and_done_when_sure(open_site: TestClient, app: App, dead: str):
    asked = do(open_site, "dead.retry-matching", f"{BASE}/dead", queue="email")
    assert "Retry 1 job" in asked.text
    assert app.dead.get(dead) is not None
    assert audits(app) == []
    done = do(open_site, "dead.retry-matching", f"{BASE}/dead", queue="email", sure="yes", note_for_audit="fixed")
    assert "Done: retry, 1 job." in done.text
    assert app.job(dead).info().state == "ready"
    with app.shared.use() as store:
        assert [(row.act, row.reason, row.done) for row in store.audits()] == [("dead.retry-matching", "fixed", 1)]


def test_of_very_many_the_verb_has_to_be_typed(
    open_site: TestClient, app: App, monkeypatch: pytest.MonkeyPatch, dead: str
):
    monkeypatch.setattr(doing, "TYPED_ABOVE", 0)
    assert 'name="typed"' in do(open_site, "dead.delete-matching").text
    assert do(open_site, "dead.delete-matching", sure="yes").status_code == 400
    assert app.dead.get(dead) is not None
    assert do(open_site, "dead.delete-matching", sure="yes", typed="Delete ").status_code == 200
    with app.shared.use() as store:
        assert store.insights.job(app.job(dead).id.bytes) is None


def test_selected_jobs_are_changed_and_no_others(open_site: TestClient, app: App):
    jobs = [app.enqueue_by_name("mail.send", {"to": str(n)}) for n in range(3)]
    chosen = [str(job.id) for job in jobs[:2]]
    assert "Cancel 2 jobs" in do(open_site, "jobs.cancel-matching", ids=chosen).text
    do(open_site, "jobs.cancel-matching", ids=chosen, sure="yes")
    assert [str(job.info().state) for job in jobs] == ["cancelled", "cancelled", "ready"]


def test_a_form_for_selected_jobs_that_selects_none_does_nothing(open_site: TestClient, app: App):
    job = app.enqueue_by_name("mail.send", {"to": "ann"})
    for name in ("jobs.cancel-matching", "dead.delete-matching"):
        assert "Nothing was selected" in do(open_site, name, chosen="yes").text
        assert "Nothing was selected" in do(open_site, name, chosen="yes", sure="yes").text
    assert job.info().state == "ready"
    assert 'name="chosen"' in open_site.get(f"{BASE}/jobs").text


def test_each_one_that_was_refused_is_named_with_why(open_site: TestClient, app: App):
    ended, ready = (app.enqueue_by_name("mail.send", {"to": str(n)}) for n in range(2))
    ended.cancel()
    page = do(open_site, "jobs.cancel-matching", ids=[str(ended.id), str(ready.id)], sure="yes").text
    assert "1 of 2 jobs done" in page
    assert str(ended.id) in page
    assert "it has ended: cancelled" in page


def test_causes_are_retried_as_one(open_site: TestClient, app: App):
    for n in range(3):
        app.enqueue_by_name("mail.send", {"to": "bad", "n": n})
    work_off(app)
    page = open_site.get(f"{BASE}/dead").text
    (key,) = re.findall(r'name="causes" value="([^"]+)"', page)
    assert "3 unresolved dead letters, 1 cause" in page
    assert "Retry 3 jobs" in do(open_site, "dead.retry-matching", causes=[key]).text
    do(open_site, "dead.retry-matching", causes=[key], sure="yes")
    assert {str(info.state) for info in app.jobs.list()} == {"ready"}
    assert open_site.get(f"{BASE}/dead").text.count('name="causes"') == 0


def test_dead_letters_are_exported_as_json_lines(open_site: TestClient, dead: str):
    (line,) = open_site.get(f"{BASE}/dead/export?resolved=false").text.splitlines()
    assert json.loads(line)["id"] == dead
    assert open_site.get(f"{BASE}/dead/export?resolved=true").text == ""


def test_edited_arguments_change_what_was_edited_and_keep_what_is_hidden(open_site: TestClient, app: App):
    job = app.enqueue_by_name("mail.send", {"to": "ghp_" + "b" * 36, "n": 1})
    work_off(app)
    shown = unescape(re.findall(r'name="shown" value="([^"]*)"', open_site.get(f"{BASE}/jobs/{job.id}").text)[0])
    assert HIDDEN in shown
    page = do(open_site, "jobs.run-again", id=str(job.id), shown=shown, edited=shown.replace('"n": 1', '"n": 5'))
    again = page.url.path.rpartition("/")[2]
    with app.shared.use() as store:
        row = store.insights.job(app.job(again).id.bytes)
    assert row is not None
    assert json.loads(row.args) == {"to": "ghp_" + "b" * 36, "n": 5}


def test_arguments_that_would_lose_something_are_refused(open_site: TestClient, app: App):
    job = app.enqueue_by_name("mail.send", {"to": "ann", "n": 1})
    shown = '{"to": "ann", "n": 1}'
    for edited in ("{", "[]", '{"n": 1}', json.dumps({"to": f"x {HIDDEN}", "n": 1})):
        assert do(open_site, "jobs.run-again", id=str(job.id), shown=shown, edited=edited).status_code == 400, edited
    assert len(app.jobs.list()) == 1


def test_a_new_token_is_shown_once_and_not_in_an_address(open_site: TestClient):
    page = do(open_site, "tokens.add", name="ci", role="viewer")
    (text,) = re.findall(r"relet_[\w-]{40,}", page.text)
    assert text not in str(page.url)
    assert text not in open_site.get(f"{BASE}/audit").text


def test_every_act_that_takes_something_away_is_asked_back():
    for name, endpoint in BY_NAME.items():
        if endpoint.changes and re.search(r"delete|purge|stop|revoke|forget|matching", name):
            assert name in doing.ASKED_BACK or "dry_run" in endpoint.takes.__struct_fields__, name


def test_the_theme_is_kept_by_a_cookie_and_nothing_else_is_believed(open_site: TestClient):
    open_site.post(f"{BASE}/looks", data={"theme": "dark", "back": BASE})
    assert '<html lang="en" data-theme="dark">' in open_site.get(BASE).text
    open_site.post(f"{BASE}/looks", data={"theme": '"><script>', "back": BASE})
    assert '<html lang="en">' in open_site.get(BASE).text


def test_every_live_part_is_a_block_of_its_page():
    for one in ALL:
        assert set(one.live) <= set(templates().get_template(one.template).blocks), one.name


def test_a_defect_is_told_as_a_page_with_its_number(open_site: TestClient, monkeypatch: pytest.MonkeyPatch):
    def broken(_status: object) -> str:
        raise KeyError("no such thing")

    monkeypatch.setattr(overview, "sentence", broken)
    found = open_site.get(BASE)
    assert (found.status_code, found.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "logged under" in found.text
