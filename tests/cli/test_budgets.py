"""`relet budgets`: listed, set, lifted, forgotten."""

from __future__ import annotations

from relet.job.job import Options
from relet.shapes.costs import BudgetOut
from relet.store.records import Notes, Usage
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms
from tests.store.hands import Worker, put_new


def spend(shop: Shop, amount: str) -> None:
    """By a job of the queue "default"."""
    put_new(shop.store)
    worker = Worker(shop.store)
    claim = worker.take()
    worker.turn(notes=Notes(usage=[Usage(claim.job_id, claim.epoch, 0, "cost", amount, "USD", None)]))


def test_a_person_sets_lists_lifts_and_forgets(cli: Cli, shop: Shop) -> None:
    assert "no worker has declared a budget" in cli("budgets", "ls").err
    made = cli("budgets", "set", "claude", "20 USD/day", "--queue", "default", "--warn", "0.5", "--json").json["budget"]
    assert conforms(made, BudgetOut)
    assert (made["amount"], made["closes"], made["warn"], made["state"]) == ("20", ["default"], "0.5", "open")

    spend(shop, "20")
    (found,) = cli("budgets", "ls", "--json").json["budgets"]
    assert (found["spent"], found["state"], found["origin"]) == ("20", "exceeded", "person")
    assert "$20.00  exceeded" in cli("budgets", "ls").out

    lifted = cli("budgets", "lift", "claude")
    assert ("lifted budget claude" in lifted.err, "$20.00, lifted" in lifted.out) == (True, True)
    assert "has closed nothing" in cli("budgets", "lift", "claude").err
    changed = cli("budgets", "set", "claude", "--on-exceeded", "reject", "--json").json["budget"]
    assert (changed["amount"], changed["on_exceeded"], changed["warn"]) == ("20", "reject", "0.5")
    assert "forgot budget claude" in cli("budgets", "forget", "claude").err
    assert cli("budgets", "ls", "--json").json["budgets"] == []


def test_a_budget_per_tenant_shows_its_tenants(cli: Cli, shop: Shop) -> None:
    cli("budgets", "set", "claude", "5 USD/month", "--limit", "llm", "--per", "tenant")
    put_new(shop.store, options=Options(tags={"tenant": "acme"}))
    worker = Worker(shop.store)
    claim = worker.take()
    worker.turn(notes=Notes(usage=[Usage(claim.job_id, claim.epoch, 0, "cost", "1.5", "USD", None)]))

    assert "acme  $1.50, open" in cli("budgets", "show", "claude").out
    (key,) = cli("budgets", "show", "claude", "--json").json["keys"]
    assert (key["key"], key["spent"], conforms(key, BudgetOut)) == ("acme", "1.5", True)


def test_what_is_not_there_or_no_budget_is_refused(cli: Cli, shop: Shop) -> None:
    cli("budgets", "set", "claude", "5 USD/day", "--queue", "q")
    missing = cli("budgets", "show", "cloud")
    assert (missing.status, "Did you mean 'claude'?" in missing.err) == (3, True)
    assert cli("budgets", "set", "other", "5 USD", "--queue", "q").status == 2
    assert cli("budgets", "set", "other", "5 USD/day").status == 2
