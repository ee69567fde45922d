"""Looks at schedules meet other looks, ends of runs, and people: at every statement boundary of one verb another one happens."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from relet.clock import DAY, HOUR
from relet.errors import Contended, NotFound, OutcomeUnknown, StoreError
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.store.port import Store
from relet.store.records import Backfilled, Notes
from tests.store.beds import Bed, PostgresBed, memory_bed
from tests.store.hands import IDS, Worker, decide
from tests.store.interleavings.stepping import Happening, Stepper, attempt, interleave
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

SCALE = int(os.environ.get("RELET_TEST_SCALE", "1"))
TRIGGERED = IDS.job()


def schedule(name: str, *, every: int = 3600, **fields: Any) -> Schedule:
    rule = Recurrence.of(every=every)
    return Schedule(name=name, kind=Kind.ROUTINE, mode=Mode.SCHEDULED, task=name, rule=rule, **fields)


class Scene:
    """One schedule is due, one is due while it runs, and one waits for the third, which runs; and two who play on it."""

    def __init__(self, bed: Bed) -> None:
        if isinstance(bed, PostgresBed):
            bed.rows(f"alter database {bed.name} set deadlock_timeout = '30ms'")
        self.bed = bed
        store = bed.open()
        store.prune(0, 0, 1)
        tasks = ("due", "runs", "fetch", "process")
        lapsed = Worker(store, "lapsed", tasks=tasks)
        store.put_schedule(schedule("runs"), "code")
        store.fire_due(IDS.jobs, 10)
        self.claims: dict[str, Claim] = {claim.task: claim for claim in lapsed.claim()}
        bed.advance(DAY)
        self.live = Worker(store, "live", tasks=tasks, lease_us=DAY)
        store.declare_schedules([schedule("fetch", every=86400, max_failures=1)], "code")
        store.fire_due(IDS.jobs, 10)
        store.put_schedule(schedule("process", every=86400, depends_on=("fetch",)), "code")
        store.fire_due(IDS.jobs, 10)
        self.claims |= {claim.task: claim for claim in self.live.claim()}
        bed.advance(HOUR)
        store.put_schedule(schedule("due", every=1800), "code")
        self.lapsed = lapsed
        begun = store.insights.firings("runs")[-1].due_at
        self.gap = (begun + 1, begun + 4 * HOUR)
        bed.save()
        self.mine, self.theirs, self.third = bed.open(), bed.open(), bed.open()
        for opened in (self.mine, self.theirs, self.third):
            opened.now()

    def made_up(self, backfilled: Backfilled) -> bool:
        """Each of the due times of the gap has a run, by this call or before it."""
        return len(backfilled.fired) + backfilled.had == 3

    def again(self) -> None:
        """As it was at first."""
        self.bed.restore()

    def picture(self) -> frozenset[Any]:
        """All that matters of the rows, when everything has been looked at."""
        while self.third.fire_due(IDS.jobs, 10).fired:
            pass
        return frozenset(row for rows in self.bed.all_rows(VIEWS) for row in rows)


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
Verb = Callable[[Scene, Store], object]


def _settle(name: str, ended: Ended) -> Verb:
    def settle(scene: Scene, store: Store) -> object:
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
IN_ANY_ORDER = {"trigger", "change"}
"""What these do depends on the moment."""


def act(scene: Scene, verb: str, store: Store) -> object:
    """A verb that is told to come again does."""
    answer = attempt(partial(VERBS[verb], scene), store)
    while isinstance(answer, Contended | OutcomeUnknown):
        answer = attempt(partial(VERBS[verb], scene), store)
    assert not isinstance(answer, Exception) or isinstance(answer, StoreError | NotFound), repr(answer)
    return answer


def faults(scene: Scene, stepper: Stepper, mine: str, theirs: str) -> list[str]:
    """What goes wrong when `theirs` happens at any place of `mine`."""
    wanted: list[object] = []
    for verbs in ((mine, theirs), (theirs, mine)):
        scene.again()
        for verb in verbs:
            act(scene, verb, scene.mine)
        wanted.append(scene.picture())
    found: list[str] = []
    for place in range(200):
        scene.again()
        happening = Happening(place, scene.theirs, lambda store: act(scene, theirs, store))
        if interleave(scene.bed, stepper, scene.mine, lambda store: act(scene, mine, store), [happening]) is None:
            return found
        name = f"{theirs!r} before statement {place} of {mine!r}"
        try:
            check_invariants(scene.bed)
            picture = scene.picture()
            check_invariants(scene.bed)
        except AssertionError as error:
            found.append(f"{name}: {error}")
        else:
            if picture not in wanted and not IN_ANY_ORDER & {mine, theirs}:
                found.append(f"{name}: rows as of no order: {sorted(map(str, picture ^ wanted[0]))}")  # type: ignore[operator]
    return found


@pytest.fixture(scope="module")
def on_postgres(pg: Databases) -> Iterator[Scene]:
    """A PostgreSQL database of this module's own."""
    bed = PostgresBed(pg)
    yield Scene(bed)
    bed.drop()


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[Scene]:
    """SQLite in memory."""
    bed = memory_bed()
    yield Scene(bed)
    bed.close()


@pytest.mark.parametrize("mine", VERBS)
def test_two_verbs_on_schedules_on_postgres_end_as_one_after_the_other(on_postgres: Scene, mine: str):
    stepper = Stepper(on_postgres.mine)

    assert [fault for theirs in VERBS for fault in faults(on_postgres, stepper, mine, theirs)] == []


@pytest.mark.parametrize("mine", VERBS)
def test_two_verbs_on_schedules_on_sqlite_end_as_one_after_the_other(on_sqlite: Scene, mine: str):
    stepper = Stepper(on_sqlite.mine)

    assert [fault for theirs in VERBS for fault in faults(on_sqlite, stepper, mine, theirs)] == []
