"""How often somebody may try to sign in, before they have to wait."""

from __future__ import annotations

from collections import OrderedDict

from relet.clock import SECOND

WINDOW_US = 60 * SECOND
MOST = 10
"""Failed attempts of one address in a window."""
ADDRESSES = 10_000
"""How many are remembered; the one that tried longest ago is forgotten first."""


class Attempts:
    """Counts failed attempts by address. Only failures count, so nobody who knows a token is kept out by it."""

    def __init__(self, most: int = MOST, window_us: int = WINDOW_US) -> None:
        self._most = most
        self._window_us = window_us
        self._failed: OrderedDict[str, list[int]] = OrderedDict()

    def wait_us(self, address: str, now: int) -> int:
        """How long this address has to wait; 0: it may try now."""
        recent = self._recent(address, now)
        return 0 if len(recent) < self._most else recent[0] + self._window_us - now

    def failed(self, address: str, now: int) -> None:
        """It tried, and was wrong."""
        self._failed[address] = [*self._recent(address, now), now][-self._most :]
        self._failed.move_to_end(address)
        while len(self._failed) > ADDRESSES:
            self._failed.popitem(last=False)

    def _recent(self, address: str, now: int) -> list[int]:
        return [at for at in self._failed.get(address, ()) if at > now - self._window_us]
