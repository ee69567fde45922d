"""Looking after a lease stays cheap while the traces of ended claims cannot be swept."""

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from relet.job.outcome import Ended
from relet.store.postgres import lease
from relet.store.postgres.store import PostgresStore
from relet.store.records import Beat
from tests.store.hands import IDS, LEASE_US, Worker, decide, news, put
from tests.store.postgres.conftest import Raw

ENDED = 3_000


@pytest.fixture
def pinned(url: str) -> Iterator[None]:
    """A program that has looked at the tables and keeps its transaction open."""
    with psycopg.connect(url) as program:
        program.execute("set transaction isolation level repeatable read")
        program.execute("select count(*) from relet.running")
        yield


@pytest.fixture
def worker(pinned: None, store: PostgresStore) -> Worker:
    """A worker that has done a lot since."""
    busy = Worker(store)
    put(store, *news(ENDED))
    for _ in range(3):
        busy.settle(*[decide(claim, Ended.SUCCESS) for claim in busy.claim(1000)])
    return busy


def pages_read(store: PostgresStore, raw: Raw, call: Callable[[], object]) -> int:
    """How many pages of running's index by session were looked at meanwhile."""
    before = _pages(store, raw)
    call()
    return _pages(store, raw) - before


def _pages(store: PostgresStore, raw: Raw) -> int:
    store._link.wire.command(b"select pg_stat_force_next_flush()")
    store.now()
    sql = "select idx_blks_hit + idx_blks_read from pg_statio_user_indexes where indexrelname = 'running_session'"
    (pages,) = raw.execute(sql).fetchone() or (0,)
    return int(str(pages))


def test_a_look_for_known_claims_does_not_touch_the_ended_ones(worker: Worker, store: PostgresStore, raw: Raw):
    put(store, *news(2))
    known = [(claim.job_id, claim.epoch) for claim in worker.claim()]

    assert pages_read(store, raw, lambda: [store.listen(worker.id, known) for _ in range(20)]) == 0
    assert pages_read(store, raw, lambda: [store.listen(worker.id) for _ in range(20)]) > 20 * ENDED / 400


def test_known_claims_that_stand_are_held_and_others_are_not(worker: Worker, store: PostgresStore):
    put(store, *news(3))
    first, second, third = worker.claim()
    worker.end(second)
    known = [(first.job_id, 1), (second.job_id, 1), (third.job_id, 7), (IDS.job(), 1)]

    assert store.listen(worker.id, known).held == ((first.job_id, 1),)
    assert store.listen(worker.id, []).held == ()
    assert set(store.listen(worker.id).held) == {(first.job_id, 1), (third.job_id, 1)}
    assert store.renew(worker.id, LEASE_US, Beat(), known).held == store.listen(worker.id).held


def test_a_claim_of_another_session_is_not_held(worker: Worker, open_store: Callable[..., PostgresStore]):
    other = Worker(open_store(), "other")
    put(worker.store, *news(1))
    claim = worker.take()

    assert other.store.listen(other.id, [(claim.job_id, claim.epoch)]).held == ()


def test_a_renewal_stands_when_the_look_for_all_claims_takes_too_long(
    store: PostgresStore, raw: Raw, monkeypatch: pytest.MonkeyPatch
):
    worker = Worker(store)
    put(store, *news(2))
    claim, _ = worker.claim()
    monkeypatch.setattr(lease, "LOOK_MS", 50)
    with raw.transaction():
        raw.execute("lock table relet.running in access exclusive mode")
        release = threading.Timer(0.5, raw.execute, ["rollback"])
        release.start()
        renewed = store.renew(worker.id, LEASE_US, Beat(busy=2), [(claim.job_id, claim.epoch)])
        release.join()

    assert renewed.live
    assert renewed.held == ((claim.job_id, claim.epoch),)
    assert raw.execute("select busy from relet.session").fetchone() == (2,)


def test_claims_without_a_session_are_found_among_many_that_have_ended(worker: Worker, raw: Raw, store: PostgresStore):
    put(store, *news(4))
    orphans = [Worker(store, f"w{n}") for n in range(3)]
    for orphan in orphans:
        orphan.take()
    for orphan in orphans[:2]:
        raw.execute("delete from relet.session where id = %s::uuid", (orphan.id.hex(),))

    found = {gone.session_id for gone in store.reclaim_expired()}

    assert found == {orphan.id for orphan in orphans[:2]}
    assert store.ranks(()) == [("default", -1)]
