"""Chores, on a real store with a manual clock."""

from typing import Any

import pytest

from relet.clock import MS, SECOND, Ids, ManualClock
from relet.errors import Refused, StoreUnavailable
from relet.job.job import NewJob
from relet.job.moment import from_at
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.maintain.chores import Backlog, Neighbours, Promote, Prune, Reclaim
from relet.maintain.fire import Fire
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.records import Lane, Notes, SessionInfo, Want

LEASE = 3 * SECOND
HEARTBEAT = SECOND
JOB = b"j" * 16
SESSION = b"s" * 16


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Any:
    store = open_store("sqlite:///:memory:", clock)
    yield store
    store.close()


class Heard:
    """What a chore told."""

    def __init__(self) -> None:
        self.work: list[bool] = []
        self.events: list[tuple[str, dict[str, Any]]] = []

    def on_work(self, *, again: bool) -> None:
        self.work.append(again)

    def emit(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))


def claim(store: Store) -> None:
    store.enqueue([NewJob(JOB, "t")])
    store.open_session(SessionInfo(SESSION, "w", "h", 7, (), ("t",), host_boot="b", lock_place="p"), LEASE)
    store.turn(SESSION, (), Notes(), Want(1, (Lane("default", -1),), ("t",)))


def test_lapsed_session_is_reclaimed_and_its_work_announced(store: Store, clock: ManualClock) -> None:
    claim(store)
    heard = Heard()
    chore = Reclaim(LEASE, HEARTBEAT, lambda: True, lambda: None, heard.on_work, heard.emit)
    chore.run(store)
    assert heard.work == []
    clock.advance(LEASE + 1)
    chore.run(store)
    assert heard.work == [True]
    ((event, facts),) = heard.events
    assert (event, facts["worker"], facts["returned"]) == ("session.reclaimed", "w", 1)
    assert store.insights.job(JOB).suspicions == 1  # type: ignore[union-attr]


def test_worker_that_could_not_renew_itself_waits_a_heartbeat_before_it_judges(
    store: Store, clock: ManualClock
) -> None:
    claim(store)
    clock.advance(LEASE + 1)
    heard, fresh, renewals = Heard(), [False], []
    chore = Reclaim(LEASE, HEARTBEAT, lambda: fresh[0], lambda: renewals.append(1), heard.on_work, heard.emit)
    chore.run(store)
    assert renewals == [1]
    fresh[0] = True
    assert chore.run(store) == HEARTBEAT
    assert heard.work == []
    chore.run(store)
    assert heard.work == [True]


def test_neighbour_whose_lock_is_free_is_reclaimed_at_once(store: Store) -> None:
    claim(store)
    heard, forgotten = Heard(), []
    chore = Neighbours(lambda: [SESSION], list, forgotten.append, heard.on_work, heard.emit)
    chore.run(store)
    assert (heard.work, forgotten) == ([True], [SESSION])
    assert heard.events[0][1]["cause"] == "its process 7 is gone"


def test_lock_of_another_store_is_asked_about_once(store: Store) -> None:
    heard, asked = Heard(), []
    chore = Neighbours(
        lambda: [b"x" * 16], lambda rows: asked.append(1) or [], lambda _: None, heard.on_work, heard.emit
    )
    chore.run(store)
    chore.run(store)
    assert asked == [1]


def test_due_jobs_are_promoted_and_the_next_one_waited_for(store: Store, clock: ManualClock) -> None:
    store.enqueue([NewJob(bytes([n]) * 16, "t", delay_us=n * 100 * MS) for n in (1, 2)])
    heard = Heard()
    chore = Promote(2 * SECOND, heard.on_work)
    assert chore.run(store) == 100 * MS
    clock.advance(100 * MS)
    assert chore.run(store) == 100 * MS
    assert heard.work == [False]
    clock.advance(100 * MS)
    assert chore.run(store) == 250 * MS
    assert heard.work == [False, False]


def test_job_that_is_put_off_for_a_moment_is_not_late(store: Store, clock: ManualClock) -> None:
    heard = Heard()
    chore = Promote(2 * SECOND, heard.on_work)
    assert chore.run(store) == 250 * MS
    store.enqueue([NewJob(JOB, "t", delay_us=300 * MS)])
    clock.advance(250 * MS)
    assert chore.run(store) == 50 * MS
    clock.advance(50 * MS)
    chore.run(store)
    assert heard.work == [False]


