"""Parents end while children come: at every statement boundary of one verb another one happens, and nobody is left waiting."""

import os
from collections.abc import Iterator
from functools import partial

import pytest

from relet.errors import Contended, OutcomeUnknown, StoreError
from relet.store.port import Store
from tests.store.beds import PostgresBed, memory_bed
from tests.store.interleavings.bonds import VERBS, BondScene
from tests.store.interleavings.stepping import Happening, Stepper, attempt, interleave
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

SCALE = int(os.environ.get("RELET_TEST_SCALE", "1"))
CORE = (
    *(
        "tie",
        "enqueue",
        "first succeeds",
        "first dies",
        "second succeeds",
        "two dies",
        "one succeeds",
        "claim",
        "reclaim",
    ),
    *("retry the dead", "cancel both", "cancel the ready", "mend"),
)
PLAYED = CORE if SCALE == 1 else tuple(VERBS)

PASSING = {"prune", "replace", "mend", "claim"}
"""Verbs of several transactions, or that pass by what another one holds: only the invariants are asked for."""


@pytest.fixture(scope="module")
def on_postgres(pg: Databases) -> Iterator[BondScene]:
    """A PostgreSQL database of this module's own."""
    bed = PostgresBed(pg)
    yield BondScene(bed)
    bed.drop()


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[BondScene]:
    """SQLite in memory."""
    bed = memory_bed()
    yield BondScene(bed)
    bed.close()


def act(scene: BondScene, verb: str, store: Store) -> object:
    """A verb that is told to come again does."""
    answer = attempt(partial(VERBS[verb], scene.bonds), store)
    while isinstance(answer, Contended | OutcomeUnknown):
        answer = attempt(partial(VERBS[verb], scene.bonds), store)
    assert not isinstance(answer, Exception) or isinstance(answer, StoreError), repr(answer)
    return type(answer).__name__ if isinstance(answer, Exception) else answer


def faults(scene: BondScene, stepper: Stepper, mine: str, theirs: str) -> list[str]:
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
            if picture not in wanted and not PASSING & {mine, theirs}:
                found.append(f"{name}: rows as of no order")
    return found


@pytest.mark.parametrize("mine", PLAYED)
def test_two_verbs_on_bonds_on_postgres_end_as_one_after_the_other(on_postgres: BondScene, mine: str):
    stepper = Stepper(on_postgres.mine)

    assert [fault for theirs in PLAYED for fault in faults(on_postgres, stepper, mine, theirs)] == []


@pytest.mark.parametrize("mine", PLAYED)
def test_two_verbs_on_bonds_on_sqlite_end_as_one_after_the_other(on_sqlite: BondScene, mine: str):
    stepper = Stepper(on_sqlite.mine)

    assert [fault for theirs in PLAYED for fault in faults(on_sqlite, stepper, mine, theirs)] == []
