"""Limits by name and key: who may pass, who stands in line, and who is let in when somebody leaves."""

from random import Random
from typing import Any

import pytest

from relet.clock import DAY, SECOND
from relet.errors import UsageError
from relet.job.job import After, NewJob, Options
from relet.job.limits import Rule, parse_rates
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import LimitPause, Notes
from tests.store.beds import Bed
from tests.store.contract.test_edges import state_of
from tests.store.hands import Worker, decide, ids, new, put
from tests.store.invariants import check_invariants

MINUTE = 60 * SECOND


def limit(store: Store, name: str = "stripe", **fields: Any) -> Rule:
    if "rate" in fields:
        fields["rates"] = parse_rates(fields.pop("rate"))
    return store.set_limit(name, Rule(**fields), "ann")


def gated(key: str = "", *more: tuple[str, str, int], name: str = "stripe", units: int = 1, **fields: Any) -> NewJob:
    return new(options=Options(gates=((name, key, units), *more)), **fields)


def several(count: int, key: str = "", **fields: Any) -> list[NewJob]:
    return [gated(key, **fields) for _ in range(count)]


def states(store: Store, jobs: list[NewJob]) -> str:
    """One letter each: w(aiting) s(cheduled) r(eady) R(unning) S(ucceeded) c(ancelled) d(ead)."""
    letters = {State.RUNNING: "R", State.SUCCEEDED: "S"}
    return "".join(letters.get(state, state.value[0]) for state in (state_of(store, job.id) for job in jobs))


@pytest.fixture(autouse=True)
def _invariants(bed: Bed):  # type: ignore[no-untyped-def]  # a generator
    yield
    check_invariants(bed)


def test_as_many_as_the_limit_are_ready_and_the_others_stand_in_line(store: Store):
    limit(store, concurrency=2)
    jobs = several(5)
    put(store, *jobs)

    assert states(store, jobs) == "rrwww"


def test_each_key_has_a_limit_of_its_own(store: Store):
    limit(store, concurrency=1)
    ones, twos = several(2, "1"), several(2, "2")
    put(store, *ones, *twos)

    assert (states(store, ones), states(store, twos)) == ("rw", "rw")


def test_a_limit_that_nobody_has_declared_yet_lets_nobody_in(store: Store):
    jobs = several(3)
    put(store, *jobs)
    assert states(store, jobs) == "www", "or they would all have passed before its worker comes and says what it is"

    store.declare_limits({"stripe": Rule(2)}, "app")
    assert states(store, jobs) == "rrw"


def test_a_limit_that_is_forgotten_lets_all_in_until_code_declares_it_again(store: Store):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    assert store.forget_limit("stripe", "ann")
    assert not store.forget_limit("stripe", "ann")
    assert states(store, jobs) == "rr"
    assert store.declare_limits({"stripe": Rule(1)}, "app") == 1
    late = several(1)
    put(store, *late)
    assert states(store, late) == "w"


def test_a_limit_holds_across_queues_and_tasks(store: Store):
    limit(store, concurrency=1)
    jobs = [gated(queue="a", task="x"), gated(queue="b", task="y")]
    put(store, *jobs)
    assert states(store, jobs) == "rw"


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.FAILURE, Ended.SNOOZE, Ended.REJECT, Ended.CANCEL])
def test_every_end_lets_the_next_one_in(store: Store, ended: Ended):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    worker = Worker(store)

    worker.end(worker.take(), ended, delay_us=SECOND)

    assert states(store, jobs)[1] == "r"


def test_a_released_job_keeps_its_place(store: Store):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    worker = Worker(store)
    worker.end(worker.take(), Ended.RELEASE)
    assert states(store, jobs) == "rw"


def test_a_worker_that_dies_leaks_no_slot(store: Store, other: Store, bed: Bed):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    dying, living = Worker(store, lease_us=SECOND), Worker(other)
    dying.take()
    bed.advance(2 * SECOND)
    living.renew()

    other.reclaim_expired()

    assert states(store, jobs) == "rw", "who was let in before is first"
    claims = [living.take()]
    living.end(claims[0])
    assert states(store, jobs) == "Sr"


def test_a_poisonous_job_leaves_its_place_when_it_is_dead(store: Store, other: Store, bed: Bed):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    for _ in range(12):
        if state_of(store, jobs[0].id) is State.DEAD:
            break
        dying = Worker(store, lease_us=SECOND)
        dying.claim(1)
        bed.advance(2 * SECOND)
        other.reclaim_expired()
        bed.advance(DAY)
        other.promote(10)
    assert states(store, jobs) == "dr"


