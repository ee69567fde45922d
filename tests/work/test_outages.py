"""A worker whose store goes away and comes back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.job.state import State
from relet.store.postgres.open import migrate_postgres
from tests.support.postgres import PostgresServer
from tests.support.proxy import BACKEND, PostgresProxy
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop, _open


@pytest.fixture
def own_shop(own_pg: PostgresServer, tmp_path: Path) -> Iterator[Shop]:
    """On a PostgreSQL of this test alone."""
    url = own_pg.url(own_pg.create_database())
    migrate_postgres(url)
    yield from _open(url, tmp_path)


def test_worker_survives_restarts_of_its_store(own_shop: Shop, own_pg: PostgresServer) -> None:
    jobs = tasks.app.enqueue_many([tasks.nap.call(own_shop.ledger, 0.02, 0.02) for _ in range(300)])
    worker = own_shop.worker(slots=10, lease="3s")
    for share in (50, 150):
        until(lambda share=share: worker.status().jobs_completed > share, 20)
        own_pg.kill()
        time.sleep(0.3)
        own_pg.start()
    until(lambda: all(_state(own_shop, job) is State.SUCCEEDED for job in jobs), 30)
    assert worker.status().is_running
    assert own_shop.told("store.unavailable") or own_shop.told("store.unknown")
    assert own_shop.told("store.back")
    assert not own_shop.told("worker.defect")


def _state(shop: Shop, job: object) -> State:
    try:
        return shop.row(job).state
    except Exception:
        return State.READY


def test_worker_fences_itself_while_its_store_is_away_and_goes_on_afterwards(
    own_shop: Shop, own_pg: PostgresServer
) -> None:
    worker = own_shop.worker(lease="1s")
    job = tasks.nap.enqueue(own_shop.ledger, 60, 0.1)
    until(own_shop.lines)
    own_pg.kill()
    until(lambda: own_shop.told("session.lost"), 5)
    until(lambda: worker.status().active_jobs == 0, 5)
    assert not worker.status().holds_lease
    own_pg.start()
    until(lambda: _state(own_shop, job) is State.SUCCEEDED, 20)
    assert own_shop.row(job).attempt == 0
    assert worker.status().holds_lease
    assert worker.healthy


def test_store_that_is_away_is_said_once_a_second_for_all_parts_of_a_worker(
    own_shop: Shop, own_pg: PostgresServer
) -> None:
    own_shop.worker(lease="2s")
    until(lambda: own_shop.told("session.opened"))
    own_pg.kill()
    began = time.monotonic()
    until(lambda: own_shop.told("session.lost"), 5)
    time.sleep(1)
    lines = sum(len(own_shop.told(event)) for event in AWAY)
    assert 2 <= lines <= time.monotonic() - began + 2, "and perhaps one answer that was lost on the way"
    own_pg.start()
    until(lambda: own_shop.told("store.back"), 20)
    assert float(own_shop.told("store.back")[0]["after"].removesuffix("s")) > 2


AWAY = ("store.unavailable", "store.unknown", "lease.late", "chore.failed", "store.refused")


def test_worker_waits_for_a_store_that_is_away_at_its_start(own_shop: Shop, own_pg: PostgresServer) -> None:
    job = tasks.add.enqueue(1, 2)
    own_pg.kill()
    worker = own_shop.worker()
    until(lambda: own_shop.told("store.unavailable"), 10)
    assert worker.status().is_running
    own_pg.start()
    until(lambda: _state(own_shop, job) is State.SUCCEEDED, 20)


def test_drain_without_a_store_ends_all_the_same(own_shop: Shop, own_pg: PostgresServer) -> None:
    worker = own_shop.worker(lease="1s")
    until(lambda: own_shop.told("session.opened"))
    tasks.nap.enqueue(own_shop.ledger, 60)
    until(own_shop.lines)
    own_pg.kill()
    began = time.monotonic()
    worker.stop()
    assert worker.wait(40)
    assert time.monotonic() - began < 35
    own_pg.start()


@pytest.fixture
def proxied(migrated_pg_url: str, tmp_path: Path) -> Iterator[tuple[Shop, PostgresProxy]]:
    """A worker's way to its PostgreSQL, with a proxy in between; the test's own store goes through it, too."""
    with PostgresProxy(migrated_pg_url) as proxy:
        for shop in _open(proxy.url, tmp_path):
            yield shop, proxy
            proxy.restore()


def test_answers_that_are_lost_leave_nothing_stuck(proxied: tuple[Shop, PostgresProxy]) -> None:
    """Connections are cut before the answer to a statement that was committed: claims that nobody heard of are found."""
    shop, proxy = proxied
    jobs = tasks.app.enqueue_many([tasks.nap.call(shop.ledger, 0.01, 0.01) for _ in range(200)])
    worker = shop.worker(slots=10)
    until(lambda: worker.status().jobs_completed > 5)
    for nth in range(1, 13):
        trap = proxy.trap(BACKEND, nth, kind=b"C")
        trap.sprung.wait(2)
    until(lambda: all(_state(shop, job) is State.SUCCEEDED for job in jobs), 30)
    assert shop.told("store.unknown")
    assert not shop.told("worker.defect")
    assert not shop.told("session.lost")
    assert worker.status().active_jobs == 0


def test_silent_network_does_not_keep_a_worker_from_fencing_itself(proxied: tuple[Shop, PostgresProxy]) -> None:
    """Connections stay open and nothing comes: the keeper hangs in its call, and the watch fences in its place."""
    shop, proxy = proxied
    shop.worker(lease="2s")
    job = tasks.nap.enqueue(shop.ledger, 60, 0.1)
    until(shop.lines)
    began = time.monotonic()
    proxy.blackhole()
    until(lambda: shop.told("session.lost"), 5)
    assert time.monotonic() - began < 2.2
    proxy.restore()
    until(lambda: _state(shop, job) is State.SUCCEEDED, 30)
    assert len(shop.told("session.lost")) == 1, "the keeper has nothing to add when its call has ended"
