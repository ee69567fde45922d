"""Which ready job goes first within a queue: the one with the higher number."""

from __future__ import annotations

import re

from relet.errors import UsageError
from relet.job.textsafe import shown

LOW = 0
NORMAL = 1
HIGH = 2
CRITICAL = 3

LOWEST = -(2**15)
HIGHEST = 2**15 - 1

Priority = int | str
"""A name ("low", "normal", "high", "critical", in any case) or an integer of 16 bits, also as text ("7", "-1")."""

_NUMBERS = {"low": LOW, "normal": NORMAL, "high": HIGH, "critical": CRITICAL}
_NAMES = {number: name for name, number in _NUMBERS.items()}
_INTEGER = re.compile(r"[+-]?[0-9]{1,5}", re.ASCII)


def to_priority(priority: Priority) -> int:
    """The number of a priority. Raises `UsageError` for an unknown name and for a number outside of 16 bits."""
    number = _number(priority)
    if number is None or not LOWEST <= number <= HIGHEST:
        raise UsageError(
            f"priority: {shown(priority)} is not a priority. "
            f"Give low, normal, high, critical, or an integer from {LOWEST} to {HIGHEST}; higher goes first."
        )
    return number


def priority_name(number: int) -> str:
    """The name of a priority for people: "high" for 2, and the number itself where there is no name."""
    return _NAMES.get(number, str(number))


def _number(priority: object) -> int | None:
    if isinstance(priority, bool):
        return None
    if isinstance(priority, int):
        return int(priority)
    if not isinstance(priority, str):
        return None
    text = priority.strip().lower()
    return _NUMBERS[text] if text in _NUMBERS else int(text) if _INTEGER.fullmatch(text) else None
