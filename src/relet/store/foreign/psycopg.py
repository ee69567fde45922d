"""psycopg 3, blocking and awaited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from relet.errors import UsageError
from relet.store.foreign.connection import ADVICE, Engine
from relet.store.link import Params
from relet.store.statements import rename


@cache
def _marked(sql: str) -> bytes:
    return rename(sql.replace("%", "%%"), lambda name: f"%({name})s").encode()


def _in_transaction(connection: Connection[Any] | AsyncConnection[Any]) -> bool:
    return connection.info.transaction_status != TransactionStatus.IDLE


def _check(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    if connection.autocommit and not _in_transaction(connection):
        raise UsageError(
            "The psycopg connection given as tx is in autocommit mode and has no open transaction, so nothing would be "
            f"rolled back. {ADVICE}"
        )


class PsycopgConnection:
    """Begins by itself before the first statement, unless in autocommit mode."""

    engine: Engine = "postgres"

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        return _in_transaction(self._connection)

    def check(self) -> None:
        _check(self._connection)

    def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        with Cursor(self._connection, row_factory=tuple_row) as cursor:
            cursor.execute(_marked(sql), params)
            return cursor.fetchall() if cursor.description else []

    def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        with Cursor(self._connection, row_factory=tuple_row) as cursor:
            cursor.executemany(_marked(sql), rows)


class PsycopgAsyncConnection:
    """The same, awaited."""

    engine: Engine = "postgres"

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    def check(self) -> None:
        _check(self._connection)

    async def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        async with AsyncCursor(self._connection, row_factory=tuple_row) as cursor:
            await cursor.execute(_marked(sql), params)
            return await cursor.fetchall() if cursor.description else []

    async def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        async with AsyncCursor(self._connection, row_factory=tuple_row) as cursor:
            await cursor.executemany(_marked(sql), rows)
