"""Schedules where something comes between: queues that are closed, clocks that go back, versions that differ."""

from typing import Any

import pytest

from relet.clock import HOUR, SECOND
from relet.job.job import Fired, decode_options
from relet.job.outcome import Ended
from relet.job.schedule import Mode
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.contract.test_schedules import MINUTE, declare, fire, fired, hand, row, run, schedule
from tests.store.hands import IDS


def fires_of(store: Store, name: str = "report") -> list[Fired]:
    """What the runs of a schedule know of their firings, the oldest first."""
    jobs = [store.insights.job(found.job_id) for found in store.insights.firings(name, None, 1_000) if found.job_id]
    fires = [decode_options(job.options).fire for job in reversed(jobs) if job is not None]
    return [one for one in fires if one is not None]


def unreadable(bed: Bed, *names: str) -> None:
    """Let the definitions be of a later version."""
    listed = ", ".join(f"'{name}'" for name in names)
    bed.rows(
        "update relet.schedule set definition = replace(definition, '\"scheduled\"', '\"by the moon\"') "
        f"where name in ({listed})"
    )


def test_a_continuous_one_goes_on_when_its_queue_is_open_again(store: Store, bed: Bed):
    declare(store, schedule(mode=Mode.CONTINUOUS, queue="shut"))
    store.close_queue("shut", "ann", "")
    for _ in range(3):
        assert fire(store).fired == ()
        bed.advance(SECOND)
    assert store.insights.firings("report") == []
    store.resume_queue("shut")
    bed.advance(SECOND)
    assert fired(fire(store)) == ["report"]


def test_a_continuous_one_is_filled_up_when_more_runs_are_wanted(store: Store, bed: Bed):
    declare(store, schedule(mode=Mode.CONTINUOUS))
    assert len(fire(store).fired) == 1
    bed.advance(SECOND)
    fire(store)
    assert store.next_firing() is None
    declare(store, schedule(mode=Mode.CONTINUOUS, replicas=3))
    assert len(fire(store).fired) == 2
    assert len(row(store).live) == 3


def test_nobody_triggers_one_that_keeps_up_its_runs_by_itself(store: Store):
    declare(store, schedule(mode=Mode.CONTINUOUS))
    for force in (False, True):
        triggered = store.trigger_schedule("report", "ann", IDS.job(), force=force)
        assert triggered == (None, "it is continuous, and has all its runs by itself")
    assert len(fire(store).fired) == 1


def test_a_continuous_one_has_its_runs_also_beside_times_that_are_taken(store: Store, bed: Bed):
    declare(store, schedule(mode=Mode.TRIGGERED, overlap="allow"))
    store.trigger_schedule("report", "ann", IDS.job())
    store.trigger_schedule("report", "ann", IDS.job())
    for _ in range(2):
        run(store, hand(store))
    declare(store, schedule(mode=Mode.CONTINUOUS, replicas=2, overlap="allow"))
    for _ in range(3):
        bed.advance(SECOND)
        fire(store)
    assert len(row(store).live) == 2


@pytest.mark.parametrize("hindrance", ["overlap", "dependency", "closed queue"])
def test_due_times_without_a_run_are_counted_whatever_held_them_up(store: Store, bed: Bed, hindrance: str):
    fields: dict[str, Any] = {"queue": "r"}
    if hindrance == "dependency":
        declare(store, schedule("fetch", mode=Mode.TRIGGERED, queue="f"))
        fields["depends_on"] = ("fetch",)
        store.trigger_schedule("fetch", "ann", IDS.job())
        run(store, hand(store, queues=["f"]))
    declare(store, schedule(**fields))
    worker = hand(store, queues=["r"])
    assert fired(fire(store)) == ["report"]
    if hindrance != "overlap":
        run(store, worker)
    if hindrance == "closed queue":
        store.close_queue("r", "ann", "")
    for _ in range(3):
        bed.advance(MINUTE)
        assert fired(fire(store)) == []
    if hindrance == "overlap":
        run(store, worker)
    if hindrance == "closed queue":
        store.resume_queue("r")
    if hindrance == "dependency":
        store.trigger_schedule("fetch", "ann", IDS.job())
        run(store, hand(store, queues=["f"]))
    else:
        bed.advance(MINUTE)
    assert fired(fire(store)) == ["report"]
    begun, ahead = fires_of(store)
    between = (ahead.due_at - begun.due_at) // MINUTE - 1
    assert (ahead.missed, ahead.previous_at) == (between, begun.due_at)
    assert between == (2 if hindrance == "dependency" else 3)


def test_due_times_that_catchup_leaves_out_are_counted_when_the_next_run_comes(store: Store, bed: Bed):
    declare(store, schedule(every=3600, catchup="skip"))
    worker = hand(store)
    fire(store)
    run(store, worker)
    bed.advance(5 * HOUR + 30 * MINUTE)
    assert fire(store).fired == ()
    bed.advance(30 * MINUTE)
    fire(store)
    assert [one.missed for one in fires_of(store)] == [0, 5]


