"""Amounts in words for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
_PLACES = 4
_WIDE = Context(prec=80)


def money_text(amount: Decimal, unit: str) -> str:
    """ "$0.0125", "12.50 CHF", "37,500 tokens": money with two places at least, and four of what is not zero at most."""
    sign = _SIGNS.get(unit)
    if sign is not None:
        return f"{sign}{_money(amount)}"
    if len(unit) == 3 and unit.isascii() and unit.isupper():
        return f"{_money(amount)} {unit}"
    whole = amount == amount.to_integral_value(context=_WIDE)
    return f"{amount:,.0f} {unit}" if whole else f"{_plain(amount)} {unit}"


def spent_text(sums: Mapping[str, Decimal]) -> str:
    """ "2,500 tokens | $0.0125": what was counted, then what it cost."""
    words = [money_text(amount, unit) for unit, amount in sums.items()]
    return " | ".join(sorted(words, key=_is_money))


class Sums(dict[str, Decimal]):
    """Sums by their units, that read as people read them."""

    def __str__(self) -> str:
        return spent_text(self)


def _is_money(words: str) -> bool:
    return not words[0].isdigit() or words[-3:].isupper()


def _money(amount: Decimal) -> str:
    """Small sums keep four digits that say something: $0.0000025 is not $0.00."""
    places = _PLACES if amount == 0 or amount.adjusted() >= -1 else _PLACES - 1 - amount.adjusted()
    text = format(_rounded(amount, places), ",f")
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _plain(amount: Decimal) -> str:
    places = max(2, 2 - amount.adjusted())
    return format(_rounded(amount, places), ",f").rstrip("0").rstrip(".")


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)
