"""Shares are the last locks: whoever gives places waits for others' commits only, and nobody has to give up."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from relet.clock import SECOND
from relet.job.job import After, NewJob, Options
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Notes
from tests.store.beds import PostgresBed
from tests.store.hands import Worker, decide, new, put
from tests.store.interleavings.stepping import Act
from tests.store.interleavings.test_order import play
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases


@pytest.fixture
def bed(pg: Databases) -> Iterator[PostgresBed]:
    made = PostgresBed(pg)
    made.rows(f"alter database {made.name} set deadlock_timeout = '30ms'")
    yield made
    made.drop()


def of(tenant: str, **fields) -> NewJob:  # type: ignore[no-untyped-def]  # fields of NewJob
    """A job of a tenant."""
    unique = fields.pop("unique", None)
    return new(options=Options(fair=tenant, unique=unique), **fields)


def once(store: Store, verb: str) -> Any:
    """The verb as it is before it is repeated after a deadlock."""
    return getattr(type(store), verb).__wrapped__


class Scene:
    """Jobs of two tenants that run, are due, are dead, and wait for the one that runs."""

    def __init__(self, bed: PostgresBed) -> None:
        self.store = bed.open()
        self.worker = Worker(bed.open())
        parent, self.dead = of("a"), of("b")
        put(self.store, parent, self.dead)
        self.claim, other = self.worker.claim(2)
        self.worker.settle(decide(other, Ended.REJECT))
        children = [of(tenant, after=(After(parent.id),)) for tenant in "ba"]
        put(self.store, *(of(tenant, delay_us=SECOND) for tenant in "ab"), *children)
        bed.advance(2 * SECOND)

    def enqueue(self, store: Store) -> object:
        jobs = [of("b"), of("a", unique="k"), of("a"), new(options=Options(unique="j"))]
        return once(store, "_enqueue")(store, jobs, ())

    def enqueue_with_a_key(self, store: Store) -> object:
        return once(store, "_enqueue")(store, [of("b", unique="j")], ())

    def promote(self, store: Store) -> object:
        return store.promote(10)

    def retry(self, store: Store) -> object:
        return once(store, "retry_dead")(store, self.dead.id, None, "ann")

    def settle(self, store: Store) -> object:
        return store.turn(self.worker.id, [decide(self.claim, Ended.SUCCESS)], Notes(), None)


VERBS: tuple[Callable[[Scene, Store], object], ...] = (
    *(Scene.enqueue, Scene.enqueue_with_a_key),
    *(Scene.promote, Scene.retry, Scene.settle),
)


@pytest.mark.parametrize("mine", VERBS, ids=lambda verb: verb.__name__)
def test_nobody_has_to_give_up(bed: PostgresBed, mine: Callable[[Scene, Store], object]):
    scene, third = Scene(bed), bed.open()
    bed.save()
    for theirs in VERBS:
        if theirs is not mine or mine is Scene.enqueue:
            acts: tuple[Act, Act] = (partial(mine, scene), partial(theirs, scene))
            play(bed, bed.open(), acts[0], third, acts[1])
            check_invariants(bed)
