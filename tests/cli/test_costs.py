"""`relet costs`: what was consumed."""

from __future__ import annotations

from relet.shapes.costs import CostOut
from relet.store.records import Notes, Usage
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms
from tests.store.hands import Worker, put_new


def consume(shop: Shop) -> None:
    put_new(shop.store, "t")
    worker = Worker(shop.store)
    claim = worker.take()
    said = [
        Usage(claim.job_id, claim.epoch, 0, "cost", "0.0125", "USD", '{"model": "haiku"}'),
        Usage(claim.job_id, claim.epoch, 1, "output_tokens", "2500", "tokens", '{"model": "haiku"}'),
    ]
    worker.turn(notes=Notes(usage=said))


def test_costs_are_listed_by_names_and_times(cli: Cli, shop: Shop) -> None:
    assert "nothing was consumed" in cli("costs").err
    consume(shop)

    assert [line.split() for line in cli("costs").out.splitlines()] == [
        ["TASK", "AMOUNT"],
        ["t", "$0.0125"],
        ["t", "2,500", "tokens"],
    ]
    found = cli("costs", "--by", "day,model", "--json").json["costs"]
    assert [(row["unit"], row["amount"], row["model"], row["task"]) for row in found] == [
        ("USD", "0.0125", "haiku", None),
        ("tokens", "2500", "haiku", None),
    ]
    assert all(conforms(row, CostOut) for row in found)
    assert found[0]["at"].endswith("T00:00:00Z")
    assert cli("costs", "--task", "other", "--json").json["costs"] == []
    assert len(cli("costs", "--by", "", "--since", "1h", "--json").json["costs"]) == 2


def test_what_costs_cannot_be_listed_by_is_refused(cli: Cli, shop: Shop) -> None:
    wrong = cli("costs", "--by", "colour")
    assert (wrong.status, "task, queue, model, tenant, kind, day, hour" in wrong.err) == (2, True)


def test_a_job_shows_what_it_has_cost(cli: Cli, shop: Shop) -> None:
    consume(shop)
    (job,) = cli("jobs", "ls", "--json").json["jobs"]

    assert "cost      2,500 tokens | $0.0125" in cli("jobs", "show", job["id"]).out
