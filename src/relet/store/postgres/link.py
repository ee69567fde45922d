"""One PostgreSQL connection that runs named statements."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import Notify
from psycopg.errors import Diagnostic

from relet.errors import OutcomeUnknown
from relet.store.link import Params, Row
from relet.store.postgres.address import Address
from relet.store.postgres.connection import DeadlineConnection, connect
from relet.store.postgres.failures import lost, translate
from relet.store.statements import for_postgres, load, parameters, rename

_TYPES = {
    **dict.fromkeys(("id", "job_id", "session_id", "before", "least"), "uuid"),
    **dict.fromkeys(
        ("priority", "flags", "epoch", "attempt", "crashes", "suspicions", "releases", "suspicion", "too_many"), "int8"
    ),
    **dict.fromkeys(("n", "at", "pid", "slots", "tier", "busy", "done", "failed", "rss_bytes", "asleep"), "int8"),
    **dict.fromkeys(("limit", "rank", "seq", "after", "resolved", "cap"), "int8"),
    "percent": "float8",
    "now": "int8",
    "lane_queues": "text[]",
    "known_tasks": "text[]",
    "offered": "text[]",
    "lane_ranks": "int8[]",
    "lane_afters": "int8[]",
}
"""Types of parameters by their names, where they are not text or told by the name's end."""


def type_of(name: str) -> str:
    """The one type that a parameter of this name has in every statement, so that each statement is planned once."""
    return _TYPES.get(name) or ("int8" if name.endswith(("_us", "_at", "_bytes", "_after", "_before")) else "text")


class Prepared(NamedTuple):
    """A statement with `$1`-style parameters, and their names in that order."""

    sql: bytes
    names: tuple[str, ...]

    def values(self, params: Params) -> tuple[Any, ...]:
        """Its parameters, in order."""
        return tuple([params[name] for name in self.names])


def prepare(text: str, schema: str) -> Prepared:
    """A named statement in PostgreSQL's form."""
    names = tuple(parameters(text))
    places = {name: f"${place}::{type_of(name)}" for place, name in enumerate(names, 1)}
    return Prepared(rename(for_postgres(text, schema), places.__getitem__).encode(), names)


class PostgresTx:
    """An open transaction (or, for one statement alone, the connection in autocommit mode)."""

    def __init__(self, connection: DeadlineConnection, statements: dict[str, Prepared], *, keep: bool) -> None:
        self.connection = connection
        self._statements = statements
        self._keep = keep
        """Whether the server keeps the plan for the next call: not behind a pooler, where the next server is another."""

    def all(self, name: str, **params: Any) -> list[Row]:
        return self.execute(name, params).fetchall()

    def run(self, name: str, **params: Any) -> int:
        return max(self.execute(name, params).rowcount, 0)

    def many(self, name: str, rows: Sequence[Params]) -> list[int]:
        if len(rows) < 2:
            return [max(self.execute(name, row).rowcount, 0) for row in rows]
        with self.connection.pipeline():
            cursors = [self.execute(name, row) for row in rows]
        return [max(cursor.rowcount, 0) for cursor in cursors]

    def execute(self, name: str, params: Params) -> psycopg.Cursor[Row]:
        """Run one named statement; its cursor has the rows and their number."""
        statement = self._statements[name]
        return self.execute_sql(statement.sql, statement.values(params))

    def execute_sql(self, sql: bytes, values: Sequence[Any]) -> psycopg.Cursor[Row]:
        """Run a statement that is already in PostgreSQL's form."""
        cursor = self.connection.cursor(binary=True)
        return cursor.execute(sql, values, prepare=self._keep)


class PostgresLink:
    """See `relet.store.link.Link`. Connects when first used, and anew after a loss."""

    def __init__(self, address: Address) -> None:
        self.url = address.shown
        self.address = address
        self.notified = False
        """Set by a notification; cleared by who looks."""
        self.pooled = False
        self._statements = {name: prepare(text, address.schema) for name, text in load("postgres").items()}
        self._connection: DeadlineConnection | None = None
        self._pid = 0
        self._committing = False
        self._unreplicated = ""

    @property
    def connection(self) -> DeadlineConnection:
        """The open connection. Raises psycopg.Error when there is none and none can be had."""
        found = self._connection
        if found is None or found.closed or self._pid != os.getpid():
            opened = connect(self.address, self._heard, self._warned)
            found, self._connection, self._pid = opened.connection, opened.connection, os.getpid()
            self.pooled = opened.pooled
        return found

    @property
    def connected(self) -> DeadlineConnection | None:
        """The open connection, if there is one."""
        found = self._connection
        return found if found is not None and not found.closed and self._pid == os.getpid() else None

    @contextmanager
    def write(self) -> Generator[PostgresTx]:
        with self._transaction(b"begin") as tx:
            yield tx

    @contextmanager
    def read(self) -> Generator[PostgresTx]:
        with self._transaction(b"begin isolation level repeatable read read only") as tx:
            yield tx

    @contextmanager
    def alone(self) -> Generator[PostgresTx]:
        """For exactly one statement, which is its own transaction: while it runs, its commit may be on its way."""
        with self._translated():
            connection = self.connection
            self._committing = True
            yield self._tx(connection)

    @contextmanager
    def _transaction(self, begin: bytes) -> Generator[PostgresTx]:
        with self._translated():
            connection = self.connection
            connection.execute(begin)
            try:
                yield self._tx(connection)
                self._committing = True
                connection.execute("commit")
            except BaseException:
                self._roll_back(connection)
                raise

    def _tx(self, connection: DeadlineConnection) -> PostgresTx:
        return PostgresTx(connection, self._statements, keep=not self.pooled)

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Errors leave as ours, and a connection that is gone is dropped."""
        self._committing = False
        self._unreplicated = ""
        try:
            yield
        except psycopg.Error as error:
            if lost(error):
                self.close()
            raise translate(error, self.url, committing=self._committing) from error
        finally:
            self._committing = False
        if self._unreplicated:
            raise OutcomeUnknown(
                f"PostgreSQL store {self.url}: committed on this server, but not confirmed by its standby "
                f"({self._unreplicated}). A failover may undo it. Repeating the same call is safe."
            )

    def _roll_back(self, connection: DeadlineConnection) -> None:
        """End the transaction; a connection on which that fails is of no more use."""
        if connection.closed:
            return
        try:
            connection.execute("rollback")
        except psycopg.Error:
            connection.close()

    def _heard(self, _notify: Notify) -> None:
        self.notified = True

    def _warned(self, notice: Diagnostic) -> None:
        """A commit whose wait for the standby was cut short says so by a warning, in the server's language."""
        if self._committing and notice.sqlstate in ("01000", "57P01") and notice.severity_nonlocalized == "WARNING":
            self._unreplicated = notice.message_primary or "a warning during the commit"

    def close(self) -> None:
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None
