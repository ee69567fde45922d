"""What runs consume, as exact numbers, and what sums of it are kept by. Pure.

An amount is kept with its job as it was told, and added up in whole steps of 10^-12: with so many digits the price of one token
is exact. Sums are integers of any length here, and two columns in the store.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, NamedTuple, cast

import msgspec

from relet.clock import DAY, SECOND
from relet.errors import UsageError
from relet.job.job import Options
from relet.job.textsafe import shown

ONE = 10**12
"""A sum of 1."""

MOST = Decimal(10) ** 15
"""The most that one entry may say; more is a slip, and would make every sum that it is in worthless."""

HOUR = 3600 * SECOND
STEPS = (HOUR, DAY)
"""Sums are kept for each hour and for each day, in UTC."""

TOKENS, UNPRICED = "tokens", "unpriced tokens"
"""Units of what models read and write; the second of those that nobody has a price for, which are among the first, too."""

_EXACT = Context(prec=80)
_LABEL_BYTES = 400
"""So much of a name sums are kept by: with all the others it has to fit into one key of an index, in any script."""


class Spent(NamedTuple):
    """What a sum is of."""

    queue: str
    task: str
    model: str
    tenant: str
    kind: str
    unit: str


def amount_of(kind: str, amount: object) -> str:
    """An amount as it is stored. Raises UsageError unless it is a number from 0 to 10^15."""
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise UsageError(f"usage of {shown(kind)}: {shown(amount)} is not a finite decimal number.")
    if not 0 <= number <= MOST:
        raise UsageError(f"usage of {shown(kind)}: {shown(amount)} is not from 0 to 10^15. Nothing was noted.")
    return format(number, "f") if number.adjusted() > -30 else str(number)


def total_of(amount: str) -> int | None:
    """A stored amount as a sum; None: it is none that could be added up."""
    try:
        number = Decimal(amount)
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= MOST:
        return None
    return int(_EXACT.multiply(number, ONE).to_integral_value(ROUND_HALF_EVEN, _EXACT))


def decimal_of(total: int) -> Decimal:
    """A sum as a number without idle zeros."""
    whole, part = divmod(total, ONE)
    return Decimal(f"{whole}.{part:012}".rstrip("0").rstrip("."))


def summed(entries: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """What was consumed of each unit, exactly."""
    sums: dict[str, Decimal] = {}
    for unit, amount in entries:
        sums[unit] = _EXACT.add(sums.get(unit, Decimal(0)), amount)
    return sums


def unit_of(kind: str, unit: str) -> str:
    """What is counted: what has no unit is counted by its own name."""
    return unit or kind


def label_of(text: str) -> str:
    """A name that a run has said, as sums are kept by it: its beginning, if it is long."""
    return text.encode()[:_LABEL_BYTES].decode(errors="ignore")


def model_of(details: str | None) -> str:
    """The model that an entry names."""
    if details is None or '"model"' not in details:
        return ""
    try:
        found: object = msgspec.json.decode(details)
    except msgspec.DecodeError:
        return ""
    model = cast("dict[str, Any]", found).get("model") if isinstance(found, dict) else None
    return label_of(model) if isinstance(model, str) else ""


def tenant_of(options: Options) -> str:
    """Whose job it is: the tenant whose share of the queue it takes, or its tag `tenant`."""
    return options.fair if options.fair is not None else label_of(options.tags.get("tenant", ""))


def start_of(at: int, step_us: int) -> int:
    """When the hour or the day began, in UTC."""
    return at - at % step_us
