"""A worker: its threads, started and stopped as one.

    with app.worker(slots=20) as worker: ...          # async with, in async code
    worker = app.worker(); worker.start(); …; worker.drain(); worker.wait()

Three ways to end, each faster: `drain` lets runs finish within a grace, `stop` gives back what runs, and killing the process
leaves the rest to the lease. In none of them a job is lost or pays an attempt.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from relet import __version__
from relet.clock import MS, SECOND, Clock, Ids, SystemClock, jitter
from relet.errors import Contended, OutcomeUnknown, StoreUnavailable, UsageError
from relet.events import Emitter, silent, tee
from relet.job.duration import Duration, to_us
from relet.job.job import Flag
from relet.job.outcome import Ended, Outcome
from relet.job.schedule import check_together
from relet.maintain.caretaker import Caretaker
from relet.maintain.continuous import TellPasses
from relet.maintain.declaring import Declares, declare
from relet.maintain.fire import tell_declared
from relet.maintain.measure import Measure
from relet.settings import Settings
from relet.store.port import Store
from relet.store.reach import Reach
from relet.store.records import Beat, SessionInfo
from relet.work.children import Children
from relet.work.clerk import Clerk
from relet.work.clerk_thread import ClerkThread
from relet.work.duties import Duties, House, duties
from relet.work.figures import Figures
from relet.work.finding import check_tasks
from relet.work.host import host_name, rss_bytes
from relet.work.importing import refuse_while_importing
from relet.work.keeper import Keeper
from relet.work.keeper_thread import KeeperThread
from relet.work.liveness import Locks
from relet.work.loop import Loop
from relet.work.postman import Postman
from relet.work.registry import Registry
from relet.work.run import Stop
from relet.work.runner import Executors, Runner
from relet.work.terms import terms_of
from relet.work.threads import Threads
from relet.work.tills import Tills
from relet.work.watch import Watch

STOP_US = SECOND
"""How long runs have to notice that the worker goes, before they are given back."""

LEAVING = "the worker was stopping"

FLUSH_US = 10 * SECOND
"""How long the last settles may take, a fifth of it in a hurry; the end of the session, or of its lease, gives back what they
do not reach."""

SOONEST_ILL_US, LATEST_ILL_US = 3 * SECOND, 60 * SECOND
"""A worker that could do nothing for as long as its lease is not healthy; within these bounds."""


class Employer(Declares, Protocol):
    """What a worker needs of its app."""

    @property
    def tasks(self) -> Registry: ...

    def open_store(self) -> Store:
        """A new connection."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """How a worker is doing."""

    worker_id: str
    is_running: bool
    active_jobs: int
    max_concurrent_jobs: int
    lease_duration_seconds: float
    active_job_ids: tuple[UUID, ...]
    is_draining: bool
    holds_lease: bool
    healthy: bool
    ailments: tuple[str, ...]
    """Why it is not healthy: store, lease, loop, thread."""
    jobs_completed: int
    jobs_failed: int
    abandoned: int
    """Runs that did not end when told to, since the start. Their threads may still be at it."""


class Worker:
    """Runs the jobs of an app in this process. Made once, started once."""

    def __init__(
        self,
        app: Employer,
        settings: Settings,
        *,
        emit: Emitter = silent,
        clock: Clock | None = None,
        chores: Duties = duties,
        **given: object,
    ) -> None:
        """`given` are settings of this worker alone: `slots=20, queues={"billing": 3}, lease="10s"`. Raises SettingsError."""
        self.settings = settings.override(given) if given else settings
        self._app = app
        self._figures = Figures()
        self._emit = tee(emit, self._figures)
        self._clock = clock or SystemClock()
        self._chores = chores
        self._postman = Postman(Worker, self.settings, self._clock, emit)
        self._reach = Reach(self._clock, self._emit)
        self._began = False
        self._draining: int | None = None
        self._hurry = Event()
        self._claims_over = Event()
        self._stopped = Event()
        self._started_at = 0

    # ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def start(self) -> None:
        """Begin to work. Returns at once; claims start as soon as the store has registered the worker.

        Raises SettingsError, DefinitionError for a task that cannot run here, and StoreError if the store is not one that
        this version may write to. A store that is away is waited for.
        """
        refuse_while_importing()
        if self._began:
            raise UsageError("This worker has been started before. Make a new one: app.worker()")
        check_tasks(self._app.tasks.values())
        check_together(self._app.schedules_of_code)
        self._check_store()
        self._began = True
        self._started_at = self._clock.steady()
        self._build()
        self._watch.start()
        self._clerk.start()
        self._keeper.start()

    def _check_store(self) -> None:
        try:
            self._app.open_store().close()
        except (StoreUnavailable, Contended, OutcomeUnknown) as error:
            self._reach.lost(error)

    def _build(self) -> None:
        app, clock, emit, settings, rng = self._app, self._clock, self._emit, self.settings, jitter()
        tasks = dict(app.tasks)
        terms = terms_of(settings, tasks, app.breakers_of_code)
        self._locks = Locks(settings.lock_dir, clock.boot())
        self._runner = runner = Runner(
            tasks, clock, rng, emit, worker=settings.worker, cancel_grace_us=settings.cancel_grace_us
        )
        self._loop, self._threads = Loop(runner), Threads(runner, settings.slots)
        self._children = Children(runner, settings.url, clock, emit)
        runner.figures = self._figures
        runner.executors = Executors(self._loop, self._threads, self._children)
        self._tills = Tills(app.open_store)
        runner.open_effects = self._tills.begin
        keeper = Keeper(terms, rng)
        runner.lease_deadline = lambda: keeper.deadline
        self._clerk = ClerkThread(Clerk(terms, rng), runner, app.open_store, clock, self._reach, emit)
        self._keeper = KeeperThread(
            keeper, self._info, self._beat, runner, self._locks, app.open_store, clock, Ids(clock), self._reach, emit
        )
        self._watch = Watch(runner, keeper, self._loop, self._threads, clock, emit)
        house = House(settings, self._keeper, self._locks, runner, clock, emit, self._work, self._postman.start)
        self._caretaker = Caretaker(self._chores(house), app.open_store, clock, rng, self._reach, emit)
        self._connect()

    def _connect(self) -> None:
        """Who tells whom."""
        house, clerk = self._keeper.house, self._clerk
        clerk.on_doubt = self._keeper.doubt
        clerk.on_due = lambda in_us: self._caretaker.hasten("promote", in_us)
        clerk.on_routine = lambda: self._caretaker.hasten("fire", 0)
        house.prepare = self._prepare
        house.opened = self._opened
        house.trusted = self._trusted
        house.fence = self._watch.fence = self._fence
        house.looked = lambda session_id, held: clerk.post(
            lambda c, now: c.looked(held, now) if c.session_id == session_id else None
        )
        # Mostly there are none, and there were none before: then nobody is woken.
        house.breakers = lambda rows, at: (
            clerk.post(lambda c, now: c.breakers.listed(rows, at, now))
            if rows or clerk.clerk.breakers.holding
            else None
        )
        house.asked = lambda verb: self.stop() if verb == "stop" else self.drain()

    def drain(self, grace: Duration | None = None) -> None:
        """Claim nothing more, let runs finish for `grace` (by default the setting), give back the rest, and end.

        Returns at once; `wait` waits for the end. A second call may shorten the grace.
        """
        grace_us = self.settings.grace_us if grace is None else to_us(grace, name="grace")
        deadline = self._clock.steady() + grace_us
        first = self._draining is None
        self._draining = deadline if self._draining is None else min(self._draining, deadline)
        if not self._began:
            self._stopped.set()
        elif first:
            Thread(target=self._close, name="relet-closer", daemon=True).start()

    def stop(self) -> None:
        """Give back what runs, and end. Returns at once; `wait` waits for the end."""
        leaving = self._began and self._draining is not None
        self._hurry.set()
        self.drain(0)
        if leaving:
            self._keeper.leave("stop")

    def wait(self, timeout: Duration | None = None) -> bool:
        """Until the worker has ended, or for so long. True: it has ended."""
        return self._stopped.wait(None if timeout is None else to_us(timeout, name="timeout") / SECOND)

    def run(self) -> None:
        """Start, and work until the process is told to stop: the first SIGTERM or SIGINT drains, the second stops."""
        from relet.work.signals import until_told

        until_told(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.drain()
        self.wait()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.drain()
        await asyncio.to_thread(self.wait)

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _close(self) -> None:
        self._emit("worker.draining", busy=len(self._runner.runs))
        self._postman.drain(self._left_s())
        self._keeper.leave("stop" if self._hurry.is_set() else "drain")
        self._clerk.post(self._end_claims)
        self._runner.leave(LEAVING)
        routines = self._clock.steady() + self.settings.routine_grace_us
        self._until(self._drained, lambda: min(routines, self._draining or 0))
        if not self._drained() and self._clock.steady() < (self._draining or 0):
            self._give_back(Flag.FIRED)
        self._until(self._drained, lambda: self._draining or 0)
        self._give_back()
        self._postman.drain(self._left_s())
        flush_us = FLUSH_US // 5 if self._hurry.is_set() else FLUSH_US
        limit = self._clock.steady() + flush_us
        self._until(self._drained, lambda: limit)
        if self._runner.untold():
            self._caretaker.hasten(TellPasses.name, 0)
            self._until(lambda: not self._runner.untold(), lambda: limit)
        if self._figures.news():
            self._caretaker.hasten(Measure.name, 0)
            last = min(limit, self._clock.steady() + SECOND)
            self._until(lambda: not self._figures.news().rows, lambda: last)
        self._caretaker.finish(SECOND)
        self._clerk.finish(SECOND)
        self._keeper.finish("stopped" if self._hurry.is_set() else "drained", flush_us)
        for part in (self._children, self._loop, self._threads, self._tills):
            part.close()
        self._watch.finish()
        self._postman.wait(FLUSH_US / SECOND)
        self._emit("worker.stopped", worker=self.settings.worker)
        self._stopped.set()

    def _left_s(self) -> float:
        return max(0, (self._draining or 0) - self._clock.steady()) / SECOND

    def _end_claims(self, clerk: Clerk, _: int) -> None:
        clerk.stop()
        self._claims_over.set()

    def _drained(self) -> bool:
        return self._claims_over.is_set() and self._clerk.clerk.drained and not self._runner.notes

    def _give_back(self, flags: int = 0) -> None:
        """What still runs is told to end, and given back; with `flags`, jobs that have one of them."""
        runner = self._runner
        if not runner.with_flags(flags):
            return
        runner.stop_all(Stop(Ended.RELEASE, LEAVING), STOP_US, flags)
        limit = self._clock.steady() + (STOP_US // 5 if self._hurry.is_set() else STOP_US)
        self._until(lambda: not runner.with_flags(flags), lambda: limit)
        for run in runner.with_flags(flags):
            runner.end(run, Outcome(Ended.RELEASE, error=LEAVING))

    def _until(self, done: Callable[[], bool], limit: Callable[[], int]) -> None:
        while not done() and self._clock.steady() < limit():
            self._stopped.wait(5 * MS / SECOND)

    # ── what the threads tell each other ──────────────────────────────────────────────────────────────────────────
    def _prepare(self, store: Store) -> None:
        tell_declared(declare(store, self._app, self.settings), self._emit)

    def _opened(self, session_id: bytes) -> None:
        self._runner.open(session_id)
        self._clerk.post(lambda clerk, _: clerk.open(session_id))
        self._caretaker.start()
        self._emit("worker.started", worker=self.settings.worker)

    def _trusted(self) -> None:
        self._clerk.post(lambda clerk, _: clerk.trust())
        self._children.lease(self._keeper.keeper.deadline - self._clock.steady())

    def _fence(self, session_id: bytes, reason: str) -> None:
        """Said once for each session, whoever notices first: the keeper, or the watch."""
        if self._runner.fence(session_id, reason):
            self._clerk.post(lambda clerk, _: clerk.lapse() if clerk.session_id == session_id else None)
            self._emit("session.lost", cause=reason)

    def _work(self, *, again: bool) -> None:
        self._clerk.post(lambda clerk, _: clerk.ring(again=again))

    def _info(self, session_id: bytes) -> SessionInfo:
        settings = self.settings
        return SessionInfo(
            session_id,
            settings.worker,
            host_name(),
            os.getpid(),
            tuple(settings.queues),
            tuple(self._clerk.clerk.terms.tasks),
            settings.offers,
            settings.slots,
            settings.tier,
            __version__,
            self._clock.boot(),
            self._locks.place,
        )

    def _beat(self) -> Beat:
        clerk = self._clerk
        busy = len(self._runner.runs)
        return Beat(busy, clerk.clerk.done, clerk.clerk.failed_count, rss_bytes(), clerk.turned_at)

    # ── how it is doing ───────────────────────────────────────────────────────────────────────────────────────────
    def status(self) -> WorkerStatus:
        """A snapshot. Asks nobody."""
        settings, running = self.settings, self._began and not self._stopped.is_set()
        if not self._began:
            return WorkerStatus(settings.worker, False, 0, settings.slots, settings.lease_us / SECOND, (), *_AT_REST)
        runs, clerk = tuple(self._runner.runs), self._clerk.clerk
        ailments = self._ailments() if running else ()
        return WorkerStatus(
            settings.worker,
            running,
            len(runs),
            settings.slots,
            settings.lease_us / SECOND,
            tuple(UUID(bytes=job_id) for job_id, _ in runs),
            self._draining is not None,
            self._keeper.keeper.live,
            not ailments,
            ailments,
            clerk.done,
            clerk.failed_count,
            self._runner.abandoned,
        )

    @property
    def healthy(self) -> bool:
        """False when it has made no progress for long, though it lives: something should restart it."""
        return self.status().healthy

    def _ailments(self) -> tuple[str, ...]:
        now = self._clock.steady()
        long = min(max(self.settings.lease_us, SOONEST_ILL_US), LATEST_ILL_US)
        signs: Mapping[str, bool] = {
            "store": self._clerk.silent_us(now) > long,
            "lease": not self._keeper.keeper.live and now - max(self._started_at, self._keeper.keeper.deadline) > long,
            "loop": self._loop.blocked_us(now) > long,
            "thread": not (self._clerk.alive and self._keeper.alive),
        }
        return tuple(name for name, ill in signs.items() if ill)


_AT_REST = (False, False, True, (), 0, 0, 0)
