"""One run of one job, as one pipeline: claimed → decoded → started → body → outcome → settle.

Every step passes on a finished value; nothing that a task does or raises leaves the pipeline but as an `Outcome`. No step
talks to a store, but for the transaction that a task asked for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Protocol

from relet.clock import SECOND, Rng, ticks
from relet.context import Context
from relet.errors import LeaseLost, OutcomeUnknown, PayloadError, StoreError, UsageError, Verdict
from relet.facts import Facts, ParentResult
from relet.job.breaker import queue_breaker, task_breaker
from relet.job.firing import KEPT_UP
from relet.job.job import Claim, Counters, Options, decode_options
from relet.job.outcome import Ended, Outcome
from relet.job.payload import NOTHING_WRITTEN
from relet.job.retry import Retry
from relet.job.settlement import Answer, Policy, Ran, Settle, settle
from relet.job.textsafe import clip, describe, stack_of, storable
from relet.store.port import Effects
from relet.store.records import LogLine, Note, Usage
from relet.work.calls import AWAY
from relet.work.desk import Desk, Stop
from relet.work.notebook import Line, LineKey, key_of, to_notes
from relet.work.pace import Pace
from relet.work.registry import Known, Runnable
from relet.work.verdicts import REASON_CHARS, failure, retries, verdict


class Executor(Protocol):
    """A way to run bodies."""

    def start(self, runs: Sequence[Run]) -> None:
        """Start these. Returns at once."""
        ...

    def interrupt(self, run: Run) -> None:
        """The run was told to stop: make it notice, if there is a way."""
        ...

    def give_up(self, run: Run) -> bool:
        """It does not end: let go of it. True when it was killed just now, and its end will be heard of in a moment."""
        ...


class Run:
    """A claim and what has become of it so far. Speaks for its task's context (`relet.context.Line`)."""

    options: Options = Options()
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = MappingProxyType({})
    begun = False
    """True from the moment that its body may run."""
    began = 0
    """When, by `ticks`; 0: it has not."""
    stop: Stop | None = None
    leaving: str | None = None
    """Why it should end when it has finished what it is at."""
    on_leave: Callable[[], object] | None = None
    pace: Pace | None = None
    """Of a continuous run: it makes passes, and does not end by itself."""
    handle: Any = None
    """Whatever the executor needs to get hold of it."""
    effects: Effects | None = None
    _context: Context | None = None
    _facts: Facts | None = None
    _on_lost: list[Callable[[], object]] | None = None
    committed: tuple[LineKey, ...] = ()
    """Lines that were committed together with its effects."""
    _turned_away: BaseException | None = None
    """What was raised because the store was away when the task had opened its transaction, or wanted to."""
    _lines: dict[LineKey, Line] | None = None
    """What it has said and no turn has written yet."""

    def __init__(self, claim: Claim, known: Known, session_id: bytes, desk: Desk, executor: Executor) -> None:
        self.claim = claim
        self.known = known
        self.session_id = session_id
        self.desk = desk
        self.executor = executor
        self.key = (claim.job_id, claim.epoch)

    @property
    def task(self) -> Runnable:
        """Its task."""
        return self.known.task

    # ── the pipeline ──────────────────────────────────────────────────────────────────────────────────────────────
    def admit(self) -> Outcome | None:
        """Whether it may start at all; the outcome if not."""
        claim = self.claim
        if claim.cancel is None and claim.options is None and not self.known.timed:
            return None
        if claim.cancel is not None:
            return Outcome(Ended.CANCEL, error=storable(clip(claim.cancel, REASON_CHARS)))
        if claim.options is not None:
            try:
                self.options = decode_options(claim.options)
            except Exception as error:  # noqa: BLE001  the row may hold anything; it fails its own job
                return failure(error, retryable=False, spares=self._breakers)
            self._set_pace()
        return self._too_late()

    def _set_pace(self) -> None:
        idle_us, fire = self.known.spec.idle_us, self.options.fire
        if idle_us is not None and fire is not None and fire.cause == KEPT_UP:
            self.pace = Pace(idle_us)

    def _too_late(self) -> Outcome | None:
        spec, age = self.known.spec, self.claim.claimed_at - self.claim.created_at
        expires = self.options.expires_us if self.options.expires_us is not None else spec.expires_us
        if expires is not None and age > expires and self.claim.epoch == 1:
            return Outcome(Ended.EXPIRE, error="it was not started before it expired")
        deadline = self.deadline_us
        if deadline is not None and age > deadline:
            return Outcome(Ended.DEADLINE, error="its deadline had passed before this attempt")
        return None

    @property
    def deadline_us(self) -> int | None:
        """How long after its enqueue no attempt may go on."""
        return self.options.deadline_us if self.options.deadline_us is not None else self.known.spec.deadline_us

    @property
    def timeout_us(self) -> int | None:
        """How long the body may take; of a continuous run, each pass."""
        return self.options.timeout_us if self.options.timeout_us is not None else self.known.spec.timeout_us

    def time_left(self) -> tuple[int, Ended] | None:
        """How long the body may take from the claim on, and what it comes to if it takes longer."""
        timeout = self.timeout_us
        deadline = self.deadline_us
        if deadline is not None:
            deadline -= self.claim.claimed_at - self.claim.created_at
            if timeout is None or deadline < timeout:
                return deadline, Ended.DEADLINE
        return None if timeout is None else (timeout, Ended.TIMEOUT)

    def decode(self) -> Outcome | None:
        """Arguments for the function; the outcome if they do not fit it."""
        known = self.known
        if known.bare and self.claim.args == "{}":
            if known.takes_context:
                self.args = (self.context,)
            return None
        try:
            self.args, self.kwargs = known.codec.decode_args(self.claim.args)
        except BaseException as error:  # noqa: BLE001  a user's own types may raise anything while they are made
            return failure(error, retryable=False, spares=self._breakers)
        if known.takes_context:
            self.args = (self.context, *self.args)
        return None

    def returned(self, value: Any) -> Outcome:
        """The body returned."""
        if self.stop is not None:
            return self._stopped(self.stop)
        if value is None and self.known.nothing is not None:
            return self.known.nothing
        if isinstance(value, Verdict):
            return verdict(value)
        try:
            return Outcome(Ended.SUCCESS, result=self.known.codec.encode_result(value))
        except PayloadError as error:
            flaw = describe(error).removesuffix(NOTHING_WRITTEN).rstrip()
            why = (
                f"result not serialisable: {flaw} The function has run; its result is lost, and it is not tried again."
            )
            return Outcome(Ended.FAILURE, error=why, retryable=False)
        except BaseException as error:  # noqa: BLE001  encoding calls the user's own classes
            why = f"result not serialisable: {describe(error)}"
            return Outcome(Ended.FAILURE, error=why, stack=stack_of(error), retryable=False)

    def raised(self, error: BaseException) -> Outcome:
        """The body raised, or something around it."""
        if self.stop is not None:
            return self._stopped(self.stop)
        if isinstance(error, Verdict):
            return verdict(error)
        if isinstance(error, LeaseLost):
            return Outcome(Ended.RELEASE, error=describe(error))
        if self._is_the_stores(error):
            return Outcome(Ended.SNOOZE, error=describe(error), delay_us=SECOND)
        spares = self.task.spares(self.claim.queue, error)
        return failure(error, retryable=retries(self.known.spec.retry, error), spares=spares)

    @property
    def _breakers(self) -> tuple[str, ...]:
        """The names that breakers of it have: arguments that do not fit say nothing of what they guard."""
        return task_breaker(self.claim.task), queue_breaker(self.claim.queue)

    def _is_the_stores(self, error: BaseException) -> bool:
        """Whether the task ended with this error because the store went away under its transaction."""
        if self.effects is not None and self.effects.lost_with(error):
            return True
        turned_away, seen = self._turned_away, error
        while turned_away is not None and seen is not turned_away:
            deeper = seen.__cause__ or seen.__context__
            if deeper is None:
                return False
            seen = deeper
        return turned_away is not None

    def over(self) -> Outcome | None:
        """What it has come to if it was told to end, or to leave, and is at nothing now."""
        if self.stop is not None:
            return self._stopped(self.stop)
        return None if self.leaving is None else Outcome(Ended.RELEASE, error=storable(self.leaving))

    def passed(self, pace: Pace) -> None:
        """A pass has ended well: failures are counted anew, and what is written about the next one says so."""
        pace.passed += 1
        if any(self.claim.counters):
            self.claim = self.claim._replace(counters=Counters(releases=self.claim.counters.releases))
        if self._facts is not None:
            self._facts.attempt, self._facts.crashes = 1, 0

    def _stopped(self, stop: Stop) -> Outcome:
        return Outcome(stop.ended, error=storable(clip(stop.reason, REASON_CHARS)))

    def settle(self, outcome: Outcome, rng: Rng) -> Settle:
        """What is written about it."""
        policy = self.known.policy if self.claim.options is None else self._policy()
        try:
            return settle(self.claim, outcome, policy, rng, self.ran)
        except Exception:  # noqa: BLE001  a back-off function of the user's may raise anything: use the default one
            plain = Policy(Retry(max=policy.attempts), max_crashes=policy.max_crashes)
            return settle(self.claim, outcome, plain, rng, self.ran)

    @property
    def ran(self) -> Ran:
        """For the figures, when it has ended."""
        claim = self.claim
        ready_at = claim.ready_at
        waited = claim.claimed_at - ready_at if ready_at else -1
        return claim.queue, claim.task, waited, (ticks() - self.began) // 1000 if self.began else -1

    def _policy(self) -> Policy:
        spec, options = self.known.spec, self.options
        crashes = options.max_crashes if options.max_crashes is not None else spec.max_crashes
        return Policy(spec.retry, options.max_attempts, crashes)

    def conclude(self, outcome: Outcome, rng: Rng) -> tuple[Outcome, Answer | None]:
        """End the transaction that the task opened, if it did: commit it together with a success, undo it otherwise.

        Returns the outcome that is left to be settled; with an answer, it has been settled already. If the answer to the
        commit was lost, the job is given back: if the commit happened after all, that is refused, and nothing is done twice.
        """
        effects, self.effects = self.effects, None
        if effects is None:
            return outcome, None
        if self.stop is not None:  # told so after its body had returned: what is undone has not succeeded
            outcome = self._stopped(self.stop)
        try:
            if outcome.ended is Ended.SUCCESS:
                return outcome, self._commit(effects, self.settle(outcome, rng))
            effects.roll_back()
        except OutcomeUnknown as error:
            return Outcome(Ended.RELEASE, error=describe(error)), None
        except AWAY as error:  # nothing was written, and that is no fault of the task's
            again = Outcome(Ended.SNOOZE, error=describe(error), delay_us=SECOND)
            return (again if outcome.ended is Ended.SUCCESS else outcome), None
        except BaseException as error:  # noqa: BLE001  something of the task's that the engine refuses at the commit
            if outcome.ended is not Ended.SUCCESS:
                return outcome, None
            return failure(error, retryable=retries(self.known.spec.retry, error)), None
        return outcome, None

    def _commit(self, effects: Effects, settle: Settle) -> Answer:
        """What it has said goes along: a process that dies after this has left nothing unsaid."""
        lines = dict(self._lines or {})
        answer = effects.settle(settle, to_notes(list(lines.values())))
        if answer is Answer.ACCEPTED:
            self.committed = tuple(lines)
        return answer

    # ── what its context asks ─────────────────────────────────────────────────────────────────────────────────────
    @property
    def context(self) -> Context:
        """What the task sees; made when first asked for."""
        if self._context is None:
            claim = self.claim
            self._facts = Facts(
                claim.job_id,
                claim.epoch,
                claim.task,
                claim.queue,
                claim.counters.attempt + 1,
                claim.counters.crashes,
                self.desk.worker,
                self.options.tags,
                self.options.gates,
                self.options.fire,
                self.options.trace,
                self.task.prices,
            )
            self._context = Context(self._facts, self)
        return self._context

    def now(self) -> int:
        return self.desk.now()

    def note(self, note: Note) -> None:
        if isinstance(note, (LogLine, Usage)):
            if self._lines is None:
                self._lines = {}
            self._lines[key_of(note)] = note
        self.desk.note(note)

    def gone(self, line: Line) -> None:
        """A turn has taken this line along, and was answered."""
        if self._lines is not None:
            self._lines.pop(key_of(line), None)

    def asked(self) -> str | None:
        return None if self.stop is None else self.stop.reason

    def stopping(self) -> str | None:
        return self.leaving if self.stop is None else self.stop.reason

    def leave(self, reason: str) -> None:
        """It may finish what it is at, and should end then. Harmless when repeated."""
        self.leaving = reason
        self.wake()
        if self.on_leave is not None:
            self.on_leave()

    def wake(self) -> None:
        """End the rest between two passes."""
        if self.pace is not None:
            self.pace.wake()

    def lost(self) -> bool:
        return self.stop is not None and self.stop.lost

    def lease_left_us(self) -> int:
        return self.desk.lease_left_us(self.session_id)

    def on_lost(self, callback: Callable[[], object]) -> None:
        self._on_lost = [*(self._on_lost or ()), callback]
        if self.lost():
            self.tell_lost()

    def tell_lost(self) -> None:
        """Call those who wanted to know. Each once."""
        callbacks, self._on_lost = self._on_lost or (), None
        for callback in callbacks:
            with suppress(Exception):  # it is the task's own callback; the run ends anyway
                callback()

    def begin_effects(self) -> Effects:
        if self.known.spec.idle_us is not None:
            raise UsageError(
                "ctx.transaction() is not available in a continuous routine: it commits when the job succeeds, and a continuous "
                "run goes on after a pass. Enqueue a task that does it, or use a connection of your own."
            )
        if self.effects is None:
            self.context.lease.check()
            try:
                self.effects = self.desk.begin_effects(self.session_id)
            except StoreError as error:
                self._turned_away = error
                raise
        return self.effects

    def parents(self) -> list[ParentResult]:
        return self.task.left_by_parents(self.claim.job_id)

    def drop_effects(self, error: BaseException) -> None:
        if self.effects is not None and self.effects.lost_with(error):
            self._turned_away = error
        self.undo()

    def undo(self) -> None:
        """Roll its transaction back, if it has one."""
        effects, self.effects = self.effects, None
        if effects is not None:
            effects.roll_back()


class Nowhere:
    """Where a run is that is never started."""

    def start(self, runs: Sequence[Run]) -> None:
        """Nothing runs here,"""

    def interrupt(self, run: Run) -> None:
        """nor has to be told,"""

    def give_up(self, run: Run) -> bool:  # noqa: ARG002  an executor may know better
        """nor to be killed."""
        return False
