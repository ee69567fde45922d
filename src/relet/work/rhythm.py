"""When to look for work: at once while there is some, else by polls that grow rare, or when a bell rings. Pure."""

from __future__ import annotations

from relet.clock import MS, Rng

FIRST_POLL_US = 5 * MS
MOST_RING_GAP_US = 20 * MS
"""A bell that rings for nothing is heard less and less, down to once in so long."""


class Rhythm:
    """`dry` means that the last look found less than was wanted."""

    def __init__(self, poll_us: int, rng: Rng) -> None:
        self.dry = False
        self._most_us = poll_us
        self._rng = rng
        self._poll_us = FIRST_POLL_US
        self._poll_at = 0
        self._rung = False
        self._gap_us = 0
        self._looked_at = -(2**62)

    def ring(self) -> None:
        """There may be work."""
        self._rung = True

    def again(self) -> None:
        """The last look came to nothing for reasons that are not the queue's: look again as soon as one may."""
        self.dry = False

    def due_at(self) -> int:
        """When to look again; long ago while there is work."""
        if not self.dry:
            return -(2**62)
        return self._looked_at + self._gap_us if self._rung else self._poll_at

    def looked(self, found: int, *, dry: bool, now: int) -> None:
        """A look found so many; `dry` says that there is no more."""
        polled = not self.dry or now >= self._poll_at
        if found:
            self._gap_us, self._poll_us = 0, FIRST_POLL_US
        elif dry and self._rung:
            self._gap_us = min(max(MS, self._gap_us * 2), MOST_RING_GAP_US)
        if dry and (polled or found):
            self._poll_at = now + self._rng.randint(self._poll_us // 2, self._poll_us)
            self._poll_us = min(self._poll_us * 2, self._most_us)
        self.dry, self._rung, self._looked_at = dry, False, now
