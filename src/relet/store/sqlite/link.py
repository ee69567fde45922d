"""One SQLite connection that runs named statements."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from relet.clock import SECOND, Clock, SystemClock, jitter, pause
from relet.errors import Contended, Unstorable
from relet.store.link import Params, Row
from relet.store.sqlite.driver import ERRORS, Driver, busy, constraint, translate
from relet.store.statements import for_sqlite, load, parameters, rename

WAIT_US = 30 * SECOND
"""How long a transaction waits for the writer before it gives up as Contended."""


ROWS = (256, 64, 16, 4, 1)
"""So many rows of values has one statement: few sizes, so that each is prepared once."""

_VALUES = re.compile(r"\(\?(?:, [?0])*\)")


class Prepared(NamedTuple):
    """A statement in positional form, and how to take its values out of named ones."""

    sql: str
    values: Callable[[Params], Sequence[Any]]
    makes_work: bool
    """It puts jobs into `ready`: whoever sleeps should be woken after the commit."""


def prepare(text: str) -> Prepared:
    """A named statement in SQLite's form, with its parameters numbered."""
    sql = for_sqlite(text)
    names = parameters(sql)
    places = {name: f"?{place}" for place, name in enumerate(names, 1)}
    return Prepared(rename(sql, places.__getitem__), _picker(names), any(words in sql for words in _MAKES_WORK))


@cache
def statements() -> dict[str, Prepared]:
    """All named statements."""
    return {name: prepare(text) for name, text in load("sqlite").items()}


_MAKES_WORK = (
    *("insert into relet_ready", "delete from relet_running where job_id = :job_id"),
    *("insert into relet_limit_rule", "delete from relet_limit_rule"),
)
"""Statements after which there may be work for others: jobs that are ready, a claim that ended otherwise than by success (its
slot may be one of a limited queue), a limit that was changed."""


def _picker(names: list[str]) -> Callable[[Params], Sequence[Any]]:
    if not names:
        return lambda _params: ()
    if len(names) == 1:
        only = names[0]
        return lambda params: (params[only],)
    return itemgetter(*names)


@cache
def repeated(sql: str, rows: int) -> str:
    """The statement with its one row of values, like `(?, ?, 0)`, written so many times."""
    return _VALUES.sub(lambda row: ", ".join([row[0]] * rows), sql, count=1)


class ConstraintViolated(Unstorable):
    """A row that must not be there twice was there. Never leaves the store."""


class SqliteTx:
    """An open transaction. Its clocks were read when it began, after the wait for the writer."""

    def __init__(self, driver: Driver, statements: dict[str, Prepared], clocks: dict[str, Any]) -> None:
        self.driver = driver
        self.clocks = clocks
        self.made_work = False
        self.freed: set[str] = set()
        """Limited queues that may let another job start."""
        self._statements = statements

    def all(self, name: str, **params: Any) -> list[Row]:
        sql, values, makes_work = self._statements[name]
        found = self.driver.execute(sql, values(params | self.clocks))
        self.made_work = self.made_work or (makes_work and self.driver.changes() > 0)
        return found

    def run(self, name: str, **params: Any) -> int:
        self.all(name, **params)
        return self.driver.changes()

    def many(self, name: str, rows: Sequence[Params]) -> list[int]:
        sql, values, makes_work = self._statements[name]
        written = self.driver.execute_each(sql, [values({**row, **self.clocks}) for row in rows])
        self.made_work = self.made_work or (makes_work and any(written))
        return written

    def each(self, name: str, rows: Sequence[Params]) -> list[Row]:
        sql, values, makes_work = self._statements[name]
        found = self.driver.query_each(sql, [values({**row, **self.clocks}) for row in rows])
        self.made_work = self.made_work or (makes_work and bool(found))
        return found

    def each_row(self, name: str, rows: Sequence[Sequence[Any]], *rest: Any) -> int:
        """Run a statement that has one row of values for all of these, with as few steps as can be; returns the rows it wrote."""
        sql, driver = self.sql(name), self.driver
        start = written = 0
        for size in ROWS:
            while len(rows) - start >= size:
                part = rows[start : start + size]
                driver.execute(repeated(sql, size), (*chain.from_iterable(part), *rest))
                written += driver.changes()
                start += size
        return written

    @property
    def connection(self) -> Any:
        """The library's own connection, in this transaction."""
        return self.driver.raw

    def sql(self, name: str) -> str:
        """The statement with numbered parameters, for the hot verbs that bind by place."""
        sql, _, makes_work = self._statements[name]
        self.made_work = self.made_work or makes_work
        return sql


