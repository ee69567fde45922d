"""Limits by name and key under races: at every statement boundary of one verb another one happens. No limit is exceeded, no
slot is left behind, and nobody stands in line where there is room."""

from collections.abc import Callable

import pytest

from relet.clock import SECOND
from relet.job.job import After, Options
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.port import Store
from relet.store.records import LimitPause, Notes
from tests.store.hands import Worker, decide, new, put
from tests.store.interleavings.pairs import SCALE, judge, partners
from tests.store.interleavings.scene import Scene, faults, scene_of
from tests.store.interleavings.stepping import Stepper


class GateScene(Scene):
    """Two keys of which one job runs each, one that runs with both, lines before them, one that is put off, a dead one, and one
    that comes after a job that runs."""

    views = (
        "select limit_name, key, job_id from relet.slot order by 1, 2, 3",
        "select job_id from relet.waiting",
        "select job_id, outcome from relet.finished",
    )

    def build(self, store: Store) -> None:
        a, b = ("a", "", 1), ("b", "x", 1)
        store.set_limit("a", Rule(2), "ann")
        store.set_limit("b", Rule(1), "ann")
        options = {"a": Options(gates=(a,)), "b": Options(gates=(b,)), "both": Options(gates=(a, b))}
        self.worker, self.other = Worker(store, "mine"), Worker(store, "theirs")
        dead, late = new(options=options["a"]), new(options=options["a"])
        put(store, dead)
        self.worker.bury(self.worker.take())
        put(store, late)
        self.worker.end(self.worker.take(), Ended.SNOOZE, delay_us=SECOND)
        held_a, held_b, second_a = new(options=options["a"]), new(options=options["b"]), new(options=options["a"])
        parent = new()
        put(store, held_a, held_b)
        self.claims = {self.worker.id: self.worker.claim(), self.other.id: ()}
        put(store, second_a, parent)
        self.claims[self.other.id] = self.other.claim()
        self.lined = [new(options=options[kind]) for kind in ("both", "a", "b", "a")]
        put(store, *self.lined)
        self.child = new(options=options["both"], after=(After(parent.id),))
        put(store, self.child)
        self.coming = [new(options=options[kind]) for kind in ("b", "a")]
        self.dead, self.late = dead.id, late.id
        self.bed.advance(2 * SECOND)

    def settle(self, store: Store, worker: Worker, ended: Ended, notes: Notes | None = None) -> tuple[Answer, ...]:
        settles = [decide(claim, ended) for claim in self.claims[worker.id]]
        return store.turn(worker.id, settles, notes or Notes(), None).answers

    def settled(self) -> None:
        for _ in range(3):
            self.third.tie(100)
            self.third.promote(100)


VERBS: dict[str, Callable[[GateScene, Store], object]] = {
    "mine succeed": lambda scene, store: scene.settle(store, scene.worker, Ended.SUCCESS),
    "mine fail": lambda scene, store: scene.settle(store, scene.worker, Ended.FAILURE),
    "theirs succeed": lambda scene, store: scene.settle(store, scene.other, Ended.SUCCESS),
    "theirs die": lambda scene, store: scene.settle(store, scene.other, Ended.REJECT),
    "reclaim": lambda scene, store: store.reclaim(scene.worker.id, "killed"),
    "enqueue": lambda scene, store: store.enqueue(scene.coming),
    "promote": lambda _, store: store.promote(100),
    "cancel the first in line": lambda scene, store: store.cancel(scene.lined[0].id, "", "ann", 0),
    "cancel the late one": lambda scene, store: store.cancel(scene.late, "", "ann", 0),
    "purge": lambda _, store: store.purge_queue("default", "ann", 100),
    "retry the dead": lambda scene, store: store.retry_dead(scene.dead, None, "ann"),
    "more room": lambda _, store: store.set_limit("a", Rule(3), "ann"),
    "less room": lambda _, store: store.set_limit("a", Rule(1), "ann"),
    "forget": lambda _, store: store.forget_limit("b", "ann"),
    "pause and resume": lambda _, store: (
        store.pause_limit("b", "x", None, "ann"),
        store.resume_limit("b", "x", "ann"),
    ),
    "a job pauses": lambda scene, store: scene.settle(
        store, scene.other, Ended.SUCCESS, Notes(limit_pauses=(LimitPause("b", "x", SECOND, None),))
    ),
    "mend": lambda _, store: store.mend(bytes(16), 100),
    "prune": lambda _, store: store.prune(10**15, 10**15, 100),
}

CORE = ("mine succeed", "theirs succeed", "reclaim", "enqueue", "promote", "more room")
PLAYED = CORE if SCALE == 1 else tuple(VERBS)

scene = scene_of(GateScene)


def played(verb: str) -> tuple[str, Callable[[GateScene, Store], object]]:
    return verb, VERBS[verb]


@pytest.mark.parametrize("mine", PLAYED)
def test_two_verbs_on_limits_leave_no_slot_and_no_line_behind(scene: GateScene, mine: str):
    stepper = Stepper(scene.mine)
    judge(
        [
            fault
            for theirs in partners(mine, PLAYED)
            for fault in faults(scene, stepper, played(mine), played(theirs), VERBS)
        ]
    )
