"""Stops a verb of one connection before any of its statements, and lets others happen there on other connections.

What happens there goes on in a thread of its own until it has ended or waits for a lock; if it waits, the verb goes on, and
the other ends when it can.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Any, NamedTuple

from relet.store.port import Store
from relet.store.sqlite.driver import ERRORS, busy
from tests.store.beds import Bed, PostgresBed

Act = Callable[[Store], object]


class Other(ABC):
    """What happens on another connection."""

    def __init__(self, store: Store, act: Act) -> None:
        self._store = store
        self._act = act
        self._thread = Thread(target=self._run, daemon=True)
        self.result: object = None

    def start(self) -> None:
        """Let it happen, until it has ended or waits."""
        self._thread.start()
        while self._thread.is_alive() and not self._waits():
            self._thread.join(0.001)

    def finish(self) -> None:
        """Wait for its end."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "it waits for a lock that nobody holds any more"

    def _run(self) -> None:
        self.result = attempt(self._act, self._store)

    @abstractmethod
    def _waits(self) -> bool: ...


def attempt(act: Act, store: Store) -> object:
    """Its answer, or its error, which is an answer too."""
    try:
        return act(store)
    except Exception as error:
        return error


class PostgresOther(Other):
    """Whether it waits is asked of the server."""

    def __init__(self, bed: PostgresBed, store: Store, act: Act) -> None:
        super().__init__(store, act)
        self._bed = bed
        self._pid = bed.pid_of(store)

    def _waits(self) -> bool:
        return bool(
            self._bed.rows(
                f"select 1 from pg_stat_activity where pid = {self._pid} and wait_event_type = 'Lock' and state = 'active'"
            )
        )


class SqliteOther(Other):
    """It waits when it cannot have the writer's lock."""

    def __init__(self, store: Store, act: Act) -> None:
        super().__init__(store, act)
        self._busy = Event()
        link: Any = store._link  # type: ignore[attr-defined]  # the seam of these tests
        link._wait_for = self._wait_for

    def _wait_for(self, driver: Any, begin: str) -> None:
        while True:
            try:
                driver.execute(begin)
                return
            except ERRORS as error:
                if not busy(error):
                    raise
                self._busy.set()
                Event().wait(0.0005)

    def _waits(self) -> bool:
        return self._busy.is_set()


def other(bed: Bed, store: Store, act: Act) -> Other:
    """The same for any engine."""
    return PostgresOther(bed, store, act) if isinstance(bed, PostgresBed) else SqliteOther(store, act)


class Stepper:
    """Watches the statements of one store's connection; before statement number n something may happen."""

    def __init__(self, store: Store) -> None:
        self._happenings: dict[int, Callable[[], None]] = {}
        self.statements: list[str] = []
        """Names of those that were run, and of the ends of transactions."""
        self._inside = False
        link: Any = store._link  # type: ignore[attr-defined]  # the seam of these tests
        for name in ("write", "read", "alone"):
            if hasattr(link, name):
                setattr(link, name, self._watched(getattr(link, name)))

    def reset(self) -> None:
        """Count anew, with nothing to happen."""
        self._happenings, self.statements = {}, []

    def at(self, place: int, happening: Callable[[], None]) -> None:
        """Let this happen before that statement."""
        self._happenings[place] = happening

    def _watched(self, begin: Callable[[], Any]) -> Callable[[], Any]:
        @contextmanager
        def transaction() -> Iterator[Any]:
            self._step("begin")
            with begin() as tx:
                for name in ("all", "run", "many", "each", "execute"):
                    if hasattr(tx, name):
                        setattr(tx, name, self._stepping(getattr(tx, name)))
                yield tx
                self._step("commit")

        return transaction

    def _stepping(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(statement: Any, *args: Any, **params: Any) -> Any:
            if self._inside:  # one way to run a statement uses another
                return run(statement, *args, **params)
            self._step(statement if isinstance(statement, str) else statement.name.decode())
            self._inside = True
            try:
                return run(statement, *args, **params)
            finally:
                self._inside = False

        return stepped

    def _step(self, name: str) -> None:
        place = len(self.statements)
        self.statements.append(name)
        happening = self._happenings.pop(place, None)
        if happening is not None:
            happening()


class Happening(NamedTuple):
    """What happens before which statement, on which connection."""

    place: int
    store: Store
    act: Act


def interleave(
    bed: Bed, stepper: Stepper, mine: Store, verb: Act, happenings: Sequence[Happening]
) -> list[object] | None:
    """Run the verb with these happenings; the answers, the verb's first. None: it has not so many statements."""
    stepper.reset()
    others = [other(bed, happening.store, happening.act) for happening in happenings]
    started: list[Other] = []

    def start(place: int) -> None:
        for happening, one in zip(happenings, others, strict=True):
            if happening.place == place:
                started.append(one)
                one.start()

    for place in {happening.place for happening in happenings}:
        stepper.at(place, partial(start, place))
    try:
        answer = attempt(verb, mine)
    finally:
        stepper.reset()
        for one in started:
            one.finish()
    return [answer, *(one.result for one in others)] if len(started) == len(others) else None
