"""The caretaker: a thread that runs the chores, each in its time, on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Thread

from relet.clock import SECOND, Clock, Rng
from relet.errors import StoreError
from relet.events import Emitter
from relet.job.textsafe import describe
from relet.maintain.chores import Chore
from relet.store.port import Store
from relet.store.reach import Reach

FIRST_RETRY_US, MOST_RETRY_US = SECOND // 5, 5 * SECOND


class Caretaker:
    """Runs each chore at once when started, then as often as it says, with some jitter."""

    def __init__(
        self,
        chores: Sequence[Chore],
        open_store: Callable[[], Store],
        clock: Clock,
        rng: Rng,
        reach: Reach,
        emit: Emitter,
    ) -> None:
        self._chores = {chore.name: chore for chore in chores}
        self._open_store = open_store
        self._clock = clock
        self._rng = rng
        self._reach = reach
        self._emit = emit
        self._due: dict[str, int] = {}
        self._retry_us = FIRST_RETRY_US
        self._store: Store | None = None
        self._changed = Condition()
        self._finished = False
        self._thread = Thread(target=self._serve, name="relet-caretaker", daemon=True)

    def start(self) -> None:
        """Begin. Harmless when repeated."""
        if self._thread.ident is None and not self._finished:
            now = self._clock.steady()
            self._due = dict.fromkeys(self._chores, now)
            self._thread.start()

    def hasten(self, name: str, in_us: int) -> None:
        """Run this chore in so long at the latest. From any thread."""
        at = self._clock.steady() + in_us
        with self._changed:
            if at < self._due.get(name, 2**62):
                self._due[name] = at
                self._changed.notify()

    def finish(self, timeout_us: int) -> None:
        """End the thread after the chore that it is at."""
        with self._changed:
            self._finished = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_us / SECOND)

    def _serve(self) -> None:
        while (name := self._next()) is not None:
            chore = self._chores[name]
            again_us = self._run(chore)
            with self._changed:
                hastened = self._due[name]
                self._due[name] = min(hastened, self._clock.steady() + again_us)
        self._close()

    def _next(self) -> str | None:
        """Wait for the next chore, and mark it as begun. None: the end."""
        with self._changed:
            while not self._finished:
                name = min(self._due, key=self._due.__getitem__)
                wait = self._due[name] - self._clock.steady()
                if wait <= 0:
                    self._due[name] = 2**62
                    return name
                self._changed.wait(wait / SECOND)
        return None

    def _run(self, chore: Chore) -> int:
        try:
            if self._store is None:
                self._store = self._open_store()
            again_us = chore.run(self._store)
        except Exception as error:  # noqa: BLE001  one chore's trouble is not the others'
            if not self._reach.lost(error):
                self._emit("chore.failed", name=chore.name, error=describe(error))
            if isinstance(error, StoreError):
                self._close()
            self._retry_us = min(self._retry_us * 2, MOST_RETRY_US)
            return self._rng.randint(self._retry_us // 2, self._retry_us)
        self._retry_us = FIRST_RETRY_US
        if again_us is not None:
            return again_us
        return chore.every_us - self._rng.randint(0, chore.every_us // 10)

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(StoreError):
                store.close()
