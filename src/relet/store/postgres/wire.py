"""Statements on the wire: parameters in binary, plans kept by the server, several in one round trip.

Below psycopg's cursors, which look at every value to find its type: here the statement says it, once. That, and nothing
else, is why: a turn of one job costs a third of the client's time this way. Waiting, errors, notifications and the
decoding of rows are psycopg's.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import psycopg
from psycopg import generators
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.types.string import ByteaBinaryLoader

from relet.store.link import Row
from relet.store.postgres.connection import LIMITS, PLAN, STRICT, DeadlineConnection

Encode = Callable[[Any], bytes]

ENCODE: dict[str, Encode] = {
    "uuid": bytes,
    "text": str.encode,
    "int8": struct.Struct("!q").pack,
    "float8": struct.Struct("!d").pack,
    "uuid[]": bytes,
    "int8[]": bytes,
    "text[]": bytes,
}
"""From Python to PostgreSQL's binary form, by type. Arrays come joined already (see `arrays`)."""

_SET_HERE = (
    "select " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in (LIMITS | PLAN).items())
).encode()

_ISOLATE = b"set transaction_isolation = 'read committed'"
"""For the transaction that it begins, and gone with it: the next one takes the default again."""

_FAILED = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE})


class Prepared(NamedTuple):
    """A statement with `$1`-style parameters: its name, their names in order, and how each is encoded."""

    name: bytes
    sql: bytes
    names: tuple[str, ...]
    encoders: tuple[Encode, ...]

    def values(self, params: Any) -> list[bytes | None]:
        """Parameters by name, encoded, in order."""
        found: list[bytes | None] = []
        for name, encode in zip(self.names, self.encoders, strict=True):
            value = params[name]
            found.append(None if value is None else encode(value))
        return found


class Result(NamedTuple):
    """What a statement gave: its rows, and how many were written."""

    rows: list[Row]
    written: int


class _Context:
    """How rows are decoded: as psycopg does, but ids stay 16 raw bytes."""

    def __init__(self, connection: DeadlineConnection) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(connection.adapters)
        self.adapters.register_loader("uuid", ByteaBinaryLoader)


