"""One worker process of a test, moved by hand: it claims, runs and settles when told to, and dies without a word."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from relet.clock import Clock, Rng
from relet.context import enter
from relet.job.job import Claim
from relet.job.outcome import Outcome
from relet.job.settlement import Answer
from relet.store.port import Beat, Effects, Lane, Notes, SessionInfo, Store, Want
from relet.store.records import LogLine, Note, Usage
from relet.work.notebook import key_of, to_notes
from relet.work.registry import Known, Registry
from relet.work.run import Nowhere, Run, Stop


class Killed(BaseException):
    """Leaves a task's function where its process is killed. A real kill runs no `finally`; this one has to."""


class Hand:
    """A session, and what its worker does under it. Serves as the desk of its runs (`relet.work.run.Desk`)."""

    worker = "test"

    def __init__(
        self,
        open_store: Callable[[], Store],
        session_id: bytes,
        registry: Registry,
        clock: Clock,
        lease_us: int,
        offers: tuple[str, ...],
    ) -> None:
        self.session_id = session_id
        self._open_store = open_store
        self._store = open_store()
        self._registry = registry
        self._clock = clock
        self.lease_us = lease_us
        self._offers = offers
        self._rng = Rng(0)
        self._loop = Loop()
        self._notes: list[Note] = []
        self._effects = ExitStack()
        self.fragile = False
        """Die as soon as a task says something."""
        info = SessionInfo(session_id, self.worker, "test", 1, (), tuple(registry), offers)
        self._renewed_at = clock.steady()
        self._store.open_session(info, lease_us)

    def close(self) -> None:
        """Let go of its connections."""
        self._effects.close()
        self._loop.close()
        self._store.close()

    # ── claim, run, settle ────────────────────────────────────────────────────────────────────────────────────────
    def claim(self, tasks: Sequence[str]) -> Claim | None:
        """The next job of these tasks, or None."""
        lanes = tuple(Lane(queue, rank) for queue, rank in sorted(self._store.ranks(()), key=lambda pair: pair[::-1]))
        want = Want(1, lanes, tuple(tasks), self._offers)
        claims = self._store.turn(self.session_id, (), Notes(), want).claims if lanes and tasks else ()
        return claims[0] if claims else None

    def run(self, claim: Claim) -> tuple[Run, Outcome]:
        """Run a claimed job to its end. Nothing of it is written yet. Raises Killed."""
        run = Run(claim, Known(self._registry[claim.task]), self.session_id, self, Nowhere())
        return run, run.admit() or run.decode() or self._body(run)

    def settle(self, run: Run, outcome: Outcome) -> Answer:
        """Write the end of a run, with what it said before, and with the effects of its own transaction."""
        outcome, answer = run.conclude(outcome, self._rng)
        self._effects.close()
        settles = [run.settle(outcome, self._rng)] if answer is None else []
        written = set(run.committed)
        left = [note for note in self._notes if not isinstance(note, (LogLine, Usage)) or key_of(note) not in written]
        notes, self._notes = to_notes(left), []
        turned = self._store.turn(self.session_id, settles, notes, None)
        return turned.answers[0] if answer is None else answer

    def _body(self, run: Run) -> Outcome:
        left = run.time_left()
        began = self._clock.steady()
        try:
            returned = contextvars.Context().run(self._call, run)
        except Killed:
            raise
        except BaseException as error:  # noqa: BLE001  whatever a task raises is its outcome
            return self._late(run, began, left) or run.raised(error)
        return self._late(run, began, left) or run.returned(returned)

    def _call(self, run: Run) -> Any:
        enter(run)
        returned = run.task.fn(*run.args, **run.kwargs)
        return self._loop.run(returned) if inspect.iscoroutine(returned) else returned

    def _late(self, run: Run, began: int, left: tuple[int, Any] | None) -> Outcome | None:
        """A task that moved the clock past its own timeout."""
        if left is None or self._clock.steady() - began <= left[0]:
            return None
        run.stop = Stop(left[1], "ran into its timeout")
        return run.returned(None)

    # ── lease ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def renew(self) -> bool:
        """As the keeper of a living worker does. False: the session is over."""
        sent_at = self._clock.steady()
        live = self._store.renew(self.session_id, self.lease_us, Beat()).live
        self._renewed_at = sent_at if live else self._renewed_at
        return live

    # ── what a run asks ───────────────────────────────────────────────────────────────────────────────────────────
    def now(self) -> int:
        return self._clock.now()

    def note(self, note: Note) -> None:
        if self.fragile:
            raise Killed
        self._notes.append(note)

    def lease_left_us(self, session_id: bytes) -> int:  # noqa: ARG002  a hand has one session only
        return self._renewed_at + self.lease_us - self._clock.steady()

    def begin_effects(self, session_id: bytes) -> Effects:
        store = self._open_store()
        self._effects.callback(store.close)
        effects = store.begin_effects(session_id)
        self._effects.callback(effects.roll_back)
        return effects


class Loop:
    """Awaits async tasks, all of a test on one event loop: in the calling thread, or beside a loop that runs there already."""

    def __init__(self) -> None:
        self._here = asyncio.Runner()
        self._beside: tuple[ThreadPoolExecutor, asyncio.Runner] | None = None

    def run(self, body: Coroutine[Any, Any, Any]) -> Any:
        """Await it to its end."""
        context = contextvars.copy_context()
        if not _on_loop():
            return self._here.run(body, context=context)
        if self._beside is None:
            self._beside = ThreadPoolExecutor(1, "relet-test"), asyncio.Runner()
        pool, runner = self._beside
        return pool.submit(runner.run, body, context=context).result()

    def close(self) -> None:
        """End the loops. Harmless when repeated."""
        self._here.close()
        if self._beside is not None:
            pool, runner = self._beside
            self._beside = None
            pool.submit(runner.close).result()
            pool.shutdown()


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
