"""Chores: what is due becomes ready, what is old is forgotten."""

import pytest

from relet.clock import DAY, SECOND
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import LogLine, Notes, Usage
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, ids, new, news, put, put_new


def bury(store: Store, count: int = 1) -> list[bytes]:
    """Dead letters."""
    found = put(store, *news(count))
    worker = Worker(store)
    for claim in worker.claim(count):
        worker.bury(claim)
    return found


def finish(store: Store, count: int = 1) -> list[bytes]:
    """Jobs that succeeded."""
    found = put(store, *news(count))
    worker = Worker(store)
    for claim in worker.claim(count):
        worker.end(claim)
    return found


# ── promote ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_due_jobs_become_ready_in_the_order_of_their_time(store: Store, bed: Bed):
    late, early, middle = put(store, new(delay_us=3 * SECOND), new(delay_us=SECOND), new(delay_us=2 * SECOND))
    bed.advance(3 * SECOND)

    assert store.promote(10) == [("default", 3)]

    assert ids(Worker(store).claim()) == [early, middle, late]


def test_promotion_goes_in_chunks_and_counts_by_queue(store: Store, bed: Bed):
    put(store, *[new(delay_us=n * SECOND, queue=f"q{n % 2}") for n in range(1, 6)])
    bed.advance(10 * SECOND)

    assert [store.promote(2) for _ in range(4)] == [[("q0", 1), ("q1", 1)], [("q0", 1), ("q1", 1)], [("q1", 1)], []]


def test_what_is_not_due_stays(store: Store, bed: Bed):
    put(store, new(delay_us=SECOND), new(delay_us=10 * SECOND))
    bed.advance(SECOND)
    store.promote(10)

    assert store.next_due() == BEGINNING + 10 * SECOND
    assert len(Worker(store).claim()) == 1


def test_nothing_scheduled_means_nothing_due(store: Store):
    put_new(store)

    assert store.next_due() is None
    assert store.promote(10) == []


def test_a_promoted_job_goes_behind_those_that_are_ready(store: Store, bed: Bed):
    later = put_new(store, delay_us=SECOND)
    first = put_new(store)
    bed.advance(SECOND)
    store.promote(10)

    assert ids(Worker(store).claim()) == [first, later]


def test_a_promoted_job_keeps_its_priority_needs_and_counters(store: Store, bed: Bed):
    put_new(store, priority=3, needs=("a=b",))
    worker = Worker(store, offers=("a=b",))
    worker.fail(worker.take())
    bed.advance(60 * SECOND)

    store.promote(10)

    claim = worker.take()
    assert (claim.rank, claim.counters.attempt, claim.epoch) == (-3, 1, 2)


def test_a_set_back_wall_clock_delays_what_is_due(store: Store, bed: Bed):
    put_new(store, delay_us=SECOND)
    bed.jump(-3600 * SECOND)
    assert store.promote(10) == []
    bed.jump(3601 * SECOND)

    assert store.promote(10) == [("default", 1)]


def test_promotion_goes_on_in_a_paused_queue(store: Store, bed: Bed):
    put_new(store, delay_us=SECOND)
    store.pause_queue("default", "ann", "", None)
    bed.advance(SECOND)

    assert store.promote(10) == [("default", 1)]
    assert Worker(store).claim() == ()


def test_ten_thousand_due_jobs_are_promoted_at_once(store: Store, bed: Bed):
    put(store, *news(10_000, delay_us=SECOND))
    bed.advance(SECOND)

    assert store.promote(10_000) == [("default", 10_000)]


# ── prune ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_old_finished_jobs_are_forgotten_with_all_that_belongs_to_them(store: Store, bed: Bed):
    job_id = put_new(store, unique="k")
    worker = Worker(store)
    worker.end(worker.take(), Ended.RELEASE)
    claim = worker.take()
    lines = [LogLine(job_id, claim.epoch, 1, BEGINNING, "info", "x", None)]
    usage = [Usage(job_id, claim.epoch, 1, "tokens", "1", "t", None)]
    worker.turn(notes=Notes((), lines, usage))
    worker.end(claim)
    bed.advance(DAY + 1)

    assert store.prune(DAY, DAY, 10) == 1

    for table in ("job", "finished", "attempt", "log_line", "usage", "control", "unique_key"):
        assert bed.rows(f"select count(*) from relet.{table}") == [(0,)], table


