"""Limits of queues: how many run at once, how many start in a time, whoever claims."""

from random import Random

import pytest

from relet.clock import DAY, SECOND
from relet.job.limits import Rate, Rule, parse_rates, rule_name, used
from relet.job.outcome import Ended
from relet.store.limits import tallies_of
from relet.store.port import Store
from relet.store.records import Lane
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, decide, news, put, put_new

MINUTE = 60 * SECOND


class Limited(Worker):
    """A worker that knows that its queues are limited."""

    def want(self, limit: int = 10, **fields):  # type: ignore[no-untyped-def,override]  # as the base
        return super().want(limit, **{"limited": self.queues, **fields})


def limit(store: Store, queue: str = "default", **fields) -> Rule:  # type: ignore[no-untyped-def]  # fields of Rule
    if "rate" in fields:
        fields["rates"] = parse_rates(fields.pop("rate"))
    return store.limit_queue(queue, Rule(**fields), "ann")


def test_no_more_run_at_once_than_the_limit(store: Store, other: Store):
    put(store, *news(10))
    limit(store, concurrency=3)
    mine, theirs = Limited(store), Limited(other)

    first = mine.claim(2)
    assert len(first) == 2
    assert len(theirs.claim()) == 1
    assert (mine.claim(), theirs.claim()) == ((), ())

    mine.end(first[0])
    assert len(theirs.claim()) == 1
    assert mine.claim() == ()


def test_a_turn_that_settles_may_claim_the_slot_that_it_frees(store: Store):
    put(store, *news(5))
    limit(store, concurrency=2)
    worker = Limited(store)
    claims = worker.claim()

    for ended in (Ended.SUCCESS, Ended.FAILURE):
        turned = worker.turn([decide(claim, ended) for claim in claims], want=worker.want())
        claims = turned.claims
        assert len(claims) == (2 if ended is Ended.SUCCESS else 1)
        assert turned.limited[0][:2] == ("default", True)


@pytest.mark.parametrize("ended", [Ended.FAILURE, Ended.SNOOZE, Ended.RELEASE, Ended.REJECT, Ended.CANCEL])
def test_every_end_frees_the_slot(store: Store, ended: Ended):
    put(store, *news(2))
    limit(store, concurrency=1)
    worker = Limited(store)

    worker.end(worker.take(), ended, delay_us=SECOND)

    assert len(worker.claim()) == 1
    assert worker.claim() == ()


def test_a_worker_that_dies_leaks_no_slot(store: Store, other: Store, bed: Bed):
    put(store, *news(4))
    limit(store, concurrency=2)
    dying, living = Limited(store, lease_us=SECOND), Limited(other)
    assert len(dying.claim()) == 2
    assert living.claim() == ()

    bed.advance(2 * SECOND)
    living.renew()
    assert living.claim() == (), "until it is reclaimed, the dead one may still be at work"
    store.reclaim_expired()

    assert len(living.claim()) == 2
    assert living.claim() == ()


def test_what_ran_before_the_limit_counts(store: Store, other: Store):
    put(store, *news(6))
    early = Worker(other)
    running = early.claim(3)
    limit(store, concurrency=2)
    worker = Limited(store)

    assert worker.claim() == ()
    early.end(running[0])
    assert worker.claim() == ()
    early.end(running[1])
    assert len(worker.claim()) == 1


def test_a_limit_is_changed_while_jobs_run(store: Store):
    put(store, *news(9))
    limit(store, concurrency=2)
    worker = Limited(store)
    first = worker.claim()
    limit(store, concurrency=3)
    second = worker.claim()
    limit(store, concurrency=1)

    assert (len(first), len(second)) == (2, 1)
    assert worker.claim() == ()
    worker.turn([decide(claim, Ended.SUCCESS) for claim in (*first, *second)])
    assert len(worker.claim()) == 1


