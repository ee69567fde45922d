"""What becomes of a call when the server, the network or another session is in the way."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from relet.clock import SECOND
from relet.errors import Contended, OutcomeUnknown, SchemaMismatch, StoreFull, StoreUnavailable
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.postgres.failures import translate
from relet.store.postgres.open import migrate_postgres, open_postgres
from relet.store.postgres.store import PostgresStore
from tests.store.hands import Worker, decide, ids, new, news, put, put_new
from tests.store.postgres.conftest import Raw
from tests.support.postgres import Databases, PostgresServer
from tests.support.proxy import BACKEND, FRONTEND, PostgresProxy

Open = Callable[..., PostgresStore]


@pytest.fixture
def proxy(url: str) -> Iterator[PostgresProxy]:
    with PostgresProxy(url) as between:
        yield between


def test_a_reply_to_a_commit_that_is_lost_is_an_unknown_outcome(proxy: PostgresProxy, open_store: Open, raw: Raw):
    store = open_store(proxy.url)
    worker = Worker(store)
    proxy.trap(BACKEND, kind=b"C", containing=b"COMMIT")

    with pytest.raises(OutcomeUnknown):
        worker.renew()

    assert worker.renew().live, "the next call connects anew"


def test_a_turn_whose_answer_is_lost_can_be_repeated_and_gets_the_first_answer(proxy: PostgresProxy, open_store: Open):
    store = open_store(proxy.url)
    worker = Worker(store)
    put(store, *news(3))
    done = [decide(claim, Ended.SUCCESS) for claim in worker.claim(2)]
    trap = proxy.trap(BACKEND, kind=b"C")

    with pytest.raises(OutcomeUnknown):
        worker.turn(done, want=worker.want(1))

    assert trap.sprung.is_set()
    assert worker.settle(*done) == (Answer.REPLAYED, Answer.REPLAYED)
    (held,) = store.listen(worker.id).held
    assert [claim.job_id for claim in store.claims(worker.id, [held[0]])] == [held[0]]


def test_an_enqueue_whose_answer_is_lost_can_be_repeated_and_makes_no_second_job(
    proxy: PostgresProxy, open_store: Open, raw: Raw
):
    store = open_store(proxy.url)
    jobs = news(5)
    put_new(store)
    proxy.trap(BACKEND, kind=b"C")

    with pytest.raises(OutcomeUnknown):
        store.enqueue(jobs)

    assert all(answer.created for answer in store.enqueue(jobs))
    assert raw.execute("select count(*) from relet.ready").fetchone() == (6,)


def test_a_connection_lost_before_the_commit_was_sent_wrote_nothing(proxy: PostgresProxy, open_store: Open, raw: Raw):
    store = open_store(proxy.url)
    worker = Worker(store)
    worker.renew()
    proxy.trap(FRONTEND, containing=b"commit")
    with pytest.raises(OutcomeUnknown):  # it was cut as it was sent: nobody can know
        worker.renew()
    store.now()
    proxy.trap(FRONTEND, containing=b"begin")

    with pytest.raises(StoreUnavailable, match="Nothing was written"):
        worker.renew()


def test_a_server_that_does_not_answer_is_given_up_at_the_deadline(proxy: PostgresProxy, open_store: Open):
    store = open_store(proxy.url)
    store._link.wire.connection.deadline_us = SECOND // 2
    proxy.blackhole()
    begun = time.monotonic()

    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.5 s"):
        store.now()

    assert 0.4 < time.monotonic() - begun < 2
    proxy.restore()
    assert store.now() > 0


def test_a_server_that_swallows_a_turn_leaves_its_outcome_unknown(proxy: PostgresProxy, open_store: Open):
    store = open_store(proxy.url)
    worker = Worker(store)
    store._link.wire.connection.deadline_us = SECOND // 2
    proxy.blackhole()

    with pytest.raises(OutcomeUnknown):
        worker.claim()


def test_a_killed_server_is_unavailable_and_back_when_it_is_back(own_pg: PostgresServer):
    url = own_pg.url(own_pg.create_database())
    migrate_postgres(url)
    store = open_postgres(url)
    put_new(store)
    own_pg.kill()

    with pytest.raises(StoreUnavailable):
        store.now()
    with pytest.raises(StoreUnavailable):
        store.enqueue([new()])

    own_pg.start()
    assert store.ranks(()) == [("default", -1)], "what was acknowledged before is there"
    store.close()


def test_a_server_that_shuts_down_orderly_is_unavailable(own_pg: PostgresServer):
    url = own_pg.url(own_pg.create_database())
    migrate_postgres(url)
    store = open_postgres(url)
    own_pg.restart()

    with pytest.raises(StoreUnavailable):
        store.now()
    assert store.now() > 0
    store.close()


def test_a_commit_that_the_standby_did_not_confirm_is_an_unknown_outcome(own_pg: PostgresServer):
    url = own_pg.url(own_pg.create_database())
    migrate_postgres(url)
    store = open_postgres(url)
    with psycopg.connect(own_pg.admin_url, autocommit=True) as admin:
        admin.execute("alter system set synchronous_standby_names = 'nobody'")
        admin.execute("select pg_reload_conf()")
        cancel = threading.Thread(target=_cancel_waiting, args=(own_pg.admin_url,))
        cancel.start()

        with pytest.raises(OutcomeUnknown, match="not confirmed"):
            _keep_enqueueing(store)

        cancel.join()
        admin.execute("alter system reset synchronous_standby_names")
        admin.execute("select pg_reload_conf()")
    store.close()


def _keep_enqueueing(store: PostgresStore) -> None:
    """The server takes a while to wait for its standby."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        put_new(store)


