"""A scene in which every verb has something to do, and the verbs that are played on it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from msgspec.structs import replace

from relet.clock import DAY, SECOND, Ids, ManualClock
from relet.job.job import Claim, NewJob, OnConflict
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Beat, Lane, Notes, Progress, Reclaimed
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import LEASE_US, Worker, decide, new
from tests.store.interleavings.scene import Scene

LANES = (Lane("default", -1),)


@dataclass
class Stage:
    """Jobs of all kinds under two sessions, the first of which has lapsed."""

    running: NewJob
    asked: NewJob
    """Runs, and was asked to be cancelled."""
    ready: NewJob
    scheduled: NewJob
    """Due."""
    dead: NewJob
    held: NewJob
    """Runs under the session that lives."""
    claims: tuple[Claim, Claim]
    kept: Claim
    """The claim on what is held."""
    lapsed: Worker
    live: Worker
    fresh: dict[tuple[str, str], NewJob]
    """New jobs by how they deal with which job's key, so that a repeated scene has the same ids."""


KEYS = ("running", "ready", "scheduled", "dead")
CONFLICTS: tuple[OnConflict, ...] = ("existing", "replace", "debounce")


def build(store: Store, bed: Bed) -> Stage:
    """Set the scene, in an empty database. All jobs are of a day that is over and may be forgotten."""
    store.prune(0, 0, 1)
    make = _maker()
    dead, running, asked = make(unique="dead"), make(unique="running"), make(unique="asked")
    scheduled, ready = make(unique="scheduled", delay_us=SECOND), make(unique="ready")
    lapsed, held = Worker(store, "lapsed"), make()
    store.enqueue([make()])
    lapsed.end(lapsed.take())
    store.enqueue([dead])
    lapsed.bury(lapsed.take())
    store.enqueue([running])
    store.enqueue([asked])
    first, second = lapsed.claim(2)
    store.cancel(asked.id, "not needed", "ann", 0)
    bed.advance(DAY)
    live = Worker(store, "live")
    store.enqueue([held])
    kept = live.take()
    store.enqueue([scheduled])
    store.enqueue([ready])
    bed.advance(SECOND)
    fresh = {
        (conflict, key): make(unique=key, on_conflict=conflict, debounce_us=SECOND if conflict == "debounce" else 0)
        for conflict in CONFLICTS
        for key in KEYS
    }
    return Stage(running, asked, ready, scheduled, dead, held, (first, second), kept, lapsed, live, fresh)


def _maker() -> Callable[..., NewJob]:
    """Makes jobs whose ids are of the day at which the database begins."""
    ids = Ids(ManualClock(BEGINNING), Random(8))

    def make(**fields: Any) -> NewJob:
        job = new(**fields)
        return replace(job, id=ids.job())

    return make


Verb = Callable[[Stage, Store], object]


def _settle(ended: Ended, place: int = 0) -> Verb:
    def settle(stage: Stage, store: Store) -> object:
        claim = stage.claims[place]
        return store.turn(stage.lapsed.id, [decide(claim, ended, delay_us=5 * SECOND)], Notes(), None).answers

    return settle


def _both(stage: Stage, store: Store) -> object:
    first, second = (decide(claim, Ended.FAILURE) for claim in stage.claims)
    notes = Notes([Progress(stage.running.id, 1, 50.0, "half")])
    return store.turn(stage.lapsed.id, [first, replace(second, delay_us=SECOND)], notes, None).answers


def _say(stage: Stage, store: Store) -> object:
    notes = Notes([Progress(stage.running.id, 1, 50.0, "half")])
    return store.turn(stage.lapsed.id, (), notes, None).live


def _claim(stage: Stage, store: Store) -> object:
    turned = store.turn(stage.live.id, (), Notes(), stage.live.want(10, lanes=LANES))
    return sorted((claim.job_id, claim.epoch, claim.cancel) for claim in turned.claims)


def _turn(stage: Stage, store: Store) -> object:
    """The live session settles what it holds, and claims."""
    settle = decide(stage.kept, Ended.SUCCESS)
    turned = store.turn(stage.live.id, [settle], Notes(), stage.live.want(10, lanes=LANES))
    return turned.answers, sorted((claim.job_id, claim.epoch) for claim in turned.claims)


