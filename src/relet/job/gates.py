"""Who may pass which gates: decided on what the store has counted under its locks. Pure.

A gate is a limit for one key. A job asks for all its gates at once; it passes when all of them let it, or stands in line at
the first one that does not. Nobody passes one who stands before it: lines are ordered by age, and priority makes older.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from relet.clock import MS, SECOND
from relet.job.limits import MOST, Rate, Rule, Tally, next_at, used

GateKey = tuple[str, str]
"""The name of a limit, and the key."""

Asked = tuple[str, str, int]
"""A gate that a job must pass, and the units that it weighs there."""

STEP_US = 600 * SECOND
"""So much earlier than its time does one stand in line whose priority is higher by one."""

BUSY_US = 50 * MS
"""After so long is a line looked at again in which somebody else holds one: maybe a caller whose transaction stays open."""

FOREVER = 2**62
"""Paused until somebody says otherwise."""


class Comer(NamedTuple):
    """A job that wants to pass."""

    order: tuple[int, bytes]
    """Its place in line, and its id."""
    queue: str
    asked: tuple[Asked, ...]
    epoch: int
    fair: bool = False
    """It has yet to get a place by its tenant's share."""
    due: bool = True
    """Not put off meanwhile."""
    at: GateKey | None = None
    """Where it stands in line."""

    @property
    def job_id(self) -> bytes:
        return self.order[1]

    def units_at(self, key: GateKey) -> int:
        """What it weighs at a gate."""
        return next((units for name, of, units in self.asked if (name, of) == key), 1)


def place_of(rank: int, since: int) -> int:
    """Where one that waits since then stands in line: a step of priority is worth some time, so that nobody starves."""
    return since + rank * STEP_US


def asked_in_order(gates: Iterable[Asked]) -> tuple[Asked, ...]:
    """What a job asks for, each gate once, in the order in which gates are locked."""
    weights: dict[GateKey, int] = {}
    for name, key, units in gates:
        weights[name, key] = max(units, weights.get((name, key), 0))
    return tuple((*key, weights[key]) for key in sorted(weights))


@dataclass(slots=True)
class Gate:
    """One gate, as it is counted now."""

    key: GateKey
    rule: Rule
    now: int
    paused_until: int | None = None
    slots: int = 0
    """Jobs that are ready or run, and have passed it."""
    tallies: list[Tally] = field(default_factory=list[Tally])
    behind: Comer | None = None
    """The first one in its line that is not looked at now. Nobody may pass it."""
    head: Comer | None = None
    """Who stands first in line when all is decided."""
    more: bool = False
    """It would let in more than were looked at."""
    busy: bool = False
    """Somebody else holds one of those in line just now."""
    _used: dict[int, int] = field(default_factory=dict[int, int])

    def __post_init__(self) -> None:
        self._used = {rate.window_us: used(rate, self.tallies, self.now) for rate in self.rule.rates}

    @property
    def paused(self) -> bool:
        """Whether it lets nobody in, however few have passed."""
        return self.paused_until is not None and self.paused_until > self.now

    def fits(self, units: int) -> bool:
        """Whether there is room for so much."""
        limit = MOST if self.rule.concurrency is None else self.rule.concurrency
        return (
            not self.paused
            and self.slots < limit
            and all(self._used[rate.window_us] + weight(rate, units) <= rate.units for rate in self.rule.rates)
        )

    def lets(self, comer: Comer) -> bool:
        """Whether this one may pass, now that all before it have been decided on."""
        first = self.head is None and (self.behind is None or comer.order < self.behind.order)
        return first and self.fits(comer.units_at(self.key))

    def take(self, units: int) -> None:
        """One has passed."""
        self.slots += 1
        for rate in self.rule.rates:
            self._used[rate.window_us] += weight(rate, units)
            self.tallies.append(Tally(rate.window_us, rate.step(self.now), weight(rate, units)))

    def stand(self, comer: Comer) -> None:
        """One must wait here."""
        if self.head is None or comer.order < self.head.order:
            self.head = comer

    def close(self) -> None:
        """All is decided: who is first in line now?"""
        if self.behind is not None and (self.head is None or self.behind.order < self.head.order):
            self.head = self.behind
        if self.head is not None and self.fits(self.head.units_at(self.key)):
            self.more = True

    @property
    def used(self) -> tuple[int, ...]:
        """Units that are used of each rate."""
        return tuple(self._used[rate.window_us] for rate in self.rule.rates)

    @property
    def opens_at(self) -> int | None:
        """When a pause or a rate lets the next one in, if it lets none in now."""
        if self.paused:
            return self.paused_until
        waits = [next_at(rate, self.tallies, self.now) for rate in self.rule.rates]
        return max((at for at in waits if at is not None), default=None)

    @property
    def next_at(self) -> int | None:
        """When to look at its line again, if nobody leaves before."""
        if self.more:
            return self.now
        if self.busy:
            return min(self.now + BUSY_US, self._next_at or FOREVER)
        return self._next_at

    @property
    def _next_at(self) -> int | None:
        if self.head is None:
            return None
        if self.paused:
            return None if self.paused_until is None or self.paused_until >= FOREVER else self.paused_until
        units = self.head.units_at(self.key)
        waits = [next_at(rate, self.tallies, self.now, weight(rate, units)) for rate in self.rule.rates]
        return max((at for at in waits if at is not None), default=None)


def weight(rate: Rate, units: int) -> int:
    """What so many units weigh: one job that weighs more than the rate allows takes all of it."""
    return min(units, rate.units)


class Decision(NamedTuple):
    """What becomes of the jobs."""

    passed: list[Comer]
    lined: list[tuple[Comer, GateKey]]
    """Those that now stand somewhere else than before."""
    put_off: list[Comer]


def decide(comers: Iterable[Comer], gates: Mapping[GateKey, Gate]) -> Decision:
    """Let in whom the gates let in, in the order of the lines. The gates are counted on."""
    decision = Decision([], [], [])
    for comer in sorted(comers, key=lambda comer: comer.order):
        wanted: Sequence[tuple[Gate | None, int]] = [(gates.get((n, k)), units) for n, k, units in comer.asked]
        if not comer.due:
            decision.put_off.append(comer)
        elif any(gate is None for gate, _ in wanted):
            _postpone(comer, gates)
        else:
            _decide(comer, [(gate, units) for gate, units in wanted if gate is not None], decision)
    for gate in gates.values():
        gate.close()
    return decision


def _decide(comer: Comer, wanted: Sequence[tuple[Gate, int]], decision: Decision) -> None:
    full = next((gate for gate, _ in wanted if not gate.lets(comer)), None)
    if full is None:
        for gate, units in wanted:
            gate.take(units)
        decision.passed.append(comer)
        return
    full.stand(comer)
    if comer.at != full.key:
        decision.lined.append((comer, full.key))


def _postpone(comer: Comer, gates: Mapping[GateKey, Gate]) -> None:
    """Another gate that it asks for is not held: it came to the head of its line just now. Next time it will be."""
    if comer.at is not None and comer.at in gates:
        gates[comer.at].stand(comer)
        gates[comer.at].more = True