def test_a_limit_that_ends_holds_nobody_back(store: Store):
    put(store, *news(9))
    limit(store, concurrency=1)
    worker = Limited(store)
    worker.take()

    limit(store)

    turned = worker.turn(want=worker.want())
    assert len(turned.claims) == 8
    assert turned.limited == ()


def test_the_lanes_of_a_queue_share_its_limit_and_other_queues_have_none(store: Store):
    put(store, *news(3, priority=3), *news(3, priority=1), *news(4, queue="mail"))
    limit(store, concurrency=4)
    worker = Limited(store, queues=("default", "mail"))

    claims = worker.claim(20)

    assert [(claim.queue, claim.rank) for claim in claims] == [
        *[("default", -3)] * 3,
        ("default", -1),
        *[("mail", -1)] * 4,
    ]
    assert worker.claim(20) == ()


def test_the_size_of_a_claim_holds_beside_a_limit(store: Store):
    put(store, *news(9), *news(9, queue="mail"))
    limit(store, concurrency=4)
    worker = Limited(store, queues=("default", "mail"))

    assert [claim.queue for claim in worker.claim(5)] == ["default"] * 4 + ["mail"]
    assert [claim.queue for claim in worker.claim(2)] == ["mail"] * 2


def test_each_worker_has_its_own_limit(store: Store, other: Store):
    put(store, *news(10))
    limit(store, per_worker=2, concurrency=5)
    workers = [Limited(store), Limited(other), Limited(store)]

    assert [len(worker.claim()) for worker in workers] == [2, 2, 1]
    assert [worker.claim() for worker in workers] == [(), (), ()]


def test_a_turn_that_does_not_know_of_a_limit_gets_nothing_where_others_claim_too(store: Store, engine: str):
    put(store, *news(3), *news(1, queue="mail"))
    limit(store, concurrency=2)
    worker = Worker(store, queues=("default", "mail"))

    turned = worker.turn(want=worker.want())

    limited = [claim for claim in turned.claims if claim.queue == "default"]
    assert [claim.queue for claim in turned.claims if claim.queue == "mail"] == ["mail"]
    assert [gate.queue for gate in turned.limited] == ["default"]
    assert (len(limited), turned.limited[0].held) == ((0, False) if engine == "postgres" else (2, True))


def test_a_rate_lets_so_many_start_in_any_window(store: Store, bed: Bed):
    put(store, *news(30))
    limit(store, rate="5/min")
    worker = Limited(store)

    assert len(worker.claim(3)) == 3
    bed.advance(20 * SECOND)
    turned = worker.turn(want=worker.want())
    assert len(turned.claims) == 2
    (gate,) = turned.limited
    assert (gate.left, gate.next_at) == (0, BEGINNING - BEGINNING % SECOND + 61 * SECOND)
    bed.advance(gate.next_at - (BEGINNING + 20 * SECOND) - 1)
    assert worker.claim() == ()
    bed.advance(1)
    assert len(worker.claim()) == 3
    bed.advance(20 * SECOND)
    assert len(worker.claim()) == 2


