"""Databases to test a store in: each under a clock that only the test moves, with as many connections as it wants."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from relet.clock import ManualClock
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.sqlite.driver import ApswDriver
from relet.store.sqlite.open import _memory
from tests.support.postgres import Databases
from tests.support.sqlite import BEGINNING, made, put_database

Row = tuple[Any, ...]


class Bed(ABC):
    """One database. Tables are written `relet.job` here too."""

    tables: tuple[str, ...] = (
        *("job", "scheduled", "ready", "running", "dead", "finished", "attempt", "unique_key", "control"),
        *("log_line", "usage", "session", "queue", "limit_rule", "tally"),
        *("waiting", "edge", "batch", "member"),
        *("schedule", "firing", "share", "weight"),
        *("gate", "slot"),
        *("breaker", "probe"),
        *("token", "visit", "audit", "once"),
        *("spend", "budget", "budget_use"),
        *("figure", "event_count", "done_last", "depth", "health", "health_change"),
        *("webhook", "outbox", "delivery", "delivery_attempt"),
    )

    def __init__(self, url: str) -> None:
        self.url = url
        self._stores: list[Store] = []

    def open(self) -> Store:
        """Another connection."""
        store = self._open()
        self._stores.append(store)
        return store

    def close(self) -> None:
        """Close every connection."""
        for store in self._stores:
            store.close()
        self._stores.clear()

    @abstractmethod
    def _open(self) -> Store: ...

    @abstractmethod
    def rows(self, sql: str) -> list[Row]:
        """Run any statement, behind the store's back. Ids are bytes."""

    def all_rows(self, statements: Sequence[str]) -> list[list[Row]]:
        """Run several, in one go where that is possible."""
        return [self.rows(sql) for sql in statements]

    def save(self) -> None:
        """Remember what is in it."""
        self._saved_at = self._wall()
        for table in self.tables:
            self.rows(f"create table relet.saved_{table} as select * from relet.{table}")

    def restore(self) -> None:
        """As it was when it was saved."""
        self.advance(self._saved_at - self._wall())
        for table in self.tables:
            self.rows(f"delete from relet.{table}")
            self.rows(f"insert into relet.{table} select * from relet.saved_{table}")

    @abstractmethod
    def literal(self, some_id: bytes) -> str:
        """An id, to be written into a statement."""

    @abstractmethod
    def _wall(self) -> int: ...

    @abstractmethod
    def advance(self, us: int) -> None:
        """Let time pass."""

    @abstractmethod
    def jump(self, us: int) -> None:
        """Set the wall clock; leases do not notice."""


class SqliteBed(Bed):
    """A SQLite database under a manual clock."""

    tables = (*Bed.tables, "counter")

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.clock = ManualClock(BEGINNING)
        self._own: Any = self.open()
        """Kept open, for a database in memory is gone with its last connection."""

    def _open(self) -> Store:
        return open_store(self.url, clock=self.clock)

    def rows(self, sql: str) -> list[Row]:
        found: list[Row] = self._own._link.driver.execute(sql.replace("relet.", "relet_"))
        return found

    def literal(self, some_id: bytes) -> str:
        return f"x'{some_id.hex()}'"

    def _wall(self) -> int:
        return self.clock.now()

    def advance(self, us: int) -> None:
        self.clock.advance(us)

    def jump(self, us: int) -> None:
        self.clock.jump(us)


