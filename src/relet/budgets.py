"""`app.budgets`: what may be spent in a window, steered and looked at.

app.budget("claude", "20 USD/day", queue="ai")                # declared by code
app.budgets["claude"].status().spent                          # Decimal("3.25")
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from relet.errors import NotFound
from relet.job.budget import Rule, Use, budget_name, rule_of
from relet.job.costs import decimal_of
from relet.job.moment import from_at
from relet.steered import Steered
from relet.store.cost_rows import BudgetRow
from relet.store.port import Store


class BudgetUse(msgspec.Struct, frozen=True):
    """What was spent of a budget in the present window, of one key."""

    key: str
    """The tenant; empty: of all."""
    spent: Decimal
    began_at: datetime
    until: datetime
    """When the window ends."""
    warned: bool
    exceeded: bool
    """It is used up."""
    lifted: bool
    """Somebody has said that it closes nothing more in this window."""

    @classmethod
    def of(cls, key: str, use: Use) -> BudgetUse:
        """The record of a use."""
        return cls(
            key,
            decimal_of(use.total),
            from_at(use.began_at),
            from_at(use.until_at),
            use.warned_at is not None,
            use.exceeded_at is not None,
            use.lifted_at is not None,
        )


class BudgetInfo(msgspec.Struct, frozen=True):
    """A budget as it stood when it was read."""

    name: str
    rule: str
    """As people write it: "$20.00/day"."""
    amount: Decimal
    unit: str
    window: str
    """hour, day, week or month, in UTC."""
    queue: str
    task: str
    model: str
    tenant: str
    """What it counts; empty: all of them."""
    per: str
    closes: tuple[str, ...]
    limit: str
    warn: Decimal
    on_exceeded: str
    origin: str
    """Who said so last: "code", or "person"."""
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, row: BudgetRow) -> BudgetInfo:
        """The record of a row."""
        said = msgspec.structs.asdict(row.rule)
        said["amount"], said["warn"] = Decimal(row.rule.amount), Decimal(row.rule.warn)
        return cls(row.name, str(row.rule), **said, **_changed(row))


def _changed(row: BudgetRow) -> dict[str, Any]:
    return {"origin": row.origin, "changed_by": row.changed_by, "changed_at": from_at(row.changed_at)}


class Budget:
    """One budget by name: `app.budgets["claude"]`."""

    def __init__(self, app: Steered, name: str) -> None:
        self._app = app
        self.name = name

    def set(self, amount: str | None = None, *, by: str = "", **given: Any) -> None:
        """Change it for all workers, from now on, whatever code says: `set("30 USD/day")`. What is not given stays as it is; one
        that nobody has declared is made, and takes what `app.budget` takes. What it has closed is opened, until it is used up.

        Raises UsageError."""
        with self._app.shared.use() as store:
            rule = changed_rule(store, self.name, amount, given)
            store.set_budget(self.name, rule, self._app.who(by))

    def forget(self) -> bool:
        """End it, until a worker starts whose code declares it; what it has closed is opened. False: there was none."""
        with self._app.shared.use() as store:
            return store.forget_budget(self.name)

    def lift(self, key: str = "", *, by: str = "") -> bool:
        """Open what it has closed, and let it close nothing more in this window. False: it has closed nothing.
        Raises NotFound."""
        with self._known() as store:
            return store.lift_budget(self.name, key, self._app.who(by))

    def info(self) -> BudgetInfo:
        """What it says. Raises NotFound."""
        with self._app.shared.use() as store:
            return BudgetInfo.of(budget_row(store, self.name))

    def status(self, key: str = "") -> BudgetUse:
        """What was spent in the present window, of one key. Raises NotFound."""
        with self._app.shared.use() as store:
            return BudgetUse.of(key, present_use(store, budget_row(store, self.name), key))

    def keys(self, *, after: str | None = None, limit: int = 50) -> list[BudgetUse]:
        """A page of its keys that have spent in the present window, behind `after`. Raises NotFound."""
        with self._known() as store:
            now = store.now()
            rows = store.insights.budget_uses(self.name, after, limit)
            return [BudgetUse.of(row.key, row.use) for row in rows if row.use.until_at > now]

    @contextmanager
    def _known(self) -> Generator[Store]:
        with self._app.shared.use() as store:
            budget_row(store, self.name)
            yield store

    def __repr__(self) -> str:
        return f"<Budget {self.name}>"


class Budgets:
    """`app.budgets`: by name, or all of them by iteration."""

    def __init__(self, app: Steered) -> None:
        self._app = app

    def __getitem__(self, name: str) -> Budget:
        """The handle of a budget. Reads nothing yet."""
        return Budget(self._app, name)

    def list(self) -> list[BudgetInfo]:
        """All budgets that the store knows, by name."""
        with self._app.shared.use() as store:
            return [BudgetInfo.of(row) for row in store.insights.budgets()]

    def __iter__(self) -> Iterator[Budget]:
        return (self[info.name] for info in self.list())


def budget_row(store: Store, name: str) -> BudgetRow:
    """What the store knows of it. Raises NotFound."""
    found = next((row for row in store.insights.budgets() if row.name == name), None)
    if found is None:
        raise NotFound(f"There is no budget {name!r} in the store. List them with: relet budgets ls")
    return found


def present_use(store: Store, row: BudgetRow, key: str) -> Use:
    """What is used of it in the window that is now."""
    began_at, until_at = row.rule.span(store.now())
    use = store.insights.budget_use(row.name, key)
    return use if use is not None and use.began_at == began_at else Use(began_at, until_at)


def changed_rule(store: Store, name: str, amount: str | None, given: dict[str, Any]) -> Rule:
    """A rule of the store with some of it said anew, or a new one. Raises UsageError."""
    before = next((row.rule for row in store.insights.budgets() if row.name == name), None)
    if before is None:
        return rule_of(budget_name(name), amount, **given)
    said = msgspec.structs.asdict(before)
    figure, unit, window = said.pop("amount"), said.pop("unit"), said.pop("window")
    if before.closes == (before.queue,):  # as it follows from the queue
        del said["closes"]
    return rule_of(name, amount or f"{figure} {unit}/{window}", **{**said, **given})
