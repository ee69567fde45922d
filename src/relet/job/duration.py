"""Durations and sizes as people write them: "5m", 30, timedelta(days=1), "512M"."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from fractions import Fraction

from relet.errors import UsageError
from relet.job.textsafe import shown

Duration = timedelta | float | int | str
"""A time span: a timedelta, a number of seconds, or text such as "250ms", "30s", "5m", "1h30m", "2d", "1w"."""

MAX_US = 36_525 * 86_400 * 1_000_000
"""The longest duration: 100 years. Any wall time of this century plus it still is a date."""

MAX_BYTES = 2**63 - 1

_UNITS = {
    "w": 7 * 86_400_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(us|ms|min|[smhdw])\s*", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.ASCII | re.IGNORECASE)
_POWERS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_LONGEST_TEXT = 100
_FORMS = 'Give seconds (30, 0.25), a timedelta, or text such as "250ms", "30s", "5m", "1h30m", "2d", "1w".'


def to_us(d: Duration, *, name: str) -> int:
    """`d` in whole microseconds, rounded to the nearest. Zero is allowed.

    `name` is what the error calls the value. Raises `UsageError` for what is no duration, is negative, is not finite,
    or is longer than 100 years.
    """
    us = _exact_us(d)
    if us is None:
        raise UsageError(f"{name}: {shown(d)} is not a duration. {_FORMS}")
    if us < 0:
        raise UsageError(f"{name}: {shown(d)} is negative; a duration is zero or more. {_FORMS}")
    if us > MAX_US:
        raise UsageError(f"{name}: {shown(d)} is longer than 100 years, the longest duration. {_FORMS}")
    return us


def format_us(us: int) -> str:
    """`us` microseconds for people, to two or three digits: "17ms", "8.2s", "6m", "1h30m", "2d4h"."""
    if us < 0:
        return f"-{format_us(-us)}"
    if us < 1_000:
        return f"{us}us" if us else "0s"
    if us < 999_500:
        return _decimal(us, "ms") if us < 9_950 else f"{_nearest(us, 1_000)}ms"
    if us < 59_950_000:
        return _decimal(us, "s")
    return _clock_parts(us)


def to_bytes(size: int | str, *, name: str = "size") -> int:
    """A number of bytes from an integer or from text such as "512M" or "1G".

    K, M, G and T are powers of 1024, with or without "B" or "iB" behind them, in either case. Raises `UsageError` for
    what is no size, is below one byte, or does not fit 63 bits.
    """
    count = _exact_bytes(size)
    if count is None or not 1 <= count <= MAX_BYTES:
        forms = 'Give a number of bytes of at least 1, or text such as "512M" or "1G".'
        raise UsageError(f"{name}: {shown(size)} is not a size. {forms}")
    return count


def _exact_us(d: object) -> int | None:
    if isinstance(d, timedelta):
        return d // timedelta(microseconds=1)
    if isinstance(d, bool):
        return None
    if isinstance(d, int):
        return d * 1_000_000
    if isinstance(d, float):
        return round(Fraction(d) * 1_000_000) if math.isfinite(d) else None
    if isinstance(d, str):
        return _us_of_text(d.strip())
    return None


def _us_of_text(text: str) -> int | None:
    if len(text) > _LONGEST_TEXT:
        return None
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    if _NUMBER.fullmatch(text):
        return sign * round(Fraction(text) * 1_000_000)
    us = _us_of_parts(text)
    return None if us is None else sign * us


def _us_of_parts(text: str) -> int | None:
    """Sums "1h30m". Units must fall, so that a slip such as "5m5m" or "30s1h" is refused and not added up."""
    total, position, smallest = Fraction(0), 0, math.inf
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or _UNITS[part[2].lower()] >= smallest:
            return None
        smallest = _UNITS[part[2].lower()]
        total += Fraction(part[1]) * smallest
        position = part.end()
    return round(total) if text else None


def _exact_bytes(size: object) -> int | None:
    if isinstance(size, int) and not isinstance(size, bool):
        return size
    if not isinstance(size, str) or len(size) > _LONGEST_TEXT:
        return None
    match = _SIZE.fullmatch(size.strip())
    return int(Fraction(match[1]) * _POWERS[match[2].lower()]) if match else None


def _nearest(us: int, unit: int) -> int:
    return (us + unit // 2) // unit


def _decimal(us: int, unit: str) -> str:
    tenths = _nearest(us, _UNITS[unit] // 10)
    return f"{tenths // 10}.{tenths % 10}{unit}" if tenths % 10 else f"{tenths // 10}{unit}"


def _clock_parts(us: int) -> str:
    """The two largest units of minutes and seconds, hours and minutes, or days and hours."""
    for big, small, next_bigger in (("m", "s", "h"), ("h", "m", "d"), ("d", "h", None)):
        count = _nearest(us, _UNITS[small])
        ratio = _UNITS[big] // _UNITS[small]
        if next_bigger is None or count * _UNITS[small] < _UNITS[next_bigger]:
            break
    whole, rest = divmod(count, ratio)
    return f"{whole}{big}{rest}{small}" if rest else f"{whole}{big}"
