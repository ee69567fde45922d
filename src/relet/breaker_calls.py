"""Calls that a circuit breaker guards, in whatever process: when they may go out, and what they tell.

Nothing here waits for the writer of the store, but for a probe, which waits not long: a caller may be within a transaction of its
own, which on SQLite is the one that everybody waits for. What calls come to is told beside, by a thread that comes and goes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from contextvars import ContextVar
from threading import Condition, Lock, Thread
from typing import Any, Protocol

from relet.clock import MS, SECOND, Clock, Ids, jitter
from relet.errors import StoreError, Verdict
from relet.job.breaker import Breaker, State, Status, hear, wait_us
from relet.job.outcome import BreakerOpen, RetryLater
from relet.job.textsafe import describe
from relet.settings import Settings
from relet.store import records
from relet.store.port import Store
from relet.store.rows import BreakerRow
from relet.store.shared import SharedStore

REFRESH_US = SECOND
"""How old what is known of a breaker may be."""

MOST_UNTOLD = 1_000
"""While the store is away, so many outcomes are kept for it."""

PATIENCE_S = 2.0
"""How long a call that could be a probe waits for the store to say so."""

LINGER_S = 0.2
"""How long the thread beside waits for more to tell."""


class Caller(Protocol):
    """What calls need of their app."""

    breakers_of_code: dict[str, Breaker]

    @property
    def shared(self) -> SharedStore: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def settings(self) -> Settings: ...


class Beside:
    """A thread with a connection of its own, for as long as there is something to do."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._work: deque[tuple[Future[Any], Callable[[Store], Any]]] = deque()
        self._changed = Condition()
        self._pid = 0
        """The process whose thread is at it."""

    @property
    def busy(self) -> bool:
        """Whether something may not be done yet."""
        return self._pid == os.getpid()

    def do(self, verb: Callable[[Store], Any]) -> Future[Any]:
        """Do it soon, after what was asked for before."""
        future: Future[Any] = Future()
        with self._changed:
            self._work.append((future, verb))
            self._changed.notify()
            if self._pid != os.getpid():
                self._pid = os.getpid()
                Thread(target=self._serve, name="relet-breakers").start()
        return future

    def _serve(self) -> None:
        store: Store | None = None
        while (found := self._next()) is not None:
            future, verb = found
            try:
                store = store or self._open_store()
                future.set_result(verb(store))
            except BaseException as error:  # noqa: BLE001  whoever asked hears of it
                future.set_exception(error)
        if store is not None:
            with suppress(StoreError):
                store.close()

    def _next(self) -> tuple[Future[Any], Callable[[Store], Any]] | None:
        with self._changed:
            if not self._work:
                self._changed.wait(LINGER_S)
            if self._work:
                return self._work.popleft()
            self._pid = 0
            return None


