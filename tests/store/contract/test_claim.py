"""Claims: what a worker gets, in which order, and what it leaves to others."""

import json

import pytest

from relet.clock import SECOND
from relet.job.job import Counters, Options, decode_options
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Lane
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, decide, ids, new, news, put, put_new


def test_a_claim_hands_over_the_whole_job(store: Store, bed: Bed):
    options = Options(timeout_us=5 * SECOND, max_attempts=7, tags={"team": "ops"})
    job_id = put_new(store, args='{"n": 1}', priority=2, options=options)
    bed.advance(3 * SECOND)

    claim = Worker(store).take()

    assert (claim.job_id, claim.epoch, claim.task, claim.queue, claim.rank) == (job_id, 1, "t", "default", -2)
    assert (claim.args, decode_options(claim.options)) == ('{"n": 1}', options)
    assert (claim.created_at, claim.claimed_at) == (BEGINNING, BEGINNING + 3 * SECOND)
    assert (claim.counters, claim.cancel, claim.flags) == (Counters(), None, 0)


def test_a_claim_takes_no_more_than_the_limit(store: Store):
    put(store, *news(5))
    worker = Worker(store)

    assert [len(worker.claim(2)) for _ in range(4)] == [2, 2, 1, 0]


def test_jobs_between_those_that_are_taken_are_not_held(store: Store):
    tasks = ("t", "u", "t", "u", "u", "t")
    jobs = put(store, *[new(task) for task in tasks])
    worker, other = Worker(store), Worker(store, "other", tasks=("u",))

    claims = worker.claim()

    assert ids(claims) == [jobs[0], jobs[2], jobs[5]]
    assert sorted(worker.renew().held) == sorted((claim.job_id, claim.epoch) for claim in claims)
    assert ids(other.claim()) == [jobs[1], jobs[3], jobs[4]]


def test_a_limit_of_nothing_claims_nothing(store: Store):
    put_new(store)

    assert Worker(store).claim(0) == ()


def test_no_lanes_claim_nothing(store: Store):
    put_new(store)
    worker = Worker(store)

    assert worker.turn(want=worker.want(lanes=(Lane("elsewhere", 0),))).claims == ()


def test_lanes_are_emptied_in_the_order_they_are_given(store: Store):
    low, high, mail = put(store, new(priority=0), new(priority=3), new(queue="mail"))
    worker = Worker(store, queues=("default", "mail"))

    claims = worker.claim(3, lanes=(Lane("mail", -1), Lane("default", 0), Lane("default", -3)))

    assert ids(claims) == [mail, low, high]


def test_a_limit_is_shared_by_the_lanes(store: Store):
    first, second, _ = put(store, new(priority=3), new(priority=1), new(priority=1))

    assert ids(Worker(store).claim(2)) == [first, second]


def test_a_claim_passes_the_place_that_the_worker_has_passed(store: Store):
    put(store, *news(3))
    worker = Worker(store)
    first, second, third = (worker.take() for _ in range(3))
    worker.settle()
    for claim in (first, second, third):
        worker.end(claim, Ended.FAILURE)
    more = put(store, *news(2))

    assert ids(worker.claim(lanes=(Lane("default", -1, third.seq),))) == more
    assert worker.claim(lanes=(Lane("default", -1, third.seq + 2),)) == ()


def test_places_rise_with_the_order_in_a_lane(store: Store):
    put(store, *news(4))

    seqs = [claim.seq for claim in Worker(store).claim()]

    assert seqs == sorted(set(seqs))


def test_the_end_of_a_lane_is_the_place_of_its_last_job(store: Store):
    put(store, *news(3))
    worker = Worker(store)
    lanes = (Lane("default", -1), Lane("empty", -1, 77))
    last, empty = store.lane_ends(lanes)

    assert empty == 77
    assert worker.claim(lanes=(Lane("default", -1, last),)) == ()
    assert len(worker.claim(lanes=(Lane("default", -1, last - 1),))) == 1


def test_ranks_name_the_lanes_that_have_jobs(store: Store):
    put(store, new(priority=3), new(priority=3), new(priority=0), new(queue="mail", priority=-5), new(delay_us=SECOND))

    assert sorted(store.ranks(())) == [("default", -3), ("default", 0), ("mail", 5)]
    assert store.ranks(("mail",)) == [("mail", 5)]
    assert store.ranks(("nowhere",)) == []


def test_ranks_of_an_empty_store_are_none(store: Store):
    assert store.ranks(()) == []


def test_unknown_tasks_are_left_to_others(store: Store):
    theirs, mine = put(store, new("other"), new("t"))

    assert ids(Worker(store).claim()) == [mine]
    assert ids(Worker(store, tasks=("other",)).claim()) == [theirs]


def test_many_unknown_jobs_at_the_head_hide_nothing(store: Store):
    put(store, *news(300, task="other"))
    mine = put_new(store)

    assert ids(Worker(store).claim(1)) == [mine]


@pytest.mark.parametrize(
    ("needs", "offers", "takes"),
    [
        (("gpu=a100",), (), False),
        (("gpu=a100",), ("gpu=a100",), True),
        (("gpu=a100",), ("gpu=h100",), False),
        (("gpu=a100", "zone=eu"), ("gpu=a100",), False),
        (("gpu=a100", "zone=eu"), ("disk=big", "gpu=a100", "zone=eu"), True),
        ((), ("gpu=a100",), True),
        (("q=\"%_'",), ("q=\"%_'",), True),
    ],
)
def test_a_worker_takes_a_job_only_if_it_offers_all_that_is_needed(
    store: Store, needs: tuple[str, ...], offers: tuple[str, ...], takes: bool
):
    put_new(store, needs=needs)

    assert len(Worker(store, offers=offers).claim()) == takes


