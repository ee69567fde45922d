"""Circuit breakers in a simulated history: one of the task, maybe one of the queue, and one around a call that jobs meet open."""

import json
from collections.abc import Collection, Iterable, Sequence
from random import Random
from typing import Any

from relet.clock import MS, SECOND, Ids
from relet.job.breaker import Rule, queue_breaker, task_breaker
from relet.job.job import Claim, NewJob, Options
from relet.store.records import Report
from relet.store.rows import BreakerRow
from tests.simulation.bodies import CALL, TASK, kinds

Key = tuple[bytes, int]
STALE_US = 900 * MS
"""So long a process may not know that a breaker has closed."""


def breakers(rng: Random) -> dict[str, Rule]:
    """They trip easily and cool fast."""
    names = rng.choice(
        ([task_breaker(TASK)], [queue_breaker("default")], [task_breaker(TASK), queue_breaker("default")])
    )
    found = {
        name: Rule(rng.choice((1, 2, 3)), cool_us=rng.choice((1, 2)) * SECOND, probes=rng.choice((1, 1, 2)))
        for name in names
    }
    return found | {CALL: Rule()}


def meeting(rng: Random, ids: Ids) -> list[NewJob]:
    """Jobs that the breaker around their call puts off for an hour, as long as it is open."""
    args = json.dumps(kinds(rng.choice((1, 5 * MS, 300 * MS)))["meet"])
    return [NewJob(ids.job(), TASK, args=args, options=Options()) for _ in range(rng.choice((1, 2, 4)))]


class Circuits:
    """What the judge knows of breakers: which are open, and which probes of them are out."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self._open: dict[str, BreakerRow] = {}
        self._out: dict[str, set[Key]] = {}
        self._closed_at: dict[str, int] = {}

    def stand(self, rows: Iterable[BreakerRow], now: int) -> None:
        """The store says that they stand so; by the true time, it is now."""
        for row in rows:
            if row.status.opened_at is not None:
                self._open[row.name] = row
            elif self._open.pop(row.name, None) is not None:
                self._out.pop(row.name, None)
                self._closed_at[row.name] = now

    def told(self, reports: Sequence[Report]) -> None:
        """What probes have come to."""
        for report in reports:
            self._out.get(report.breaker, set()).difference_update(
                (token, epoch) for token, epoch, _ in report.verdicts
            )

    def granted(self, asked: Collection[str], claims: Sequence[Claim], now: int, standing: Collection[Key]) -> str:
        """What is wrong with these probes, by the store's time; empty: nothing. Of breakers that were not `asked` for, the worker
        has yet to hear that they are open."""
        for claim in claims:
            for name in {task_breaker(claim.task), queue_breaker(claim.queue)}.intersection(asked, self._open):
                status, out = self._open[name].status, self._out.setdefault(name, set())
                out.intersection_update(standing)
                out.add((claim.job_id, claim.epoch))
                if status.probe_at is None or status.probe_at > now:
                    return f"breaker {name} was not half-open"
                if len(out) + status.proved > self.rules[name].probes:
                    return f"{len(out)} probes of {name} are out, and {status.proved} have succeeded"
        return ""

    def turns_away(self, name: str, now: int) -> bool:
        """Whether a call that it guards is turned away: some processes learn late that it has closed."""
        return name in self._open or now - self._closed_at.get(name, -(2**62)) < STALE_US


def declare(rules: dict[str, Rule], store: Any) -> Any:
    return store.declare_breakers(rules, "code")


def open_call(store: Any) -> Any:
    return store.open_breaker(CALL, "ann", "")


def close_call(store: Any) -> Any:
    return store.close_breaker(CALL, "ann")
