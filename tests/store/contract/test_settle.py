"""Settles: every way in which a claim ends, only while it stands, and the same answer when it is asked again."""

import pytest
from msgspec.structs import replace

from relet.clock import SECOND
from relet.job.job import Counters, Flag
from relet.job.outcome import Ended
from relet.job.settlement import Answer, DeadReason, Policy
from relet.job.state import State
from relet.store.port import Store
from relet.store.rows import JobRow
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, decide, new, news, put, put_new

BY_WORKERS = [ended for ended in Ended if ended is not Ended.LOST]

REACHES = {
    Ended.SUCCESS: State.SUCCEEDED,
    Ended.FAILURE: State.SCHEDULED,
    Ended.TIMEOUT: State.SCHEDULED,
    Ended.RETRY_LATER: State.SCHEDULED,
    Ended.SNOOZE: State.SCHEDULED,
    Ended.REJECT: State.DEAD,
    Ended.CANCEL: State.CANCELLED,
    Ended.EXPIRE: State.CANCELLED,
    Ended.DEADLINE: State.DEAD,
    Ended.CHILD_DIED: State.SCHEDULED,
    Ended.CRASH: State.SCHEDULED,
    Ended.RELEASE: State.READY,
}
COUNTS = {
    Ended.FAILURE: (1, 0, 0),
    Ended.TIMEOUT: (1, 0, 0),
    Ended.RETRY_LATER: (1, 0, 0),
    Ended.REJECT: (1, 0, 0),
    Ended.CHILD_DIED: (1, 0, 0),
    Ended.CRASH: (0, 1, 0),
    Ended.RELEASE: (0, 0, 1),
}
"""attempt, crashes, releases; none for the others."""


def row_of(store: Store, job_id: bytes) -> JobRow:
    row = store.insights.job(job_id)
    assert row is not None
    return row


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_each_end_leads_where_settlement_says(store: Store, ended: Ended):
    job_id = put_new(store)
    worker = Worker(store)

    answer = worker.end(worker.take(), ended, delay_us=20 * SECOND, error="why")

    row = row_of(store, job_id)
    assert (answer, row.state) == (Answer.ACCEPTED, REACHES[ended])
    counted = (row.attempt, row.crashes, 0 if row.state.ended else row.releases)
    assert counted == COUNTS.get(ended, (0, 0, 0))


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_each_end_but_success_is_written_down(store: Store, bed: Bed, ended: Ended):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    bed.advance(4 * SECOND)
    worker.end(claim, ended, delay_us=20 * SECOND, error="why", stack="where")

    (attempt,) = store.insights.attempts(job_id)

    assert (attempt.epoch, attempt.session_id, attempt.worker) == (1, worker.id, "w")
    assert (attempt.started_at, attempt.ended_at) == (BEGINNING, BEGINNING + 4 * SECOND)
    assert attempt.outcome == ended
    if ended is not Ended.SUCCESS:
        assert (attempt.error, attempt.stack) == ("why", "where")


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_a_repeated_settle_gets_the_first_answer_and_changes_nothing(store: Store, bed: Bed, ended: Ended):
    job_id = put_new(store)
    worker = Worker(store)
    settle = decide(worker.take(), ended, delay_us=20 * SECOND)
    worker.settle(settle)
    before = row_of(store, job_id)
    bed.advance(SECOND)

    assert worker.settle(settle) == (Answer.REPLAYED,)

    assert row_of(store, job_id) == before


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_a_settle_is_repeated_beside_others_in_one_turn(store: Store, ended: Ended):
    put(store, *news(3))
    worker = Worker(store)
    first, second, third = (decide(claim, ended, delay_us=20 * SECOND) for claim in worker.claim(3))
    worker.settle(second)

    assert worker.settle(first, second, third) == (Answer.ACCEPTED, Answer.REPLAYED, Answer.ACCEPTED)


@pytest.mark.parametrize("ended", BY_WORKERS)
@pytest.mark.parametrize("unique", [None, "k"])
def test_a_settle_that_comes_twice_in_one_turn_counts_once(store: Store, bed: Bed, ended: Ended, unique: str | None):
    job_id = put_new(store, unique=unique)
    worker = Worker(store)
    settle = decide(worker.take(), ended, delay_us=20 * SECOND)

    assert worker.settle(settle, settle) == (Answer.ACCEPTED, Answer.REPLAYED)

    assert row_of(store, job_id).state is REACHES[ended]
    assert len(store.insights.attempts(job_id)) == 1


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_another_session_cannot_settle(store: Store, ended: Ended):
    job_id = put_new(store)
    holder, thief = Worker(store), Worker(store)
    claim = holder.take()

    assert thief.end(claim, ended, delay_us=20 * SECOND) is Answer.FENCED

    assert row_of(store, job_id).state is State.RUNNING
    assert holder.end(claim) is Answer.ACCEPTED


