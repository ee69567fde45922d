"""Brings a SQLite file to the present schema. A file is embedded, so this happens by itself when it is opened."""

from __future__ import annotations

from collections.abc import Iterator

from relet.store.migrate import Report, check, newest, pending
from relet.store.sqlite.driver import Driver
from relet.store.sqlite.link import SqliteLink
from relet.store.statements import for_sqlite

_TABLE = """create table if not exists relet_schema_version (
    version integer primary key, floor integer not null, applied_at integer not null)"""


def version(driver: Driver) -> tuple[int, int]:
    """(schema version, floor); (0, 0) for an empty file."""
    if not driver.execute("select 1 from sqlite_master where name = 'relet_schema_version'"):
        return 0, 0
    found = driver.execute("select coalesce(max(version), 0), coalesce(max(floor), 0) from relet_schema_version")
    return found[0][0], found[0][1]


def migrate(link: SqliteLink, report: Report | None = None) -> int:
    """Run the missing steps, each with the write lock held, so that of two that start at once one does it. Returns how many."""
    with link.read():
        present, floor = version(link.driver)
    if present >= newest("sqlite"):
        check("sqlite", present, floor, link.url)
        return 0
    done = 0
    with link.write() as tx:
        link.driver.execute(_TABLE)
        for step in pending("sqlite", version(link.driver)[0]):
            for statement in split(for_sqlite(step.text)):
                link.driver.execute(statement)
            link.driver.execute(
                "insert into relet_schema_version values (?, ?, ?)",
                (step.version, step.floor, tx.clocks["now_us"]),
            )
            done += 1
            if report:
                report(step)
    return done


def split(text: str) -> Iterator[str]:
    """The statements of a step. A trigger's body ends with `end;` on a line of its own."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        code = line.partition("--")[0].rstrip()
        if not code.strip():
            continue
        lines.append(code)
        inside = inside or code.startswith("create trigger")
        if code == "end;" or (code.endswith(";") and not inside):
            yield "\n".join(lines).rstrip(";")
            lines, inside = [], False