def _cancel_waiting(admin_url: str) -> None:
    """Cancel the first wait for a standby, as an administrator would."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            cancel = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"
            if admin.execute(cancel).fetchall():
                return
            time.sleep(0.01)


def test_a_server_that_is_read_only_is_unavailable(pg: Databases, url: str):
    name = url.rpartition("/")[2]
    with psycopg.connect(pg.admin_url, autocommit=True) as admin:
        admin.execute(f'alter database "{name}" set default_transaction_read_only = on')

    with pytest.raises(StoreUnavailable, match="read-only"):
        open_postgres(url)


def test_a_server_that_turns_read_only_is_unavailable(store: PostgresStore):
    store._link.wire.command(b"set default_transaction_read_only = on")

    with pytest.raises(StoreUnavailable, match="read-only"):
        store.enqueue([new()])


def test_a_lock_that_cannot_be_had_in_time_is_contended_and_nothing_is_written(store: PostgresStore, raw: Raw):
    store._link.wire.command(b"set lock_timeout = '50ms'")
    with raw.transaction():
        raw.execute("lock table relet.ready in access exclusive mode")
        with pytest.raises(Contended, match="Nothing was written"):
            store.enqueue([new()])

    assert raw.execute("select count(*) from relet.job").fetchone() == (0,)
    put_new(store)


def test_a_statement_that_takes_too_long_is_contended(store: PostgresStore, raw: Raw):
    store._link.wire.command(b"set statement_timeout = '50ms'")
    with raw.transaction():
        raw.execute("lock table relet.ready in access exclusive mode")
        with pytest.raises(Contended):
            store.ranks(())


def test_tables_that_are_not_there_ask_for_a_migration(pg_url: str):
    with pytest.raises(SchemaMismatch, match="relet migrate"):
        open_postgres(pg_url)


def test_no_such_database_is_unavailable_and_the_message_has_no_secret(pg: Databases):
    url = pg.url("no_such_database").replace("postgres@", "postgres:s3cret@")

    with pytest.raises(StoreUnavailable) as refused:
        open_postgres(url)

    assert "no_such_database" in str(refused.value)
    assert "s3cret" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.DiskFull, StoreFull),
        (psycopg.errors.OutOfMemory, StoreFull),
        (psycopg.errors.TooManyConnections, StoreUnavailable),
        (psycopg.errors.CannotConnectNow, StoreUnavailable),
        (psycopg.errors.ReadOnlySqlTransaction, StoreUnavailable),
        (psycopg.errors.DeadlockDetected, Contended),
        (psycopg.errors.SerializationFailure, Contended),
        (psycopg.errors.QueryCanceled, Contended),
        (psycopg.errors.UndefinedTable, SchemaMismatch),
    ],
)
def test_errors_of_the_server_are_named_by_what_they_mean_for_the_data(
    error: type[psycopg.Error], kind: type[Exception]
):
    assert type(translate(error("x"), "postgresql://h/d", committing=False)) is kind


def test_two_calls_that_deadlock_are_contended_not_broken(open_store: Open):
    one, two = open_store(), open_store()
    worker = Worker(one)
    first, second = put(one, *news(2))
    assert ids(worker.claim()) == [first, second]
    met = threading.Barrier(2)
    failures: list[Exception] = []

    def write_both(store: PostgresStore, jobs: tuple[bytes, bytes]) -> None:
        try:
            with store._link.write() as tx:
                tx.run("note_progress", **_noted(worker, jobs[0]))
                met.wait()
                tx.run("note_progress", **_noted(worker, jobs[1]))
        except Contended as contended:
            failures.append(contended)

    crossing = threading.Thread(target=write_both, args=(two, (second, first)))
    crossing.start()
    write_both(one, (first, second))
    crossing.join()

    (failure,) = failures
    assert "deadlock" in str(failure)


def _noted(worker: Worker, job_id: bytes) -> dict[str, object]:
    return {"job_id": job_id, "session_id": worker.id, "epoch": 1, "percent": 1.0, "message": ""}
