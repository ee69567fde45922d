"""Which lanes to claim from, in which order, and from which place on. Pure.

A lane is one priority of one queue. Queues share by weight; within a queue the higher priority goes first, but on every
sixteenth claim, which takes the lowest first, so that nothing starves.

A worker may have to walk over many jobs that it may not take (a task it does not know, a need it does not offer). When that
was expensive it remembers how far it got, and starts behind that place next time. Transactions that commit late can put jobs
before it, so it is a hint only: after a second, or twenty times what the last full look took, it looks from the start again.
Where a full look is cheap, no place is remembered. Where tenants share a queue, new jobs are put before others all the time:
once jobs with shares were found, a worker does not wait for the second to be over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from relet.clock import MS, SECOND
from relet.job.job import Claim, Flag
from relet.store.records import Lane

RANKS = (-3, -2, -1, 0)
"""CRITICAL to LOW: always looked at. Other ranks are learnt from the store."""

MOST_LANES = 64
"""Lanes in one claim. A worker of more lanes goes round."""

LOWEST_FIRST_EVERY = 16
EXPENSIVE_US = 2 * MS
SHARE = 20
"""A full look, or learning, costs at most one part in so many of the time."""

FORGET_US = 300 * SECOND
"""An unnamed queue in which nothing was ready for so long is not looked at until it is learnt again."""

_FAIR = int(Flag.FAIR)

Pair = tuple[str, int]


class Look(NamedTuple):
    """One claim's way through the lanes."""

    lanes: tuple[Lane, ...]
    full: bool
    """From the start of each lane."""
    with_ends: bool
    """Ask for the end of each lane first: the claim will probably come back short and expensive again."""


