"""Where the store puts the jobs of tenants is where the rule says, whatever happens in between."""

import random
from collections import Counter
from itertools import pairwise
from threading import Thread

import pytest

from relet.clock import MS
from relet.job.job import NewJob, Options
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.work.lanes import Lanes
from tests.store.beds import Bed
from tests.store.hands import Worker, decide, news, put
from tests.store.model.fair import STEP, FairLane, Job

APART = 10_000
"""Tenants stand a little apart, by far less than a job of the heaviest."""

WEIGHTS = {"a": 1, "b": 3, "c": 7}


def of(tenant: str, count: int = 1, **fields) -> list[NewJob]:  # type: ignore[no-untyped-def]  # fields of NewJob
    """Jobs of a tenant."""
    return news(count, options=Options(fair=tenant), **fields)


class Both:
    """A store, and the model that it must follow."""

    def __init__(self, store: Store, bed: Bed, seed: int) -> None:
        self.store, self.bed, self.rng = store, bed, random.Random(seed)
        self.worker = Worker(store)
        self.lane = FairLane(WEIGHTS)
        self.jobs: dict[bytes, Job] = {}
        store.declare_weights({"default": WEIGHTS}, "code")

    def enqueue(self) -> None:
        counts = {t: self.rng.randint(1, 8) for t in self.rng.sample("abc", self.rng.randint(1, 3))}
        jobs = [job for tenant in sorted(counts) for job in of(tenant, counts[tenant])]
        self.jobs |= zip([job.id for job in jobs], self.lane.enqueue(counts), strict=True)
        put(self.store, *sorted(jobs, key=lambda job: (job.options.fair == "b", job.id)))

    def claim(self) -> None:
        most = self.rng.randint(1, 12)
        first = sorted(job.place for job in self.lane.ready)[:most]
        claims = self.worker.claim(most)
        taken = [self.jobs[claim.job_id] for claim in claims]
        assert [job.place for job in taken] == first
        for job in taken:
            self.lane.start(job)
        if self.rng.random() < 0.5:
            self.worker.settle(*(decide(claim, Ended.SUCCESS) for claim in claims))

    def cancel(self) -> None:
        ready = [(job_id, job) for job_id, job in self.jobs.items() if job.fate == "ready"]
        for job_id, job in ready[-self.rng.randint(1, 9) :]:
            assert self.store.cancel(job_id, "", "ann", 0)
            self.lane.cancel(job)

    def check(self) -> None:
        for job_id, tenant, seq in self.bed.rows("select job_id, tenant, seq from relet.ready"):
            job = self.jobs[job_id]
            assert tenant == job.tenant
            assert 0 <= seq - job.place < APART


@pytest.mark.parametrize("seed", range(4))
def test_places_are_those_of_the_rule(store: Store, bed: Bed, seed: int):
    both = Both(store, bed, seed)
    for _ in range(30):
        both.rng.choice((both.enqueue, both.enqueue, both.claim, both.claim, both.cancel))()
        both.check()


def test_two_tenants_with_jobs_start_by_weight_and_differ_by_a_job_of_each(store: Store):
    store.declare_weights({"default": WEIGHTS}, "code")
    tenants: dict[bytes, str] = {}
    for tenant in "cab":
        mine = of(tenant, 140)
        put(store, *mine)
        tenants |= {job.id: tenant for job in mine}
    workers, started = [Worker(store, f"w{n}") for n in range(3)], Counter[str]()
    for n in range(30):
        started.update(tenants[claim.job_id] for claim in workers[n % 3].claim(7))
        if max(started.values()) > 130:
            break
        for first in "abc":
            for second in "abc":
                gap = started[first] / WEIGHTS[first] - started[second] / WEIGHTS[second]
                assert gap <= 1 / WEIGHTS[first] + 1 / WEIGHTS[second]
    assert sum(started.values()) > 150


