"""Answers that are shared for a second."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from relet.clock import SECOND, ManualClock
from relet.web.recent import MOST, Recent


def test_an_answer_is_made_once_a_second_and_anew_after_a_change():
    clock, made = ManualClock(0), iter(range(10))
    recent = Recent(clock)
    assert [recent.get("a", lambda: next(made)) for _ in range(3)] == [0, 0, 0]
    assert recent.get("b", lambda: next(made)) == 1
    clock.advance(SECOND)
    assert recent.get("a", lambda: next(made)) == 2
    recent.forget()
    assert recent.get("a", lambda: next(made)) == 3


def test_those_who_ask_at_once_wait_for_one_answer():
    recent, begun, go, made = Recent(ManualClock(0)), Event(), Event(), iter(range(10))

    def slow() -> int:
        begun.set()
        go.wait(10)
        return next(made)

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(recent.get, "a", slow) for _ in range(4)]
        begun.wait(10)
        go.set()
        assert [one.result(10) for one in asked] == [0, 0, 0, 0]


def test_an_answer_that_failed_is_made_again():
    recent = Recent(ManualClock(0))
    with pytest.raises(ZeroDivisionError):
        recent.get("a", lambda: 1 // 0)
    assert recent.get("a", lambda: 7) == 7


def test_only_so_many_answers_are_kept():
    recent = Recent(ManualClock(0))
    for number in range(MOST + 1):
        recent.get(number, lambda: "first")
    assert recent.get(0, lambda: "second") == "second"
    assert recent.get(MOST, lambda: "second") == "first"
