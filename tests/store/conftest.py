"""Stores to test: every engine, under a clock of the test's own; and what must hold of their rows when a test ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.store.port import Store
from tests.store.beds import SQLITE, Bed, PostgresBed
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

ENGINES = (*SQLITE, "postgres")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgres_bed(pg: Databases) -> Iterator[PostgresBed]:
    """The PostgreSQL database of this process, for one test after the other."""
    made = PostgresBed(pg)
    yield made
    made.drop()


@pytest.fixture
def bed(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bed]:
    """A fresh database. When the test ends, its rows must keep the invariants."""
    made: Bed
    if engine == "postgres":
        made = shared = request.getfixturevalue("postgres_bed")
        shared.empty()
    else:
        made = SQLITE[engine](tmp_path)
    try:
        yield made
        check_invariants(made)
    finally:
        made.close()


@pytest.fixture
def store(bed: Bed) -> Store:
    """One connection to it."""
    return bed.open()


@pytest.fixture
def other(bed: Bed) -> Store:
    """A second connection to the same database."""
    return bed.open()
