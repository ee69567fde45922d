"""The rest between two passes: it ends when it is over, or when the run is to end, whichever side comes first."""

import asyncio
import threading
import time

import pytest

from relet.clock import SECOND
from relet.work.pace import Pace

STYLES = ["thread", "loop"]
SOON_S = 5.0


def rest(pace: Pace, style: str) -> float:
    """How long it took, in seconds."""
    began = time.monotonic()
    if style == "thread":
        pace.rest()
    else:
        asyncio.run(pace.rest_on_loop())
    return time.monotonic() - began


@pytest.mark.parametrize("style", STYLES)
def test_a_rest_lasts_as_long_as_it_should(style: str) -> None:
    assert 0.03 <= rest(Pace(SECOND // 30), style) < SOON_S


@pytest.mark.parametrize("style", STYLES)
def test_no_rest_is_begun_when_the_run_is_to_end(style: str) -> None:
    pace = Pace(3_600 * SECOND)
    pace.wake()
    assert rest(pace, style) < SOON_S
    assert rest(pace, style) < SOON_S


@pytest.mark.parametrize("style", STYLES)
def test_a_rest_ends_when_the_run_is_to_end(style: str) -> None:
    pace = Pace(3_600 * SECOND)
    waker = threading.Timer(0.02, pace.wake)
    waker.start()
    assert rest(pace, style) < SOON_S
    waker.join()


@pytest.mark.parametrize("style", STYLES)
def test_a_rest_of_nothing_lets_others_go_on(style: str) -> None:
    assert rest(Pace(0), style) < SOON_S


def test_waking_a_run_whose_loop_is_closed_does_nothing() -> None:
    pace = Pace(0)
    rest(pace, "loop")
    pace.wake()
