"""The rule of shares keeps its promise, whatever happens."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.model.fair import STEP, FairLane

TENANTS = "abc"
WEIGHTS = st.dictionaries(st.sampled_from(TENANTS), st.integers(1, 7))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enqueue"), st.dictionaries(st.sampled_from(TENANTS), st.integers(1, 12), min_size=1)),
        st.tuples(st.just("claim"), st.integers(1, 10)),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(WEIGHTS, STEPS, st.sets(st.sampled_from(TENANTS)))
def test_two_tenants_that_always_have_jobs_differ_by_one_job_of_each(weights, steps, busy):  # type: ignore[no-untyped-def]  # drawn
    """Over any window in which both have ready jobs, what they started, divided by their weights, differs by no more than one
    job of each, divided likewise."""
    lane = FairLane(weights)
    lane.enqueue(dict.fromkeys(sorted(busy), 400))
    windows: dict[tuple[str, str], list[float]] = {}
    for kind, what in steps:
        if kind == "enqueue":
            lane.enqueue(what)
            continue
        for _ in range(what):
            has = {job.tenant for job in lane.ready}
            taken = lane.claim(1)
            for first in has:
                for second in has - {first}:
                    gaps = windows.setdefault((first, second), [0.0])
                    by = {tenant: 1 / weights.get(tenant, 1) for tenant in (first, second)}
                    moved = sum(
                        by[job.tenant] * (1 if job.tenant == first else -1) for job in taken if job.tenant in by
                    )
                    gaps.append(gaps[-1] + moved)
                    assert max(gaps) - min(gaps) <= by[first] + by[second] + 1e-3
            left = {job.tenant for job in lane.ready}  # whoever has none now has saved nothing when he comes back
            windows = {pair: gaps for pair, gaps in windows.items() if left.issuperset(pair)}


@settings(max_examples=200, deadline=None)
@given(WEIGHTS, STEPS)
def test_somebody_is_always_served(weights, steps):  # type: ignore[no-untyped-def]  # drawn
    lane, made, taken = FairLane(weights), 0, 0
    for kind, what in steps:
        if kind == "enqueue":
            made += sum(what.values())
            lane.enqueue(what)
        else:
            taken += len(lane.claim(what))
            assert taken == made or len(lane.ready) == made - taken


@settings(max_examples=200, deadline=None)
@given(WEIGHTS, STEPS, st.integers(1, 7))
def test_a_newcomer_waits_for_one_round_at_most(weights, steps, weight):  # type: ignore[no-untyped-def]  # drawn
    lane = FairLane({**weights, "new": weight})
    lane.enqueue({"a": 500})
    for kind, what in steps:
        lane.enqueue(what) if kind == "enqueue" else lane.claim(what)
    if not lane.ready:
        return
    lane.enqueue({"new": 1})
    ahead = Counter(job.tenant for job in lane.ready[: [job.tenant for job in lane.ready].index("new")])
    assert all(many <= 1 for many in ahead.values())


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_the_jobs_of_a_tenant_start_in_order(steps):  # type: ignore[no-untyped-def]  # drawn
    lane, started = FairLane({"a": 3}), dict[str, list[int]]()
    for kind, what in steps:
        for job in lane.claim(what) if kind == "claim" else lane.enqueue(what) and []:
            started.setdefault(job.tenant, []).append(job.number)
    assert all(numbers == sorted(numbers) for numbers in started.values())


def test_a_place_is_a_step_behind_the_last() -> None:
    lane = FairLane({"a": 2})
    assert [job.place for job in lane.enqueue({"a": 2, "b": 2})] == [0, STEP // 2, 0, STEP]
