"""What people do with dead letters, and how they find them."""

from typing import Any
from uuid import UUID

import pytest

from relet.clock import SECOND
from relet.errors import UniqueConflict
from relet.job.job import Options, decode_options
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from relet.store.rows import DeadFilter, DeadRow
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, Worker, new, put, put_new


def bury(store: Store, task: str = "t", *, error: str = "broken", queue: str = "default", **fields: Any) -> bytes:
    """A new job that goes to the dead letters at once."""
    job = new(task, queue=queue, **fields)
    put(store, job)
    worker = Worker(store, tasks=(task,), queues=(queue,))
    assert worker.end(worker.take(), Ended.REJECT, error=error, stack="line 1") is Answer.ACCEPTED
    return job.id


def letter(store: Store, job_id: bytes) -> DeadRow:
    (found,) = [row for row in store.insights.dead(DeadFilter(resolved=None)) if row.job_id == job_id]
    return found


def test_a_retried_job_runs_again_behind_the_others_with_fresh_counters_and_the_next_epoch(store: Store) -> None:
    job_id = bury(store)
    other = put_new(store)
    assert store.retry_dead(job_id, None, "ann") is True
    worker = Worker(store)
    first, second = worker.claim()
    assert [first.job_id, second.job_id] == [other, job_id]
    assert (second.epoch, second.counters, second.args) == (2, (0, 0, 0, 0), "{}")
    assert worker.end(second) is Answer.ACCEPTED


def test_a_retry_keeps_the_history_and_says_who_did_it(store: Store) -> None:
    job_id = bury(store)
    store.retry_dead(job_id, None, "ann")
    assert [(row.epoch, row.outcome) for row in store.insights.attempts(job_id)] == [(1, "reject")]
    (line,) = store.insights.logs(job_id, (0, 0), 10)
    assert (line.epoch, line.level, line.message) == (1, "info", "retried from the dead letters by ann")


def test_a_retry_with_other_arguments_replaces_them(store: Store) -> None:
    job_id = bury(store, args='{"n":1}')
    store.retry_dead(job_id, '{"n":2}', "ann")
    assert Worker(store).take().args == '{"n":2}'
    (line,) = store.insights.logs(job_id, (0, 0), 10)
    assert line.message == "retried from the dead letters by ann with other arguments"


def test_a_retry_leaves_nothing_in_the_dead_letters(bed: Bed, store: Store) -> None:
    job_id = bury(store)
    store.retry_dead(job_id, None, "ann")
    assert store.retry_dead(job_id, None, "ann") is False
    assert bed.rows("select * from relet.dead") == []


def test_only_what_is_in_the_dead_letters_is_retried(store: Store) -> None:
    assert store.retry_dead(put_new(store), None, "ann") is False
    assert store.retry_dead(IDS.job(), None, "ann") is False


