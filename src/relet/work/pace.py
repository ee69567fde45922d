"""The pace of a continuous run: passes of the same function inside one claim, with a rest between them that anything may end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from relet.clock import SECOND


class Pace:
    """Of one run. `wake` may be called from any thread; the rest belongs to whoever runs the passes."""

    def __init__(self, idle_us: int) -> None:
        self.passed = 0
        """Passes that have ended well."""
        self.told = 0
        """How many of them the store knows of."""
        self._rest_s = idle_us / SECOND
        self._over = Event()
        self._wake_loop: Callable[[], object] = _nothing

    def wake(self) -> None:
        """There is no rest any more: the run is to end."""
        self._over.set()
        self._wake_loop()

    def rest(self) -> None:
        """Until the next pass is due, or nothing more is."""
        self._over.wait(self._rest_s)

    async def rest_on_loop(self) -> None:
        """The same on an event loop, which others go on to use."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(over.set)

        self._wake_loop = wake
        if self._over.is_set():  # before anybody could wake the loop
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._rest_s):
                await over.wait()


def _nothing() -> None:
    return None