class Calls:
    """All calls of this process that go through one breaker, and how that stands as far as is known here.

    When the store cannot be reached, what was known last holds, and what these calls come to counts on."""

    def __init__(self, app: Caller, name: str, beside: Beside) -> None:
        self._app = app
        self._name = name
        self._beside = beside
        self._lock = Lock()
        self._row: BreakerRow | None = None
        self._status = Status()
        self._shift: int | None = None
        """What to add to the steady clock for the store's time."""
        self._looked_at = -(2**62)
        self._untold: list[int] = []
        self._telling: list[records.Report] = []
        """What was sent, and is not answered."""
        self._error = ""

    # ── before and after a call ───────────────────────────────────────────────────────────────────────────────────
    @property
    def at_hand(self) -> bool:
        """Whether `enter` asks nobody."""
        return self._fresh() and self._status.opened_at is None

    def enter(self) -> bytes | None:
        """Let a call pass, or raise BreakerOpen. Returns its token, if it is a probe."""
        if not self._fresh():
            self.look()
        with self._lock:
            state = self._status.state(self._now())
        if state is State.CLOSED:
            return None
        token = self._ask() if state is State.HALF_OPEN else None
        if token is None and self._status.opened_at is not None:
            raise self._refusal()
        return token

    def left(self, token: bytes | None, error: BaseException | None) -> None:
        """The call has come back, with this error."""
        passed = error is None
        if error is not None and not self._counts(error):
            if token is not None:
                self._beside.do(lambda store: store.return_probe(self._name, token))
            return
        with self._lock:
            self._error = self._error if error is None else describe(error)
            if token is not None:
                verdict = records.Verdict(token, 0, passed)
                self._send((), (verdict,))
                return
            one = 1 if passed else -1
            self._status = hear(self._rule.rule, self._status, (one,), self._now(), self._error)
            self._count(one)
            if not passed:
                self._send_on()

    def _count(self, one: int) -> None:
        """One more that is not told. While the store is away, the last ones are kept."""
        if self._untold and self._untold[-1] * one > 0:
            self._untold[-1] += one
        else:
            self._untold = [*self._untold[-MOST_UNTOLD:], one]

    def _counts(self, error: BaseException) -> bool:
        """A verdict of the task is no failure of what it calls, but for one that says so."""
        if isinstance(error, Verdict) and not isinstance(error, RetryLater):
            return False
        return self._rule.counts(error)

    @property
    def _rule(self) -> Breaker:
        return self._app.breakers_of_code.get(self._name) or Breaker()

    # ── the store ─────────────────────────────────────────────────────────────────────────────────────────────────
    def look(self) -> None:
        """See how it stands. What cannot be reached leaves what was known."""
        if self._row is not None:
            self._looked_at = self._app.clock.steady()  # others go by what is known meanwhile
        with suppress(StoreError):
            with self._app.shared.use() as store:
                row, now = store.insights.breaker(self._name), store.now()
            self._learn(row, now)
        with self._lock:
            self._looked_at = self._app.clock.steady()
            if self._row is None or self._untold:
                self._send_on()

    def flush(self) -> None:
        """Until what was left has been told, or cannot be."""
        with suppress(StoreError, FutureTimeout):
            for _ in range(2):  # once more for what came while the one before was told
                if self._beside.busy:
                    self._beside.do(_nothing).result(PATIENCE_S)

    def _ask(self) -> bytes | None:
        """A token for a probe; None: not now."""
        token, for_us = self._app.ids.session(), self._rule.rule.cool_us
        asked = self._beside.do(lambda store: (*store.ask_probe(self._name, token, for_us), store.now()))
        try:
            granted, row, now = asked.result(PATIENCE_S)
        except (StoreError, FutureTimeout):
            return None
        self._learn(row, now)
        return token if granted else None

    def _send_on(self) -> None:
        """Tell what waits, unless something is being told: then it goes after that. Called with the lock."""
        if not self._telling:
            self._send(tuple(self._untold))

    def _send(self, outcomes: tuple[int, ...], verdicts: tuple[records.Verdict, ...] = ()) -> None:
        """Tell the store. Called with the lock."""
        report = records.Report(self._name, outcomes, verdicts, self._error)
        self._untold = self._untold if verdicts else []
        self._telling.append(report)
        self._beside.do(lambda store: self._tell(store, report))

    def _tell(self, store: Store, report: records.Report) -> None:
        try:
            store.declare_breakers({self._name: self._rule.rule}, "code")
            rows, now = store.report_outcomes([report]), store.now()
        except StoreError:
            with self._lock:
                self._telling.remove(report)
                self._untold = [*report.outcomes, *self._untold]
            raise
        with self._lock:
            self._telling.remove(report)
        self._learn(rows[0] if rows else None, now)
        with self._lock:
            if any(count < 0 for count in self._untold):
                self._send_on()

    def _learn(self, row: BreakerRow | None, now: int) -> None:
        with self._lock:
            self._shift = now - self._app.clock.steady()
            if row is None or (self._row is not None and self._row.revision > row.revision):
                return
            self._row = row
            outcomes = [count for report in self._telling for count in report.outcomes] + self._untold
            self._status = hear(row.rule, row.status, outcomes, now, self._error)

    def _fresh(self) -> bool:
        return self._app.clock.steady() - self._looked_at < REFRESH_US

    def _now(self) -> int:
        """The store's time, as far as is known."""
        clock = self._app.clock
        return clock.now() if self._shift is None else clock.steady() + self._shift

    def _refusal(self) -> BreakerOpen:
        """Jobs that were turned away together do not come back together."""
        status, now = self._status, self._now()
        wait = wait_us(self._rule.rule, status, now)
        wait += jitter().randint(0, max(100 * MS, wait // 10))
        because = ": ".join(filter(None, (status.because, status.error)))
        return BreakerOpen(self._name, now + wait, wait, because)


def _nothing(_: Store) -> None:
    """Only to be waited for."""


PASSES: ContextVar[tuple[bytes | None, ...]] = ContextVar("relet_passes", default=())
"""The tokens of the calls that this code is within, the innermost last."""
