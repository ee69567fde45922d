"""`app.costs`: what jobs have consumed, added up.

app.costs.sum(by=["task", "day"], since="30d")
app.costs.total(since="24h")["USD"]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from relet.clock import DAY
from relet.errors import UsageError
from relet.job.costs import HOUR, decimal_of, start_of, summed
from relet.job.duration import Duration, to_us
from relet.job.moment import from_at, to_at
from relet.job.textsafe import shown
from relet.steered import Steered
from relet.store.cost_rows import CostFilter, CostRow
from relet.task import Task

NAMES = ("task", "queue", "model", "tenant", "kind")
TIMES = {"day": DAY, "hour": HOUR}
HOURS_US = 2 * DAY
"""Sums that begin so lately are of whole hours; older ones are of whole days."""
MOST = 10_000


class Cost(msgspec.Struct, frozen=True):
    """What was consumed of one unit. What the sum was not asked by is None."""

    unit: str
    """ "USD"; "tokens"; the name of what was noted without a unit, such as "pages"."""
    amount: Decimal
    at: datetime | None = None
    """When the day or the hour began, in UTC."""
    task: str | None = None
    queue: str | None = None
    model: str | None = None
    """Empty: no model was named; so with the others."""
    tenant: str | None = None
    kind: str | None = None
    """What it was noted as: "cost", "input_tokens", "pages"."""

    @classmethod
    def of(cls, row: CostRow, by: Sequence[str]) -> Cost:
        """The record of a row."""
        names: dict[str, Any] = {name: getattr(row, name) for name in NAMES if name in by}
        at = from_at(row.at) if any(name in TIMES for name in by) else None
        return cls(row.unit, decimal_of(row.total), at, **names)


class Costs:
    """`app.costs`."""

    def __init__(self, app: Steered) -> None:
        self._app = app

    def sum(
        self,
        by: str | Iterable[str] = (),
        *,
        since: datetime | Duration = "30d",
        until: datetime | None = None,
        task: str | Task[..., Any] = "",
        queue: str = "",
        model: str = "",
        tenant: str = "",
    ) -> list[Cost]:
        """Sums by any of task, queue, model, tenant, kind, and day or hour; at most 10,000, in the order of time and names.

        `since` is a moment or how long ago. Sums are of whole hours if that is at most two days ago or `by` names the hour, else
        of whole days, in UTC: those in which `since` and `until` are count as a whole. Hours are kept for 35 days, days for 400.
        What failed runs have consumed is in them, and what belonged to jobs that are forgotten. Raises UsageError.
        """
        named = names_of(by)
        name = task.name if isinstance(task, Task) else task
        with self._app.shared.use() as store:
            wanted = filter_of(named, store.now(), since, until, task=name, queue=queue, model=model, tenant=tenant)
            return [Cost.of(row, named) for row in store.insights.spent(wanted)]

    def total(self, **wanted: Any) -> dict[str, Decimal]:
        """All of it by unit: `{"USD": Decimal("0.1875"), "tokens": Decimal(37500)}`. Takes what `sum` takes, but for `by`."""
        return summed((cost.unit, cost.amount) for cost in self.sum(**wanted))


def names_of(by: str | Iterable[str]) -> list[str]:
    """What sums are wanted by. Raises UsageError."""
    named = [by] if isinstance(by, str) else list(by)
    for name in named:
        if name not in (*NAMES, *TIMES):
            raise UsageError(f"by={shown(name)}: costs are summed by {', '.join((*NAMES, *TIMES))}.")
    if all(name in named for name in TIMES):
        raise UsageError("by: name the day or the hour, not both.")
    return named


def filter_of(
    by: Sequence[str], now: int, since: datetime | Duration, until: datetime | None, **names: str
) -> CostFilter:
    """What is asked of the store. Raises UsageError."""
    since_at = to_at(since, name="since") if isinstance(since, datetime) else now - to_us(since, name="since")
    lately = now - since_at <= HOURS_US
    step_us = HOUR if "hour" in by or (lately and "day" not in by) else DAY
    until_at = now + 1 if until is None else to_at(until, name="until")
    asked = [*(name for name in NAMES if name in by), *(["at"] if any(name in TIMES for name in by) else [])]
    return CostFilter(step_us, start_of(max(0, since_at), step_us), until_at, asked, limit=MOST, **names)