def test_a_job_that_is_put_off_asks_again_when_it_is_due(store: Store, bed: Bed):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    worker = Worker(store)
    worker.fail(worker.take())
    assert states(store, jobs) == "sr"

    bed.advance(11 * SECOND)
    store.promote(10)
    assert states(store, jobs) == "wr"

    worker.end(worker.take())
    assert states(store, jobs) == "rS"


def test_a_delayed_job_asks_when_it_is_due(store: Store, bed: Bed):
    limit(store, concurrency=1)
    late, first = gated(delay_us=MINUTE), gated()
    put(store, late)
    assert states(store, [late]) == "s"
    put(store, first)

    bed.advance(MINUTE)
    assert store.next_due() is not None
    store.promote(10)
    assert states(store, [late, first]) == "wr"


def test_a_child_asks_when_its_parents_have_ended(store: Store):
    limit(store, concurrency=1)
    parent, holder = new(), gated(task="other")
    child = gated(after=(After(parent.id),))
    put(store, parent, holder, child)
    assert states(store, [child, holder]) == "wr"
    worker = Worker(store)

    worker.end(worker.take())
    assert states(store, [child]) == "w"
    assert store.insights.job(child.id) is not None

    holders = Worker(store, tasks=("other",))
    holders.end(holders.take())
    assert states(store, [child]) == "r"


def test_a_child_that_is_skipped_before_its_limit_stands_in_nobodys_way(store: Store):
    limit(store, concurrency=1)
    parent = new()
    child, last = gated(after=(After(parent.id),)), gated(task="other")
    put(store, parent, child, last)
    worker = Worker(store)
    worker.bury(worker.take())
    assert states(store, [child, last]) == "cr"


@pytest.mark.parametrize("place", ["line", "ready", "running"])
def test_a_cancelled_job_leaves_line_and_slot(store: Store, place: str):
    limit(store, concurrency=1)
    jobs = several(3)
    put(store, *jobs)
    worker = Worker(store)
    if place == "line":
        store.cancel(jobs[1].id, "", "ann", 0)
        worker.end(worker.take())
        assert states(store, jobs) == "Scr"
    elif place == "ready":
        store.cancel(jobs[0].id, "", "ann", 0)
        assert states(store, jobs) == "crw"
    else:
        claim = worker.take()
        store.cancel(jobs[0].id, "", "ann", 0)
        worker.end(claim, Ended.CANCEL)
        assert states(store, jobs) == "crw"


def test_a_purge_leaves_no_slot_behind(store: Store):
    limit(store, concurrency=2)
    put(store, *several(5))
    assert store.purge_queue("default", "ann", 100) == 5
    after = several(2)
    put(store, *after)
    assert states(store, after) == "rr"


def test_a_dead_letter_that_is_retried_asks_again(store: Store):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    worker = Worker(store)
    worker.bury(worker.take())
    assert states(store, jobs) == "dr"

    store.retry_dead(jobs[0].id, None, "ann")
    assert states(store, jobs) == "wr"
    worker.end(worker.take())
    assert states(store, jobs) == "rS"


def test_lines_are_ordered_by_priority_and_then_by_age(store: Store, bed: Bed):
    limit(store, concurrency=1)
    first, low, high = gated(), gated(priority=-1), gated(priority=1)
    for job in (first, low, high):
        put(store, job)
        bed.advance(1000)
    worker = Worker(store, queues=("default",))
    order: list[bytes] = []
    for _ in range(3):
        claim = worker.claim(1, ranks=(-1, 0, 1))[0]
        order.append(claim.job_id)
        worker.end(claim)
    assert order == [first.id, high.id, low.id]


def test_a_job_of_low_priority_is_passed_for_some_time_and_not_for_ever(store: Store, bed: Bed):
    limit(store, concurrency=1)
    put(store, gated())
    low = gated(priority=1)
    put(store, low)
    bed.advance(10 * MINUTE)
    put(store, late := gated(priority=2))
    worker = Worker(store, queues=("default",))
    order: list[bytes] = []
    for _ in range(3):
        worker.renew()
        claim = worker.claim(1)[0]
        order.append(claim.job_id)
        worker.end(claim)
    assert order[1:] == [low.id, late.id], "a step of priority is worth ten minutes"


def test_a_newcomer_passes_nobody_in_line(store: Store):
    limit(store, concurrency=1)
    jobs = several(2)
    put(store, *jobs)
    worker = Worker(store)
    limit(store, concurrency=1)
    worker.end(worker.take())
    late = gated()
    put(store, late)
    assert states(store, [*jobs, late]) == "Srw"


