"""Jobs written in the caller's own SQLite transaction: there if it commits, gone if it rolls back."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from relet import App, Context, Job, Task
from relet.errors import NotFound, Refused, UniqueConflict, UsageError
from tests.app.work import work_off


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.db"


@pytest.fixture
def app(path: Path) -> Iterator[App]:
    with App(f"sqlite+stdlib:///{path}") as made:
        yield made


@pytest.fixture
def add(app: App) -> Task[[int], int]:
    @app.task(name="add", unique="add:{n}")
    def add(n: int) -> int:
        return n + 1

    return add


def orders(path: Path) -> int:
    """How many rows the caller's own table has."""
    with closing(sqlite3.connect(path)) as reader:
        return reader.execute("select count(*) from orders").fetchone()[0]


@pytest.fixture(autouse=True)
def own_table(path: Path, app: App) -> None:
    with closing(sqlite3.connect(path)) as maker:
        maker.execute("create table orders (id integer)")
        maker.commit()


Enlist = Callable[[Path, Callable[[object], Job[int]], bool], Job[int]]


def by_sqlite3(path: Path, enqueue: Callable[[object], Job[int]], commit: bool) -> Job[int]:
    with closing(sqlite3.connect(path)) as conn:
        conn.row_factory = sqlite3.Row
        conn.execute("insert into orders values (1)")
        job = enqueue(conn)
        conn.commit() if commit else conn.rollback()
        return job


def by_sqlite3_job_first(path: Path, enqueue: Callable[[object], Job[int]], commit: bool) -> Job[int]:
    with closing(sqlite3.connect(path)) as conn:
        job = enqueue(conn)
        conn.execute("insert into orders values (1)")
        conn.commit() if commit else conn.rollback()
        return job


def by_sqlite3_explicit(path: Path, enqueue: Callable[[object], Job[int]], commit: bool) -> Job[int]:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("begin")
        conn.execute("insert into orders values (1)")
        job = enqueue(conn)
        conn.execute("commit" if commit else "rollback")
        return job


def by_session(path: Path, enqueue: Callable[[object], Job[int]], commit: bool) -> Job[int]:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    try:
        with Session(engine) as session:
            job = enqueue(session)
            session.execute(sqlalchemy.text("insert into orders values (1)"))
            session.commit() if commit else session.rollback()
            return job
    finally:
        engine.dispose()


def by_scoped_session(path: Path, enqueue: Callable[[object], Job[int]], commit: bool) -> Job[int]:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    session = scoped_session(sessionmaker(engine))
    try:
        session.execute(sqlalchemy.text("insert into orders values (1)"))
        job = enqueue(session)
        session.commit() if commit else session.rollback()
        return job
    finally:
        session.remove()
        engine.dispose()


def by_connection(path: Path, enqueue: Callable[[object], Job[int]], commit: bool) -> Job[int]:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as conn:
            conn.execute(sqlalchemy.text("insert into orders values (1)"))
            job = enqueue(conn)
            conn.commit() if commit else conn.rollback()
            return job
    finally:
        engine.dispose()


BLOCKING = [by_sqlite3, by_sqlite3_job_first, by_sqlite3_explicit, by_session, by_scoped_session, by_connection]


@pytest.mark.parametrize("enlist", BLOCKING)
def test_a_committed_job_runs(app: App, add: Task[[int], int], path: Path, enlist: Enlist) -> None:
    job = enlist(path, lambda tx: add.options(tx=tx).enqueue(1), True)
    assert (work_off(app), job.result(0), orders(path)) == (1, 2, 1)


@pytest.mark.parametrize("enlist", BLOCKING)
def test_a_rolled_back_job_never_was(app: App, add: Task[[int], int], path: Path, enlist: Enlist) -> None:
    job = enlist(path, lambda tx: add.options(tx=tx).enqueue(1), False)
    assert (work_off(app), app.jobs.list(), orders(path)) == (0, [], 0)
    with pytest.raises(NotFound, match=r"your own transaction.*rolled back"):
        job.result("5s")
    assert add.enqueue(1).created  # its key is free again


