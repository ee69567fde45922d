"""Sessions: a process, its lease, and what people ask of it."""

import pytest

from relet.clock import SECOND
from relet.errors import StoreUnavailable
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Beat, Control, SessionInfo
from tests.store.beds import BEGINNING, Bed, SqliteBed
from tests.store.hands import IDS, LEASE_US, Worker, ids, new, news, put, put_new


def test_a_new_session_is_in_the_registry_with_what_it_said(store: Store):
    worker = Worker(store, "mailer-1", tasks=("a", "b"), queues=("mail", "default"), offers=("gpu=yes",))

    (row,) = store.insights.sessions()

    assert (row.id, row.worker, row.live, row.held) == (worker.id, "mailer-1", True, 0)
    assert (row.started_at, row.renewed_at, row.lease_us) == (BEGINNING, BEGINNING, LEASE_US)
    assert '"mail"' in row.queues
    assert '"b"' in row.tasks
    assert '"gpu=yes"' in row.offers


def test_opening_a_session_tells_the_time_of_the_store(store: Store, bed: Bed):
    bed.advance(7 * SECOND)

    assert store.open_session(SessionInfo(IDS.session(), "w", "here", 1, (), ()), LEASE_US) == BEGINNING + 7 * SECOND


def test_a_session_claims_until_its_lease_lapses(store: Store, bed: Bed):
    put(store, *news(2))
    worker = Worker(store)
    bed.advance(LEASE_US - 1)
    assert len(worker.claim(1)) == 1

    bed.advance(1)

    turned = worker.turn(want=worker.want(1))
    assert (turned.live, turned.claims) == (False, ())