def test_a_job_with_several_limits_passes_all_or_none(store: Store):
    limit(store, "a", concurrency=1)
    limit(store, "b", concurrency=1)
    holds_b = new(options=Options(gates=(("b", "", 1),)))
    both = new(options=Options(gates=(("a", "", 1), ("b", "", 1))))
    wants_a = new(options=Options(gates=(("a", "", 1),)))
    put(store, holds_b)
    put(store, both)
    put(store, wants_a)
    assert states(store, [holds_b, both, wants_a]) == "rwr", "whoever waits for b holds nothing of a"

    worker = Worker(store)
    worker.end(worker.take())
    assert states(store, [both]) == "w"
    worker.end(worker.take())
    assert states(store, [both]) == "r"


def test_a_rate_lets_so_many_start_in_any_window(store: Store, bed: Bed):
    limit(store, rate="3/min")
    jobs = several(7)
    put(store, *jobs)
    assert states(store, jobs) == "rrrwwww"
    worker = Worker(store)
    for claim in worker.claim():
        worker.end(claim)
    assert states(store, jobs) == "SSSwwww", "the window is used up"

    due = store.next_due()
    assert due is not None
    bed.advance(due - store.now())
    store.promote(10)
    assert states(store, jobs) == "SSSrrrw"


def test_what_has_passed_and_not_started_counts_as_if_it_started_now(store: Store, bed: Bed):
    limit(store, rate="2/min")
    jobs = several(4)
    put(store, *jobs)
    bed.advance(10 * MINUTE)
    store.promote(10)
    assert states(store, jobs) == "rrww", "or four could start in one minute"


def test_a_job_weighs_its_units(store: Store, bed: Bed):
    limit(store, rate="10/min")
    jobs = [gated(units=6), gated(units=4), gated(units=1)]
    put(store, *jobs)
    assert states(store, jobs) == "rrw"


def test_a_job_that_weighs_more_than_the_rate_takes_all_of_it(store: Store):
    limit(store, rate="10/min")
    jobs = [gated(units=500), gated(units=1)]
    put(store, *jobs)
    assert states(store, jobs) == "rw"


def test_a_higher_limit_lets_in_at_once(store: Store):
    limit(store, concurrency=1)
    jobs = several(4)
    put(store, *jobs)
    limit(store, concurrency=3)
    assert states(store, jobs) == "rrrw"
    limit(store)
    assert states(store, jobs) == "rrrr"


def test_a_lower_limit_lets_in_nobody_until_there_is_room(store: Store):
    limit(store, concurrency=3)
    jobs = several(4)
    put(store, *jobs)
    limit(store, concurrency=1)
    worker = Worker(store)
    claims = worker.claim()
    worker.settle(*[decide(claim, Ended.SUCCESS) for claim in claims[:2]])
    assert states(store, jobs)[3] == "w"
    worker.end(claims[2])
    assert states(store, jobs)[3] == "r"


def test_a_paused_key_lets_nobody_in_until_then(store: Store, bed: Bed):
    limit(store, concurrency=5)
    assert store.pause_limit("stripe", "1", store.now() + MINUTE, "ann")
    ones, twos = several(2, "1"), several(2, "2")
    put(store, *ones, *twos)
    assert (states(store, ones), states(store, twos)) == ("ww", "rr")

    bed.advance(MINUTE)
    store.promote(10)
    assert states(store, ones) == "rr"


def test_a_pause_of_all_keys_ends_by_hand(store: Store):
    limit(store, concurrency=5)
    assert store.pause_limit("stripe", None, None, "ann")
    jobs = several(2, "1")
    put(store, *jobs)
    assert states(store, jobs) == "ww"
    assert store.resume_limit("stripe", None, "ann")
    assert states(store, jobs) == "rr"
    assert not store.resume_limit("stripe", None, "ann")
    assert not store.pause_limit("unknown", None, None, "ann")


def test_a_running_job_pauses_its_key(store: Store, bed: Bed):
    limit(store, concurrency=1)
    jobs = several(2, "1")
    put(store, *jobs)
    worker = Worker(store)
    claim = worker.take()
    notes = Notes(limit_pauses=(LimitPause("stripe", "1", MINUTE, None),))
    worker.turn([decide(claim, Ended.SUCCESS)], notes)
    late = gated("1")
    put(store, late)
    assert states(store, [late]) == "w"
    bed.advance(2 * MINUTE)
    store.promote(10)
    worker.claim()


def test_what_code_declares_gives_way_to_what_a_person_says(store: Store):
    assert store.declare_limits({"stripe": Rule(2)}, "app") == 1
    assert store.declare_limits({"stripe": Rule(2)}, "app") == 0
    limit(store, concurrency=9)
    assert store.declare_limits({"stripe": Rule(3)}, "app") == 0
    (found,) = store.insights.limits()
    assert (found.name, found.rule.concurrency, found.origin, found.changed_by) == ("stripe", 9, "person", "ann")


