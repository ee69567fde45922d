"""Async tasks: an event loop in a thread of its own, so that neither the lease nor the store waits for a task."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from relet.context import enter
from relet.job.outcome import Outcome
from relet.work.passes import passes_on_loop
from relet.work.run import Run

if TYPE_CHECKING:
    from relet.work.runner import Runner

END_S = 1.0


class Loop:
    """Starts its thread with the first run."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._abandoned: set[asyncio.Task[None]] = set()
        self.pulse_sent = 0
        self.pulse_seen = 0

    def start(self, runs: Sequence[Run]) -> None:
        """One wake of the loop, however many runs."""
        (self._loop or self._open()).call_soon_threadsafe(self._begin, runs)

    def _open(self) -> asyncio.AbstractEventLoop:
        self._loop = loop = _new_loop()
        self._thread = Thread(target=_serve, args=(loop,), name="relet-loop", daemon=True)
        self._thread.start()
        return loop

    def _begin(self, runs: Sequence[Run]) -> None:
        start, body, loop = _start, self._run, self._loop
        for run in runs:
            run.handle = start(body(run), loop)

    async def _run(self, run: Run) -> None:
        try:
            outcome = self._runner.prepare(run)
            if outcome is None:
                enter(run)
                if run.pace is None:
                    outcome = run.returned(await run.known.fn(*run.args, **run.kwargs))
                else:
                    outcome = await passes_on_loop(run, run.pace, self._runner)
        except BaseException as error:  # noqa: BLE001  whatever a task raises is its outcome
            outcome = run.raised(error)
        if run.effects is None:
            self._runner.end(run, outcome)
        else:
            await self._conclude(run, outcome)

    async def _conclude(self, run: Run, outcome: Outcome) -> None:
        """Commit or undo the task's own transaction, off the loop; that is not to be interrupted."""
        work = asyncio.get_running_loop().run_in_executor(None, self._runner.conclude, run, outcome)
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(work)

    def interrupt(self, run: Run) -> None:
        """Cancel it on the loop. A run that has not begun sees for itself that it was told to stop."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_cancel, run)

    def give_up(self, run: Run) -> bool:
        """It swallowed its cancellation, or holds the loop: it goes on, but has no say any more."""
        if run.handle is not None:
            task: asyncio.Task[None] = run.handle
            self._abandoned.add(task)  # the loop itself keeps only weak references
            task.add_done_callback(self._abandoned.discard)
        return False

    # ── health ────────────────────────────────────────────────────────────────────────────────────────────────────
    def ping(self, now: int) -> None:
        """Ask the loop for a sign of life, unless it still owes one."""
        if self._loop is None or self.pulse_seen < self.pulse_sent:
            return
        self.pulse_sent = now
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._pulse, now)

    def _pulse(self, sent: int) -> None:
        self.pulse_seen = sent

    def blocked_us(self, now: int) -> int:
        """For how long the loop has given no sign: a task blocks it."""
        return now - self.pulse_sent if self.pulse_seen < self.pulse_sent else 0

    def close(self) -> None:
        """End the loop. What still runs on it is cancelled, and left behind if it does not end."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        thread.join(END_S)
        self._loop = self._thread = None


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # pyright: ignore[reportMissingImports, reportMissingTypeStubs]  it is not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  it has no types


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=END_S / 2))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _cancel(run: Run) -> None:
    if run.begun and run.handle is not None:
        run.handle.cancel(run.stop.reason if run.stop is not None else None)


if sys.version_info >= (3, 12):

    def _start(body: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop | None) -> asyncio.Task[None]:
        """Eagerly: a task that never waits needs no second pass of the loop."""
        return asyncio.Task(body, loop=loop, eager_start=True)

else:

    def _start(body: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop | None) -> asyncio.Task[None]:
        assert loop is not None
        return loop.create_task(body)
