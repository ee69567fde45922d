"""Opens a PostgreSQL store."""

from __future__ import annotations

from relet.store.migrate import Report
from relet.store.postgres.address import Address
from relet.store.postgres.link import PostgresLink
from relet.store.postgres.migrate import migrate, verify
from relet.store.postgres.store import PostgresStore


def open_postgres(url: str) -> PostgresStore:
    """Connect and look at the schema. Raises SettingsError, StoreUnavailable or SchemaMismatch (run `relet migrate`)."""
    link = PostgresLink(Address.parse(url))
    try:
        verify(link)
    except BaseException:
        link.close()
        raise
    return PostgresStore(link)


def migrate_postgres(url: str, report: Report | None = None) -> int:
    """Bring the schema at `url` to the present version; returns the number of steps that were missing."""
    link = PostgresLink(Address.parse(url))
    try:
        return migrate(link, report)
    finally:
        link.close()
