"""What every test may ask for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from relet.store.postgres.open import migrate_postgres
from tests.support.postgres import Databases, PostgresServer, PostgresUnavailable
from tests.support.postgres_session import Session, session_databases
from tests.support.sqlite import put_database

# Tests start hundreds of processes, and where nothing compiled is kept each would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A loaded machine is no bug: no example has a deadline. CI tries the same examples every time.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

SESSION = pytest.StashKey[Session]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the session that all xdist workers share."""
    if not hasattr(config, "workerinput"):
        config.stash[SESSION] = Session()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the session started, whoever of its processes did."""
    if SESSION in config.stash:
        config.stash[SESSION].end()


def _skip(reason: PostgresUnavailable) -> NoReturn:
    """Skip here; fail in CI, where half of the tests would go missing without a sound."""
    if os.environ.get("CI"):
        raise reason
    pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(scope="session")
def pg() -> Databases:
    """The PostgreSQL of this test session (RELET_TEST_POSTGRES_URL names another); never stop it."""
    try:
        return session_databases()
    except PostgresUnavailable as reason:
        _skip(reason)


@pytest.fixture
def pg_url(pg: Databases) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = pg.create_database()
    yield pg.url(name)
    pg.drop_database(name)


@pytest.fixture
def migrated_pg_url(pg: Databases) -> Iterator[str]:
    """The URL of a fresh database with our tables."""
    name = pg.create_database(pg.template("migrated", migrate_postgres))
    yield pg.url(name)
    pg.drop_database(name)


@pytest.fixture
def own_pg() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test alone, to kill and restart."""
    try:
        server = PostgresServer.launch()
    except PostgresUnavailable as reason:
        _skip(reason)
    with server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each engine in turn, which several processes can open, with our tables."""
    if request.param == "sqlite":
        put_database(tmp_path / "jobs.db")
        return f"sqlite:///{tmp_path}/jobs.db"
    url: str = request.getfixturevalue("migrated_pg_url")
    return url
