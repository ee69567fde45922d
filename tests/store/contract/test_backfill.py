"""Due times in the past get runs after all: each one run, however often it is asked."""

from typing import Any

import pytest

from relet.clock import HOUR, SECOND
from relet.errors import NotFound, Refused, UsageError
from relet.job.schedule import Mode
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Backfilled
from tests.store.beds import BEGINNING, Bed
from tests.store.contract.test_schedules import MINUTE, declare, fire, fired, hand, row, run, schedule, state
from tests.store.hands import IDS


def backfill(store: Store, start_at: int, end_at: int, *, name: str = "report", limit: int = 1_000) -> Backfilled:
    return store.backfill_schedule(name, start_at, end_at, "ann", IDS.jobs, limit)


def dues(made: Backfilled) -> list[int]:
    return [firing.due_at for firing in made.fired]


def test_each_due_time_without_a_run_gets_one_and_asking_again_makes_no_second(store: Store, other: Store, bed: Bed):
    declare(store, schedule(every=3600, overlap="allow"))
    fire(store)
    bed.advance(5 * HOUR)
    fire(store)
    made = backfill(store, BEGINNING, BEGINNING + 5 * HOUR)
    assert (dues(made), made.had, made.next_at) == ([BEGINNING + n * HOUR for n in (1, 2, 3, 4)], 1, None)
    assert backfill(other, BEGINNING, BEGINNING + 5 * HOUR) == Backfilled((), 5, None)
    assert len(hand(store).claim()) == 6
    causes = {found.due_at: found.cause for found in store.insights.firings("report")}
    assert causes[BEGINNING + HOUR] == "made up for by ann"
    assert causes[BEGINNING + 5 * HOUR] == "due"


def test_what_was_passed_over_gets_a_run_and_is_missed_no_more(store: Store, bed: Bed):
    declare(store, schedule())
    worker = hand(store)
    fire(store)
    for _ in range(2):
        bed.advance(MINUTE)
        fire(store)
    run(store, worker)
    assert row(store).progress.missed == 2
    assert dues(backfill(store, BEGINNING, BEGINNING + 2 * MINUTE)) == [BEGINNING + MINUTE]
    assert row(store).progress.missed == 1
    assert [found.job_id is None for found in store.insights.firings("report")] == [True, False, False]


def test_made_up_runs_keep_the_overlap_of_their_schedule(store: Store, bed: Bed):
    declare(store, schedule(every=3600))
    worker = hand(store)
    fire(store)
    claim = worker.take()
    bed.advance(4 * HOUR)
    store.pause_schedule("report", "ann", "")
    made = backfill(store, BEGINNING, BEGINNING + 4 * HOUR)
    assert {state(store, firing.job_id) for firing in made.fired} == {State.WAITING}
    worker.end(claim)
    assert [run(store, worker) for _ in made.fired] == [firing.job_id for firing in made.fired]


def test_a_long_backfill_goes_on_where_it_says(store: Store, bed: Bed):
    declare(store, schedule(every=3600, overlap="allow"))
    store.pause_schedule("report", "ann", "")
    bed.advance(10 * HOUR)
    due = tuple(BEGINNING + hour * HOUR for hour in range(8))
    assert store.to_make_up("report", BEGINNING, BEGINNING + 8 * HOUR) == (due, 0, None)
    assert store.to_make_up("report", BEGINNING, BEGINNING + 8 * HOUR, 5) == (due[:5], 0, BEGINNING + 5 * HOUR)
    assert store.insights.firings("report") == []
    made = backfill(store, BEGINNING, BEGINNING + 8 * HOUR, limit=5)
    assert (len(made.fired), made.next_at) == (5, BEGINNING + 5 * HOUR)
    rest = backfill(store, BEGINNING + 5 * HOUR, BEGINNING + 8 * HOUR, limit=5)
    assert (len(rest.fired), rest.next_at) == (3, None)


