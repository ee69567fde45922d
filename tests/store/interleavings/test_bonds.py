"""Parents end while children come: at every statement boundary of one verb another one happens, and nobody is left waiting."""

from collections.abc import Callable

import pytest

from relet.store.port import Store
from tests.store.interleavings.bonds import VERBS, BondScene
from tests.store.interleavings.pairs import SCALE, judge, partners
from tests.store.interleavings.scene import faults, scene_of
from tests.store.interleavings.stepping import Stepper

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


scene = scene_of(BondScene)


def played(verb: str) -> tuple[str, Callable[[BondScene, Store], object]]:
    return verb, lambda scene, store: VERBS[verb](scene.bonds, store)


@pytest.mark.parametrize("mine", PLAYED)
def test_two_verbs_on_bonds_end_as_one_after_the_other(scene: BondScene, mine: str):
    stepper = Stepper(scene.mine)

    judge(
        [
            fault
            for theirs in partners(mine, PLAYED)
            for fault in faults(scene, stepper, played(mine), played(theirs), PASSING)
        ]
    )
