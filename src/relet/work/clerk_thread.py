"""The clerk's thread: does what the clerk says, one call at a time, on a connection of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from threading import Thread
from uuid import UUID

from relet.clock import SECOND, Clock, pause
from relet.events import Emitter
from relet.job.job import Claim, Flag
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.job.textsafe import describe
from relet.store.port import Bell, Store
from relet.store.reach import Reach
from relet.store.records import Turned
from relet.work.actions import Asked, Failure, Learn, LookUp, Probe, Reread, Sleep, Taken, Tell, Turn
from relet.work.calls import Connection
from relet.work.clerk import Clerk
from relet.work.figures import CLAIMED, DELAYED
from relet.work.notebook import LineKey
from relet.work.runner import Runner, SettledElsewhere
from relet.work.wake import Wake

_EVENTS = {State.DEAD: "job.dead", State.CANCELLED: "job.cancelled", State.READY: "job.released"}


class ClerkThread:
    """Drives the clerk until told to finish."""

    def __init__(
        self, clerk: Clerk, runner: Runner, open_store: Callable[[], Store], clock: Clock, reach: Reach, emit: Emitter
    ) -> None:
        self.clerk = clerk
        self.on_doubt: Callable[[], None] = _nothing
        """A turn was told that the session is not live."""
        self.on_due: Callable[[int], None] = _ignore
        """A job was put off for so long."""
        self.on_routine: Callable[[], None] = _nothing
        """A run of a routine or schedule has succeeded: others may wait for that."""
        self._answered_at = clock.steady()
        self._content = False
        self.turned_at = 0
        """Store time of the last answered turn."""
        self._runner = runner
        self._calls = Connection(open_store, reach, emit)
        self._clock = clock
        self._emit = emit
        self._wake = Wake()
        self._inbox: deque[Callable[[Clerk, int], None]] = deque()
        self._asleep = False
        self._enough = 1
        self._note_wakes = True
        self._finished = False
        self._bell: tuple[Store, Bell | None] | None = None
        self._thread = Thread(target=self._serve, name="relet-clerk", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._runner.on_ended = self._ended
        self._runner.breakers = self.clerk.breakers
        self._runner.on_note = self._noted
        self._thread.start()

    def post(self, message: Callable[[Clerk, int], None]) -> None:
        """Let the clerk know something; called with the clerk and the time, in its thread."""
        self._inbox.append(message)
        self._wake.set()

    def finish(self, timeout_us: int) -> bool:
        """End the thread after the call it is in. False: that call takes longer."""
        self._finished = True
        self._wake.set()
        self._thread.join(timeout_us / SECOND)
        return not self._thread.is_alive()

    def silent_us(self, now: int) -> int:
        """For how long the store has not answered although it was asked."""
        return 0 if self._content else now - self._answered_at

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # ── waking: called from any thread, for each run ──────────────────────────────────────────────────────────────
    def _ended(self) -> None:
        if self._asleep and (len(self._runner.ended) >= self._enough or not self._runner.runs):
            self._asleep = False
            self._wake.set()

    def _noted(self) -> None:
        if self._note_wakes:
            self._note_wakes = False
            self._wake.set()

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────────────────────
    def _serve(self) -> None:
        while not self._finished:
            try:
                self._step()
            except Exception as error:  # noqa: BLE001  a defect here must not end the worker's only way to the store
                self._emit("worker.defect", error=describe(error))
                pause(SECOND)
        self._calls.close()
        self._wake.close()

    def _step(self) -> None:
        self._hear(self._clock.steady())
        match self.clerk.next(self._clock.steady()):
            case Turn() as turn:
                self._turn(turn)
            case Sleep() as sleep:
                self._sleep(sleep)
            case other:
                self._ask(other)

    def _hear(self, now: int) -> None:
        """Take in everything that was said since."""
        while self._inbox:
            self._inbox.popleft()(self.clerk, now)
        written = self._take_ended(now)
        self._take_seen(now)
        while self._runner.notes:
            self.clerk.notes.write(self._runner.notes.popleft(), now)
        if written:
            self.clerk.notes.forget(written)
        if self.clerk.breakers.events:
            self._tell_of_breakers()
        self._note_wakes = self.clerk.notes.since is None
        if (bell := self._ringing()) is not None and bell.take():
            self.clerk.ring()

    def _ringing(self) -> Bell | None:
        """The bell of the open connection."""
        return self._bell[1] if self._bell is not None and self._bell[0] is self._calls.opened else None

    def _take_ended(self, now: int) -> set[LineKey]:
        """What has ended; returns which lines were written with it. What was said is taken after it: then all that an ended
        run said is among it."""
        written: set[LineKey] = set()
        ended = self._runner.ended
        if not ended:
            return written
        batch = [ended.popleft() for _ in range(len(ended))]
        settles = [one for one in batch if not isinstance(one, SettledElsewhere)]
        for session_id, group in groupby(settles, key=_SESSION):
            self.clerk.finish(session_id, map(_SETTLE, group), now)
        if len(settles) < len(batch):
            for one in batch:
                if isinstance(one, SettledElsewhere):
                    self._settled(one)
                    written.update(one.written)
        return written

    def _take_seen(self, now: int) -> None:
        """What has ended that breakers guard. It was said before the clerk heard that it has ended."""
        seen = self._runner.seen
        while seen:
            self.clerk.breakers.saw(seen.popleft(), now)

    def _tell_of_breakers(self) -> None:
        events = self.clerk.breakers.events
        while events:
            event, facts = events.popleft()
            self._emit(event, **facts)

    def _settled(self, one: SettledElsewhere) -> None:
        self.clerk.settled(one.key, one.ended)
        self._runner.figures.settled_elsewhere(one.ran, one.ended, one.answer)
        if one.flags & _FIRED and one.ended is Ended.SUCCESS:
            self.on_routine()
        if one.answer is Answer.FENCED or one.answer is Answer.EXPIRED:
            self._emit("job.fenced", job=str(UUID(bytes=one.key[0])), epoch=one.key[1])

    def _sleep(self, sleep: Sleep) -> None:
        now = self._clock.steady()
        self._content = sleep.ended < 2**62
        self._answered_at = now if self._content else self._answered_at
        self._enough = sleep.ended
        self._asleep = True
        if not self._has_news(sleep.ended):
            bell = self._ringing()
            timeout = None if sleep.until is None else sleep.until - now
            self._wake.wait(timeout, () if bell is None else (bell.fileno(),))
        self._asleep = self._content = False

    def _has_news(self, enough: int) -> bool:
        """Asked after `_asleep` was set: what comes later wakes."""
        runner = self._runner
        ended = len(runner.ended) >= enough or (runner.ended and not runner.runs)
        return bool(self._inbox or self._finished or ended or (self._note_wakes and runner.notes))

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _store(self) -> Store:
        store = self._calls.store
        if self._bell is None or self._bell[0] is not store:
            self._bell = (store, store.bell())
        return store

    def _turn(self, turn: Turn) -> None:
        started = self._clock.steady()
        try:
            store = self._store()
            ends = store.lane_ends(turn.ends_of) if turn.ends_of else None
            started = self._clock.steady()
            answer = store.turn(turn.session_id, turn.settles, turn.notes, turn.want)
        except Exception as error:  # noqa: BLE001  sorted: the turn is repeated, or its culprit found
            self._failed(turn, error)
            return
        self._answered(turn, answer, self._clock.steady() - started, ends)

    def _answered(self, turn: Turn, answer: Turned, took_us: int, ends: Sequence[int] | None) -> None:
        now = self._clock.steady()
        self._take_seen(now)
        taken = self.clerk.turned(turn, answer, now, took_us, ends)
        self._count(turn, answer)
        if taken.start:
            self._runner.start(turn.session_id, taken.start)
        if turn.notes:
            self._runner.gone(turn.notes.lines)
        self._answered_at, self.turned_at = now, answer.now
        self._calls.answered()
        if taken.refused or taken.others:
            self._tell(taken)
        if taken.soonest_us is not None:
            self.on_due(taken.soonest_us)
        if any(settle.flags & _FIRED and settle.to is _SUCCEEDED for settle in turn.settles):
            self.on_routine()
        if not taken.live and turn.session_id == self.clerk.session_id:
            self.on_doubt()

    def _count(self, turn: Turn, answer: Turned) -> None:
        figures = self._runner.figures
        if turn.settles:
            figures.settled(turn.settles, answer.answers)
        if answer.claims:
            figures.count(CLAIMED, len(answer.claims))
        if any(one.next_at is not None for one in answer.limited):
            figures.count(DELAYED)

    def _failed(self, turn: Turn, error: Exception) -> None:
        failure = self._calls.failed(error)
        if failure in (Failure.DATA, Failure.DEFECT) and not turn.settles and turn.want is None:
            self._runner.gone(turn.notes.lines)  # refused for what they are
        for culprit in self.clerk.failed(turn, failure, self._clock.steady()):
            self._emit("job.unstorable", job=str(UUID(bytes=culprit.job_id)), task=culprit.task, error=describe(error))

    def _ask(self, action: Asked) -> None:
        started = self._clock.steady()
        try:
            store = self._store()
            match action:
                case Learn(queues):
                    pairs = store.ranks(queues)
                    now = self._clock.steady()
                    self.clerk.learned(pairs, now, now - started)
                case LookUp(session_id):
                    answer = store.listen(session_id)
                    self.clerk.looked(answer.held, self._clock.steady(), exact=True, live=answer.live)
                    if not answer.live:
                        self.on_doubt()
                case Reread(session_id, job_ids):
                    found = store.claims(session_id, job_ids)
                    self._found(session_id, self.clerk.reread(session_id, found, self._clock.steady()))
                case Tell(reports):
                    self.clerk.breakers.told(store.report_outcomes(reports), self._clock.steady())
                case Probe() as probe:
                    probed = store.claim_probe(probe.session_id, probe.want, probe.breakers)
                    now = self._clock.steady()
                    self._found(probe.session_id, self.clerk.probed(probe, probed, now, now - started))
            self._calls.answered()
        except Exception as error:  # noqa: BLE001  sorted; repeating them is safe
            self._calls.failed(error)
            self.clerk.call_failed(action, self._clock.steady())

    def _found(self, session_id: bytes, claims: list[Claim]) -> None:
        if claims:
            self._runner.start(session_id, claims)

    # ── events ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _tell(self, taken: Taken) -> None:
        """Say what became of the runs: once it is true, and not of each success."""
        for settle, _ in taken.refused:
            self._emit(
                "job.fenced",
                job=str(UUID(bytes=settle.job_id)),
                task=settle.task,
                epoch=settle.epoch,
                ended=settle.ended.value,
            )
        for settle in taken.others:
            self._emit(
                _EVENTS.get(settle.to, "job.snoozed" if settle.ended is Ended.SNOOZE else "job.failed"),
                job=str(UUID(bytes=settle.job_id)),
                task=settle.task,
                attempt=settle.counters.attempt,
                epoch=settle.epoch,
                ended=settle.ended.value,
                error=settle.error,
                reason=settle.error if settle.to is State.CANCELLED else "",
            )


_SUCCEEDED = State.SUCCEEDED
_FIRED = int(Flag.FIRED)
"""As a number: an operation on flags makes a member of the enum."""
_SESSION = itemgetter(0)
_SETTLE = itemgetter(1)


def _nothing() -> None:
    return None


def _ignore(_: int) -> None:
    return None
