"""Circuit breakers in the store: told in the order of reports, probes granted exactly, steered by people."""

from collections.abc import Callable, Sequence

import pytest

from relet.clock import SECOND
from relet.job.breaker import Rule, State
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.store import breakers
from relet.store.port import Store
from relet.store.records import Report, Verdict
from relet.store.rows import BreakerRow
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, Worker, decide, ids, new, news, put, put_new
from tests.store.interleavings.stepping import Stepper

COOL = 10 * SECOND
TASK, QUEUE, CALL = "task:t", "queue:default", "stripe"
RULE = Rule(failures=3, cool_us=COOL)


def declare(store: Store, *names: str, rule: Rule = RULE) -> None:
    store.declare_breakers(dict.fromkeys(names, rule), "code")


def told(store: Store, *outcomes: int, name: str = TASK, error: str = "E: broken") -> BreakerRow:
    (row,) = store.report_outcomes([Report(name, outcomes, (), error)])
    return row


def judged(store: Store, claim: Claim, passed: bool, name: str = TASK) -> BreakerRow:
    (row,) = store.report_outcomes([Report(name, (), (Verdict(claim.job_id, claim.epoch, passed),), "E: still")])
    return row


def seen(store: Store, name: str = TASK) -> BreakerRow:
    row = store.insights.breaker(name)
    assert row is not None
    return row


def state(store: Store, name: str = TASK) -> State:
    return seen(store, name).status.state(store.now())


def probe(worker: Worker, *names: str) -> Sequence[Claim]:
    return worker.store.claim_probe(worker.id, worker.want(10), names or (TASK,)).turned.claims


def test_failures_in_a_row_are_counted_over_all_workers_in_the_order_of_their_reports(store: Store, other: Store):
    declare(store, TASK)
    told(store, -2)
    told(other, 1)
    told(other, -1)
    told(store, -1)
    assert state(other) is State.CLOSED
    row = told(other, -1)

    assert (state(store), row) == (State.OPEN, seen(store))
    assert (row.status.trips, row.status.opened_at, row.status.probe_at) == (1, BEGINNING, BEGINNING + COOL)
    assert (row.status.because, row.status.error, row.changed_by) == ("3 failures in a row", "E: broken", "relet")


def test_what_changes_nothing_writes_nothing(store: Store):
    declare(store, TASK)
    first = seen(store)
    assert told(store, 5) == first
    assert seen(store).revision == first.revision
    assert store.declare_breakers({TASK: RULE}, "code") == 0


def test_a_rate_needs_its_minimum(store: Store, bed: Bed):
    declare(store, TASK, rule=Rule(None, 60 * SECOND, 0.5, 4, COOL))
    told(store, -3)
    assert state(store) is State.CLOSED
    bed.advance(70 * SECOND)
    told(store, -1, 2)
    assert state(store) is State.CLOSED
    assert told(store, -1).status.because == "2 of 4 failed within 1m"


def test_another_rule_leaves_it_as_it_stands(store: Store):
    declare(store, TASK)
    told(store, -3)
    assert store.declare_breakers({TASK: Rule(7)}, "code") == 1
    assert (state(store), seen(store).rule.failures, seen(store).changed_by) == (State.OPEN, 7, "relet")


def test_what_nobody_has_declared_is_told_nothing(store: Store):
    assert store.report_outcomes([Report("who", (-9,))]) == ()
    assert store.ask_probe("who", IDS.session(), SECOND) == (False, None)
    assert store.open_breaker("who", "ann", "") is None
    assert store.close_breaker("who", "ann") is None
    assert store.insights.breaker("who") is None


def test_who_renews_and_who_listens_hear_of_those_that_are_not_closed(store: Store):
    worker = Worker(store)
    declare(store, TASK, CALL)
    assert (worker.renew().breakers, store.listen(worker.id).breakers) == ((), ())
    told(store, -3)
    assert worker.renew().breakers == store.listen(worker.id).breakers == (seen(store),)
    store.close_breaker(TASK, "ann")
    assert store.listen(worker.id).breakers == ()


