"""Behind a pooler in transaction mode, where each transaction may run on another server connection."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from relet.job.limits import Rule, parse_rates
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.migrate import newest
from relet.store.postgres.link import prepare
from relet.store.postgres.open import migrate_postgres, open_postgres
from relet.store.postgres.store import PostgresStore
from tests.store.hands import Worker, decide, ids, new, news, put, put_new
from tests.store.postgres.conftest import Raw

CONFIG = """
[databases]
* = host={host} port={port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
unix_socket_dir =
logfile =
"""


@pytest.fixture(scope="session")
def pgbouncer() -> str:
    """The program."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("no pgbouncer on this machine (Debian: apt-get install pgbouncer)")
    return found


@pytest.fixture
def pooled_url(pgbouncer: str, url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of the database through the pooler."""
    direct = urlsplit(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = probe.getsockname()[1]
    config = tmp_path / "pgbouncer.ini"
    config.write_text(CONFIG.format(host=direct.hostname, port=direct.port, listen=listen))
    with (tmp_path / "pgbouncer.log").open("wb") as log:
        # As somebody else than root, which it refuses; the configuration comes in by a name that he can read.
        user = "nobody" if os.geteuid() == 0 else None
        with config.open("rb") as readable:
            process = subprocess.Popen(
                [pgbouncer, "/dev/stdin"], stdin=readable, stdout=log, stderr=log, user=user, cwd="/"
            )
    try:
        await_port(listen)
        yield urlunsplit(direct._replace(netloc=f"postgres@127.0.0.1:{listen}"))
    finally:
        process.kill()
        process.wait()


def await_port(port: int) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


@pytest.fixture
def stores(pooled_url: str) -> Iterator[Callable[[], PostgresStore]]:
    """Opens stores through the pooler."""
    opened: list[PostgresStore] = []

    def another() -> PostgresStore:
        opened.append(open_postgres(pooled_url))
        return opened[-1]

    yield another
    for store in opened:
        store.close()


def test_a_pooler_is_found_out(stores: Callable[[], PostgresStore], store: PostgresStore):
    pooled = stores()

    assert pooled._link.pooled
    assert not store._link.pooled
    assert pooled.bell() is None, "so that the worker polls"


def test_jobs_run_through_a_pooler_as_they_do_without(stores: Callable[[], PostgresStore], raw: Raw):
    workers = [Worker(stores(), f"w{n}") for n in range(3)]
    put(stores(), *news(30), *[new(unique=f"k{n}") for n in range(6)], *[new(unique="k1"), new(delay_us=10**9)])
    for _ in range(4):
        for worker in workers:
            claims = worker.claim(4)
            some = [decide(claim, Ended.SUCCESS) for claim in claims]
            assert set(worker.settle(*some)) <= {Answer.ACCEPTED}
    for worker in workers:
        assert worker.renew().live
        assert worker.leave() is not None

    assert raw.execute("select count(*) from relet.finished").fetchone() == (36,)
    assert raw.execute("select count(*) from relet.unique_key").fetchone() == (0,)


def test_nothing_is_left_on_the_servers_connections(stores: Callable[[], PostgresStore], pooled_url: str):
    worker = Worker(stores())
    put(worker.store, *news(5))
    worker.settle(*[decide(claim, Ended.FAILURE, error="x") for claim in worker.claim(5)])
    with psycopg.connect(pooled_url, autocommit=True, prepare_threshold=None) as client:
        for _ in range(8):
            sql = """select current_setting('enable_seqscan'), current_setting('statement_timeout'), count(*)
                     from pg_prepared_statements"""
            assert client.execute(sql).fetchone() == ("on", "0", 0)


def test_the_limits_travel_with_each_transaction(stores: Callable[[], PostgresStore]):
    store = stores()
    with store._link.write() as tx:
        found = tx.connection.execute(
            "select current_setting('statement_timeout'), current_setting('lock_timeout')"
        ).fetchone()

    assert found == ("14s", "5s")


def test_the_isolation_travels_with_a_single_statement(stores: Callable[[], PostgresStore], raw: Raw, url: str):
    name = urlsplit(url).path[1:]
    raw.execute(f"alter database \"{name}\" set default_transaction_isolation = 'serializable'".encode())
    store = stores()
    statement = prepare("isolation", "select current_setting('transaction_isolation')", "relet")
    for _ in range(8):
        with store._link.alone() as tx:
            assert tx.execute(statement, []).rows == [("read committed",)]


def test_limits_hold_through_a_pooler_whatever_isolation_the_database_has(
    stores: Callable[[], PostgresStore], raw: Raw, url: str
):
    name = urlsplit(url).path[1:]
    raw.execute(f"alter database \"{name}\" set default_transaction_isolation = 'serializable'".encode())
    first, second = stores(), stores()
    put(first, *news(9))
    first.limit_queue("default", Rule(3, None, parse_rates("5/min")), "ann")
    mine, theirs = Worker(first), Worker(second, "other")

    claims = [*mine.claim(2, limited=("default",)), *theirs.claim(5, limited=("default",))]
    assert len(claims) == 3
    assert mine.claim(5, limited=("default",)) == ()
    turned = mine.turn([decide(claims[0], Ended.SUCCESS)], want=mine.want(5, limited=("default",)))
    assert len(turned.claims) == 1
    assert theirs.claim(5) == ()


def test_a_schema_can_be_migrated_through_a_pooler(pooled_url: str):
    assert migrate_postgres(f"{pooled_url}?schema=second") == newest("postgres")
    assert migrate_postgres(f"{pooled_url}?schema=second") == 0


def test_what_is_claimed_through_a_pooler_is_known_without(stores: Callable[[], PostgresStore], store: PostgresStore):
    worker = Worker(stores())
    put_new(store)

    claimed = ids(worker.claim())

    assert len(claimed) == 1
    assert [job_id for job_id, _ in store.listen(worker.id).held] == claimed
