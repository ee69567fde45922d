"""Shares of tenants in one queue: which weights and names there are. Pure.

Places are given by start-time fair queueing (Goyal, Vin, Cheng 1996): see docs/explanation/shares.md."""

from __future__ import annotations

from relet.errors import UsageError
from relet.job.names import unique_key

MOST_WEIGHT = 1_000

NOBODY = ""
"""The tenant of jobs that name none, in a queue that others share."""


def weight_of(weight: object) -> int:
    """A tenant's weight: how many jobs it may start while one of weight 1 starts one. Raises UsageError."""
    if not isinstance(weight, int) or isinstance(weight, bool) or not 1 <= weight <= MOST_WEIGHT:
        raise UsageError(
            f"weight={weight!r}: a weight is a whole number from 1 to {MOST_WEIGHT:,}. Nothing was changed."
        )
    return weight


def tenant_of(text: str) -> str:
    """`text`, if it can name a tenant, as `fair_by` renders it; "" names jobs without one. Raises UsageError."""
    return NOBODY if text == NOBODY else unique_key(text)
