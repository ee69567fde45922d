"""What `--json` prints of costs and budgets."""

from __future__ import annotations

from typing import TypedDict

from relet.costs import Cost
from relet.job.budget import Use
from relet.job.costs import decimal_of
from relet.job.redact import Redactor
from relet.shapes.records import time_text
from relet.store.cost_rows import BudgetRow

_REDACTOR = Redactor()


class CostOut(TypedDict):
    """What was consumed of one unit: `costs`. What was not asked for is null."""

    unit: str
    """A currency; "tokens"; "unpriced tokens"; or the name of what was noted without a unit."""
    amount: str
    """A decimal number: money is no float."""
    at: str | None
    """When the day or the hour began."""
    task: str | None
    queue: str | None
    model: str | None
    tenant: str | None
    kind: str | None


class BudgetOut(TypedDict):
    """A budget, and what was spent of it in the present window by one key: `budgets`."""

    name: str
    key: str
    """The tenant; empty: of all."""
    rule: str
    """In words."""
    amount: str
    unit: str
    window: str
    """hour, day, week or month, in UTC."""
    queue: str
    task: str
    model: str
    tenant: str
    """What it counts; empty: all of them."""
    per: str
    closes: list[str]
    """Queues."""
    limit: str
    warn: str
    on_exceeded: str
    """pause or reject."""
    spent: str
    until: str
    """When the window ends."""
    state: str
    """open, warned, exceeded, or lifted."""
    origin: str
    """ "code" or "person"."""
    changed_by: str
    changed_at: str


def budget_out(row: BudgetRow, key: str, use: Use) -> BudgetOut:
    rule = row.rule
    return BudgetOut(
        name=row.name,
        key=_REDACTOR.text(key),
        rule=str(rule),
        amount=rule.amount,
        unit=rule.unit,
        window=rule.window,
        queue=rule.queue,
        task=rule.task,
        model=rule.model,
        tenant=_REDACTOR.text(rule.tenant),
        per=rule.per,
        closes=list(rule.closes),
        limit=rule.limit,
        warn=rule.warn,
        on_exceeded=rule.on_exceeded,
        spent=format(decimal_of(use.total), "f"),
        until=time_text(use.until_at),
        state=_state(use),
        origin=row.origin,
        changed_by=_REDACTOR.text(row.changed_by),
        changed_at=time_text(row.changed_at),
    )


def _state(use: Use) -> str:
    if use.exceeded_at is not None:
        return "exceeded" if use.lifted_at is None else "lifted"
    return "open" if use.warned_at is None else "warned"


def cost_out(cost: Cost) -> CostOut:
    return CostOut(
        unit=cost.unit,
        amount=format(cost.amount, "f"),
        at=None if cost.at is None else cost.at.isoformat().replace("+00:00", "Z"),
        task=cost.task,
        queue=cost.queue,
        model=cost.model,
        tenant=None if cost.tenant is None else _REDACTOR.text(cost.tenant),
        kind=cost.kind,
    )
