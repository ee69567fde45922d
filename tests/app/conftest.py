"""Apps on every engine, and a worker that works off what is due."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from relet import App
from tests.support.sqlite import put_database

ENGINES = ("memory", "file", "stdlib", "postgres")


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each engine in turn."""
    if request.param == "memory":
        return f"sqlite:///:memory:?name={uuid4().hex}"
    if request.param == "postgres":
        found: str = request.getfixturevalue("migrated_pg_url")
        return found
    put_database(tmp_path / "jobs.db")
    scheme = "sqlite+stdlib" if request.param == "stdlib" else "sqlite"
    return f"{scheme}:///{tmp_path}/jobs.db"


@pytest.fixture
def app(url: str) -> Iterator[App]:
    """An app on it."""
    with App(url) as made:
        yield made
