"""The lease bar: how much is left of a lease. It drains as time passes and refills with each renewal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from relet.clock import SECOND
from relet.shapes.schema import LeaseOut, WorkerOut
from relet.shapes.words import at_of

MISSED_BELOW = 0.5
"""Renewals come after a third of the lease at the latest. With less than this left, one has not come."""


class Bar(TypedDict):
    """A lease that is held."""

    lease: LeaseOut
    percent: int
    """How much is left."""
    seconds: float
    missed: bool
    """A renewal has not come, or the lease has lapsed."""


def bars(leases: Sequence[LeaseOut], workers: Sequence[WorkerOut], now: str) -> list[Bar]:
    """The bar of each lease, at the time `now`."""
    lengths = {worker["session"]: worker["lease_seconds"] for worker in workers}
    return [bar(lease, lengths.get(lease["session"], 0.0), now) for lease in leases]


def bar(lease: LeaseOut, length: float, now: str) -> Bar:
    """One of them. `length` is the whole lease in seconds; 0: it is not known, for its worker is gone."""
    left = 0.0 if lease["expired"] else max(0.0, (at_of(lease["locked_until"]) - at_of(now)) / SECOND)
    part = min(1.0, left / length) if length else 0.0
    return Bar(lease=lease, percent=round(100 * part), seconds=left, missed=part < MISSED_BELOW)
