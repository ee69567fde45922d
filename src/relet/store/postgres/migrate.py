"""Brings a PostgreSQL schema to the present version, beside running workers."""

from __future__ import annotations

import psycopg

from relet.clock import SECOND, SystemClock, jitter, pause
from relet.errors import Contended
from relet.store.migrate import Report, check, pending
from relet.store.postgres.connection import DeadlineConnection
from relet.store.postgres.failures import translate
from relet.store.postgres.link import PostgresLink
from relet.store.statements import for_postgres

LOCK_MS = 3_000
"""A step waits this long for a table lock, and others queue up behind it no longer than that; then it lets go and tries again."""
STEP_US = 3600 * SECOND
"""How long one step may take."""
PATIENCE_US = 120 * SECOND
_PAUSE_US = (200_000, 1_000_000)

_TABLE = """create table if not exists relet.schema_version (
    version integer primary key, floor integer not null, applied_at bigint not null)"""


def version(link: PostgresLink) -> tuple[int, int]:
    """(schema version, floor); (0, 0) where there is none."""
    schema = link.address.schema
    try:
        connection = link.wire.connection
        found = connection.execute("select to_regclass(%s)", (f'"{schema}".schema_version',)).fetchone()
        if found is None or found[0] is None:
            return 0, 0
        sql = "select coalesce(max(version), 0), coalesce(max(floor), 0) from relet.schema_version"
        rows = connection.execute(for_postgres(sql, schema).encode(), binary=True).fetchall()
        return rows[0][0], rows[0][1]
    except psycopg.Error as error:
        raise translate(error, link.url, committing=False) from error


def verify(link: PostgresLink) -> None:
    """Raises SchemaMismatch unless this code may write to the schema."""
    check("postgres", *version(link), link.url)


def migrate(link: PostgresLink, report: Report | None = None) -> int:
    """Run the missing steps, each in one transaction. Of two migrators, one does it. Returns how many.

    Raises Contended when a lock could not be had within two minutes; the steps done by then stay done."""
    clock, rng = SystemClock(), jitter()
    deadline = clock.steady() + PATIENCE_US
    done = 0
    while True:
        try:
            if not _one(link, report):
                return done
            done += 1
        except Contended:
            if clock.steady() > deadline:
                raise
            pause(rng.uniform(*_PAUSE_US))


def _make_schema(connection: DeadlineConnection, schema: str) -> None:
    """Looked for first: whoever owns the schema need not be allowed to make others."""
    if not connection.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone():
        connection.execute(f'create schema if not exists "{schema}"'.encode())


def _one(link: PostgresLink, report: Report | None) -> bool:
    """Run the first missing step. False: there was none."""
    schema = link.address.schema
    with link.write() as tx, tx.connection.patience(STEP_US):
        connection = tx.connection
        connection.execute(f"set local lock_timeout = {LOCK_MS}; set local statement_timeout = 0".encode())
        # Held to the end of the transaction, so that a pooler may stand between.
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", (f"relet migrate {schema}",))
        present, floor = version(link)
        missing = pending("postgres", present)
        if not missing:
            check("postgres", present, floor, link.url)
            return False
        step = missing[0]
        _make_schema(connection, schema)
        for text in (_TABLE, step.text):
            connection.execute(for_postgres(text, schema).encode())
        record = for_postgres("insert into relet.schema_version select %s, %s, relet.now_us()", schema)
        connection.execute(record.encode(), (step.version, step.floor))
        connection.execute(for_postgres("select relet.ensure_partitions()", schema).encode())
    if report:
        report(step)
    return True
