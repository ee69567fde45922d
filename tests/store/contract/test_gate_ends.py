"""Limits by name and key where something else comes in between: pauses that come with an end, jobs that give way, and repairs."""

from collections.abc import Iterator
from typing import Any

import pytest

from relet.clock import SECOND
from relet.job.job import After, Need, Options
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import LimitPause, Notes
from tests.store.beds import Bed
from tests.store.contract.test_gates import MINUTE, gated, limit, several, states
from tests.store.hands import Worker, decide, new, put
from tests.store.invariants import check_invariants


@pytest.fixture(autouse=True)
def _invariants(bed: Bed) -> Iterator[None]:
    yield
    check_invariants(bed)


def test_a_job_that_pauses_its_key_and_ends_lets_nobody_in_behind_it(store: Store, bed: Bed):
    limit(store, concurrency=1)
    jobs = several(2, "1")
    put(store, *jobs)
    worker = Worker(store)
    pause = LimitPause("stripe", "1", MINUTE, None)
    worker.turn([decide(worker.take(), Ended.SNOOZE, delay_us=SECOND)], Notes(limit_pauses=(pause,)))
    assert states(store, jobs) == "sw", "what the service has said holds for the next one in line"

    bed.advance(2 * MINUTE)
    store.promote(10)
    assert "r" in states(store, jobs)


def test_a_pause_that_comes_with_the_effects_of_a_run_is_kept(store: Store):
    limit(store, concurrency=1)
    jobs = several(2, "1")
    put(store, *jobs)
    worker = Worker(store)
    pause = LimitPause("stripe", "1", MINUTE, None)
    claim = worker.take()
    store.begin_effects(worker.id).settle(decide(claim, Ended.SUCCESS), Notes(limit_pauses=(pause,)))
    assert states(store, jobs) == "Sw"


def test_a_slot_whose_job_is_gone_is_found_and_given_to_the_next(store: Store, bed: Bed):
    limit(store, concurrency=1)
    first, *jobs = several(3)
    put(store, first)
    worker = Worker(store)
    claim = worker.take()
    put(store, *jobs)
    bed.rows(f"update relet.running set flags = 0 where job_id = {bed.literal(first.id)}")
    worker.end(claim._replace(flags=0))
    assert states(store, jobs) == "ww", "a flag that is lost leaves a slot behind"

    found = store.mend_slots(bytes(16), 10)
    assert (found.repaired, found.last) == ((first.id,), first.id)
    assert states(store, jobs) == "rw"
    assert store.mend_slots(found.last or b"", 10).repaired == ()
    assert store.mend_slots(bytes(16), 10).repaired == ()


def test_a_line_whose_first_could_pass_is_found_and_looked_at(store: Store, bed: Bed):
    limit(store, concurrency=1)
    jobs = several(3)
    put(store, *jobs)
    assert store.mend(bytes(16), 10).repaired == (), "it is full"
    limit(store, concurrency=2)
    assert store.mend(bytes(16), 10).repaired == ()
    bed.rows("update relet.limit_rule set concurrency = 3")
    assert states(store, jobs) == "rrw"

    assert store.mend(bytes(16), 10).repaired == (jobs[2].id,)
    assert states(store, jobs) == "rrr"


def test_a_mend_leaves_a_paused_line_and_one_that_waits_for_a_rate(store: Store, bed: Bed):
    limit(store, "rated", rate="1/min")
    limit(store, "paused", concurrency=1)
    store.pause_limit("paused", None, None, "ann")
    jobs = [*several(2, name="rated"), *several(1, name="paused"), *several(1, name="unknown")]
    put(store, *jobs)
    assert store.mend(bytes(16), 10).repaired == ()
    assert states(store, jobs) == "rwww"


@pytest.mark.parametrize("how", ["replace", "debounce"])
def test_a_job_that_gives_way_by_its_unique_key_leaves_its_place_to_the_next(store: Store, how: Any):
    limit(store, concurrency=1)
    options = Options(gates=(("stripe", "", 1),), unique="x")
    first, second = new(options=options), gated()
    put(store, first, second)
    assert states(store, [first, second]) == "rw"

    again = new(options=Options(unique="x"), on_conflict=how, debounce_us=SECOND, delay_us=SECOND)
    put(store, again)
    store.tie(10)

    assert states(store, [first, second]) == ("cr" if how == "replace" else "sr")


def test_a_child_of_a_job_that_gives_way_asks_its_limits(store: Store):
    limit(store, concurrency=1)
    parent = new(options=Options(unique="x"))
    child = gated(after=(After(parent.id, Need.END),))
    put(store, parent, child)
    put(store, new(options=Options(unique="x"), on_conflict="replace"))
    store.tie(10)
    assert states(store, [child]) == "r"
