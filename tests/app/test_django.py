"""Enqueues inside Django's atomic blocks join them, by themselves, when the database is the app's."""

from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.db import connection as default_connection
from django.db import connections, transaction
from psycopg.conninfo import conninfo_to_dict

from relet import App, Task
from relet.contrib.django import url as url_of
from relet.errors import NotFound, SettingsError, UsageError
from tests.app.work import work_off


@pytest.fixture(scope="module", autouse=True)
def project() -> None:
    """One Django project for this process."""
    if not settings.configured:
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
        django.setup()


def use_database(**said: object) -> None:
    """Let the default alias be this database."""
    connections["default"].close()
    merged = connections.configure_settings({"default": said})
    connections.settings["default"].clear()
    connections.settings["default"].update(merged["default"])
    if hasattr(connections._connections, "default"):
        del connections._connections.default


@pytest.fixture(params=["sqlite", "postgres"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """An app in the project's own database."""
    if request.param == "sqlite":
        use_database(ENGINE="django.db.backends.sqlite3", NAME=str(tmp_path / "django.db"))
    else:
        said = conninfo_to_dict(request.getfixturevalue("migrated_pg_url"))
        use_database(
            ENGINE="django.db.backends.postgresql",
            NAME=said["dbname"],
            HOST=said.get("host", ""),
            PORT=said.get("port", ""),
            USER=said.get("user", ""),
            PASSWORD=said.get("password", ""),
        )
    with App(url_of()) as made:
        with default_connection.cursor() as cursor:
            cursor.execute("create table orders (id integer)")
        yield made
    default_connection.close()


@pytest.fixture
def add(app: App) -> Task[[int], int]:
    @app.task(name="add")
    def add(n: int) -> int:
        return n + 1

    return add


def orders() -> int:
    with default_connection.cursor() as cursor:
        cursor.execute("select count(*) from orders")
        return cursor.fetchone()[0]


def place_order() -> None:
    with default_connection.cursor() as cursor:
        cursor.execute("insert into orders values (1)")


def test_an_enqueue_in_an_atomic_block_commits_with_it(app: App, add: Task[[int], int]) -> None:
    with transaction.atomic():
        place_order()
        job = add.enqueue(1)
        with pytest.raises(NotFound, match="your own transaction"):
            job.result()
    assert (work_off(app), job.result(0), orders()) == (1, 2, 1)


def test_an_enqueue_in_an_atomic_block_is_rolled_back_with_it(app: App, add: Task[[int], int]) -> None:
    with transaction.atomic():
        add.enqueue(1)
        place_order()
        transaction.set_rollback(True)
    assert (app.jobs.list(), orders()) == ([], 0)


def test_an_inner_block_takes_only_its_own_jobs_back(app: App, add: Task[[int], int]) -> None:
    with transaction.atomic():
        app.enqueue_many([add.call(1), add.call(2)])
        with transaction.atomic():
            add.enqueue(3)
            transaction.set_rollback(True)
    assert sorted(job.args["n"] for job in app.jobs.list()) == [1, 2]


def test_outside_of_a_block_a_job_is_written_at_once(app: App, add: Task[[int], int]) -> None:
    assert add.enqueue(1).info().args == {"n": 1}


def test_the_connection_can_be_given(app: App, add: Task[[int], int]) -> None:
    with pytest.raises(UsageError, match="no open transaction"):
        add.options(tx=default_connection).enqueue(1)
    with transaction.atomic():
        add.options(tx=default_connection).enqueue(1)
        add.options(tx=connections["default"]).enqueue(2)
    assert work_off(app) == 2


def test_an_app_with_another_store_stays_out_of_it(app: App, tmp_path: Path) -> None:
    with App(f"sqlite:///{tmp_path}/elsewhere.db") as elsewhere:

        @elsewhere.task(name="noop")
        def noop() -> None: ...

        with transaction.atomic():
            noop.enqueue()
            transaction.set_rollback(True)
        assert work_off(elsewhere) == 1


def test_a_database_that_cannot_keep_jobs_is_refused() -> None:
    use_database(ENGINE="django.db.backends.dummy")
    with pytest.raises(SettingsError, match="unknown"):
        url_of()
