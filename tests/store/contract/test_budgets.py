"""Budgets: counted to the commit; what is used up is closed by the turn that uses it up, until the window ends."""

from typing import Any

import pytest

from relet.clock import DAY, SECOND
from relet.errors import Refused
from relet.job.budget import Rule, rule_of, span_of
from relet.job.costs import ONE
from relet.job.job import Claim, Options
from relet.job.limits import Rule as Limit
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Notes, Usage
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, decide, new, news, put, put_new

TOMORROW = BEGINNING - BEGINNING % DAY + DAY
LONG = 40 * DAY


def said(claim: Claim, amount: str, n: int = 0, unit: str = "USD", details: str | None = None) -> Notes:
    """What the run of a claim consumed."""
    return Notes(usage=[Usage(claim.job_id, claim.epoch, n, "cost", amount, unit, details)])


def budget(store: Store, amount: str = "20 USD/day", **given: Any) -> Rule:
    """One named "claude", of the queue "default" unless said."""
    rule = rule_of("claude", amount, **({"queue": "default"} | given))
    store.declare_budgets({"claude": rule}, "w")
    return rule


def used(store: Store) -> dict[str, float]:
    """By key."""
    return {row.key: row.use.total / ONE for row in store.insights.budget_uses("claude")}


def test_the_turn_that_uses_it_up_pauses_the_queue_until_the_day_ends_in_utc(store: Store, bed: Bed):
    budget(store)
    put(store, *news(3))
    worker = Worker(store, lease_us=LONG)
    claim = worker.take()

    assert worker.turn(notes=said(claim, "19.999999999999"), want=worker.want(1)).claims
    turned = worker.turn([decide(claim, Ended.SUCCESS)], said(claim, "0.000000000001", 1), worker.want())
    assert turned.claims == ()

    (queue,) = store.insights.queues()
    assert (queue.paused_by, queue.resume_at) == ("budget claude", TOMORROW)
    bed.advance(TOMORROW - BEGINNING - 1)
    assert worker.claim() == ()
    bed.advance(1)
    assert len(worker.claim()) == 1


def test_two_workers_at_the_end_of_it_are_counted_exactly_and_one_of_them_closes(store: Store, other: Store):
    budget(store, "1 USD/day")
    put(store, *news(4))
    workers = [Worker(store), Worker(other)]
    claims = [worker.take() for worker in workers]

    for n in range(5):
        for worker, claim in zip(workers, claims, strict=True):
            worker.turn(notes=said(claim, "0.11", n), want=worker.want(1) if n == 4 else None)

    assert used(store) == {"": 1.1}
    assert [(one.name, one.use.exceeded_at is not None) for one in store.tell_budgets()] == [("claude", True)]
    assert other.tell_budgets() == []
    assert workers[0].claim() == workers[1].claim() == ()


def test_repeated_notes_are_taken_from_it_once(store: Store):
    budget(store)
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    for _ in range(3):
        worker.turn(notes=said(claim, "5"))

    assert used(store) == {"": 5}


def test_what_effects_commit_is_taken_from_it_and_closes_it(store: Store, other: Store):
    budget(store, "1 USD/day")
    put(store, *news(2))
    worker = Worker(store)
    claim = worker.take()
    other.begin_effects(worker.id).settle(decide(claim, Ended.SUCCESS), said(claim, "1"))

    assert worker.claim() == ()


def test_somebody_is_warned_once_before(store: Store):
    budget(store, "10 USD/day", warn="0.5")
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn(notes=said(claim, "4.99"))
    assert store.tell_budgets() == []

    worker.turn(notes=said(claim, "0.01", 1))
    (news_,) = store.tell_budgets()
    assert (news_.name, news_.use.total, news_.use.exceeded_at) == ("claude", 5 * ONE, None)
    worker.turn(notes=said(claim, "1", 2))
    assert store.tell_budgets() == []


def test_a_new_window_begins_at_nothing_and_is_told_of_anew(store: Store, bed: Bed):
    budget(store, "1 USD/day")
    put(store, *news(2))
    worker = Worker(store, lease_us=LONG)
    claim = worker.take()
    worker.turn(notes=said(claim, "1"))
    assert len(store.tell_budgets()) == 1

    bed.advance(DAY)
    worker.turn(notes=said(claim, "0.25", 1))
    assert used(store) == {"": 0.25}
    assert worker.claim()
    worker.turn(notes=said(claim, "0.75", 2))
    assert len(store.tell_budgets()) == 1


def test_rejecting_refuses_new_jobs_until_the_window_ends_and_runs_those_that_are_there(store: Store, bed: Bed):
    budget(store, "1 USD/hour", on_exceeded="reject")
    put(store, *news(2))
    worker = Worker(store, lease_us=LONG)
    claim = worker.take()
    worker.turn(notes=said(claim, "2"))

    for job in (new(), new(unique="k"), new(delay_us=SECOND)):
        with pytest.raises(Refused, match=r"budget claude.*relet budgets lift claude"):
            store.enqueue([job])
    assert len(worker.claim()) == 1

    until = span_of("hour", BEGINNING)[1]
    bed.advance(until - BEGINNING - 1)
    with pytest.raises(Refused):
        store.enqueue([new()])
    bed.advance(1)
    put_new(store)
    put_new(store, unique="k")
    store.promote(10)
    assert store.insights.queues()[0].closed_at is None


