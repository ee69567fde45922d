"""The facts that a store gathers to explain why a job does not run."""

from relet.clock import SECOND
from relet.job.breaker import Rule
from relet.job.job import Options
from relet.job.outcome import Ended
from relet.job.state import State
from relet.job.surroundings import Closed, Lease, LiveWorker, Pause
from relet.job.why import Standing, explain
from relet.store.port import Store
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, LEASE_US, Worker, new, news, put, put_new


def why(store: Store, job_id: bytes) -> Standing:
    found = store.insights.why(job_id)
    assert found is not None
    return found


def test_an_unknown_job_has_no_standing(store: Store) -> None:
    assert store.insights.why(IDS.job()) is None


def test_a_ready_job_stands_with_its_queue_its_workers_and_what_is_ahead(bed: Bed, store: Store) -> None:
    put(store, new(), new(priority=0), new(queue="b", priority=3))
    job = new(needs=("gpu=a100",), options=Options(max_attempts=5, expires_us=60 * SECOND, deadline_us=90 * SECOND))
    put(store, job, new(), new(priority=2), new(priority=2), new(priority=0))
    Worker(store, "gone").leave()
    Worker(store, "lapsed", lease_us=SECOND)
    live = Worker(store, "live", tasks=("t", "u"), offers=("gpu=a100",), queues=("default", "b"))
    store.ask_worker(live.id, "drain")
    store.pause_queue("default", "ann", "db is down", BEGINNING + 60 * SECOND)
    store.close_queue("default", "bob", "moving")
    bed.advance(2 * SECOND)
    assert why(store, job.id) == Standing(
        job_id=job.id,
        task="t",
        queue="default",
        state=State.READY,
        now=BEGINNING + 2 * SECOND,
        needs=("gpu=a100",),
        max_attempts=5,
        expires_at=BEGINNING + 60 * SECOND,
        deadline_at=BEGINNING + 90 * SECOND,
        ready_at=BEGINNING,
        ahead=3,
        paused=Pause(BEGINNING, "ann", "db is down", BEGINNING + 60 * SECOND),
        closed=Closed(BEGINNING, "bob", "moving"),
        workers=(
            LiveWorker(
                "live", frozenset({"default", "b"}), frozenset({"t", "u"}), frozenset({"gpu=a100"}), 10, 0, 0, "drain"
            ),
        ),
    )


def test_a_job_that_a_breaker_put_off_stands_with_it_until_it_has_closed(store: Store) -> None:
    store.declare_breakers({"stripe": Rule()}, "code")
    store.open_breaker("stripe", "ann", "maintenance")
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.end(claim, Ended.SNOOZE, delay_us=60 * SECOND, breaker="stripe")
    found = why(store, claim.job_id)
    assert [(held.name, held.changed_by, held.status.because) for held in found.breakers] == [
        ("stripe", "ann", "maintenance")
    ]
    assert found.put_off_by == "stripe"
    store.close_breaker("stripe", "ann")
    assert (why(store, claim.job_id).breakers, why(store, claim.job_id).put_off_by) == ((), "")


def test_what_is_ahead_is_counted_up_to_a_cap(store: Store) -> None:
    put(store, *news(10_001))
    found = why(store, put_new(store))
    assert (found.ahead, found.ahead_capped) == (10_000, True)


def test_a_running_job_stands_with_its_lease(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store, "w1")
    worker.take()
    bed.advance(10 * SECOND)
    worker.renew()
    store.cancel(job_id, "no", "ann", 0)
    found = why(store, job_id)
    assert found.lease == Lease("w1", BEGINNING, BEGINNING + 10 * SECOND, LEASE_US, True)
    assert (found.cancel_asked, found.workers[0].held) == ("no", 1)


def test_a_running_job_whose_session_lapsed_stands_without_a_live_lease(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    Worker(store, "w1").take()
    bed.advance(LEASE_US)
    found = why(store, job_id)
    assert found.lease == Lease("w1", BEGINNING, BEGINNING, LEASE_US, False)
    assert found.workers == ()
    assert explain(found)[0].startswith("The session of worker w1")


def test_a_retry_stands_with_the_end_of_its_last_run(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    worker.fail(worker.take(), "ValueError: no")
    found = why(store, job_id)
    assert (found.state, found.run_at, found.attempt) == (State.SCHEDULED, BEGINNING + 10 * SECOND, 1)
    assert (found.last_ended, found.error) == (Ended.FAILURE, "ValueError: no")


def test_a_job_that_ended_stands_with_how_it_did(store: Store) -> None:
    done, cancelled, dead = put_new(store), put_new(store), put_new(store)
    worker = Worker(store, "w1")
    claims = {claim.job_id: claim for claim in worker.claim()}
    worker.end(claims[done])
    worker.end(claims[cancelled], Ended.CANCEL, error="no")
    worker.bury(claims[dead], "rotten")
    store.resolve_dead(dead, True, "ann", "")
    assert (why(store, done).state, why(store, done).worker) == (State.SUCCEEDED, "w1")
    assert (why(store, cancelled).state, why(store, cancelled).error) == (State.CANCELLED, "no")
    found = why(store, dead)
    assert (found.state, found.dead_reason, found.error, found.resolved) == (State.DEAD, "rejected", "rotten", True)


def test_a_suspect_stands_with_its_suspicions(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    for _ in range(2):
        Worker(store).take()
        bed.advance(LEASE_US)
        store.reclaim_expired()
    found = why(store, job_id)
    assert found.suspicions == 2
    assert found.last_ended == Ended.LOST


def test_a_job_that_was_started_once_expires_no_more(store: Store) -> None:
    job_id = put_new(store, options=Options(expires_us=60 * SECOND))
    worker = Worker(store)
    worker.end(worker.take(), Ended.RELEASE)
    assert why(store, job_id).expires_at is None


def test_options_that_cannot_be_read_hinder_no_explanation(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    bed.rows('update relet.job set options = \'{"expires_us": "soon"}\'')
    assert why(store, job_id).state is State.READY
    bed.rows("update relet.job set options = null")