def test_a_backfill_looks_at_no_more_due_times_than_it_may_hold(store: Store, bed: Bed):
    declare(store, schedule(every=1, overlap="allow"))
    store.pause_schedule("report", "ann", "")
    bed.advance(4 * HOUR)
    end_at = BEGINNING + 4 * HOUR
    at: int | None = BEGINNING
    steps: list[int] = []
    while at is not None:
        made = backfill(store, at, end_at)
        steps.append(len(made.fired))
        at = made.next_at
    assert (sum(steps), max(steps)) == (4 * 3600, 1_000)
    again = backfill(store, BEGINNING, end_at)
    assert (again.fired, again.had, again.next_at) == ((), 10_000, BEGINNING + 9_999 * SECOND + 1)


def test_a_due_time_that_was_made_up_for_is_not_fired_when_its_look_comes(store: Store, bed: Bed):
    declare(store, schedule(overlap="allow"))
    fire(store)
    bed.advance(MINUTE + 1)
    assert dues(backfill(store, BEGINNING, store.now())) == [BEGINNING + MINUTE]
    look = fire(store)
    assert (look.fired, look.passed) == ((), ())
    bed.advance(MINUTE)
    assert fired(fire(store)) == ["report"]


def test_a_due_time_that_waits_for_others_may_be_made_up_for(store: Store, bed: Bed):
    declare(store, schedule("fetch", queue="f", mode=Mode.TRIGGERED), schedule(depends_on=("fetch",)))
    bed.advance(1)
    assert fire(store).fired == ()
    assert row(store).progress.pending_at == BEGINNING
    assert dues(backfill(store, BEGINNING, BEGINNING + 1)) == [BEGINNING]
    run(store, hand(store))
    store.trigger_schedule("fetch", "ann", IDS.job())
    run(store, hand(store, queues=["f"]))
    assert fire(store).fired == ()
    assert row(store).progress.pending_at is None


@pytest.mark.parametrize(
    ("fields", "start", "end", "said"),
    [
        ({}, 0, 10 * MINUTE, "that has passed"),
        ({}, MINUTE, MINUTE, "from an earlier moment"),
        ({"mode": Mode.TRIGGERED}, 0, MINUTE, "has no due times: it is triggered"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused(
    store: Store, bed: Bed, fields: dict[str, Any], start: int, end: int, said: str
):
    declare(store, schedule(**fields))
    bed.advance(MINUTE)
    with pytest.raises(UsageError, match=said):
        backfill(store, BEGINNING + start, BEGINNING + end)
    with pytest.raises(UsageError, match=said):
        store.to_make_up("report", BEGINNING + start, BEGINNING + end)
    with pytest.raises(NotFound, match="no schedule 'nobody'"):
        backfill(store, BEGINNING, BEGINNING + 1, name="nobody")


def test_nothing_is_made_up_for_while_it_is_disabled_or_its_queue_closed(store: Store, bed: Bed):
    declare(store, schedule(queue="q"))
    bed.advance(MINUTE)
    store.close_queue("q", "ann", "")
    with pytest.raises(Refused):
        backfill(store, BEGINNING, BEGINNING + MINUTE)
    assert store.insights.firings("report") == []
    store.resume_queue("q")
    store.disable_schedule("report", "ann", "enough")
    with pytest.raises(Refused, match="disabled by ann: enough"):
        backfill(store, BEGINNING, BEGINNING + MINUTE)


@pytest.mark.parametrize(("overlap", "behind"), [("skip", 1), ("queue", 2)])
def test_due_times_that_come_while_others_are_made_up_for_wait_behind_these(
    store: Store, bed: Bed, overlap: Any, behind: int
):
    declare(store, schedule(every=3600, catchup="skip", overlap=overlap))
    worker = hand(store)
    fire(store)
    run(store, worker)
    bed.advance(3 * HOUR + 2 * MINUTE)
    fire(store)
    made = backfill(store, BEGINNING, BEGINNING + 3 * HOUR + 1)
    claim = worker.take()
    going: list[bytes] = []
    for _ in range(3):
        bed.advance(HOUR - 2 * MINUTE if not going else HOUR)
        going += [firing.job_id for firing in fire(store).fired]
    assert len(going) == behind
    assert {state(store, job_id) for job_id in going} == {State.WAITING}
    assert row(store).making_up == len(made.fired) == 3
    worker.end(claim)
    rest = [firing.job_id for firing in made.fired[1:]]
    assert [run(store, worker) for _ in range(2 + behind)] == [*rest, *going]
    assert [row(store).making_up, row(store).successes] == [0, 4 + behind]