def test_a_budget_per_tenant_pauses_the_line_of_that_tenant_alone(store: Store):
    budget(store, "1 USD/day", queue="", limit="claude", per="tenant")
    store.declare_limits({"claude": Limit(1)}, "w")
    jobs = [
        new(options=Options(gates=(("claude", tenant, 1),), tags={"tenant": tenant})) for tenant in ("acme", "bolt") * 2
    ]
    put(store, *jobs)
    store.promote(10)
    worker = Worker(store)
    claims = worker.claim()
    assert len(claims) == 2

    for claim in claims:
        amount = "1" if '"acme"' in (claim.options or "") else "0.5"
        worker.turn([decide(claim, Ended.SUCCESS)], said(claim, amount))

    assert used(store) == {"acme": 1, "bolt": 0.5}
    (again,) = worker.claim()
    assert '"bolt"' in (again.options or "")
    assert store.lift_budget("claude", "acme", "ann")
    (lifted,) = worker.claim()
    assert '"acme"' in (lifted.options or "")


def test_a_budget_counts_what_it_is_of(store: Store):
    budget(store, "10 USD/day", queue="", closes="default", model="claude*", task="t")
    put(store, new(), new("u"))
    worker = Worker(store, tasks=("t", "u"))
    for claim in worker.claim():
        worker.turn(notes=said(claim, "1", 0, details='{"model": "claude-3"}'))
        worker.turn(notes=said(claim, "2", 1, details='{"model": "gpt"}'))
        worker.turn(notes=said(claim, "4", 2, unit="EUR", details='{"model": "claude-3"}'))

    assert used(store) == {"": 1}


def test_lifting_opens_the_queue_and_closes_nothing_more_in_this_window(store: Store, bed: Bed):
    budget(store, "1 USD/day")
    put(store, *news(3))
    worker = Worker(store, lease_us=LONG)
    claim = worker.take()
    worker.turn(notes=said(claim, "1"))
    assert worker.claim(1) == ()

    assert store.lift_budget("claude", "", "ann")
    assert not store.lift_budget("claude", "", "ann")
    worker.turn(notes=said(claim, "5", 1))
    assert len(worker.claim(1)) == 1

    bed.advance(DAY)
    worker.turn(notes=said(claim, "1", 2))
    assert worker.claim(1) == ()


def test_a_greater_amount_opens_and_a_smaller_one_closes_with_the_next_cost(store: Store):
    budget(store, "1 USD/day")
    put(store, *news(3))
    worker = Worker(store)
    claim = worker.take()
    worker.turn(notes=said(claim, "1"))

    store.set_budget("claude", rule_of("claude", "5 USD/day", queue="default"), "ann")
    assert len(worker.claim(1)) == 1
    worker.turn(notes=said(claim, "1", 1))
    assert used(store) == {"": 2}
    store.set_budget("claude", rule_of("claude", "2 USD/day", queue="default"), "ann")
    worker.turn(notes=said(claim, "0.01", 2))
    assert worker.claim(1) == ()


def test_what_a_person_says_stands_until_it_is_forgotten(store: Store):
    rule = budget(store)
    own = rule_of("claude", "5 USD/day", queue="default")
    store.set_budget("claude", own, "ann")

    assert store.declare_budgets({"claude": rule}, "w") == 0
    (row,) = store.insights.budgets()
    assert (row.rule, row.origin, row.changed_by) == (own, "person", "ann")
    assert store.forget_budget("claude")
    assert not store.forget_budget("claude")
    assert store.declare_budgets({"claude": rule}, "w") == 1


def test_a_pause_of_a_person_stays_when_the_budget_is_lifted(store: Store):
    budget(store, "1 USD/day")
    put(store, *news(2))
    worker = Worker(store)
    claim = worker.take()
    store.pause_queue("default", "ann", "", None)
    worker.turn(notes=said(claim, "1"))

    store.lift_budget("claude", "", "ann")
    assert store.insights.queues()[0].paused_by == "ann"
    assert worker.claim() == ()


def test_a_queue_that_two_budgets_close_stays_closed_until_both_are_lifted(store: Store):
    budget(store, "1 USD/day")
    store.declare_budgets({"other": rule_of("other", "1 USD/month", queue="default")}, "w")
    put(store, *news(2))
    worker = Worker(store)
    worker.turn(notes=said(worker.take(), "1"))
    assert store.insights.queues()[0].paused_by == "budget other"

    store.lift_budget("other", "", "ann")
    (queue,) = store.insights.queues()
    assert (queue.paused_by, queue.resume_at) == ("budget claude", TOMORROW)
    assert worker.claim() == ()
    store.lift_budget("claude", "", "ann")
    assert len(worker.claim()) == 1


def test_hostile_amounts_close_nothing_and_hinder_nothing(store: Store):
    budget(store, "1000000000000000 USD/month")
    put(store, *news(2))
    worker = Worker(store)
    claim = worker.take()
    for n, amount in enumerate(("nan", "1e400", "-5", "0.1" + "0" * 29 + "1")):
        worker.turn(notes=said(claim, amount, n))

    assert used(store) == {"": 0.1}
    worker.turn(notes=said(claim, "1e15", 9))
    assert worker.claim() == ()


def test_uses_of_long_ago_are_forgotten(store: Store, bed: Bed):
    budget(store)
    put_new(store)
    worker = Worker(store)
    worker.turn(notes=said(worker.take(), "1"))
    worker.leave()
    bed.advance(40 * DAY)
    store.prune(DAY, DAY, 10)

    assert used(store) == {}
