"""The clerk: what it asks of the store, and when."""

from random import Random

import pytest

from relet.clock import MS, SECOND
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.records import LogLine, Progress
from relet.work.actions import Action, Failure, Learn, LookUp, Reread, Sleep, Taken, Turn
from relet.work.clerk import Clerk
from relet.work.terms import Terms
from tests.work.making import answer, claim, claims, ended

SESSION = b"s" * 16
OTHER = b"o" * 16


def a_clerk(slots: int = 10, **terms: object) -> Clerk:
    clerk = Clerk(Terms(slots=slots, tasks=("t",), **terms), Random(1))  # type: ignore[arg-type]
    clerk.open(SESSION)
    return clerk


def action(clerk: Clerk, now: int) -> Action:
    """The next action that is no learning."""
    found = clerk.next(now)
    if isinstance(found, Learn):
        clerk.learned([("default", -1)], now, 10)
        found = clerk.next(now)
    return found


def a_turn(clerk: Clerk, now: int) -> Turn:
    found = action(clerk, now)
    assert isinstance(found, Turn), found
    return found


def a_sleep(clerk: Clerk, now: int) -> Sleep:
    found = action(clerk, now)
    assert isinstance(found, Sleep), found
    return found


def take(clerk: Clerk, now: int, *given: Claim) -> Taken:
    """One turn that brings these claims."""
    turn = a_turn(clerk, now)
    return clerk.turned(turn, answer(turn, *given), now, 100)


def test_first_turn_claims_a_literal_size_from_all_standard_lanes() -> None:
    turn = a_turn(a_clerk(slots=7), 0)
    assert turn.want is not None
    assert turn.want.limit == 2, "half of the slots is three"
    assert [(lane.queue, lane.rank) for lane in turn.want.lanes] == [("default", rank) for rank in (-3, -2, -1, 0)]


def test_nothing_is_asked_before_a_session_is_open() -> None:
    clerk = Clerk(Terms(tasks=("t",)), Random(1))
    assert clerk.next(0) == Sleep(None, 1)


def test_never_more_claims_than_slots() -> None:
    clerk = a_clerk(slots=3)
    for n in (1, 2):
        assert len(take(clerk, 0, claim(n)).start) == 1
    turn = a_turn(clerk, 0)
    assert turn.want is not None
    assert turn.want.limit == 1
    clerk.turned(turn, answer(turn, claim(3)), 0, 100)
    assert a_sleep(clerk, 10).until is None


def test_slot_is_free_only_when_its_settle_is_acknowledged() -> None:
    clerk = a_clerk(slots=1)
    take(clerk, 0, claim(1))
    clerk.finish(SESSION, [ended(1)], 5)
    turn = a_turn(clerk, 5)
    assert turn.settles == (ended(1),)
    assert turn.want is not None
    assert turn.want.limit == 1, "the turn that settles it may claim the next one"
    clerk.failed(turn, Failure.NOTHING, 6)
    assert not clerk.drained
    assert len(clerk.held) == 1


def test_claims_go_on_while_there_is_work_and_stop_when_dry() -> None:
    clerk = a_clerk(slots=6)
    take(clerk, 0, *claims(1, 2))
    assert isinstance(action(clerk, 0), Turn), "two of two were found: there may be more"
    take(clerk, 0, claim(3))
    sleep = a_sleep(clerk, 0)
    assert sleep.until is not None
    assert 0 < sleep.until <= 5 * MS


def test_polls_grow_rare_up_to_the_setting() -> None:
    clerk = a_clerk(poll_us=2 * SECOND)
    now, waits = 0, []
    for _ in range(20):
        take(clerk, now)
        until = a_sleep(clerk, now).until
        assert until is not None
        waits.append(until - now)
        now = until
    assert waits[0] <= 5 * MS
    assert SECOND <= waits[-1] <= 2 * SECOND


def test_bell_ends_the_sleep_at_once() -> None:
    clerk = a_clerk()
    take(clerk, 0)
    a_sleep(clerk, 1)
    clerk.ring()
    assert a_turn(clerk, 1).want is not None


def test_bell_that_rings_for_nothing_is_heard_less() -> None:
    clerk = a_clerk()
    now, looks = 0, 0
    while now < 100 * MS:
        clerk.ring()
        if isinstance(turn := action(clerk, now), Turn):
            looks += 1
            clerk.turned(turn, answer(turn), now, 100)
        now += 50
    assert looks < 20


def test_ended_run_waits_two_milliseconds_for_company_while_others_run() -> None:
    clerk = a_clerk(slots=100)
    take(clerk, 0, *claims(*range(50)))
    take(clerk, 0, *claims(*range(50, 99)))
    clerk.finish(SESSION, [ended(1)], 1000 * MS)
    clerk.lanes.learn([], 1000 * MS, 1)
    # The one free slot was polled for meanwhile; what is asked here is about the settle.
    clerk.stop()
    assert a_sleep(clerk, 1000 * MS).until == 1002 * MS
    assert a_turn(clerk, 1002 * MS).settles == (ended(1),)


