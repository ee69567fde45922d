"""The chore that tells which budgets are nearly used up, and which are."""

from __future__ import annotations

from relet.clock import SECOND
from relet.events import Emitter
from relet.job.costs import decimal_of
from relet.job.moment import from_at
from relet.job.money import money_text
from relet.store.port import Store


class TellBudgets:
    """Each is told of once in the cluster, by whoever looks first. It closes by itself, whether or not anybody looks."""

    name = "budgets"
    every_us = SECOND

    def __init__(self, emit: Emitter) -> None:
        self._emit = emit

    def run(self, store: Store) -> int | None:
        for name, key, rule, use in store.tell_budgets():
            self._emit(
                "budget.warned" if use.exceeded_at is None else "budget.exceeded",
                budget=name,
                key=key,
                spent=money_text(decimal_of(use.total), rule.unit),
                amount=str(rule),
                until=from_at(use.until_at).isoformat().replace("+00:00", "Z"),
                does=_does(rule.on_exceeded, rule.closes, rule.limit),
            )
        return None


def _does(action: str, closes: tuple[str, ...], limit: str) -> str:
    verb = "pauses" if action == "pause" else "refuses new jobs in"
    words = [f"{verb} queue {queue}" for queue in closes]
    return ", ".join([*words, *([f"pauses limit {limit}"] if limit else [])])
