"""The schema of a store by its URL: how it stands, and bringing it to the present version."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from relet.store.migrate import Report, Step, newest, pending
from relet.store.open import open_store


class SchemaState(NamedTuple):
    """How a schema stands. Version 0: there is none yet."""

    engine: str
    version: int
    floor: int
    """The oldest schema version that code must know to write to it."""
    newest: int
    """The version that this code brings."""
    pending: tuple[Step, ...]

    @property
    def usable(self) -> bool:
        """Whether this code may write to it."""
        return not self.pending and self.floor <= self.newest


def look(url: str) -> SchemaState:
    """How the schema at `url` stands, without changing anything. Raises SettingsError or StoreUnavailable."""
    postgres = urlsplit(url).scheme in ("postgresql", "postgres")
    engine = "postgres" if postgres else "sqlite"
    version, floor = _postgres_version(url) if postgres else _sqlite_version(url)
    return SchemaState(engine, version, floor, newest(engine), tuple(pending(engine, version)))


def bring_up_to_date(url: str, report: Report | None = None) -> int:
    """Run the steps that are missing, beside running workers; returns how many. Of two at once, one does each step."""
    if urlsplit(url).scheme in ("postgresql", "postgres"):
        from relet.store.postgres.open import migrate_postgres

        return migrate_postgres(url, report)
    missing = look(url).pending
    open_store(url).close()  # an embedded file migrates itself
    for step in missing:
        if report:
            report(step)
    return len(missing)


def _postgres_version(url: str) -> tuple[int, int]:
    from relet.store.postgres.address import Address
    from relet.store.postgres.link import PostgresLink
    from relet.store.postgres.migrate import version

    link = PostgresLink(Address.parse(url))
    try:
        return version(link)
    finally:
        link.close()


def _sqlite_version(url: str) -> tuple[int, int]:
    from relet.store.sqlite.driver import ApswDriver, StdlibDriver
    from relet.store.sqlite.migrate import version

    parts = urlsplit(url)
    file = Path(parts.path.removeprefix("/"))
    if not file.is_file():
        return 0, 0
    driver = (StdlibDriver if parts.scheme == "sqlite+stdlib" else ApswDriver)(str(file))
    try:
        return version(driver)
    finally:
        driver.close()