def test_no_probe_goes_out_before_its_time_and_then_only_one(store: Store, other: Store, bed: Bed):
    put(store, *news(3))
    declare(store, TASK)
    told(store, -3)
    mine, theirs = Worker(store), Worker(other)
    bed.advance(COOL - 1)
    assert probe(mine) == ()
    bed.advance(1)

    (claim,) = probe(mine)
    assert (claim.counters.attempt, claim.epoch) == (0, 1)
    assert (probe(theirs), probe(mine)) == ((), ())
    assert (state(store), seen(store).out) == (State.HALF_OPEN, 1)


def test_a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_for_as_long_again(store: Store, bed: Bed):
    put(store, *news(3))
    declare(store, TASK)
    told(store, -3)
    worker = Worker(store)
    bed.advance(COOL)
    row = judged(store, probe(worker)[0], passed=False)
    assert (row.status.because, row.status.error, row.status.trips) == ("a probe failed", "E: still", 2)
    assert row.status.probe_at == BEGINNING + 2 * COOL
    assert probe(worker) == ()

    bed.advance(COOL)
    assert judged(store, probe(worker)[0], passed=True).status.opened_at is None
    assert (state(store), seen(store).status.trips) == (State.CLOSED, 2)
    assert len(worker.claim()) == 1


def test_so_many_probes_at_once_and_as_many_successes(store: Store, other: Store, bed: Bed):
    put(store, *news(5))
    declare(store, TASK, rule=Rule(3, cool_us=COOL, probes=2))
    told(store, -3)
    bed.advance(COOL)
    mine, theirs = Worker(store), Worker(other)
    first, second = (*probe(mine), *probe(theirs), *probe(theirs))
    assert judged(store, first, passed=True).status.proved == 1
    mine.end(first)
    assert probe(mine) == ()
    assert judged(other, second, passed=True).status.opened_at is None


@pytest.mark.parametrize("gone", ["killed", "left", "snoozed"])
def test_a_probe_that_never_tells_makes_room_for_another(store: Store, other: Store, bed: Bed, gone: str):
    put(store, *news(2))
    declare(store, TASK)
    told(store, -3)
    bed.advance(COOL)
    dying, living = Worker(store, lease_us=SECOND), Worker(other)
    (claim,) = probe(dying)
    assert probe(living) == ()
    if gone == "killed":
        bed.advance(2 * SECOND)
        living.renew()
        other.reclaim_expired()
    elif gone == "left":
        dying.leave()
    else:
        dying.end(claim, Ended.SNOOZE, delay_us=SECOND)

    assert state(store) is State.HALF_OPEN
    assert len(probe(living)) == 1
    late = judged(store, claim, passed=True)
    assert late.status.opened_at is not None, "a probe that was given up has no say"


def test_what_began_before_says_nothing_while_it_is_half_open(store: Store, bed: Bed):
    put(store, *news(2))
    declare(store, TASK)
    old = Worker(store).take()
    told(store, -3)
    bed.advance(COOL)
    before = seen(store)
    assert told(store, 1) == judged(store, old, passed=True) == judged(store, old, passed=False) == before


def test_a_job_that_two_breakers_guard_is_a_probe_of_both(store: Store, bed: Bed):
    put(store, *news(3), new("u"))
    declare(store, TASK, QUEUE)
    for name in (TASK, QUEUE):
        told(store, -3, name=name)
    bed.advance(COOL)
    worker = Worker(store, tasks=("t", "u"))
    (claim,) = probe(worker, TASK, QUEUE)
    assert (seen(store, TASK).out, seen(store, QUEUE).out) == (1, 1)
    assert probe(worker, TASK, QUEUE) == ()
    judged(store, claim, passed=True, name=QUEUE)
    assert ids(probe(worker, TASK)) != [], "a job of another task is no probe of this one"
    assert seen(store, TASK).out == 1


def test_a_closed_breaker_has_no_probes(store: Store):
    put(store, *news(2))
    declare(store, TASK)
    assert probe(Worker(store)) == ()


def test_a_session_that_is_over_gets_no_probe(store: Store, bed: Bed):
    put(store, *news(2))
    declare(store, TASK)
    told(store, -3)
    bed.advance(COOL)
    worker = Worker(store)
    worker.leave()
    assert probe(worker) == ()
    assert seen(store).out == 0


