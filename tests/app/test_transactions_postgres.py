"""Jobs written in the caller's own PostgreSQL transaction: there if it commits, gone if it rolls back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

from relet import App, Context, Job, Task
from relet.errors import NotFound, Refused, UniqueConflict, UsageError
from relet.job.settlement import Answer
from relet.store.postgres.open import migrate_postgres
from tests.app.work import work_off
from tests.store.hands import Worker


@pytest.fixture
def url(migrated_pg_url: str) -> str:
    return migrated_pg_url


@pytest.fixture
def app(url: str) -> Iterator[App]:
    with App(url) as made, psycopg.connect(url, autocommit=True) as own:
        own.execute("create table orders (id integer)")
        yield made


@pytest.fixture
def add(app: App) -> Task[[int], int]:
    @app.task(name="add", unique="add:{n}")
    def add(n: int) -> int:
        return n + 1

    return add


def driver_url(url: str, driver: str) -> str:
    """As SQLAlchemy writes it."""
    return urlunsplit(urlsplit(url)._replace(scheme=f"postgresql+{driver}"))


def orders(url: str) -> int:
    with psycopg.connect(url) as reader:
        return reader.execute("select count(*) from orders").fetchone()[0]


INSERT = "insert into orders values (1)"
Enqueue = Callable[[object], Job[int]]
AsyncEnqueue = Callable[[object], Awaitable[Job[int]]]


def by_psycopg(url: str, enqueue: Enqueue, commit: bool) -> Job[int]:
    with psycopg.connect(url, row_factory=dict_row) as conn:
        conn.execute(INSERT)
        job = enqueue(conn)
        conn.commit() if commit else conn.rollback()
        return job


def by_psycopg_block(url: str, enqueue: Enqueue, commit: bool) -> Job[int]:
    with psycopg.connect(url, autocommit=True) as conn, conn.transaction(force_rollback=not commit):
        job = enqueue(conn)
        conn.execute(INSERT)
        return job


def by_session(url: str, enqueue: Enqueue, commit: bool) -> Job[int]:
    engine = sqlalchemy.create_engine(driver_url(url, "psycopg"))
    try:
        with Session(engine) as session:
            job = enqueue(session)
            session.execute(sqlalchemy.text(INSERT))
            session.commit() if commit else session.rollback()
            return job
    finally:
        engine.dispose()


def by_connection(url: str, enqueue: Enqueue, commit: bool) -> Job[int]:
    engine = sqlalchemy.create_engine(driver_url(url, "psycopg"))
    try:
        with engine.connect() as conn:
            conn.execute(sqlalchemy.text(INSERT))
            job = enqueue(conn)
            conn.commit() if commit else conn.rollback()
            return job
    finally:
        engine.dispose()


async def by_psycopg_async(url: str, enqueue: AsyncEnqueue, commit: bool) -> Job[int]:
    async with await psycopg.AsyncConnection.connect(url) as conn:
        await conn.execute(INSERT)
        job = await enqueue(conn)
        await (conn.commit() if commit else conn.rollback())
        return job


async def by_asyncpg(url: str, enqueue: AsyncEnqueue, commit: bool) -> Job[int]:
    conn = await asyncpg.connect(url)
    try:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute(INSERT)
        job = await enqueue(conn)
        await (transaction.commit() if commit else transaction.rollback())
        return job
    finally:
        await conn.close()


async def by_asyncpg_pool(url: str, enqueue: AsyncEnqueue, commit: bool) -> Job[int]:
    async with asyncpg.create_pool(url, min_size=1) as pool, pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        job = await enqueue(conn)
        await conn.execute(INSERT)
        await (transaction.commit() if commit else transaction.rollback())
        return job


async def by_async_session(url: str, enqueue: AsyncEnqueue, commit: bool, driver: str = "asyncpg") -> Job[int]:
    engine = create_async_engine(driver_url(url, driver))
    try:
        async with AsyncSession(engine) as session:
            job = await enqueue(session)
            await session.execute(sqlalchemy.text(INSERT))
            await (session.commit() if commit else session.rollback())
            return job
    finally:
        await engine.dispose()


async def by_async_session_on_psycopg(url: str, enqueue: AsyncEnqueue, commit: bool) -> Job[int]:
    return await by_async_session(url, enqueue, commit, "psycopg")


async def by_async_scoped_session(url: str, enqueue: AsyncEnqueue, commit: bool) -> Job[int]:
    engine = create_async_engine(driver_url(url, "asyncpg"))
    scoped = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
    try:
        await scoped.execute(sqlalchemy.text(INSERT))
        job = await enqueue(scoped)
        await (scoped.commit() if commit else scoped.rollback())
        return job
    finally:
        await scoped.remove()
        await engine.dispose()


async def by_async_connection(url: str, enqueue: AsyncEnqueue, commit: bool) -> Job[int]:
    engine = create_async_engine(driver_url(url, "asyncpg"))
    try:
        async with engine.connect() as conn:
            job = await enqueue(conn)
            await conn.execute(sqlalchemy.text(INSERT))
            await (conn.commit() if commit else conn.rollback())
            return job
    finally:
        await engine.dispose()


BLOCKING = [by_psycopg, by_psycopg_block, by_session, by_connection]
AWAITED = [
    by_psycopg_async,
    by_asyncpg,
    by_asyncpg_pool,
    by_async_session,
    by_async_session_on_psycopg,
    by_async_scoped_session,
    by_async_connection,
]


def enlisted(enlist: Callable, url: str, add: Task[[int], int], commit: bool) -> Job[int]:
    """Enqueue by any of them."""
    if asyncio.iscoroutinefunction(enlist):
        return asyncio.run(enlist(url, lambda tx: add.options(tx=tx).aenqueue(1), commit))
    return enlist(url, lambda tx: add.options(tx=tx).enqueue(1), commit)


@pytest.mark.parametrize("enlist", [*BLOCKING, *AWAITED])
def test_a_committed_job_runs(app: App, add: Task[[int], int], url: str, enlist: Callable) -> None:
    job = enlisted(enlist, url, add, True)
    assert (work_off(app), job.result(0), orders(url)) == (1, 2, 1)


@pytest.mark.parametrize("enlist", [*BLOCKING, *AWAITED])
def test_a_rolled_back_job_never_was(app: App, add: Task[[int], int], url: str, enlist: Callable) -> None:
    job = enlisted(enlist, url, add, False)
    assert (work_off(app), app.jobs.list(), orders(url)) == (0, [], 0)
    with pytest.raises(NotFound, match=r"your own transaction.*rolled back"):
        job.result("5s")
    assert add.enqueue(1).created


def test_before_the_commit_the_job_is_not_there_for_others(app: App, add: Task[[int], int], url: str) -> None:
    with psycopg.connect(url) as conn:
        job = add.options(tx=conn).enqueue(1)
        with pytest.raises(NotFound, match="once that commits"):
            job.result()
        assert work_off(app) == 0
    assert job.info().args == {"n": 1}


def test_a_refusal_leaves_nothing_behind_and_the_transaction_usable(app: App, add: Task[[int], int], url: str) -> None:
    add.enqueue(1)
    calls = [add.options(unique=False).call(7), add.options(on_conflict="raise").call(1)]

    async def by_asyncpg() -> None:
        conn = await asyncpg.connect(url)
        async with conn.transaction():
            with pytest.raises(UniqueConflict):
                await app.aenqueue_many(calls, tx=conn)
            await conn.execute(INSERT)
        await conn.close()

    asyncio.run(by_asyncpg())
    with psycopg.connect(url) as conn:
        with pytest.raises(UniqueConflict, match=r"^call 1:"):
            app.enqueue_many(calls, tx=conn)
        conn.execute(INSERT)
    assert (len(app.jobs.list()), orders(url)) == (1, 2)


@pytest.mark.parametrize("on_conflict", ["existing", "replace", "debounce"])
def test_an_open_transaction_holds_up_no_worker_that_runs_the_holder_of_its_key(
    app: App, add: Task[[int], int], url: str, on_conflict: str
) -> None:
    window = {"debounce": "10s"} if on_conflict == "debounce" else {}
    first = add.enqueue(1)
    with psycopg.connect(url) as conn, app.shared.use() as store:
        worker = Worker(store, tasks=["add"])
        claim = worker.take()
        second = add.options(tx=conn, on_conflict=on_conflict, **window).enqueue(1)
        answer = worker.end(claim)
    assert (answer, second.id, first.state) == (Answer.ACCEPTED, first.id, "succeeded")


def test_every_way_to_enqueue_works_inside(app: App, add: Task[[int], int], url: str) -> None:
    with psycopg.connect(url) as conn, app.bind(conn):
        first = add.enqueue(1)
        assert add.enqueue(1) == first
        assert add.options(on_conflict="replace").enqueue(1) != first
        add.options(debounce="1h").enqueue(2)
        add.options(delay="1h", tags={"a": "b"}, requires={"gpu": "a100"}).enqueue(3)
        app.enqueue_many(add.call(n) for n in range(10, 200))
        app.enqueue_by_name("add", {"n": 4})
    assert app.jobs.counts()["ready"] == 192
    assert app.jobs.counts()["scheduled"] == 2
    assert work_off(app) == 192


def test_many_jobs_of_all_sorts_keep_their_order_and_what_they_were_given(
    app: App, add: Task[[int], int], url: str
) -> None:
    @app.task(name="mail", queue="mails", priority="high", requires={"smtp": "yes"})
    def mail(to: str) -> None: ...

    due = datetime(2100, 1, 1, tzinfo=UTC)
    free = add.options(unique=False)
    calls = [call for n in range(1_500) for call in (free.call(n), mail.call(f"{n}%s"))]
    calls[7] = mail.options(at=due, tags={"a": "é"}).call("later")
    calls[9] = add.call(9)
    calls[11] = free.options(delay="1h", priority=-7).call(11)
    with psycopg.connect(url) as conn:
        jobs = app.enqueue_many(calls, tx=conn)
    infos = [job.info() for job in jobs[:14]]
    assert [info.args for info in infos[:3]] == [{"n": 0}, {"to": "0%s"}, {"n": 1}]
    assert (infos[1].queue, infos[1].priority, infos[0].queue, infos[0].priority) == ("mails", 2, "default", 1)
    assert (infos[7].run_at, infos[7].tags, infos[7].state) == (due, {"a": "é"}, "scheduled")
    assert (infos[11].priority, infos[11].state, infos[9].state) == (-7, "scheduled", "ready")
    assert app.jobs.counts()["ready"] == 2_998
    first = [job.id for job in app.jobs.list(task=add, limit=500)][-1]
    assert first in {job.id for job in jobs}


def test_a_closed_queue_refuses_inside_too(app: App, add: Task[[int], int], url: str) -> None:
    app.queues["default"].close("moving")
    with psycopg.connect(url) as conn:
        for task in (add, add.options(unique=False)):
            with pytest.raises(Refused, match="was closed by"):
                task.options(tx=conn).enqueue(1)
        conn.execute(INSERT)
    assert (app.jobs.list(), orders(url)) == ([], 1)


def test_connections_that_would_commit_by_themselves_are_refused(app: App, add: Task[[int], int], url: str) -> None:
    async def main() -> None:
        conn = await asyncpg.connect(url)
        with pytest.raises(UsageError, match="no open transaction"):
            await add.options(tx=conn).aenqueue(1)
        await conn.close()

    asyncio.run(main())
    with psycopg.connect(url, autocommit=True) as conn, pytest.raises(UsageError, match="autocommit"):
        add.options(tx=conn).enqueue(1)
    engine = sqlalchemy.create_engine(driver_url(url, "psycopg"))
    refused = pytest.raises(UsageError, match="AUTOCOMMIT")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn, refused:
        add.options(tx=conn).enqueue(1)
    engine.dispose()
    assert app.jobs.list() == []


def test_another_engine_is_refused(add: Task[[int], int], tmp_path: object, url: str) -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    with (
        engine.connect() as conn,
        pytest.raises(UsageError, match="connected to SQLite, and the jobs are kept in PostgreSQL"),
    ):
        add.options(tx=conn).enqueue(1)
    engine.dispose()


def test_an_awaited_connection_needs_await(app: App, add: Task[[int], int], url: str) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(url) as conn:
            with pytest.raises(UsageError, match=r"await task\.options"):
                add.options(tx=conn).enqueue(1)

    asyncio.run(main())


def test_the_callers_errors_stay_the_callers(app: App, add: Task[[int], int], url: str) -> None:
    with psycopg.connect(url) as conn:
        with pytest.raises(psycopg.Error):
            conn.execute("select 1/0")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            add.options(tx=conn).enqueue(1)


def test_a_job_made_in_a_runs_own_transaction_comes_with_its_success(app: App, add: Task[[int], int]) -> None:
    @app.task(name="parent", retry=1)
    def parent(ctx: Context, n: int, fails: bool) -> None:
        with ctx.transaction() as conn:
            add.options(tx=conn).enqueue(n)
        if fails:
            raise ValueError

    app.enqueue_many([parent.call(1, False), parent.call(2, True)])
    assert work_off(app) == 3
    assert [job.args for job in app.jobs.list(task=add)] == [{"n": 1}]


def test_the_schema_of_the_url_is_used(pg_url: str) -> None:
    url = f"{pg_url}{'&' if '?' in pg_url else '?'}schema=jobs2"
    migrate_postgres(url)
    with App(url) as app, psycopg.connect(pg_url) as conn:

        @app.task(name="noop")
        def noop() -> None: ...

        job = noop.options(tx=conn).enqueue()
        conn.commit()
        row = conn.execute("select id from jobs2.job").fetchone()
        assert row == (job.id,)
        assert isinstance(row[0], UUID)
        assert work_off(app) == 1
