"""Where requests are worked on: in a few threads, each with a connection of its own, so that no page waits for a worker.

A page that takes too long is given up, not waited for: what the store is asked goes on in its thread until it has answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import LifoQueue
from typing import TypeVar

from relet.app import App
from relet.clock import SECOND
from relet.errors import StoreError, StoreUnavailable
from relet.store.port import Store
from relet.web.recent import Recent

T = TypeVar("T")

THREADS = 4
PATIENCE_US = 10 * SECOND
"""How long a request may take at the store."""


class Desk:
    """Connections and threads for the requests of one app."""

    def __init__(self, app: App, threads: int = THREADS) -> None:
        self.app = app
        self.recent = Recent(app.clock)
        self._idle: LifoQueue[Store | None] = LifoQueue()
        for _ in range(threads):
            self._idle.put(None)
        self._threads = ThreadPoolExecutor(threads, "relet-web")

    async def run(
        self,
        work: Callable[[Store], T],
        patience_us: int = PATIENCE_US,
        *,
        late: type[StoreError] = StoreUnavailable,
    ) -> T:
        """Do this in a thread, with a store for it alone. Raises what it raises; `late` if it takes too long, and goes on; and
        StoreUnavailable if no thread was free for it in that time: then it is not done."""
        asked = self._threads.submit(self._with_store, work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), patience_us / SECOND)
        except TimeoutError:
            within = f"within {patience_us / SECOND:g} s"
            if asked.cancelled():
                raise StoreUnavailable(
                    f"The server is busy, and did not get to it {within}. Nothing was done."
                ) from None
            raise late(
                f"The store has not answered {within}. It may be busy; look what was done, and ask for less, or again."
            ) from None

    def close(self) -> None:
        """Let go of the connections, once what is being done has ended."""
        self._threads.shutdown(wait=True)
        while not self._idle.empty():
            store = self._idle.get_nowait()
            if store is not None:
                store.close()

    def _with_store(self, work: Callable[[Store], T]) -> T:
        with self._store() as store:
            return work(store)

    @contextmanager
    def _store(self) -> Generator[Store]:
        """There are as many connections as threads, so nobody waits here."""
        store = self._idle.get()
        try:
            if store is None:
                store = self.app.open_store()
            yield store
        except StoreError:
            broken, store = store, None
            if broken is not None:
                with suppress(StoreError):
                    broken.close()
            raise
        finally:
            self._idle.put(store)
