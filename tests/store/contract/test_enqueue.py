"""Enqueue: all or nothing, once per id, in order."""

import pytest
from msgspec.structs import replace

from relet.clock import SECOND
from relet.errors import Refused, UniqueConflict
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Enqueued
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, ids, new, news, put, put_new


def test_an_enqueued_job_is_ready_and_keeps_what_it_was_given(store: Store):
    job = new("mail.send", queue="mail", priority=2, args='{"to": "x"}', needs=("gpu=a100",), trace="00-1")

    assert store.enqueue([job]) == [Enqueued(job.id, True)]

    row = store.insights.job(job.id)
    assert row is not None
    assert (row.task, row.queue, row.priority, row.args) == ("mail.send", "mail", 2, '{"to": "x"}')
    assert (row.state, row.created_at, row.epoch, row.attempt) == (State.READY, BEGINNING, 0, 0)


def test_an_empty_batch_is_no_error(store: Store):
    assert store.enqueue([]) == []


def test_a_repeated_enqueue_makes_no_second_job(store: Store, bed: Bed):
    job = new()
    first = store.enqueue([job])

    assert store.enqueue([job]) == first

    assert bed.rows("select count(*) from relet.job") == [(1,)]
    assert bed.rows("select count(*) from relet.ready") == [(1,)]


def test_a_repeat_keeps_the_first_arguments(store: Store):
    job = new(args='{"n": 1}')
    put(store, job, replace(job, args='{"n": 2}'))

    found = store.insights.job(job.id)
    assert found is not None
    assert found.args == '{"n": 1}'


def test_a_repeat_of_a_running_job_does_not_run_it_again(store: Store):
    job = new()
    put(store, job)
    worker = Worker(store)
    worker.take()

    put(store, job)

    assert worker.claim() == ()


def test_a_repeat_of_a_finished_job_does_not_run_it_again(store: Store):
    job = new()
    put(store, job)
    worker = Worker(store)
    worker.end(worker.take())

    assert store.enqueue([job]) == [Enqueued(job.id, True)]

    assert worker.claim() == ()


def test_a_repeat_of_a_dead_job_leaves_it_dead(store: Store):
    job = new()
    put(store, job)
    worker = Worker(store)
    worker.bury(worker.take())

    put(store, job)

    assert worker.claim() == ()


def test_a_repeat_of_a_scheduled_job_does_not_move_it(store: Store):
    job = new(delay_us=60 * SECOND)
    put(store, job)

    put(store, replace(job, delay_us=0))

    assert store.next_due() == BEGINNING + 60 * SECOND
    assert Worker(store).claim() == ()


def test_a_repeat_beside_new_jobs_writes_only_the_new_ones(store: Store):
    old = new()
    put(store, old)
    fresh = news(3)

    assert store.enqueue([fresh[0], old, *fresh[1:]]) == [Enqueued(job.id, True) for job in (fresh[0], old, *fresh[1:])]

    assert len(Worker(store).claim()) == 4


def test_jobs_of_one_lane_are_claimed_in_the_order_of_their_enqueue(store: Store):
    expected = put(store, *news(5)) + put(store, *news(3))

    assert ids(Worker(store).claim()) == expected


def test_a_batch_keeps_its_order_within_each_lane(store: Store):
    jobs = [new(priority=n % 2) for n in range(10)]
    put(store, *jobs)

    claimed = ids(Worker(store).claim())

    assert claimed == [job.id for job in jobs if job.priority == 1] + [job.id for job in jobs if job.priority == 0]


def test_any_integer_is_a_priority(store: Store):
    low, high = put(store, new(priority=-2_000_000_000), new(priority=2_000_000_000))

    assert store.ranks(()) == [("default", -2_000_000_000), ("default", 2_000_000_000)]
    claims = Worker(store).claim(ranks=(-2_000_000_000, 2_000_000_000))
    assert ids(claims) == [high, low]


