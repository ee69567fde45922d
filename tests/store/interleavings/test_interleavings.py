"""Two verbs at once, at every statement boundary of the first: the invariants hold, and it is as if one had come first."""

from functools import partial

import pytest

from relet.errors import Contended, UniqueConflict
from tests.store.beds import PostgresBed
from tests.store.interleavings.pairs import SCALE, judge, partners
from tests.store.interleavings.scene import scene_of
from tests.store.interleavings.stage import CORE, TRIPLES, VERBS, StageScene
from tests.store.interleavings.stepping import Happening, Stepper, attempt, interleave
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

PLAYED = CORE if SCALE == 1 else tuple(VERBS)

PASSES_BY = "what another verb holds just now is passed by"
BETWEEN = {
    (
        "cancel",
        "reclaim",
    ): "it is found running and asked, and given back by a reclaim that saw no request; honoured at its next claim",
    ("replace", "claim"): PASSES_BY,
    ("replace", "turn"): PASSES_BY,
    ("purge",): PASSES_BY,
    ("prune",): "it is several transactions",
}
"""Pairs of kinds that may end as no serial order does, and why that is right."""

Outcome = tuple[object, object, frozenset[object]]


scene = scene_of(StageScene)


def serial(scene: StageScene, first: str, second: str) -> tuple[object, object, frozenset[object]]:
    """The answers and the rows when one follows the other."""
    scene.again()
    answers = [_canonical(attempt(partial(VERBS[verb], scene.stage), scene.mine)) for verb in (first, second)]
    return answers[0], answers[1], scene.picture()


REFUSALS = (UniqueConflict, Contended)
"""Errors that are answers."""


def _canonical(answer: object) -> object:
    assert not isinstance(answer, Exception) or isinstance(answer, REFUSALS), repr(answer)
    return type(answer).__name__ if isinstance(answer, Exception) else answer


def play(scene: StageScene, stepper: Stepper, mine: str, theirs: str, place: int) -> Outcome | None:
    """Both at once; None when the first one has not so many statements."""
    scene.again()
    answers = interleave(
        scene.bed,
        stepper,
        scene.mine,
        partial(VERBS[mine], scene.stage),
        [Happening(place, scene.theirs, partial(VERBS[theirs], scene.stage))],
    )
    if answers is None:
        return None
    check_invariants(scene.bed)
    return _canonical(answers[0]), _canonical(answers[1]), scene.picture()


def _allowed(mine: str, theirs: str) -> bool:
    kinds = {word for verb in (mine, theirs) for word in verb.replace("leave", "reclaim").split()}
    return any(set(pair) <= kinds for pair in BETWEEN)


def faults(scene: StageScene, stepper: Stepper, mine: str, theirs: str) -> list[str]:
    """What goes wrong when `theirs` happens at any place of `mine`."""
    before = serial(scene, mine, theirs)
    other, own, rows = serial(scene, theirs, mine)
    after = (own, other, rows)
    found: list[str] = []
    place = 0
    while True:
        try:
            outcome = play(scene, stepper, mine, theirs, place)
        except AssertionError as error:
            found.append(f"{theirs!r} before statement {place}: {error}")
        else:
            if outcome is None:
                return found
            if outcome not in (before, after) and not _allowed(mine, theirs):
                found.append(
                    f"{theirs!r} before statement {place}: {outcome[:2]} and rows as if neither of {before[:2]}, {after[:2]}"
                )
        place += 1


@pytest.mark.parametrize("mine", PLAYED)
def test_two_verbs_at_once_end_as_one_after_the_other(scene: StageScene, mine: str):
    stepper = Stepper(scene.mine)

    judge([fault for theirs in partners(mine, PLAYED) for fault in faults(scene, stepper, mine, theirs)])


def triple_faults(scene: StageScene, stepper: Stepper, verbs: tuple[str, str, str], gap: int) -> list[str]:
    """What goes wrong when the second happens at any place of the first, and the third so many statements later."""
    mine, *others = (partial(VERBS[verb], scene.stage) for verb in verbs)
    found: list[str] = []
    for place in range(60):
        happenings = [Happening(place, scene.theirs, others[0]), Happening(place + gap, scene.third, others[1])]
        scene.again()
        if interleave(scene.bed, stepper, scene.mine, mine, happenings) is None:
            break
        try:
            check_invariants(scene.bed)
        except AssertionError as error:
            found.append(f"{verbs} at {place} and {place + gap}: {error}")
    return found


@pytest.mark.parametrize("gap", [0, 1, 2] if SCALE == 1 else range(12))
def test_three_verbs_at_once_keep_the_invariants(scene: StageScene, gap: int):
    stepper = Stepper(scene.mine)

    assert [fault for verbs in TRIPLES for fault in triple_faults(scene, stepper, verbs, gap)] == []


def test_two_workers_may_prune_at_midnight(pg: Databases):
    """Both make the partitions of the days to come, and both drop those that are over."""
    bed = PostgresBed(pg)
    mine, theirs = bed.open(), bed.open()
    stepper = Stepper(mine)
    theirs.now()
    answers: list[object] = []
    for place in range(12):
        bed.advance(86_400_000_000)
        happening = Happening(place, theirs, lambda store: store.prune(0, 0, 10))
        answers += interleave(bed, stepper, mine, lambda store: store.prune(0, 0, 10), [happening]) or []
    bed.drop()

    assert [answer for answer in answers if answer != 0] == []
