"""Crash points: a process ends itself at a named boundary of a store's verb.

    turn:after:claim:kill        when a turn that has claimed something was answered, before anybody hears of it
    turn:inside:success:kill     in the turn that writes a success, before its commit (PostgreSQL, where such a turn is one
                                 statement: when the statement was sent, before its answer was read)
    turn:before:retry:term       SIGTERM to itself, and on it goes

The product knows nothing of this: a store is wrapped where a test's worker opens it.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store

_SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}

_SETTLES: dict[str, Callable[[Any], bool]] = {
    "success": lambda settle: settle.to is State.SUCCEEDED,
    "retry": lambda settle: settle.to is State.SCHEDULED and settle.ended is Ended.FAILURE,
    "snooze": lambda settle: settle.ended is Ended.SNOOZE,
    "dead": lambda settle: settle.to is State.DEAD,
    "cancel": lambda settle: settle.to is State.CANCELLED,
    "release": lambda settle: settle.to is State.READY,
}


@dataclass
class Point:
    """One boundary, crossed once."""

    verb: str
    when: str
    about: str = ""
    action: str = "kill"
    crossed: bool = False

    @classmethod
    def parse(cls, text: str) -> "Point":
        """`verb:when:about:action`, the last two of which may be missing."""
        return cls(*text.split(":"))

    def meets(self, args: tuple[Any, ...], answer: Any = None) -> bool:
        """Whether this call is the one."""
        if self.crossed:
            return False
        if self.about == "claim":
            return bool(answer.claims) if answer is not None else args[3] is not None
        if self.about == "found":
            return bool(answer) if answer is not None else True
        return not self.about or any(map(_SETTLES[self.about], args[1]))

    def cross(self) -> None:
        """Do it."""
        self.crossed = True
        os.kill(os.getpid(), _SIGNALS[self.action])


class Dying:
    """A store that ends its process at a point."""

    def __init__(self, store: Store, point: Point) -> None:
        self._store = store
        self._point = point
        self._armed = False
        _watch_commits(store, self._committing)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        point = self._point
        if name == "begin_effects" and point.verb == "effects":
            return lambda *args: _DyingEffects(found(*args), self)
        return (lambda *args: self.call(found, args)) if name == point.verb else found

    def call(self, verb: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Call it, and cross the point if this is it."""
        point = self._point
        if point.when == "before" and point.meets(args):
            point.cross()
        self._armed = point.when == "inside" and point.meets(args)
        try:
            answer = verb(*args)
        finally:
            self._armed = False
        if point.when == "after" and point.meets(args, answer):
            point.cross()
        return answer

    def _committing(self) -> None:
        if self._armed:
            self._point.cross()


class _DyingEffects:
    """A run's transaction that ends its process at a point of its settle."""

    def __init__(self, effects: Any, dying: Dying) -> None:
        self._effects = effects
        self._dying = dying

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._effects, name)
        return (lambda *args: self._dying.call(found, args)) if name == "settle" else found


def _watch_commits(store: Any, committing: Callable[[], None]) -> None:
    """Call `committing` whenever a transaction of this store is about to be committed."""
    link = store._link
    if hasattr(link, "driver"):
        link._driver = _WatchedDriver(link.driver, committing)
        return
    connect = link._connect
    link._connect = lambda: _watched_wire(connect(), committing)
    _watched_wire(link.wire, committing)


class _WatchedDriver:
    def __init__(self, driver: Any, committing: Callable[[], None]) -> None:
        self._driver = driver
        self._committing = committing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def execute(self, sql: str, values: Any = ()) -> Any:
        if sql == "commit":
            self._committing()
        return self._driver.execute(sql, values)


def _watched_wire(wire: Any, committing: Callable[[], None]) -> Any:
    command, alone, send = wire.command, wire.execute_alone, wire._send

    def watched_command(sql: bytes) -> None:
        if sql == b"commit":
            committing()
        command(sql)

    def watched_alone(statement: Any, values: Any) -> Any:
        def sent(*args: Any) -> None:
            send(*args)
            while wire.connection.pgconn.flush():
                pass
            committing()

        wire._send = sent
        try:
            return alone(statement, values)
        finally:
            del wire._send

    wire.command, wire.execute_alone = watched_command, watched_alone
    return wire
