"""Scenes on every engine, and servers to be maltreated."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from relet.store.postgres.open import migrate_postgres
from tests.crash.line import Line
from tests.crash.scene import Look, Scene
from tests.store.invariants import check_invariants
from tests.support.postgres import PostgresServer
from tests.support.proxy import PostgresProxy
from tests.support.sqlite import put_database
from tests.support.waiting import until


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name: str = request.param
    return name


def _sqlite_url(folder: Path) -> str:
    put_database(folder / "jobs.db")
    return f"sqlite:///{folder}/jobs.db"


@pytest.fixture
def scene(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A fresh store. At the end nothing is left of workers, and the rows keep the invariants."""
    url = _sqlite_url(tmp_path) if engine == "sqlite" else request.getfixturevalue("migrated_pg_url")
    with _played(Scene(engine, url, tmp_path)) as scene:
        yield scene


@pytest.fixture
def pg_scene(migrated_pg_url: str, tmp_path: Path) -> Iterator[Scene]:
    """A scene on PostgreSQL."""
    with _played(Scene("postgres", migrated_pg_url, tmp_path)) as scene:
        yield scene


@pytest.fixture
def lite_scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene on a SQLite file."""
    with _played(Scene("sqlite", _sqlite_url(tmp_path), tmp_path)) as scene:
        yield scene


@pytest.fixture
def own_scene(own_pg: PostgresServer, tmp_path: Path) -> Iterator[Scene]:
    """A scene on a PostgreSQL server of its own, to be killed and restarted."""
    url = own_pg.url(own_pg.create_database())
    migrate_postgres(url)
    with _played(Scene("postgres", url, tmp_path)) as scene:
        yield scene


@contextmanager
def _played(scene: Scene) -> Iterator[Scene]:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    try:
        yield scene
    finally:
        scene.close()
    until(lambda: not _left(before, scene), 5)
    scene.check()


def _left(before: set[int], scene: Scene) -> set[int]:
    """Processes that the scene has left behind: below this one, or anywhere with its folder on their command line."""
    ours = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
    anywhere = [one for one in psutil.process_iter() if _names(one, str(scene.folder))]
    return {one.pid for one in {*ours, *anywhere} if _counts(one)}


def _names(process: psutil.Process, folder: str) -> bool:
    with suppress(psutil.Error):
        return any(folder in word for word in process.cmdline())
    return False


def _counts(process: psutil.Process) -> bool:
    """Not the servers, and not those that only wait to be noticed."""
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE and process.name() not in ("postgres", "pgbouncer")
    return False


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MB of this test alone."""
    place = Path(tempfile.mkdtemp(prefix="relet-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    try:
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        yield place
    finally:
        if not done.returncode:
            subprocess.run(["umount", "-l", str(place)], check=True)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def line(migrated_pg_url: str) -> Iterator[Line]:
    """A way to a server of this test alone that can be cut. At the end the rows keep the invariants."""
    with PostgresProxy(migrated_pg_url) as proxy:
        line = Line(migrated_pg_url, proxy)
        try:
            yield line
        finally:
            line.close()
    check_invariants(Look(migrated_pg_url))  # type: ignore[arg-type]  it asks for rows only
