"""Unique keys: at most one job that has not ended per task and key, by constraint."""

import threading
from uuid import UUID

import pytest

from relet.clock import SECOND
from relet.errors import UniqueConflict
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Enqueued
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, ids, new, news, put, put_new


def state_of(store: Store, job_id: bytes) -> State:
    row = store.insights.job(job_id)
    assert row is not None
    return row.state


def test_a_second_job_with_the_key_is_the_first_one(store: Store):
    holder = put_new(store, unique="k")

    assert store.enqueue([new(unique="k")]) == [Enqueued(holder, False)]


def test_another_task_may_use_the_same_key(store: Store):
    put_new(store, "t", unique="k")

    assert store.enqueue([again := new("u", unique="k")]) == [Enqueued(again.id, True)]


def test_raise_names_the_key_and_its_holder_and_writes_nothing(store: Store, bed: Bed):
    holder = put_new(store, unique="k")

    with pytest.raises(UniqueConflict) as caught:
        put(store, new(), new(unique="k", on_conflict="raise"))

    assert (caught.value.key, caught.value.holder) == ("k", UUID(bytes=holder))
    assert bed.rows("select count(*) from relet.job") == [(1,)]


def test_raise_is_content_when_the_key_is_free(store: Store):
    job = new(unique="k", on_conflict="raise")

    assert store.enqueue([job]) == [Enqueued(job.id, True)]


def test_a_repeat_of_the_holder_finds_itself(store: Store):
    job = new(unique="k", on_conflict="raise")
    first = store.enqueue([job])

    assert store.enqueue([job]) == first


def test_a_repeat_of_a_holder_that_has_ended_does_not_take_the_key_back(store: Store):
    first = new(unique="k")
    put(store, first)
    worker = Worker(store)
    worker.end(worker.take())
    second = put_new(store, unique="k")

    assert store.enqueue([first]) == [Enqueued(first.id, True)]

    assert ids(worker.claim()) == [second]


def test_duplicates_inside_a_batch_become_the_first_one(store: Store):
    first, second, third = new(unique="k"), new(unique="k"), new(unique="other")

    assert store.enqueue([first, second, third]) == [
        Enqueued(first.id, True),
        Enqueued(first.id, False),
        Enqueued(third.id, True),
    ]


def test_duplicates_inside_a_batch_conflict_when_asked_to(store: Store, bed: Bed):
    with pytest.raises(UniqueConflict):
        put(store, new(unique="k", on_conflict="raise"), new(unique="k", on_conflict="raise"))

    assert bed.rows("select count(*) from relet.job") == [(0,)]


def test_replace_cancels_the_holder_that_is_ready(store: Store):
    old = put_new(store, unique="k")
    young = new(unique="k", on_conflict="replace")

    assert store.enqueue([young]) == [Enqueued(young.id, True)]

    assert state_of(store, old) is State.CANCELLED
    assert ids(Worker(store).claim()) == [young.id]


def test_replace_cancels_the_holder_that_is_scheduled(store: Store):
    old = put_new(store, unique="k", delay_us=60 * SECOND)
    young = put_new(store, unique="k", on_conflict="replace")

    assert state_of(store, old) is State.CANCELLED
    assert state_of(store, young) is State.READY
    assert store.next_due() is None


def test_replace_leaves_a_running_holder_alone(store: Store):
    holder = put_new(store, unique="k")
    worker = Worker(store)
    claim = worker.take()

    assert store.enqueue([new(unique="k", on_conflict="replace")]) == [Enqueued(holder, False)]

    worker.end(claim)
    assert state_of(store, holder) is State.SUCCEEDED


def test_replace_inside_a_batch_leaves_the_last_one(store: Store):
    jobs = [new(unique="k", on_conflict="replace") for _ in range(3)]

    assert store.enqueue(jobs)[-1] == Enqueued(jobs[-1].id, True)

    assert ids(Worker(store).claim()) == [jobs[-1].id]


def test_replace_takes_a_free_key(store: Store):
    job = new(unique="k", on_conflict="replace")

    assert store.enqueue([job]) == [Enqueued(job.id, True)]


def test_a_repeated_replace_does_not_cancel_itself(store: Store):
    job = new(unique="k", on_conflict="replace")
    put(store, job)

    assert store.enqueue([job]) == [Enqueued(job.id, True)]

    assert state_of(store, job.id) is State.READY


def test_a_repeated_replace_does_not_cancel_its_own_successor(store: Store):
    first = new(unique="k", on_conflict="replace")
    put(store, first)
    second = put_new(store, unique="k", on_conflict="replace")

    store.enqueue([first])

    assert state_of(store, first.id) is State.CANCELLED
    assert state_of(store, second) is State.READY


def test_a_replaced_job_keeps_its_history_of_attempts(store: Store, bed: Bed):
    old = put_new(store, unique="k")
    worker = Worker(store)
    worker.fail(worker.take())

    put_new(store, unique="k", on_conflict="replace")

    row = store.insights.job(old)
    assert row is not None
    assert (row.state, row.epoch, row.attempt) == (State.CANCELLED, 1, 1)


def test_debounce_makes_a_first_job_that_waits_for_the_window(store: Store):
    job = new(unique="k", on_conflict="debounce", debounce_us=5 * SECOND)

    assert store.enqueue([job]) == [Enqueued(job.id, True)]

    assert store.next_due() == BEGINNING + 5 * SECOND