def test_a_job_that_nobody_takes_does_not_let_one_tenant_starve_another(store: Store):
    worker = Worker(store)
    put(store, *of("x", 2, task="unknown"), *of("a", task="unknown"))
    put(store, *of("b", 60))
    mine, started = set[bytes](), Counter[bool]()
    for _ in range(40):
        mine.update(put(store, *of("a")))
        started[worker.take().job_id in mine] += 1
    assert abs(started[True] - started[False]) <= 2, "its own job that nobody takes has had a turn"


def test_a_newcomer_is_served_where_others_are_though_a_job_that_nobody_takes_stands_before_them(store: Store):
    worker = Worker(store)
    put(store, *of("x", 2, task="unknown"))
    for _ in range(30):
        put(store, *of("a"))
        worker.take()
    put(store, *of("a", 10))
    late = of("c", 10)
    put(store, *late)
    claimed = [claim.job_id for claim in worker.claim(10)]
    assert 4 <= len([job for job in late if job.id in claimed]) <= 6


def test_a_place_before_that_which_a_worker_remembers_is_found_within_twenty_looks(store: Store):
    """As it goes on where looks are expensive: `big` has been served far, and a job that nobody takes stands at the head."""
    worker, lanes, now, took = Worker(store), Lanes({"default": 1}), 0, 3 * MS
    put(store, *of("x", task="unknown"), *of("big", 400))

    def look(most: int) -> set[bytes]:
        nonlocal now
        made = lanes.next(now)
        claims = worker.turn(want=worker.want(most, lanes=made.lanes)).claims
        lanes.came(made, claims, most, None, now, took)
        now += took
        return {claim.job_id for claim in claims}

    for _ in range(50):
        look(2)
    (newcomer,) = put(store, *of("small"))
    assert newcomer not in look(2), "it stands before the place from which this look began"
    assert any(newcomer in look(2) for _ in range(20))


def test_tenants_stand_apart(store: Store, bed: Bed):
    put(store, *(job for n in range(100) for job in of(f"t{n}")))
    ((places,),) = bed.rows("select count(distinct seq) from relet.ready")
    assert places >= 98


def test_producers_of_one_tenant_at_once_get_places_of_their_own(store: Store, bed: Bed):
    errors: list[BaseException] = []

    def produce(other: Store) -> None:
        try:
            for _ in range(10):
                put(other, *of("a", 3), *of("b", 2))
        except BaseException as error:  # told to the test
            errors.append(error)

    threads = [Thread(target=produce, args=(bed.open(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for tenant, count in (("a", 90), ("b", 60)):
        seqs = sorted(seq for (seq,) in bed.rows(f"select seq from relet.ready where tenant = '{tenant}'"))
        assert {later - seq for seq, later in pairwise(seqs)} == {STEP}
        assert len(seqs) == count


def test_weights_of_code_give_way_to_those_of_a_person(store: Store):
    def weights() -> dict[str, int]:
        return {row.tenant: row.weight for row in store.insights.shares("default")}

    assert store.declare_weights({"default": {"a": 3, "b": 2}}, "code") == 2
    assert store.declare_weights({"default": {"a": 3, "b": 4}}, "code") == 1
    store.set_weight("default", "a", 1, "ann")
    assert store.declare_weights({"default": {"a": 3, "b": 4}}, "code") == 0
    assert weights() == {"a": 1, "b": 4}
    assert store.forget_weight("default", "a")
    assert not store.forget_weight("default", "a")
    store.declare_weights({"default": {"a": 3}}, "code")
    assert weights() == {"a": 3, "b": 4}


def test_tenants_are_listed_with_their_ready_jobs(store: Store):
    put(store, *of("a", 3))
    put(store, *of("b", 2), *news(1), *of("a", 1, priority=2))
    store.set_weight("default", "c", 5, "ann")
    found = [(row.tenant, row.weight, row.ready) for row in store.insights.shares("default")]
    assert found == [("a", 1, 4), ("b", 1, 2), ("", 1, 1), ("c", 5, 0)]
