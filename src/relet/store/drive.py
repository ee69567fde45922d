"""Runs a script of named statements in an open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from relet.store.link import Params, Row, Tx
from relet.store.script import Steps

T = TypeVar("T")


def drive(tx: Tx, steps: Steps[T]) -> T:
    """Run a script to its end; what it returns."""
    try:
        step = next(steps)
        while True:
            step = steps.send(_run(tx, step.name, step.rows, step.fetch))
    except StopIteration as done:
        answer: T = done.value
        return answer


def _run(tx: Tx, name: str, rows: Sequence[Params], fetch: bool) -> list[Row]:
    if fetch:
        return tx.each(name, rows)
    tx.many(name, rows)
    return []
