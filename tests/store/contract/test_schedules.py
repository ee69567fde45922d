"""Schedules: each due time once, whoever looks, and what holds a run back."""

from itertools import pairwise
from typing import Any

import pytest

from relet.clock import DAY, HOUR, SECOND
from relet.errors import NotFound, Refused, UsageError
from relet.job.job import Options
from relet.job.outcome import Ended
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Declared, Look, Taken
from relet.store.rows import ScheduleRow
from tests.store.beds import Bed
from tests.store.hands import IDS, Worker, put_new

MINUTE = 60 * SECOND


def schedule(
    name: str = "report", *, every: Any = 60, cron: str = "", catchup: Any = "latest", **fields: Any
) -> Schedule:
    mode = fields.pop("mode", Mode.SCHEDULED)
    rule = None
    if mode is Mode.SCHEDULED:
        rule = Recurrence.of(every=None if cron else every, cron=cron or None, catchup=catchup)
    about = {"kind": Kind.ROUTINE, "task": "t", **fields}
    return Schedule(name=name, mode=mode, rule=rule, **about)


def hand(store: Store, **fields: Any) -> Worker:
    """A worker whose lease does not lapse in these tests."""
    return Worker(store, lease_us=1_000 * DAY, **fields)


def declare(store: Store, *schedules: Schedule) -> None:
    store.declare_schedules(schedules, "code")


def fire(store: Store) -> Look:
    return store.fire_due(IDS.jobs, 100)


def fired(look: Look) -> list[str]:
    return [firing.schedule for firing in look.fired]


def row(store: Store, name: str = "report") -> ScheduleRow:
    found = store.insights.schedule(name)
    assert found is not None
    return found


def state(store: Store, job_id: bytes) -> State:
    found = store.insights.job(job_id)
    assert found is not None
    return found.state


def run(store: Store, worker: Worker, ended: Ended = Ended.SUCCESS) -> bytes:
    """Run the next job to this end; its id."""
    claim = worker.take()
    worker.end(claim, ended) if ended is not Ended.FAILURE else worker.bury(claim)
    return claim.job_id


def test_an_interval_is_fired_when_it_is_made_and_then_each_time(store: Store, bed: Bed):
    declare(store, schedule())
    worker = hand(store)
    at = store.now()
    for n in range(4):
        (firing,) = fire(store).fired
        assert at + n * MINUTE <= firing.due_at <= store.now()
        assert fired(fire(store)) == []
        assert run(store, worker) == firing.job_id
        bed.advance(MINUTE)
    dues = [found.due_at for found in store.insights.firings("report")]
    assert [one - two for one, two in pairwise(dues)] == [MINUTE] * 3


def test_a_cron_expression_waits_for_its_first_due_time(store: Store, bed: Bed):
    declare(store, schedule(cron="0 0 * * *"))
    assert fired(fire(store)) == []
    soonest = store.next_firing()
    assert soonest is not None
    assert soonest % DAY == 0
    bed.advance(DAY)
    assert [firing.due_at for firing in fire(store).fired] == [soonest]


def test_two_that_look_fire_a_due_time_once(store: Store, other: Store, bed: Bed):
    declare(store, schedule(overlap="allow"))
    looks = [fire(store), fire(other)]
    for _ in range(5):
        bed.advance(MINUTE)
        looks += [fire(other), fire(store)]
    firings = [(firing.schedule, firing.due_at) for look in looks for firing in look.fired]
    assert len(firings) == 6
    assert len(set(firings)) == 6


def test_a_clock_that_is_set_back_fires_no_due_time_twice_and_none_is_left_out(store: Store, bed: Bed):
    declare(store, schedule(overlap="allow"))
    dues: list[int] = []
    for jump in (0, 0, -3 * HOUR, 0, 2 * HOUR, 0, 0):
        bed.jump(jump)
        for _ in range(70):
            dues += [firing.due_at for firing in fire(store).fired]
            bed.advance(MINUTE)
    assert len(dues) == len(set(dues))
    first = min(dues)
    last_leg = [at for at in dues if at > max(dues) - 60 * MINUTE]
    assert len(last_leg) == 60
    assert all((at - first) % MINUTE == 0 for at in dues)


