"""How the store behaves among others: with few rights, in somebody's transaction, beside a process that is paused."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from relet.errors import StoreUnavailable
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.postgres.connection import DEADLINE_US
from relet.store.postgres.open import open_postgres
from relet.store.postgres.store import PostgresStore
from relet.store.records import Notes
from tests.store.hands import Worker, decide, news, put, put_new
from tests.store.postgres.conftest import Raw

Open = Callable[..., PostgresStore]

RIGHTS = """
create role relet_test_worker login;
grant usage on schema relet to relet_test_worker;
grant select, insert, update, delete on all tables in schema relet to relet_test_worker;
grant usage on all sequences in schema relet to relet_test_worker;
"""


@pytest.fixture
def modest_url(url: str, raw: Raw) -> Iterator[str]:
    """The URL of a user who may read and write rows, and nothing else."""
    raw.execute(RIGHTS.encode())
    yield url.replace("postgres@", "relet_test_worker@")
    raw.execute("drop owned by relet_test_worker")
    raw.execute("drop role relet_test_worker")


def test_a_user_with_the_rights_to_rows_alone_works_and_drops_old_days(modest_url: str, raw: Raw):
    store = open_postgres(modest_url)
    worker = Worker(store)
    put(store, *news(3))
    assert worker.settle(*[decide(claim, Ended.SUCCESS) for claim in worker.claim(3)]) == (Answer.ACCEPTED,) * 3
    raw.execute(
        "create or replace function relet.now_us() returns bigint language sql volatile"
        " as $$ select (extract(epoch from clock_timestamp()) * 1000000)::bigint + 10 * 86400000000 $$"
    )
    for _ in range(4):
        store.prune(1, 1, 100)

    assert raw.execute("select count(*) from relet.job").fetchone() == (0,)
    put_new(store)
    days = raw.execute("select count(*) from pg_inherits where inhparent = 'relet.job'::regclass").fetchone()
    assert days is not None
    assert int(str(days[0])) >= 5
    store.close()


def test_a_process_that_is_paused_in_a_transaction_loses_it_and_its_jobs_go_on(open_store: Open):
    paused, other = Worker(open_store()), open_store()
    put(other, *news(1))
    claim = paused.take()
    paused.store._link.wire.command(b"set idle_in_transaction_session_timeout = '200ms'")
    other._link.wire.command(b"set lock_timeout = '3s'")
    with pytest.raises(StoreUnavailable, match="Nothing was written"):
        _reclaim_meanwhile(paused, other)

    assert paused.end(claim) is Answer.FENCED


def _reclaim_meanwhile(paused: Worker, other: PostgresStore) -> None:
    with paused.store._link.write() as tx:
        tx.all("session_hold", session_id=paused.id)
        gone = other.reclaim(paused.id, "its process is gone")
        assert gone is not None
        assert gone.returned == 1


def test_effects_run_under_the_limits_and_plans_of_the_server(store: PostgresStore):
    worker = Worker(store)
    put_new(store)
    claim = worker.take()
    effects = store.begin_effects(worker.id)
    connection = effects.connection
    seen = [
        connection.execute(f"show {name}").fetchone()[0]
        for name in ("enable_seqscan", "enable_hashjoin", "statement_timeout", "plan_cache_mode")
    ]

    assert seen == ["on", "on", "0", "auto"]
    assert connection.execute("select %s::int + %s", (1, 2)).fetchone() == (3,)
    assert connection.deadline_us > DEADLINE_US
    assert effects.settle(decide(claim, Ended.SUCCESS), Notes()) is Answer.ACCEPTED
    assert connection.deadline_us == DEADLINE_US
    assert connection.execute("show enable_seqscan").fetchone() == ("off",)


def test_effects_that_failed_on_the_server_are_rolled_back_and_the_connection_goes_on(store: PostgresStore, raw: Raw):
    raw.execute("create table effect (n int primary key)")
    worker = Worker(store)
    put_new(store)
    claim = worker.take()
    effects = store.begin_effects(worker.id)
    effects.connection.execute("insert into effect values (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        effects.connection.execute("insert into effect values (1)")
    effects.roll_back()

    assert raw.execute("select count(*) from effect").fetchone() == (0,)
    assert worker.end(claim) is Answer.ACCEPTED


def test_a_forked_child_opens_a_connection_of_its_own(store: PostgresStore, monkeypatch: pytest.MonkeyPatch):
    mine = store._link.wire
    monkeypatch.setattr(store._link, "_pid", -1)

    assert store.now() > 0
    assert store._link.wire is not mine
    assert not mine.connection.closed, "it is the parent's"
    mine.connection.close()