def test_a_renewal_counts_from_now(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    bed.advance(LEASE_US - 1)
    assert worker.renew().live
    bed.advance(LEASE_US - 1)

    assert len(worker.claim()) == 1


def test_a_renewal_may_change_the_length_of_the_lease(store: Store, bed: Bed):
    worker = Worker(store)
    store.renew(worker.id, 5 * SECOND, Beat())
    bed.advance(5 * SECOND)

    assert not store.listen(worker.id).live


def test_a_renewal_that_comes_before_a_reclaim_saves_a_lapsed_session(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    bed.advance(2 * LEASE_US)

    assert worker.renew().live

    assert store.reclaim_expired() == []
    assert worker.end(claim) == "accepted"


def test_a_renewal_does_not_bring_an_ended_session_back(store: Store, bed: Bed):
    worker = Worker(store)
    bed.advance(LEASE_US)
    store.reclaim_expired()

    assert not worker.renew().live

    put_new(store)
    assert not worker.turn(want=worker.want()).live
    assert [row.live for row in store.insights.sessions(ended_within_us=SECOND)] == [False]


def test_a_session_that_left_is_over(store: Store):
    worker = Worker(store)
    worker.leave()

    assert not worker.renew().live
    assert not store.listen(worker.id).live


def test_an_unknown_session_gets_nothing(store: Store):
    put_new(store)
    worker = Worker(store)
    worker.id = bytes(16)

    turned = worker.turn(want=worker.want())

    assert (turned.live, turned.claims, turned.now) == (False, (), BEGINNING)
    assert not worker.renew().live


def test_a_renewal_names_the_claims_that_stand(store: Store):
    put(store, *news(3))
    worker = Worker(store)
    claims = worker.claim(3)
    worker.end(claims[0])

    assert set(worker.renew().held) == {(claim.job_id, claim.epoch) for claim in claims[1:]}


def test_listening_tells_the_same_and_extends_nothing(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    bed.advance(LEASE_US - 1)

    heard = store.listen(worker.id)

    assert (heard.live, heard.held) == (True, ((claim.job_id, 1),))
    bed.advance(1)
    assert not store.listen(worker.id).live


def test_a_renewal_tells_of_jobs_to_cancel(store: Store):
    job_id, _ = put(store, *news(2))
    worker = Worker(store)
    worker.claim()
    store.cancel(job_id, "too expensive", "ann", 5 * SECOND)

    assert worker.renew().controls == (Control(job_id, "cancel", "too expensive", 5 * SECOND),)
    assert store.listen(worker.id).controls == (Control(job_id, "cancel", "too expensive", 5 * SECOND),)


def test_other_sessions_do_not_hear_of_it(store: Store):
    job_id = put_new(store)
    Worker(store).take()
    store.cancel(job_id, "", "ann", 0)

    assert Worker(store).renew().controls == ()


def test_a_worker_is_asked_to_drain(store: Store):
    worker = Worker(store)

    assert store.ask_worker(worker.id, "drain")

    assert worker.renew().verb == "drain"
    assert store.listen(worker.id).verb == "drain"


def test_a_worker_that_has_gone_cannot_be_asked(store: Store):
    worker = Worker(store)
    worker.leave()

    assert not store.ask_worker(worker.id, "stop")
    assert not store.ask_worker(bytes(16), "stop")


def test_a_renewal_writes_what_the_worker_tells(store: Store, bed: Bed):
    worker = Worker(store)
    bed.advance(SECOND)

    worker.renew(Beat(busy=3, done=40, failed=2, rss_bytes=10**10, turned_at=BEGINNING))

    (row,) = store.insights.sessions()
    assert (row.busy, row.done, row.failed, row.rss_bytes, row.turned_at) == (3, 40, 2, 10**10, BEGINNING)
    assert row.renewed_at == BEGINNING + SECOND


def test_who_leaves_gives_back_what_it_holds_without_suspicion(store: Store):
    put(store, *news(3))
    worker = Worker(store)
    worker.claim(2)

    gone = worker.leave("drained")

    assert gone is not None
    assert (gone.session_id, gone.worker, gone.returned, gone.dead, gone.cancelled) == (worker.id, "w", 2, 0, 0)
    counters = [claim.counters for claim in Worker(store).claim()]
    assert sorted((c.attempt, c.crashes, c.suspicions, c.releases) for c in counters) == [
        (0, 0, 0, 0),
        (0, 0, 0, 1),
        (0, 0, 0, 1),
    ]


def test_who_leaves_twice_is_told_so(store: Store):
    worker = Worker(store)
    worker.leave()

    assert worker.leave() is None


def test_an_ended_session_stays_in_the_registry_for_those_who_ask(store: Store, bed: Bed):
    worker = Worker(store)
    worker.leave("drained")
    bed.advance(10 * SECOND)

    assert store.insights.sessions() == []
    (row,) = store.insights.sessions(ended_within_us=60 * SECOND)
    assert (row.id, row.ended_at, row.end_cause, row.live) == (worker.id, BEGINNING, "drained", False)


def test_a_lapsed_session_is_shown_as_not_live(store: Store, bed: Bed):
    Worker(store)
    bed.advance(LEASE_US)

    (row,) = store.insights.sessions()
    assert (row.live, row.ended_at) == (False, None)


@pytest.mark.parametrize("jump", [3600 * SECOND, -3600 * SECOND], ids=["an hour forward", "an hour back"])
def test_a_jump_of_the_wall_clock_ends_no_lease(store: Store, bed: Bed, jump: int):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()

    bed.jump(jump)

    assert store.reclaim_expired() == []
    assert worker.renew().live
    assert worker.end(claim) == "accepted"


def test_after_a_reboot_every_session_is_dead_at_once(store: Store, bed: Bed):
    if not isinstance(bed, SqliteBed):
        pytest.skip("a server's clock goes on when its clients reboot")
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()

    bed.clock.reboot()

    assert not worker.renew().live
    assert [gone.returned for gone in store.reclaim_expired()] == [1]
    assert ids(Worker(store).claim()) == [job_id]


def test_a_reboot_into_the_same_second_of_the_steady_clock_revives_nobody(store: Store, bed: Bed):
    if not isinstance(bed, SqliteBed):
        pytest.skip("a server's clock goes on when its clients reboot")
    put(store, *news(2))
    bed.advance(10 * SECOND)
    worker = Worker(store)
    worker.claim(1)
    bed.clock.reboot()
    bed.advance(11 * SECOND)

    turned = worker.turn(want=worker.want())

    assert (turned.live, turned.claims) == (False, ())


def test_a_sqlite_file_serves_one_host(store: Store, bed: Bed):
    if not isinstance(bed, SqliteBed):
        pytest.skip("a server serves many hosts")
    Worker(store, host="one")
    bed.clock.reboot()

    with pytest.raises(StoreUnavailable, match="one host"):
        Worker(store, host="two")


def test_two_workers_never_hold_the_same_job(store: Store, other: Store):
    put(store, *news(20))
    one, two = Worker(store), Worker(other)

    mine, theirs = ids(one.claim(8)), ids(two.claim(20))

    assert len({*mine, *theirs}) == 20
    assert {row.worker for row in store.insights.leases()} == {"w"}
    assert store.insights.counts()[State.RUNNING] == 20


def test_a_job_for_a_session_of_other_tasks_waits(store: Store):
    job_id = put(store, new("mine"))[0]

    assert Worker(store, tasks=("yours",)).claim() == ()
    assert ids(Worker(store, tasks=("yours", "mine")).claim()) == [job_id]


def test_jobs_that_come_back_together_keep_their_order(store: Store, other: Store):
    first = put(store, *news(5))
    gone = Worker(store)
    gone.claim(5)
    store.end_session(gone.id, "drained")

    assert [claim.job_id for claim in Worker(other).claim(5)] == first