class PostgresBed(Bed):
    """A PostgreSQL database whose clock functions read a table. One serves many tests: it is emptied for each."""

    tables = (*Bed.tables, "retired")

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self.name = databases.create_database(databases.template("clocked", _build))
        super().__init__(databases.url(self.name))
        self.raw = psycopg.connect(self.url, autocommit=True)

    def _open(self) -> Store:
        return open_store(self.url)

    def empty(self) -> None:
        """As it was made. Rows are deleted, for to truncate small tables takes far longer."""
        self.rows("; ".join(f"delete from relet.{table}" for table in self.tables))
        self.rows(f"update relet.test_clock set wall = {BEGINNING}, lease = 0")
        self.rows("select setval('relet.ready_seq', 1, false)")

    @staticmethod
    def pid_of(store: Store) -> int:
        """The server process that serves a connection."""
        link: Any = store._link  # type: ignore[attr-defined]  # tests look inside
        pid: int = link.wire.connection.info.backend_pid
        return pid

    def drop(self) -> None:
        """Close it for good."""
        self.close()
        self.raw.close()
        self._databases.drop_database(self.name)

    def rows(self, sql: str) -> list[Row]:
        return _fetch(self.raw.execute(sql.encode()))

    def all_rows(self, statements: Sequence[str]) -> list[list[Row]]:
        with self.raw.pipeline():
            cursors = [self.raw.execute(sql.encode()) for sql in statements]
        return [_fetch(cursor) for cursor in cursors]

    def restore(self) -> None:
        self.rows("select relet.restore_saved()")

    def save(self) -> None:
        super().save()
        self.rows("create table relet.saved_test_clock as select * from relet.test_clock")
        tables = ("test_clock", *self.tables)
        # A function, so that the server plans each statement once; most tables are empty.
        empty = [f"if exists (select 1 from relet.{t}) then delete from relet.{t}; end if;" for t in tables]
        clock, *fill = [
            f"if exists (select 1 from relet.saved_{t}) then insert into relet.{t} select * from relet.saved_{t}; end if;"
            for t in tables
        ]
        body = "\n".join([*empty, clock, "perform relet.ensure_partitions();", *fill])
        self.rows(
            f"create or replace function relet.restore_saved() returns void language plpgsql as $$ begin {body} end $$"
        )

    def literal(self, some_id: bytes) -> str:
        return f"'{some_id.hex()}'::uuid"

    def _wall(self) -> int:
        wall: int = self.rows("select wall from relet.test_clock")[0][0]
        return wall

    def advance(self, us: int) -> None:
        self.rows(f"update relet.test_clock set wall = wall + {us}, lease = lease + {us}")

    def jump(self, us: int) -> None:
        self.rows(f"update relet.test_clock set wall = wall + {us}")


def _build(url: str) -> None:
    from relet.store.postgres.open import migrate_postgres

    migrate_postgres(url)
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("create table relet.test_clock (wall bigint not null, lease bigint not null)")
        raw.execute("insert into relet.test_clock values (%s, 0)", (BEGINNING,))
        for name, column in (("now_us", "wall"), ("lease_clock", "lease")):
            raw.execute(
                f"create or replace function relet.{name}() returns bigint language sql volatile"
                f" as $$ select {column} from relet.test_clock $$"
            )


def _fetch(cursor: psycopg.Cursor[Row]) -> list[Row]:
    return [tuple(map(_plain, row)) for row in cursor.fetchall()] if cursor.description else []


def _plain(value: Any) -> Any:
    return value.bytes if isinstance(value, UUID) else value


def memory_bed() -> Bed:
    """A named in-memory database of this process alone."""
    name = uuid4().hex
    with closing(_memory(ApswDriver, {"name": name})()) as driver:
        with driver.raw.backup("main", made(), "main") as copy:
            copy.step()
        return SqliteBed(f"sqlite:///:memory:?name={name}")


def file_bed(directory: Path, scheme: str = "sqlite") -> Bed:
    """A file, driven by apsw. Its commits do not wait for the disk: none of its tests takes away the power."""
    put_database(directory / "relet.db")
    return SqliteBed(f"{scheme}:///{directory}/relet.db?synchronous=normal")


def stdlib_bed(directory: Path) -> Bed:
    """A file, driven by the standard library."""
    return file_bed(directory, "sqlite+stdlib")


Make = Callable[[Path], Bed]
SQLITE: dict[str, Make] = {"memory": lambda _directory: memory_bed(), "file": file_bed, "stdlib": stdlib_bed}