def test_a_quarter_turn_of_ended_runs_goes_at_once() -> None:
    clerk = a_clerk(slots=80)
    take(clerk, 0, *claims(*range(40)))
    clerk.stop()
    clerk.finish(SESSION, [ended(n) for n in range(9)], 0)
    assert a_sleep(clerk, 0).ended == 1
    clerk.finish(SESSION, [ended(9)], 0)
    assert len(a_turn(clerk, 0).settles) == 10


def test_last_run_is_settled_at_once() -> None:
    clerk = a_clerk(slots=100)
    take(clerk, 0, claim(1))
    clerk.finish(SESSION, [ended(1)], 7)
    assert a_turn(clerk, 7).settles == (ended(1),)


def test_turn_that_wrote_nothing_is_repeated_after_a_pause() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    clerk.finish(SESSION, [ended(1)], 0)
    clerk.failed(a_turn(clerk, 0), Failure.NOTHING, 0)
    until = a_sleep(clerk, 0).until
    assert until is not None
    assert 0 < until <= 10 * MS
    assert a_turn(clerk, until).settles == (ended(1),)


def test_pauses_grow_while_the_store_is_away_and_shrink_when_it_is_back() -> None:
    clerk = a_clerk()
    now = 0
    for _ in range(30):
        clerk.failed(a_turn(clerk, now), Failure.NOTHING, now)
        until = a_sleep(clerk, now).until
        assert until is not None
        assert until - now <= SECOND
        now = until
    assert now > 5 * SECOND
    take(clerk, now)
    clerk.ring()
    clerk.failed(a_turn(clerk, now), Failure.NOTHING, now)
    assert a_sleep(clerk, now).until <= now + 10 * MS  # type: ignore[operator]


def test_settles_of_unknown_outcome_are_repeated_as_they_are() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    clerk.finish(SESSION, [ended(1)], 0)
    clerk.failed(a_turn(clerk, 0), Failure.UNKNOWN, 0)
    clerk.looked([(claim(1).job_id, 1)], SECOND, exact=True)
    clerk.stop()
    turn = a_turn(clerk, SECOND)
    assert turn.settles == (ended(1),)
    taken = clerk.turned(turn, answer(turn, said=Answer.REPLAYED), SECOND, 100)
    assert taken.refused == []
    assert clerk.done == 1


def test_claims_of_unknown_outcome_keep_their_slots_until_looked_for() -> None:
    clerk = a_clerk(slots=10)
    take(clerk, 0, *claims(1, 2, 3, 4, 5))
    clerk.failed(a_turn(clerk, 0), Failure.UNKNOWN, 0)
    assert isinstance(action(clerk, SECOND), LookUp)
    assert isinstance(action(clerk, SECOND), Sleep), "five may have been claimed, and five others run"
    clerk.looked([], SECOND, exact=True)
    assert isinstance(action(clerk, SECOND), Sleep)
    assert isinstance(action(clerk, 2 * SECOND), LookUp), "the lost transaction may have been late"
    clerk.looked([], 2 * SECOND, exact=True)
    turn = a_turn(clerk, 2 * SECOND)
    assert turn.want is not None
    assert turn.want.limit == 5


def test_claims_whose_answer_was_lost_are_found_and_started() -> None:
    clerk = a_clerk(slots=10)
    clerk.failed(a_turn(clerk, 0), Failure.UNKNOWN, 0)
    assert isinstance(action(clerk, SECOND), LookUp)
    clerk.looked([(claim(1).job_id, 1)], SECOND, exact=True)
    assert action(clerk, SECOND) == Reread(SESSION, (claim(1).job_id,))
    assert clerk.reread(SESSION, [claim(1)], SECOND) == [claim(1)]
    assert clerk.held == {(claim(1).job_id, 1)}


def test_claim_found_after_stop_is_given_back() -> None:
    clerk = a_clerk(slots=10)
    clerk.failed(a_turn(clerk, 0), Failure.UNKNOWN, 0)
    clerk.stop()
    assert isinstance(action(clerk, SECOND), LookUp)
    assert clerk.reread(SESSION, [claim(1)], SECOND) == []
    (settle,) = a_turn(clerk, SECOND).settles
    assert settle.ended is Ended.RELEASE


def test_more_lost_claims_than_slots_are_given_back() -> None:
    clerk = a_clerk(slots=2)
    take(clerk, 0, claim(1))
    started = clerk.reread(SESSION, claims(2, 3), 10)
    assert started == [claim(2)]
    assert [settle.job_id for settle in a_turn(clerk, SECOND).settles] == [claim(3).job_id]


