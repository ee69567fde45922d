"""A migrated database on PostgreSQL, under the server's own clocks, and stores on it."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from relet.store.postgres.open import open_postgres
from relet.store.postgres.store import PostgresStore

Raw = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def url(migrated_pg_url: str) -> str:
    """The URL of a fresh database with the present schema."""
    return migrated_pg_url


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., PostgresStore]]:
    """Opens stores, on that database unless another URL is given, and closes them in the end."""
    opened: list[PostgresStore] = []

    def another(at: str = url) -> PostgresStore:
        opened.append(open_postgres(at))
        return opened[-1]

    yield another
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., PostgresStore]) -> PostgresStore:
    """One connection to it."""
    return open_store()


@pytest.fixture
def raw(url: str) -> Iterator[Raw]:
    """A plain connection, to look and to meddle."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