class Wire:
    """One open connection, below cursors. `keep`: the server keeps plans (not behind a pooler: the next server is another)."""

    def __init__(self, connection: DeadlineConnection, *, keep: bool, isolated: bool = False) -> None:
        self.connection = connection
        self._first = [_ISOLATE] * isolated + [_SET_HERE]
        """What goes before a statement that is its own transaction, when the server's connection keeps nothing."""
        self._pg = connection.pgconn
        self._keep = keep
        self._kept: set[bytes] = set()
        self._decode = Transformer(_Context(connection))

    def execute(self, statement: Prepared, values: Sequence[bytes | None]) -> Result:
        """Run one statement. Raises psycopg.Error."""
        if self._keep and statement.name not in self._kept:
            self._prepare(statement)
        self._send(statement, values)
        return self._only_result()

    def each(self, statement: Prepared, rows: Sequence[Sequence[bytes | None]]) -> list[Result]:
        """Run one statement once per row of values, in one round trip. Raises the first psycopg.Error."""
        if len(rows) < 2:
            return [self.execute(statement, values) for values in rows]
        return self.stream(statement, iter(rows), len(rows))

    def stream(self, statement: Prepared, rows: Iterator[Sequence[bytes | None]], count: int) -> list[Result]:
        """The same for `count` rows that are made one by one, while the server is busy with those before."""
        if self._keep and statement.name not in self._kept:
            self._prepare(statement)
        commands: deque[Callable[[], None]] = deque([partial(self._send_next, statement, rows)] * count)
        commands.append(self._pg.pipeline_sync)
        return [self._result(answer) for answer in self._pipeline(commands)]

    def _send_next(self, statement: Prepared, rows: Iterator[Sequence[bytes | None]]) -> None:
        self._send(statement, next(rows))

    def execute_alone(self, statement: Prepared, values: Sequence[bytes | None]) -> Result:
        """Run one statement that is its own transaction. Behind a pooler its settings go with it, in the same round trip."""
        if self._keep:
            return self.execute(statement, values)
        commands: deque[Callable[[], None]] = deque(
            [
                *(partial(self._pg.send_query_params, sql, [], None, [], Format.BINARY) for sql in self._first),
                partial(self._send, statement, values),
                self._pg.pipeline_sync,
            ]
        )
        return [self._result(answer) for answer in self._pipeline(commands)][-1]

    def both_alone(
        self, first: Prepared, first_values: Sequence[bytes | None], second: Prepared, values: Sequence[bytes | None]
    ) -> Result:
        """Run two statements that are a transaction of their own, in one round trip; what the second one gave. It sees what
        was committed until the first one had its locks."""
        for statement in (first, second):
            if self._keep and statement.name not in self._kept:
                self._prepare(statement)
        commands: deque[Callable[[], None]] = deque()
        if not self._keep:
            commands += [partial(self._pg.send_query_params, sql, [], None, [], Format.BINARY) for sql in self._first]
        commands.append(partial(self._send, first, first_values))
        commands.append(partial(self._send, second, values))
        commands.append(self._pg.pipeline_sync)
        return [self._result(answer) for answer in self._pipeline(commands)][-1]

    def begin(self, sql: str) -> None:
        """Open a transaction; behind a pooler with its settings, for the server may be one that has not seen them."""
        self.command(sql.encode() if self._keep else sql.encode() + b"; " + STRICT)

    def hear(self) -> None:
        """Take in what the server has sent by itself. Never blocks. Raises psycopg.Error when it is gone."""
        self._pg.consume_input()
        while note := self._pg.notifies():
            if self._pg.notify_handler is not None:
                self._pg.notify_handler(note)

    def command(self, sql: bytes) -> None:
        """Run a text of one or more statements that give nothing. Raises psycopg.Error."""
        self._pg.send_query(sql)
        for answer in self.connection.wait(generators.execute(self._pg)):
            if answer.status in _FAILED:
                raise error_from_result(answer)

    def _pipeline(self, commands: deque[Callable[[], None]]) -> list[PGresult]:
        self._pg.enter_pipeline_mode()
        try:
            answers: list[PGresult] = []
            for group in self.connection.wait(generators.pipeline_communicate(self._pg, commands)):
                answers += group
            while not answers or answers[-1].status != ExecStatus.PIPELINE_SYNC:
                answers += self.connection.wait(generators.fetch_many(self._pg))
        finally:
            if not self.connection.closed:
                self._pg.exit_pipeline_mode()
        return answers[:-1]

    def _prepare(self, statement: Prepared) -> None:
        self._pg.send_prepare(statement.name, statement.sql)
        self._only_result()
        self._kept.add(statement.name)

    def _send(self, statement: Prepared, values: Sequence[bytes | None]) -> None:
        formats = [Format.BINARY] * len(values)
        if self._keep:
            self._pg.send_query_prepared(statement.name, values, formats, Format.BINARY)
        else:
            self._pg.send_query_params(statement.sql, values, None, formats, Format.BINARY)

    def _only_result(self) -> Result:
        """What one statement gave. A second answer says that the connection ended behind the first one, as poolers do."""
        first, *later = map(self._result, self.connection.wait(generators.execute(self._pg)))
        assert not later, "a statement has one answer"
        return first

    def _result(self, answer: PGresult) -> Result:
        status = answer.status
        if status in _FAILED:
            raise error_from_result(answer)
        if status == ExecStatus.PIPELINE_ABORTED:
            raise psycopg.errors.PipelineAborted("a statement before this one failed")
        rows: list[Row] = []
        if status == ExecStatus.TUPLES_OK and answer.ntuples:
            self._decode.set_pgresult(answer, format=Format.BINARY)
            rows = self._decode.load_rows(0, answer.ntuples, tuple)
        return Result(rows, answer.command_tuples or 0)
