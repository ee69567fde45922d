"""What jobs have consumed, and budgets: summed, listed, set, lifted, forgotten."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

import msgspec

from relet.budgets import budget_row, present_use
from relet.costs import Cost, filter_of, names_of
from relet.shapes.costs import BudgetOut, CostOut, budget_out, cost_out
from relet.store.port import Store
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name, PageSize
from relet.web.visitor import Role


class SumCosts(Input):
    """What to sum. All given conditions hold."""

    by: Annotated[list[Name], msgspec.Meta(max_length=6)] = msgspec.field(default_factory=list[str])
    """Any of task, queue, model, tenant, kind, and day or hour."""
    since: str = "30d"
    """How long ago: a duration."""
    task: str = ""
    queue: str = ""
    model: str = ""
    tenant: str = ""


class CostList(TypedDict):
    """Sums, in the order of time and names; at most 10,000."""

    costs: list[CostOut]


class BudgetList(TypedDict):
    """All budgets by name; of those that each tenant has for himself, what is spent is told by `show`."""

    budgets: list[BudgetOut]


class OneBudget(Input):
    """A budget by name."""

    name: Name


class BudgetKeys(OneBudget):
    """A page of the tenants of one."""

    after: str | None = None
    limit: PageSize = 50


class ShownBudget(TypedDict):
    """One budget, and its tenants that have spent in the present window."""

    budget: BudgetOut
    keys: list[BudgetOut]
    next: str | None


class SetBudget(OneBudget):
    """What a budget is. What is left out stays as it is."""

    amount: str | None = None
    """ "20 USD/day": for an hour, day, week or month, in UTC."""
    queue: str | None = None
    task: str | None = None
    model: str | None = None
    tenant: str | None = None
    per: Literal["", "tenant"] | None = None
    closes: list[Name] | None = None
    limit: str | None = None
    warn: str | float | None = None
    on_exceeded: Literal["pause", "reject"] | None = None


class LiftBudget(OneBudget):
    """A budget to be opened until its window ends."""

    key: str = ""
    """The tenant, where each has an amount of his own."""


def sum_costs(call: Call, given: SumCosts) -> CostList:
    """Sum what jobs have consumed."""
    by = names_of(given.by)
    names = {name: getattr(given, name) for name in ("task", "queue", "model", "tenant")}
    wanted = filter_of(by, call.store.now(), given.since, None, **names)
    return CostList(costs=[cost_out(Cost.of(row, by)) for row in call.store.insights.spent(wanted)])


def list_budgets(call: Call, _given: Input) -> BudgetList:
    """List budgets, and what is spent of them."""
    return BudgetList(budgets=[_shown(call.store, row.name) for row in call.store.insights.budgets()])


def show_budget(call: Call, given: BudgetKeys) -> ShownBudget:
    """Show one budget with its tenants."""
    row, now = budget_row(call.store, given.name), call.store.now()
    uses = call.store.insights.budget_uses(given.name, given.after, given.limit)
    return ShownBudget(
        budget=_shown(call.store, given.name),
        keys=[budget_out(row, each.key, each.use) for each in uses if each.key and each.use.until_at > now],
        next=uses[-1].key if len(uses) == given.limit else None,
    )


def set_budget(call: Call, given: SetBudget) -> BudgetOut:
    """Say what a budget is, from now on, for all workers. What it has closed is opened, until it is used up."""
    names = [name for name in given.__struct_fields__ if name not in ("name", "amount")]
    said: dict[str, Any] = {name: value for name in names if (value := getattr(given, name)) is not None}
    call.app.budgets[given.name].set(given.amount, by=call.by, **said)
    return _became(call, given.name)


def lift_budget(call: Call, given: LiftBudget) -> BudgetOut:
    """Open what a budget has closed, and let it close nothing more in this window."""
    call.trace.was = _shown(call.store, given.name, given.key)
    call.app.budgets[given.name].lift(given.key, by=call.by)
    return _became(call, given.name, given.key)


def forget_budget(call: Call, given: OneBudget) -> BudgetOut:
    """End a budget, until code declares it again at a worker's start."""
    call.trace.was = _shown(call.store, given.name)
    call.app.budgets[given.name].forget()
    call.trace.done = 1
    return call.trace.was


def _became(call: Call, name: str, key: str = "") -> BudgetOut:
    became = _shown(call.store, name, key)
    call.trace.done, call.trace.became = 1, became
    return became


def _shown(store: Store, name: str, key: str = "") -> BudgetOut:
    row = budget_row(store, name)
    return budget_out(row, key, present_use(store, row, key))


ENDPOINTS = (
    Endpoint("costs.sum", "GET", "/costs", Role.VIEWER, sum_costs),
    Endpoint("budgets.list", "GET", "/budgets", Role.VIEWER, list_budgets),
    Endpoint("budgets.show", "GET", "/budgets/{name}", Role.VIEWER, show_budget),
    Endpoint("budgets.set", "PUT", "/budgets/{name}", Role.OPERATOR, set_budget),
    Endpoint("budgets.lift", "POST", "/budgets/{name}/lift", Role.OPERATOR, lift_budget),
    Endpoint("budgets.forget", "DELETE", "/budgets/{name}", Role.OPERATOR, forget_budget),
)