class Lanes:
    """The lanes of one worker."""

    def __init__(self, queues: Mapping[str, int], known: Iterable[str] = ()) -> None:
        self._named = {name: weight for name, weight in queues.items() if name != "*"}
        self._others = queues.get("*", 0 if queues else 1)
        self._seen: dict[str, int] = dict.fromkeys(known, 2**62) if self._others else {}
        self._ranks: dict[str, tuple[int, ...]] = {}
        self._credit: dict[str, int] = {}
        self._count = 0
        self._rest: deque[Pair] = deque()
        self._learnt_at = -(2**62)
        self._learning_us = 0
        self._after: dict[Pair, int] = {}
        self._full_at = -(2**62)
        self._full_us = 0
        self._expensive = False
        self._short = False
        self._short_of_start = False
        self._shared = False

    # ── what the store has ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def wanted_queues(self) -> tuple[str, ...]:
        """The queues to learn about; empty for all."""
        return () if self._others else tuple(self._named)

    def learn_at(self) -> int:
        """When to ask the store again which lanes have jobs."""
        return self._learnt_at + max(SECOND, SHARE * self._learning_us)

    def learn(self, pairs: Iterable[Pair], now: int, took_us: int) -> bool:
        """Take in which (queue, rank) pairs have ready jobs. True when one of them was not looked at before."""
        before = set(self._pairs(lowest_first=False))
        self._learnt_at, self._learning_us = now, took_us
        ranks: dict[str, set[int]] = {}
        for queue, rank in pairs:
            if queue in self._named or self._others:
                ranks.setdefault(queue, set(RANKS)).add(rank)
        for queue in ranks:
            self._seen[queue] = max(now, self._seen.get(queue, 0))
        self._seen = {queue: at for queue, at in self._seen.items() if at > now - FORGET_US}
        self._ranks = {queue: tuple(sorted(found)) for queue, found in ranks.items()}
        return not before.issuperset(self._pairs(lowest_first=False))

    def learnt_nothing(self, now: int) -> None:
        """The store did not say. Claims go on with what is known."""
        self._learnt_at = now

    # ── the next claim ────────────────────────────────────────────────────────────────────────────────────────────
    def next(self, now: int, shut: Collection[str] = ()) -> Look:
        """The lanes for the next claim, first choice first; none of the queues that are shut."""
        if not self._rest:
            self._count += 1
            self._rest.extend(
                self._pairs(lowest_first=self._count % LOWEST_FIRST_EVERY == 0, take_turns=True, shut=shut)
            )
        pairs = [self._rest.popleft() for _ in range(min(MOST_LANES, len(self._rest)))]
        pairs = [pair for pair in pairs if pair[0] not in shut] if shut else pairs
        full = not self._expensive or now >= self.full_at()
        start = -(2**63)
        after = {} if full else self._after
        lanes = tuple(Lane(queue, rank, after.get((queue, rank), start)) for queue, rank in pairs)
        return Look(lanes, full, self._expensive and self._short)

    def whole(self, queue: str | None, shut: Collection[str]) -> tuple[Lane, ...]:
        """All lanes, or those of one queue, from their start, but for the queues that are shut: for a claim of its own kind."""
        pairs = self._pairs(lowest_first=False)
        return tuple([Lane(*pair) for pair in pairs if pair[0] not in shut and queue in (None, pair[0])])

    def full_at(self) -> int:
        """When the next look from the start may be made: sooner if the last look came back short."""
        wait = SHARE * self._full_us
        return self._full_at + (wait if self._short_of_start or self._shared else max(SECOND, wait))

    @property
    def looks_back(self) -> bool:
        """True when the last look was short, but not from the start: a full one has to follow when its time has come."""
        return self._short_of_start

    @property
    def went_round(self) -> bool:
        """True when every lane was in one of the last looks: a short claim then means that there is nothing."""
        return not self._rest

    def stayed_away(self) -> None:
        """A look was due, and every queue is shut: it is made when one opens."""
        self._short_of_start = False

    def look_back(self) -> None:
        """Jobs have returned to the head of their lanes: forget how far we were."""
        self._after.clear()
        self._expensive = False

    def came(
        self,
        look: Look,
        claims: Sequence[Claim],
        limit: int,
        ends: Sequence[int] | None,
        now: int,
        took_us: int,
        cut: Collection[str] = (),
    ) -> None:
        """What a look brought, and what it cost. In the queues of `cut` it ended before it had seen all."""
        self._short = len(claims) < limit
        self._short_of_start = self._short and not look.full
        if not self._short:
            self._rest.clear()
        if look.full:
            self._full_at, self._full_us = now, took_us
            self._expensive = took_us > EXPENSIVE_US
        if self._expensive:
            if claims:
                self._shared = any(claim.flags & _FAIR for claim in claims)
            self._pass(look.lanes, claims, ends, cut)
        else:
            self._after.clear()

    def _pass(
        self, lanes: Sequence[Lane], claims: Sequence[Claim], ends: Sequence[int] | None, cut: Collection[str]
    ) -> None:
        """Remember how far each lane was walked: to its end, but for the lane in which the limit was reached."""
        # They come in order. Jobs of two tenants may stand at the same place, so that it is looked at again.
        last = {(claim.queue, claim.rank): claim.seq - bool(claim.flags & _FAIR) for claim in claims}
        touched = [(lane.queue, lane.rank) for lane in lanes if (lane.queue, lane.rank) in last]
        reached = touched[-1] if touched and not self._short else None
        for place, lane in enumerate(lanes):
            pair = (lane.queue, lane.rank)
            walked = [last[pair]] if pair in last else []
            if ends is not None and pair != reached and lane.queue not in cut:
                walked.append(ends[place])
            if walked:
                self._after[pair] = max(*walked, self._after.get(pair, walked[0]))
            if pair == reached:
                break

    # ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _pairs(self, *, lowest_first: bool, take_turns: bool = False, shut: Collection[str] = ()) -> list[Pair]:
        queues = self._in_turn(shut) if take_turns else list(self._weights())
        return [
            (queue, rank) for queue in queues for rank in sorted(self._ranks.get(queue, RANKS), reverse=lowest_first)
        ]

    def _weights(self) -> dict[str, int]:
        others = dict.fromkeys(self._seen, self._others) if self._others else {}
        return others | self._named

    def _in_turn(self, shut: Collection[str]) -> list[str]:
        """Smooth weighted round robin (as in nginx): the queue whose credit is highest goes first and pays for it."""
        weights = {queue: weight for queue, weight in self._weights().items() if queue not in shut}
        self._credit = {queue: self._credit.get(queue, 0) + weight for queue, weight in weights.items()}
        order = sorted(self._credit, key=lambda queue: -self._credit[queue])
        if order:
            self._credit[order[0]] -= sum(weights.values())
        return order