def test_before_the_commit_the_job_is_not_there_for_others(app: App, add: Task[[int], int], path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        job = add.options(tx=conn).enqueue(1)
        assert job.created
        with pytest.raises(NotFound, match="once that commits"):
            job.result()
        assert app.jobs.list() == []
        conn.commit()
    assert job.info().args == {"n": 1}


def test_many_calls_and_the_bound_transaction(app: App, add: Task[[int], int], path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        with app.bind(conn):
            add.enqueue(1)
        app.enqueue_many([add.call(2), add.call(3)], tx=conn)
        app.enqueue_many([add.options(tx=conn).call(4), add.options(tx=conn).call(5)])
        conn.rollback()
        assert app.jobs.list() == []
        with app.bind(conn):
            app.enqueue_many([add.call(2), add.call(3)])
        add.options(tx=conn).options(delay="1h").enqueue(9)
        conn.commit()
    assert sorted(job.args["n"] for job in app.jobs.list()) == [2, 3, 9]


def test_calls_that_name_different_transactions_are_refused(app: App, add: Task[[int], int], path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn, pytest.raises(UsageError, match="different tx"):
        app.enqueue_many([add.options(tx=conn).call(1), add.call(2)])


def test_a_refusal_leaves_nothing_behind_and_the_transaction_usable(
    app: App, add: Task[[int], int], path: Path
) -> None:
    add.enqueue(1)
    strict = add.options(on_conflict="raise")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("insert into orders values (1)")
        with pytest.raises(UniqueConflict, match=r"^call 1:"):
            app.enqueue_many([add.options(unique=False).call(7), strict.call(1)], tx=conn)
        conn.commit()
    assert (len(app.jobs.list()), orders(path)) == (1, 1)


def test_without_a_transaction_it_is_refused(app: App, add: Task[[int], int], path: Path) -> None:
    refused = pytest.raises(UsageError, match="no open transaction")
    with closing(sqlite3.connect(path, isolation_level=None)) as conn, refused:
        add.options(tx=conn).enqueue(1)
    assert app.jobs.list() == []


def test_another_file_is_refused(app: App, add: Task[[int], int], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as conn, pytest.raises(UsageError, match="another file"):
        add.options(tx=conn).enqueue(1)


def test_sqlite3_is_refused_where_apsw_has_the_file(tmp_path: Path) -> None:
    apsw_app = App(f"sqlite:///{tmp_path}/apsw.db")

    @apsw_app.task
    def noop() -> None: ...

    refused = pytest.raises(UsageError, match=r"sqlite\+stdlib:///")
    with closing(sqlite3.connect(tmp_path / "apsw.db")) as conn, refused:
        noop.options(tx=conn).enqueue()


@pytest.mark.parametrize("tx", [object(), "conn", 7])
def test_what_is_no_connection_is_refused(app: App, add: Task[[int], int], tx: object) -> None:
    with pytest.raises(UsageError, match="in which no jobs can be written"):
        add.options(tx=tx).enqueue(1)


def test_a_file_without_our_tables_gets_them_first(tmp_path: Path) -> None:
    fresh = App(f"sqlite+stdlib:///{tmp_path}/fresh.db")

    @fresh.task(name="noop")
    def noop() -> None: ...

    with closing(sqlite3.connect(tmp_path / "fresh.db")) as conn:
        conn.execute("create table t (x)")
        conn.execute("insert into t values (1)")
        with pytest.raises(Refused, match=r"app\.open\(\)"):
            noop.options(tx=conn).enqueue()
        conn.commit()
        noop.options(tx=conn).enqueue()
        conn.commit()
    assert work_off(fresh) == 1
    fresh.close()


def test_an_async_session_commits_and_rolls_back(app: App, add: Task[[int], int], path: Path) -> None:
    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        try:
            async with AsyncSession(engine) as session:
                await session.execute(sqlalchemy.text("insert into orders values (1)"))
                with app.bind(session):
                    await add.aenqueue(1)
                await session.rollback()
                await app.aenqueue_many([add.call(2)], tx=session)
                await session.commit()
            async with engine.begin() as conn:
                await add.options(tx=conn).aenqueue(3)
            with pytest.raises(UsageError, match=r"await task\.options"):
                add.options(tx=session).enqueue(4)
        finally:
            await engine.dispose()

    asyncio.run(main())
    assert sorted(job.args["n"] for job in app.jobs.list()) == [2, 3]


def test_a_blocking_connection_works_in_async_code(app: App, add: Task[[int], int], path: Path) -> None:
    async def main() -> None:
        with closing(sqlite3.connect(path)) as conn:
            await add.options(tx=conn).aenqueue(1)
            conn.commit()

    asyncio.run(main())
    assert work_off(app) == 1


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+stdlib"])
def test_a_job_made_in_a_runs_own_transaction_comes_with_its_success(tmp_path: Path, scheme: str) -> None:
    own = App(f"{scheme}:///{tmp_path}/run.db")

    @own.task(name="child")
    def child(n: int) -> None: ...

    @own.task(name="parent", retry=1)
    def parent(ctx: Context, n: int, fails: bool) -> None:
        with ctx.transaction() as conn:
            child.options(tx=conn).enqueue(n)
        if fails:
            raise ValueError

    own.enqueue_many([parent.call(1, False), parent.call(2, True)])
    assert work_off(own) == 3
    assert [job.args for job in own.jobs.list(task=child)] == [{"n": 1}]
    own.close()


@pytest.mark.parametrize("together", [False, True])
def test_a_job_of_a_tenant_gets_its_place_after_the_commit(path: Path, app: App, together: bool) -> None:
    done: list[str] = []

    @app.task(name="mail", fair_by="{customer}")
    def mail(customer: str, n: int) -> None:
        done.append(customer)

    app.enqueue_many(mail.call("big", n) for n in range(30))
    with closing(sqlite3.connect(path)) as mine:
        if together:
            app.enqueue_many([mail.call("small", 1), mail.call("small", 2)], tx=mine)
        else:
            for n in range(2):
                mail.options(tx=mine).enqueue("small", n)
        mine.commit()
    with app.shared.use() as store:
        store.tie(100)
    work_off(app)
    assert len(done) == 32
    assert done[:4].count("small") == 2