def test_what_a_keepers_look_does_not_know_is_decided_by_an_exact_one() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    stands = [(claim(1).job_id, 1), (claim(2).job_id, 1)]
    clerk.looked(stands, 1)
    assert action(clerk, 1) == LookUp(SESSION)
    clerk.looked(stands, 2, exact=True)
    assert action(clerk, 2) == Reread(SESSION, (claim(2).job_id,))


def test_claim_that_is_known_is_not_started_twice() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    assert clerk.reread(SESSION, [claim(1)], 1) == []
    assert clerk.held == {(claim(1).job_id, 1)}


def test_after_stop_nothing_is_claimed() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    clerk.stop()
    clerk.ring()
    clerk.finish(SESSION, [ended(1)], 1)
    assert a_turn(clerk, SECOND).want is None
    assert not clerk.drained


def test_claim_answered_after_stop_is_given_back_at_once() -> None:
    clerk = a_clerk()
    turn = a_turn(clerk, 0)
    clerk.stop()
    assert clerk.turned(turn, answer(turn, *claims(1, 2)), 1, 100).start == []
    back = a_turn(clerk, 1)
    assert [settle.ended for settle in back.settles] == [Ended.RELEASE] * 2
    assert all(settle.to is State.READY for settle in back.settles)
    assert all(settle.counters.attempt == 0 for settle in back.settles)
    clerk.turned(back, answer(back), 2, 100)
    assert clerk.drained


def test_claim_answered_after_the_lease_lapsed_is_given_back_under_its_own_session() -> None:
    clerk = a_clerk()
    turn = a_turn(clerk, 0)
    clerk.lapse()
    clerk.open(OTHER)
    assert clerk.turned(turn, answer(turn, claim(1)), 1, 100).start == []
    back = a_turn(clerk, 1)
    assert (back.session_id, [settle.ended for settle in back.settles]) == (SESSION, [Ended.RELEASE])


def test_run_of_a_lapsed_session_is_settled_under_that_session() -> None:
    clerk = a_clerk()
    take(clerk, 0, *claims(1, 2))
    clerk.finish(SESSION, [ended(1)], 1)
    clerk.lapse()
    clerk.open(OTHER)
    clerk.finish(SESSION, [ended(2)], 2)
    late = a_turn(clerk, 2)
    assert (late.session_id, late.settles, late.want) == (SESSION, (ended(1), ended(2)), None)
    taken = clerk.turned(late, answer(late, live=False, said=Answer.FENCED), 3, 100)
    assert [settle for settle, _ in taken.refused] == [ended(1), ended(2)]
    assert clerk.done == 0
    turn = a_turn(clerk, 4)
    assert turn.session_id == OTHER
    assert turn.want is not None


def test_session_in_doubt_claims_nothing_until_it_is_renewed() -> None:
    clerk = a_clerk()
    turn = a_turn(clerk, 0)
    assert not clerk.turned(turn, answer(turn, live=False), 1, 100).live
    clerk.ring()
    assert isinstance(action(clerk, SECOND), Sleep)
    clerk.trust()
    assert isinstance(action(clerk, SECOND), Turn)


def test_culprit_of_a_refused_turn_fails_alone_and_the_others_are_written() -> None:
    clerk = a_clerk(slots=20)
    take(clerk, 0, *claims(*range(10)))
    clerk.finish(SESSION, [ended(n) for n in range(10)], 1)
    now, written, replaced = 1, [], []
    clerk.stop()
    for _ in range(40):
        now += SECOND
        turn = action(clerk, now)
        if not isinstance(turn, Turn):
            break
        if ended(7) in turn.settles:
            replaced += clerk.failed(turn, Failure.DATA, now)
        else:
            written += turn.settles
            clerk.turned(turn, answer(turn), now, 100)
    assert replaced == [ended(7)]
    assert sorted(s.job_id for s in written) == [claim(n).job_id for n in range(10)]
    (plain,) = [settle for settle in written if settle.job_id == claim(7).job_id]
    assert (plain.ended, plain.to, plain.result) == (Ended.FAILURE, State.DEAD, None)
    assert clerk.drained


def test_settle_refused_in_every_form_is_kept_as_it_was() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    clerk.finish(SESSION, [ended(1)], 1)
    clerk.stop()
    now = 1
    while isinstance(turn := action(clerk, now), Turn):
        clerk.failed(turn, Failure.DATA, now)
        now += 2 * SECOND
    assert not clerk.drained
    assert a_turn(clerk, now + 60 * SECOND).settles == (ended(1),)


