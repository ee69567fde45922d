"""Virtual time: one queue of things to happen, one source of chance, clocks that differ. Nothing here waits.

A process that is frozen does nothing until it thaws; one that is dead does nothing ever. What it had sent arrives anyway.
"""

import heapq
from collections.abc import Callable
from random import Random

from relet.clock import SECOND

BEGINNING = 1_700_000_000 * SECOND

Happening = Callable[[], None]


class Process:
    """What can be frozen and killed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen_until = 0
        self.cut_until = 0
        """Until when nothing reaches the store or comes back."""
        self.faulted_at = -(2**62)
        """When something last went wrong for it."""


class World:
    """Time, chance, and what is going to happen."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now = 0
        self.wall_jump = 0
        self._queue: list[tuple[int, int, Process | None, Happening]] = []
        self._count = 0

    def at(self, time: int, happening: Happening, process: Process | None = None) -> None:
        """Let this happen then; to a process, if it lives, and not before it thaws."""
        self._count += 1
        heapq.heappush(self._queue, (max(time, self.now), self._count, process, happening))

    def after(self, us: int, happening: Happening, process: Process | None = None) -> None:
        """Let this happen in so long."""
        self.at(self.now + us, happening, process)

    def run(self, until: int, done: Callable[[], bool]) -> None:
        """Let everything happen up to that time, or until it is done."""
        while self._queue and self._queue[0][0] <= until and not done():
            time, count, process, happening = heapq.heappop(self._queue)
            self.now = time
            if process is not None and not process.alive:
                continue
            if process is not None and process.frozen_until > time:
                heapq.heappush(self._queue, (process.frozen_until, count, process, happening))
                continue
            happening()
        if not self._queue and not done():
            raise AssertionError("nothing is going to happen any more: everybody waits for ever")

    def between(self, low: int, high: int) -> int:
        """A time of that length."""
        return self.rng.randint(low, high)

    def chance(self, probability: float) -> bool:
        """True as often as that."""
        return self.rng.random() < probability


class StoreClock:
    """The store's: leases go by the true time, people by a wall clock that may be set."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> int:
        return BEGINNING + self._world.now + self._world.wall_jump

    def steady(self) -> int:
        return self._world.now

    def boot(self) -> str:
        return "the only boot"


class NodeClock:
    """A worker's: its steady clock began some time ago and is a little fast or slow; its wall clock is anything."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since = world.now
        self._offset = world.between(0, 10**12)
        self._rate = 1 + world.rng.uniform(-1, 1) / 2_000
        self._skew = world.rng.choice((0, 0, 3_600 * SECOND, -3_600 * SECOND, world.between(-SECOND, SECOND)))

    def now(self) -> int:
        return BEGINNING + self._world.now + self._skew

    def steady(self) -> int:
        return self._offset + round((self._world.now - self._since) * self._rate)

    def boot(self) -> str:
        return "the only boot"

    def true(self, steady: int) -> int:
        """The true time at which this clock will show that, or a moment later."""
        return self._since + round((steady - self._offset) / self._rate) + 2
