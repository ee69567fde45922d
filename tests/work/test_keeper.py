"""The keeper: when it renews, when it gives up, and what it makes of an answer."""

from random import Random

from relet.clock import SECOND
from relet.store.records import Control, Renewed
from relet.work.keeper import Keeper, Plan, Step
from relet.work.terms import Terms

KEY = (b"j" * 16, 1)
OTHER = (b"k" * 16, 1)


def a_keeper(lease: int = 90 * SECOND, heartbeat: int = 30 * SECOND) -> Keeper:
    keeper = Keeper(Terms(lease_us=lease, heartbeat_us=heartbeat), Random(1))
    assert keeper.next(0).step is Step.OPEN
    keeper.opened(0)
    return keeper


def live(*held: tuple[bytes, int], **more: object) -> Renewed:
    return Renewed(True, 0, held, **more)  # type: ignore[arg-type]


def test_listens_each_second_and_renews_at_each_heartbeat() -> None:
    keeper = a_keeper()
    now, steps = 0, []
    while now < 61 * SECOND:
        plan = keeper.next(now)
        if plan.step is Step.SLEEP:
            now = plan.until
            continue
        steps.append((now // SECOND, plan.step))
        keeper.heard(live(), plan.step, now, now, ())
    assert [at for at, step in steps if step is Step.RENEW] == [30, 60]
    assert [at for at, step in steps if step is Step.LISTEN] == [at for at in range(1, 61) if at not in (30, 60)]


def test_deadline_counts_from_when_the_accepted_renewal_was_sent() -> None:
    keeper = a_keeper()
    keeper.heard(live(), Step.RENEW, 30 * SECOND, 44 * SECOND, ())
    assert keeper.deadline == 30 * SECOND + 81 * SECOND


def test_listening_extends_nothing() -> None:
    keeper = a_keeper()
    before = keeper.deadline
    keeper.heard(live(), Step.LISTEN, 10 * SECOND, 10 * SECOND, ())
    assert keeper.deadline == before


def test_without_an_accepted_renewal_the_worker_fences_itself_before_the_lease_lapses() -> None:
    keeper = a_keeper()
    now = 0
    while (plan := keeper.next(now)).step is not Step.FENCE:
        if plan.step is Step.SLEEP:
            assert plan.until > now
            now = plan.until
        else:
            keeper.failed(plan.step, now)
    assert now == keeper.deadline == 81 * SECOND
    keeper.fenced(now)
    assert keeper.next(now) == Plan(Step.OPEN)


def test_renewal_is_retried_soon_after_a_failure() -> None:
    keeper = a_keeper()
    keeper.failed(Step.RENEW, 30 * SECOND)
    plan = keeper.next(30 * SECOND + 60_000)
    assert plan.step is Step.RENEW


def test_answer_after_the_deadline_comes_too_late() -> None:
    keeper = a_keeper()
    told = keeper.heard(live(KEY), Step.RENEW, 80 * SECOND, 82 * SECOND, [KEY])
    assert not told.live
    assert keeper.next(82 * SECOND).step is Step.FENCE


def test_paused_process_fences_itself_before_anything_else() -> None:
    keeper = a_keeper()
    assert keeper.next(500 * SECOND).step is Step.FENCE


def test_ended_session_is_over_at_once() -> None:
    keeper = a_keeper()
    told = keeper.heard(Renewed(False, 0), Step.LISTEN, SECOND, SECOND, [KEY])
    assert (told.live, told.lost) == (False, [KEY])
    assert keeper.next(SECOND).step is Step.FENCE


def test_claim_that_no_longer_stands_is_lost() -> None:
    keeper = a_keeper()
    told = keeper.heard(live(OTHER), Step.RENEW, SECOND, SECOND, [KEY, OTHER])
    assert told.lost == [KEY]


def test_requests_are_passed_on() -> None:
    control = Control(KEY[0], "cancel", "asked", 5 * SECOND)
    told = a_keeper().heard(live(KEY, controls=(control,), verb="drain"), Step.LISTEN, SECOND, SECOND, [KEY])
    assert (told.controls, told.verb) == ((control,), "drain")


def test_doubt_is_settled_by_a_renewal_at_once() -> None:
    keeper = a_keeper()
    keeper.doubt()
    assert keeper.next(1).step is Step.RENEW


def test_session_that_cannot_be_opened_is_tried_again() -> None:
    keeper = Keeper(Terms(), Random(1))
    now, tries = 0, 0
    while now < 20 * SECOND:
        plan = keeper.next(now)
        if plan.step is Step.OPEN:
            tries += 1
            keeper.failed(Step.OPEN, now)
        else:
            now = plan.until
    assert 8 < tries < 40
    assert not keeper.live


def test_only_a_fresh_worker_judges_the_leases_of_others() -> None:
    keeper = a_keeper()
    assert keeper.fresh(45 * SECOND)
    assert not keeper.fresh(45 * SECOND + 1)


def test_after_the_end_nothing_is_renewed() -> None:
    keeper = a_keeper()
    keeper.end()
    assert keeper.next(40 * SECOND).step is Step.SLEEP