def test_a_wall_clock_that_was_wrong_for_a_year_does_not_silence_it(store: Store, bed: Bed):
    declare(store, schedule(overlap="allow"))
    assert fired(fire(store)) == ["report"]
    bed.jump(365 * DAY)
    assert fired(fire(store)) == ["report"]
    bed.jump(-365 * DAY)
    bed.advance(MINUTE)
    soonest = store.next_firing()
    assert soonest is not None
    assert soonest <= store.now()
    fire(store)
    bed.advance(MINUTE)
    assert fired(fire(store)) == ["report"]


@pytest.mark.parametrize(("catchup", "number"), [("latest", 1), (3, 3), ("skip", 0)])
def test_due_times_that_nobody_was_there_for_are_made_up_for_as_asked(
    store: Store, bed: Bed, catchup: Any, number: int
):
    declare(store, schedule(every=3600, catchup=catchup))
    worker = hand(store)
    fire(store)
    run(store, worker)
    bed.advance(10 * HOUR + 30 * MINUTE)
    look = fire(store)
    assert len(look.fired) == number
    if number:
        job = store.insights.job(look.fired[0].job_id)
        assert job is not None
        assert job.options is not None
        assert f'"report",{look.fired[0].due_at}' in job.options
        assert f",{10 - number}," in job.options  # those that are not made up for


def test_made_up_runs_go_one_after_the_other(store: Store, bed: Bed):
    declare(store, schedule(every=3600, catchup=3))
    worker = hand(store)
    fire(store)
    run(store, worker)
    bed.advance(5 * HOUR)
    look = fire(store)
    assert [state(store, firing.job_id) for firing in look.fired] == [State.READY, State.WAITING, State.WAITING]
    assert [run(store, worker) for _ in look.fired] == [firing.job_id for firing in look.fired]


def test_a_due_time_is_passed_over_while_the_run_before_has_not_ended_and_the_history_says_so(store: Store, bed: Bed):
    declare(store, schedule())
    worker = hand(store)
    fire(store)
    claim = worker.take()
    bed.advance(MINUTE)
    look = fire(store)
    assert (look.fired, [name for name, *_ in look.passed]) == ((), ["report"])
    worker.end(claim)
    bed.advance(MINUTE)
    assert fired(fire(store)) == ["report"]
    assert [found.cause for found in store.insights.firings("report")] == [
        "due",
        "the run before it had not ended",
        "due",
    ]


@pytest.mark.parametrize("overlap", ["skip", "queue"])
def test_what_nobody_was_there_for_is_made_up_for_behind_a_run_that_was_left_behind(
    store: Store, bed: Bed, overlap: Any
):
    declare(store, schedule(every=5, catchup=3, overlap=overlap))
    worker = hand(store)
    (left,) = fire(store).fired
    bed.advance(HOUR)
    look = fire(store)
    assert (len(look.fired), look.passed) == (3, ())
    assert [state(store, firing.job_id) for firing in look.fired] == [State.WAITING] * 3
    bed.advance(5 * SECOND)
    again = fire(store)
    assert (again.fired, len(again.passed)) == ((), 1), "with somebody there, overlap counts"
    assert [run(store, worker) for _ in range(4)] == [firing.job_id for firing in (left, *look.fired)]


def test_one_run_waits_behind_the_other_and_no_more(store: Store, bed: Bed):
    declare(store, schedule(overlap="queue"))
    worker = hand(store)
    fire(store)
    claim = worker.take()
    bed.advance(MINUTE)
    (second,) = fire(store).fired
    assert state(store, second.job_id) is State.WAITING
    bed.advance(MINUTE)
    assert fire(store).fired == ()
    worker.bury(claim)
    assert worker.take().job_id == second.job_id


def test_runs_stand_beside_each_other_where_that_is_allowed(store: Store, bed: Bed):
    declare(store, schedule(overlap="allow"))
    for _ in range(3):
        fire(store)
        bed.advance(MINUTE)
    assert len(hand(store).claim()) == 3
    assert len(row(store).live) == 3


@pytest.mark.parametrize("ended", [Ended.SUCCESS, Ended.FAILURE, Ended.CANCEL])
def test_the_end_of_a_run_is_written_to_its_schedule(store: Store, ended: Ended):
    declare(store, schedule())
    fire(store)
    job_id = run(store, hand(store), ended)
    found = row(store)
    assert found.live == ()
    assert found.ended_at is not None
    assert (found.successes, found.failures) == (int(ended is Ended.SUCCESS), int(ended is Ended.FAILURE))
    assert (found.success_at is not None) is (ended is Ended.SUCCESS)
    assert found.error == ("broken" if ended is Ended.FAILURE else None)
    (firing,) = store.insights.firings("report")
    assert (firing.job_id, firing.outcome) == (job_id, state(store, job_id).value)