def test_people_see_what_is_used(store: Store):
    limit(store, concurrency=2, rate="3/min")
    put(store, *several(4, "1"), *several(1, "2"))
    (found,) = store.insights.limits()
    assert (found.keys, found.passed, found.waiting) == (2, 3, 2)
    one, two = store.insights.limit_keys("stripe")
    assert (one.key, one.passed, one.waiting, one.used) == ("1", 2, 2, (2,))
    assert (two.key, two.passed, two.waiting, two.used) == ("2", 1, 0, (1,))


def test_keys_that_nobody_needs_any_more_are_forgotten(store: Store, bed: Bed):
    limit(store, concurrency=1, rate="5/min")
    jobs = [*several(1, "1"), *several(2, "2")]
    put(store, *jobs)
    worker = Worker(store)
    for claim in worker.claim():
        worker.end(claim)
    assert [row.key for row in store.insights.limit_keys("stripe")] == ["1", "2"]
    bed.advance(10 * MINUTE)

    store.prune(DAY, DAY, 100)

    assert [row.key for row in store.insights.limit_keys("stripe")] == ["2"]
    assert bed.rows("select * from relet.tally where key = '1'") == []


def test_jobs_enqueued_by_a_transaction_that_is_rolled_back_leave_no_slot(store: Store):
    limit(store, concurrency=1)
    job = gated()
    put(store, job)
    put(store, job)
    assert states(store, [job]) == "r"
    assert store.insights.limits()[0].passed == 1


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_limit_holds_and_nobody_waits_for_ever(store: Store, other: Store, bed: Bed, seed: int):
    dice = Random(seed)
    limit(store, "a", concurrency=2)
    limit(store, "b", concurrency=1, rate="20/min")
    kinds = [(("a", "", 1),), (("b", "x", 1),), (("a", "", 1), ("b", "x", 2))]
    jobs = [new(options=Options(gates=dice.choice(kinds), max_attempts=2)) for _ in range(14)]
    workers, running = [Worker(store), Worker(other)], list[tuple[Worker, Any]]()
    for job in jobs:
        put(dice.choice([store, other]), job)
        worker = dice.choice(workers)
        running += [(worker, claim) for claim in worker.claim(dice.randint(1, 3))]
        if running and dice.random() < 0.6:
            worker, claim = running.pop(dice.randrange(len(running)))
            worker.end(claim, dice.choice([Ended.SUCCESS, Ended.FAILURE, Ended.RELEASE, Ended.SNOOZE]), delay_us=SECOND)
        if dice.random() < 0.2:
            store.cancel(dice.choice(jobs).id, "", "ann", 0)
        passed = bed.rows("select limit_name, count(*) from relet.slot group by limit_name")
        assert all(count <= {"a": 2, "b": 1}[name] for name, count in passed)
        check_invariants(bed)
    for worker, claim in running:
        worker.end(claim)
    for _ in range(100):
        if not any(
            state_of(store, job.id).value in ("waiting", "scheduled", "ready")
            for job in jobs
            if store.insights.job(job.id)
        ):
            break
        bed.advance(15 * SECOND)
        for worker in workers:
            worker.renew()
            worker.store.promote(10)
            for claim in worker.claim():
                worker.end(claim)
    else:
        pytest.fail(f"some wait for ever: {states(store, jobs)}")


def test_ids_of_claims_are_those_that_passed(store: Store):
    limit(store, concurrency=3)
    jobs = several(5)
    put(store, *jobs)
    assert ids(Worker(store).claim()) == [job.id for job in jobs[:3]]


def test_a_job_of_a_tenant_gets_its_place_when_its_limit_lets_it_in(store: Store, bed: Bed):
    limit(store, concurrency=1)
    options = Options(gates=(("stripe", "", 1),), fair="acme", max_attempts=2)
    jobs = [new(options=options) for _ in range(3)]
    put(store, *jobs)
    assert states(store, jobs) == "rww"
    assert bed.rows("select tenant from relet.ready") == [("acme",)]
    worker = Worker(store)

    worker.fail(worker.take())
    assert states(store, jobs) == "srw"
    worker.bury(worker.take())
    assert states(store, jobs) == "sdr"
    assert store.retry_dead(jobs[1].id, None, "ann")
    bed.advance(11 * SECOND)
    store.promote(10)
    assert states(store, jobs) == "wwr"
    for _ in range(3):
        assert bed.rows("select tenant from relet.ready") == [("acme",)]
        worker.end(worker.take())
    assert states(store, jobs) == "SSS"


def test_the_rule_of_a_queue_is_not_changed_by_this_door(store: Store):
    store.limit_queue("default", Rule(3), "ann")
    with pytest.raises(UsageError, match="Use limit_queue"):
        store.set_limit("queue:default", Rule(9), "bob")
    assert store.insights.limits() == []
    (queue,) = store.insights.queues()
    assert queue.limit is not None
    assert queue.limit.rule == Rule(3)
