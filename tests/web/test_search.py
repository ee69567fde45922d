"""Searching jobs by text: what is found, what must not be, and how a search goes on. And dead letters by cause."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from relet import App
from relet.web.endpoints import search
from tests.app.work import work_off


def find(site: TestClient, **query: Any) -> Any:
    answer = site.get("/api/v1/jobs/search", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tos(page: Any) -> list[str]:
    return [job["args"]["to"] for job in page["jobs"]]


def test_jobs_are_found_by_arguments_errors_and_task_whatever_the_case(open_site: TestClient, app: App):
    for to in ("Ann@example.com", "bad", "100%_sure"):
        app.enqueue_by_name("mail.send", {"to": to})
    work_off(app)
    assert tos(find(open_site, text="ann@EXAMPLE")) == ["Ann@example.com"]
    assert tos(find(open_site, text="no mailbox")) == ["bad"]
    assert tos(find(open_site, text="0%_s")) == ["100%_sure"]
    assert tos(find(open_site, text="%%")) == []
    assert tos(find(open_site, text="mail.send")) == ["100%_sure", "bad", "Ann@example.com"]
    assert tos(find(open_site, text="mail.send", state="dead")) == ["bad"]
    assert tos(find(open_site, text="mail.send", queue="other")) == []


def test_a_search_is_among_the_jobs_that_are_asked_for(open_site: TestClient, app: App):
    app.enqueue_by_name("mail.send", {"to": "ann"})
    assert tos(find(open_site, text="ann", since="1h", state="ready")) == ["ann"]
    assert tos(find(open_site, text="ann", until="1h")) == []
    assert tos(find(open_site, text="ann", stuck="1h")) == []


def test_what_is_hidden_is_not_found_either(open_site: TestClient, app: App):
    app.enqueue_by_name("mail.send", {"to": "ghp_" + "c" * 36})
    assert find(open_site, text="cccc")["jobs"] == []


def test_a_search_says_how_far_it_went_and_goes_on_there(
    open_site: TestClient, app: App, monkeypatch: pytest.MonkeyPatch
):
    for n in range(5):
        app.enqueue_by_name("mail.send", {"to": f"x{n}"})
    monkeypatch.setattr(search, "WINDOW", 2)
    monkeypatch.setattr(search, "AT_MOST_US", -1)
    page = find(open_site, text="mail.send")
    assert (tos(page), page["looked_at"]) == (["x4", "x3"], 2)
    assert page["back_to"] == page["jobs"][-1]["created_at"]
    page = find(open_site, text="mail.send", before=page["next"])
    assert tos(page) == ["x2", "x1"]
    page = find(open_site, text="mail.send", before=page["next"])
    assert (tos(page), page["next"]) == (["x0"], None)


def test_dead_letters_are_grouped_and_listed_by_cause(open_site: TestClient, app: App):
    for n in range(3):
        app.enqueue_by_name("mail.send", {"to": "bad", "n": n})
    work_off(app)
    page = open_site.get("/api/v1/dead/causes").json()
    (cause,) = page["causes"]
    assert (cause["task"], cause["jobs"], cause["line"]) == ("mail.send", 3, "ValueError: no mailbox bad")
    assert (page["looked_at"], page["total"], page["all"]) == (3, 1, True)
    first = open_site.get("/api/v1/dead", params={"causes": cause["key"], "limit": 2}).json()
    rest = open_site.get("/api/v1/dead", params={"causes": cause["key"], "before": first["next"], "limit": 2}).json()
    assert [letter["args"]["n"] for letter in (*first["dead"], *rest["dead"])] == [2, 1, 0]
    assert (first["total"], rest["next"]) == (3, None)
    resolved = open_site.post("/api/v1/dead/resolve", json={"causes": [cause["key"]]}).json()
    assert resolved["done"] == 3
    assert open_site.get("/api/v1/dead/causes").json()["causes"] == []
