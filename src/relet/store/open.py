"""From a URL to a store."""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import urlsplit

from relet.clock import Clock, SystemClock
from relet.errors import SettingsError
from relet.store.port import Store

_LATER = ("rqlite",)


def open_store(url: str, clock: Clock | None = None) -> Store:
    """A new connection to the store at `url`. A SQLite file is made and migrated on the way; PostgreSQL is only checked.

    `clock` replaces the clocks of a SQLite store, in tests. Raises SettingsError, StoreUnavailable or SchemaMismatch.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("sqlite", "sqlite+stdlib"):
        from relet.store.sqlite.open import open_sqlite

        return open_sqlite(url, clock or SystemClock())
    if scheme in ("postgresql", "postgres"):
        return _open_postgres(url)
    if scheme in _LATER:
        raise SettingsError(
            f"Store URLs of kind {scheme}:// are not supported by this version. Use sqlite:/// or postgresql://."
        )
    raise SettingsError(
        f"Store URL of unknown kind {scheme or '(none)'!r}. Write sqlite:///jobs.db or postgresql://user@host/database."
    )


def _open_postgres(url: str) -> Store:
    if find_spec("psycopg") is None:
        raise SettingsError("PostgreSQL needs the driver psycopg 3. Install it with: pip install 'relet[postgres]'")
    from relet.store.postgres.open import open_postgres

    return open_postgres(url)
