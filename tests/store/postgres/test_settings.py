"""What a database or a role has set for everybody does not change what the verbs do."""

from collections.abc import Callable
from threading import Thread
from urllib.parse import urlsplit

import pytest

from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.postgres.link import prepare
from relet.store.postgres.store import PostgresStore
from relet.store.records import Beat
from tests.store.hands import LEASE_US, Worker, decide, new, news, put
from tests.store.postgres.conftest import Raw

Open = Callable[..., PostgresStore]

STRICTER = ("repeatable read", "serializable")
ODD = {
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "search_path": "nowhere",
    "client_encoding": "latin1",
    "enable_nestloop": "off",
    "enable_indexscan": "off",
    "timezone": "Asia/Kathmandu",
    "datestyle": "German, DMY",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
}


def set_for_all(raw: Raw, url: str, settings: dict[str, str]) -> None:
    """What connections to this database begin with from now on."""
    for name, value in settings.items():
        raw.execute(f"""alter database "{urlsplit(url).path[1:]}" set {name} = '{value}'""".encode())


def isolation(store: PostgresStore) -> object:
    """That of a statement which is its own transaction."""
    statement = prepare("isolation", "select current_setting('transaction_isolation')", "relet")
    with store._link.alone() as tx:
        return tx.execute(statement, []).rows[0][0]


@pytest.mark.parametrize("level", STRICTER)
@pytest.mark.parametrize("pooler", ["", "?pooler=1"])
def test_a_single_statement_is_not_isolated_more_than_we_want(
    raw: Raw, url: str, open_store: Open, level: str, pooler: str
):
    set_for_all(raw, url, {"default_transaction_isolation": level})
    store = open_store(url + pooler)

    assert [isolation(store) for _ in range(2)] == ["read committed"] * 2
    left_open = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'"
    assert raw.execute(left_open).fetchone() == (0,)


@pytest.mark.parametrize("pooler", ["", "?pooler=1"])
def test_a_renewal_that_waits_for_another_writer_goes_through(raw: Raw, url: str, open_store: Open, pooler: str):
    set_for_all(raw, url, {"default_transaction_isolation": "serializable"})
    worker = Worker(open_store(url + pooler))
    lives: list[bool] = []
    renewal = Thread(target=lambda: lives.append(worker.store.renew(worker.id, LEASE_US, Beat()).live))
    with raw.transaction():
        raw.execute("update relet.session set rss_bytes = 1")
        renewal.start()
        while not raw.execute("select 1 from pg_locks where not granted").fetchone():
            assert renewal.is_alive()
    renewal.join()

    assert lives == [True]


@pytest.mark.parametrize("pooler", ["", "?pooler=1"])
def test_jobs_run_whatever_the_database_has_set(raw: Raw, url: str, open_store: Open, pooler: str):
    set_for_all(raw, url, ODD)
    worker = Worker(open_store(url + pooler))
    put(worker.store, *news(3, args='{"who":"Zoë 🦊 \\\\"}'), new(unique="k"), new(delay_us=1))
    worker.store.promote(10)
    claims = worker.claim()
    assert {claim.args for claim in claims} == {'{"who":"Zoë 🦊 \\\\"}', "{}"}
    failed, *others = claims
    settles = [decide(failed, Ended.FAILURE), *(decide(claim, Ended.SUCCESS) for claim in others)]
    assert set(worker.turn(settles).answers) == {Answer.ACCEPTED}
    worker.store.prune(0, 0, 10)
    assert worker.leave() is not None
