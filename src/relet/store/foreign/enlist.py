"""From whatever a caller gives as `tx` to jobs written in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from relet.clock import Clock
from relet.errors import Refused, UsageError
from relet.job.job import NewBatch, NewJob
from relet.store.foreign.connection import AsyncForeign, Foreign
from relet.store.foreign.dialect import Dialect, plain, postgres_dialect, sqlite_dialect
from relet.store.foreign.place import Place
from relet.store.foreign.script import Wanted, adrive, drive, enqueueing
from relet.store.link import Row
from relet.store.records import Enqueued

KNOWN = (
    "Give a connection of sqlite3, apsw, psycopg 3 or asyncpg, a Connection or Session of SQLAlchemy (also of its "
    "asyncio extension), or Django's connection."
)

_KINDS = {
    ("sqlite3", "Connection"): "sqlite3",
    ("apsw", "Connection"): "apsw",
    ("psycopg", "Connection"): "psycopg",
    ("psycopg", "AsyncConnection"): "psycopg async",
    ("asyncpg", "Connection"): "asyncpg",
    ("asyncpg", "PoolConnectionProxy"): "asyncpg",
    ("sqlalchemy", "Connection"): "sqlalchemy",
    ("sqlalchemy", "Session"): "sqlalchemy",
    ("sqlalchemy", "scoped_session"): "sqlalchemy",
    ("sqlalchemy", "AsyncConnection"): "sqlalchemy async",
    ("sqlalchemy", "AsyncSession"): "sqlalchemy async",
    ("sqlalchemy", "async_scoped_session"): "sqlalchemy scoped",
    ("django", "BaseDatabaseWrapper"): "django",
    ("django", "ConnectionProxy"): "django",
}


class Transactions:
    """Writes jobs of one app in transactions of its callers."""

    def __init__(self, url: str, clock: Clock, open_store: Callable[[], object]) -> None:
        """`open_store` opens the app's own store, which makes the tables of a SQLite file that has none."""
        self.place = Place(url)
        self._clock = clock
        self._open_store = open_store

    def enqueue(self, tx: Any, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> list[Enqueued]:
        """Write all or none, to be committed or rolled back with the transaction. Raises UsageError for a wrong one."""
        kind, tx = _unwrapped(tx)
        foreign = _blocking(kind, tx)
        if foreign is None:
            raise UsageError(f"tx is awaited ({_name(tx)}); from async code use: await task.options(tx=…).aenqueue(…).")
        return self._write(foreign, kind, jobs, batches)

    async def aenqueue(self, tx: Any, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> list[Enqueued]:
        """The same from async code, for connections of either sort."""
        kind, tx = _unwrapped(tx)
        if kind == "sqlalchemy async":

            def write(lent: Any) -> list[Enqueued]:
                return self._write(_sqlalchemy(lent), kind, jobs, batches)

            return await tx.run_sync(write)
        foreign = _awaited(kind, tx)
        if foreign is None:
            return self.enqueue(tx, jobs, batches)
        self._check_engine(foreign)
        foreign.check()

        async def run(wanted: Wanted) -> list[Row]:
            if isinstance(wanted, str):
                return plain(await foreign.execute(wanted, {}))
            sql, rows = self._dialect.prepared(wanted)
            if wanted.fetch:
                return [found for row in rows for found in plain(await foreign.execute(sql, row))]
            await foreign.execute_each(sql, rows)
            return []

        return await adrive(enqueueing(self._dialect.script(jobs, batches)), run)

    def _write(
        self, foreign: Foreign, kind: str, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()
    ) -> list[Enqueued]:
        self._check_engine(foreign)
        if foreign.engine == "sqlite":
            self._check_file(foreign, kind)
        foreign.check()

        def run(wanted: Wanted) -> list[Row]:
            if isinstance(wanted, str):
                return plain(foreign.execute(wanted, {}))
            sql, rows = self._dialect.prepared(wanted)
            if wanted.fetch:
                return [found for row in rows for found in plain(foreign.execute(sql, row))]
            foreign.execute_each(sql, rows)
            return []

        return drive(enqueueing(self._dialect.script(jobs, batches)), run)

    @cached_property
    def _dialect(self) -> Dialect:
        if self.place.engine == "sqlite":
            return sqlite_dialect(self._clock)
        from relet.store.postgres.address import Address

        return postgres_dialect(Address.parse(self.place.url).schema)

    def _check_engine(self, foreign: Foreign | AsyncForeign) -> None:
        if foreign.engine != self.place.engine:
            names = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
            raise UsageError(
                f"tx is connected to {names[foreign.engine]}, and the jobs are kept in {names[self.place.engine]}. "
                "A job can only be written in a transaction of the store's own database. Nothing was written."
            )

    def _check_file(self, foreign: Foreign, kind: str) -> None:
        """The same file, opened by the same library, with our tables in it."""
        if (kind == "apsw") is self.place.shares_stdlib:
            raise UsageError(_two_libraries(kind, self.place.url))
        if not self.place.in_memory and not self.place.is_file(foreign.execute("pragma database_list", {})):
            raise UsageError(
                f"tx has another file open than the store {self.place.url}. A job can only be written in a transaction "
                "of the store's own file. Nothing was written."
            )
        if list(foreign.execute("select 1 from sqlite_master where name = 'relet_job'", {})):
            return
        if foreign.in_transaction:
            raise Refused(
                "The store's tables are not in this file yet, and your open transaction keeps them from being made. "
                "Nothing was written. Call app.open() once, before you begin."
            )
        self._open_store()


def _unwrapped(tx: Any) -> tuple[str, Any]:
    """By what name the object is known, and the object itself where it is a stand-in for another."""
    kind = _known(tx)
    if kind == "django":
        from relet.store.foreign.django import driver_connection

        tx = driver_connection(tx)
        return _known(tx), tx
    if kind == "sqlalchemy scoped":
        return "sqlalchemy async", tx()
    return kind, tx


def kind_of(tx: object) -> str:
    """By what name the object is known; "" if it is not.

    Looks at names of classes only, so that no library is imported that is not here already."""
    names = ((cls.__module__.partition(".")[0], cls.__name__) for cls in type(tx).__mro__)
    return next((_KINDS[name] for name in names if name in _KINDS), "")


def _known(tx: object) -> str:
    kind = kind_of(tx)
    if kind:
        return kind
    raise UsageError(f"tx is a {_name(tx)}, in which no jobs can be written. {KNOWN}")


def _name(tx: object) -> str:
    return f"{type(tx).__module__}.{type(tx).__qualname__}"


def _blocking(kind: str, tx: Any) -> Foreign | None:
    if kind in ("sqlite3", "apsw"):
        from relet.store.foreign.sqlite import SqliteConnection

        return SqliteConnection(tx)
    if kind == "psycopg":
        from relet.store.foreign.psycopg import PsycopgConnection

        return PsycopgConnection(tx)
    return _sqlalchemy(tx) if kind == "sqlalchemy" else None


def _sqlalchemy(tx: Any) -> Foreign:
    from relet.store.foreign.sqlalchemy import SqlalchemyConnection

    return SqlalchemyConnection(tx)


def _awaited(kind: str, tx: Any) -> AsyncForeign | None:
    if kind == "psycopg async":
        from relet.store.foreign.psycopg import PsycopgAsyncConnection

        return PsycopgAsyncConnection(tx)
    if kind == "asyncpg":
        from relet.store.foreign.asyncpg import AsyncpgConnection

        return AsyncpgConnection(tx)
    return None


def _two_libraries(kind: str, url: str) -> str:
    if kind == "apsw":
        return (
            f"tx is a connection of apsw, and the store {url} is opened by Python's own sqlite3. Nothing was written. "
            "Use sqlite:/// for it."
        )
    stdlib = url.replace("sqlite:", "sqlite+stdlib:", 1)
    return (
        f"tx is a connection of Python's own sqlite3, and the store {url} is opened by apsw, another SQLite library; two of "
        "them in one process must not have the same file open, it could be corrupted. Nothing was written. "
        f"Use App({stdlib!r}), which runs on sqlite3 too."
    )
