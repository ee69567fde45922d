"""What a worker leaves out of its claims, what it tells the store of breakers, and when it asks for a probe."""

from random import Random
from typing import Any

from relet.clock import SECOND
from relet.job.breaker import Rule, Status, forced
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.store.records import Probed, Report, Turned, Verdict
from relet.store.rows import BreakerRow
from relet.work.actions import Action, Learn, Probe, Sleep, Tell, Turn
from relet.work.breakers import AGAIN_US, FLUSH_US, SLACK_US, Seen
from relet.work.clerk import Clerk
from relet.work.terms import Terms
from tests.work.making import answer, claim, ended

SESSION = b"s" * 16
TASK, QUEUE = "task:t", "queue:lead"
COOL = 10 * SECOND
RULE = Rule(2, cool_us=COOL)


def a_clerk(*names: str, slots: int = 20) -> Clerk:
    terms = Terms(slots=slots, tasks=("t", "u"), queues={"lead": 1, "mail": 1}, breakers=dict.fromkeys(names, RULE))
    clerk = Clerk(terms, Random(1))
    clerk.open(SESSION)
    return clerk


def row(name: str, status: Status, revision: int = 2, changed_at: int = 0) -> BreakerRow:
    return BreakerRow(name, RULE, status, "relet", changed_at, revision)


def opened(name: str, at: int = 0, **fields: Any) -> BreakerRow:
    return row(name, forced(Status(), at, at + COOL, ""), **fields)


def act(clerk: Clerk, now: int) -> Action:
    found = clerk.next(now)
    while isinstance(found, Learn):
        clerk.learned([("lead", -1), ("mail", -1)], now, 10)
        found = clerk.next(now)
    return found


def wanted(clerk: Clerk, now: int) -> Turn:
    clerk.ring()
    found = act(clerk, now)
    assert isinstance(found, Turn), found
    return found


def saw(clerk: Clerk, n: int, now: int, *, passed: bool = False, task: str = "t", **fields: Any) -> None:
    given = claim(n)
    clerk.breakers.saw(
        Seen((given.job_id, given.epoch), task, "lead", passed, "" if passed else "E: no", **fields), now
    )


def run(clerk: Clerk, *given: Claim) -> None:
    clerk.turned(turn := wanted(clerk, 0), answer(turn, *given), 0, 100)


def test_a_worker_without_breakers_tells_nothing_and_leaves_nothing_out() -> None:
    clerk = a_clerk()
    saw(clerk, 1, 0)
    turn = wanted(clerk, 0)
    assert turn.want is not None
    assert turn.want.tasks is clerk.terms.tasks


def test_the_failure_that_trips_it_is_the_last_one_before_the_store_has_said_so() -> None:
    clerk = a_clerk(TASK)
    saw(clerk, 1, 0)
    assert clerk.breakers.tasks == frozenset()
    saw(clerk, 2, 0)

    tell = act(clerk, 0)
    assert tell == Tell((Report(TASK, (-2,), (), "E: no"),))
    turn = wanted(clerk, 0)
    assert turn.want is not None
    assert turn.want.tasks == ("u",)


def test_successes_wait_for_each_other_and_failures_for_nobody() -> None:
    clerk = a_clerk(TASK)
    saw(clerk, 1, 0, passed=True)
    saw(clerk, 2, 10, passed=True)
    first = act(clerk, 10)
    assert isinstance(first, Turn)
    clerk.turned(first, answer(first), 10, 100)
    sleep = act(clerk, 20)
    assert isinstance(sleep, Sleep)
    assert sleep.until is not None
    assert act(clerk, FLUSH_US) == Tell((Report(TASK, (2,)),))
    clerk.breakers.told([row(TASK, Status())], FLUSH_US)
    saw(clerk, 3, FLUSH_US)
    assert act(clerk, FLUSH_US) == Tell((Report(TASK, (-1,), (), "E: no"),))


def test_what_could_not_be_told_is_told_later_in_order_and_counts_meanwhile() -> None:
    clerk = a_clerk(TASK)
    saw(clerk, 1, 0)
    tell = act(clerk, 0)
    assert isinstance(tell, Tell)
    saw(clerk, 2, 0, passed=True)
    saw(clerk, 3, 0)
    clerk.call_failed(tell, 0)
    saw(clerk, 4, 0)
    assert clerk.breakers.tasks == {"t"}
    assert not isinstance(act(clerk, AGAIN_US - 1), Tell)
    assert act(clerk, 2 * AGAIN_US) == Tell((Report(TASK, (-1, 1, -2), (), "E: no"),))


def test_an_error_that_one_breaker_spares_counts_for_the_other() -> None:
    clerk = a_clerk(TASK, QUEUE)
    saw(clerk, 1, 0, spares=(TASK,))
    assert act(clerk, 0) == Tell((Report(QUEUE, (-1,), (), "E: no"),))


def test_a_queue_that_is_held_is_not_looked_at() -> None:
    clerk = a_clerk()
    clerk.breakers.listed([opened(QUEUE)], 0, 0)
    turn = wanted(clerk, 0)
    assert turn.want is not None
    assert {lane.queue for lane in turn.want.lanes} == {"mail"}
    assert turn.want.tasks == ("t", "u")


def test_what_a_turn_brings_of_a_held_task_is_given_back_without_an_attempt() -> None:
    clerk = a_clerk(TASK)
    turn = wanted(clerk, 0)
    saw(clerk, 8, 0)
    saw(clerk, 9, 0)
    taken = clerk.turned(turn, answer(turn, claim(1), claim(2)._replace(task="u")), 0, 100)
    assert [one.task for one in taken.start] == ["u"]
    assert isinstance(act(clerk, 0), Tell)
    back = wanted(clerk, 0)
    assert [(one.ended, one.counters.attempt, one.counters.releases) for one in back.settles] == [(Ended.RELEASE, 0, 1)]


