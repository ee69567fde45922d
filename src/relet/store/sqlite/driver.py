"""The two libraries that can drive SQLite here, behind one small face.

Two SQLite libraries must never have the same file open in one process: closing one's file descriptor drops the POSIX locks
of the other (sqlite.org, "How To Corrupt An SQLite Database File", 2.2). So an application that opens the file itself by
the standard library uses `sqlite+stdlib:`, and everything else apsw, which brings a SQLite of its own.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from typing import Any, Protocol

import apsw

from relet.errors import Contended, OutcomeUnknown, StoreError, StoreFull, StoreUnavailable, Unstorable
from relet.store.link import Row

WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
"""Versions in which several connections that write and checkpoint a WAL file can corrupt it (sqlite.org, "WAL-reset bug")."""


class Driver(Protocol):
    """One open connection in autocommit mode."""

    @property
    def raw(self) -> Any:
        """The library's own connection."""
        ...

    @property
    def library(self) -> tuple[int, ...]:
        """The version of the SQLite library behind it."""
        ...

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and fetch everything."""
        ...

    def changes(self) -> int:
        """Rows written by the last statement."""
        ...

    def execute_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[int]:
        """Run one statement for each row of values; rows written by each."""
        ...

    def execute_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same, without asking how many were written: faster."""
        ...

    def query_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[Row]:
        """Run one query for each row of values; all rows found, in order."""
        ...

    def in_transaction(self) -> bool:
        """True between begin and commit or rollback."""
        ...

    def close(self) -> None:
        """Close it; harmless when repeated."""
        ...

    def abandon(self) -> None:
        """Let go of a connection that this process has inherited by a fork, without a word to the file.

        SQLite counts by process who has locked a file. As long as an inherited connection is open, it takes the parent's
        locks for its own and gets none for a new one: then whoever is the last to close deletes the log into which this
        process writes on, and with it what was acknowledged.
        """
        ...


class ApswDriver:
    """apsw: a recent SQLite, whatever the system ships."""

    library: tuple[int, ...] = tuple(int(part) for part in apsw.sqlite_lib_version().split(".")[:3])

    def __init__(self, target: str) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        self.raw = apsw.Connection(target, flags=flags, statementcachesize=200)
        # The plan of a statement depends on its text alone. Without this, many a statement is prepared anew each time that
        # it is used, in case that another value of a parameter would give another plan.
        self.raw.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        self._cursor: Any = self.raw.cursor()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        found: list[Row] = self._cursor.execute(sql, values).fetchall()
        return found

    def changes(self) -> int:
        return self.raw.changes()

    def execute_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[int]:
        execute, changes = self._cursor.execute, self.raw.changes
        counts: list[int] = []
        for values in rows:
            execute(sql, values)
            counts.append(changes())
        return counts

    def execute_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._cursor.executemany(sql, rows)

    def query_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[Row]:
        found: list[Row] = self._cursor.executemany(sql, rows).fetchall()
        return found

    def in_transaction(self) -> bool:
        return self.raw.in_transaction

    def close(self) -> None:
        self.raw.close()

    def abandon(self) -> None:
        self.raw.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.raw.close()


class StdlibDriver:
    """The standard library's sqlite3: for a file that the application itself opens that way."""

    library: tuple[int, ...] = sqlite3.sqlite_version_info

    def __init__(self, target: str) -> None:
        self.raw = sqlite3.connect(
            target, isolation_level=None, check_same_thread=False, timeout=0.0, uri=target.startswith("file:")
        )
        if sys.version_info >= (3, 12):
            self.raw.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, True)  # as above
        self._changed = 0

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        cursor = self.raw.execute(sql, values)
        found: list[Row] = cursor.fetchall()
        self._changed = max(cursor.rowcount, 0)
        return found

    def changes(self) -> int:
        return self._changed

    def execute_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[int]:
        return [max(self.raw.execute(sql, values).rowcount, 0) for values in rows]

    def execute_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.raw.executemany(sql, rows)

    def query_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[Row]:
        return [found for values in rows for found in self.raw.execute(sql, values)]

    def in_transaction(self) -> bool:
        return self.raw.in_transaction

    def close(self) -> None:
        self.raw.close()

    def abandon(self) -> None:
        if sys.version_info >= (3, 12):
            self.raw.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        self.raw.close()


ERRORS = (apsw.Error, sqlite3.Error)
"""What both libraries raise."""

_CODES: dict[int, type[StoreError]] = {
    5: Contended,
    6: Contended,
    13: StoreFull,
    8: StoreUnavailable,
    10: StoreUnavailable,
    14: StoreUnavailable,
    1: Unstorable,  # malformed JSON in a value, say
    18: Unstorable,  # too big
    19: Unstorable,  # constraint
    20: Unstorable,  # type
}
_ADVICE: dict[type[StoreError], str] = {
    Contended: "Another connection is writing. Nothing was written; repeat the call.",
    StoreFull: "Nothing was written, what was stored before is intact. Make room on its disk and repeat the call.",
    StoreUnavailable: "Nothing was written. Check the path, its permissions and its disk (relet doctor).",
    OutcomeUnknown: "The write may or may not have happened. Repeating the same call is safe.",
}


def busy(error: Exception) -> bool:
    """Whether the error says that another connection holds the lock."""
    return _code(error) in (5, 6)


def constraint(error: Exception) -> bool:
    """Whether the error says that a constraint was violated."""
    return _code(error) == 19


def _code(error: Exception) -> int:
    """The primary result code."""
    code: int = getattr(error, "result", None) or getattr(error, "sqlite_errorcode", None) or 1
    return code & 0xFF


def translate(error: Exception, url: str, *, committing: bool) -> StoreError:
    """The library's error as ours: what happened, what it means for the data, what to do."""
    kind = _CODES.get(_code(error), StoreError)
    if committing and kind is StoreUnavailable:
        kind = OutcomeUnknown
    advice = _ADVICE.get(kind, "Nothing was written. The message above is SQLite's own.")
    return kind(f"SQLite store {url}: {error}. {advice}")
