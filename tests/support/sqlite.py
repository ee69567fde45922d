"""A SQLite database with our tables, made once in a process and copied from then on, which is far faster."""

from functools import cache
from pathlib import Path
from typing import Any

from relet.clock import ManualClock
from relet.store.open import open_store

BEGINNING = 1_700_000_000_000_000
"""When it was made: long ago, for whoever opens a copy with a clock of the system."""

_WAL = b"\x02\x02"
"""What stands in the header of a file with a write-ahead log (sqlite.org/fileformat2.html), so that none has to be switched."""


@cache
def made() -> Any:
    """The database, in memory."""
    store: Any = open_store("sqlite:///:memory:", clock=ManualClock(BEGINNING))
    return store._link.driver.raw


def put_database(path: Path) -> None:
    """Copy it to a file."""
    image = bytearray(made().serialize("main"))
    image[18:20] = _WAL
    path.write_bytes(image)
