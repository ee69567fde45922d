"""What `doctor` looks at on this host: Python, limits of the system, the disk of a SQLite store."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from relet.cli.findings import Findings, bad, note, ok, warning
from relet.cli.output import Output
from relet.cli.target import sqlite_file
from relet.clock import Clock
from relet.job.duration import format_us
from relet.settings import Settings
from relet.shapes.words import size
from relet.store.sqlite.driver import WAL_RESET_BUG
from relet.store.sqlite.open import NETWORK

LEAST_FILES = 1024
LEAST_FREE = 1_000_000_000
PROBES = 10
SLOW_SYNC_US = 20_000
FAST_SYNC_US = 50
"""No disk that keeps its word is faster: a cache that a power loss empties."""


def check_python() -> Findings:
    """The interpreter and the limits that a worker meets first."""
    version = platform.python_version()
    if sys.maxsize < 2**32:
        yield bad("python", f"Python {version} is a 32-bit build", "use a 64-bit Python: ids and times need it")
    else:
        yield ok("python", f"{platform.python_implementation()} {version}")
    yield from _check_files()


def _check_files() -> Findings:
    try:
        import resource
    except ImportError:
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < LEAST_FILES:
        yield warning("limits", f"a process may open only {soft} files", f"ulimit -n {LEAST_FILES * 4}")
    else:
        yield ok("limits", "open files: no limit" if soft < 0 else f"open files: {soft:,}")


def check_sqlite_library(settings: Settings) -> Findings:
    """SQLite 3.7.0 to 3.51.2 can corrupt a WAL file that several connections write and checkpoint."""
    if not settings.url.startswith("sqlite"):
        return
    stdlib = settings.url.startswith("sqlite+stdlib")
    version = sqlite3.sqlite_version if stdlib else _apsw_version()
    affected = WAL_RESET_BUG[0] <= tuple(int(part) for part in version.split(".")[:3]) <= WAL_RESET_BUG[1]
    name = "Python's own SQLite" if stdlib else "SQLite of apsw"
    if affected:
        remedy = "use sqlite:/// (apsw brings a newer one)" if stdlib else "pip install --upgrade apsw"
        found = f"{name} is {version}; up to 3.51.2 several writers can corrupt the file (WAL-reset bug)"
        yield bad("sqlite library", found, f"{remedy}, or run a Python with SQLite 3.51.3 or newer")
    else:
        yield ok("sqlite library", f"{name} is {version}")


def warn_of_library(settings: Settings, out: Output) -> None:
    """One line about a SQLite library that can corrupt files, for the commands that people look at."""
    for finding in check_sqlite_library(settings):
        if finding["level"] == "bad":
            out.say(f"warning: {finding['found']}; {finding['next']}")


def _apsw_version() -> str:
    import apsw

    return apsw.sqlite_lib_version()


def check_disk(settings: Settings, clock: Clock) -> Findings:
    """Room, kind and honesty of the disk that holds a SQLite file."""
    file = sqlite_file(settings.url)
    if file is None:
        return
    folder = file.absolute().parent
    if not folder.is_dir():
        yield bad("disk", f"directory {folder} does not exist", f"mkdir -p {folder}, or correct the URL")
        return
    free = shutil.disk_usage(folder).free
    found = f"{size(free)} free in {folder}"
    yield warning("disk", found, "make room: a full disk refuses new jobs") if free < LEAST_FREE else ok("disk", found)
    yield from _check_file_system(folder)
    yield from _check_sync(folder, clock)


def _check_file_system(folder: Path) -> Findings:
    from relet.store.sqlite.open import file_system

    kind = file_system(folder)
    if kind in NETWORK:
        yield bad(
            "file system", f"{kind} is a network file system", "keep a SQLite store on a local disk, or use PostgreSQL"
        )
    elif kind:
        yield ok("file system", kind)


def _check_sync(folder: Path, clock: Clock) -> Findings:
    """Writes a few blocks beside the file, each with an fsync: what every commit costs."""
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            times = sorted(_one_sync(stream.fileno(), clock) for _ in range(PROBES))
    except OSError as error:
        yield bad("fsync", f"{folder} cannot be written: {error.strerror}", "give this user write permission there")
        return
    middle = times[len(times) // 2]
    if middle > SLOW_SYNC_US:
        yield warning("fsync", f"one takes {format_us(middle)}", "commits wait for it: use a faster disk")
    elif middle < FAST_SYNC_US:
        yield note("fsync", f"one takes {format_us(middle)}: this disk may not survive a power loss")
    else:
        yield ok("fsync", f"one takes {format_us(middle)}")


def _one_sync(file: int, clock: Clock) -> int:
    began = clock.steady()
    os.write(file, b"x" * 4096)
    os.fsync(file)
    return clock.steady() - began