class SqliteLink:
    """See `relet.store.link.Link`. Every write begins as a writer (BEGIN IMMEDIATE): no upgrade, no deadlock."""

    def __init__(self, url: str, open_driver: Callable[[], Driver], clock: Clock, *, shared_memory: bool) -> None:
        self.url = url
        self.clock = clock
        self._open_driver = open_driver
        self._statements = statements()
        self._rng = jitter()
        self._real = SystemClock()
        """Waiting for a lock takes real time, also where the store's clock is a manual one."""
        self._begin_read = "begin immediate" if shared_memory else "begin"
        self._pid = 0
        self._driver: Driver | None = None
        self._inherited: Driver | None = None
        self.on_work: Callable[[], None] = _nobody
        """Called after a commit that made jobs ready."""

    @property
    def driver(self) -> Driver:
        """The open connection; opened anew in a forked child, which must not use its parent's."""
        if self._driver is None or self._pid != os.getpid():
            self.close()
            try:
                self._driver, self._pid = self._open_driver(), os.getpid()
            except ERRORS as error:
                raise translate(error, self.url, committing=False) from error
        return self._driver

    @contextmanager
    def write(self) -> Generator[SqliteTx]:
        with self._transaction("begin immediate") as tx:
            yield tx

    @contextmanager
    def read(self) -> Generator[SqliteTx]:
        with self._transaction(self._begin_read) as tx:
            yield tx

    @contextmanager
    def _transaction(self, begin: str) -> Generator[SqliteTx]:
        driver = self.driver
        self._wait_for(driver, begin)
        committing = False
        try:
            tx = SqliteTx(driver, self._statements, self.clocks())
            yield tx
            committing = True
            driver.execute("commit")
        except ERRORS as error:
            self._roll_back(driver)
            if constraint(error):
                raise ConstraintViolated(str(error)) from error
            raise translate(error, self.url, committing=committing) from error
        except BaseException:
            self._roll_back(driver)
            raise
        if tx.made_work or tx.freed:
            self.on_work()

    def _wait_for(self, driver: Driver, begin: str) -> None:
        """Begin. Short, even waits: the library's own growing back-off starves some of many writers."""
        deadline = self._real.steady() + WAIT_US
        while True:
            try:
                driver.execute(begin)
                return
            except ERRORS as error:
                if not busy(error):
                    raise translate(error, self.url, committing=False) from error
                if self._real.steady() > deadline:
                    raise Contended(
                        f"SQLite store {self.url}: another connection has been writing for {WAIT_US // SECOND} s. "
                        "Nothing was written. Look for a program that holds a transaction open, then repeat the call."
                    ) from error
            pause(self._rng.uniform(100, 300))

    def clocks(self) -> dict[str, Any]:
        """The store's clocks, as parameters."""
        clock = self.clock
        return {"now_us": clock.now(), "steady_us": clock.steady(), "boot": clock.boot()}

    @staticmethod
    def _roll_back(driver: Driver) -> None:
        if driver.in_transaction():
            driver.execute("rollback")

    def close(self) -> None:
        driver, self._driver = self._driver, None
        if driver is None:
            return
        if self._pid == os.getpid():
            driver.close()
        elif driver.in_transaction():
            self._inherited = driver  # to undo its transaction would be to undo the parent's: it stays as it is
        else:
            driver.abandon()


def _nobody() -> None:
    """Nobody is to be woken."""
