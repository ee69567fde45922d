"""Opens a SQLite store: which file, by which library, with which promises about power loss."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from relet.clock import MS, SECOND, Clock, SystemClock, pause
from relet.errors import ReletWarning, SettingsError, StoreUnavailable
from relet.store.sqlite.bell import name_of
from relet.store.sqlite.driver import ERRORS, WAL_RESET_BUG, ApswDriver, Driver, StdlibDriver, busy
from relet.store.sqlite.link import SqliteLink
from relet.store.sqlite.migrate import migrate
from relet.store.sqlite.store import SqliteStore

OLDEST = (3, 37, 0)
"""The first SQLite with strict tables (sqlite.org/stricttables.html): a column takes no value of another type."""

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs", "virtiofs"}
)
_PARAMETERS = frozenset({"name", "synchronous"})

OPEN_US, PAUSE_US = 10 * SECOND, 5 * MS
"""So long it is tried to open a file that others are making just now, and so often."""


def open_sqlite(url: str, clock: Clock) -> SqliteStore:
    """`sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite:///:memory:?name=shared`; `sqlite+stdlib:` likewise.

    `?synchronous=normal` trades the last commits before a power loss for speed; the default is `full`.
    The file is made, and brought to the present schema, when it is opened.
    """
    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
    _check_options(url, options)
    path = parts.path.removeprefix("/")
    memory = path == ":memory:"
    driver = StdlibDriver if parts.scheme == "sqlite+stdlib" else ApswDriver
    _refuse_old(driver.library, url)
    opener = _memory(driver, options) if memory else _file(driver, path, options, url)
    if not memory:
        _warn_of_library(driver.library, url)
    link = SqliteLink(url, opener, clock, shared_memory=memory)
    migrate(link)
    return SqliteStore(link, name_of(None if memory else Path(path).absolute(), options.get("name")))


def _refuse_old(library: tuple[int, ...], url: str) -> None:
    """Raise SettingsError when this SQLite cannot keep a store."""
    if library < OLDEST:
        raise SettingsError(
            f"Store URL {url}: the SQLite {'.'.join(map(str, library))} of this Python is too old; Relet needs 3.37 or newer. "
            "Nothing was written. Use sqlite:/// (a recent SQLite comes along), or a Python with a newer SQLite."
        )


def _warn_of_library(library: tuple[int, ...], url: str) -> None:
    first, last = WAL_RESET_BUG
    if first <= library <= last:
        version = ".".join(map(str, library))
        warnings.warn(
            f"SQLite {version} of this Python can corrupt a file that several connections write (sqlite.org, 'WAL-reset "
            f"bug'; mended in 3.51.3), and {url} is opened with it. Use sqlite:/// (a recent SQLite comes along) unless the "
            "application opens the same file itself; then use a Python with a newer SQLite.",
            ReletWarning,
            stacklevel=3,
        )


def _check_options(url: str, options: dict[str, str]) -> None:
    for name in options.keys() - _PARAMETERS:
        raise SettingsError(f"Store URL {url}: unknown parameter {name!r}. Known: {', '.join(sorted(_PARAMETERS))}.")
    if options.get("synchronous", "full") not in ("full", "normal", "extra"):
        raise SettingsError(f"Store URL {url}: synchronous={options['synchronous']!r}; use full, normal or extra.")


def _memory(driver: Callable[[str], Driver], options: dict[str, str]) -> Callable[[], Driver]:
    """A database that lives as long as one of its connections; with a name, shared inside the process."""
    name = options.get("name")
    if driver is StdlibDriver:
        target = f"file:{name}?mode=memory&cache=shared" if name else ":memory:"
        return lambda: driver(target)
    return lambda: driver(f"file:/relet-{name}?vfs=memdb" if name else ":memory:")


def _file(driver: Callable[[str], Driver], path: str, options: dict[str, str], url: str) -> Callable[[], Driver]:
    if not path:
        raise SettingsError(f"Store URL {url} names no file. Write sqlite:///jobs.db for a file in this directory.")
    file = Path(path).absolute()
    synchronous = options.get("synchronous", "full")

    def connect() -> Driver:
        if not file.parent.is_dir():
            raise StoreUnavailable(
                f"SQLite store {url}: directory {file.parent} does not exist. Make it, or correct the URL."
            )
        _refuse_network(file, url)
        opened = driver(str(file))
        _tune(opened, synchronous, url)
        return opened

    return connect


def _tune(driver: Driver, synchronous: str, url: str) -> None:
    """WAL: readers and the one writer do not wait for each other. Full sync: a commit that was answered survives power loss."""
    driver.execute("pragma busy_timeout = 100")
    mode = _patiently(driver, "pragma journal_mode = wal")
    if mode != "wal":
        raise StoreUnavailable(
            f"SQLite store {url}: write-ahead logging is not possible here (journal mode {mode!r}). Nothing was written. "
            "Use a local, writable file system."
        )
    for pragma in (
        f"synchronous = {synchronous}",
        "mmap_size = 0",
        "cache_size = -16000",
        "journal_size_limit = 67108864",
    ):
        driver.execute(f"pragma {pragma}")


def _patiently(driver: Driver, sql: str) -> str:
    """Switching to WAL needs the file alone for a moment; others may be opening it too.

    SQLite's own timeout is not enough: beside one that is about to write a file with a rollback journal, it refuses at once."""
    clock = SystemClock()
    deadline = clock.steady() + OPEN_US
    while True:
        try:
            return str(driver.execute(sql)[0][0])
        except ERRORS as error:
            if not busy(error) or clock.steady() > deadline:
                raise
        pause(PAUSE_US)


def _refuse_network(file: Path, url: str) -> None:
    kind = file_system(file.parent)
    if kind in NETWORK:
        raise StoreUnavailable(
            f"SQLite store {url} lies on a network file system ({kind}), where SQLite's locks cannot be trusted and jobs "
            "could be lost. Nothing was written. Use a local disk, or PostgreSQL."
        )


def file_system(directory: Path) -> str:
    """The type of the file system that holds a directory, as Linux names it; empty where that cannot be asked."""
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return ""
    real = os.path.realpath(directory)
    found = [(len(at), kind) for _, at, kind, *_ in map(str.split, mounts) if _under(real, at)]
    return max(found)[1] if found else ""


def _under(path: str, mount: str) -> bool:
    return mount == "/" or path == mount or path.startswith(mount + "/")
