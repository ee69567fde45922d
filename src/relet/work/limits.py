"""Limited queues, as far as a worker knows of them: which rules its claims have to hold, and when to look again at a queue that
may not start anything now. Pure.

The store decides; this only saves asking. A worker learns from the answer to a turn that a queue is limited. A queue that is
full is not looked at until a run of it ends here, a bell rings, its rate lets the next one start, or a poll is due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from relet.clock import MS, Rng
from relet.job.job import Claim, ClaimKey
from relet.store.records import Lane, LimitedQueue

FIRST_US = 5 * MS
"""A queue that is full is looked at again after so long, then twice as long, up to the setting for polls."""

MOST_RING_GAP_US = 64 * MS
"""A bell that rings for others is heard less and less, down to once in so long."""

BUSY_US = 4 * MS
"""Somebody else was claiming from it: look again within so long."""


class Shut(NamedTuple):
    """A queue that let nothing start."""

    since: int
    until: int
    """When to look again, if nothing happens."""
    poll_us: int
    gap_us: int


class Limits:
    """The limited queues of one worker."""

    def __init__(self, poll_us: int, rng: Rng) -> None:
        self._poll_us = poll_us
        self._rng = rng
        self._known: set[str] = set()
        self._shut: dict[str, Shut] = {}
        self._looked_at = -(2**62)
        self._queues: dict[ClaimKey, str] = {}
        """The claims that are slots of a limited queue."""

    def shut(self, now: int) -> Collection[str]:
        """The queues that are not to be looked at in a claim that is made now."""
        self._looked_at = now
        return [queue for queue, shut in self._shut.items() if shut.until > now] if self._shut else ()

    def limited(self, queues: Iterable[str]) -> tuple[str, ...]:
        """Those of these queues whose rules have to be held."""
        return tuple(sorted(self._known.intersection(queues))) if self._known else ()

    def opens_at(self) -> int:
        """When to look again at the first of those that were shut in the last look."""
        waiting = [shut.until for shut in self._shut.values() if shut.until > self._looked_at]
        return min(waiting, default=2**62)

    def ring(self) -> None:
        """There may be room."""
        for queue, shut in self._shut.items():
            self._shut[queue] = shut._replace(until=min(shut.until, shut.since + shut.gap_us))

    def ending(self, keys: Iterable[ClaimKey]) -> None:
        """These claims are settled by the turn that is made now, which may have their slots."""
        if self._queues:
            for key in keys:
                if (queue := self._queues.get(key)) is not None:
                    self._shut.pop(queue, None)

    def ended(self, keys: Iterable[ClaimKey]) -> None:
        """These claims are settled."""
        if self._queues:
            for key in keys:
                self._queues.pop(key, None)

    def turned(
        self, lanes: Sequence[Lane], limited: Sequence[LimitedQueue], claims: Sequence[Claim], now: int, wall_now: int
    ) -> Collection[str]:
        """What a claim from these lanes has learnt. Returns those of which it may not have seen all that is ready."""
        if not (limited or self._known):
            return ()
        names = {one.queue for one in limited}
        for queue in self._known.intersection(lane.queue for lane in lanes) - names:
            self._known.discard(queue)
            self._shut.pop(queue, None)
        self._queues |= {(claim.job_id, claim.epoch): claim.queue for claim in claims if claim.queue in names}
        started = {claim.queue for claim in claims}
        return [one.queue for one in limited if self._pass(one, one.queue in started, now, wall_now)]

    def _pass(self, limited: LimitedQueue, started: bool, now: int, wall_now: int) -> bool:
        """Whether it let not all start that there may be."""
        before = self._shut.pop(limited.queue, None)
        if limited.held and limited.left > 0:
            self._known.add(limited.queue)
            return False
        again = None if started else before
        poll_us = FIRST_US if again is None else min(again.poll_us * 2, self._poll_us)
        gap_us = MS if again is None else min(again.gap_us * 2, MOST_RING_GAP_US)
        if limited.queue not in self._known and not limited.held:
            until = now + 1
        elif not limited.held:
            until = now + self._rng.randint(MS, BUSY_US)
        elif limited.next_at is not None:
            until = now + min(max(0, limited.next_at - wall_now), self._poll_us)
        else:
            until = now + self._rng.randint(poll_us // 2, poll_us)
        self._known.add(limited.queue)
        self._shut[limited.queue] = Shut(now, until, poll_us, gap_us)
        return True
