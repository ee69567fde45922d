"""On one host, a commit that makes work rings for the workers that sleep."""

from pathlib import Path

import pytest

from relet.clock import ManualClock
from relet.store.open import open_store
from relet.store.port import Bell, Store
from relet.store.sqlite.bell import BELLS, SqliteBell
from tests.store.hands import Worker, new, put_new

pytestmark = pytest.mark.skipif(SqliteBell.hang("probe") is None, reason="no abstract sockets on this platform")


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/jobs.db" if request.param == "file" else f"sqlite:///:memory:?name={tmp_path.name}"


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url, ManualClock())


def bell_of(store: Store) -> Bell:
    bell = store.bell()
    assert bell is not None
    return bell


def test_an_enqueue_by_another_connection_rings(url: str, store: Store):
    bell = bell_of(store)
    assert not bell.take()

    put_new(open_store(url, ManualClock()))

    assert bell.take()
    assert not bell.take()


def test_all_that_sleep_are_rung_for(url: str, store: Store):
    first, second = bell_of(store), bell_of(other := open_store(url, ManualClock()))

    put_new(other)

    assert (first.take(), second.take()) == (True, True)


def test_what_was_rolled_back_rings_for_nobody(url: str, store: Store):
    bell = bell_of(store)
    other = open_store(url, ManualClock())
    other.close_queue("shut", "me", "")

    with pytest.raises(Exception, match="closed"):
        other.enqueue([new(queue="default"), new(queue="shut")])

    assert not bell.take()


def test_a_delayed_job_rings_when_it_is_promoted_and_a_reclaimed_one_when_it_returns(url: str):
    clock = ManualClock()
    store, other = open_store(url, clock), open_store(url, clock)
    bell = bell_of(store)
    put_new(other, delay_us=10)
    assert not bell.take()
    clock.advance(10)
    other.promote(10)
    assert bell.take()

    worker = Worker(other)
    worker.claim(1)
    assert not bell.take()
    other.reclaim(worker.id, "killed")

    assert bell.take()


def test_a_bell_that_nobody_hears_any_more_gives_its_place_free(url: str):
    for _ in range(2 * BELLS):
        gone = open_store(url, ManualClock())
        assert gone.bell() is not None
        gone.close()


def test_more_workers_than_bells_still_work_by_polling(url: str):
    stores = [open_store(url, ManualClock()) for _ in range(BELLS + 1)]

    assert [store.bell() is None for store in stores] == [False] * BELLS + [True]