def test_several_windows_hold_at_once(store: Store, bed: Bed):
    put(store, *news(30))
    limit(store, rate="3/s;5/min")
    worker = Limited(store)

    started = []
    for _ in range(64):
        started.append(len(worker.claim()))
        bed.advance(SECOND + SECOND // 30)

    assert [count for count in started if count] == [3, 2, 3, 2]


@pytest.mark.parametrize("seed", range(5))
def test_no_window_ever_has_more_than_the_rate(store: Store, bed: Bed, seed: int):
    """Against a log of all starts, in any window of the rate's length."""
    rng = Random(seed)
    put(store, *news(300))
    rules = [parse_rates("7/10s"), parse_rates("2/s;11/20s")]
    rates = rules[seed % 2]
    store.limit_queue("default", Rule(rates=rates), "ann")
    worker, now, log = Limited(store, lease_us=DAY), BEGINNING, list[int]()
    for _ in range(150):
        turned = worker.turn(want=worker.want(rng.choice([1, 2, 5, 10])))
        log += [claim.claimed_at for claim in turned.claims]
        step = rng.choice([1, 40_000, SECOND // 2, SECOND, 3 * SECOND])
        bed.advance(step)
        now += step

    assert len(log) > 40
    for units, window_us in rates:
        assert max(sum(start <= at < start + window_us for at in log) for start in log) <= units


def test_claims_that_end_give_nothing_back_to_a_rate(store: Store):
    put(store, *news(9))
    limit(store, rate="2/min", concurrency=5)
    worker = Limited(store)

    turned = worker.turn([decide(claim, Ended.SUCCESS) for claim in worker.claim()], want=worker.want())

    assert turned.claims == ()
    assert turned.limited[0].next_at is not None


def test_what_a_rate_has_let_start_survives_a_change_of_the_rate(store: Store):
    put(store, *news(9))
    limit(store, rate="2/min")
    worker = Limited(store)
    assert len(worker.claim()) == 2

    limit(store, rate="3/min;100/hour")

    assert len(worker.claim()) == 1
    assert worker.claim() == ()


def test_tallies_do_not_pile_up(store: Store, bed: Bed):
    put(store, *news(300))
    limit(store, rate="100/s")
    worker = Limited(store)
    for _ in range(200):
        worker.claim(1)
        bed.advance(SECOND // 50)

    assert bed.rows("select count(*) from relet.tally")[0][0] <= 62
    limit(store, concurrency=1)
    assert bed.rows("select count(*) from relet.tally") == [(0,)]


def test_a_clock_that_is_set_back_a_little_lets_no_more_start(store: Store, bed: Bed):
    put(store, *news(9))
    limit(store, rate="2/min")
    worker = Limited(store)
    assert len(worker.claim()) == 2

    bed.jump(-30 * SECOND)

    assert worker.claim() == ()


def test_fields_that_are_kept_stay_as_they_are(store: Store):
    limit(store, concurrency=5, rate="50/min", per_worker=2)

    assert store.limit_queue("default", Rule(concurrency=7), "ann", keep=("rates", "per_worker")) == Rule(
        7, 2, (Rate(50, MINUTE),)
    )


def test_code_declares_what_no_person_has_said(store: Store, bed: Bed):
    five, six = {"default": Rule(5)}, {"default": Rule(6)}
    assert store.declare_queue_limits(five, "app") == 1
    assert store.declare_queue_limits(five, "app") == 0
    assert store.declare_queue_limits(six, "app") == 1
    limit(store, concurrency=2)
    assert store.declare_queue_limits(six, "app") == 0
    assert bed.rows("select concurrency, origin, changed_by from relet.limit_rule") == [(2, "person", "ann")]
    limit(store)
    assert store.declare_queue_limits(six, "app") == 0, "a person has said that there is none"
    assert store.forget_queue_limit("default")
    assert not store.forget_queue_limit("default")
    assert store.declare_queue_limits(six, "app") == 1


def test_a_paused_queue_spends_nothing(store: Store, bed: Bed):
    put(store, *news(3))
    limit(store, rate="2/min", concurrency=2)
    store.pause_queue("default", "ann", "", None)
    worker = Limited(store)

    assert worker.claim() == ()
    assert bed.rows("select count(*) from relet.tally") == [(0,)]


def test_without_a_limit_nothing_is_marked(store: Store, bed: Bed):
    put_new(store)
    Limited(store).take()

    assert bed.rows("select counted from relet.running") == [(None,)]


@pytest.mark.parametrize("seed", range(3))
def test_engines_count_as_the_pure_rule_does(store: Store, bed: Bed, seed: int):
    rng = Random(seed)
    put(store, *news(200))
    rule = Rule(rates=parse_rates("9/10s;20/min"), concurrency=30)
    store.limit_queue("default", rule, "ann")
    worker, now = Limited(store, lease_us=DAY), BEGINNING
    link = store._link  # type: ignore[attr-defined]  # tests look inside
    for _ in range(60):
        turned = worker.turn(want=worker.want(rng.choice([1, 5])))
        worker.turn([decide(claim, Ended.SUCCESS) for claim in turned.claims])
        with link.read() as tx:
            tallies = tallies_of(tx, "default")
        left = min(rate.units - used(rate, tallies, now) for rate in rule.rates)
        assert turned.limited[0].left == min(left, 30 - len(turned.claims))
        step = rng.choice([1, SECOND // 6, SECOND, 7 * SECOND])
        bed.advance(step)
        now += step


def test_names_of_rules_tell_what_they_are_for():
    assert rule_name("lead") == "queue:lead"


def test_a_million_held_back_are_passed_by(store: Store):
    """Here a few; the figure is the benchmark's."""
    put(store, *news(50, priority=3), *news(1, queue="mail", priority=0))
    limit(store, concurrency=1)
    worker = Limited(store, queues=("default", "mail"))

    assert [claim.queue for claim in worker.claim(2)] == ["default", "mail"]
    assert worker.claim(lanes=(Lane("default", -3),)) == ()


TABLE = {
    "lead": Rule(5, None, parse_rates("50/min")),
    "site": Rule(3, None, parse_rates("20/min")),
    "email": Rule(10, None, parse_rates("100/min")),
    "delivery": Rule(2, None, parse_rates("10/min")),
}


@pytest.mark.parametrize("seed", range(3))
def test_four_queues_keep_their_limits_whatever_becomes_of_their_workers(
    store: Store, other: Store, bed: Bed, seed: int
):
    """Workers claim, end their jobs in all ways, die and are reclaimed, for some minutes; nothing is ever exceeded or leaked."""
    rng = Random(seed)
    for queue, rule in TABLE.items():
        put(store, *news(400, queue=queue))
        store.limit_queue(queue, rule, "ann")
    stores = (store, other)
    workers = [Limited(stores[n % 2], f"w{n}", queues=tuple(TABLE), lease_us=DAY) for n in range(4)]
    held: dict[int, list] = {n: [] for n in range(4)}  # type: ignore[type-arg]  # claims
    starts: dict[str, list[int]] = {queue: [] for queue in TABLE}
    for _ in range(260):
        n = rng.randrange(4)
        worker, ending = workers[n], [claim for claim in held[n] if rng.random() < 0.5]
        if rng.random() < 0.08:
            store.reclaim(worker.id, "killed")
            workers[n], held[n], ending = Limited(worker.store, f"w{n}", queues=tuple(TABLE), lease_us=DAY), [], []
        ends = [decide(claim, rng.choice([Ended.SUCCESS] * 4 + [Ended.FAILURE, Ended.RELEASE])) for claim in ending]
        turned = workers[n].turn(ends, want=workers[n].want(rng.choice([1, 5, 25, 50])))
        held[n] = [claim for claim in held[n] if claim not in ending] + list(turned.claims)
        for claim in turned.claims:
            starts[claim.queue].append(claim.claimed_at)
        for queue, rule in TABLE.items():
            running = sum(claim.queue == queue for claims in held.values() for claim in claims)
            assert running <= rule.concurrency  # type: ignore[operator]  # each has one
        bed.advance(rng.choice([1, SECOND // 4, SECOND, 4 * SECOND]))
    for queue, rule in TABLE.items():
        ((units, window_us),) = rule.rates
        most = max(sum(start <= at < start + window_us for at in starts[queue]) for start in starts[queue])
        assert units * (0.9 if queue == "delivery" else 0.3) <= most <= units, queue
    for claims, worker in zip(held.values(), workers, strict=True):
        worker.turn([decide(claim, Ended.SUCCESS) for claim in claims])
    bed.advance(61 * SECOND + SECOND)
    for queue, rule in TABLE.items():
        assert len(workers[0].claim(50, lanes=(Lane(queue, -1),))) == rule.concurrency, "no slot is lost"
