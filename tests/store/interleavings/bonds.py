"""The scene for jobs that hang together: parents in every place, children that are known to them and others that are not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from relet.clock import DAY, SECOND
from relet.job.job import After, Claim, Need, NewBatch, NewJob, Options
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Lane, Notes
from tests.store.beds import Bed
from tests.store.hands import IDS, Worker, decide, new
from tests.store.interleavings.scene import Scene
from tests.store.interleavings.stage import VIEWS as STAGE_VIEWS

LANES = (Lane("default", -1),)


@dataclass
class Bonds:
    """Jobs that wait for each other."""

    first: NewJob
    """Runs under the session that lives; so does `one`."""
    second: NewJob
    """Runs under the session that has lapsed; so does `two`."""
    both: NewJob
    """Comes after both."""
    grandchild: NewJob
    one: NewJob
    two: NewJob
    ready: NewJob
    scheduled: NewJob
    dead: NewJob
    late: dict[str, NewJob]
    """Children that come after what their names say; written, but not tied."""
    fresh: NewJob
    """A child of the first, not written yet."""
    claims: dict[bytes, Claim]
    live: Worker
    lapsed: Worker


def build(store: Store, bed: Bed) -> Bonds:
    """Set the scene."""
    store.prune(0, 0, 1)
    batch = NewBatch(IDS.job(), "b")
    first, second = new(), new()
    one, two = (new(options=Options(batch=batch.id.hex())) for _ in range(2))
    both = _after(first, second)
    grandchild = _after(both)
    dead, ready, scheduled = new(), new(unique="ready"), new(delay_us=SECOND)
    lapsed = Worker(store, "lapsed")
    store.enqueue([dead])
    lapsed.bury(lapsed.take())
    store.enqueue([one, two, _after(batch, need=Need.END), _after(batch, need=Need.FAILURE)], [batch])
    claims = {claim.job_id: claim for claim in lapsed.claim(2)}
    store.enqueue([second, both_parent := new(), first, both, grandchild])
    claims |= {claim.job_id: claim for claim in lapsed.claim(2)}
    bed.advance(DAY)
    live = Worker(store, "live")
    claims |= {claim.job_id: claim for claim in live.claim(1)}
    assert both_parent.id in claims
    store.enqueue([ready, scheduled])
    bed.advance(SECOND)
    late = {
        name: _after(parent, need=need, hold=hold)
        for name, parent, need, hold in (
            ("first", first, Need.SUCCESS, False),
            ("second", second, Need.END, False),
            ("ready", ready, Need.SUCCESS, False),
            ("scheduled", scheduled, Need.END, False),
            ("dead", dead, Need.SUCCESS, True),
            ("both", both, Need.SUCCESS, False),
            ("batch", batch, Need.SUCCESS, False),
        )
    }
    untied(store, list(late.values()))
    fresh = _after(first, ready, dead, need=Need.END)
    return Bonds(first, second, both, grandchild, one, two, ready, scheduled, dead, late, fresh, claims, live, lapsed)


def untied(store: Store, jobs: list[NewJob]) -> object:
    """Enqueue, and die before the jobs are tied."""
    any_store: Any = store
    return any_store._enqueue(jobs, ())


def _after(*parents: NewJob | NewBatch, need: Need = Need.SUCCESS, hold: bool = False) -> NewJob:
    return new("child", queue="children", after=tuple(After(parent.id, need, hold) for parent in parents))


Verb = Callable[[Bonds, Store], object]


def _settle(name: str, ended: Ended) -> Verb:
    def settle(bonds: Bonds, store: Store) -> object:
        claim = bonds.claims[getattr(bonds, name).id]
        worker = bonds.live if name == "first" else bonds.lapsed
        return store.turn(worker.id, [decide(claim, ended)], Notes(), None).answers

    return settle


def _claim(bonds: Bonds, store: Store) -> object:
    turned = store.turn(bonds.live.id, (), Notes(), bonds.live.want(10, lanes=LANES))
    return sorted((claim.job_id, claim.epoch) for claim in turned.claims)


def _cancel(name: str) -> Verb:
    return lambda bonds, store: store.cancel(getattr(bonds, name).id, "changed my mind", "bob", 0)


VERBS: dict[str, Verb] = {
    "tie": lambda _bonds, store: store.tie(100) >= 0,
    "enqueue untied": lambda bonds, store: untied(store, [bonds.fresh]),
    "enqueue": lambda bonds, store: store.enqueue([bonds.fresh]),
    "first succeeds": _settle("first", Ended.SUCCESS),
    "first dies": _settle("first", Ended.REJECT),
    "first fails": _settle("first", Ended.FAILURE),
    "second succeeds": _settle("second", Ended.SUCCESS),
    "second dies": _settle("second", Ended.REJECT),
    "one succeeds": _settle("one", Ended.SUCCESS),
    "two dies": _settle("two", Ended.REJECT),
    "claim": _claim,
    "promote": lambda _bonds, store: store.promote(10),
    "reclaim": lambda bonds, store: store.reclaim(bonds.lapsed.id, "killed") is not None,
    "retry the dead": lambda bonds, store: store.retry_dead(bonds.dead.id, None, "bob"),
    "delete the dead": lambda bonds, store: store.delete_dead(bonds.dead.id),
    "cancel both": _cancel("both"),
    "cancel the ready": _cancel("ready"),
    "cancel the scheduled": _cancel("scheduled"),
    "cancel second": _cancel("second"),
    "replace": lambda bonds, store: store.enqueue([_replacement(bonds)])[0].created,
    "mend": lambda _bonds, store: store.mend(bytes(16), 100).repaired,
    "mend batch": lambda _bonds, store: store.mend_batch(bytes(16)).repaired,
    "prune": lambda _bonds, store: store.prune(0, 0, 100) >= 0,
}


def _replacement(bonds: Bonds) -> NewJob:
    job = new(unique="ready", on_conflict="replace", queue="other")
    return replace(job, id=bonds.fresh.id[:-1] + b"\x07")


VIEWS = (
    *STAGE_VIEWS,
    "select 'waiting', job_id, edges from relet.waiting",
    "select 'edge', child_id, parent_id, outcome from relet.edge",
    "select 'batch', id, open, succeeded, dead, cancelled, ended_at is null from relet.batch",
)


class BondScene(Scene):
    """The jobs, and three who play on them."""

    views = VIEWS
    bonds: Bonds

    def build(self, store: Store) -> None:
        self.bonds = build(store, self.bed)

    def settled(self) -> None:
        """Everything has been tied."""
        self.third.tie(100)