def test_a_run_that_is_tried_again_has_not_ended(store: Store, bed: Bed):
    declare(store, schedule())
    fire(store)
    worker = hand(store)
    worker.fail(worker.take())
    assert len(row(store).live) == 1
    bed.advance(MINUTE)
    assert fire(store).fired == ()


def test_a_refusal_names_a_reason_only_where_there_is_one(store: Store):
    declare(store, schedule())
    store.disable_schedule("report", "ann", "")
    assert store.trigger_schedule("report", "ann", IDS.job()).refusal == "it is disabled by ann. Enable it first"
    store.disable_schedule("report", "ann", "enough")
    assert (
        store.trigger_schedule("report", "ann", IDS.job()).refusal == "it is disabled by ann: enough. Enable it first"
    )


def test_too_many_failures_in_a_row_disable_it_until_it_is_enabled(store: Store, bed: Bed):
    declare(store, schedule(max_failures=3))
    worker = hand(store)
    for ended in (Ended.FAILURE, Ended.FAILURE, Ended.SUCCESS, Ended.FAILURE, Ended.FAILURE, Ended.FAILURE):
        assert row(store).disabled_at is None
        fire(store)
        run(store, worker, ended)
        bed.advance(MINUTE)
    found = row(store)
    assert (found.failures, found.disabled_by, found.disable_reason) == (3, "relet", "its last 3 runs failed")
    assert fire(store) == Look(disabled=(("report", "its last 3 runs failed"),))
    assert store.next_firing() is None
    assert "disabled by relet: its last 3 runs failed" in store.trigger_schedule("report", "ann", IDS.job()).refusal

    assert store.enable_schedule("report")
    assert not store.enable_schedule("report")
    found = row(store)
    assert (found.failures, found.disabled_at) == (0, None)
    bed.advance(MINUTE)
    assert fired(fire(store)) == ["report"]


def test_it_runs_only_when_what_it_depends_on_has_succeeded_since_it_was_fired(store: Store, bed: Bed):
    declare(store, schedule("fetch", queue="f"), schedule("process", queue="p", depends_on=("fetch",)))
    fetcher, processor = hand(store, queues=["f"]), hand(store, queues=["p"])
    assert fired(fire(store)) == ["fetch"]
    assert row(store, "process").unmet == ("fetch",)
    run(store, fetcher, Ended.FAILURE)
    assert store.next_firing() != store.now()
    bed.advance(MINUTE)
    assert fired(fire(store)) == ["fetch"]
    run(store, fetcher)
    assert store.next_firing() is not None
    assert fired(fire(store)) == ["process"]
    run(store, processor)
    bed.advance(MINUTE)
    assert fired(fire(store)) == ["fetch"]
    assert len(row(store, "process").live) == 0


def test_a_trigger_makes_a_run_once_or_says_why_not(store: Store):
    declare(
        store,
        schedule(mode=Mode.TRIGGERED),
        schedule("fetch"),
        schedule("process", mode=Mode.TRIGGERED, depends_on=("fetch",)),
    )
    assert store.trigger_schedule("report", "ann", mine := IDS.job()).job_id == mine
    assert store.trigger_schedule("report", "ann", mine).job_id == mine
    assert len(row(store).live) == 1
    assert store.trigger_schedule("report", "ann", IDS.job()).refusal == "its last run has not ended"
    assert store.trigger_schedule("process", "ann", IDS.job()).refusal == "fetch has not succeeded since its last run"
    forced = store.trigger_schedule("process", "ann", IDS.job(), force=True)
    assert forced.job_id is not None
    assert [found.cause for found in store.insights.firings("process")] == ["triggered by ann"]
    with pytest.raises(NotFound, match="There is no schedule 'nobody'"):
        store.trigger_schedule("nobody", "ann", IDS.job())


def test_a_pause_fires_nothing_and_what_was_due_meanwhile_is_not_made_up_for(store: Store, bed: Bed):
    declare(store, schedule(catchup=10))
    assert store.pause_schedule("report", "ann", "night")
    bed.advance(5 * MINUTE)
    assert (store.next_firing(), fire(store)) == (None, Look())
    assert store.trigger_schedule("report", "ann", IDS.job()).job_id is not None
    run(store, hand(store))
    assert store.resume_schedule("report")
    assert not store.resume_schedule("report")
    assert fire(store).fired == ()
    bed.advance(MINUTE)
    assert len(fire(store).fired) == 1