def test_a_listing_that_is_older_than_what_is_known_ends_no_hold() -> None:
    clerk = a_clerk(TASK)
    clerk.breakers.told([opened(TASK, changed_at=SECOND)], SECOND)
    clerk.breakers.listed([], SECOND, SECOND)
    assert clerk.breakers.tasks == {"t"}
    clerk.breakers.listed([], SECOND + SLACK_US + 1, 2 * SECOND)
    assert clerk.breakers.tasks == frozenset()


def test_an_answer_that_is_overtaken_changes_nothing() -> None:
    clerk = a_clerk(TASK)
    clerk.breakers.told([row(TASK, Status(), revision=5)], 0)
    clerk.breakers.listed([opened(TASK, revision=4)], 0, 0)
    assert clerk.breakers.tasks == frozenset()


def test_when_it_closes_the_lanes_are_looked_at_again_from_the_start() -> None:
    clerk = a_clerk(TASK)
    clerk.breakers.told([opened(TASK)], 0)
    first = wanted(clerk, 0)
    clerk.turned(first, answer(first), 0, 100)
    assert isinstance(act(clerk, 10), Sleep)
    assert isinstance(act(clerk, 2_000), Sleep)
    clerk.breakers.told([row(TASK, Status(), revision=3)], 2_000)
    again = act(clerk, 2_000)
    assert isinstance(again, Turn)
    assert again.want is not None
    assert again.want.tasks == ("t", "u")
    assert [name for name, _ in clerk.breakers.events] == ["breaker.opened", "breaker.closed"]


def test_a_probe_is_asked_for_when_its_time_has_come_and_told_before_it_is_settled() -> None:
    clerk = a_clerk(TASK)
    clerk.breakers.told([opened(TASK)], 0)
    assert not isinstance(act(clerk, COOL - 1), Probe)
    first = wanted(clerk, COOL - 1)
    clerk.turned(first, Turned(True, COOL - 1), COOL - 1, 100)
    probe = act(clerk, COOL)
    assert isinstance(probe, Probe)
    assert (probe.breaker, probe.breakers, probe.want.limit, probe.want.tasks) == (TASK, (TASK,), 1, ("t",))
    assert {lane.queue for lane in probe.want.lanes} == {"lead", "mail"}

    started = clerk.probed(probe, Probed(Turned(True, COOL, (), (claim(1),)), (opened(TASK),)), COOL, 100)
    assert [one.job_id for one in started] == [claim(1).job_id]
    assert not clerk.breakers.holds(claim(1))
    assert not isinstance(act(clerk, COOL + 5 * SECOND), Probe), "it has the only one"

    saw(clerk, 1, COOL + 6 * SECOND, passed=True)
    clerk.finish(SESSION, [ended(1)], COOL + 6 * SECOND)
    tell = act(clerk, COOL + 6 * SECOND)
    assert tell == Tell((Report(TASK, (), (Verdict(claim(1).job_id, 1, True),)),))


def test_a_probe_that_was_not_had_is_asked_for_again_later() -> None:
    clerk = a_clerk(TASK)
    clerk.breakers.told([opened(TASK)], 0)
    probe = clerk.breakers.next(SESSION, clerk.terms, clerk.lanes, clerk.limits, COOL, may=True)
    assert isinstance(probe, Probe)
    clerk.probed(probe, Probed(Turned(True, COOL), (opened(TASK),)), COOL, 100)
    assert clerk.breakers.probe_at(("t",)) == COOL + AGAIN_US
    clerk.breakers.not_probed(TASK, 2 * COOL)
    assert clerk.breakers.probe_at(("t",)) == 2 * COOL + AGAIN_US


def test_no_probe_is_asked_for_without_a_free_slot_or_of_a_task_that_is_not_known() -> None:
    clerk = a_clerk(TASK, slots=2)
    run(clerk, claim(1)._replace(task="u"))
    clerk.turned(turn := wanted(clerk, 1), answer(turn, claim(2)._replace(task="u")), 1, 100)
    clerk.breakers.told([opened(TASK), opened("task:other")], 0)
    assert not isinstance(act(clerk, 2 * COOL), Probe)
    assert clerk.breakers.probe_at(("u",)) == 2**62


def test_a_probe_of_a_queue_may_be_of_a_task_that_is_half_open_too_but_of_none_that_is_open() -> None:
    clerk = a_clerk(TASK, QUEUE)
    clerk.breakers.told([opened(QUEUE), opened(TASK, COOL // 2)], 0)
    early = clerk.breakers.next(SESSION, clerk.terms, clerk.lanes, clerk.limits, COOL, may=True)
    assert isinstance(early, Probe)
    assert (early.breaker, early.want.tasks, early.breakers) == (QUEUE, ("u",), (QUEUE,))
    clerk.breakers.not_probed(TASK, 2 * COOL)
    late = clerk.breakers.next(SESSION, clerk.terms, clerk.lanes, clerk.limits, 2 * COOL, may=True)
    assert isinstance(late, Probe)
    assert (late.breaker, late.want.tasks, late.breakers) == (QUEUE, ("t", "u"), (QUEUE, TASK))


def test_one_that_a_person_holds_open_is_never_probed() -> None:
    clerk = a_clerk(TASK)
    clerk.breakers.told([row(TASK, forced(Status(), 0, None, ""))], 0)
    assert clerk.breakers.probe_at(("t",)) == 2**62
