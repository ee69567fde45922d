"""Shares on PostgreSQL: what they cost in round trips, and who waits for whom."""

from collections.abc import Callable

import psycopg

from relet import App
from relet.job.job import NewJob, Options
from relet.store.postgres.store import PostgresStore
from tests.store.hands import Worker, new, news, put
from tests.store.interleavings.stepping import Stepper
from tests.store.postgres.conftest import Raw

Open = Callable[[], PostgresStore]


def of(tenant: str, count: int = 1) -> list[NewJob]:
    """Jobs of a tenant."""
    return news(count, options=Options(fair=tenant))


def statements(store: PostgresStore, jobs: list[NewJob]) -> list[str]:
    """What is sent to enqueue these."""
    stepper = Stepper(store)
    put(store, *jobs)
    return [name for name in stepper.statements if name not in ("begin", "commit")]


def test_a_thousand_jobs_of_a_tenant_are_one_statement(store: PostgresStore):
    put(store, *of("a"))
    assert len(statements(store, of("a", 1000))) == 1


def test_jobs_of_many_tenants_are_one_statement(store: PostgresStore):
    assert len(statements(store, [job for n in range(200) for job in of(f"t{n}", 3)])) == 1


def test_jobs_of_no_tenant_are_written_as_ever(store: PostgresStore):
    assert statements(store, news(1, queue="plain")) == ["enqueue_one"]
    assert len(statements(store, news(1000, queue="plain"))) == 1


def test_an_open_transaction_of_a_caller_holds_up_no_producer_of_the_same_tenant(url: str, store: PostgresStore):
    with App(url) as app, psycopg.connect(url) as caller:

        @app.task(name="t", fair_by="{customer}")
        def t(customer: str) -> None: ...

        t.enqueue("a")
        lent = t.options(tx=caller).enqueue("a")
        put(store, *of("a"), *of("b"))  # would wait for the caller, who waits for nobody
        worker = Worker(store)
        assert len(worker.claim(10)) == 3
        caller.commit()
        store.tie(100)
        assert worker.take().job_id == lent.id.bytes


def test_calls_with_tenants_in_any_order_cannot_block_each_other(open_store: Open, raw: Raw):
    """Rows of `share` are locked in order, also by a call of more jobs than one statement writes."""
    jobs = [job for n in range(1500) for tenant in ("b", "a") for job in of(tenant)]
    put(open_store(), *jobs)
    held = raw.execute("select tenant, count(*), min(seq) from relet.ready group by 1 order by 1").fetchall()
    assert [row[:2] for row in held] == [("a", 1500), ("b", 1500)]
    order = raw.execute("select job_id from relet.ready where tenant = 'a' order by seq").fetchall()
    assert [row[0].bytes for row in order] == [job.id for job in jobs if job.options.fair == "a"]


def test_keys_are_taken_before_shares(store: PostgresStore):
    """So that one who holds a share waits for nobody's key."""
    put(store, *of("a"))
    names = statements(store, [*of("a"), new(options=Options(unique="k", fair="b")), *news(1, queue="plain")])
    assert names.index("bulk_take") < min(place for place, name in enumerate(names) if "placed" in name)
    assert sum("placed" in name for name in names) == 1
