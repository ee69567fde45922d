"""Circuit breakers, as far as a worker knows of them: what its claims leave out, what it tells the store, when it asks for a
probe. Pure.

The store decides. Between two answers of it, a worker goes by the last one and by what its own runs have come to since: so it
stops at the failure that trips a breaker, and not a report later; and when the store is away, what was known last holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relet.clock import MS, SECOND
from relet.job.breaker import QUEUE, TASK, Rule, State, Status, closed, hear, queue_breaker, task_breaker
from relet.job.duration import format_us
from relet.job.job import Claim, ClaimKey
from relet.job.outcome import Ended, Outcome
from relet.store.records import Lane, Report, Verdict, Want
from relet.store.rows import BreakerRow
from relet.work.actions import Probe, Tell
from relet.work.lanes import Lanes
from relet.work.limits import Limits
from relet.work.terms import Terms

FLUSH_US = SECOND
"""How long successes wait to be told together. Failures and the ends of probes do not wait."""

AGAIN_US = SECOND
"""After a report that failed, or a probe that was not had, for so long."""

SLACK_US = 100 * MS
"""A change that is no older than this may be missing from a listing."""

SHARE = 20
"""Looking for a job to be a probe costs at most one part in so many of the time."""

HELD = Outcome(Ended.RELEASE, error="given back before it began: a circuit breaker had opened")

FAILED = frozenset({Ended.FAILURE, Ended.TIMEOUT, Ended.RETRY_LATER, Ended.CHILD_DIED, Ended.CRASH})
"""What speaks against a task. Of the rest, only a success speaks for it."""


class Seen(NamedTuple):
    """How a run has ended that breakers guard."""

    key: ClaimKey
    task: str
    queue: str
    passed: bool
    error: str = ""
    spares: tuple[str, ...] = ()
    """Breakers that do not count it."""


@dataclass(slots=True)
class _Untold:
    """What the store has not been told yet."""

    outcomes: list[int] = field(default_factory=list[int])
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    error: str = ""

    @property
    def urgent(self) -> bool:
        """Whether it is more than successes."""
        return bool(self.verdicts) or any(count < 0 for count in self.outcomes)

    def count(self, passed: bool, error: str) -> None:
        """One more."""
        one = 1 if passed else -1
        if self.outcomes and self.outcomes[-1] * one > 0:
            self.outcomes[-1] += one
        else:
            self.outcomes.append(one)
        self.error = error or self.error


class Breakers:
    """The breakers of one worker. `tasks`, `queues` and `guarded` may be read from any thread."""

    def __init__(self, rules: Mapping[str, Rule] | None = None, freed: Callable[[], None] | None = None) -> None:
        """`rules` are those of its code, by name; `freed` is called when something may be claimed that was held."""
        self._freed = freed
        self._rules = {name: rule for name, rule in (rules or {}).items() if name.startswith((TASK, QUEUE))}
        self.guarded: frozenset[str] = frozenset(self._rules)
        """The names of the breakers that are to be told of what they guard."""
        self.tasks: frozenset[str] = frozenset()
        """Tasks that are not to be claimed."""
        self.queues: frozenset[str] = frozenset()
        self.events: deque[tuple[str, dict[str, Any]]] = deque()
        """What has happened, for whoever tells people."""
        self.shift = 0
        """What to add to the steady clock for the store's time."""
        self._known: dict[str, BreakerRow] = {}
        self._status: dict[str, Status] = {}
        """How they stand, with what has not been told."""
        self._untold: dict[str, _Untold] = {}
        self._since = 0
        self._told: dict[str, _Untold] = {}
        """What is being told just now."""
        self._retry_at = -(2**62)
        self._again: dict[str, int] = {}
        self._probes: dict[ClaimKey, tuple[str, ...]] = {}

    # ── runs ──────────────────────────────────────────────────────────────────────────────────────────────────────
    @property
    def holding(self) -> bool:
        """Whether anything is held."""
        return bool(self.tasks or self.queues)

    def guards(self, claim: Claim) -> bool:
        """Whether a breaker wants to know what this comes to. From any thread."""
        return task_breaker(claim.task) in self.guarded or queue_breaker(claim.queue) in self.guarded

    def holds(self, claim: Claim) -> bool:
        """Whether it should not start. From any thread."""
        return (claim.task in self.tasks or claim.queue in self.queues) and (
            claim.job_id,
            claim.epoch,
        ) not in self._probes

    def sort(self, claims: Sequence[Claim]) -> tuple[list[Claim], list[Claim]]:
        """Those to start, and those that are held."""
        held = [claim for claim in claims if self.holds(claim)] if self.holding else []
        return [claim for claim in claims if claim not in held] if held else list(claims), held

    def without(self, shut: Collection[str], tasks: tuple[str, ...]) -> tuple[Collection[str], tuple[str, ...]]:
        """The queues that are shut, and the tasks to claim, when what is held is left out."""
        if not self.holding:
            return shut, tasks
        return self.queues.union(shut), tuple([task for task in tasks if task not in self.tasks])

    def saw(self, seen: Seen, now: int) -> None:
        """Count the end of a run."""
        probed = self._probes.pop(seen.key, ())
        for name in (task_breaker(seen.task), queue_breaker(seen.queue)):
            if name not in self.guarded or name in seen.spares:
                continue
            untold = self._untold_of(name, now)
            if name in probed:
                untold.verdicts.append(Verdict(*seen.key, seen.passed))
                untold.error = seen.error or untold.error
            else:
                untold.count(seen.passed, seen.error)
                self._stand(name, self._count(name, (1 if seen.passed else -1,), now, seen.error))

    def ended(self, keys: Iterable[ClaimKey]) -> None:
        """These claims are settled."""
        if self._probes:
            for key in keys:
                self._probes.pop(key, None)

    def _untold_of(self, name: str, now: int) -> _Untold:
        if not self._untold:
            self._since = now
        return self._untold.setdefault(name, _Untold())

    def _count(self, name: str, outcomes: Iterable[int], now: int, error: str) -> Status:
        return hear(self._rule(name), self._status.get(name, Status()), outcomes, now + self.shift, error)

    def _rule(self, name: str) -> Rule:
        return self._known[name].rule if name in self._known else self._rules[name]

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────
    @property
    def untold(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._untold)

    def tell_at(self) -> int:
        """When to tell what there is to tell."""
        urgent = any(untold.urgent for untold in self._untold.values())
        return max(self._retry_at, self._since + (0 if urgent else FLUSH_US))

    def tell(self) -> tuple[Report, ...]:
        """What to tell now. Then comes `told` or `not_told`."""
        self._told, self._untold = self._untold, {}
        return tuple(
            [
                Report(name, tuple(untold.outcomes), tuple(untold.verdicts), untold.error)
                for name, untold in sorted(self._told.items())
            ]
        )

    def told(self, rows: Iterable[BreakerRow], now: int) -> None:
        """The store has heard it, and these are how they stand."""
        self._told = {}
        self._learn(rows, now)

    def not_told(self, now: int) -> None:
        """It has not, or may not have: what it has counted, it counts twice at worst."""
        for name, before in self._told.items():
            after = self._untold.get(name, _Untold())
            verdicts = [*before.verdicts, *after.verdicts]
            self._untold[name] = _Untold([*before.outcomes, *after.outcomes], verdicts, after.error or before.error)
        self._told, self._retry_at = {}, now + AGAIN_US

    # ── learning ──────────────────────────────────────────────────────────────────────────────────────────────────
    def listed(self, rows: Sequence[BreakerRow], listed_at: int, now: int) -> None:
        """All that were not closed at that time of the store."""
        self.shift = listed_at - now
        named = {row.name for row in rows}
        over = [
            row._replace(status=closed(row.status))
            for name, row in self._known.items()
            if row.status.opened_at is not None and name not in named and row.changed_at < listed_at - SLACK_US
        ]
        self._learn([*rows, *over], now)

    def _learn(self, rows: Iterable[BreakerRow], now: int) -> None:
        before = self.tasks, self.queues
        for row in rows:
            known = self._known.get(row.name)
            if not row.name.startswith((TASK, QUEUE)) or (known is not None and known.revision > row.revision):
                continue
            self._known[row.name] = row
            status = row.status
            for part in (self._told, self._untold):
                if row.name in part:
                    untold = part[row.name]
                    status = hear(row.rule, status, untold.outcomes, now + self.shift, untold.error)
            self._stand(row.name, status)
        self.guarded = frozenset(self._rules) | {TASK + task for task in self.tasks} | {QUEUE + q for q in self.queues}
        if self._freed is not None and not (self.tasks >= before[0] and self.queues >= before[1]):
            self._freed()

    def _stand(self, name: str, status: Status) -> None:
        """This is how it stands now."""
        before = self._status.get(name, Status())
        self._status[name] = status
        if (before.opened_at is None) == (status.opened_at is None):
            return
        if status.opened_at is None:
            self.events.append(("breaker.closed", {"breaker": name}))
        else:
            lasts = (
                "until a person closes it"
                if status.probe_at is None
                else f"for {format_us(status.probe_at - status.opened_at)}"
            )
            facts = {"breaker": name, "reason": status.because, "error": status.error, "lasts": lasts}
            self.events.append(("breaker.opened", facts))
        is_open = [each for each, its in self._status.items() if its.opened_at is not None]
        self.tasks = frozenset(each.removeprefix(TASK) for each in is_open if each.startswith(TASK))
        self.queues = frozenset(each.removeprefix(QUEUE) for each in is_open if each.startswith(QUEUE))
        self._again.pop(name, None)

    # ── probes ────────────────────────────────────────────────────────────────────────────────────────────────────
    def probe_at(self, tasks: Collection[str]) -> int:
        """When to ask for a probe of one of these tasks, or of a queue."""
        return min((self._ripe_at(name) for name in self._held(tasks)), default=2**62)

    def next(
        self, session_id: bytes, terms: Terms, lanes: Lanes, limits: Limits, now: int, *, may: bool
    ) -> Tell | Probe | None:
        """What to do now. What runs have come to is told before they are settled: so a probe is out until its verdict is in.
        `may`: a claim may be made."""
        if self.untold and self.tell_at() <= now:
            return Tell(self.tell())
        held = self._held(terms.tasks) if may else []
        name = next((name for name in held if self._ripe_at(name) <= now), None)
        if name is None:
            return None
        half_open = self.half_open(now)
        found, tasks = self._wanted(name, terms, lanes, half_open)
        limited = limits.limited(lane.queue for lane in found)
        want = Want(1, found, tasks, terms.offers, terms.younger_than_us, limited)
        return Probe(session_id, want, name, half_open)

    def half_open(self, now: int) -> tuple[str, ...]:
        """All that let probes pass now."""
        names = [TASK + task for task in self.tasks] + [QUEUE + queue for queue in self.queues]
        return tuple(sorted(n for n in names if self._status[n].state(now + self.shift) is State.HALF_OPEN))

    def _held(self, tasks: Collection[str]) -> list[str]:
        if not self.holding:
            return []
        return [TASK + task for task in sorted(self.tasks.intersection(tasks))] + [
            QUEUE + q for q in sorted(self.queues)
        ]

    def _ripe_at(self, name: str) -> int:
        status, mine = self._status[name], sum(name in names for names in self._probes.values())
        if status.probe_at is None or mine + status.proved >= self._rule(name).probes:
            return 2**62
        return max(status.probe_at - self.shift, self._again.get(name, -(2**62)))

    def _wanted(
        self, name: str, terms: Terms, lanes: Lanes, half_open: Collection[str]
    ) -> tuple[tuple[Lane, ...], tuple[str, ...]]:
        """The lanes and tasks for a probe of that breaker: none that another one holds which lets no probe pass."""
        task = name.removeprefix(TASK) if name.startswith(TASK) else None
        shut = [queue for queue in self.queues if QUEUE + queue not in half_open]
        tasks = [each for each in terms.tasks if each not in self.tasks or TASK + each in half_open]
        if task is not None:
            return lanes.whole(None, shut), (task,)
        return lanes.whole(name.removeprefix(QUEUE), shut), tuple(tasks)

    def probed(self, probe: Probe, claims: Sequence[Claim], rows: Iterable[BreakerRow], now: int, took_us: int) -> None:
        """What came of asking for a probe."""
        for claim in claims:
            guards = {task_breaker(claim.task), queue_breaker(claim.queue)}.intersection(probe.breakers)
            self._probes[claim.job_id, claim.epoch] = tuple(guards)
        self._learn(rows, now)
        if not claims:
            self._again[probe.breaker] = now + max(AGAIN_US, SHARE * took_us)

    def not_probed(self, name: str, now: int) -> None:
        """The store did not say."""
        self._again[name] = now + AGAIN_US
