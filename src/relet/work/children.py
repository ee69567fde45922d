"""Child processes, seen from the worker: started, spoken to, killed. One thread sees to all of them.

Between the worker and each child stands a guard (`guard.py`), which alone signals the child and cleans up after it.
"""

from __future__ import annotations

import select
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from relet.clock import SECOND, Clock
from relet.events import Emitter
from relet.job.job import SOLO_SUSPICIONS
from relet.job.outcome import Ended, Outcome
from relet.job.textsafe import describe
from relet.work.finding import place_of
from relet.work.kid import Bounds, Kid, spawn
from relet.work.run import Run
from relet.work.wake import Wake
from relet.work.wire import Begin, Begun, Done, Halt, Lease, Leave, Pass, from_child

if TYPE_CHECKING:
    from relet.work.runner import Runner

START_US = 60 * SECOND
"""How long a child may take to import the module of its task."""

IDLE_US = 60 * SECOND
"""How long a child without a job is kept."""

END_US = 5 * SECOND
NOT_STARTED_US = SECOND


class Children:
    """Starts its thread with the first run."""

    def __init__(self, runner: Runner, url: str, clock: Clock, emit: Emitter) -> None:
        self._runner = runner
        self._url = url
        self._clock = clock
        self._emit = emit
        self._kids: dict[int, Kid] = {}
        """By each of their descriptors."""
        self._posted: deque[Callable[[], None]] = deque()
        self._wake: Wake | None = None
        self._thread: Thread | None = None
        self._closing = False

    # ── from any thread ───────────────────────────────────────────────────────────────────────────────────────────
    def start(self, runs: Sequence[Run]) -> None:
        """One process each."""
        if self._thread is None:
            self._wake = Wake()
            self._thread = Thread(target=self._serve, name="relet-children", daemon=True)
            self._thread.start()
        self._post(lambda: [self._start(run) for run in runs])

    def interrupt(self, run: Run) -> None:
        """Tell it, and send SIGTERM; kill it if its lease is lost."""
        self._post(lambda: self._interrupt(run))

    def give_up(self, run: Run) -> bool:
        """Kill it, with all that it has started."""
        kid = run.handle
        if not isinstance(kid, Kid) or kid.killed:
            return False
        kid.killed = True
        self._post(kid.kill)
        return True

    def lease(self, left_us: int) -> None:
        """The lease was renewed."""
        if self._kids:
            self._post(lambda: [kid.send(Lease(left_us)) for kid in set(self._kids.values()) if kid.run is not None])

    def close(self) -> None:
        """Kill all."""
        thread = self._thread
        if thread is None:
            return
        self._closing = True
        self._post(lambda: [kid.kill() for kid in set(self._kids.values())])
        thread.join(END_US / SECOND)

    def _post(self, what: Callable[[], object]) -> None:
        self._posted.append(lambda: (what(), None)[1])
        if self._wake is not None:
            self._wake.set()

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────
    def _serve(self) -> None:
        wake = self._wake
        assert wake is not None
        while not self._closing or self._kids or self._posted:
            try:
                self._step(wake)
            except Exception as error:  # noqa: BLE001  one child's trouble is not the others'
                self._emit("worker.defect", error=describe(error))
        self._wake = None
        wake.close()

    def _step(self, wake: Wake) -> None:
        poll = select.poll()
        poll.register(wake.fileno(), select.POLLIN)
        for fd, kid in self._kids.items():
            poll.register(fd, kid.events(fd))
        ready = [] if self._posted else poll.poll(1000 if self._kids else None)
        wake.clear()
        while self._posted:
            self._posted.popleft()()
        for fd, _ in ready:
            if (kid := self._kids.get(fd)) is not None:
                self._hear(kid, fd)
        self._see_to_time(self._clock.steady())

    def _hear(self, kid: Kid, fd: int) -> None:
        if fd == kid.life.fileno():
            self._gone(kid, kid.report())
            return
        try:
            for body in kid.receive():
                self._told(kid, body)
        except ValueError:
            kid.excuse = "something else than the task wrote to the socket of its worker"
            kid.kill()
        if kid.line_closed:
            self._kids.pop(fd, None)

    def _told(self, kid: Kid, body: bytes) -> None:
        run = kid.run
        match from_child.decode(body):
            case Begun():
                kid.start_by = None
                if run is not None and self._runner.begin(run) is not None:
                    self._interrupt(run)
            case Pass(begins):
                if run is not None:
                    (self._runner.begin_pass if begins else self._runner.end_pass)(run)
            case Done() as done:
                self._done(kid, done)
            case other if run is not None:
                self._runner.note(other.note())
            case _:
                pass

    # ── one run ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _start(self, run: Run) -> None:
        place = place_of(run.task)
        outcome = run.admit() if place is not None else _no_place(run)
        if run.stop is not None:
            outcome = Outcome(run.stop.ended, error=run.stop.reason)
        if outcome is not None or place is None:
            self._runner.end(run, outcome or _no_place(run))
            return
        try:
            kid = self._kid_for(run)
        except OSError as error:
            why = f"its process could not be started: {describe(error)}"
            self._runner.end(run, Outcome(Ended.SNOOZE, error=why, delay_us=NOT_STARTED_US))
            return
        kid.run, run.handle = run, kid
        kid.start_by = self._clock.steady() + START_US
        left_us = self._runner.lease_left_us(run.session_id)
        kid.send(Begin(run.claim, *place, self._runner.worker, run.session_id, left_us, self._url))
        run.on_leave = lambda: self._post(lambda: self._leave(run))
        self._leave(run)

    def _kid_for(self, run: Run) -> Kid:
        """A child that has proven clean, or a new one. A suspect is alone, before and after."""
        spec = run.known.spec
        solo = run.claim.counters.suspicions >= SOLO_SUSPICIONS
        bounds = Bounds(spec.memory_bytes, spec.cpu_us, solo)
        for kid in self._kids.values():
            if kid.idle_since is not None and kid.bounds == bounds and bounds.reusable:
                kid.idle_since = None
                return kid
        kid = spawn(bounds)
        self._kids[kid.line.fileno()] = self._kids[kid.life.fileno()] = kid
        return kid

    def _leave(self, run: Run) -> None:
        kid = run.handle
        if isinstance(kid, Kid) and kid.run is run and run.leaving is not None:
            kid.send(Leave(run.leaving))

    def _interrupt(self, run: Run) -> None:
        kid, stop = run.handle, run.stop
        if not isinstance(kid, Kid) or kid.run is not run or stop is None:
            return
        kid.send(Halt(stop.ended, stop.reason, stop.lost))
        if stop.lost or not run.begun:
            kid.kill()
        else:
            kid.terminate()

    def _done(self, kid: Kid, done: Done) -> None:
        run, kid.run = kid.run, None
        if run is not None:
            run.handle = None
            if done.answer is not None:
                written = {(*run.key, kind, n) for kind, n in done.committed}
                self._runner.end_elsewhere(run, done.outcome, done.answer, written)
            else:
                stop = run.stop
                self._runner.end(run, done.outcome if stop is None else Outcome(stop.ended, error=stop.reason))
        if done.clean and kid.bounds.reusable and run is not None and run.stop is None and not self._closing:
            kid.idle_since = self._clock.steady()
        else:
            self._retire(kid)

    def _retire(self, kid: Kid) -> None:
        """Let it end by itself, for a while."""
        kid.idle_since = None
        kid.start_by = self._clock.steady() + END_US
        kid.bid_farewell()

    def _gone(self, kid: Kid, status: int | None) -> None:
        """The child has ended, and its guard too."""
        with suppress(ValueError):
            for body in kid.receive():  # what it said last
                self._told(kid, body)
        for fd in (kid.line.fileno(), kid.life.fileno()):
            self._kids.pop(fd, None)
        run, kid.run = kid.run, None
        kid.close()
        if run is None:
            return
        run.handle = None
        if run.stop is not None:
            self._runner.end(run, Outcome(run.stop.ended, error=run.stop.reason))
        elif kid.timed_out:
            self._runner.end(run, Outcome(Ended.FAILURE, error=kid.excuse))
        else:
            ended = Ended.CRASH if kid.bounds.solo else Ended.CHILD_DIED
            self._runner.end(run, Outcome(ended, error=kid.excuse or cause_of_death(status)))

    def _see_to_time(self, now: int) -> None:
        for kid in set(self._kids.values()):
            if kid.idle_since is not None and now - kid.idle_since > IDLE_US:
                self._retire(kid)
            elif kid.start_by is not None and now > kid.start_by:
                kid.start_by = None
                if kid.run is not None:
                    kid.timed_out = True
                    kid.excuse = f"its module was not imported within {START_US // SECOND} s"
                kid.kill()


def cause_of_death(status: int | None) -> str:
    """How a process ended that should not have, in words for the history of its job."""
    if status is None:
        return "its process was killed together with its guard"
    if status >= 0:
        return f"its process ended with exit status {status} in the middle of the run"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    hint = {9: "; out of memory?", 24: "; out of CPU time"}.get(-status, "")
    return f"its process was killed by signal {-status} ({name}{hint})"


def _no_place(run: Run) -> Outcome:
    name = getattr(run.task.fn, "__qualname__", run.task.name)
    return Outcome(
        Ended.FAILURE,
        error=f"{name} cannot run in a process of its own: declare it at the top level of a module that can be imported",
        retryable=False,
    )