def test_needs_stay_with_a_job_that_is_retried(store: Store, bed: Bed):
    put_new(store, needs=("gpu=a100",))
    able = Worker(store, offers=("gpu=a100",))
    able.fail(able.take())
    bed.advance(60 * SECOND)
    store.promote(10)

    assert Worker(store).claim() == ()
    assert len(able.claim()) == 1


def test_needs_stay_with_a_job_that_came_back_from_a_dead_session(store: Store):
    put_new(store, needs=("gpu=a100",))
    able = Worker(store, offers=("gpu=a100",))
    able.take()
    store.reclaim(able.id, "killed")

    assert Worker(store).claim() == ()


def test_a_paused_queue_hands_out_nothing(store: Store):
    mail, other = put(store, new(queue="mail"), new())
    store.pause_queue("mail", "ann", "provider is down", None)
    worker = Worker(store, queues=("mail", "default"))

    assert ids(worker.claim()) == [other]

    assert store.resume_queue("mail")
    assert ids(worker.claim()) == [mail]


def test_what_runs_in_a_paused_queue_goes_on(store: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    store.pause_queue("default", "ann", "", None)

    assert worker.end(claim) == "accepted"


def test_a_pause_with_an_end_ends(store: Store, bed: Bed):
    job_id = put_new(store)
    store.pause_queue("default", "ann", "", BEGINNING + 10 * SECOND)
    worker = Worker(store)
    assert worker.claim() == ()

    bed.advance(10 * SECOND)

    assert ids(worker.claim()) == [job_id]


def test_a_closed_queue_is_worked_off(store: Store):
    job_id = put_new(store)
    store.close_queue("default", "ann", "")

    assert ids(Worker(store).claim()) == [job_id]


def test_a_lower_tier_takes_only_what_has_waited(store: Store, bed: Bed):
    old = put_new(store)
    bed.advance(5 * SECOND)
    put_new(store)
    worker = Worker(store)

    assert ids(worker.claim(younger_than_us=5 * SECOND)) == [old]
    assert worker.claim(younger_than_us=5 * SECOND) == ()

    bed.advance(5 * SECOND)
    assert len(worker.claim(younger_than_us=5 * SECOND)) == 1


def test_waiting_counts_anew_when_a_job_becomes_ready_again(store: Store, bed: Bed):
    put_new(store)
    bed.advance(60 * SECOND)
    worker = Worker(store)
    worker.fail(worker.take())
    bed.advance(60 * SECOND)
    store.promote(10)

    assert worker.claim(younger_than_us=5 * SECOND) == ()


def test_each_claim_of_a_job_has_the_next_epoch(store: Store):
    put_new(store)
    worker = Worker(store)
    epochs: list[int] = []
    for _ in range(4):
        claim = worker.take()
        epochs.append(claim.epoch)
        worker.end(claim, Ended.RELEASE)

    assert epochs == [1, 2, 3, 4]


def test_a_claim_tells_of_a_cancel_that_was_asked_before(store: Store):
    job_id = put_new(store)
    first = Worker(store)
    claim = first.take()
    store.cancel(job_id, "not needed", "ann", 0)
    first.end(claim, Ended.RELEASE)

    (again,) = Worker(store).claim()

    assert again.cancel == "not needed"


def test_a_cancel_of_one_job_is_not_told_of_another(store: Store):
    first, _ = put(store, *news(2))
    worker = Worker(store)
    claims = worker.claim()
    store.cancel(first, "not needed", "ann", 0)
    for claim in claims:
        worker.end(claim, Ended.RELEASE)

    assert {claim.job_id: claim.cancel for claim in worker.claim()}.pop(first) == "not needed"


def test_lost_claims_can_be_asked_for_again(store: Store):
    put(store, *news(3, args=json.dumps({"n": 1}), priority=2))
    worker = Worker(store)
    first, second, third = worker.claim(3)
    worker.end(third)

    found = store.claims(worker.id, [first.job_id, second.job_id, third.job_id, bytes(16)])

    assert {claim.job_id: claim for claim in found} == {
        claim.job_id: claim._replace(seq=0, ready_at=0) for claim in (first, second)
    }


def test_claims_of_another_session_are_not_handed_out(store: Store):
    put_new(store)
    claim = Worker(store).take()

    assert store.claims(Worker(store).id, [claim.job_id]) == ()
    assert store.claims(Worker(store).id, []) == ()


def test_a_turn_settles_before_it_claims(store: Store):
    put(store, new(unique="k"))
    worker = Worker(store)
    claim = worker.take()
    put_new(store)

    turned = worker.turn([decide(claim, Ended.RELEASE)], want=worker.want())

    assert turned.answers == ("accepted",)
    assert turned.claims[0].job_id == claim.job_id, "a job that was given back is at the head"
    assert len(turned.claims) == 2


def test_a_large_claim_takes_all(store: Store):
    put(store, *news(1_200))

    claims = Worker(store).claim(1_000)

    assert len({claim.job_id for claim in claims}) == 1_000


def test_claiming_from_many_lanes_keeps_the_order_of_each(store: Store):
    jobs = [new(queue=f"q{n % 3}") for n in range(30)]
    put(store, *jobs)
    worker = Worker(store, queues=("q2", "q0", "q1"))

    claims = worker.claim(30)

    assert ids(claims) == [job.id for name in ("q2", "q0", "q1") for job in jobs if job.queue == name]