def test_a_continuous_one_has_its_runs_again_when_they_have_ended(store: Store, bed: Bed):
    declare(store, schedule(mode=Mode.CONTINUOUS, replicas=2))
    worker = hand(store)
    assert len(fire(store).fired) == 2
    assert fire(store).fired == ()
    first, second = worker.claim()
    worker.bury(first)
    bed.advance(SECOND)
    assert len(fire(store).fired) == 1
    assert len(row(store).live) == 2
    store.disable_schedule("report", "ann", "enough")
    worker.end(second)
    bed.advance(SECOND)
    assert fire(store).fired == ()


def test_a_definition_is_written_once_and_a_change_keeps_how_it_went(store: Store, bed: Bed):
    declare(store, schedule())
    fire(store)
    run(store, hand(store))
    assert store.declare_schedules([schedule()], "code") == Declared(0)
    assert row(store).revision == 1
    assert store.declare_schedules([schedule(every=3600)], "code") == Declared(1)
    found = row(store)
    assert (found.revision, found.successes) == (2, 1)
    bed.advance(MINUTE)
    assert fire(store).fired == ()
    bed.advance(HOUR)
    assert fired(fire(store)) == ["report"]


def test_code_and_people_do_not_change_each_others(store: Store):
    declare(store, schedule())
    theirs = Schedule(name="report", kind=Kind.SCHEDULE, mode=Mode.TRIGGERED, task="t")
    with pytest.raises(Refused, match="a routine named 'report', which code declares"):
        store.put_schedule(theirs, "ann")
    assert store.delete_schedule("report")
    assert not store.delete_schedule("report")
    assert store.put_schedule(theirs, "ann")
    declared = store.declare_schedules([schedule("before"), schedule(), schedule("then")], "code")
    assert (declared.changed, declared.taken) == (2, ())
    assert [name for name, _ in declared.refused] == ["report"]
    assert "a schedule named 'report', which ann has added at run time" in declared.refused[0][1]
    assert (row(store).definition, row(store, "then").changed_by) == (theirs, "code")


def test_a_routine_is_not_deleted_while_a_worker_would_declare_it_again(store: Store):
    worker = hand(store)
    declare(store, schedule())
    with pytest.raises(Refused, match=r"worker .* would declare it again"):
        store.delete_schedule("report")
    store.end_session(worker.id, "stopped")
    assert store.delete_schedule("report")


def test_a_routine_that_another_app_has_declared_is_taken_over_and_that_is_told(store: Store):
    declare(store, schedule())
    assert store.declare_schedules([schedule(task="ours")], "code") == Declared(1)  # nobody lives who knows the task
    hand(store, tasks=("ours",))
    theirs = schedule(task="theirs")
    assert store.declare_schedules([theirs], "worker-2").taken == (Taken("report", "theirs", "ours", "code"),)
    assert store.declare_schedules([theirs], "worker-2") == Declared(0)
    assert row(store).definition.task == "theirs"


def test_runs_of_a_deleted_schedule_stay_and_end(store: Store):
    declare(store, schedule(kind=Kind.SCHEDULE))
    (firing,) = fire(store).fired
    store.delete_schedule("report")
    assert run(store, hand(store)) == firing.job_id
    assert store.insights.schedule("report") is None


def test_a_dead_run_that_is_retried_counts_as_not_ended(store: Store, bed: Bed):
    declare(store, schedule())
    fire(store)
    worker = hand(store)
    job_id = run(store, worker, Ended.FAILURE)
    assert store.retry_dead(job_id, None, "ann")
    assert row(store).live == (job_id,)
    run(store, worker)
    assert (row(store).live, row(store).failures) == ((), 0)


def test_a_run_that_is_cancelled_before_it_began_has_ended(store: Store):
    declare(store, schedule())
    (firing,) = fire(store).fired
    store.cancel(firing.job_id, "no", "ann", 0)
    assert row(store).live == ()
    assert store.insights.firings("report")[0].outcome == "cancelled"


