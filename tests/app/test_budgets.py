"""Budgets through the app."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from relet import App, Context, Limit
from relet.errors import NotFound, Refused, UsageError
from relet.maintain.budgets import TellBudgets
from relet.maintain.declaring import declare
from tests.app.work import work_off


def written(app: App) -> None:
    """What code declares, as a worker that starts writes it."""
    with app.shared.use() as store:
        declare(store, app, app.settings)


def test_a_budget_of_code_pauses_its_queue_when_it_is_used_up(app: App) -> None:
    budget = app.budget("ai", "1 USD/day", queue="ai")

    @app.task(name="ask", queue="ai")
    def ask(ctx: Context) -> None:
        ctx.cost("0.5")

    written(app)
    job = [ask.enqueue() for _ in range(3)][-1]
    assert work_off(app) == 2
    use = budget.status()
    assert (use.spent, use.warned, use.exceeded, use.lifted) == (1, True, True, False)
    assert use.until.time() == datetime.min.time()
    assert "paused by budget ai" in app.why(job.id)[0]
    assert "relet budgets lift ai" in app.why(job.id)[0]

    assert budget.lift(by="ann")
    assert not budget.lift(by="ann")
    assert work_off(app) == 1
    assert budget.status().lifted


def test_a_budget_that_rejects_refuses_new_jobs_and_is_set_and_forgotten_by_a_person(app: App) -> None:
    app.budget("ai", "1 USD/day", queue="ai", on_exceeded="reject")

    @app.task(name="ask", queue="ai")
    def ask(ctx: Context) -> None:
        ctx.cost(1)

    written(app)
    ask.enqueue()
    work_off(app)
    with pytest.raises(Refused, match="budget ai"):
        ask.enqueue()

    app.budgets["ai"].set("2 USD/day", by="ann")
    ask.enqueue()
    (info,) = app.budgets.list()
    assert (info.amount, info.unit, info.window, info.closes) == (Decimal(2), "USD", "day", ("ai",))
    assert (info.origin, info.changed_by, info.on_exceeded) == ("person", "ann", "reject")
    app.budgets["ai"].set(queue="other")
    assert app.budgets["ai"].info().closes == ("other",)
    assert [budget.name for budget in app.budgets] == ["ai"]
    assert app.budgets["ai"].forget()
    assert app.budgets.list() == []


def test_a_budget_per_tenant_pauses_the_line_of_one_and_why_names_it(app: App) -> None:
    line = Limit("llm", concurrency=1, per="{tenant}")
    app.budget("llm", "1 USD/day", per="tenant", limit="llm")

    @app.task(name="ask", limits=[line], fair_by="{tenant}")
    def ask(ctx: Context, tenant: str) -> None:
        ctx.cost("1")

    written(app)
    jobs = [ask.enqueue("acme") for _ in range(2)] + [ask.enqueue("bolt")]
    assert work_off(app) == 2
    (sentence, *_) = app.why(jobs[1].id)
    assert "by budget llm, which is used up." in sentence
    assert "relet budgets lift llm --key acme" in sentence
    page = app.budgets["llm"].keys(limit=10)
    assert [(use.key, use.spent) for use in page] == [("acme", 1), ("bolt", 1)]
    assert app.budgets["llm"].keys(after="acme")[0].key == "bolt"
    assert app.budgets["llm"].status("acme").exceeded
    assert not app.budgets["llm"].status("nobody").exceeded

    assert app.budgets["llm"].lift("acme")
    assert work_off(app) == 1


def test_what_is_no_budget_is_refused(app: App) -> None:
    with pytest.raises(UsageError):
        app.budget("ai", "1 USD/day")
    with pytest.raises(TypeError, match="did you mean 'queue'"):
        app.budget("ai", "1 USD/day", queues="ai")  # type: ignore[call-arg]  # that is the point
    with pytest.raises(NotFound, match="relet budgets ls"):
        app.budgets["ai"].status()
    with pytest.raises(UsageError):
        app.budgets["ai"].set()


def test_each_is_told_of_once_with_what_it_does(app: App) -> None:
    app.budget("ai", "1 USD/day", queue="ai", warn="0.5")

    @app.task(name="ask", queue="ai")
    def ask(ctx: Context) -> None:
        ctx.cost("0.6")

    written(app)
    heard: list[tuple[str, dict[str, Any]]] = []
    chore = TellBudgets(lambda event, /, **fields: heard.append((event, fields)))
    for _ in range(2):
        ask.enqueue()
        work_off(app)
        with app.shared.use() as store:
            for _ in range(2):
                chore.run(store)

    assert [(event, fields["budget"], fields["spent"]) for event, fields in heard] == [
        ("budget.warned", "ai", "$0.60"),
        ("budget.exceeded", "ai", "$1.20"),
    ]
    assert heard[1][1]["does"] == "pauses queue ai"
    assert datetime.fromisoformat(heard[1][1]["until"]).tzinfo == UTC
