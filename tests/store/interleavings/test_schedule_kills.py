"""Who looks at schedules, makes up for due times, or ends a run is killed before each statement; the next one goes on."""

from collections.abc import Callable
from typing import Any

import pytest

from relet.clock import DAY, HOUR
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.store.port import Store
from relet.store.records import Notes
from tests.store.beds import PostgresBed
from tests.store.hands import IDS, Worker, decide
from tests.store.interleavings.scene import Scene, scene_of
from tests.store.interleavings.stepping import Stepper, attempt
from tests.store.invariants import check_invariants


class Killed(Exception):
    """The process is gone in the middle of a transaction."""


def schedule(name: str, *, every: int = 3600, catchup: Any = "latest", **fields: Any) -> Schedule:
    mode = fields.pop("mode", Mode.SCHEDULED)
    rule = Recurrence.of(every=every, catchup=catchup) if mode is Mode.SCHEDULED else None
    return Schedule(name=name, kind=Kind.ROUTINE, mode=mode, task=name, rule=rule, **fields)


VIEWS = (
    "select name, settled_until, next_at, pending_at, missed, successes, failures, disable_reason, seen from relet.schedule",
    "select schedule, due_at, job_id is null, cause, outcome from relet.firing where schedule <> 'twins'",
    "select schedule, count(*) from relet.firing group by schedule",
    *(
        f"select '{table}', j.task, count(*) from relet.{table} p join relet.job j on j.id = p.job_id group by j.task"
        for table in ("waiting", "ready", "running", "dead", "finished")
    ),
    "select j.task, count(*) from relet.edge e join relet.job j on j.id = e.child_id where e.outcome is null group by j.task",
)


class KillScene(Scene):
    """Due times of all kinds have passed: three that are made up for in turn, one beside a run that goes on, one that waits for
    another, one without any; two runs are to be kept up; and one run's end will disable its schedule."""

    views = VIEWS
    worker: Worker
    claims: dict[str, Claim]
    begun: int

    def build(self, store: Store) -> None:
        store.prune(0, 0, 1)
        made = (
            schedule("chain", catchup=3),
            schedule("runs"),
            schedule("fetch", every=86400, max_failures=1),
            schedule("process", every=86400, depends_on=("fetch",)),
            schedule("twins", mode=Mode.CONTINUOUS, replicas=2),
        )
        tasks = tuple(each.name for each in made)
        self.worker = Worker(store, tasks=tasks, lease_us=30 * DAY)
        store.declare_schedules(made, "code")
        store.fire_due(IDS.jobs, 10)
        self.claims = {claim.task: claim for claim in self.worker.claim()}
        self._end(store, "chain", Ended.SUCCESS)
        self._end(store, "twins", Ended.SUCCESS)
        self.begun = store.now()
        self.bed.advance(5 * HOUR)
        store.put_schedule(schedule("new"), "code")

    def _end(self, store: Store, name: str, ended: Ended) -> object:
        return store.turn(self.worker.id, [decide(self.claims[name], ended)], Notes(), None).answers

    def acts(self) -> dict[str, Callable[[Store], object]]:
        """What is cut off. Each may be repeated."""
        return {
            "look": lambda store: store.fire_due(IDS.jobs, 10),
            "backfill": lambda store: store.backfill_schedule(
                "chain", self.begun + 1, self.begun + 5 * HOUR, "ann", IDS.jobs
            ),
            "dies": lambda store: self._end(store, "fetch", Ended.REJECT),
            "succeeds": lambda store: self._end(store, "fetch", Ended.SUCCESS),
        }

    def kill(self) -> None:
        """The process of `mine` is gone: the server drops its transaction, as a file's journal is rolled back."""
        if isinstance(self.bed, PostgresBed):
            self.bed.rows(f"select pg_terminate_backend({self.bed.pid_of(self.mine)}, 5000)")
        else:
            raise Killed

    def settled(self) -> None:
        """The next one has looked, and the children have found their parents."""
        check_invariants(self.bed)
        while self.theirs.fire_due(IDS.jobs, 10).fired:
            pass
        while self.theirs.tie(100):
            pass
        check_invariants(self.bed)


def faults(scene: KillScene, stepper: Stepper, act: Callable[[Store], object]) -> tuple[list[str], int]:
    """What is otherwise when the act is cut off at any place and then repeated; and how many places there are."""
    scene.again()
    stepper.reset()
    act(scene.mine)
    wanted = scene.picture()
    found: list[str] = []
    for place in range(200):
        scene.again()
        stepper.reset()
        stepper.at(place, scene.kill)
        answer = attempt(act, scene.mine)
        names = list(stepper.statements)
        stepper.reset()
        if len(names) <= place:
            return found, place
        assert isinstance(answer, Exception) or "commit" in names[: place + 1], answer
        act(scene.theirs)
        if (picture := scene.picture()) != wanted:
            found.append(f"killed before {names[place]} ({place}): {picture} instead of {wanted}")
    raise AssertionError("it has no end")


ACTS = ("look", "backfill", "dies", "succeeds")


scene = scene_of(KillScene)


@pytest.mark.parametrize("act", ACTS)
def test_who_is_killed_has_done_all_or_nothing_and_the_next_does_the_rest(scene: KillScene, act: str):
    found, places = faults(scene, Stepper(scene.mine), scene.acts()[act])
    assert found == []
    assert places > 3
