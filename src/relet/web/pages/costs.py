"""What jobs have consumed: of each unit by task, by model and by day; and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from relet.job.money import money_text
from relet.shapes.costs import BudgetOut, CostOut
from relet.web.pages.charts import Spark, spark
from relet.web.pages.page import Facts, Look, Page

SINCE = ("24h", "7d", "30d")
MOST = 20
"""So many rows of each table."""


class Row(NamedTuple):
    """What was consumed of one unit, by something that has a name."""

    name: str
    unit: str
    amount: str
    percent: int
    """Of all of the unit."""


class Total(NamedTuple):
    """All of one unit."""

    unit: str
    amount: str
    days: Spark | None
    """Day by day, or hour by hour."""


class Spent(NamedTuple):
    """A budget with how much of it is used."""

    budget: BudgetOut
    spent: str
    percent: int


def gather(look: Look) -> Facts:
    """Its facts."""
    asked = look.query.get("since", "30d")
    since = asked if asked in SINCE else "30d"
    step = "hour" if since == "24h" else "day"
    days = _sums(look, since, step)
    totals = {
        unit: sum((Decimal(one["amount"]) for one in days if one["unit"] == unit), Decimal()) for unit in _units(days)
    }
    return {
        "since": since,
        "choices": SINCE,
        "totals": [Total(unit, money_text(total, unit), _line(days, unit)) for unit, total in totals.items()],
        "tables": [(name, _rows(_sums(look, since, name), name, totals)) for name in ("task", "model", "tenant")],
        "budgets": [_spent(budget) for budget in look.read("budgets.list")["budgets"]]
        if look.may("budgets.list")
        else [],
    }


def _sums(look: Look, since: str, by: str) -> list[CostOut]:
    return look.read("costs.sum", by=[by], since=since)["costs"]


def _units(costs: Sequence[CostOut]) -> list[str]:
    return sorted({one["unit"] for one in costs})


def _line(costs: Sequence[CostOut], unit: str) -> Spark | None:
    return spark([float(one["amount"]) for one in costs if one["unit"] == unit])


def _rows(costs: Sequence[CostOut], by: str, totals: dict[str, Decimal]) -> list[Row]:
    """Those with the most first, unit by unit."""
    ordered = sorted(costs, key=lambda one: (one["unit"], -Decimal(one["amount"])))
    return [_row(one, by, totals[one["unit"]]) for one in ordered if one["unit"] in totals and _name(one, by)][:MOST]


def _row(cost: CostOut, by: str, total: Decimal) -> Row:
    amount, unit = Decimal(cost["amount"]), cost["unit"]
    return Row(_name(cost, by), unit, money_text(amount, unit), round(100 * amount / total) if total else 0)


def _name(cost: CostOut, by: str) -> str:
    named: dict[str, Any] = {**cost}
    return named[by] or ""


def _spent(budget: BudgetOut) -> Spent:
    spent, amount = Decimal(budget["spent"]), Decimal(budget["amount"])
    return Spent(budget, money_text(spent, budget["unit"]), round(100 * spent / amount) if amount else 100)


PAGES = (Page("costs", "/costs", "Costs", "costs.sum", gather, key="c", live=("totals", "budgets", "tables")),)