def test_a_call_is_a_probe_until_it_is_told_of_or_its_time_is_over(store: Store, other: Store, bed: Bed):
    declare(store, CALL)
    told(store, -3, name=CALL)
    first, second, third = (IDS.session() for _ in range(3))
    assert store.ask_probe(CALL, first, SECOND)[0] is False
    bed.advance(COOL)
    assert store.ask_probe(CALL, first, SECOND) == (True, seen(store, CALL)._replace(out=0))
    assert other.ask_probe(CALL, second, SECOND)[0] is False
    bed.advance(SECOND)
    assert other.ask_probe(CALL, second, SECOND)[0] is True
    other.return_probe(CALL, second)
    assert store.ask_probe(CALL, third, SECOND)[0] is True

    (late,) = store.report_outcomes([Report(CALL, (), (Verdict(first, 0, True),))])
    assert late.status.opened_at is not None
    (row,) = store.report_outcomes([Report(CALL, (), (Verdict(third, 0, True),))])
    assert row.status.opened_at is None


def test_a_person_opens_and_closes_and_it_is_written_who(store: Store, bed: Bed):
    declare(store, TASK)
    row = store.open_breaker(TASK, "ann", "maintenance")
    assert row == seen(store)
    assert (row.status.because, row.status.probe_at, row.changed_by, row.status.trips) == (
        "maintenance",
        None,
        "ann",
        0,
    )
    bed.advance(100 * COOL)
    assert state(store) is State.OPEN

    bed.advance(1)
    row = store.close_breaker(TASK, "bob")
    assert row == seen(store)
    assert (state(store), row.changed_by, row.changed_at) == (State.CLOSED, "bob", store.now())


def test_a_person_can_open_it_until_a_time(store: Store, bed: Bed):
    put(store, *news(1))
    declare(store, TASK)
    store.open_breaker(TASK, "ann", "", BEGINNING + SECOND)
    assert state(store) is State.OPEN
    bed.advance(SECOND)
    assert len(probe(Worker(store))) == 1


def test_a_reset_forgets_what_a_close_keeps(store: Store):
    declare(store, TASK)
    told(store, -3)
    assert store.close_breaker(TASK, "ann").status[-3:] == (1, "", "E: broken")  # type: ignore[union-attr]  # it is there
    told(store, -2)
    row = store.close_breaker(TASK, "ann", forget=True)
    assert row is not None
    assert (row.status.trips, row.status.error, row.status.failures) == (0, "", 0)


def test_probes_of_a_breaker_that_a_person_closed_have_no_say_any_more(store: Store, bed: Bed):
    put(store, *news(2))
    declare(store, TASK)
    told(store, -3)
    bed.advance(COOL)
    (claim,) = probe(Worker(store))
    store.close_breaker(TASK, "ann")
    assert judged(store, claim, passed=False).status.opened_at is None


# ── jobs that a breaker around a call has put off ─────────────────────────────────────────────────────────────────
LATER = 1_800 * SECOND


def put_off(store: Store, count: int = 1, name: str | None = CALL) -> list[bytes]:
    """Jobs that have met it open, and are due in half an hour."""
    put(store, *news(count))
    worker = Worker(store)
    claims = worker.claim(count)
    worker.settle(*[decide(claim, Ended.SNOOZE, delay_us=LATER, breaker=name) for claim in claims])
    return ids(claims)


def due(store: Store, job_id: bytes) -> int:
    """In how long it is due."""
    row = store.insights.job(job_id)
    assert row is not None
    assert row.run_at is not None
    return row.run_at - store.now()


def by_hand(store: Store, bed: Bed) -> None:
    store.close_breaker(CALL, "ann")


def by_reset(store: Store, bed: Bed) -> None:
    store.close_breaker(CALL, "ann", forget=True)


def by_a_probe(store: Store, bed: Bed) -> None:
    bed.advance(COOL)
    token = IDS.session()
    assert store.ask_probe(CALL, token, SECOND)[0]
    store.report_outcomes([Report(CALL, (), (Verdict(token, 0, True),))])