def test_young_finished_jobs_stay(store: Store, bed: Bed):
    finish(store)
    bed.advance(DAY - 1)

    assert store.prune(DAY, DAY, 10) == 0


def test_pruning_goes_in_chunks(store: Store, bed: Bed):
    finish(store, 5)
    bed.advance(DAY + 1)

    assert [store.prune(DAY, DAY, 2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_chunk_counts_finished_jobs_and_dead_letters_together(store: Store, bed: Bed):
    finish(store, 2)
    for job_id in bury(store, 2):
        store.resolve_dead(job_id, True, "ann", "")
    bed.advance(DAY + 1)

    assert [store.prune(DAY, DAY, 3) for _ in range(3)] == [3, 1, 0]


def test_unresolved_dead_letters_are_never_forgotten(store: Store, bed: Bed):
    (job_id,) = bury(store)
    bed.advance(10_000 * DAY)

    assert store.prune(SECOND, SECOND, 10) == 0

    assert store.insights.job(job_id) is not None


def test_resolved_dead_letters_are_forgotten_when_old(store: Store, bed: Bed):
    (job_id,) = bury(store)
    bed.advance(100 * DAY)
    store.resolve_dead(job_id, True, "ann", "fixed")
    assert store.prune(DAY, DAY, 10) == 0
    bed.advance(DAY + 1)

    assert store.prune(DAY, DAY, 10) == 1

    assert store.insights.job(job_id) is None


def test_the_ages_of_finished_and_dead_are_told_apart(store: Store, bed: Bed):
    finish(store)
    (dead,) = bury(store)
    store.resolve_dead(dead, True, "ann", "")
    bed.advance(2 * DAY)

    assert store.prune(DAY, 3 * DAY, 10) == 1

    assert store.insights.job(dead) is not None


@pytest.mark.parametrize("delay_us", [0, 100 * DAY])
def test_what_has_not_ended_is_never_forgotten(store: Store, bed: Bed, delay_us: int):
    job_id = put_new(store, delay_us=delay_us)
    bed.advance(50 * DAY)

    assert store.prune(SECOND, SECOND, 10) == 0

    assert store.insights.job(job_id) is not None


def test_a_running_job_is_never_forgotten(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store, lease_us=100 * DAY)
    claim = worker.take()
    bed.advance(50 * DAY)

    store.prune(SECOND, SECOND, 10)

    assert worker.end(claim) == "accepted"


def test_old_ended_sessions_are_forgotten_and_live_ones_stay(store: Store, bed: Bed):
    Worker(store).leave()
    alive = Worker(store, lease_us=100 * DAY)
    bed.advance(2 * DAY)

    store.prune(DAY, DAY, 10)

    assert bed.rows("select id from relet.session") == [(alive.id,)]


def test_a_lapsed_session_that_nobody_ended_is_not_forgotten(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    worker.take()
    bed.advance(50 * DAY)

    store.prune(SECOND, SECOND, 10)

    assert [gone.returned for gone in store.reclaim_expired()] == [1]


def test_requests_for_jobs_that_have_ended_are_forgotten(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    store.cancel(job_id, "too late", "ann", 0)
    worker.end(claim)

    store.prune(DAY, DAY, 10)

    assert bed.rows("select count(*) from relet.control") == [(0,)]


def test_requests_for_jobs_that_run_stay(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()
    store.cancel(job_id, "not needed", "ann", 0)

    store.prune(DAY, DAY, 10)

    assert [control.job_id for control in worker.renew().controls] == [job_id]


def test_everything_enqueued_is_finished_dead_live_or_forgotten(store: Store, bed: Bed):
    finish(store, 3)
    bury(store, 2)
    bed.advance(2 * DAY)
    forgotten = store.prune(DAY, DAY, 2)
    put(store, *news(2), new(delay_us=SECOND))
    Worker(store).claim(1)

    assert sum(store.insights.counts().values()) + forgotten == 3 + 2 + 3