def test_a_cancel_asked_before_it_died_does_not_end_the_retried_job(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    store.cancel(job_id, "no", "bob", 0)
    worker.bury(claim)
    store.retry_dead(job_id, None, "ann")
    assert worker.take().cancel is None


def test_a_retry_takes_the_unique_key_again(store: Store) -> None:
    job_id = bury(store, unique="k")
    assert store.retry_dead(job_id, None, "ann") is True
    assert put(store, new(unique="k")) == [job_id]
    worker = Worker(store)
    worker.end(worker.take())
    newer = new(unique="k")
    assert put(store, newer) == [newer.id]


def test_a_retry_is_refused_while_another_job_holds_the_unique_key_and_names_it(bed: Bed, store: Store) -> None:
    job_id = bury(store, unique="k", args='{"n":1}')
    holder = put_new(store, unique="k")
    with pytest.raises(UniqueConflict) as refused:
        store.retry_dead(job_id, '{"n":2}', "ann")
    assert (refused.value.key, refused.value.holder) == ("k", UUID(bytes=holder))
    found = letter(store, job_id)
    assert (found.args, found.resolved) == ('{"n":1}', False)
    assert bed.rows("select job_id from relet.unique_key") == [(holder,)]
    assert store.insights.logs(job_id, (0, 0), 10) == []


def test_a_retry_is_possible_once_the_holder_of_its_key_has_ended(store: Store) -> None:
    job_id = bury(store, unique="k")
    holder = put_new(store, unique="k")
    store.cancel(holder, "", "ann", 0)
    assert store.retry_dead(job_id, None, "ann") is True


def test_resolving_says_who_when_and_why(bed: Bed, store: Store) -> None:
    job_id = bury(store)
    bed.advance(SECOND)
    assert store.resolve_dead(job_id, True, "ann", "refunded") is True
    found = letter(store, job_id)
    assert (found.resolved, found.resolved_at, found.resolved_by, found.notes) == (
        True,
        BEGINNING + SECOND,
        "ann",
        "refunded",
    )


def test_a_resolved_letter_can_be_opened_again_and_keeps_its_notes(store: Store) -> None:
    job_id = bury(store)
    store.resolve_dead(job_id, True, "ann", "refunded")
    assert store.resolve_dead(job_id, False, "bob", "") is True
    found = letter(store, job_id)
    assert (found.resolved, found.resolved_at, found.resolved_by, found.notes) == (False, None, None, "refunded")
    store.resolve_dead(job_id, False, "bob", "not refunded")
    assert letter(store, job_id).notes == "not refunded"


def test_only_dead_letters_are_resolved_or_deleted(store: Store) -> None:
    waiting = put_new(store)
    assert store.resolve_dead(waiting, True, "ann", "") is False
    assert store.delete_dead(waiting) is False
    assert store.delete_dead(IDS.job()) is False


def test_deleting_a_dead_letter_erases_its_job(bed: Bed, store: Store) -> None:
    job_id, other = bury(store), bury(store)
    assert store.delete_dead(job_id) is True
    assert store.insights.job(job_id) is None
    for table in ("dead", "attempt"):
        assert bed.rows(f"select job_id from relet.{table}") == [(other,)]
    assert store.delete_dead(job_id) is False


def test_a_dead_letter_has_everything_needed_to_judge_it(store: Store) -> None:
    job_id = bury(store, error="ValueError: no", args='{"n":1}')
    assert letter(store, job_id) == DeadRow(
        job_id,
        "t",
        "default",
        '{"n":1}',
        "rejected",
        "ValueError: no",
        "line 1",
        1,
        1,
        0,
        BEGINNING,
        False,
        None,
        None,
        None,
    )


FILTERS = {
    DeadFilter(): "bcd",
    DeadFilter(resolved=None): "abcd",
    DeadFilter(resolved=True): "a",
    DeadFilter(task="u", resolved=None): "c",
    DeadFilter(queue="mail"): "d",
    DeadFilter(reason="rejected"): "bcd",
    DeadFilter(reason="poison"): "",
    DeadFilter(error_like="timed OUT"): "bc",
    DeadFilter(error_like="50%"): "d",
    DeadFilter(error_like="5_%"): "",
    DeadFilter(error_like="a!b"): "d",
    DeadFilter(failed_after=BEGINNING + 2 * SECOND): "cd",
    DeadFilter(failed_before=BEGINNING + 2 * SECOND, resolved=None): "ab",
    DeadFilter(failed_after=BEGINNING + SECOND, failed_before=BEGINNING + 3 * SECOND, task="t"): "b",
}


def test_filters_find_what_meets_all_conditions(bed: Bed, store: Store) -> None:
    names = {bury(store): "a"}
    store.resolve_dead(next(iter(names)), True, "ann", "")
    for name, task, queue, error in (
        ("b", "t", "default", "Timed out"),
        ("c", "u", "default", "it TIMED out again"),
        ("d", "t", "mail", "only 50% of a!b"),
    ):
        bed.advance(SECOND)
        names[bury(store, task, queue=queue, error=error)] = name
    pages = {wanted: store.insights.dead(wanted) for wanted in FILTERS}
    assert {wanted: "".join(names[row.job_id] for row in reversed(page)) for wanted, page in pages.items()} == FILTERS
    assert all(store.insights.dead_count(wanted) == len(page) for wanted, page in pages.items())


def test_pages_go_from_the_newest_to_the_oldest_without_gap_or_repeat(store: Store) -> None:
    letters = [bury(store) for _ in range(5)]
    seen: list[bytes] = []
    before = None
    while page := store.insights.dead(DeadFilter(before=before, limit=2)):
        assert len(page) <= 2
        seen += [row.job_id for row in page]
        before = seen[-1]
    assert seen == letters[::-1]


def test_counting_stops_at_the_cap_and_ignores_the_page(store: Store) -> None:
    for _ in range(4):
        bury(store)
    assert store.insights.dead_count(DeadFilter(limit=1)) == 4
    assert store.insights.dead_count(DeadFilter(), cap=3) == 3


def test_statistics_count_per_queue_what_is_dead_and_what_is_resolved(store: Store) -> None:
    assert store.insights.dead_stats() == []
    first = bury(store)
    bury(store)
    bury(store, queue="mail")
    store.resolve_dead(first, True, "ann", "")
    assert store.insights.dead_stats() == [("default", 2, 1), ("mail", 1, 0)]


def test_a_dead_job_is_dead_until_it_is_retried(store: Store) -> None:
    job_id = bury(store)
    states = [store.insights.job(job_id)]
    store.retry_dead(job_id, None, "ann")
    states.append(store.insights.job(job_id))
    assert [job.state for job in states if job] == [State.DEAD, State.READY]


def test_a_job_whose_options_cannot_be_read_can_be_retried(bed: Bed, store: Store) -> None:
    job_id = bury(store)
    bed.rows("update relet.job set options = 'nonsense'")
    assert store.retry_dead(job_id, None, "ann") is True
    bed.rows("update relet.job set options = null")


def test_a_retry_lifts_the_deadline_that_has_passed(store: Store, bed: Bed) -> None:
    job_id = bury(store, options=Options(deadline_us=SECOND, expires_us=SECOND, max_attempts=7))
    bed.advance(5 * SECOND)

    assert store.retry_dead(job_id, None, "ann")

    assert decode_options(Worker(store).take().options) == Options(max_attempts=7)
