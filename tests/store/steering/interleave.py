"""Runs a verb of one connection with something else happening on another one, at any chosen statement of the verb.

The other action runs in a thread of its own. The verb goes on when that has ended or waits for a lock; it ends in any
case once the verb has committed.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

from relet.clock import SystemClock
from relet.store.link import Params, Row, Tx
from relet.store.port import Store
from relet.store.steering import Steering
from tests.store.beds import PostgresBed

_WAITS = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
"""Only the other one can be waiting: the verb is between two statements."""


class Other:
    """Something that another connection does, once."""

    def __init__(self, bed: PostgresBed, store: Store, act: Callable[[Store], object]) -> None:
        self._bed = bed
        self._thread = Thread(target=self._run, args=(act, store))
        self.result: object = None
        self.error: BaseException | None = None
        self.waited = False
        """Whether it had to wait for a lock of the verb."""

    def _run(self, act: Callable[[Store], object], store: Store) -> None:
        try:
            self.result = act(store)
        except Exception as error:
            self.error = error

    def start(self) -> None:
        """Let it happen, until it has ended or waits for a lock."""
        self._thread.start()
        while self._thread.is_alive() and not self.waited:
            self._thread.join(0.002)
            self.waited = self._thread.is_alive() and bool(self._bed.rows(_WAITS))

    def finish(self) -> None:
        """Wait for its end; its error is raised here."""
        self._thread.join()
        if self.error is not None:
            raise self.error


class _Tx:
    """A transaction that lets the other one happen before one of its statements."""

    def __init__(self, inner: Tx, link: "Interleaved") -> None:
        self._inner = inner
        self._link = link

    def all(self, name: str, **params: Any) -> list[Row]:
        self._link.step(name)
        return self._inner.all(name, **params)

    def run(self, name: str, **params: Any) -> int:
        self._link.step(name)
        return self._inner.run(name, **params)

    def many(self, name: str, rows: Sequence[Params]) -> list[int]:
        self._link.step(name)
        return self._inner.many(name, rows)

    def each(self, name: str, rows: Sequence[Params]) -> list[Row]:
        self._link.step(name)
        return self._inner.each(name, rows)

    @property
    def connection(self) -> Any:
        return self._inner.connection


class Interleaved:
    """A link over the link of a store. The other action happens before statement number `at`, or before the commit."""

    def __init__(self, store: Store, other: Other, at: int) -> None:
        self._link: Any = store._link  # type: ignore[attr-defined]
        self._other = other
        self._at = at
        self.url = self._link.url
        self.statements: list[str] = []
        """Names of the statements that were run."""
        self.happened = False

    def step(self, name: str) -> None:
        """Count one more statement."""
        self._happen(len(self.statements) == self._at)
        self.statements.append(name)

    def _happen(self, now: bool) -> None:
        if now and not self.happened:
            self.happened = True
            self._other.start()

    @contextmanager
    def write(self) -> Generator[_Tx]:
        with self._link.write() as tx:
            yield _Tx(tx, self)
            self._happen(len(self.statements) == self._at)

    @contextmanager
    def read(self) -> Generator[_Tx]:
        with self._link.read() as tx:
            yield _Tx(tx, self)

    def close(self) -> None:
        """It belongs to the store."""


class Person(Steering):
    """Somebody who steers over this link."""

    def __init__(self, link: Interleaved) -> None:
        self._link = link
        self.real = SystemClock()


Verb = Callable[[Person], object]


def interleave(
    bed: PostgresBed, mine: Store, verb: Verb, theirs: Store, act: Callable[[Store], object], at: int
) -> tuple[object, Other, bool]:
    """Run the verb with the act at its statement `at`: (answer of the verb, the act, whether there was such a statement)."""
    other = Other(bed, theirs, act)
    link = Interleaved(mine, other, at)
    try:
        answer = verb(Person(link))
    finally:
        if link.happened:
            other.finish()
    return answer, other, link.happened
