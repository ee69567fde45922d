"""What a worker knows of limited queues: it asks no more than it must, and does not sleep too long."""

from random import Random

from relet.clock import MS, SECOND
from relet.job.job import Claim
from relet.store.records import LimitedQueue, Turned
from relet.work.actions import Learn, Sleep, Turn
from relet.work.clerk import Clerk
from relet.work.limits import BUSY_US, Limits
from relet.work.terms import Terms
from tests.work.making import claim, ended

SESSION = b"s" * 16


def a_clerk(slots: int = 20) -> Clerk:
    clerk = Clerk(Terms(slots=slots, tasks=("t",), queues={"lead": 1, "mail": 1}), Random(1))
    clerk.open(SESSION)
    return clerk


def act(clerk: Clerk, now: int) -> Turn | Sleep:
    found = clerk.next(now)
    while isinstance(found, Learn):
        clerk.learned([("lead", -1), ("mail", -1)], now, 10)
        found = clerk.next(now)
    assert isinstance(found, (Turn, Sleep))
    return found


def turn(clerk: Clerk, now: int, *limited: LimitedQueue, claims: tuple[Claim, ...] = (), wall: int = 0) -> Turn:
    """One turn that is answered so."""
    found = act(clerk, now)
    assert isinstance(found, Turn), found
    clerk.turned(found, Turned(True, wall, (), claims, limited), now, 100)
    return found


def queues(found: Turn) -> set[str]:
    return {lane.queue for lane in found.want.lanes} if found.want else set()


def lead(n: int) -> Claim:
    return claim(n, queue="lead")


def test_a_worker_that_hears_of_a_limit_asks_for_it_at_once() -> None:
    clerk = a_clerk()
    first = turn(clerk, 0, LimitedQueue("lead", False))
    second = turn(clerk, 1, LimitedQueue("lead", True, 3))

    assert first.want is not None
    assert second.want is not None
    assert (first.want.limited, second.want.limited) == ((), ("lead",))
    assert queues(second) == {"lead", "mail"}


def test_a_full_queue_is_not_looked_at_while_others_are() -> None:
    clerk = a_clerk()
    turn(clerk, 0, LimitedQueue("lead", True, 0), claims=(lead(1), *(claim(n, queue="mail") for n in range(2, 11))))

    assert queues(turn(clerk, 0)) == {"mail"}


def test_the_end_of_its_own_run_opens_the_queue_in_the_same_turn() -> None:
    clerk = a_clerk()
    turn(clerk, 0, LimitedQueue("lead", True, 0), claims=(lead(1),))
    clerk.finish(SESSION, [ended(1)], MS)
    found = act(clerk, MS)

    assert isinstance(found, Turn)
    assert found.settles == (ended(1),)
    assert queues(found) == {"lead", "mail"}


def test_a_bell_opens_it() -> None:
    clerk = a_clerk()
    turn(clerk, 0, LimitedQueue("lead", True, 0), claims=(lead(1),))
    turn(clerk, 10 * MS, LimitedQueue("lead", True, 0))
    clerk.ring()

    assert queues(turn(clerk, 15 * MS, LimitedQueue("lead", True, 1))) == {"lead", "mail"}


def test_bells_that_ring_for_others_do_not_make_it_ask_each_time() -> None:
    clerk, now, asked = a_clerk(), 0, 0
    turn(clerk, 0, LimitedQueue("lead", True, 0), claims=(lead(1),))
    for _ in range(1000):
        now += MS
        clerk.ring()
        found = act(clerk, now)
        if isinstance(found, Turn):
            asked += "lead" in queues(found)
            limited = (LimitedQueue("lead", True, 0),) if "lead" in queues(found) else ()
            clerk.turned(found, Turned(True, 0, (), (), limited), now, 100)

    assert 5 <= asked <= 60


