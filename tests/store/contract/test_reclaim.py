"""Sessions that die: everything they held goes on elsewhere, once, and costs the jobs nothing."""

import threading

from relet.clock import SECOND
from relet.job.job import SOLO_SUSPICIONS, Counters
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Reclaimed
from relet.store.recovery import TOO_MANY_SUSPICIONS
from tests.store.beds import Bed
from tests.store.hands import LEASE_US, Worker, decide, ids, new, news, put, put_new


def state_of(store: Store, job_id: bytes) -> State:
    row = store.insights.job(job_id)
    assert row is not None
    return row.state


def test_nothing_is_reclaimed_while_leases_are_good(store: Store, bed: Bed):
    put_new(store)
    Worker(store).take()
    bed.advance(LEASE_US - 1)

    assert store.reclaim_expired() == []


def test_a_lapsed_session_gives_back_all_that_it_held(store: Store, bed: Bed):
    expected = put(store, *news(5))
    worker = Worker(store, "gone")
    worker.claim(5)
    bed.advance(LEASE_US)

    assert store.reclaim_expired() == [Reclaimed(worker.id, "gone", 5, 0, 0)]

    assert set(ids(Worker(store).claim())) == set(expected)


def test_a_reclaim_is_repeated_without_effect(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    worker.take()
    bed.advance(LEASE_US)
    store.reclaim_expired()

    assert store.reclaim_expired() == []
    assert store.reclaim(worker.id, "killed") is None


def test_only_lapsed_sessions_are_reclaimed(store: Store, bed: Bed):
    put(store, *news(2))
    dead, alive = Worker(store), Worker(store)
    dead.claim(1)
    claim = alive.take()
    bed.advance(LEASE_US)
    alive.renew()

    assert [gone.session_id for gone in store.reclaim_expired()] == [dead.id]

    assert alive.end(claim) is Answer.ACCEPTED


def test_an_idle_session_that_lapsed_is_ended_too(store: Store, bed: Bed):
    worker = Worker(store)
    bed.advance(LEASE_US)

    assert store.reclaim_expired() == [Reclaimed(worker.id, "w", 0, 0, 0)]

    assert not worker.renew().live


def test_a_killed_process_is_reclaimed_before_its_lease_lapses(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()

    assert store.reclaim(worker.id, "killed by signal 9") == Reclaimed(worker.id, "w", 1, 0, 0)

    assert ids(Worker(store).claim()) == [job_id]


def test_an_unknown_session_cannot_be_reclaimed(store: Store):
    assert store.reclaim(bytes(16), "killed") is None


def test_a_reclaimed_job_has_one_suspicion_more_and_no_attempt(store: Store):
    put_new(store)
    for suspicions in range(3):
        worker = Worker(store)
        assert worker.take().counters == Counters(suspicions=suspicions, releases=suspicions)
        store.reclaim(worker.id, "killed")


def test_a_reclaim_keeps_the_attempts_that_failed_before(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    worker.fail(worker.take())
    bed.advance(60 * SECOND)
    store.promote(10)
    worker.take()
    store.reclaim(worker.id, "killed")

    assert Worker(store).take().counters == Counters(attempt=1, suspicions=1, releases=1)


def test_leaving_arouses_no_suspicion(store: Store):
    put_new(store)
    for _ in range(TOO_MANY_SUSPICIONS + 2):
        worker = Worker(store)
        assert worker.take().counters.suspicions == 0
        worker.leave()


def test_the_history_says_why_a_claim_was_lost(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store, "gone")
    worker.take()
    bed.advance(LEASE_US)
    store.reclaim_expired("its host is lost")

    (attempt,) = store.insights.attempts(job_id)

    assert (attempt.epoch, attempt.outcome, attempt.error, attempt.worker) == (1, "lost", "its host is lost", "gone")


def test_the_history_says_that_a_claim_was_given_back(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()
    worker.leave("drained")

    (attempt,) = store.insights.attempts(job_id)
    assert (attempt.outcome, attempt.error) == ("release", "drained")


def test_reclaimed_jobs_return_to_the_head(store: Store):
    first, second, *_ = put(store, *news(5))
    worker = Worker(store)
    worker.claim(2)
    store.reclaim(worker.id, "killed")

    assert set(ids(Worker(store).claim(2))) == {first, second}


def test_reclaimed_jobs_keep_the_order_in_which_they_were_made(store: Store):
    expected = put(store, *news(6))
    worker = Worker(store)
    worker.claim(4)
    store.reclaim(worker.id, "killed")

    assert ids(Worker(store).claim(6)) == expected


def test_reclaimed_jobs_keep_queue_and_priority(store: Store):
    put(store, new(queue="mail", priority=3), new(priority=0))
    worker = Worker(store, queues=("mail", "default"))
    worker.claim()
    store.reclaim(worker.id, "killed")

    assert sorted(store.ranks(())) == [("default", 0), ("mail", -3)]


def test_a_job_that_too_many_sessions_died_of_is_poison(store: Store, bed: Bed):
    poison = put_new(store, unique="k")
    for _ in range(TOO_MANY_SUSPICIONS - 1):
        worker = Worker(store)
        worker.take()
        assert store.reclaim(worker.id, "killed") == Reclaimed(worker.id, "w", 1, 0, 0)
    worker = Worker(store)
    worker.take()

    assert store.reclaim(worker.id, "killed") == Reclaimed(worker.id, "w", 0, 1, 0)

    assert bed.rows("select job_id, reason, attempt from relet.dead") == [(poison, "poison", 0)]
    assert store.enqueue([new(unique="k")])[0].created


def test_poison_costs_its_neighbours_nothing_but_suspicion(store: Store):
    poison = put_new(store)
    for _ in range(TOO_MANY_SUSPICIONS):
        neighbour = put_new(store)
        worker = Worker(store)
        worker.claim(2)
        store.reclaim(worker.id, "killed")
        second = Worker(store)
        claims = {claim.job_id: claim for claim in second.claim(2)}
        assert claims[neighbour].counters == Counters(suspicions=1, releases=1)
        second.end(claims[neighbour])
        if poison in claims:
            second.end(claims[poison], Ended.RELEASE)

    assert state_of(store, poison) is State.DEAD


def test_solitude_comes_before_death():
    assert SOLO_SUSPICIONS < TOO_MANY_SUSPICIONS


def test_a_cancel_is_honoured_when_its_worker_dies(store: Store):
    wanted, unwanted = put(store, *news(2))
    worker = Worker(store)
    worker.claim()
    store.cancel(unwanted, "not needed", "ann", 0)

    assert store.reclaim(worker.id, "killed") == Reclaimed(worker.id, "w", 1, 0, 1)

    assert (state_of(store, wanted), state_of(store, unwanted)) == (State.READY, State.CANCELLED)


def test_a_cancel_is_honoured_when_its_worker_leaves(store: Store):
    unwanted = put_new(store)
    worker = Worker(store)
    worker.take()
    store.cancel(unwanted, "not needed", "ann", 0)

    worker.leave()

    assert state_of(store, unwanted) is State.CANCELLED


def test_a_cancel_wins_over_poison(store: Store):
    job_id = put_new(store)
    for died in range(TOO_MANY_SUSPICIONS):
        worker = Worker(store)
        worker.take()
        if died == TOO_MANY_SUSPICIONS - 1:
            store.cancel(job_id, "not needed", "ann", 0)
        store.reclaim(worker.id, "killed")

    assert state_of(store, job_id) is State.CANCELLED


def test_a_scan_reaches_every_lapsed_session(store: Store, bed: Bed):
    put(store, *news(150))
    for _ in range(150):
        Worker(store).claim(1)
    bed.advance(LEASE_US)

    assert sum(gone.returned for gone in store.reclaim_expired()) == 150


def test_one_session_may_have_held_very_many(store: Store):
    put(store, *news(2_000))
    worker = Worker(store)
    worker.claim(1_000)
    worker.claim(1_000)

    gone = store.reclaim(worker.id, "killed")

    assert gone is not None
    assert gone.returned == 2_000


def test_a_claim_whose_session_is_not_there_is_reclaimed(store: Store, bed: Bed):
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()
    bed.rows("delete from relet.session")

    assert [gone.returned for gone in store.reclaim_expired()] == [1]

    assert state_of(store, job_id) is State.READY


def test_of_two_who_reclaim_at_once_one_does(store: Store, bed: Bed):
    put(store, *news(20))
    worker = Worker(store)
    worker.claim(20)
    found: list[Reclaimed | None] = []
    stores = [bed.open() for _ in range(4)]
    threads = [threading.Thread(target=lambda s=s: found.append(s.reclaim(worker.id, "killed"))) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [gone.returned for gone in found if gone] == [20]


def test_after_a_reclaim_no_settle_of_the_dead_counts(store: Store, bed: Bed):
    put(store, *news(4))
    zombie = Worker(store)
    claims = zombie.claim(4)
    bed.advance(LEASE_US)
    store.reclaim_expired()

    kinds = (Ended.SUCCESS, Ended.FAILURE, Ended.REJECT, Ended.RELEASE)
    answers = zombie.settle(*[decide(claim, kind) for claim, kind in zip(claims, kinds, strict=True)])

    assert answers == (Answer.FENCED,) * 4
    assert store.insights.counts()[State.READY] == 4
