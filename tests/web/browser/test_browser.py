"""The dashboard in a real browser, mounted below a path: for everybody, by keyboard, without JavaScript, on a phone, and live."""

from collections.abc import Callable
from typing import Any

import pytest

from relet import App
from relet.web.pages.routes import ALL
from tests.app.work import work_off
from tests.support.waiting import until

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NewPage = Callable[..., Any]


def addresses(app: App) -> dict[str, str]:
    """Where each page is, and some of them in another view."""
    dead, held = app.dead.list()[0].id, app.jobs.list(state="running")[0].id
    sent = app.webhooks.deliveries()[0].id
    named = {"queue": "email", "routine": "tick", "schedule": "nightly", "limit": "crm"}
    found = {one.name: one.path.replace("{name}", named.get(one.name, "")) for one in ALL}
    views = {"causes": "/dead", "letters": "/dead?view=open", "resolved": "/dead?view=resolved"}
    jobs = {
        "job": f"/jobs/{held}",
        "dead job": f"/jobs/{dead}",
        "search": "/jobs?q=mailbox",
        "none": "/jobs?q=task:nobody",
    }
    return {**found, **views, **jobs, "delivery": f"/deliveries/{sent}", "not there": "/nothing"}


@pytest.mark.parametrize(("theme", "rules"), [("light", RULES), ("dark", ["color-contrast"])])
def test_no_page_keeps_anybody_out_or_complains(
    new_page: NewPage, served: str, app: App, axe: str, errors: list[str], theme: str, rules: list[str]
):
    page = new_page(color_scheme=theme)
    wrong: list[Any] = []
    for name, path in addresses(app).items():
        page.goto(served + path, wait_until="domcontentloaded")
        page.evaluate(f"{axe};0")
        found = page.evaluate(f"axe.run(document, {{runOnly: {rules}}})")["violations"]
        wrong += [(name, one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in found]
    assert wrong == []
    assert [error for error in errors if "404" not in error] == []


def test_on_a_phone_no_page_is_wider_than_the_screen(new_page: NewPage, served: str, app: App):
    page = new_page(viewport={"width": 390, "height": 844}, is_mobile=True)
    widths: dict[str, int] = {}
    for name, path in addresses(app).items():
        page.goto(served + path, wait_until="domcontentloaded")
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: wide for name, wide in widths.items() if wide > 390} == {}


def test_without_scripts_a_dead_job_is_found_opened_and_retried(new_page: NewPage, served: str, app: App):
    job = app.enqueue_by_name("mail.send", {"to": "bad", "n": 4711})
    work_off(app)
    page = new_page(java_script_enabled=False)
    page.goto(f"{served}/jobs")
    page.fill("#q", "state:dead queue:email")
    page.press("#q", "Enter")
    page.click(f'tr[data-k="{job.id}"] a')
    assert page.url.endswith(f"/a/b/admin/workers/jobs/{job.id}")
    page.click("text=Retry >> nth=0")
    assert page.inner_text(".said") == f"Done: retried {job.id}."
    assert job.info().state == "ready"
    job.cancel()


def test_by_keyboard_alone_the_dead_of_one_cause_are_retried_and_it_is_seen_in_the_audit_log(
    new_page: NewPage, served: str, app: App, errors: list[str]
):
    jobs = [app.enqueue_by_name("mail.send", {"to": "bad", "n": n}, queue="keys") for n in range(3)]
    work_off(app)
    page = new_page()
    page.goto(served)
    keys = page.keyboard
    keys.press("g")
    keys.press("d")
    page.wait_for_url("**/dead")
    before = page.inner_text("tbody tr:first-child")
    assert "no mailbox #" in before
    keys.press("j")
    keys.press("x")
    count = page.inner_text("[data-picked]")
    assert count.startswith("1 cause, ")
    keys.press("r")
    page.wait_for_url("**/do/dead.retry-matching")
    assert count.removeprefix("1 cause, ") in page.inner_text("main h2")
    keys.press("Enter")
    page.wait_for_url("**/dead")
    assert page.inner_text(".said").startswith("Done: retry, ")
    assert all(job.info().state == "ready" for job in jobs)
    keys.press("g")
    keys.press("a")
    page.wait_for_url("**/audit")
    assert "dead.retry-matching" in page.inner_text("tbody tr:first-child")
    assert errors == []
    work_off(app)


def test_what_changes_is_seen_within_a_moment_and_what_people_are_at_stays(new_page: NewPage, served: str, app: App):
    job = app.enqueue_by_name("mail.send", {"to": "bad", "n": 1}, queue="live")
    work_off(app)
    page = new_page(viewport={"width": 1280, "height": 400})
    page.goto(f"{served}/jobs/{job.id}")
    page.wait_for_selector("#live[data-state=live]")
    page.evaluate("document.querySelector('details.attempt').open = false")
    page.click("text=Retry with other arguments")
    page.fill("textarea[name=edited]", '{"to": "nobody')
    page.evaluate("window.scrollTo(0, 120)")
    page.evaluate(
        "window.patches = 0;"
        "new MutationObserver(() => window.patches++).observe("
        "document.querySelector('[data-live=facts]'), {subtree: true, childList: true, characterData: true})"
    )
    until(lambda: page.evaluate("window.patches") >= 10)
    kept = page.evaluate(
        "[document.activeElement.name, document.activeElement.value, window.scrollY, "
        "document.querySelector('details.attempt').open, document.querySelectorAll('details.card')[0].open]"
    )
    assert kept == ["edited", '{"to": "nobody', 120, False, True]
    app.dead.retry(job.id)
    page.wait_for_selector('[data-live=facts] .badge:has-text("ready")', timeout=1_500)
    job.cancel()
    page.wait_for_selector('[data-live=facts] .badge:has-text("cancelled")', timeout=1_500)


def test_a_list_does_not_jump_and_a_selection_is_kept(new_page: NewPage, served: str, app: App):
    app.enqueue_by_name("mail.send", {"to": "first"}, queue="jumpy", delay="1h")
    page = new_page()
    page.goto(f"{served}/jobs?q=queue:jumpy")
    page.wait_for_selector("#live[data-state=live]")
    page.check("tbody tr:first-child input")
    second = app.enqueue_by_name("mail.send", {"to": "second"}, queue="jumpy", delay="1h")
    page.wait_for_selector("#new:has-text('1')", timeout=1_500)
    assert page.locator("tbody tr").count() == 1
    page.click("#new")
    assert page.locator("tbody tr").count() == 2
    assert page.get_attribute("tbody tr:first-child", "data-k") == str(second.id)
    assert page.is_checked("tbody tr:nth-child(2) input")
    assert not page.is_checked("tbody tr:nth-child(1) input")
    second.cancel()
    page.wait_for_selector('tbody tr:first-child .badge:has-text("cancelled")', timeout=1_500)


def test_what_is_paused_stands_still_and_the_theme_is_kept(new_page: NewPage, served: str, app: App):
    page = new_page(color_scheme="light")
    page.goto(f"{served}/queues")
    page.wait_for_selector("#live[data-state=live]")
    page.keyboard.press("p")
    assert page.inner_text("#live") == "Paused"
    app.enqueue_by_name("mail.send", {"to": "x"}, queue="unseen", delay="1h")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("text=unseen").count() == 0
    until(lambda: page.evaluate("document.cookie.includes('relet_theme=dark')"))
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.wait_for_selector("text=unseen")
