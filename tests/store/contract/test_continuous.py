"""Continuous schedules: what passes leave behind, and runs that nobody wants any more."""

import pytest
from msgspec.structs import replace

from relet.clock import SECOND
from relet.job.schedule import Mode, Schedule
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Passes
from tests.store.beds import Bed
from tests.store.contract.test_schedules import declare, fire, hand, row, schedule, state
from tests.store.hands import Worker

GRACE = SECOND


def always(**fields: object) -> Schedule:
    return schedule(mode=Mode.CONTINUOUS, **fields)


def start(store: Store, **fields: object) -> list[bytes]:
    """The runs of a continuous schedule, made."""
    declare(store, always(**fields))
    return [firing.job_id for firing in fire(store).fired]


def trim(store: Store) -> dict[bytes, str]:
    return {one.job_id: one.reason for one in store.trim_schedules(GRACE)}


def asked(worker: Worker) -> dict[bytes, str]:
    """What its worker is told to cancel."""
    return {control.job_id: control.reason for control in worker.renew().controls}


def test_passes_count_as_successes_and_end_a_row_of_failures(store: Store, bed: Bed):
    worker = hand(store)
    start(store)
    worker.bury(worker.take())
    bed.advance(SECOND)
    fire(store)
    assert row(store).failures == 1
    claim = worker.take()
    store.tell_passes([Passes(worker.id, claim.job_id, claim.epoch, "report", 3)])
    found = row(store)
    assert (found.failures, found.successes, found.live) == (0, 3, (claim.job_id,))
    assert found.success_at == store.now()


def test_passes_of_a_run_that_has_ended_are_not_told(store: Store):
    worker = hand(store)
    start(store)
    claim = worker.take()
    worker.bury(claim)
    store.tell_passes([Passes(worker.id, claim.job_id, claim.epoch, "report", 3)])
    found = row(store)
    assert (found.failures, found.successes, found.success_at) == (1, 0, None)


def test_what_depends_on_a_continuous_one_goes_on_after_a_pass(store: Store):
    worker = hand(store)
    start(store)
    declare(store, schedule("after", depends_on=("report",)))
    assert fire(store).fired == ()
    claim = worker.take()
    store.tell_passes([Passes(worker.id, claim.job_id, claim.epoch, "report", 1)])
    assert [firing.schedule for firing in fire(store).fired] == ["after"]


def test_a_pass_ends_what_workers_that_died_have_left_of_suspicion(store: Store):
    (job_id,) = start(store)
    for death in range(10):
        worker = hand(store)
        claim = worker.take()
        assert claim.counters.suspicions == (1 if death else 0)
        store.tell_passes([Passes(worker.id, job_id, claim.epoch, "report", 1)])
        store.reclaim(worker.id, "its process is gone")
    assert state(store, job_id) is State.READY


def test_a_late_word_of_a_worker_that_lost_the_run_clears_no_counters(store: Store):
    (job_id,) = start(store)
    first = hand(store)
    claim = first.take()
    store.reclaim(first.id, "its process is gone")
    second = hand(store)
    second.take()
    store.tell_passes([Passes(first.id, job_id, claim.epoch, "report", 1)])
    store.reclaim(second.id, "its process is gone")
    assert hand(store).take().counters.suspicions == 2


@pytest.mark.parametrize("stop", ["disable", "pause"])
def test_runs_of_what_was_stopped_are_cancelled_and_come_again_when_it_goes_on(store: Store, bed: Bed, stop: str):
    runs = start(store, replicas=2)
    worker = hand(store)
    claim = worker.take()
    assert trim(store) == {}
    if stop == "disable":
        store.disable_schedule("report", "ann", "broken")
        said = "routine 'report' was disabled by ann: broken"
    else:
        store.pause_schedule("report", "ann", "")
        said = "routine 'report' was paused by ann: no reason given"
    assert trim(store) == dict.fromkeys(runs, said)
    assert asked(worker) == {claim.job_id: said}
    assert trim(store) == {}, "each is asked once"
    other = next(job_id for job_id in runs if job_id != claim.job_id)
    assert state(store, other) is State.CANCELLED
    _ = store.enable_schedule("report") or store.resume_schedule("report")
    assert len(fire(store).fired) == 1, "the one that has not ended yet still counts"
    bed.advance(SECOND)
    assert trim(store) == {}


def test_runs_of_what_was_deleted_are_cancelled(store: Store):
    runs = start(store, replicas=2)
    store.delete_schedule("report")
    assert trim(store) == dict.fromkeys(runs, "schedule 'report' was deleted")
    assert [state(store, job_id) for job_id in runs] == [State.CANCELLED] * 2


def test_with_fewer_replicas_the_youngest_runs_go(store: Store):
    runs = sorted(start(store, replicas=3))
    declare(store, always(replicas=1))
    assert trim(store) == dict.fromkeys(runs[1:], "routine 'report' is to have 1 at once")
    assert trim(store) == {}
    assert state(store, runs[0]) is State.READY


@pytest.mark.parametrize("field", [{"queue": "other"}, {"priority": 2}, {"task": "u"}, {"args": '{"n":1}'}])
def test_a_run_of_another_definition_is_cancelled_and_made_anew(store: Store, bed: Bed, field: dict[str, object]):
    (old,) = start(store)
    declare(store, replace(always(), **field))
    assert trim(store) == {old: "routine 'report' has another definition now"}
    bed.advance(SECOND)
    (new,) = fire(store).fired
    assert trim(store) == {}
    assert row(store).live == (new.job_id,)


def test_a_run_of_what_is_not_continuous_any_more_is_cancelled(store: Store):
    (old,) = start(store)
    declare(store, schedule())
    assert trim(store) == {old: "routine 'report' is not continuous any more"}


def test_runs_by_time_are_left_alone(store: Store):
    declare(store, schedule())
    fire(store)
    store.disable_schedule("report", "ann", "broken")
    assert trim(store) == {}
