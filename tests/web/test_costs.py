"""What was consumed, over HTTP: summed, shown on its page, and held to budgets."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from relet import App, Context, Price
from tests.app.work import work_off

API = "/api/v1"


@pytest.fixture
def spent(app: App) -> None:
    """Two jobs of one dollar each."""
    app.prices["small"] = Price("1", "1")

    @app.task(name="ask", queue="models")
    def ask(ctx: Context, question: str) -> None:
        ctx.llm("small", input_tokens=600_000, output_tokens=400_000)

    ask.enqueue("who?")
    ask.enqueue("why?")
    work_off(app)


def sums(site: TestClient, **query: Any) -> list[tuple[str, str]]:
    costs = site.get(f"{API}/costs", params=query).json()["costs"]
    return sorted((cost["unit"], cost["amount"]) for cost in costs)


def test_costs_are_summed_by_what_is_asked(open_site: TestClient, spent: None):
    assert ("USD", "2") in sums(open_site)
    (by_task,) = [one for one in open_site.get(f"{API}/costs?by=task&by=model").json()["costs"] if one["unit"] == "USD"]
    assert (by_task["task"], by_task["model"], by_task["amount"]) == ("ask", "small", "2")
    assert sums(open_site, task="another") == []
    assert open_site.get(f"{API}/costs?by=colour").status_code == 400


def test_a_budget_is_set_used_up_lifted_and_forgotten(open_site: TestClient, spent: None, app: App):
    made = open_site.put(f"{API}/budgets/models", json={"amount": "1 USD/day", "queue": "models"}).json()
    assert (made["state"], made["amount"], made["closes"]) == ("open", "1", ["models"])
    app.tasks["ask"].enqueue("how?")
    work_off(app)
    assert open_site.get(f"{API}/budgets").json()["budgets"][0]["state"] == "exceeded"
    page = open_site.get("/admin/workers/costs").text
    assert "exceeded" in page
    assert "$3.00" in page
    assert open_site.post(f"{API}/budgets/models/lift", json={}).json()["state"] == "lifted"
    assert open_site.get(f"{API}/budgets/models").json()["keys"] == []
    assert open_site.delete(f"{API}/budgets/models").status_code == 200
    assert open_site.get(f"{API}/budgets/models").status_code == 404
