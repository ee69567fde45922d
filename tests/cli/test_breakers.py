"""`relet breakers`: what is listed, and how they are steered."""

from __future__ import annotations

from relet.job.breaker import Rule
from relet.shapes import schema
from relet.store.records import Report
from tests.cli.conftest import Cli, Shop
from tests.cli.schema_check import conforms


def declare(shop: Shop) -> None:
    shop.store.declare_breakers({"stripe": Rule(2), "task:mail": Rule(2)}, "worker-1")


def test_ls_and_show(cli: Cli, shop: Shop) -> None:
    assert "no worker has declared a circuit breaker" in cli("breakers", "ls").err
    declare(shop)
    shop.store.report_outcomes([Report("stripe", (-2,), (), "OSError: down")])

    found = cli("breakers", "ls", "--json").json["breakers"]
    assert [(row["name"], row["state"], row["trips"]) for row in found] == [
        ("stripe", "open", 1),
        ("task:mail", "closed", 0),
    ]
    assert all(conforms(row, schema.BreakerOut) for row in found)
    assert found[0]["changed_by"] == "relet"
    assert "2 failures in a row: OSError: down" in cli("breakers", "ls").out

    shown = cli("breakers", "show", "stripe")
    assert "2 failures in a row; tries again after 1m" in shown.out
    assert "OSError: down" in shown.out
    wrong = cli("breakers", "show", "strip")
    assert (wrong.status, "Did you mean 'stripe'?" in wrong.err) == (3, True)
    assert "Did you mean 'task:mail'?" in cli("breakers", "show", "mail").err


def test_a_person_opens_closes_and_resets(cli: Cli, shop: Shop) -> None:
    declare(shop)
    opened = cli("breakers", "open", "stripe", "task:mail", "--reason", "maintenance", "--json").json["breakers"]
    assert [(row["state"], row["because"], row["probe_at"]) for row in opened] == [("open", "maintenance", None)] * 2
    assert opened[0]["changed_by"] not in ("relet", "")
    assert "when closed" in cli("breakers", "ls").out

    closed = cli("breakers", "close", "stripe", "--json").json["breakers"]
    assert [(row["state"], row["opened_at"]) for row in closed] == [("closed", None)]
    shop.store.report_outcomes([Report("stripe", (-2,), (), "OSError: down")])
    reset = cli("breakers", "reset", "stripe", "--json").json["breakers"]
    assert [(row["state"], row["trips"], row["last_error"]) for row in reset] == [("closed", 0, "")]


def test_open_for_a_while(cli: Cli, shop: Shop) -> None:
    declare(shop)
    (row,) = cli("breakers", "open", "stripe", "--for", "30m", "--json").json["breakers"]
    assert row["probe_at"] is not None
    assert cli("breakers", "open", "stripe", "--for", "soon").status == 2


def test_all_have_to_be_there_or_nothing_is_done(cli: Cli, shop: Shop) -> None:
    declare(shop)
    assert cli("breakers", "open", "stripe", "who").status == 3
    assert shop.store.insights.breaker("stripe").status.opened_at is None  # type: ignore[union-attr]  # it is there


def test_doctor_names_those_that_are_open(cli: Cli, shop: Shop) -> None:
    declare(shop)
    assert "none is open" in cli("doctor").out
    shop.store.report_outcomes([Report("stripe", (-2,), (), "OSError: down")])
    said = cli("doctor").out
    assert "breaker stripe is open, opened" in said
    assert "relet breakers show stripe" in said


def test_status_and_the_queues_name_those_that_are_open(cli: Cli, shop: Shop) -> None:
    declare(shop)
    shop.store.declare_breakers({"queue:default": Rule(2)}, "worker-1")
    shop.add()
    calm = cli("status", "--json").json
    assert (calm["breakers"], "breaker" in cli("status").out + cli("queues", "ls").out) == ([], False)
    shop.store.report_outcomes([Report("task:mail", (-2,), (), "OSError: down"), Report("queue:default", (-2,))])

    status = cli("status", "--json").json
    assert conforms(status, schema.StatusOut)
    assert [row["name"] for row in status["breakers"]] == ["queue:default", "task:mail"]
    assert not any("breaker" in problem["what"] for problem in status["problems"]), "they try again by themselves"
    assert "task:mail" in cli("status").out
    listed = cli("queues", "ls")
    assert "breaker open" in listed.out
    assert "queue:default (open), task:mail (open)" in listed.err
    assert [row["name"] for row in cli("queues", "ls", "--json").json["breakers"]] == ["queue:default", "task:mail"]


def test_one_that_waits_for_a_person_is_a_problem(cli: Cli, shop: Shop) -> None:
    declare(shop)
    cli("breakers", "open", "stripe", "--reason", "maintenance")
    (problem,) = [each for each in cli("status", "--json").json["problems"] if "breaker" in each["what"]]
    assert problem["next"] == "relet breakers close stripe"
