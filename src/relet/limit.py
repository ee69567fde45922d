"""Limits by name and key: what many jobs share, whatever their task and queue.

stripe = Limit("stripe", rate="100/min", concurrency=10, per="{customer_id}")

@app.task(limits=[stripe])
def charge(customer_id: int, order_id: int): ...

app.limits["stripe"].set(rate="300/min")
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from relet.errors import DefinitionError, UsageError
from relet.job.keys import KeyTemplate
from relet.job.limits import MOST, Rule, limit_name, rule_of
from relet.job.textsafe import shown


@dataclass(frozen=True)
class Limit:
    """At most so many jobs at once, and so many starts in a time, for each key. For `@app.task(limits=[…])`.

    Jobs of all tasks that name the limit share it, in the whole cluster, whatever their queue. A job that would be too many
    waits in line by its age, of which a step of priority is worth ten minutes, and holds up nobody else. No race exceeds a limit
    and no crash leaks a place: whoever has passed is a job that is ready or runs. Raises UsageError.

    `rate` is text: "50/min", "10/s", "500/min;20000/day": at most so many units start in any window of that length.
    `per` makes the key of a call from its arguments: `"{customer_id}"`; without it, all share one key.
    `units` is what a job weighs in the rates: a number, or an argument: `"{n_tokens}"`.
    """

    name: str
    rate: str | None = None
    concurrency: int | None = None
    per: str = ""
    units: int | str = 1

    def __post_init__(self) -> None:
        limit_name(self.name)
        if not self.rule.active:
            raise UsageError(f"limit {self.name!r} limits nothing: give it concurrency=, rate=, or both.")
        if not isinstance(self.units, str):
            _whole(self.units, self.name)

    @property
    def rule(self) -> Rule:
        """What each key is held to."""
        return rule_of(self.concurrency, self.rate)


class AskedLimit(NamedTuple):
    """A limit that the jobs of one task must pass, with its templates checked."""

    limit: Limit
    per: KeyTemplate | None
    units: KeyTemplate | None

    def gate(self, arguments: Mapping[str, Any]) -> tuple[str, str, int]:
        """Its name, and the key and the weight of a call with these arguments. Raises UsageError."""
        limit = self.limit
        key = "" if self.per is None else self.per.render(arguments)
        units = limit.units if self.units is None else self.units.render(arguments)
        return limit.name, key, _whole(units, limit.name)


def asked(limits: Sequence[Limit], signature: inspect.Signature, task: str) -> tuple[AskedLimit, ...]:
    """What a task asks for, checked against its parameters. Raises DefinitionError."""
    found: list[AskedLimit] = []
    for limit in limits:
        if not isinstance(limit, Limit):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
            raise DefinitionError(f"task {task!r}: limits: expected Limit(…), got a {type(limit).__name__}.")
        per = KeyTemplate.parse(limit.per, signature, task) if limit.per else None
        units = KeyTemplate.parse(limit.units, signature, task) if isinstance(limit.units, str) else None
        found.append(AskedLimit(limit, per, units))
    names = [one.limit.name for one in found]
    if len(set(names)) < len(names):
        raise DefinitionError(f"task {task!r}: limits name one twice: {', '.join(names)}.")
    return tuple(found)


def _whole(units: object, name: str) -> int:
    try:
        found = int(units) if isinstance(units, str | int) and not isinstance(units, bool) else 0
    except ValueError:
        found = 0
    if not 1 <= found <= MOST:
        raise UsageError(f"limit {name!r}: units={shown(units)} is not a whole number from 1 to {MOST:,}.")
    return found