@pytest.mark.parametrize("ended", BY_WORKERS)
@pytest.mark.parametrize("step", [-1, 1])
def test_another_epoch_cannot_settle(store: Store, ended: Ended, step: int):
    job_id = put_new(store)
    worker = Worker(store)
    worker.end(worker.take(), Ended.RELEASE)
    claim = worker.take()
    settle = decide(claim, ended, delay_us=20 * SECOND)

    answers = worker.settle(replace(settle, epoch=claim.epoch + step))

    assert answers[0] in ((Answer.FENCED, Answer.REPLAYED) if step < 0 else (Answer.FENCED,))
    assert (row_of(store, job_id).state, row_of(store, job_id).epoch) == (State.RUNNING, 2)


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_another_job_cannot_be_settled(store: Store, ended: Ended):
    _, waiting = put(store, *news(2))
    worker = Worker(store)
    claim = worker.take()

    answer = worker.settle(replace(decide(claim, ended, delay_us=20 * SECOND), job_id=waiting))

    assert answer == (Answer.FENCED,)
    assert (row_of(store, waiting).state, row_of(store, waiting).epoch) == (State.READY, 0)


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_a_settle_after_the_job_was_taken_back_is_refused(store: Store, ended: Ended):
    job_id = put_new(store)
    zombie = Worker(store)
    claim = zombie.take()
    store.reclaim(zombie.id, "killed")

    assert zombie.end(claim, ended, delay_us=20 * SECOND) is Answer.FENCED

    assert row_of(store, job_id).state is State.READY


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_a_settle_after_another_session_claimed_is_refused(store: Store, ended: Ended):
    job_id = put_new(store)
    zombie, heir = Worker(store), Worker(store)
    claim = zombie.take()
    store.reclaim(zombie.id, "killed")
    heir.take()

    assert zombie.end(claim, ended, delay_us=20 * SECOND) is Answer.FENCED

    row = row_of(store, job_id)
    assert (row.state, row.session_id, row.epoch) == (State.RUNNING, heir.id, 2)


@pytest.mark.parametrize("ended", BY_WORKERS)
def test_a_settle_after_another_session_finished_is_refused(store: Store, ended: Ended):
    job_id = put_new(store)
    zombie, heir = Worker(store), Worker(store)
    claim = zombie.take()
    store.reclaim(zombie.id, "killed")
    heir.end(heir.take(), result='"heir"')

    assert zombie.end(claim, ended, delay_us=20 * SECOND, result='"zombie"') is Answer.FENCED

    assert row_of(store, job_id).result == '"heir"'


def test_a_settle_from_before_a_failover_that_lost_commits_is_refused(store: Store, bed: Bed):
    """A counter can be handed out twice then; the id of a session cannot."""
    job_id = put_new(store)
    before, after = Worker(store), Worker(store)
    claim = before.take()
    bed.rows(f"update relet.running set session_id = {bed.literal(after.id)}")
    assert after.end(claim, result='"after"') is Answer.ACCEPTED

    for ended in (Ended.SUCCESS, Ended.FAILURE):
        assert before.end(claim, ended, result='"before"') is Answer.FENCED

    assert row_of(store, job_id).result == '"after"'


