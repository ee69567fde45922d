"""Connections to the store's own SQLite file: by the standard library, by apsw."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import apsw

from relet.errors import UsageError
from relet.store.foreign.connection import ADVICE, Engine
from relet.store.link import Params


class SqliteConnection:
    """sqlite3, or apsw, which says nearly the same."""

    engine: Engine = "sqlite"

    def __init__(self, connection: sqlite3.Connection | apsw.Connection) -> None:
        self._connection: Any = connection

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def check(self) -> None:
        if self.in_transaction:
            return
        if isinstance(self._connection, apsw.Connection) or self._connection.isolation_level is None:
            raise UsageError(
                f"The SQLite connection given as tx has no open transaction, so nothing would be rolled back. {ADVICE}"
            )
        # sqlite3 begins by itself before a write, but not before a savepoint, which would then commit on its own.
        self._connection.execute("begin immediate")

    def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        cursor = self._connection.cursor()
        if isinstance(cursor, sqlite3.Cursor):
            cursor.row_factory = None
        return cursor.execute(sql, params).fetchall()

    def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        self._connection.executemany(sql, rows)
