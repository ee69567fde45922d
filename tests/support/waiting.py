"""Waiting for what other threads and processes do: the one place where a test asks again and again."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0
PAUSE = 0.005


def until(look: Callable[[], T], seconds: float = PATIENCE, pause: float = PAUSE) -> T:
    """What `look` finds, as soon as it finds something."""
    limit = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(pause)
    return found