def test_a_session_that_dies_with_a_run_leaves_it_as_it_was(store: Store):
    declare(store, schedule())
    fire(store)
    worker = hand(store)
    claim = worker.take()
    assert (row(store).state, row(store).running, row(store).queued) == ("running", (claim.job_id,), ())
    store.reclaim(worker.id, "gone")
    assert row(store).live == (claim.job_id,)
    assert (row(store).state, row(store).running, row(store).queued) == ("queued", (), (claim.job_id,))
    assert run(store, hand(store)) == claim.job_id
    assert row(store).live == ()


def test_a_closed_queue_is_passed_over_and_holds_up_nobody_else(store: Store):
    declare(store, schedule(queue="shut"), schedule("other"))
    store.close_queue("shut", "ann", "")
    look = fire(store)
    assert fired(look) == ["other"]
    assert [(name, because) for name, _, because in look.passed] == [("report", "its queue was closed")]


def test_a_zone_that_this_host_lacks_stops_only_its_own_schedule(store: Store, bed: Bed):
    declare(store, schedule(cron="0 0 * * *"), schedule("other"))
    bed.advance(DAY)
    for table in ("schedule",):
        bed.rows(
            f'update relet.{table} set definition = replace(definition, \'"cron":"0 0 * * *"\', '
            '\'"cron":"0 0 * * *","tz":"Mars/Olympus"\') where name = \'report\''
        )
    look = fire(store)
    assert fired(look) == ["other"]
    ((name, error),) = look.unreadable
    assert (name, "Mars/Olympus" in error) == ("report", True)
    found = row(store)
    assert found.progress.next_at is not None
    assert found.progress.next_at <= store.now()


def test_a_definition_of_a_later_version_stops_only_its_own_schedule(store: Store, bed: Bed):
    declare(store, schedule(), schedule("other"))
    bed.rows(
        "update relet.schedule set definition = replace(definition, '\"scheduled\"', '\"by the moon\"') where name = 'report'"
    )
    look = fire(store)
    assert fired(look) == ["other"]
    assert [name for name, _ in look.unreadable] == ["report"]
    assert row(store).state == "unreadable"


def test_jobs_have_what_the_schedule_says(store: Store):
    declare(store, schedule(queue="q", priority=2, args='{"a":1}', options=Options(timeout_us=5, tags={"x": "y"})))
    (firing,) = fire(store).fired
    job = store.insights.job(firing.job_id)
    assert job is not None
    assert (job.task, job.queue, job.priority, job.args) == ("t", "q", 2, '{"a":1}')
    assert '"timeout_us":5' in (job.options or "")


def test_old_firings_are_forgotten_but_for_those_of_runs_that_go_on(store: Store, bed: Bed):
    declare(store, schedule(overlap="allow", every=3600))
    worker = hand(store)
    (ended, going) = (fire(store).fired[0], None)
    run(store, worker)
    bed.advance(HOUR)
    going = fire(store).fired[0]
    store.pause_schedule("report", "ann", "")
    bed.advance(8 * DAY)
    store.prune(7 * DAY, 7 * DAY, 100)
    left = [firing.job_id for firing in store.insights.firings("report")]
    assert (ended.job_id in left, left) == (False, [going.job_id])


@pytest.mark.parametrize(
    "fields",
    [
        {"depends_on": ("report",)},
        {"options": Options(unique="key")},
        {"replicas": 2},
        {"mode": Mode.CONTINUOUS, "replicas": 0},
        {"max_failures": 0},
        {"overlap": "replace"},
    ],
)
def test_a_definition_that_cannot_be_is_refused(fields: dict[str, Any]):
    with pytest.raises(UsageError, match=r"'report'|overlap"):
        schedule(**fields)


def test_other_jobs_of_the_same_task_are_none_of_its_runs(store: Store):
    declare(store, schedule())
    put_new(store)
    assert row(store).live == ()


def test_schedules_are_counted_by_what_holds_them(store: Store, bed: Bed):
    assert store.insights.schedule_counts() == (0, 0, 0, 0, ())
    declare(store, *(schedule(name, max_failures=1) for name in ("a", "b", "c")), schedule("d", depends_on=("a",)))
    store.pause_schedule("b", "ann", "")
    store.disable_schedule("c", "ann", "")
    fire(store)
    run(store, hand(store), Ended.FAILURE)
    broken = (("routine", "a", "its last run failed"),)
    assert store.insights.schedule_counts() == (4, 2, 1, 1, broken)
    assert store.insights.schedule_counts(0).broken == ()