def test_a_settle_after_its_own_session_left_is_refused(store: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.leave()

    assert worker.end(claim) is Answer.FENCED


def test_a_release_after_its_own_session_left_was_done_already(store: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.leave()

    assert worker.end(claim, Ended.RELEASE) is Answer.REPLAYED


def test_a_settle_under_a_lapsed_lease_counts_while_nobody_took_the_job(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    bed.advance(10_000 * SECOND)

    turned = worker.turn([decide(claim, Ended.SUCCESS)])

    assert (turned.live, turned.answers) == (False, (Answer.ACCEPTED,))
    assert row_of(store, job_id).state is State.SUCCEEDED


def test_a_settle_of_a_forgotten_job_has_expired(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    settle = decide(worker.take(), Ended.SUCCESS)
    worker.settle(settle)
    bed.advance(10 * SECOND)
    store.prune(SECOND, SECOND, 10)

    assert worker.settle(settle) == (Answer.EXPIRED,)


def test_a_settle_of_a_job_that_never_was_has_expired(store: Store):
    put_new(store)
    worker = Worker(store)
    settle = decide(worker.take(), Ended.SUCCESS)

    assert worker.settle(replace(settle, job_id=bytes(16))) == (Answer.EXPIRED,)


def test_a_success_keeps_its_result_and_its_times(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store)
    bed.advance(SECOND)
    claim = worker.take()
    bed.advance(2 * SECOND)
    worker.end(claim, result='{"ok": true}')

    row = row_of(store, job_id)

    assert (row.result, row.error, row.worker) == ('{"ok": true}', None, "w")
    assert (row.started_at, row.ended_at) == (BEGINNING + SECOND, BEGINNING + 3 * SECOND)


def test_a_success_without_a_result_has_none(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    worker.end(worker.take())

    assert row_of(store, job_id).result is None


def test_a_failed_job_waits_as_long_as_its_policy_says(store: Store):
    put_new(store)
    worker = Worker(store)
    worker.fail(worker.take())

    assert store.next_due() == BEGINNING + 10 * SECOND


def test_the_last_attempt_leads_to_the_dead_letters(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store)
    for _ in range(3):
        worker.fail(worker.take(), "no luck")
        bed.advance(60 * SECOND)
        worker.renew()
        store.promote(10)

    row = row_of(store, job_id)
    assert (row.state, row.attempt, row.epoch, row.error) == (State.DEAD, 3, 3, "no luck")
    assert bed.rows("select reason from relet.dead") == [(DeadReason.ATTEMPTS,)]
    assert [attempt.outcome for attempt in store.insights.attempts(job_id)] == ["failure"] * 3


def test_the_last_crash_leads_to_the_dead_letters_as_poison(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    for _ in range(3):
        worker.end(worker.take(), Ended.CRASH, error="killed by signal 9")
        bed.advance(600 * SECOND)
        worker.renew()
        store.promote(10)

    assert bed.rows("select reason, attempt, crashes from relet.dead") == [(DeadReason.POISON, 0, 3)]


def test_a_released_job_returns_to_the_head(store: Store):
    first, *_ = put(store, *news(3))
    worker = Worker(store)
    worker.end(worker.take(), Ended.RELEASE)

    assert worker.take().job_id == first


def test_a_released_job_keeps_its_counters(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    worker.fail(worker.take())
    bed.advance(60 * SECOND)
    store.promote(10)
    worker.end(worker.take(), Ended.RELEASE)

    assert worker.take().counters == Counters(attempt=1, releases=1)


def test_a_snooze_costs_no_attempt(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    for _ in range(5):
        worker.end(worker.take(), Ended.SNOOZE, delay_us=SECOND)
        bed.advance(SECOND)
        store.promote(10)

    assert worker.take().counters == Counters()


def test_settles_of_every_kind_ride_on_one_turn(store: Store):
    kinds = [*BY_WORKERS, *BY_WORKERS, Ended.SUCCESS, Ended.REJECT]
    put(store, *news(len(kinds) - 2), new(unique="a"), new(unique="b"))
    worker = Worker(store)
    claims = worker.claim(len(kinds))

    answers = worker.settle(
        *[decide(claim, ended, delay_us=20 * SECOND) for claim, ended in zip(claims, kinds, strict=True)]
    )

    assert answers == (Answer.ACCEPTED,) * len(kinds)
    for claim, ended in zip(claims, kinds, strict=True):
        assert row_of(store, claim.job_id).state is REACHES[ended]


def test_good_and_refused_settles_ride_on_one_turn(store: Store):
    put(store, *news(6))
    worker, zombie = Worker(store), Worker(store)
    mine, theirs = worker.claim(3), zombie.claim(3)

    answers = worker.settle(
        *[decide(claim, Ended.SUCCESS) for pair in zip(theirs, mine, strict=True) for claim in pair]
    )

    assert answers == (Answer.FENCED, Answer.ACCEPTED) * 3


def test_a_thousand_settles_ride_on_one_turn(store: Store):
    put(store, *news(1_000))
    worker = Worker(store)

    answers = worker.settle(*[decide(claim, Ended.SUCCESS) for claim in worker.claim(1_000)])

    assert answers == (Answer.ACCEPTED,) * 1_000
    assert store.insights.counts()[State.SUCCEEDED] == 1_000


def test_the_order_of_answers_is_the_order_of_settles(store: Store):
    put(store, *news(4))
    worker = Worker(store)
    claims = worker.claim(4)
    done = decide(claims[1], Ended.SUCCESS)
    worker.settle(done)
    settles = [
        decide(claims[0], Ended.FAILURE),
        done,
        decide(claims[2], Ended.SUCCESS),
        replace(decide(claims[3], Ended.SUCCESS), epoch=9),
    ]

    assert worker.settle(*settles) == (Answer.ACCEPTED, Answer.REPLAYED, Answer.ACCEPTED, Answer.FENCED)


def test_the_first_of_two_different_settles_stands(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.end(claim)

    assert worker.fail(claim) is Answer.REPLAYED

    assert row_of(store, job_id).state is State.SUCCEEDED


def test_the_flag_of_a_unique_job_travels_with_its_pointer(store: Store, bed: Bed):
    put_new(store, unique="k")
    worker = Worker(store)
    worker.fail(worker.take())
    bed.advance(60 * SECOND)
    store.promote(10)

    claim = worker.take()

    assert claim.flags & Flag.UNIQUE
    store.reclaim(worker.id, "killed")
    assert Worker(store).take().flags & Flag.UNIQUE


def test_long_errors_and_odd_characters_are_kept(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    error = "boom: 'quoted' \"double\" % \\ ; -- \n\t漢字 🚀 " + "x" * 20_000
    worker.end(worker.take(), Ended.REJECT, error=error, stack=error)

    assert row_of(store, job_id).error == error


def test_a_policy_of_one_attempt_buries_at_once(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    worker.end(worker.take(), Ended.FAILURE, Policy(max_attempts=1))

    assert row_of(store, job_id).state is State.DEAD
