"""Who is woken when there is work, and who is left alone."""

import select
from collections.abc import Callable

import psycopg
import pytest

from relet.job.job import After
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.store.port import Bell
from relet.store.postgres.bell import BUSY_US, Doze
from relet.store.postgres.store import PostgresStore
from tests.store.hands import Worker, news, put, put_new
from tests.store.postgres.conftest import Raw
from tests.support.proxy import PostgresProxy

Open = Callable[..., PostgresStore]
SECONDS = 5.0


class Sleeper(Worker):
    """A worker that listens, has found nothing, and sleeps."""

    def __init__(self, store: PostgresStore, **fields: object) -> None:
        super().__init__(store, **fields)  # type: ignore[arg-type]  # passed on as they are
        bell = store.bell()
        assert bell is not None
        self.bell: Bell = bell
        assert self.claim() == ()
        self.bell.take()

    def rings(self, seconds: float = SECONDS) -> bool:
        """Wait as a worker does; whether it is woken."""
        while select.select([self.bell.fileno()], [], [], seconds)[0]:
            if self.bell.take():
                return True
        return False


def silent(sleeper: Sleeper) -> bool:
    """Whether nothing has come. What was committed before is on its way by now: a round trip comes behind it."""
    sleeper.store.now()
    return not sleeper.bell.take()


def test_an_enqueue_wakes_a_worker_that_sleeps(open_store: Open):
    sleeper = Sleeper(open_store())

    put_new(open_store())

    assert sleeper.rings()
    assert len(sleeper.claim()) == 1


@pytest.mark.parametrize("count", [1, 5, 100])
def test_any_number_of_jobs_wakes(open_store: Open, count: int):
    sleeper = Sleeper(open_store())

    put(open_store(), *news(count))

    assert sleeper.rings()


def test_a_promotion_a_release_and_a_reclaim_wake(open_store: Open, raw: Raw):
    sleeper, producer = Sleeper(open_store()), open_store()
    put_new(producer, delay_us=1)
    producer.promote(10)
    assert sleeper.rings()
    other = Worker(open_store(), "other")
    claim = other.take()
    assert sleeper.claim() == ()
    other.end(claim, Ended.RELEASE)
    assert sleeper.rings()
    other.take()
    assert sleeper.claim() == ()
    other.store.reclaim(other.id, "killed")
    assert sleeper.rings()


def test_an_enqueue_in_somebody_elses_transaction_wakes_at_its_commit(open_store: Open, raw: Raw):
    sleeper = Sleeper(open_store())
    with raw.transaction():
        raw.execute(
            "insert into relet.ready select relet.next_seq(), gen_random_uuid(), 0, -1, 0, 0, 0, 0, 0, 0, 'default', 't'"
        )
        assert silent(sleeper)

    assert sleeper.rings()
    raw.execute("delete from relet.ready")


@pytest.mark.parametrize("job", [{"queue": "other"}, {"task": "unknown"}])
def test_a_worker_is_not_woken_for_what_it_does_not_take(open_store: Open, job: dict[str, str]):
    sleeper = Sleeper(open_store())

    put_new(open_store(), **job)

    assert silent(sleeper)


@pytest.mark.parametrize("queues", [(), ("*",), ("mine", "*"), ("mine", "other")])
def test_a_worker_of_all_queues_is_woken_for_any(open_store: Open, queues: tuple[str, ...]):
    sleeper = Sleeper(open_store(), queues=queues)

    put_new(open_store(), queue="other")

    assert sleeper.rings()


def test_one_job_wakes_a_few_of_many_sleepers(open_store: Open):
    sleepers = [Sleeper(open_store(), name=f"w{n}") for n in range(9)]

    put_new(open_store())

    assert sum(not silent(sleeper) for sleeper in sleepers) == 3


def test_many_jobs_wake_every_sleeper(open_store: Open):
    sleepers = [Sleeper(open_store(), name=f"w{n}") for n in range(9)]

    put(open_store(), *news(50))

    assert all(sleeper.rings() for sleeper in sleepers)


def test_nothing_is_sent_while_nobody_sleeps(open_store: Open, url: str):
    worker = Worker(open_store())
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute("listen relet_relet")
        put(worker.store, *news(3))
        worker.claim()
        put(worker.store, *news(3))

        assert list(listener.notifies(timeout=0.2)) == []


def test_the_first_claim_that_finds_nothing_is_repeated_for_what_came_in_between(open_store: Open):
    store = open_store()
    worker = Worker(store)
    bell = store.bell()
    assert bell is not None
    assert bell.take(), "there may have been work before it listened"

    assert worker.claim() == ()
    assert bell.take(), "and before it was known to sleep"

    assert worker.claim() == ()
    assert not bell.take()


def test_a_lost_connection_rings_and_the_next_one_listens_too(open_store: Open, url: str):
    with PostgresProxy(url) as proxy:
        sleeper = Sleeper(open_store(proxy.url))
        proxy.cut()
        assert sleeper.rings(), "so that the worker looks"

        assert sleeper.claim() == ()
        sleeper.bell.take()
        put_new(open_store())
        assert sleeper.rings()


def test_a_bell_without_a_connection_is_silent_but_can_be_waited_for(open_store: Open, url: str):
    with PostgresProxy(url) as proxy:
        sleeper = Sleeper(open_store(proxy.url))
        proxy.refuse()
        assert sleeper.rings()

        assert not sleeper.rings(0.05)
        proxy.restore()


def test_a_session_that_ended_is_not_rung_for(open_store: Open, raw: Raw):
    sleeper = Sleeper(open_store())
    sleeper.leave()

    put_new(open_store())

    assert silent(sleeper)
    assert raw.execute("select count(*) from relet.session where asleep = 1").fetchone() == (0,)


def test_a_trickle_keeps_a_session_marked_as_asleep_and_a_flood_does_not():
    doze = Doze()

    assert doze.turned(b"s", 0, 0) is True
    assert [doze.turned(b"s", n, n * 1000) for n in (1, 0, 1, 0)] == [None] * 4
    assert doze.turned(b"s", 9, BUSY_US) is None
    assert doze.turned(b"s", 9, 2 * BUSY_US) is None
    assert doze.turned(b"s", 9, 2 * BUSY_US + 1) is False
    assert doze.turned(b"s", 9, 9 * BUSY_US) is None
    assert doze.turned(b"s", 0, 9 * BUSY_US) is True


def test_a_new_session_is_told_of_anew():
    doze = Doze()
    doze.turned(b"s", 0, 0)

    assert doze.turned(b"t", 0, 1) is True


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.REJECT])
@pytest.mark.parametrize("awaited", [False, True])
def test_a_slot_of_a_limited_queue_that_is_freed_wakes(open_store: Open, ended: Ended, *, awaited: bool):
    store = open_store()
    parent, _ = put(store, *news(2))
    if awaited:
        put_new(store, queue="other", after=(After(parent),))
    store.limit_queue("default", Rule(1), "ann")
    holder = Worker(store, "holder")
    (claim,) = holder.claim(limited=("default",))
    sleeper = Sleeper(open_store())

    holder.end(claim, ended)

    assert sleeper.rings()
