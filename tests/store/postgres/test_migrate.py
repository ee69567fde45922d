"""A schema comes up to date once, beside running workers, and two migrators do not meet."""

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from relet.errors import Contended, SchemaMismatch
from relet.store.migrate import Step, newest, steps
from relet.store.postgres import migrate as migration
from relet.store.postgres.address import Address
from relet.store.postgres.link import PostgresLink
from relet.store.postgres.open import migrate_postgres, open_postgres
from relet.store.postgres.store import PostgresStore
from tests.store.hands import Worker, put_new
from tests.store.postgres.conftest import Raw


def test_the_second_migration_finds_nothing_to_do(pg_url: str):
    done: list[Step] = []

    assert migrate_postgres(pg_url, done.append) == newest("postgres")
    assert migrate_postgres(pg_url, done.append) == 0
    assert [step.name for step in done] == [step.name for step in steps("postgres")]


def test_of_many_migrators_at_once_one_does_each_step(pg_url: str):
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(migrate_postgres(pg_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == newest("postgres")


def test_two_schemas_in_one_database_know_nothing_of_each_other(pg_url: str):
    stores: list[PostgresStore] = []
    for schema in ("relet", "second"):
        assert migrate_postgres(f"{pg_url}?schema={schema}") == newest("postgres")
        stores.append(open_postgres(f"{pg_url}?schema={schema}"))
    put_new(stores[0])

    assert stores[0].ranks(()) == [("default", -1)]
    assert stores[1].ranks(()) == []
    put_new(stores[1], queue="here")
    assert stores[1].ranks(()) == [("here", -1)]
    for store in stores:
        store.close()


def test_a_migrator_that_dies_midway_leaves_nothing(pg_url: str, monkeypatch: pytest.MonkeyPatch):
    broken = [Step(1, "foundation", "create table relet.half (a int); select 1 / 0;")]
    monkeypatch.setattr(migration, "pending", lambda _engine, _version: broken)
    with pytest.raises(Exception, match="division by zero"):
        migrate_postgres(pg_url)
    monkeypatch.undo()

    assert migrate_postgres(pg_url) == newest("postgres")


def test_a_lock_that_is_held_for_long_stops_neither_the_workers_nor_the_migrator(
    url: str, raw: Raw, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(migration, "LOCK_MS", 200)
    monkeypatch.setattr(migration, "_PAUSE_US", (200_000, 200_000))
    step = Step(newest("postgres") + 1, "wider", "alter table relet.ready add column extra text")
    monkeypatch.setattr(migration, "pending", lambda _engine, version: [step] if version < step.version else [])
    monkeypatch.setattr(Step, "floor", property(lambda _step: 1))
    with psycopg.connect(url) as reporting:
        reporting.execute("select count(*) from relet.ready")
        counts: list[int] = []
        migrator = threading.Thread(target=lambda: counts.append(migrate_postgres(url)))
        migrator.start()
        worst = max(_took(lambda: put_new(store)) for _ in range(40))
        reporting.rollback()
        migrator.join()

    assert counts == [1]
    assert worst < 2, "claims and enqueues wait behind the migrator's lock no longer than its own limit"


def _took(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    call()
    time.sleep(0.02)
    return time.monotonic() - begun


BESIDE = 4
"""So many steps do not change `ready`."""


def test_a_version_is_migrated_beside_those_who_write_to_it(pg_url: str, monkeypatch: pytest.MonkeyPatch):
    """From the foundation on: new tables and functions wait for nobody. What changes `ready` comes when it is free."""
    monkeypatch.setattr(migration, "pending", lambda _engine, version: steps("postgres")[:1] if version < 1 else [])
    monkeypatch.setattr(migration, "check", lambda *_: None)
    assert migrate_postgres(pg_url) == 1
    monkeypatch.undo()
    with monkeypatch.context() as beside, psycopg.connect(pg_url) as writing:
        beside.setattr(migration, "pending", lambda _engine, version: steps("postgres")[version:BESIDE])
        beside.setattr(migration, "check", lambda *_: None)
        writing.execute(
            "insert into relet.job values (gen_random_uuid(), 't', 'default', 1, '{}', null, null, 1, null) returning id"
        )
        writing.execute(
            "insert into relet.ready select 1, id, 1, -1, 0, 0, 0, 0, 0, 0, queue, task, null from relet.job"
        )
        assert migrate_postgres(pg_url) == BESIDE - 1
    assert migrate_postgres(pg_url) == newest("postgres") - BESIDE
    store = open_postgres(pg_url)

    assert len(Worker(store).claim()) == 1
    store.close()


def test_a_lock_that_never_comes_is_contended(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migration, "LOCK_MS", 20)
    monkeypatch.setattr(migration, "PATIENCE_US", 100_000)
    monkeypatch.setattr(migration, "_PAUSE_US", (10_000, 10_000))
    step = Step(newest("postgres") + 1, "wider", "alter table relet.ready add column extra text")
    monkeypatch.setattr(migration, "pending", lambda _engine, _version: [step])
    with psycopg.connect(url) as reporting:
        reporting.execute("select count(*) from relet.ready")
        with pytest.raises(Contended):
            migrate_postgres(url)


def test_a_schema_of_the_future_is_refused_before_a_row_is_touched(url: str, raw: Raw):
    raw.execute("insert into relet.schema_version values (99, 99, 0)")

    with pytest.raises(SchemaMismatch, match="newer Relet"):
        open_postgres(url)
    with pytest.raises(SchemaMismatch, match="newer Relet"):
        migrate_postgres(url)


def test_a_future_schema_that_still_takes_this_code_is_used(url: str, raw: Raw):
    raw.execute("insert into relet.schema_version values (99, 1, 0)")

    open_postgres(url).close()


def test_the_version_of_an_empty_database_is_zero(pg_url: str):
    link = PostgresLink(Address.parse(pg_url))

    assert migration.version(link) == (0, 0)
    link.close()


def test_the_monitoring_views_answer(store: PostgresStore, raw: Raw):
    put_new(store)

    assert raw.execute("select queue_name, waiting, active from relet.v_queues").fetchall() == [("default", 1, 0)]
    for view in ("v_leases", "v_workers"):
        assert raw.execute(f"select * from relet.{view}".encode()).fetchall() == []
