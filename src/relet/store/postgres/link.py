"""One PostgreSQL connection that runs named statements."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache

import psycopg
from psycopg import Notify
from psycopg.errors import Diagnostic

from relet.errors import Unconfirmed
from relet.job.figures import COLUMNS
from relet.store.link import Params, Row
from relet.store.postgres.address import Address
from relet.store.postgres.arrays import is_packed, packed
from relet.store.postgres.connection import DeadlineConnection, connect
from relet.store.postgres.failures import lost, translate
from relet.store.postgres.wire import ENCODE, Prepared, Result, Wire
from relet.store.statements import for_postgres, load, parameters, rename

_TYPES = {
    **dict.fromkeys(
        ("id", "job_id", "session_id", "parent_id", "child_id", "batch_id", "before", "least", "past"), "uuid"
    ),
    **dict.fromkeys(("sender_id", "token"), "uuid"),
    **dict.fromkeys(
        ("priority", "rank", "seq", "flags", "epoch", "attempt", "crashes", "suspicions", "releases"), "int8"
    ),
    **dict.fromkeys(("suspicion", "too_many", "n", "at", "limit", "cap", "resolved", "no_run_at"), "int8"),
    **dict.fromkeys(("edges", "told", "hold", "place", "done", "succeeded", "cancelled", "total", "dead"), "int8"),
    **dict.fromkeys(("pid", "slots", "tier", "busy", "done", "failed", "asleep"), "int8"),
    **dict.fromkeys(("units", "whole", "part", "untold", "step", "first_step", "last_step", "most"), "int8"),
    **dict.fromkeys(("concurrency", "per_worker", "active", "max_failures", "missed", "weight"), "int8"),
    **dict.fromkeys(("failures", "proved", "trips", "status"), "int8"),
    **dict.fromkeys(("ready", "running", "scheduled", "waiting", "healthy", "failing"), "int8"),
    **dict.fromkeys(("by_at", "by_queue", "by_task", "by_model", "by_tenant", "by_kind"), "int8"),
    **dict.fromkeys(COLUMNS, "int8"),
    "percent": "float8",
}
"""Types of parameters by their names, where the name's end does not tell and it is not text."""
_ENDS = {
    "_us": "int8",
    "_at": "int8",
    "_bytes": "int8",
    "_after": "int8",
    "_before": "int8",
    "_ids": "uuid[]",
    "_integers": "int8[]",
    "_texts": "text[]",
}


def type_of(name: str) -> str:
    """The one type that a parameter of this name has in every statement, so that each statement is planned once."""
    return _TYPES.get(name) or next((kind for end, kind in _ENDS.items() if name.endswith(end)), "text")


def prepare(name: str, text: str, schema: str) -> Prepared:
    """A named statement in PostgreSQL's form."""
    names = tuple(parameters(text))
    kinds = [type_of(parameter) for parameter in names]
    places = {
        parameter: f"${place}::{kind}" for place, (parameter, kind) in enumerate(zip(names, kinds, strict=True), 1)
    }
    sql = rename(for_postgres(text, schema), places.__getitem__)
    return Prepared(f"relet_{name}".encode(), sql.encode(), names, tuple(ENCODE[kind] for kind in kinds))


@cache
def statements(schema: str) -> dict[str, Prepared]:
    """All named statements for a schema. Parts of statements, whose names begin so, are composed by their verbs."""
    texts = load("postgres").items()
    return {name: prepare(name, text, schema) for name, text in texts if not name.startswith("part_")}


class PostgresTx:
    """An open transaction (or, for one statement alone, the connection in autocommit mode)."""

    def __init__(self, wire: Wire, known: dict[str, Prepared], *, alone: bool = False) -> None:
        self._wire = wire
        self._statements = known
        self._alone = alone
        self.execute = wire.execute_alone if alone else wire.execute
        """Runs a statement that its verb has composed."""
        self.stream = wire.stream
        """Runs it for each of many rows, which are made on the way."""

    @property
    def connection(self) -> DeadlineConnection:
        """psycopg's connection, in this transaction."""
        return self._wire.connection

    def after(self, name: str, params: Params, statement: Prepared, values: Sequence[bytes | None]) -> Result:
        """Run a composed statement behind a named one, in one transaction: alone, that takes one round trip."""
        first = self._statements[name]
        if self._alone:
            return self._wire.both_alone(first, first.values(params), statement, values)
        self.execute(first, first.values(params))
        return self.execute(statement, values)

    def all(self, name: str, **params: object) -> list[Row]:
        statement = self._statements[name]
        return self.execute(statement, statement.values(params)).rows

    def run(self, name: str, **params: object) -> int:
        statement = self._statements[name]
        return self.execute(statement, statement.values(params)).written

    def many(self, name: str, rows: Sequence[Params]) -> list[int]:
        statement = self._statements[name]
        if is_packed(statement.names):
            return [self.execute(statement, statement.values(packed(statement.names, rows))).written] if rows else []
        return [result.written for result in self._wire.each(statement, [statement.values(row) for row in rows])]

    def each(self, name: str, rows: Sequence[Params]) -> list[Row]:
        statement = self._statements[name]
        if is_packed(statement.names):
            return self.execute(statement, statement.values(packed(statement.names, rows))).rows if rows else []
        results = self._wire.each(statement, [statement.values(row) for row in rows])
        return [found for result in results for found in result.rows]


