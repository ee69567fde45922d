"""Definitions of schedules, and what they name."""

from typing import Any

import pytest

from relet.errors import DefinitionError
from relet.job.schedule import Kind, Mode, Schedule, check_together


def routines(**depends_on: list[str]) -> dict[str, Schedule]:
    return {
        name: Schedule(name=name, kind=Kind.ROUTINE, mode=Mode.TRIGGERED, task="t", depends_on=tuple(names))
        for name, names in depends_on.items()
    }


def test_what_can_run_is_let_pass() -> None:
    check_together({})
    check_together(routines(a=[], b=["a"], c=["a", "b"], d=["c"]))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": ["b"], "b": ["a"]}, "a -> b -> a"),
        ({"start": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, "a -> b -> c -> a"),
        ({"fetch": [], "process": ["fetsch"]}, r"'process' names 'fetsch'.* Did you mean 'fetch'\?"),
        ({"fetch": [], "process": ["elsewhere"]}, "There are: fetch, process"),
    ],
)
def test_circles_and_unknown_names_are_spelled_out(given: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        check_together(routines(**given))


def test_a_circle_of_ten_thousand_is_refused_without_end_of_the_stack() -> None:
    long = {f"r{n}": [f"r{n + 1}"] for n in range(10_000)} | {"r10000": []}
    check_together(routines(**long))
    with pytest.raises(DefinitionError, match="r0"):
        check_together(routines(**long | {"r10000": ["r0"]}))