def test_a_delayed_job_is_not_ready_before_its_time(store: Store, bed: Bed):
    job_id = put_new(store, delay_us=10 * SECOND)
    bed.advance(10 * SECOND - 1)
    assert store.promote(10) == []
    assert Worker(store).claim() == ()

    bed.advance(1)

    assert store.promote(10) == [("default", 1)]
    assert ids(Worker(store).claim()) == [job_id]


def test_a_job_for_a_time_to_come_waits_for_it(store: Store):
    job_id = put_new(store, run_at=BEGINNING + 5 * SECOND)

    row = store.insights.job(job_id)
    assert row is not None
    assert (row.state, row.run_at) == (State.SCHEDULED, BEGINNING + 5 * SECOND)
    assert store.next_due() == BEGINNING + 5 * SECOND


@pytest.mark.parametrize("run_at", [BEGINNING, BEGINNING - SECOND, 0, -(10**15)])
def test_a_job_for_now_or_the_past_is_ready_at_once(store: Store, run_at: int):
    job_id = put_new(store, run_at=run_at)

    assert ids(Worker(store).claim()) == [job_id]


def test_a_given_time_wins_over_a_delay(store: Store):
    job_id = put_new(store, run_at=BEGINNING - 1, delay_us=60 * SECOND)

    assert ids(Worker(store).claim()) == [job_id]


def test_a_job_may_wait_for_a_far_year(store: Store):
    year_9999 = 253_402_300_799_000_000
    job_id = put_new(store, run_at=year_9999)

    row = store.insights.job(job_id)
    assert row is not None
    assert row.run_at == year_9999


def test_a_closed_queue_takes_no_job_and_the_batch_is_not_written(store: Store, bed: Bed):
    store.close_queue("mail", "ann", "moving out")

    with pytest.raises(Refused, match="mail"):
        put(store, new(), new(queue="mail"))

    assert bed.rows("select count(*) from relet.job") == [(0,)]


def test_a_closed_queue_takes_no_delayed_and_no_unique_job(store: Store):
    store.close_queue("mail", "ann", "")

    with pytest.raises(Refused):
        put_new(store, queue="mail", delay_us=SECOND)
    with pytest.raises(Refused):
        put_new(store, queue="mail", unique="k")


def test_a_queue_opened_again_takes_jobs(store: Store):
    store.close_queue("mail", "ann", "")
    assert store.resume_queue("mail")

    put_new(store, queue="mail")


def test_one_bad_job_among_a_thousand_writes_none(store: Store, bed: Bed):
    put_new(store, unique="taken")
    jobs = [*news(700), new(unique="taken", on_conflict="raise"), *news(299)]

    with pytest.raises(UniqueConflict):
        store.enqueue(jobs)

    assert bed.rows("select count(*) from relet.job") == [(1,)]


def test_a_thousand_jobs_of_all_kinds_are_written_in_one_batch(store: Store, bed: Bed):
    jobs = [
        new(priority=n % 3, delay_us=SECOND if n % 5 == 0 else 0, unique=f"k{n}" if n % 7 == 0 else None)
        for n in range(1_000)
    ]

    assert [answer.job_id for answer in store.enqueue(jobs)] == [job.id for job in jobs]

    assert bed.rows("select count(*) from relet.scheduled") == [(200,)]
    assert bed.rows("select count(*) from relet.ready") == [(800,)]


def test_the_same_id_twice_in_a_batch_is_one_job(store: Store):
    job = new()

    put(store, job, job)

    assert len(Worker(store).claim()) == 1


def test_jobs_enqueued_on_two_connections_are_all_there(store: Store, other: Store):
    mine, theirs = put(store, *news(3)), put(other, *news(3))

    assert set(ids(Worker(store).claim())) == {*mine, *theirs}


def test_text_of_any_script_comes_back_unchanged(store: Store):
    args = '{"name": "Zoë 漢字 🚀", "quote": "it\'s; -- %s :x $1 ?"}'
    job_id = put_new(store, task="mod:täsk", queue="ü;--", args=args)

    row = store.insights.job(job_id)
    assert row is not None
    assert (row.task, row.queue, row.args) == ("mod:täsk", "ü;--", args)
