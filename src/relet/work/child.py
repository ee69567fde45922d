"""The inside of a child process: jobs arrive over the socket, run in the main thread, one after the other."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from math import ceil
from pathlib import Path
from queue import SimpleQueue
from socket import socket
from threading import Lock, Thread
from types import FrameType
from typing import Any, TypeVar

from relet.clock import MS, SECOND, SystemClock, jitter
from relet.context import enter
from relet.job.outcome import Outcome
from relet.store.open import open_store
from relet.store.port import Effects
from relet.store.records import Note, Progress
from relet.work.finding import Main, find_task
from relet.work.pace import Pace
from relet.work.passes import passes, passes_on_loop
from relet.work.registry import Known, Runnable
from relet.work.run import Nowhere, Run, Stop
from relet.work.tills import Tills
from relet.work.verdicts import failure
from relet.work.wire import Begin, Begun, Done, Frames, FromChild, Halt, Leave, Pass, frame, read, said, to_child

PROGRESS_US = 50 * MS
"""Progress is passed on at most so often; the last one always is."""

T = TypeVar("T")


class Halted(BaseException):
    """Raised in the main thread of a child by the signal that tells it to end its job."""


class Child:
    """Runs what it is sent until the worker closes the socket. Also the desk of its run."""

    def __init__(self, line: socket, main: Main) -> None:
        self.worker = ""
        self._line = line
        self._main = main
        self._clock = SystemClock()
        self._rng = jitter()
        self._inbox: SimpleQueue[Begin | None] = SimpleQueue()
        self._sending = Lock()
        self._run: Run | None = None
        self._interrupt: Callable[[], None] | None = None
        self._leaving: str | None = None
        """Why whatever runs here should end when it has finished what it is at."""
        self._lease_until = 0
        self._url = ""
        self._tills = Tills(lambda: open_store(self._url))
        self._progress: Progress | None = None
        self._progress_at = -(2**62)

    def serve(self) -> None:
        """Until the socket is closed."""
        signal.signal(signal.SIGTERM, self._on_signal)
        Thread(target=self._listen, name="relet-line", daemon=True).start()
        while (begin := self._inbox.get()) is not None:
            self._serve_one(begin)

    # ── the worker speaks ─────────────────────────────────────────────────────────────────────────────────────────
    def _listen(self) -> None:
        with suppress(OSError, ValueError):
            for body in read(self._line, Frames()):
                match to_child.decode(body):
                    case Begin() as begin:
                        self._inbox.put(begin)
                    case Halt(ended, reason, lost):
                        self._halt(Stop(ended, reason, lost))
                    case Leave(reason):
                        self._leaving = reason
                        if self._run is not None:
                            self._run.leave(reason)
                    case other:
                        self._lease_until = self._clock.steady() + other.left_us
        if self._run is not None:
            os._exit(1)  # the worker is gone; whatever this run still did would be refused
        self._inbox.put(None)

    def _halt(self, stop: Stop) -> None:
        run = self._run
        if run is None:
            return
        run.stop = stop
        run.wake()
        if stop.lost:
            run.tell_lost()
        if self._interrupt is not None:
            self._interrupt()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        run = self._run
        if run is None or not run.begun:
            return
        if self._interrupt is not None:
            self._interrupt()
        else:
            run.begun = False  # once: what cleans up is not interrupted again
            raise Halted

    # ── one job ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _serve_one(self, begin: Begin) -> None:
        self._lease_until = self._clock.steady() + begin.lease_left_us
        self.worker, self._url = begin.worker, begin.url
        try:
            task = find_task(self._main, begin.module, begin.qualname, begin.claim.task)
            bound(task)
            task.keep_at(begin.url)
            run = self._run = Run(begin.claim, Known(task), begin.session_id, self, Nowhere())
            if self._leaving is not None:
                run.leave(self._leaving)
            self._send(Begun())
            outcome = Context().run(self._body, run)
            outcome, answer = run.conclude(outcome, self._rng)
            committed = run.committed
        except BaseException as error:  # noqa: BLE001  an import of the user's module may raise anything
            outcome, answer, committed = failure(error, retryable=True), None, ()
        self._run = None
        self._flush_progress()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        self._send(Done.of(outcome, answer, committed, clean=not _has_children()))

    def _body(self, run: Run) -> Outcome:
        try:
            outcome = run.admit() or run.decode()
            if outcome is not None:
                return outcome
            enter(run)
            run.begun = True
            if run.pace is None:
                value = (
                    self._on_loop(run, run.known.fn) if run.known.is_async else run.known.fn(*run.args, **run.kwargs)
                )
                run.begun = False
                return run.returned(value)
            outcome = self._passes(run, run.pace)
            run.begun = False
            return outcome if run.stop is None else run.returned(None)
        except BaseException as error:  # noqa: BLE001  whatever a task raises is its outcome
            return run.raised(error)

    def _passes(self, run: Run, pace: Pace) -> Outcome:
        if not run.known.is_async:
            return passes(run, pace, self)

        async def body(*_args: object, **_kwargs: object) -> Outcome:
            return await passes_on_loop(run, pace, self)

        return self._on_loop(run, body)

    def _on_loop(self, run: Run, fn: Callable[..., Coroutine[Any, Any, T]]) -> T:
        async def body() -> T:
            me, loop = asyncio.current_task(), asyncio.get_running_loop()
            assert me is not None
            self._interrupt = lambda: _cancel_soon(loop, me)
            try:
                if run.stop is not None:
                    raise Halted
                return await fn(*run.args, **run.kwargs)
            finally:
                self._interrupt = None

        return asyncio.run(body())

    # ── what the run asks (relet.work.run.Desk) ───────────────────────────────────────────────────────────────────
    def now(self) -> int:
        return self._clock.now()

    def begin_pass(self, run: Run) -> None:  # noqa: ARG002  a child has one run
        """The worker has the time of a pass."""
        self._send(Pass(begins=True))

    def end_pass(self, run: Run) -> None:
        """It counts them, too."""
        if run.pace is not None:
            run.passed(run.pace)
        self._send(Pass(begins=False))

    def note(self, note: Note) -> None:
        if isinstance(note, Progress):
            self._progress = note
            if self._clock.steady() - self._progress_at < PROGRESS_US:
                return
            self._flush_progress()
        else:
            self._send(said(note))

    def _flush_progress(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            self._progress_at = self._clock.steady()
            self._send(said(progress))

    def lease_left_us(self, session_id: bytes) -> int:  # noqa: ARG002  a child knows one session only
        return self._lease_until - self._clock.steady()

    def begin_effects(self, session_id: bytes) -> Effects:
        """On a connection of this process's own."""
        return self._tills.begin(session_id)

    def _send(self, message: FromChild) -> None:
        with self._sending:
            self._line.sendall(frame(message))


def _cancel_soon(loop: asyncio.AbstractEventLoop, task: asyncio.Task[object]) -> None:
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(task.cancel)


def bound(task: Runnable) -> None:
    """Set the task's limits on memory and CPU time for this process."""
    import resource

    spec = task.spec
    if spec.memory_bytes is not None:
        # Linux counts all private writable memory as data (since 4.7); the address space would count every mapped library.
        kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
        resource.setrlimit(kind, (spec.memory_bytes, spec.memory_bytes))
    if spec.cpu_us is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = ceil(used.ru_utime + used.ru_stime + spec.cpu_us / SECOND)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def _has_children() -> bool:
    """Whether something that the job started is left over. Where the host does not say, there is nothing."""
    with suppress(OSError):
        threads = Path("/proc/self/task").iterdir()
        return any((thread / "children").read_text().strip() for thread in threads)
    return False


def serve_jobs(fd: int, main_module: str, main_file: str) -> None:
    """The whole life of a child."""
    with socket(fileno=fd) as line:
        Child(line, Main(main_module, main_file)).serve()
    os._exit(0)  # whatever the jobs have left behind in threads must not hold up the end