def test_a_due_time_that_comes_again_uses_up_no_success_and_is_not_passed_over_again(store: Store, bed: Bed):
    declare(store, schedule("fetch", every=3600, queue="f"), schedule(depends_on=("fetch",), every=3600))
    fetcher, worker = hand(store, queues=["f"]), hand(store)
    fire(store)
    run(store, fetcher)
    assert fired(fire(store)) == ["report"]
    run(store, worker)
    bed.advance(HOUR)
    fire(store)
    run(store, fetcher)
    assert fired(fire(store)) == ["report"]
    run(store, worker)
    before = row(store)
    store.trigger_schedule("fetch", "ann", IDS.job())
    run(store, fetcher)
    bed.jump(-HOUR)  # the last two due times come again
    bed.advance(SECOND)
    look = fire(store)
    assert (look.fired, look.passed) == ((), ())
    bed.advance(HOUR)
    look = fire(store)
    assert (look.fired, look.passed) == ((), ())
    found = row(store)
    assert (found.unmet, found.seen, found.fired_at) == ((), before.seen, before.fired_at)
    bed.advance(HOUR)
    assert "report" in fired(fire(store))
    assert fires_of(store)[-1].missed == 0


def test_due_times_that_come_again_are_not_counted_twice(store: Store, bed: Bed):
    declare(store, schedule(every=3600, catchup="skip"))
    worker = hand(store)
    fire(store)
    run(store, worker)
    bed.advance(5 * HOUR + 30 * MINUTE)
    fire(store)
    assert row(store).progress.missed == 5
    bed.jump(-3 * HOUR)
    fire(store)
    assert row(store).progress.missed == 2  # three of them are still to come
    bed.advance(30 * MINUTE)
    for _ in range(3):
        fire(store)
        run(store, worker)
        bed.advance(HOUR)
    assert [one.missed for one in fires_of(store)] == [0, 2, 0, 0]


def test_what_was_passed_over_or_waits_is_counted_once_when_it_comes_again(store: Store, bed: Bed):
    declare(
        store, schedule("fetch", mode=Mode.TRIGGERED, queue="f"), schedule("needs", depends_on=("fetch",), every=3600)
    )
    declare(store, schedule(every=3600))
    fire(store)
    worker = hand(store)
    claim = worker.take()
    for _ in range(4):
        bed.advance(HOUR)
        fire(store)
    before = [row(store, name).progress.missed for name in ("report", "needs")]
    assert before == [4, 4]
    bed.jump(-2 * HOUR - 30 * MINUTE)
    fire(store)
    assert row(store).progress.missed == 4
    bed.advance(3 * HOUR)
    fire(store)
    assert [row(store, name).progress.missed for name in ("report", "needs")] == [4, 4]
    worker.end(claim)
    bed.advance(HOUR)
    fire(store)
    assert fires_of(store)[-1].missed == 4


def test_a_trigger_takes_no_due_time_away(store: Store, bed: Bed):
    declare(store, schedule(overlap="allow"))
    due_at = store.now()
    first = store.trigger_schedule("report", "ann", IDS.job())
    assert first.job_id is not None
    (firing,) = fire(store).fired
    assert firing.due_at == due_at
    ids = [IDS.job() for _ in range(5)]
    for each in ids:
        assert store.trigger_schedule("report", "ann", each).job_id == each
    assert len(row(store).live) == 7


def test_one_of_a_later_version_is_listed_and_code_may_declare_it_anew(store: Store, bed: Bed):
    declare(store, schedule(), schedule("other"))
    unreadable(bed, "report")
    found = {each.definition.name: each for each in store.insights.schedules("routine")}
    assert (found["other"].unreadable, "later version" in found["report"].unreadable) == ("", True)
    assert store.insights.schedule("report") == found["report"]
    refused = store.trigger_schedule("report", "ann", IDS.job())
    assert "later version" in refused.refusal
    assert store.pause_schedule("report", "ann", "")
    assert store.resume_schedule("report")
    declare(store, schedule())
    assert row(store).unreadable == ""
    bed.advance(MINUTE)
    assert "report" in fired(fire(store))


def test_many_that_cannot_be_reckoned_stop_nobody(store: Store, bed: Bed):
    names = [f"a{n}" for n in range(5)]
    declare(store, *(schedule(name) for name in names), schedule("z"))
    unreadable(bed, *names)
    first = store.fire_due(IDS.jobs, 3)
    assert (first.fired, first.looked, len(first.left)) == ((), 3, 3)
    second = store.fire_due(IDS.jobs, 3, first.left)
    assert (fired(second), second.looked) == (["z"], 3)


def test_who_is_disabled_by_failures_is_told_once(store: Store, other: Store, bed: Bed):
    declare(store, schedule(max_failures=1))
    fire(store)
    run(store, hand(store), Ended.FAILURE)
    soonest = other.next_firing()
    assert soonest is not None
    assert soonest <= store.now()
    assert [fire(each).disabled for each in (store, other, store)] == [(("report", "its last run failed"),), (), ()]
    assert store.next_firing() is None


def test_who_is_disabled_by_a_person_is_not_told_of(store: Store):
    declare(store, schedule())
    store.disable_schedule("report", "ann", "enough")
    assert store.next_firing() is None
    assert fire(store).disabled == ()