def test_many_due_jobs_are_promoted_in_one_run(store: Store, clock: ManualClock) -> None:
    store.enqueue([NewJob(n.to_bytes(16, "big"), "t", delay_us=1) for n in range(1200)])
    clock.advance(SECOND)
    Promote(SECOND, Heard().on_work).run(store)
    assert store.insights.queues()[0].ready == 1200


def test_pause_with_an_end_ends(store: Store, clock: ManualClock) -> None:
    store.pause_queue("default", "me", "", clock.now() + SECOND)
    clock.advance(2 * SECOND)
    Promote(SECOND, Heard().on_work).run(store)
    assert all(queue.paused_at is None for queue in store.insights.queues())


def test_old_jobs_are_forgotten(store: Store, clock: ManualClock) -> None:
    store.enqueue([NewJob(JOB, "t")])
    store.cancel(JOB, "", "me", 0)
    chore = Prune(SECOND, SECOND)
    chore.run(store)
    assert store.insights.job(JOB) is not None
    clock.advance(2 * SECOND)
    chore.run(store)
    assert store.insights.job(JOB) is None


def fill(store: Store, count: int) -> None:
    store.enqueue([NewJob(number.to_bytes(16), "t", delay_us=number % 2 * SECOND) for number in range(1, count + 1)])


def test_full_queue_is_closed_until_a_tenth_of_it_is_done(store: Store) -> None:
    heard = Heard()
    chore = Backlog(20, heard.emit)
    fill(store, 19)
    chore.run(store)
    store.enqueue([NewJob(JOB, "t")])
    chore.run(store)
    with pytest.raises(Refused, match=r"closed by max_backlog \(20 jobs wait in it; it opens by itself below 18\)"):
        store.enqueue([NewJob(SESSION, "t")])
    store.purge_queue("default", "ann", 2)
    chore.run(store)
    assert [event for event, _ in heard.events] == ["queue.full"]
    store.purge_queue("default", "ann", 1)
    chore.run(store)
    store.enqueue([NewJob(SESSION, "t")])
    assert [event for event, _ in heard.events] == ["queue.full", "queue.open"]


def test_queue_that_a_person_has_closed_stays_closed(store: Store) -> None:
    heard = Heard()
    chore = Backlog(20, heard.emit)
    fill(store, 20)
    store.close_queue("default", "ann", "moving")
    chore.run(store)
    store.purge_queue("default", "ann", 20)
    chore.run(store)
    with pytest.raises(Refused, match="closed by ann"):
        store.enqueue([NewJob(JOB, "t")])
    assert heard.events == []


def test_chore_that_fails_is_told_and_tried_again() -> None:
    import threading

    from relet.clock import SystemClock, jitter
    from relet.maintain.caretaker import Caretaker
    from relet.store.reach import Reach

    class Sulky:
        name, every_us, runs = "sulky", 10 * MS, 0
        done = threading.Event()

        def run(self, store: Store) -> int | None:
            self.runs += 1
            if self.runs == 1:
                raise StoreUnavailable("away")
            self.done.set()
            return None

    heard, chore = Heard(), Sulky()
    clock = SystemClock()
    reach = Reach(clock, heard.emit)
    caretaker = Caretaker([chore], lambda: open_store("sqlite:///:memory:"), clock, jitter(), reach, heard.emit)
    caretaker.start()
    assert chore.done.wait(5)
    caretaker.finish(SECOND)
    assert heard.events[0] == ("store.unavailable", {"error": "relet.errors.StoreUnavailable: away"})


def test_due_times_that_are_passed_over_are_told_in_one_line(store: Store, clock: ManualClock) -> None:
    heard = Heard()
    rule = Recurrence.of(every="1s", catchup=5)
    store.put_schedule(Schedule(name="tick", kind=Kind.SCHEDULE, mode=Mode.SCHEDULED, task="t", rule=rule), "ann")
    chore = Fire(Ids(clock), heard.on_work, heard.emit)
    for event, reason in (
        ("schedule.passed", "the run before it had not ended"),
        ("schedule.shut_out", "its queue was closed"),
    ):
        chore.run(store)
        heard.events.clear()
        first = clock.now() + SECOND
        clock.advance(3 * SECOND)
        chore.run(store)
        facts = {"schedule": "tick", "due_at": from_at(first).isoformat(), "count": 3, "reason": reason}
        assert heard.events == [(event, facts)]
        store.close_queue("default", "ann", "")
