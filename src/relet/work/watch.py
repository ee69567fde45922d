"""The watch: a thread that sees to whatever has a time: runs, the lease, threads that are short, a loop that is blocked."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from relet.clock import MS, SECOND, Clock, pause
from relet.events import Emitter
from relet.job.textsafe import describe
from relet.work.keeper import NOT_RENEWED, Keeper
from relet.work.loop import Loop
from relet.work.runner import Runner
from relet.work.threads import Threads
from relet.work.wake import Wake

LONGEST_US = SECOND
SHORT_US = 5 * MS
"""How long runs wait for a thread before there are more threads."""


class Watch:
    """Never calls the store, so that nothing can hold it up."""

    def __init__(
        self, runner: Runner, keeper: Keeper, loop: Loop, threads: Threads, clock: Clock, emit: Emitter
    ) -> None:
        self.fence: Callable[[bytes, str], None] = _ignore
        """The lease of this session may have lapsed while the keeper waits for the store."""
        self._runner = runner
        self._keeper = keeper
        self._loop = loop
        self._threads = threads
        self._clock = clock
        self._emit = emit
        self._wake = Wake()
        self._until = 0
        self._short = False
        self._finished = False
        self._thread = Thread(target=self._serve, name="relet-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._runner.on_watched = self._note
        self._thread.start()

    def finish(self) -> None:
        """End the thread."""
        self._finished = True
        self._wake.set()
        self._thread.join(SECOND / 1e6)

    def _note(self, at: int) -> None:
        """From any thread: something is due earlier than the end of the sleep."""
        if at < self._until:
            self._until = at
            self._wake.set()

    def _serve(self) -> None:
        while not self._finished:
            try:
                self._until = self._step(self._clock.steady())
                self._wake.wait(self._until - self._clock.steady())
            except Exception as error:  # noqa: BLE001  a defect here must not end the watch
                self._emit("worker.defect", error=describe(error))
                pause(SECOND // 10)
        self._wake.close()

    def _step(self, now: int) -> int:
        self._until = now + LONGEST_US  # before looking: what is noted meanwhile shortens it
        self._loop.ping(now)
        times = [self._until, self._see_to_lease(now), self._see_to_threads(now), self._runner.sweep(now)]
        return min(time for time in [*times, self._until] if time is not None)

    def _see_to_lease(self, now: int) -> int | None:
        session_id = self._runner.session  # read first: a deadline that is past now is no later session's
        keeper = self._keeper
        if not keeper.live:
            return None
        if now < keeper.deadline:
            return keeper.deadline
        if session_id is not None:
            self.fence(session_id, NOT_RENEWED)
        return None

    def _see_to_threads(self, now: int) -> int | None:
        if not self._threads.waiting:
            self._short = False
            return None
        if self._short:
            self._threads.grow()
        self._short = True
        return now + SHORT_US


def _ignore(_: bytes, __: str) -> None:
    return None
