"""Looks at schedules meet other looks, ends of runs, and people: at every statement boundary of one verb another one happens."""

from collections.abc import Callable
from typing import Any

import pytest

from relet.clock import DAY, HOUR
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.store.port import Store
from relet.store.records import Backfilled, Notes
from tests.store.hands import IDS, Worker, decide
from tests.store.interleavings.pairs import SCALE, judge, partners
from tests.store.interleavings.scene import Scene, faults, scene_of
from tests.store.interleavings.stepping import Stepper

TRIGGERED = IDS.job()


def schedule(name: str, *, every: int = 3600, **fields: Any) -> Schedule:
    rule, kind = Recurrence.of(every=every), Kind.SCHEDULE if name == "due" else Kind.ROUTINE
    return Schedule(name=name, kind=kind, mode=Mode.SCHEDULED, task=name, rule=rule, **fields)


VIEWS = (
    "select name, next_at, pending_at, missed, successes, failures, seen from relet.schedule",
    "select name, paused_at is null, disabled_at is null, untold from relet.schedule",
    "select 'firing', schedule, case when cause = 'due' then due_at end, job_id is null, cause, outcome from relet.firing",
    *(
        f"select '{table}', j.task, count(*) from relet.{table} p join relet.job j on j.id = p.job_id group by j.task"
        for table in ("waiting", "ready", "running")
    ),
    "select 'end', j.task, f.outcome from relet.finished f join relet.job j on j.id = f.job_id",
)


class ScheduleScene(Scene):
    """One schedule is due, one is due while it runs, and one waits for the third, which runs."""

    views = VIEWS
    claims: dict[str, Claim]
    live: Worker
    lapsed: Worker
    gap: tuple[int, int]
    """Due times in which nobody was there."""

    def build(self, store: Store) -> None:
        store.prune(0, 0, 1)
        tasks = ("due", "runs", "fetch", "process")
        lapsed = Worker(store, "lapsed", tasks=tasks)
        store.put_schedule(schedule("runs"), "code")
        store.fire_due(IDS.jobs, 10)
        self.claims = {claim.task: claim for claim in lapsed.claim()}
        self.bed.advance(DAY)
        self.live = Worker(store, "live", tasks=tasks, lease_us=DAY)
        store.declare_schedules([schedule("fetch", every=86400, max_failures=1)], "code")
        store.fire_due(IDS.jobs, 10)
        store.put_schedule(schedule("process", every=86400, depends_on=("fetch",)), "code")
        store.fire_due(IDS.jobs, 10)
        self.claims |= {claim.task: claim for claim in self.live.claim()}
        self.bed.advance(HOUR)
        store.put_schedule(schedule("due", every=1800), "code")
        self.lapsed = lapsed
        begun = store.insights.firings("runs")[-1].due_at
        self.gap = (begun + 1, begun + 4 * HOUR)

    def made_up(self, backfilled: Backfilled) -> bool:
        """Each of the due times of the gap has a run, by this call or before it."""
        return len(backfilled.fired) + backfilled.had == 3

    def settled(self) -> None:
        """Everything has been looked at."""
        while self.third.fire_due(IDS.jobs, 10).fired:
            pass


Verb = Callable[[ScheduleScene, Store], object]


def _settle(name: str, ended: Ended) -> Verb:
    def settle(scene: ScheduleScene, store: Store) -> object:
        return store.turn(scene.live.id, [decide(scene.claims[name], ended)], Notes(), None).answers

    return settle


VERBS: dict[str, Verb] = {
    "look": lambda _, store: len(store.fire_due(IDS.jobs, 10).fired) >= 0,
    "fetch succeeds": _settle("fetch", Ended.SUCCESS),
    "fetch dies": _settle("fetch", Ended.REJECT),
    "fetch fails once": _settle("fetch", Ended.FAILURE),
    "reclaim": lambda scene, store: store.reclaim(scene.lapsed.id, "killed") is not None,
    "cancel": lambda scene, store: store.cancel(scene.claims["runs"].job_id, "no", "bob", 0),
    "trigger": lambda _, store: store.trigger_schedule("due", "bob", TRIGGERED).job_id is not None,
    "pause": lambda _, store: store.pause_schedule("due", "bob", ""),
    "disable": lambda _, store: store.disable_schedule("process", "bob", ""),
    "change": lambda _, store: store.put_schedule(schedule("due", every=7200), "code"),
    "delete": lambda _, store: store.delete_schedule("due"),
    "backfill": lambda scene, store: scene.made_up(store.backfill_schedule("runs", *scene.gap, "bob", IDS.jobs)),
}
PLAYED = (
    tuple(VERBS) if SCALE > 1 else tuple(verb for verb in VERBS if verb not in ("fetch fails once", "pause", "disable"))
)
IN_ANY_ORDER = {"trigger", "change"}
"""What these do depends on the moment."""


scene = scene_of(ScheduleScene)


@pytest.mark.parametrize("mine", PLAYED)
def test_two_verbs_on_schedules_end_as_one_after_the_other(scene: ScheduleScene, mine: str):
    stepper = Stepper(scene.mine)

    judge(
        [
            fault
            for theirs in partners(mine, PLAYED)
            for fault in faults(scene, stepper, (mine, VERBS[mine]), (theirs, VERBS[theirs]), IN_ANY_ORDER)
        ]
    )
