"""Whether the store can be reached is said in one place: once a second while it cannot, and once when it can again."""

from typing import Any

import pytest

from relet.clock import MS, SECOND, ManualClock
from relet.errors import Contended, OutcomeUnknown, StoreError, StoreFull, StoreUnavailable
from relet.store.reach import Reach


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.reach = Reach(self.clock, lambda event, /, **fields: self.said.append((event, fields)))

    def events(self) -> list[str]:
        return [event for event, _ in self.said]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_many_failures_of_all_kinds_are_one_line_a_second(scene: Scene) -> None:
    for _ in range(30):
        for error in (StoreUnavailable("a"), Contended("c")):
            assert scene.reach.lost(error)
        scene.clock.advance(100 * MS)
    assert scene.events() == ["store.unavailable"] * 3
    assert [fields.get("more_failed") for _, fields in scene.said] == [None, 19, 19]


def test_lost_answers_are_said_beside_it(scene: Scene) -> None:
    for _ in range(3):
        scene.reach.lost(OutcomeUnknown("b"))
        scene.reach.lost(StoreUnavailable("a"))
    assert scene.events() == ["store.unknown", "store.unavailable"]


def test_back_is_said_once_and_after_how_long(scene: Scene) -> None:
    scene.reach.answered(scene.reach.losses)
    scene.reach.lost(StoreUnavailable("a"))
    scene.clock.advance(2 * SECOND)
    for _ in range(3):
        scene.reach.answered(scene.reach.losses)
    assert scene.events() == ["store.unavailable", "store.back"]
    assert scene.said[1][1] == {"after": "2.0s"}


def test_back_is_not_said_where_away_was_not(scene: Scene) -> None:
    scene.reach.lost(StoreUnavailable("one connection"))
    scene.reach.answered(scene.reach.losses)
    scene.reach.lost(StoreUnavailable("another one, a moment later"))
    scene.reach.answered(scene.reach.losses)
    assert scene.events() == ["store.unavailable", "store.back"]


@pytest.mark.parametrize("error", [StoreFull("x"), StoreError("x"), ValueError("x")])
def test_other_errors_are_left_to_whoever_met_them(scene: Scene, error: Exception) -> None:
    assert not scene.reach.lost(error)
    assert scene.events() == []


def test_an_answer_that_was_on_its_way_when_another_call_failed_is_no_return(scene: Scene) -> None:
    asked = scene.reach.losses
    scene.reach.lost(StoreUnavailable("a"))
    scene.reach.answered(asked)
    assert scene.events() == ["store.unavailable"]