class PostgresLink:
    """See `relet.store.link.Link`. Connects when first used, and anew after a loss."""

    def __init__(self, address: Address) -> None:
        self.url = address.shown
        self.address = address
        self.pooled = False
        self.notified = False
        """Set by a notification; cleared by who looks."""
        self.listener = b""
        """The session that notifications are for."""
        self._listening = False
        self._statements = statements(address.schema)
        self._wire: Wire | None = None
        self._pid = 0
        self._committing = False
        self._unreplicated = ""

    @property
    def wire(self) -> Wire:
        """The open connection. Raises psycopg.Error when there is none and none can be had."""
        return self.connected or self._connect()

    @property
    def connected(self) -> Wire | None:
        """The open connection, if there is one. A forked child has none: it must not touch its parent's."""
        found = self._wire
        return found if found is not None and self._pid == os.getpid() and not found.connection.closed else None

    def _connect(self) -> Wire:
        opened = connect(self.address, self._heard, self._warned)
        self.pooled = opened.pooled
        self._wire, self._pid = Wire(opened.connection, keep=not opened.pooled, isolated=opened.isolated), os.getpid()
        if self._listening:
            self._listen(self._wire)
        return self._wire

    def listen(self) -> bool:
        """Be notified on this connection and its successors. False behind a pooler: there the connection is not ours alone."""
        with self.translated():
            wire = self.wire
            if not self.pooled:
                self._listening = True
                self._listen(wire)
        return self._listening

    def _listen(self, wire: Wire) -> None:
        wire.command(f'listen "relet_{self.address.schema}"'.encode())
        self.notified = True

    def take_notified(self) -> bool:
        """Whether a notification came since the last call. Never blocks. A lost connection counts as one."""
        wire = self.connected
        if wire is not None:
            try:
                wire.hear()
            except psycopg.Error:
                self.close()
                self.notified = True
        notified, self.notified = self.notified, False
        return notified

    @contextmanager
    def write(self) -> Generator[PostgresTx]:
        with self._transaction("begin isolation level read committed") as tx:
            yield tx

    @contextmanager
    def read(self) -> Generator[PostgresTx]:
        with self._transaction("begin isolation level repeatable read read only") as tx:
            yield tx

    @contextmanager
    def alone(self) -> Generator[PostgresTx]:
        """For exactly one statement, which is its own transaction: while it runs, its commit may be on its way."""
        with self.translated():
            wire = self.wire
            self._committing = True
            yield PostgresTx(wire, self._statements, alone=True)

    @contextmanager
    def glance(self) -> Generator[PostgresTx]:
        """For exactly one statement that only reads: one round trip."""
        with self.translated():
            yield PostgresTx(self.wire, self._statements, alone=True)

    @contextmanager
    def _transaction(self, begin: str) -> Generator[PostgresTx]:
        with self.translated():
            wire = self.wire
            wire.begin(begin)
            try:
                yield PostgresTx(wire, self._statements)
                self._committing = True
                wire.command(b"commit")
            except BaseException:
                self._roll_back(wire)
                raise

    @contextmanager
    def translated(self) -> Generator[None]:
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
            raise Unconfirmed(
                f"PostgreSQL store {self.url}: committed on this server, but not confirmed by its standby "
                f"({self._unreplicated}). A failover may undo it. Repeating the same call changes nothing, and confirms nothing."
            )

    @staticmethod
    def _roll_back(wire: Wire) -> None:
        """End the transaction; a connection on which that fails is of no more use."""
        if wire.connection.closed:
            return
        try:
            wire.command(b"rollback")
        except psycopg.Error:
            wire.connection.close()

    def _heard(self, notify: Notify) -> None:
        """An empty message is for everybody; others name sessions."""
        if not notify.payload or self.listener.hex() in notify.payload:
            self.notified = True

    def _warned(self, notice: Diagnostic) -> None:
        """A commit whose wait for the standby was cut short says so by a warning, in the server's language.

        So does a server that is stopped at once, of the same class: what it had confirmed before stays confirmed."""
        warning = notice.sqlstate in ("01000", "57P01") and notice.severity_nonlocalized == "WARNING"
        if self._committing and warning and notice.source_function != "quickdie":
            self._unreplicated = notice.message_primary or "a warning during the commit"

    def close(self) -> None:
        if self._wire is not None and self._pid == os.getpid():
            self._wire.connection.close()
        self._wire = None
