"""Pausing, closing and purging queues; asking workers; queues as people see them."""

import pytest

from relet.clock import SECOND
from relet.errors import Refused
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from relet.store.rows import QueueRow
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, Worker, ids, new, news, put, put_new


def the(store: Store, queue: str = "default") -> QueueRow:
    (found,) = [row for row in store.insights.queues() if row.name == queue]
    return found


def test_nothing_is_claimed_from_a_paused_queue_until_it_is_resumed(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    store.pause_queue("default", "ann", "db is down", None)
    assert worker.claim() == ()
    assert store.resume_queue("default") is True
    assert ids(worker.claim()) == [job_id]


def test_what_runs_goes_on_in_a_paused_queue(store: Store) -> None:
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    store.pause_queue("default", "ann", "", None)
    assert worker.end(claim) == "accepted"


def test_a_pause_with_an_end_ends_by_itself(bed: Bed, store: Store) -> None:
    put_new(store)
    worker = Worker(store)
    store.pause_queue("default", "ann", "", BEGINNING + 60 * SECOND)
    assert worker.claim() == ()
    bed.advance(60 * SECOND)
    assert the(store).paused_at is None
    assert len(worker.claim()) == 1


def test_a_pause_shows_who_why_since_when_and_until_when(bed: Bed, store: Store) -> None:
    store.pause_queue("q", "ann", "db is down", BEGINNING + 60 * SECOND)
    row = the(store, "q")
    assert (row.paused_at, row.paused_by, row.pause_reason, row.resume_at) == (
        BEGINNING,
        "ann",
        "db is down",
        BEGINNING + 60 * SECOND,
    )
    bed.advance(SECOND)
    store.pause_queue("q", "bob", "", None)
    row = the(store, "q")
    assert (row.paused_at, row.paused_by, row.pause_reason, row.resume_at) == (BEGINNING + SECOND, "bob", "", None)


def test_a_closed_queue_takes_no_new_jobs_and_works_off_those_it_has(store: Store) -> None:
    job_id = put_new(store)
    store.close_queue("default", "ann", "moving")
    with pytest.raises(Refused, match="closed by ann"):
        put_new(store)
    assert ids(Worker(store).claim()) == [job_id]
    row = the(store)
    assert (row.closed_at, row.closed_by, row.close_reason) == (BEGINNING, "ann", "moving")


def test_resuming_ends_pause_and_closing_together_and_says_if_there_was_neither(store: Store) -> None:
    store.pause_queue("default", "ann", "", None)
    store.close_queue("default", "ann", "")
    assert store.resume_queue("default") is True
    assert store.resume_queue("default") is False
    assert store.resume_queue("unheard-of") is False
    put_new(store)
    assert len(Worker(store).claim()) == 1


def test_pausing_one_queue_leaves_the_others(store: Store) -> None:
    store.pause_queue("a", "ann", "", None)
    job_id = put_new(store, queue="b")
    assert ids(Worker(store, queues=("a", "b")).claim()) == [job_id]


def test_purging_cancels_what_waits_in_that_queue_and_nothing_else(bed: Bed, store: Store) -> None:
    waiting = put(store, *news(3), new(unique="k"))
    later = put(store, new(delay_us=SECOND), new(delay_us=SECOND, unique="l"))
    elsewhere = put(store, new(queue="b"), new(queue="b", delay_us=SECOND))
    running = put_new(store, "u")
    Worker(store, tasks=("u",)).take()
    assert store.purge_queue("default", "ann", 100) == 6
    for job_id in (*waiting, *later):
        job = store.insights.job(job_id)
        assert job is not None
        assert (job.state, job.error) == (State.CANCELLED, "queue default purged by ann")
    assert [job.state for job in map(store.insights.job, (*elsewhere, running)) if job] == [
        State.READY,
        State.SCHEDULED,
        State.RUNNING,
    ]
    assert bed.rows("select * from relet.unique_key") == []


def test_purging_goes_in_chunks(store: Store) -> None:
    put(store, *news(3), new(delay_us=SECOND), new(delay_us=SECOND))
    assert [store.purge_queue("default", "ann", 2) for _ in range(4)] == [2, 2, 1, 0]


def test_purging_removes_what_was_asked_of_its_jobs(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    store.cancel(job_id, "no", "ann", 0)
    worker.end(claim, Ended.RELEASE)
    assert store.purge_queue("default", "ann", 10) == 1
    assert bed.rows("select * from relet.control") == []


def test_a_worker_hears_what_it_is_asked(store: Store) -> None:
    worker = Worker(store)
    assert store.ask_worker(worker.id, "drain") is True
    assert store.listen(worker.id).verb == "drain"
    assert worker.renew().verb == "drain"


def test_nobody_can_be_asked_who_is_gone(store: Store) -> None:
    worker = Worker(store)
    worker.leave()
    assert store.ask_worker(worker.id, "stop") is False
    assert store.ask_worker(IDS.session(), "stop") is False


def test_queues_are_counted_by_state(store: Store) -> None:
    worker = Worker(store)
    put(store, *news(2))
    worker.bury(worker.take())
    worker.take()
    put(store, *news(3, priority=2), *news(2, priority=0), new(delay_us=SECOND), new(queue="b"))
    assert the(store)[:6] == ("default", 5, 1, 1, 1, BEGINNING)
    assert the(store, "b")[:6] == ("b", 1, 0, 0, 0, BEGINNING)


def test_queues_come_by_name_and_only_those_with_jobs_or_a_setting(store: Store) -> None:
    assert store.insights.queues() == []
    store.pause_queue("c", "ann", "", None)
    store.pause_queue("gone", "ann", "", None)
    store.resume_queue("gone")
    put(store, new(queue="b"), new(queue="a", delay_us=SECOND))
    assert [row.name for row in store.insights.queues()] == ["a", "b", "c"]


def test_resolved_dead_letters_do_not_count_as_dead_in_a_queue(store: Store) -> None:
    worker = Worker(store)
    dead = put(store, *news(2))
    for claim in worker.claim():
        worker.bury(claim)
    store.resolve_dead(dead[0], True, "ann", "")
    assert the(store).dead == 1


def test_counts_stop_at_the_cap(store: Store) -> None:
    put(store, *news(3, priority=1), *news(3, priority=2), *news(5, delay_us=SECOND))
    (row,) = store.insights.queues(cap=4)
    assert (row.ready, row.scheduled) == (4, 4)
    counts = store.insights.counts(cap=4)
    assert (counts[State.READY], counts[State.SCHEDULED]) == (4, 4)


def test_the_oldest_ready_job_is_found_behind_a_younger_one_that_was_given_back(bed: Bed, store: Store) -> None:
    put(store, *news(2))
    worker = Worker(store)
    claim = worker.take()
    bed.advance(5 * SECOND)
    worker.end(claim, Ended.RELEASE)
    assert the(store).oldest_ready_at == BEGINNING
    assert store.insights.health()["oldest_ready_at"] == BEGINNING


def test_the_oldest_ready_job_is_found_among_those_given_back(bed: Bed, store: Store) -> None:
    put(store, *news(2))
    worker = Worker(store)
    first, second = worker.claim()
    bed.advance(5 * SECOND)
    worker.end(first, Ended.RELEASE)
    bed.advance(5 * SECOND)
    worker.end(second, Ended.RELEASE)
    put_new(store)
    assert the(store).oldest_ready_at == BEGINNING + 5 * SECOND


def test_counts_name_every_state(store: Store) -> None:
    worker = Worker(store)
    put(store, *news(4))
    success, cancelled, dead, _ = worker.claim()
    worker.end(success)
    worker.end(cancelled, Ended.CANCEL)
    worker.bury(dead)
    put(store, *news(2), *news(3, delay_us=SECOND))
    assert store.insights.counts() == {
        State.WAITING: 0,
        State.SCHEDULED: 3,
        State.READY: 2,
        State.RUNNING: 1,
        State.SUCCEEDED: 1,
        State.CANCELLED: 1,
        State.DEAD: 1,
    }


def test_closing_an_open_queue_leaves_what_another_has_closed(store: Store) -> None:
    assert store.close_open_queue("q", "watch", "full") is True
    assert store.close_open_queue("q", "watch", "fuller") is False
    assert (the(store, "q").closed_by, the(store, "q").close_reason) == ("watch", "full")
    store.close_queue("q", "ann", "moving")
    assert store.close_open_queue("q", "watch", "full") is False
    assert store.reopen_queue("q", "watch") is False
    assert the(store, "q").closed_by == "ann"


def test_reopening_ends_ones_own_closing_and_no_pause(store: Store) -> None:
    store.pause_queue("q", "ann", "", None)
    store.close_open_queue("q", "watch", "full")
    assert store.reopen_queue("q", "watch") is True
    row = the(store, "q")
    assert (row.paused_by, row.closed_at) == ("ann", None)
    assert store.reopen_queue("q", "watch") is False