def test_settle_that_is_refused_for_no_fault_of_its_data_is_never_rewritten() -> None:
    """An internal error of a server that comes several times must not make a dead letter of a success."""
    clerk = a_clerk(slots=20)
    take(clerk, 0, *claims(*range(10)))
    clerk.finish(SESSION, [ended(n) for n in range(10)], 1)
    clerk.stop()
    now, written, replaced, refusals = 1, [], [], 0
    while not clerk.drained:
        now += 60 * SECOND
        turn = a_turn(clerk, now)
        if ended(7) in turn.settles and refusals < 12:
            refusals += 1
            replaced += clerk.failed(turn, Failure.DEFECT, now)
        else:
            written += turn.settles
            clerk.turned(turn, answer(turn), now, 100)
    assert (replaced, refusals) == ([], 12)
    assert sorted(written, key=lambda one: one.job_id) == [ended(n) for n in range(10)]


def test_idle_worker_starts_a_job_before_it_learns_anything() -> None:
    clerk = a_clerk()
    take(clerk, 0)
    clerk.ring()
    assert isinstance(clerk.next(5 * SECOND), Turn)


def test_worker_whose_slots_are_always_full_learns_of_new_lanes_all_the_same() -> None:
    clerk = a_clerk(slots=1)
    take(clerk, 0, claim(0))
    learnt = 0
    for n in range(30):
        now = n * SECOND // 10
        clerk.finish(SESSION, [ended(n)], now)
        while isinstance(found := clerk.next(now), Learn):
            learnt += 1
            clerk.learned([("default", -9)], now, 10)
        assert isinstance(found, Turn)
        clerk.turned(found, answer(found, claim(n + 1)), now, 100)
    assert 2 <= learnt <= 4
    assert any(lane.rank == -9 for lane in found.want.lanes)  # type: ignore[union-attr]


def test_notes_ride_on_the_turn_that_settles_their_job() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    clerk.notes.write(Progress(claim(1).job_id, 1, 10.0, "a"), 1)
    clerk.notes.write(Progress(claim(1).job_id, 1, 20.0, "b"), 2)
    clerk.finish(SESSION, [ended(1)], 3)
    turn = a_turn(clerk, 3)
    assert [note.percent for note in turn.notes.progress] == [20.0]
    assert turn.settles == (ended(1),)


def test_notes_go_alone_after_a_fifth_of_a_second() -> None:
    clerk = a_clerk(slots=1)
    take(clerk, 0, claim(1))
    clerk.notes.write(LogLine(claim(1).job_id, 1, 0, 0, "info", "hello", None), 10)
    assert a_sleep(clerk, 10).until == 10 + 200 * MS
    turn = a_turn(clerk, 10 + 200 * MS)
    assert len(turn.notes.logs) == 1
    assert turn.settles == ()


def test_notes_of_a_failed_turn_are_not_lost() -> None:
    clerk = a_clerk(slots=1)
    take(clerk, 0, claim(1))
    clerk.notes.write(LogLine(claim(1).job_id, 1, 0, 0, "info", "hello", None), 10)
    clerk.failed(a_turn(clerk, SECOND), Failure.UNKNOWN, SECOND)
    clerk.notes.write(LogLine(claim(1).job_id, 1, 1, 0, "info", "again", None), SECOND)
    assert [line.n for line in a_turn(clerk, 3 * SECOND).notes.logs] == [0, 1]


def test_notes_that_the_store_refuses_do_not_hold_up_settles() -> None:
    clerk = a_clerk()
    take(clerk, 0, claim(1))
    clerk.notes.write(LogLine(claim(1).job_id, 1, 0, 0, "info", "hello", None), 1)
    clerk.finish(SESSION, [ended(1)], 1)
    clerk.stop()
    clerk.failed(a_turn(clerk, 1), Failure.DATA, 1)
    alone = a_turn(clerk, SECOND)
    assert (len(alone.notes.logs), alone.settles) == (1, ())
    clerk.failed(alone, Failure.DATA, SECOND)
    turn = a_turn(clerk, 2 * SECOND)
    assert (turn.settles, bool(turn.notes)) == ((ended(1),), False)


def test_lower_tier_takes_only_what_has_waited() -> None:
    turn = a_turn(a_clerk(tier=2, tier_wait_us=SECOND), 0)
    assert turn.want is not None
    assert turn.want.younger_than_us == 2 * SECOND


@pytest.mark.parametrize("slots", [1, 2, 3, 10, 1000])
def test_every_free_slot_is_filled_in_time(slots: int) -> None:
    """Whatever the size: with work without end, no slot stays empty for more than a few milliseconds."""
    clerk = a_clerk(slots=slots)
    now, n = 0, 0
    for _ in range(200):
        found = action(clerk, now)
        if isinstance(found, Turn):
            limit = found.want.limit if found.want else 0
            clerk.turned(found, answer(found, *claims(*range(n, n + limit))), now, 100)
            n += limit
        elif found.until is None:  # type: ignore[union-attr]
            break
        else:
            now = found.until  # type: ignore[union-attr]
    assert len(clerk.held) == slots
    assert now <= 20 * MS
