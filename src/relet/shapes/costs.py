"""What `--json` prints of costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from relet.costs import Cost
from relet.job.redact import Redactor

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


def costs_out(costs: Sequence[Cost]) -> list[CostOut]:
    return [cost_out(cost) for cost in costs]