def _enqueue(conflict: str, key: str) -> Verb:
    return lambda stage, store: store.enqueue([stage.fresh[conflict, key]])


def _cancel(name: str) -> Verb:
    return lambda stage, store: store.cancel(getattr(stage, name).id, "changed my mind", "bob", 0)


def _gone(found: Reclaimed | None) -> object:
    return None if found is None else (found.returned, found.dead, found.cancelled)


VERBS: dict[str, Verb] = {
    "succeed": _settle(Ended.SUCCESS),
    "fail": _settle(Ended.FAILURE),
    "release": _settle(Ended.RELEASE),
    "bury": _settle(Ended.REJECT),
    "fail the asked": _settle(Ended.FAILURE, 1),
    "fail both": _both,
    "say": _say,
    "claim": _claim,
    "turn": _turn,
    "live leaves": lambda stage, store: _gone(store.end_session(stage.live.id, "drained")),
    "renew": lambda stage, store: store.renew(stage.lapsed.id, LEASE_US, Beat()).live,
    "reclaim what lapsed": lambda stage, store: [_gone(gone) for gone in store.reclaim_expired()],
    "reclaim": lambda stage, store: _gone(store.reclaim(stage.lapsed.id, "killed")),
    "leave": lambda stage, store: _gone(store.end_session(stage.lapsed.id, "drained")),
    "promote": lambda stage, store: store.promote(10),
    "honour cancels": lambda stage, store: store.honour_cancels(10),
    "retry the dead": lambda stage, store: store.retry_dead(stage.dead.id, None, "bob"),
    "delete the dead": lambda stage, store: store.delete_dead(stage.dead.id),
    "purge": lambda stage, store: store.purge_queue("default", "bob", 10),
    "prune": lambda stage, store: store.prune(0, 0, 10),
    **{f"cancel the {name}": _cancel(name) for name in ("running", "held", "asked", "ready", "scheduled", "dead")},
    **{f"enqueue {how} {key}": _enqueue(how, key) for how in CONFLICTS for key in KEYS},
}

CORE = (
    *("succeed", "fail", "release", "say", "claim", "renew", "reclaim what lapsed", "leave", "promote"),
    *("cancel the running", "cancel the ready", "retry the dead"),
    *("enqueue existing running", "enqueue replace running", "enqueue replace dead", "enqueue debounce ready"),
)
"""Those that are always played against each other; the others when there is time."""

TRIPLES = (
    ("cancel the held", "turn", "live leaves"),
    ("cancel the held", "turn", "reclaim what lapsed"),
    *(
        (mine, back, out)
        for mine in ("enqueue replace running", "enqueue debounce running", "cancel the running")
        for back in ("release", "leave")
        for out in ("claim", "cancel the running")
    ),
    *(
        (mine, "retry the dead", "claim")
        for mine in ("enqueue replace dead", "enqueue debounce dead", "delete the dead")
    ),
    *(
        (mine, "promote", "claim")
        for mine in ("enqueue replace scheduled", "enqueue debounce scheduled", "cancel the scheduled")
    ),
)
"""What waits for one and is overtaken by another; what comes back while one looks, and goes before one looks again."""

_POINTER = "epoch, attempt, crashes, suspicions, releases"
VIEWS = (
    f"select 'scheduled', job_id, {_POINTER} from relet.scheduled",
    f"select 'ready', job_id, {_POINTER} from relet.ready",
    f"select 'running', job_id, session_id, {_POINTER} from relet.running",
    "select 'dead', job_id, epoch, attempt, reason from relet.dead",
    "select 'finished', job_id, epoch, attempt, outcome, error from relet.finished",
    "select 'attempt', job_id, epoch, session_id, outcome from relet.attempt",
    "select 'control', job_id, verb, reason from relet.control",
    "select 'key', job_id, scope, key from relet.unique_key",
    "select 'session', id, ended_at is null, end_cause from relet.session",
    "select 'job', id from relet.job",
)


class StageScene(Scene):
    """The stage, and three who play on it."""

    views = VIEWS
    stage: Stage

    def build(self, store: Store) -> None:
        self.stage = build(store, self.bed)
