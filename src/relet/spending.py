"""What a run says that it has consumed: amounts, money, and calls of models, which are priced."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from decimal import Decimal

from relet.errors import UsageError
from relet.facts import Facts
from relet.job.costs import TOKENS, UNPRICED, amount_of, model_of
from relet.job.prices import Tokens
from relet.job.textsafe import kept_fields, kept_text
from relet.store.records import Note, Usage

FIELDS_CHARS = 8_000
MODEL_CHARS = 200


class Spending:
    """What one run consumes. Each entry has a number, by which it is written once."""

    def __init__(self, facts: Facts, note: Callable[[Note], None]) -> None:
        self._facts = facts
        self._note = note
        self._numbers = itertools.count()

    def usage(self, amounts: Mapping[str, Decimal | float | str]) -> None:
        """Amounts by their names; all of them or none."""
        checked = [(kind, amount_of(kind, amount)) for kind, amount in amounts.items()]
        for kind, amount in checked:
            self._say(kind, amount, "", {})

    def cost(self, amount: Decimal | int | str, unit: str, kind: str, details: Mapping[str, object]) -> None:
        """Money."""
        if isinstance(amount, float):
            raise UsageError(f"cost({amount}): money is no float. Write Decimal('{amount}') or '{amount}'.")
        if isinstance(details.get("model"), str):
            details = {**details, "model": kept_text(details["model"], MODEL_CHARS)}
        self._say(kind or "cost", amount_of(kind or "cost", amount), unit, details)

    def model(
        self, model: str, provider: str, tokens: Tokens, now: int, details: Mapping[str, object]
    ) -> Decimal | None:
        """A call of a model; returns its price, None: nobody has one."""
        model = kept_text(model, MODEL_CHARS)
        named: dict[str, object] = {"model": model}
        if provider:
            named["provider"] = kept_text(provider, MODEL_CHARS)
        priced = self._facts.prices.price(model, provider, tokens, now)
        for kind, count in (("input_tokens", tokens.input), ("output_tokens", tokens.output)):
            if count:
                self._say(kind, str(count), TOKENS, named)
        if priced is None:
            self._say("unpriced", str(tokens.input + tokens.output), UNPRICED, named, details)
            return None
        said = {**named, **_counts(tokens), "price": priced.prices}
        self._say("cost", amount_of("cost", priced.amount), priced.unit, said, details)
        return priced.amount

    def _say(
        self, kind: str, amount: str, unit: str, details: Mapping[str, object], more: Mapping[str, object] | None = None
    ) -> None:
        """`more` is left out if there is no room for it."""
        facts = self._facts
        fields = kept_fields({**(more or {}), **details}, FIELDS_CHARS)
        if more and not model_of(fields):  # shortened to a text that names none
            fields = kept_fields(details, FIELDS_CHARS)
        self._note(
            Usage(
                facts.job_id,
                facts.epoch,
                next(self._numbers),
                kept_text(kind, 200),
                amount,
                kept_text(unit, 20),
                fields,
            )
        )


def _counts(tokens: Tokens) -> dict[str, int]:
    counts = {"input_tokens": tokens.input, "output_tokens": tokens.output}
    cached = {"cache_read_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write}
    return counts | {name: count for name, count in cached.items() if count}