def test_debounce_moves_the_scheduled_holder(store: Store, bed: Bed):
    first = put_new(store, unique="k", on_conflict="debounce", debounce_us=5 * SECOND)
    bed.advance(3 * SECOND)

    assert store.enqueue([new(unique="k", on_conflict="debounce", debounce_us=5 * SECOND)]) == [Enqueued(first, False)]

    assert store.next_due() == BEGINNING + 8 * SECOND


def test_debounce_takes_a_ready_holder_back(store: Store, bed: Bed):
    first = put_new(store, unique="k")
    bed.advance(SECOND)

    put_new(store, unique="k", on_conflict="debounce", debounce_us=5 * SECOND)

    assert Worker(store).claim() == ()
    assert (state_of(store, first), store.next_due()) == (State.SCHEDULED, BEGINNING + 6 * SECOND)


def test_debounce_leaves_a_running_holder_alone(store: Store):
    holder = put_new(store, unique="k")
    worker = Worker(store)
    claim = worker.take()

    answer = store.enqueue([new(unique="k", on_conflict="debounce", debounce_us=5 * SECOND)])

    assert answer == [Enqueued(holder, False)]
    worker.end(claim)


def test_a_repeated_debounce_does_not_move_the_holder_of_another(store: Store, bed: Bed):
    first = new(unique="k", on_conflict="debounce", debounce_us=5 * SECOND)
    put(store, first)
    bed.advance(5 * SECOND)
    store.promote(10)
    worker = Worker(store)
    worker.end(worker.take())
    second = put_new(store, unique="k")

    store.enqueue([first])

    assert state_of(store, second) is State.READY


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.CANCEL, Ended.EXPIRE, Ended.REJECT])
def test_a_key_is_free_when_its_job_has_ended(store: Store, ended: Ended):
    put_new(store, unique="k")
    worker = Worker(store)
    worker.end(worker.take(), ended)

    assert store.enqueue([young := new(unique="k")]) == [Enqueued(young.id, True)]


@pytest.mark.parametrize("ended", [Ended.FAILURE, Ended.SNOOZE, Ended.RELEASE])
def test_a_key_is_held_while_its_job_goes_on(store: Store, ended: Ended):
    holder = put_new(store, unique="k")
    worker = Worker(store)
    worker.end(worker.take(), ended, delay_us=10 * SECOND)

    assert store.enqueue([new(unique="k")]) == [Enqueued(holder, False)]


def test_a_key_is_held_while_its_job_goes_back_from_a_dead_session(store: Store):
    holder = put_new(store, unique="k")
    worker = Worker(store)
    worker.take()
    store.reclaim(worker.id, "killed")

    assert store.enqueue([new(unique="k")]) == [Enqueued(holder, False)]


def test_a_key_is_free_when_its_waiting_job_was_cancelled(store: Store):
    store.cancel(put_new(store, unique="k"), "not needed", "ann", 0)

    assert store.enqueue([young := new(unique="k")]) == [Enqueued(young.id, True)]


def test_a_key_is_free_when_its_queue_was_purged(store: Store):
    put(store, new(unique="k"), new(unique="l", delay_us=SECOND))
    store.purge_queue("default", "ann", 10)

    assert all(answer.created for answer in store.enqueue([new(unique="k"), new(unique="l")]))


def test_a_cancel_honoured_by_a_reclaim_frees_the_key(store: Store):
    job_id = put_new(store, unique="k")
    worker = Worker(store)
    worker.take()
    store.cancel(job_id, "not needed", "ann", 0)
    store.reclaim(worker.id, "killed")

    assert store.enqueue([young := new(unique="k")]) == [Enqueued(young.id, True)]


def test_a_scheduled_job_holds_its_key(store: Store):
    holder = put_new(store, unique="k", delay_us=60 * SECOND)

    assert store.enqueue([new(unique="k")]) == [Enqueued(holder, False)]


def test_a_promoted_job_still_holds_its_key(store: Store, bed: Bed):
    holder = put_new(store, unique="k", delay_us=SECOND)
    bed.advance(SECOND)
    store.promote(10)

    assert store.enqueue([new(unique="k")]) == [Enqueued(holder, False)]


def test_of_many_who_enqueue_a_key_at_once_one_wins(bed: Bed):
    answers: list[Enqueued] = []

    def enqueue() -> None:
        store = bed.open()
        answers.extend(store.enqueue([new(unique="k")])[0] for _ in range(5))

    threads = [threading.Thread(target=enqueue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(answer.created for answer in answers) == 1
    assert len({answer.job_id for answer in answers}) == 1


def test_batches_whose_keys_cross_do_not_block_each_other_for_good(bed: Bed):
    counts: list[int] = []

    def enqueue(keys: list[str]) -> None:
        store = bed.open()
        for _ in range(10):
            answers = store.enqueue([new(unique=key) for key in keys])
            counts.extend([sum(answer.created for answer in answers)])

    keys = [f"k{n}" for n in range(10)]
    threads = [threading.Thread(target=enqueue, args=(order,)) for order in (keys, keys[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 10


def test_plain_jobs_of_a_batch_are_written_beside_an_existing_key(store: Store):
    put_new(store, unique="k")

    put(store, *news(2), new(unique="k"))

    assert len(Worker(store).claim()) == 3
