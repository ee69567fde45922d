"""On one host, a commit that makes work rings for the workers that sleep."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relet.clock import ManualClock
from relet.job.job import After
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.store.open import open_store
from relet.store.port import Bell, Store
from relet.store.sqlite.bell import BELLS
from tests.store.hands import Worker, new, news, put, put_new

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no abstract sockets on this platform")

Open = Callable[[], Store]


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/jobs.db" if request.param == "file" else f"sqlite:///:memory:?name={tmp_path.name}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def opened(url: str, clock: ManualClock) -> Iterator[Open]:
    """Opens another connection; all are closed at the end."""
    with ExitStack() as stack:

        def open_one() -> Store:
            store = open_store(url, clock)
            stack.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(opened: Open) -> Store:
    return opened()


def bell_of(store: Store) -> Bell:
    bell = store.bell()
    assert bell is not None
    return bell


def test_an_enqueue_by_another_connection_rings(opened: Open, store: Store):
    bell = bell_of(store)
    assert not bell.take()

    put_new(opened())

    assert bell.take()
    assert not bell.take()


def test_all_that_sleep_are_rung_for(opened: Open, store: Store):
    first, second = bell_of(store), bell_of(other := opened())

    put_new(other)

    assert (first.take(), second.take()) == (True, True)


def test_what_was_rolled_back_rings_for_nobody(opened: Open, store: Store):
    bell = bell_of(store)
    other = opened()
    other.close_queue("shut", "me", "")

    with pytest.raises(Exception, match="closed"):
        other.enqueue([new(queue="default"), new(queue="shut")])

    assert not bell.take()


def test_a_delayed_job_rings_when_it_is_promoted_and_a_reclaimed_one_when_it_returns(opened: Open, clock: ManualClock):
    store, other = opened(), opened()
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


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.REJECT])
@pytest.mark.parametrize("awaited", [False, True])
def test_a_slot_of_a_limited_queue_that_is_freed_rings(opened: Open, ended: Ended, *, awaited: bool):
    store = opened()
    parent, _ = put(store, *news(2))
    if awaited:
        put_new(store, queue="other", after=(After(parent),))
    store.limit_queue("default", Rule(1), "ann")
    worker = Worker(store)
    claim = worker.take()
    bell = bell_of(opened())
    bell.take()

    worker.end(claim, ended)

    assert bell.take()


def test_a_bell_that_nobody_hears_any_more_gives_its_place_free(opened: Open):
    for _ in range(2 * BELLS):
        gone = opened()
        assert gone.bell() is not None
        gone.close()


def test_more_workers_than_bells_still_work_by_polling(opened: Open):
    stores = [opened() for _ in range(BELLS + 1)]

    assert [store.bell() is None for store in stores] == [False] * BELLS + [True]
