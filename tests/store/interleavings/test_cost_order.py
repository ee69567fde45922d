"""Two transactions that spend from the same budgets, on PostgreSQL: nobody waits for nothing, and both count."""

from collections.abc import Iterator
from itertools import count

import pytest

from relet.clock import DAY
from relet.job.budget import rule_of
from relet.job.costs import ONE
from relet.job.job import Claim, Options
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.store.cost_rows import CostFilter
from relet.store.port import Store
from relet.store.records import Notes, Usage
from tests.store.beds import BEGINNING, PostgresBed
from tests.store.hands import Worker, decide, new, put
from tests.store.interleavings.stepping import Act, Happening, Stepper, interleave
from tests.support.postgres import Databases

TASKS = ("t", "u")
"""Whose sums are rows of their own: only what is used of budgets is shared."""


@pytest.fixture
def bed(pg: Databases) -> Iterator[PostgresBed]:
    made = PostgresBed(pg)
    made.rows(f"alter database {made.name} set deadlock_timeout = '30ms'")
    yield made
    made.drop()


def said(*claims: Claim, n: int = 0) -> Notes:
    """Each costs 0.6 dollars and a page."""
    costs = [Usage(claim.job_id, claim.epoch, n, "cost", "0.6", "USD", None) for claim in claims]
    pages = [Usage(claim.job_id, claim.epoch, n + 100, "pages", "1", "", None) for claim in reversed(claims)]
    return Notes(usage=[*pages, *costs] if n else [*costs, *pages])


def prepared(store: Store) -> None:
    """Budgets of dollars and of pages, which end at the second run, and jobs of two tasks that stand before a limit."""
    store.declare_limits({"llm": Rule(9)}, "w")
    store.declare_budgets({"b": rule_of("b", "1 USD/day", queue="default", limit="llm")}, "w")
    store.declare_budgets({"a": rule_of("a", "2 pages/day", closes="default")}, "w")
    put(store, *[new("tu"[n % 2], options=Options(gates=(("llm", "", 1),))) for n in range(6)])
    store.promote(10)
    worker = Worker(store, tasks=TASKS)
    claim = worker.take()
    nothing = [Usage(claim.job_id, 1, n, unit, "0", unit, None) for n, unit in enumerate(("USD", "pages"))]
    worker.turn([decide(claim, Ended.SUCCESS)], Notes(usage=nothing))
    worker.leave()


def counted(store: Store) -> tuple[int, ...]:
    """Sums, and what is used of both budgets."""
    sums = {row.unit: row.total for row in store.insights.spent(CostFilter(DAY, 0, BEGINNING + DAY))}
    uses = [row.use.total for name in "ba" for row in store.insights.budget_uses(name)]
    return (sums["USD"], sums["pages"], *uses)


def played(bed: PostgresBed, mine: Store, my_act: Act, theirs: Store, their_act: Act, runs: int) -> None:
    """Theirs before each statement of mine in turn: nobody has to give up, and everything counts once."""
    bed.save()
    stepper = Stepper(mine)
    total = (runs * 6 * ONE // 10, runs * ONE)
    for place in count():
        bed.restore()
        answers = interleave(bed, stepper, mine, my_act, [Happening(place, theirs, their_act)])
        if answers is None:
            assert place > 8
            return
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert counted(mine) == (*total, *total)
        assert [one.name for one in mine.tell_budgets()] == ["a", "b"]
        assert Worker(mine, tasks=TASKS).claim() == ()


def test_two_workers_reach_the_end_of_two_budgets_at_once(bed: PostgresBed):
    store = bed.open()
    prepared(store)
    workers = [Worker(bed.open(), tasks=TASKS) for _ in range(2)]
    claims = [worker.take() for worker in workers]

    def act(place: int) -> Act:
        settles, notes = [decide(claims[place], Ended.SUCCESS)], said(claims[place], n=place)
        return lambda store: store.turn(workers[place].id, settles, notes, None)

    played(bed, workers[0].store, act(0), workers[1].store, act(1), 2)


def test_a_turn_that_ends_a_run_beside_the_effects_of_that_run(bed: PostgresBed):
    store = bed.open()
    prepared(store)
    worker = Worker(bed.open(), tasks=TASKS)
    beside, effects = bed.open(), worker.take()
    another = worker.take()
    too_late = [decide(effects, Ended.TIMEOUT, error="late"), decide(another, Ended.SUCCESS)]

    def turn(store: Store) -> object:
        return store.turn(worker.id, too_late, said(another, effects), None)

    def commit(store: Store) -> object:
        return store.begin_effects(worker.id).settle(decide(effects, Ended.SUCCESS), said(effects))

    played(bed, worker.store, turn, beside, commit, 2)


NEW = rule_of("a", "9 pages/day", closes="default")
STEERED: dict[str, Act] = {
    "raise": lambda store: store.set_budget("a", NEW, "ann"),
    "forget": lambda store: store.forget_budget("a"),
    "lift": lambda store: store.lift_budget("a", "", "ann"),
    "lift the other": lambda store: store.lift_budget("b", "", "ann"),
}


def closers(bed: PostgresBed) -> list[str]:
    """Who holds the queue closed."""
    return [by for (by,) in bed.rows("select paused_by from relet.queue where paused_at is not null")]


@pytest.mark.parametrize("how", STEERED)
@pytest.mark.parametrize("turn_first", [True, False])
def test_a_budget_that_is_steered_beside_the_turn_that_uses_it_up_closes_while_it_is_closed(
    bed: PostgresBed, how: str, turn_first: bool
):
    store = bed.open()
    prepared(store)
    worker, theirs = Worker(bed.open(), tasks=TASKS), bed.open()
    mine, claims = worker.store, worker.claim(2)
    settles = [decide(claim, Ended.SUCCESS) for claim in claims]
    acts: list[Act] = [lambda store: store.turn(worker.id, settles, said(*claims), None), STEERED[how]]
    bed.save()
    stepper = Stepper(mine)
    for place in count():
        bed.restore()
        my_act, their_act = acts if turn_first else reversed(acts)
        answers = interleave(bed, stepper, mine, my_act, [Happening(place, theirs, their_act)])
        if answers is None:
            assert place > 3
            return
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        known = [row.name for row in store.insights.budgets()]
        closed = [name for name in known if any(row.use.closed for row in store.insights.budget_uses(name))]
        assert {name for (name,) in bed.rows("select budget from relet.budget_use")} <= set(known)
        assert closers(bed) in ([[f"budget {name}"] for name in closed] or [[]])


def test_of_two_budgets_that_are_lifted_at_once_none_closes_what_the_other_has_opened(bed: PostgresBed):
    store = bed.open()
    prepared(store)
    worker = Worker(bed.open(), tasks=TASKS)
    claims = worker.claim(2)
    worker.turn([decide(claim, Ended.SUCCESS) for claim in claims], said(*claims))
    mine, theirs = bed.open(), bed.open()
    bed.save()
    stepper = Stepper(mine)
    one, other = STEERED["lift"], STEERED["lift the other"]
    for my_act, their_act in ((one, other), (other, one)):
        for place in count():
            bed.restore()
            answers = interleave(bed, stepper, mine, my_act, [Happening(place, theirs, their_act)])
            if answers is None:
                assert place > 3
                break
            assert answers == [True, True]
            assert closers(bed) == []