def test_a_rate_is_slept_out_to_the_moment() -> None:
    clerk = a_clerk()
    turn(clerk, 0, LimitedQueue("lead", True, 0, 1_000 * SECOND + 300 * MS), wall=1_000 * SECOND)
    seen = []
    now = 0
    while now < SECOND:
        found = act(clerk, now)
        if isinstance(found, Sleep):
            assert found.until is not None
            now = found.until
            continue
        if "lead" in queues(found):
            seen.append(now)
            clerk.turned(found, Turned(True, 0, (), (), (LimitedQueue("lead", True, 1),)), now, 100)
        else:
            clerk.turned(found, Turned(True, 0), now, 100)

    assert seen[0] == 300 * MS


def test_when_all_queues_are_shut_it_sleeps() -> None:
    clerk, now, turns = a_clerk(), 0, 0
    while now < 60 * SECOND:
        found = act(clerk, now)
        if isinstance(found, Sleep):
            assert found.until is not None
            assert found.until > now
            now = found.until
            continue
        turns += 1
        limited = tuple(LimitedQueue(queue, True, 0) for queue in sorted(queues(found)))
        clerk.turned(found, Turned(True, 0, (), (), limited), now, 100)

    assert turns < 150, "it spins"


def test_a_queue_from_which_somebody_else_claims_is_asked_again_in_a_moment() -> None:
    clerk = a_clerk()
    turn(clerk, 0, LimitedQueue("lead", True, 5))
    found = act(clerk, 5 * MS)
    while isinstance(found, Sleep):
        assert found.until is not None
        found = act(clerk, found.until)
    clerk.turned(found, Turned(True, 0, (), (), (LimitedQueue("lead", False),)), 50 * MS, 100)
    sleep = act(clerk, 50 * MS)

    assert isinstance(sleep, Sleep)
    assert sleep.until is not None
    assert sleep.until <= 50 * MS + BUSY_US


def test_a_limit_that_has_ended_is_forgotten() -> None:
    limited = Limits(2 * SECOND, Random(1))
    lanes = Terms(queues={"lead": 1}).queues
    assert lanes
    clerk = a_clerk()
    turn(clerk, 0, LimitedQueue("lead", True, 5))
    clerk.ring()
    turn(clerk, 10 * MS)
    clerk.ring()
    third = turn(clerk, 40 * MS)

    assert third.want is not None
    assert third.want.limited == ()
    assert limited.limited(["lead"]) == ()


def test_what_was_held_back_is_not_taken_for_passed() -> None:
    """A claim that ended early because of a limit has not seen what is behind."""
    clerk = a_clerk()
    for now in (0, SECOND):
        found = act(clerk, now)
        assert isinstance(found, Turn)
        ends = [1000] * len(found.ends_of) or None
        answer = Turned(True, 0, (), (claim(7, queue="lead", seq=7),), (LimitedQueue("lead", True, 0),))
        clerk.turned(found, answer, now, 50 * MS, ends)
    found = act(clerk, SECOND + 500 * MS)
    while isinstance(found, Sleep):
        assert found.until is not None
        found = act(clerk, found.until)

    assert found.want is not None
    assert all(lane.after < 1000 for lane in found.want.lanes if lane.queue == "lead")


def test_a_look_that_was_owed_is_not_asked_for_again_and_again_while_all_is_shut() -> None:
    clerk = Clerk(Terms(slots=20, tasks=("t",), queues={"lead": 1}), Random(1))
    clerk.open(SESSION)
    expensive = 50 * MS
    for now in (
        0,
        10 * MS,
    ):  # from the start, then from where that had come to: the next one is owed from the start again
        clerk.ring()
        found = act(clerk, now)
        assert isinstance(found, Turn)
        ends = [7] * len(found.ends_of) or None
        queue = LimitedQueue("lead", True, 0, 3_600 * SECOND) if now else LimitedQueue("lead", True, 5)
        clerk.turned(found, Turned(True, 0, (), (), (queue,)), now, expensive, ends)
    now = 10 * MS
    for _ in range(50):
        found = act(clerk, now)
        if isinstance(found, Sleep):
            assert found.until is not None
            assert found.until > now, "it spins"
            now = found.until
        else:
            clerk.turned(
                found, Turned(True, 0, (), (), (LimitedQueue("lead", True, 0, 3_600 * SECOND),)), now, expensive
            )

    assert now > 10 * SECOND