@pytest.mark.parametrize("close", [by_hand, by_reset, by_a_probe])
def test_when_it_closes_the_jobs_that_it_put_off_come_back(store: Store, bed: Bed, close: Callable[[Store, Bed], None]):
    declare(store, CALL, "other")
    told(store, -3, name=CALL)
    store.open_breaker("other", "ann", "")
    (mine,), (others,), (snoozed,) = put_off(store), put_off(store, name="other"), put_off(store, name=None)
    before = due(store, others)
    store.promote(10)
    assert due(store, mine) == before, "it is open"

    close(store, bed)
    assert due(store, mine) == SECOND == store.next_due() - store.now()  # type: ignore[operator]  # it is there
    assert due(store, others) == due(store, snoozed) > SECOND
    bed.advance(SECOND)
    assert store.promote(10) == [("default", 1)]
    (claim,) = Worker(store).claim()
    assert (claim.job_id, claim.counters.attempt) == (mine, 0)


def test_those_that_are_due_sooner_keep_their_time(store: Store):
    declare(store, CALL)
    store.open_breaker(CALL, "ann", "")
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.end(claim, Ended.SNOOZE, delay_us=SECOND // 2, breaker=CALL)
    store.close_breaker(CALL, "ann")
    assert due(store, claim.job_id) == SECOND // 2


def test_many_come_back_in_portions(store: Store, bed: Bed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(breakers, "AT_ONCE", 2)
    declare(store, CALL)
    store.open_breaker(CALL, "ann", "")
    jobs = put_off(store, 7)

    def woken() -> int:
        return sum(due(store, job_id) <= SECOND for job_id in jobs)

    store.close_breaker(CALL, "ann")
    assert woken() == 2
    assert [(store.promote(3), woken()) for _ in range(3)] == [([], 5), ([], 7), ([], 7)]


def test_one_that_is_put_off_after_it_has_closed_comes_back_too(store: Store, bed: Bed):
    declare(store, CALL)
    store.open_breaker(CALL, "ann", "")
    store.close_breaker(CALL, "ann")
    (late,) = put_off(store)
    store.promote(10)
    assert due(store, late) == SECOND


def test_what_opens_again_meanwhile_does_not_bring_back_what_it_puts_off_then(store: Store):
    declare(store, CALL)
    store.open_breaker(CALL, "ann", "")
    (first,) = put_off(store)
    store.close_breaker(CALL, "ann")
    store.open_breaker(CALL, "ann", "")
    (second,) = put_off(store)
    store.promote(10)
    assert (due(store, first), due(store, second)) == (SECOND, LATER)


def test_one_whose_start_somebody_has_put_off_since_stays_put_off(store: Store):
    declare(store, CALL)
    store.open_breaker(CALL, "ann", "")
    put(store, new(unique="k"))
    worker = Worker(store)
    claim = worker.take()
    worker.settle(decide(claim, Ended.SNOOZE, delay_us=LATER, breaker=CALL))

    put(store, new(unique="k", on_conflict="debounce", debounce_us=2 * LATER))
    store.close_breaker(CALL, "ann")
    store.promote(10)
    assert due(store, claim.job_id) == 2 * LATER


def test_claims_never_look_at_breakers_and_a_renewal_only_when_one_is_not_closed(store: Store, other: Store):
    put(store, *news(9))
    worker, seen_by = Worker(store), Stepper(store)

    def statements(act: Callable[[], object]) -> list[str]:
        seen_by.reset()
        act()
        return list(seen_by.statements)

    def turn() -> list[str]:
        return statements(lambda: worker.turn([decide(worker.take(), Ended.SUCCESS)], want=worker.want(1)))

    def listen() -> list[str]:
        return statements(lambda: store.listen(worker.id))

    before = turn(), listen()
    declare(other, TASK, QUEUE)
    assert (turn(), listen()) == before
    other.open_breaker(TASK, "ann", "")
    assert turn() == before[0]
    assert sorted(set(listen()) - set(before[1])) == ["breaker_tripped"]
    assert not any("breaker" in name or "probe" in name for name in before[0] + before[1])
