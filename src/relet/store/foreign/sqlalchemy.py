"""SQLAlchemy, over whatever driver it uses. Its async classes lend their blocking twin, so this serves both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session, scoped_session

from relet.errors import UsageError
from relet.store.foreign.connection import ADVICE, Engine
from relet.store.link import Params

_ENGINES: dict[str, Engine] = {"sqlite": "sqlite", "postgresql": "postgres"}


class SqlalchemyConnection:
    """A Connection, or the one that a Session works on: in the transaction that it has begun, or begins now."""

    def __init__(self, source: Connection | Session | scoped_session[Any]) -> None:
        self._connection = source if isinstance(source, Connection) else source.connection()

    @property
    def engine(self) -> Engine:
        name = self._connection.dialect.name
        if name not in _ENGINES:
            raise UsageError(f"SQLAlchemy's {name} is not a database that Relet can keep jobs in.")
        return _ENGINES[name]

    @property
    def in_transaction(self) -> bool:
        if self.engine == "postgres":
            return self._connection.in_transaction()
        driver: Any = self._connection.connection.driver_connection
        return driver.in_transaction

    def check(self) -> None:
        if self._connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            raise UsageError(
                f"The SQLAlchemy connection given as tx is in AUTOCOMMIT, so nothing would be rolled back. {ADVICE}"
            )
        if self.engine == "sqlite" and not self.in_transaction:
            # The drivers begin by themselves before a write, but not before a savepoint, which would commit on its own.
            self._connection.exec_driver_sql("begin immediate")

    def execute(self, sql: str, params: Params) -> Iterable[Iterable[Any]]:
        result = self._connection.execute(text(sql), dict(params))
        return result.fetchall() if result.returns_rows else []

    def execute_each(self, sql: str, rows: Sequence[Params]) -> None:
        self._connection.execute(text(sql), [dict(row) for row in rows])
