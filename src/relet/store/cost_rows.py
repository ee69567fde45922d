"""What people ask of costs, and what they see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from relet.job.budget import Rule, Use


@dataclass(frozen=True, slots=True)
class CostFilter:
    """Which sums: all given conditions hold; an empty name is none."""

    step_us: int
    """Of hours, or of days."""
    since: int
    until: int
    """Of steps that begin before it."""
    by: Collection[str] = ()
    """What each sum is of: at, queue, task, model, tenant, kind. What is not named is added up."""
    queue: str = ""
    task: str = ""
    model: str = ""
    tenant: str = ""
    limit: int = 10_000


class CostRow(NamedTuple):
    """A sum. Names that were not asked for are empty, and `at` is 0."""

    at: int
    queue: str
    task: str
    model: str
    tenant: str
    kind: str
    unit: str
    total: int
    """In steps of 10^-12."""


class BudgetRow(NamedTuple):
    """A budget."""

    name: str
    rule: Rule
    origin: str
    """ "code" or "person"."""
    changed_by: str
    changed_at: int


class UseRow(NamedTuple):
    """What is used of a budget, for one key."""

    key: str
    use: Use


class BudgetNews(NamedTuple):
    """Somebody is to be warned that a budget is nearly used up, or told that it is."""

    name: str
    key: str
    rule: Rule
    use: Use
