"""What a worker counts of its runs, and when it is written."""

from random import Random
from typing import Any

import apsw
import pytest

from relet.clock import MS, SECOND, ManualClock
from relet.errors import OutcomeUnknown, StoreUnavailable
from relet.events import Emitter, silent
from relet.job.figures import BOUNDS_US, RUN, RUN_US, WAIT, WAIT_US, Came, Figure, bucket
from relet.job.health import Rules
from relet.job.outcome import Ended, Outcome
from relet.job.settlement import Answer, Policy, Settle, settle
from relet.maintain.measure import Measure
from relet.store.measures import News
from relet.store.open import open_store
from relet.store.records import SessionInfo
from relet.work.figures import Figures
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop
from tests.work.making import claim

KEY = ("default", "t")


def ended(
    n: int, how: Ended = Ended.SUCCESS, *, queue: str = "default", took_us: int = 40 * MS, waited_us: int = 2 * MS
) -> Settle:
    """The settle of a run that took so long, after its job had been ready for so long."""
    return settle(claim(n), Outcome(how), Policy(), Random(1), (queue, "t", waited_us, took_us))


def measure(figures: Figures, clock: ManualClock | None = None, emit: Emitter = silent) -> Measure:
    return Measure(figures, "w-1", Rules(), clock or ManualClock(), emit)


def figure(figures: Figures, key: tuple[str, str] = KEY) -> Figure:
    return Figure(tuple(figures.news().rows[key]))


def test_a_run_is_counted_when_its_settle_is_taken() -> None:
    figures = Figures()
    figures.settled([ended(1)], [Answer.ACCEPTED])
    found = figure(figures)
    assert found.of(Came.SUCCEEDED) == 1
    assert (found.counts[RUN_US], found.counts[RUN + bucket(40 * MS)]) == (40 * MS, 1)
    assert (found.counts[WAIT_US], found.counts[WAIT + bucket(2 * MS)]) == (2 * MS, 1)


@pytest.mark.parametrize("answer", [Answer.FENCED, Answer.EXPIRED])
def test_a_run_whose_settle_is_refused_counts_nowhere(answer: Answer) -> None:
    figures = Figures()
    figures.settled([ended(1)], [answer])
    assert not figures.news()


def test_a_settle_whose_first_answer_was_lost_counts() -> None:
    figures = Figures()
    figures.settled([ended(1)], [Answer.REPLAYED])
    assert figure(figures).processed == 1


def test_a_run_that_never_began_took_no_time() -> None:
    figures = Figures()
    figures.settled([ended(1, Ended.CANCEL, took_us=-1)], [Answer.ACCEPTED])
    found = figure(figures)
    assert found.of(Came.CANCELLED) == 1
    assert (found.run.count, found.wait.count) == (0, 0)


def test_a_claim_that_does_not_know_since_when_it_was_ready_counts_no_wait() -> None:
    figures = Figures()
    figures.settled([ended(1, waited_us=-1)], [Answer.ACCEPTED])
    assert (figure(figures).run.count, figure(figures).wait.count) == (1, 0)


def test_settles_of_claims_that_never_ran_are_passed_over() -> None:
    figures = Figures()
    back = settle(claim(1), Outcome(Ended.RELEASE), Policy(), Random(1))
    figures.settled([back], [Answer.ACCEPTED])
    assert not figures.news()


def test_many_runs_of_one_turn_are_told_apart_and_put_into_the_same_buckets_as_single_ones() -> None:
    rng, together, alone = Random(4), Figures(), Figures()
    settles = [
        ended(
            n,
            rng.choice((Ended.SUCCESS, Ended.SUCCESS, Ended.SUCCESS, Ended.FAILURE, Ended.SNOOZE)),
            queue="mail" if n > 200 else "default",
            took_us=rng.choice((*BOUNDS_US, rng.randrange(10**10), -1)),
            waited_us=rng.choice((*BOUNDS_US, rng.randrange(10**10), -1)),
        )
        for n in range(400)
    ]
    together.settled(settles, [Answer.ACCEPTED] * 400)
    for one in settles:
        alone.settled([one], [Answer.ACCEPTED])
    assert together.news() == alone.news()
    assert {queue for queue, _ in together.news().rows} == {"default", "mail"}


