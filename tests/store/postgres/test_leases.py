"""Looking after a lease stays cheap while the traces of ended claims cannot be swept."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from relet.job.outcome import Ended
from relet.store.postgres import lease
from relet.store.postgres.store import PostgresStore
from relet.store.records import Beat
from tests.store.hands import LEASE_US, IDS, Worker, decide, news, put
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


def traces_read(raw: Raw, call: Callable[[], object]) -> int:
    """How many entries of running's index by session were looked at meanwhile."""
    before = _read(raw)
    call()
    return _read(raw) - before


def _read(raw: Raw) -> int:
    """Statistics come in once a second at most; a transaction that is done says so when the next one ends."""
    sql = "select idx_scan, idx_blks_hit from pg_stat_user_indexes join pg_statio_user_indexes using (indexrelid)"
    seen: object = None
    while seen != (
        seen := raw.execute(f"{sql} where pg_stat_user_indexes.indexrelname = 'running_session'").fetchone()
    ):
        raw.execute("select pg_stat_clear_snapshot()")
        time.sleep(1.1)
    return int(str(seen[1])) if isinstance(seen, tuple) else 0


def test_a_look_for_known_claims_does_not_touch_the_ended_ones(worker: Worker, raw: Raw):
    put(worker.store, *news(2))
    known = [(claim.job_id, claim.epoch) for claim in worker.claim()]

    pages = traces_read(raw, lambda: [worker.store.listen(worker.id, known) for _ in range(20)])

    assert pages == 0
    assert traces_read(raw, lambda: [worker.store.listen(worker.id) for _ in range(20)]) > 20 * ENDED / 400


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
