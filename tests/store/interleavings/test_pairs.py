"""No pair of verbs is left out."""

import pytest

from tests.store.interleavings.pairs import partners

VERBS = ("a", "b", "c", "d", "e")


def played(seed: int, both: bool = False) -> set[tuple[str, str]]:
    return {(mine, theirs) for mine in VERBS for theirs in partners(mine, VERBS, seed, both)}


@pytest.mark.parametrize("seed", [0, 1])
def test_each_two_verbs_meet_in_every_run(seed: int):
    assert {frozenset(pair) for pair in played(seed)} == {frozenset((a, b)) for a in VERBS for b in VERBS}


def test_two_runs_play_both_ways_around_and_a_long_one_all():
    every = {(a, b) for a in VERBS for b in VERBS}
    assert played(0) | played(1) == every
    assert played(0, both=True) == every
    assert len(played(0)) == len(VERBS) * (len(VERBS) + 1) // 2
