"""What models cost: prices per million tokens, by the name of the model. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import NamedTuple

from relet.errors import UsageError
from relet.job.textsafe import shown

MILLION = 1_000_000
MOST_PRICE = Decimal(1_000_000_000)
_EXACT = Context(prec=80)


class Tokens(NamedTuple):
    """What a call of a model has read and written. `input` includes what came from the cache and what went into it."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


class Priced(NamedTuple):
    """What a call costs, and the prices by which it was reckoned, for whoever asks later."""

    amount: Decimal
    unit: str
    prices: Mapping[str, str]
    """Per million tokens, and by whom."""


@dataclass(frozen=True, slots=True, init=False)
class Price:
    """What a model costs per million tokens: `Price("0.25", "1.25")`. What is read from a cache or written to it costs as other
    input, unless said."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    cache_write: Decimal | None
    unit: str

    def __init__(
        self,
        input: Decimal | int | str,  # noqa: A002  the word that everybody uses
        output: Decimal | int | str,
        *,
        cache_read: Decimal | int | str | None = None,
        cache_write: Decimal | int | str | None = None,
        unit: str = "USD",
    ) -> None:
        """Raises UsageError; money is no float."""
        object.__setattr__(self, "input", _money(input, "input"))
        object.__setattr__(self, "output", _money(output, "output"))
        object.__setattr__(self, "cache_read", None if cache_read is None else _money(cache_read, "cache_read"))
        object.__setattr__(self, "cache_write", None if cache_write is None else _money(cache_write, "cache_write"))
        object.__setattr__(self, "unit", _unit(unit))

    def of(self, tokens: Tokens) -> Priced:
        """What so many tokens cost, exactly."""
        plain = tokens.input - tokens.cache_read - tokens.cache_write
        parts = (
            (plain, self.input),
            (tokens.cache_read, self.input if self.cache_read is None else self.cache_read),
            (tokens.cache_write, self.input if self.cache_write is None else self.cache_write),
            (tokens.output, self.output),
        )
        total = Decimal(0)
        for count, price in parts:
            total = _EXACT.add(total, _EXACT.multiply(Decimal(count), price))
        return Priced(_EXACT.divide(total, Decimal(MILLION)), self.unit, self._said())

    def _said(self) -> dict[str, str]:
        said = {"input": self.input, "output": self.output}
        said |= {} if self.cache_read is None else {"cache_read": self.cache_read}
        said |= {} if self.cache_write is None else {"cache_write": self.cache_write}
        return {**{name: format(price, "f") for name, price in said.items()}, "by": "own table"}

    def __str__(self) -> str:
        unit = "" if self.unit == "USD" else f" {self.unit}"
        cached = [self.cache_read, self.cache_write] if self.cache_read or self.cache_write else []
        return "/".join("" if each is None else format(each, "f") for each in (self.input, self.output, *cached)) + unit


def parse_price(text: str) -> Price:
    """A price as it stands in settings: "0.25/1.25", "0.25/1.25/0.03/0.30", "0.25/1.25 EUR". Raises UsageError."""
    figures, _, unit = text.strip().partition(" ")
    parts = figures.split("/")
    if len(parts) not in (2, 4):
        raise UsageError(f"price {shown(text)}: write input/output per million tokens, such as 0.25/1.25.")
    read, write = parts[2:] or ("", "")
    return Price(parts[0], parts[1], cache_read=read or None, cache_write=write or None, unit=unit.strip() or "USD")


def find_price(table: Mapping[str, Price], model: str) -> Price | None:
    """The price of a model: under its own name, else under the longest beginning of it, such as "claude-3-haiku*"."""
    if model in table:
        return table[model]
    begins = [name for name in table if name.endswith("*") and model.startswith(name[:-1])]
    return table[max(begins, key=len)] if begins else None


def tokens_of(input_tokens: object, output_tokens: object, cache_read: object, cache_write: object) -> Tokens:
    """Raises UsageError for what counts no tokens."""
    counts: list[int] = []
    for count in (input_tokens, output_tokens, cache_read, cache_write):
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 10**12:
            raise UsageError(f"{shown(count)} is no number of tokens from 0 to 10^12. Nothing was noted.")
        counts.append(count)
    tokens = Tokens(*counts)
    if tokens.cache_read + tokens.cache_write > tokens.input:
        raise UsageError(
            f"{tokens.cache_read} tokens from the cache and {tokens.cache_write} into it are more than all input "
            f"({tokens.input}). input_tokens includes them. Nothing was noted."
        )
    return tokens


def _money(price: object, name: str) -> Decimal:
    if isinstance(price, float) or not isinstance(price, Decimal | int | str):
        raise UsageError(f"price {name}={shown(price)}: money is no float. Write it as text, such as '0.25'.")
    try:
        number = Decimal(price)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or not 0 <= number <= MOST_PRICE:
        raise UsageError(f"price {name}={shown(price)} is no price per million tokens.")
    return number


def _unit(unit: str) -> str:
    if not (unit.isascii() and unit.isalpha() and unit.isupper() and len(unit) <= 10):
        raise UsageError(f"price unit {shown(unit)}: write a currency, such as USD.")
    return unit
