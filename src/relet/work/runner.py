"""Which runs there are: started, told to stop, timed out, abandoned, ended. Called from any thread.

Whoever takes a run out of `runs` has ended it, and nobody else can: so a run that was abandoned and comes to an end after all
has no say any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from threading import Lock, Thread
from typing import NamedTuple
from uuid import UUID

from relet.clock import SECOND, Clock, Rng, ticks
from relet.errors import UsageError
from relet.events import Emitter
from relet.job.job import SOLO_SUSPICIONS, Claim, ClaimKey
from relet.job.outcome import Ended, Outcome
from relet.job.settlement import Answer, Ran, Settle
from relet.store.port import Effects
from relet.store.records import Note, Passes, Usage
from relet.work.breakers import FAILED, HELD, Breakers, Seen
from relet.work.figures import Figures
from relet.work.finding import place_of
from relet.work.ledger import Ledger
from relet.work.notebook import Line, LineKey
from relet.work.registry import Known, Registry
from relet.work.run import Executor, Nowhere, Run, Stop

KILL_US = 5 * SECOND
"""How long a killed child process may take to be gone."""


class Executors(NamedTuple):
    """The three ways."""

    loop: Executor
    threads: Executor
    children: Executor


class Watched(NamedTuple):
    """Something that happens to a run if it is still there by then."""

    at: int
    run: Run
    ended: Ended | None
    """What it has run into; None: it has not ended when told to."""
    after: int = 0
    """Of a pass: how many have ended before it. When more have, it is over."""

    @property
    def over(self) -> bool:
        """It was the time of a pass that has ended since."""
        pace = self.run.pace
        return pace is not None and self.ended is not None and pace.passed > self.after


class SettledElsewhere(NamedTuple):
    """A run whose settle was written together with its effects."""

    key: ClaimKey
    ended: Ended
    answer: Answer
    written: Collection[LineKey]
    """What it had said, and was written with them."""
    flags: int
    """Of its claim."""
    ran: Ran


class Runner:
    """The runs of one worker."""

    def __init__(
        self, registry: Registry, clock: Clock, rng: Rng, emit: Emitter, *, worker: str, cancel_grace_us: int
    ) -> None:
        self._registry = registry
        self._known: dict[str, Known] = {}
        self.worker = worker
        self.runs: dict[ClaimKey, Run] = {}
        self.ended: deque[tuple[bytes, Settle] | SettledElsewhere] = deque()
        """For the clerk: what has ended."""
        self.notes: deque[Note] = deque()
        """For the clerk: what was said."""
        self.seen: deque[Seen] = deque()
        """For the clerk: what runs have come to that breakers guard."""
        self.breakers = Breakers()
        """The clerk's."""
        self.figures = Figures()
        self.ledger = Ledger(emit)
        self.watched: dict[ClaimKey, Watched] = {}
        self.continuous: dict[ClaimKey, Run] = {}
        """Runs that make passes, until the store knows of the last one."""
        self.abandoned = 0
        """Bodies that did not end when told to, and may still be at it."""
        self.executors: Executors
        self.on_ended: Callable[[], None] = _nothing
        self.on_note: Callable[[], None] = _nothing
        self.on_watched: Callable[[int], None] = _ignore
        """Something is to be seen to by then."""
        self.lease_deadline: Callable[[], int] = _never
        self.open_effects: Callable[[bytes], Effects] = _no_effects
        self._clock = clock
        self._rng = rng
        self._emit = emit
        self.session: bytes | None = None
        """The session whose claims may be started; None: there is none that may be trusted."""
        self._sessions = Lock()
        self._cancel_grace_us = cancel_grace_us
        self._leaving: str | None = None

    # ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────
    def open(self, session_id: bytes) -> None:
        """Claims of this session may be started."""
        with self._sessions:
            self.session = session_id

    def fence(self, session_id: bytes, reason: str) -> bool:
        """The lease of this session is over, or about to be: start nothing of it, and end what runs. True the first time.

        Whoever says so may be late: a session that was opened meanwhile is left alone."""
        with self._sessions:
            first = self.session == session_id
            self.session = None if first else self.session
        stop = Stop(Ended.RELEASE, f"the worker lost its lease: {reason}", lost=True)
        for run in tuple(self.runs.values()):
            if run.session_id == session_id:
                self.stop(run, stop, self._cancel_grace_us)
        return first

    # ── starting ──────────────────────────────────────────────────────────────────────────────────────────────────
    def start(self, session_id: bytes, claims: Sequence[Claim]) -> None:
        """Start these claims, unless their lease is over already."""
        if session_id != self.session or self._clock.steady() >= self.lease_deadline():
            self._give_back(session_id, claims)
            return
        sorted_runs: dict[Executor, list[Run]] = {}
        for claim in claims:
            known = self.known(claim.task)
            executor = self._executor_for(claim, known)
            run = Run(claim, known, session_id, self, executor)
            self.runs[run.key] = run
            if self._leaving is not None:
                run.leave(self._leaving)
            sorted_runs.setdefault(executor, []).append(run)
        for executor, runs in sorted_runs.items():
            executor.start(runs)

    def known(self, name: str) -> Known:
        """The task of that name, prepared."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Known(self._registry[name])
        return known

    def _executor_for(self, claim: Claim, known: Known) -> Executor:
        """A process of its own where that was asked for, or for a suspect. A suspect that no child could import runs as usual."""
        suspect = claim.counters.suspicions >= SOLO_SUSPICIONS
        if known.apart or (suspect and place_of(known.task) is not None):
            return self.executors.children
        return self.executors.loop if known.is_async else self.executors.threads

    def _give_back(self, session_id: bytes, claims: Iterable[Claim]) -> None:
        for claim in claims:
            run = Run(claim, self.known(claim.task), session_id, self, Nowhere())
            self.runs[run.key] = run
            self.end(run, Outcome(Ended.RELEASE, error="the lease was over before it could start"))

    def prepare(self, run: Run) -> Outcome | None:
        """The steps before the body: admit, watch the time, decode. Called where the body will run."""
        if self.breakers.holding and self.breakers.holds(run.claim):
            return HELD
        outcome = run.admit() or run.decode()
        return self.begin(run) if outcome is None else outcome

    def begin(self, run: Run) -> Outcome | None:
        """From here on the body may run, and its time is watched. An outcome: it was told to stop before."""
        timed = run.pace is None and (run.known.timed or run.claim.options is not None)
        left = run.time_left() if timed else None
        if left is not None:
            self._watch(Watched(self._clock.steady() + left[0], run, left[1]))
        run.began = ticks()
        run.begun = True
        return None if run.stop is None else Outcome(run.stop.ended, error=run.stop.reason)

    def begin_pass(self, run: Run) -> None:
        """A pass of a continuous run is about to begin: its time counts from now."""
        if run.pace is None:
            return
        self.continuous[run.key] = run
        if run.timeout_us is not None and run.stop is None:
            self._watch(Watched(self._clock.steady() + run.timeout_us, run, Ended.TIMEOUT, run.pace.passed))
            if run.stop is not None:  # told so meanwhile: what was watched for then counts
                self._watch(Watched(self._clock.steady() + self._cancel_grace_us, run, None))

    def end_pass(self, run: Run) -> None:
        """It has ended well. It may be what an open breaker waits for."""
        self._spent(run)
        if run.pace is not None:
            run.passed(run.pace)
        if self.breakers.guarded:
            self._count(run, _PASSED)
            if self.breakers.holding:
                self.on_note()

    # ── stopping ──────────────────────────────────────────────────────────────────────────────────────────────────
    def stop(self, run: Run, stop: Stop, grace_us: int) -> None:
        """Tell a run to end, and give it so long. A lost lease wins over what it was told before."""
        if run.stop is not None and (run.stop.lost or not stop.lost):
            return
        run.stop = stop
        self._watch(Watched(self._clock.steady() + grace_us, run, None))
        run.wake()
        run.executor.interrupt(run)
        if stop.lost:
            self._tell("lease.lost", run)
            run.tell_lost()

    def stop_all(self, stop: Stop, grace_us: int, flags: int = 0) -> None:
        """Tell every run to end; with `flags`, those whose jobs have one of them."""
        for run in self.with_flags(flags):
            self.stop(run, stop, grace_us)

    def leave(self, reason: str) -> None:
        """Tell every run, and those that still come, that it should end when it has finished what it is at."""
        self._leaving = reason
        for run in tuple(self.runs.values()):
            run.leave(reason)

    def cancel(self, job_id: bytes, reason: str, grace_us: int) -> None:
        """Someone asked to cancel this job. Harmless when repeated, or when it does not run here."""
        for run in tuple(self.runs.values()):
            if run.claim.job_id == job_id:
                self.stop(run, Stop(Ended.CANCEL, reason), grace_us)

    def lose(self, keys: Iterable[ClaimKey]) -> None:
        """These claims no longer stand."""
        for key in keys:
            if (run := self.runs.get(key)) is not None:
                self.stop(run, Stop(Ended.RELEASE, "the job was taken back", lost=True), self._cancel_grace_us)

    def with_flags(self, flags: int) -> list[Run]:
        """The runs whose jobs have one of these flags; of none: all."""
        return [run for run in tuple(self.runs.values()) if not flags or run.claim.flags & flags]

    def untold(self) -> list[Passes]:
        """Passes that the store does not know of yet."""
        found: list[Passes] = []
        for key, run in tuple(self.continuous.items()):
            pace, fire = run.pace, run.options.fire
            if pace is not None and fire is not None and (count := pace.passed - pace.told):
                found.append(Passes(run.session_id, *key, fire.schedule, count))
            elif key not in self.runs:
                del self.continuous[key]
        return found

    def told(self, passes: Iterable[Passes]) -> None:
        """Now it knows of these."""
        for one in passes:
            run = self.continuous.get((one.job_id, one.epoch))
            if run is not None and run.pace is not None:
                run.pace.told += one.passes

    def _watch(self, watched: Watched) -> None:
        key = watched.run.key
        if key in self.runs:
            self.watched[key] = watched
            self.on_watched(watched.at)

    def sweep(self, now: int) -> int | None:
        """See to the runs whose time has come; returns when to sweep again, None: nothing is watched."""
        soonest: int | None = None
        for key, watched in tuple(self.watched.items()):
            if key not in self.runs:
                self.watched.pop(key, None)
            elif watched.over:
                continue
            elif watched.at <= now:
                self._run_into(watched)
                soonest = now
            elif soonest is None or watched.at < soonest:
                soonest = watched.at
        return soonest

    def _run_into(self, watched: Watched) -> None:
        run, ended = watched.run, watched.ended
        if ended is None:
            self._give_up(run)
            return
        self.watched.pop(run.key, None)
        self._tell("job.timeout", run)
        reason = "ran into its timeout" if ended is Ended.TIMEOUT else "its deadline passed while it ran"
        self.stop(run, Stop(ended, reason), self._cancel_grace_us)

    def _give_up(self, run: Run) -> None:
        """It was told to stop and did not. Its outcome is what it was told."""
        if run.executor.give_up(run):
            self._watch(Watched(self._clock.steady() + KILL_US, run, None))
            return
        stop = run.stop or Stop(Ended.RELEASE, "given up")
        error = ", and ".join(filter(None, (stop.reason, "did not end when told to")))
        if not self.end(run, Outcome(stop.ended, error=error)):
            return
        self.abandoned += 1
        self._tell("job.abandoned", run)
        if run.effects is not None:
            # In a thread of its own: the task's own thread may be at the connection, and hold it for long.
            Thread(target=run.undo, name="relet-undo", daemon=True).start()

    def _tell(self, event: str, run: Run) -> None:
        self._emit(event, job=str(UUID(bytes=run.claim.job_id)), task=run.claim.task, epoch=run.claim.epoch)

    # ── ending ────────────────────────────────────────────────────────────────────────────────────────────────────
    def conclude(self, run: Run, outcome: Outcome) -> None:
        """The body has ended. Blocks if the task has opened a transaction."""
        answer: Answer | None = None
        if run.effects is not None:
            outcome, answer = run.conclude(outcome, self._rng)
        if answer is None:
            self.end(run, outcome)
        else:
            self.end_elsewhere(run, outcome, answer, run.committed)

    def end(self, run: Run, outcome: Outcome) -> bool:
        """Hand the outcome to the clerk. False: the run had been ended before, and this outcome does not count."""
        if self.runs.pop(run.key, None) is None:
            return False
        if self.watched:
            self.watched.pop(run.key, None)
        self._spent(run)
        if self.breakers.guarded:
            self._count(run, outcome)
        self.ended.append((run.session_id, run.settle(outcome, self._rng)))
        self.on_ended()
        return True

    def _spent(self, run: Run) -> None:
        if self.ledger.open:
            self.ledger.close(run.claim)

    def _count(self, run: Run, outcome: Outcome) -> None:
        """For the breakers, before the clerk hears that it has ended."""
        passed, claim = outcome.ended is Ended.SUCCESS, run.claim
        if (passed or outcome.ended in FAILED) and self.breakers.guards(claim):
            self.seen.append(Seen(run.key, claim.task, claim.queue, passed, outcome.error, outcome.spares))

    def end_elsewhere(self, run: Run, outcome: Outcome, answer: Answer, written: Collection[LineKey]) -> None:
        """The settle has been answered already."""
        if self.runs.pop(run.key, None) is not None:
            self._spent(run)
            if self.breakers.guarded:
                self._count(run, outcome)
            self.ended.append(SettledElsewhere(run.key, outcome.ended, answer, written, run.claim.flags, run.ran))
            self.on_ended()

    # ── what a run asks (relet.work.run.Desk) ─────────────────────────────────────────────────────────────────────
    def now(self) -> int:
        return self._clock.now()

    def note(self, note: Note) -> None:
        if isinstance(note, Usage):
            self.ledger.add(note)
        self.notes.append(note)
        self.on_note()

    def gone(self, lines: Iterable[Line]) -> None:
        """These lines need not be written any more."""
        for line in lines:
            if (run := self.runs.get((line.job_id, line.epoch))) is not None:
                run.gone(line)

    def lease_left_us(self, session_id: bytes) -> int:
        return self.lease_deadline() - self._clock.steady() if session_id == self.session else 0

    def begin_effects(self, session_id: bytes) -> Effects:
        return self.open_effects(session_id)


_PASSED = Outcome(Ended.SUCCESS)


def _nothing() -> None:
    return None


def _ignore(_: int) -> None:
    return None


def _never() -> int:
    return 2**62


def _no_effects(_session_id: bytes) -> Effects:
    raise UsageError("ctx.transaction() is not available here.")
