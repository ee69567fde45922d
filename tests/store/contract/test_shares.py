"""Shares: tenants of one queue take turns, by weight, whoever came first and with how much."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from relet.clock import SECOND
from relet.job.job import After, NewJob, Options
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.contract.test_edges import state_of
from tests.store.hands import Worker, new, news, put
from tests.store.invariants import check_invariants


def of(tenant: str, count: int = 1, **fields) -> list[NewJob]:  # type: ignore[no-untyped-def]  # fields of NewJob
    """Jobs of a tenant."""
    return news(count, options=Options(fair=tenant), **fields)


def served(worker: Worker, tenants: Sequence[Iterable[NewJob]], limit: int = 1000, names: str = "abcdefgh") -> str:
    """The order in which jobs of these tenants are claimed, as letters."""
    letter = {job.id: names[n] for n, jobs in enumerate(tenants) for job in jobs}
    return "".join(letter[claim.job_id] for claim in worker.claim(limit))


def test_tenants_take_turns(store: Store):
    a, b = of("a", 5), of("b", 3)
    put(store, *a)
    put(store, *b)
    order = served(Worker(store), (a, b))
    assert (sorted(order[:2]), sorted(order[2:4]), sorted(order[4:6]), order[6:]) == (list("ab"),) * 3 + ("aa",)


def test_the_jobs_of_one_tenant_keep_their_order(store: Store):
    a, b = of("a", 20), of("b", 20)
    put(store, *a[:10], *b[:10])
    put(store, *b[10:], *a[10:])
    claimed = [claim.job_id for claim in Worker(store).claim(40)]
    for jobs in (a, b):
        ids = {job.id for job in jobs}
        assert [job_id for job_id in claimed if job_id in ids] == [job.id for job in jobs]


def test_a_newcomer_is_not_behind_the_backlog_of_another(store: Store):
    a, b = of("a", 500), of("b")
    put(store, *a)
    put(store, *b)
    assert "b" in served(Worker(store), (a, b), 2)


def test_shares_go_by_weight(store: Store):
    store.set_weight("default", "a", 3, "ann")
    a, b = of("a", 300), of("b", 300)
    put(store, *b)
    put(store, *a)
    order = served(Worker(store), (a, b), 100)
    assert abs(order.count("a") - 75) <= 1


def test_a_tenant_alone_gets_everything_and_owes_nothing_for_it(store: Store):
    worker = Worker(store)
    a, b = of("a", 400), of("b", 100)
    put(store, *a[:300])
    assert served(worker, (a,), 250) == "a" * 250
    put(store, *b)
    put(store, *a[300:])
    order = served(worker, (a, b), 100)
    assert abs(order.count("a") - 50) <= 1


def test_who_was_idle_has_saved_nothing(store: Store):
    worker = Worker(store)
    a, b = of("a", 500), of("b", 101)
    put(store, *a, *b[:1])
    served(worker, (a, b), 250)
    put(store, *b[1:])
    order = served(worker, (a, b), 100)
    assert abs(order.count("b") - 50) <= 1


def test_jobs_of_no_tenant_are_one_tenant(store: Store):
    a, plain = of("a", 50), news(50)
    put(store, *a)
    put(store, *plain)
    order = served(Worker(store), (a, plain), 40)
    assert abs(order.count("a") - 20) <= 1


def test_what_was_cancelled_is_not_held_against_a_tenant(store: Store):
    a, b = of("a", 400), of("b", 100)
    put(store, *a[:300])
    put(store, *b)
    for job in a[1:300]:
        store.cancel(job.id, "", "ann", 0)
    put(store, *a[300:])
    order = served(Worker(store), (a, b), 20)
    assert abs(order.count("a") - 10) <= 1


def test_retries_take_a_turn_like_new_jobs(store: Store, bed: Bed):
    worker = Worker(store)
    a, b = of("a", 20), of("b", 40)
    put(store, *a)
    for claim in worker.claim(20):
        worker.fail(claim)
    put(store, *b)
    bed.advance(11 * SECOND)
    assert sum(count for _, count in store.promote(100)) == 20
    order = served(worker, (a, b), 20)
    assert abs(order.count("a") - 10) <= 1


def test_delayed_jobs_take_a_turn_when_they_are_due(store: Store, bed: Bed):
    worker = Worker(store)
    a, b, plain = of("a", 20, delay_us=SECOND), of("b", 40), news(20, delay_us=SECOND)
    put(store, *b, *a)
    put(store, *plain)
    bed.advance(2 * SECOND)
    store.promote(100)
    assert Counter(served(worker, (a, b, plain), 30)) == {"a": 10, "b": 10, "c": 10}


def test_jobs_that_waited_for_others_take_a_turn(store: Store):
    worker = Worker(store)
    (parent,) = news(1)
    a = [new(options=Options(fair="a"), after=(After(parent.id),)) for _ in range(10)]
    b = of("b", 40)
    put(store, parent, *a)
    claim = worker.take()
    put(store, *b)
    worker.end(claim)
    order = served(worker, (a, b), 10)
    assert abs(order.count("a") - 5) <= 1


def test_the_dead_take_a_turn_when_they_are_retried(store: Store):
    worker = Worker(store)
    a, b = of("a", 10), of("b", 40)
    put(store, *a)
    for claim in worker.claim(10):
        worker.bury(claim)
    put(store, *b)
    for job in a:
        assert store.retry_dead(job.id, None, "ann")
    order = served(worker, (a, b), 10)
    assert abs(order.count("a") - 5) <= 1


def test_what_is_given_back_stands_first(store: Store):
    worker = Worker(store)
    a, b = of("a", 3), of("b", 3)
    put(store, *a, *b)
    claim = worker.take()
    worker.end(claim, Ended.RELEASE)
    assert worker.take().job_id == claim.job_id


def test_a_job_with_a_share_ends_like_any_other(store: Store):
    worker = Worker(store)
    (job,) = of("a")
    put(store, job)
    worker.end(worker.take())
    assert store.insights.job(job.id).state is State.SUCCEEDED  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("conflict", ["existing", "replace"])
def test_unique_jobs_have_shares(store: Store, conflict: str):
    a = [new(options=Options(fair="a", unique=f"k{n}"), on_conflict=conflict) for n in range(20)]
    b = of("b", 20)
    put(store, *a)
    put(store, *b)
    assert put(store, new(options=Options(fair="a", unique="k3"), on_conflict="existing")) == [a[3].id]
    order = served(Worker(store), (a, b), 20)
    assert abs(order.count("a") - 10) <= 1


def test_enqueueing_again_changes_nothing(store: Store):
    a = of("a", 5)
    for _ in range(3):
        put(store, *a)
    worker = Worker(store)
    assert served(worker, (a,), 5) == "aaaaa"
    put(store, *a)
    assert worker.claim() == ()


def test_many_newcomers_at_once_have_places_of_their_own(store: Store):
    jobs = [job for n in range(300) for job in of(f"t{n}", 2)]
    put(store, *jobs)
    first = {claim.job_id for claim in Worker(store).claim(300)}
    assert first == {job.id for job in jobs[::2]}


def test_each_priority_has_turns_of_its_own(store: Store):
    a, b, urgent = of("a", 20), of("b", 20), of("a", 2, priority=2)
    put(store, *a)
    put(store, *b, *urgent)
    order = served(Worker(store), (a, b, urgent), 12)
    assert order[:2] == "cc"
    assert abs(order.count("a") - 5) <= 1


def test_a_queue_without_tenants_is_a_queue_like_any_other_again(store: Store, bed: Bed):
    worker = Worker(store)
    put(store, *of("a", 3))
    worker.claim()
    store.prune(10**15, 10**15, 10)
    assert bed.rows("select fair from relet.queue") == [(1,)]
    bed.advance(7200 * SECOND)
    worker.renew()
    store.prune(10**15, 10**15, 10)
    assert bed.rows("select fair from relet.queue") == [(0,)]
    assert bed.rows("select count(*) from relet.share") == [(0,)]
    plain = news(3)
    put(store, *plain)
    assert bed.rows("select count(*) from relet.ready where tenant is not null") == [(0,)]


@pytest.mark.parametrize("held", ["parent", "limit", "due"])
def test_a_job_from_before_its_queue_had_tenants_gets_a_place_when_nothing_holds_it_back(
    store: Store, bed: Bed, held: str
):
    worker = Worker(store, tasks=("t", "parent"))
    parent = new("parent", queue="other")
    store.set_limit("stripe", Rule(1), "ann")
    kinds = {
        "parent": lambda: new(after=(After(parent.id),)),
        "limit": lambda: new(options=Options(gates=(("stripe", "", 1),))),
        "due": lambda: new(delay_us=SECOND),
    }
    put(store, parent, new("holder", queue="other", options=Options(gates=(("stripe", "", 1),))))
    old = [kinds[held]() for _ in range(3)]
    put(store, *old)
    put(store, *[new(options=Options(fair=tenant)) for tenant in "ab" for _ in range(3)])

    other = Worker(store, queues=("other",), tasks=("parent", "holder"))
    for claim in other.claim():
        other.end(claim)
    bed.advance(2 * SECOND)
    store.promote(10)
    assert bed.rows("select count(*) from relet.ready where queue = 'default' and tenant is null") == [(0,)]
    for _ in range(30):
        for claim in worker.claim(3):
            worker.end(claim)
    assert all(state_of(store, job.id) is State.SUCCEEDED for job in old)
    check_invariants(bed)