def test_only_what_is_new_is_told() -> None:
    figures = Figures()
    figures.settled([ended(1)], [Answer.ACCEPTED])
    figures("job.fenced", job="x")
    first = figures.news()
    figures.told(first)
    assert not figures.news()
    figures.settled([ended(2, queue="mail")], [Answer.ACCEPTED])
    figures("job.fenced", job="y")
    second = figures.news()
    assert [*second.rows] == [("mail", "t")]
    assert second.events == {"job.fenced": 1}
    assert figures.totals() == (2, 0)


def test_errors_are_told_from_successes_in_the_totals() -> None:
    figures = Figures()
    kinds = (Ended.SUCCESS, Ended.FAILURE, Ended.REJECT, Ended.SNOOZE)
    figures.settled([ended(n, how) for n, how in enumerate(kinds)], [Answer.ACCEPTED] * 4)
    assert figures.totals() == (1, 2)


class Away:
    """A store that fails in its way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def add_figures(self, news: News) -> None:
        raise self._error


@pytest.mark.parametrize(("error", "again"), [(StoreUnavailable("away"), True), (OutcomeUnknown("who knows"), False)])
def test_what_may_be_written_is_never_written_twice(error: Exception, again: bool) -> None:
    figures = Figures()
    figures("job.fenced")
    store: object = Away(error)
    with pytest.raises(type(error)):
        measure(figures).run(store)  # type: ignore[arg-type]  # all that it asks before it fails
    assert bool(figures.news()) is again


def test_a_worker_tells_when_its_health_or_that_of_a_queue_changes() -> None:
    clock, told = ManualClock(), list[tuple[str, bool]]()

    def emit(event: str, /, **fields: Any) -> None:
        if event == "health.changed":
            told.append((fields["subject"], fields["healthy"]))

    store = open_store("sqlite:///:memory:", clock)
    store.open_session(SessionInfo(b"s" * 16, "w-1", "here", 1, (), ()), 3600 * SECOND)
    figures = Figures()
    chore = measure(figures, clock, emit)
    figures.settled([ended(n, Ended.FAILURE) for n in range(9)], [Answer.ACCEPTED] * 9)
    clock.advance(5 * SECOND)
    chore.run(store)
    chore.run(store)
    assert told == [("queue:default", False), ("", False), ("worker:w-1", False)]
    clock.advance(400 * SECOND)
    chore.run(store)
    figures.settled([ended(1)], [Answer.ACCEPTED])
    clock.advance(5 * SECOND)
    chore.run(store)
    assert told[3:] == [("queue:default", True), ("worker:w-1", True)]
    clock.advance(5 * SECOND)
    chore.run(store)
    assert told[5:] == [("", True)]
    store.close()


def test_a_worker_writes_what_its_runs_came_to(any_shop: Shop) -> None:
    jobs = [tasks.add.enqueue(1, 2) for _ in range(5)]
    bad = tasks.raise_plainly.enqueue("value")
    worker = any_shop.worker()
    for job in (*jobs, bad):
        any_shop.ended(job)
    worker.drain()
    assert worker.wait(10)
    found = {row.task: row.figure for row in any_shop.store.insights.figure_sums()}
    assert found[tasks.add.name].of(Came.SUCCEEDED) == 5
    assert found[tasks.add.name].run.count == found[tasks.add.name].wait.count == 5
    assert found[tasks.raise_plainly.name].of(Came.DEAD) == 1
    events = any_shop.store.insights.event_counts()
    assert events["job.claimed"] >= 6
    assert events["session.opened"] == 1
    (depth, *_) = any_shop.store.insights.depths(0)
    assert depth.queue == "default"


def effects(shop: Shop) -> None:
    connection = apsw.Connection(shop.url.removeprefix("sqlite:///"))
    connection.execute("create table effect (n integer)")
    connection.close()


def test_a_run_that_commits_its_own_effects_is_counted(shop: Shop) -> None:
    effects(shop)
    worker = shop.worker()
    shop.ended(tasks.effect.enqueue(1))
    until(lambda: shop.store.insights.figure_sums() != [], 5)
    (row,) = shop.store.insights.figure_sums()
    assert row.figure.of(Came.SUCCEEDED) == 1
    assert worker.healthy
