"""The keeper's thread: does what the keeper says, on a connection of its own. No job and no turn can hold it up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from relet.clock import SECOND, Clock, Ids, pause
from relet.errors import StoreError
from relet.events import Emitter
from relet.job.textsafe import describe
from relet.store.port import Store
from relet.store.reach import Reach
from relet.store.records import Beat, SessionInfo
from relet.store.rows import BreakerRow
from relet.work.actions import Failure
from relet.work.calls import Connection
from relet.work.keeper import Keeper, Step, Told
from relet.work.liveness import Locks
from relet.work.runner import Runner
from relet.work.wake import Wake


class Household:
    """What the keeper's thread tells the rest of the worker. Set by the worker."""

    def __init__(self) -> None:
        self.prepare: Callable[[Store], None] = _ignore_store
        """A session is about to be opened."""
        self.opened: Callable[[bytes], None] = _ignore_id
        """A session has begun."""
        self.trusted: Callable[[], None] = _nothing
        """The session was renewed."""
        self.fence: Callable[[bytes, str], None] = _ignore_fence
        """The lease of this session is over: claim nothing, start nothing, end what runs."""
        self.looked: Callable[[bytes, tuple[tuple[bytes, int], ...]], None] = _ignore_look
        """These claims stand."""
        self.breakers: Callable[[tuple[BreakerRow, ...], int], None] = _ignore_breakers
        """These breakers were not closed at that time of the store."""
        self.asked: Callable[[str], None] = _ignore_text
        """People ask the worker to drain or to stop."""


class KeeperThread:
    """Drives the keeper until told to end."""

    def __init__(
        self,
        keeper: Keeper,
        info: Callable[[bytes], SessionInfo],
        beat: Callable[[], Beat],
        runner: Runner,
        locks: Locks,
        open_store: Callable[[], Store],
        clock: Clock,
        ids: Ids,
        reach: Reach,
        emit: Emitter,
    ) -> None:
        self.keeper = keeper
        self.house = Household()
        self.session_id: bytes | None = None
        self._info = info
        self._beat = beat
        self._runner = runner
        self._locks = locks
        self._calls = Connection(open_store, reach, emit)
        self._clock = clock
        self._ids = ids
        self._emit = emit
        self._wake = Wake()
        self._doubt = False
        self._end: str | None = None
        self._verb = ""
        """What people have asked, as far as it was heard."""
        self._leaving = ""
        """How the worker goes; shown to people as if they had asked for it."""
        self._thread = Thread(target=self._serve, name="relet-keeper", daemon=True)

    def start(self) -> None:
        """Begin: a session is opened as soon as the store lets one."""
        self._thread.start()

    def doubt(self) -> None:
        """A turn was told that the session is not live: find out."""
        self._doubt = True
        self._wake.set()

    def leave(self, verb: str) -> None:
        """The worker begins to drain or to stop: let people see that at once."""
        self._leaving = verb
        self._wake.set()

    def finish(self, cause: str, timeout_us: int) -> bool:
        """End the session and the thread. False: the store does not answer; the lease will lapse."""
        self._end = cause
        self._wake.set()
        self._thread.join(timeout_us / SECOND)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _serve(self) -> None:
        while self._end is None:
            try:
                self._step()
            except Exception as error:  # noqa: BLE001  a defect here must not end the worker's lease
                self._emit("worker.defect", error=describe(error))
                pause(SECOND // 10)
        self._close()

    def _close(self) -> None:
        self.keeper.end()
        session_id, self.session_id = self.session_id, None
        if session_id is not None:
            with suppress(StoreError):  # the last figures
                self._calls.store.renew(session_id, self.keeper.lease_us, self._beat(), ())
            with suppress(StoreError):
                self._calls.store.end_session(session_id, self._end or "stopped")
                self._emit("session.ended", cause=self._end)
        self._locks.close()
        self._calls.close()
        self._wake.close()

    def _step(self) -> None:
        if self._doubt:
            self._doubt = False
            self.keeper.doubt()
        if self._leaving and self.session_id is not None:
            verb, self._leaving = self._leaving, ""
            self._call(Step.LISTEN, lambda: self._say(verb))
        now = self._clock.steady()
        step, until = self.keeper.next(now)
        match step:
            case Step.SLEEP:
                self._wake.wait(until - now)
            case Step.FENCE:
                self._fence()
            case Step.OPEN:
                self._call(step, self._open)
            case _:
                self._call(step, lambda: self._listen(step))

    def _call(self, step: Step, call: Callable[[], None]) -> None:
        try:
            call()
            self._calls.answered()
        except Exception as error:  # noqa: BLE001  whatever it was, it was not accepted: the deadline stands
            if self._calls.failed(error) in (Failure.DATA, Failure.DEFECT) and step is Step.RENEW:
                self._emit("lease.late", error=describe(error))
            self.keeper.failed(step, self._clock.steady())

    def _say(self, verb: str) -> None:
        """That the worker goes, unless people have asked for more; then its figures."""
        assert self.session_id is not None
        self._listen(Step.LISTEN)
        if self._verb not in (verb, "stop"):
            self._verb = verb
            self._calls.store.ask_worker(self.session_id, verb)
        self.keeper.doubt()

    def _open(self) -> None:
        store = self._calls.store
        self.house.prepare(store)
        session_id = self._ids.session()
        self._locks.hold(session_id)
        sent_at = self._clock.steady()
        try:
            store.open_session(self._info(session_id), self.keeper.lease_us)
        except BaseException:
            self._locks.let_go(session_id)
            raise
        self.session_id = session_id
        self.keeper.opened(sent_at)
        self.house.opened(session_id)
        self._emit("session.opened", lease=f"{self.keeper.lease_us / SECOND:g}s", session=session_id.hex())

    def _listen(self, step: Step) -> None:
        session_id = self.session_id
        assert session_id is not None
        store, runs = self._calls.store, self._runner.runs
        before = tuple(runs)
        sent_at = self._clock.steady()
        renews = step is Step.RENEW
        if renews:
            answer = store.renew(session_id, self.keeper.lease_us, self._beat(), before)
        else:
            answer = store.listen(session_id, before)
        running = [key for key in before if key in runs]
        told = self.keeper.heard(answer, step, sent_at, self._clock.steady(), running)
        if told.live:
            self._pass_on(told, step)
            self.house.looked(session_id, answer.held)
            self.house.breakers(answer.breakers, answer.now)

    def _pass_on(self, told: Told, step: Step) -> None:
        if step is Step.RENEW:
            self.house.trusted()
            self._emit("lease.renewed")
        self._runner.lose(told.lost)
        for control in told.controls:
            if control.verb == "cancel":
                self._runner.cancel(control.job_id, control.reason, control.grace_us)
        if told.verb and told.verb != self._verb:
            self._verb = told.verb
            self._emit("worker.asked", verb=told.verb)
            self.house.asked(told.verb)

    def _fence(self) -> None:
        session_id, self.session_id = self.session_id, None
        if session_id is not None:
            self.house.fence(session_id, self.keeper.over_because)
        self.keeper.fenced(self._clock.steady())
        if session_id is not None:
            self._locks.let_go(session_id)


def _nothing() -> None:
    return None


def _ignore_store(_: Store) -> None:
    return None


def _ignore_id(_: bytes) -> None:
    return None


def _ignore_text(_: str) -> None:
    return None


def _ignore_breakers(_: tuple[BreakerRow, ...], __: int) -> None:
    return None


def _ignore_fence(_: bytes, __: str) -> None:
    return None


def _ignore_look(_: bytes, __: tuple[tuple[bytes, int], ...]) -> None:
    return None
