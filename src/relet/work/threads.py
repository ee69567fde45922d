"""Plain functions: each in a thread, never on the event loop.

A thread cannot be killed. A function that does not end when told to keeps its thread, which is replaced, and whatever it
returns in the end is not listened to.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import TYPE_CHECKING

from relet.context import enter
from relet.work.passes import passes
from relet.work.run import Run

if TYPE_CHECKING:
    from relet.work.runner import Runner

AT_ONCE = 16
"""Threads that are made as soon as runs wait; more only if they still wait after a sweep."""


class Threads:
    """At most `most` threads, made when needed."""

    def __init__(self, runner: Runner, most: int) -> None:
        self._runner = runner
        self._most = most
        self._waiting: SimpleQueue[Run | None] = SimpleQueue()
        self._threads: set[Thread] = set()
        self._busy: dict[Thread, Run] = {}
        self._made = 0

    def start(self, runs: Sequence[Run]) -> None:
        """Hand them to the threads."""
        for run in runs:
            self._waiting.put(run)
        self._grow(min(AT_ONCE, self._most))
        if self.waiting and len(self._threads) < self._most:
            self._runner.on_watched(0)

    def grow(self) -> None:
        """Runs have waited for a while: more threads."""
        self._grow(min(len(self._threads) + AT_ONCE, self._most))

    @property
    def waiting(self) -> int:
        """Runs that no thread has taken yet."""
        return self._waiting.qsize()

    def _grow(self, most: int) -> None:
        idle = len(self._threads) - len(self._busy)
        for _ in range(min(most - len(self._threads), self._waiting.qsize() - idle)):
            self._made += 1
            thread = Thread(target=self._serve, name=f"relet-thread-{self._made}", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _serve(self) -> None:
        me = current_thread()
        while me in self._threads and (run := self._waiting.get()) is not None:
            self._busy[me] = run
            run.handle = me
            Context().run(self._run, run)
            self._busy.pop(me, None)
            del run  # the thread may wait long for the next one
        self._threads.discard(me)

    def _run(self, run: Run) -> None:
        try:
            outcome = self._runner.prepare(run)
            if outcome is None:
                enter(run)
                if run.pace is None:
                    outcome = run.returned(run.known.fn(*run.args, **run.kwargs))
                else:
                    outcome = passes(run, run.pace, self._runner)
        except BaseException as error:  # noqa: BLE001  whatever a task raises is its outcome
            outcome = run.raised(error)
        self._runner.conclude(run, outcome)

    def interrupt(self, run: Run) -> None:
        """Nothing can interrupt a thread; the function may look at `ctx.cancelled`."""

    def give_up(self, run: Run) -> bool:
        """Let its thread go: others do the work."""
        if isinstance(run.handle, Thread):
            self._threads.discard(run.handle)
            self._busy.pop(run.handle, None)
        self._grow(min(AT_ONCE, self._most))
        return False

    def close(self) -> None:
        """Let idle threads end; the others end with the process."""
        for _ in range(len(self._threads)):
            self._waiting.put(None)
        for thread in tuple(self._threads):
            if thread not in self._busy:
                thread.join(0.5)
