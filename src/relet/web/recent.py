"""Answers that are made once for all who ask within a moment: a page that everybody looks at costs what one look costs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from relet.clock import SECOND, Clock

T = TypeVar("T")

LASTS_US = SECOND
MOST = 200
"""Answers that are kept; the one asked for longest ago goes first."""


class _Answer:
    __slots__ = ("lock", "made_at", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made_at: int | None = None
        self.value: Any = None


class Recent:
    """Keeps answers for a second. Whoever changes something says `forget`, so that they see what they did."""

    def __init__(self, clock: Clock, lasts_us: int = LASTS_US) -> None:
        self._clock = clock
        self._lasts_us = lasts_us
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer for this key, made now unless it was a moment ago. Those who ask for the same meanwhile wait for it.

        It is shared, so nobody may change it. What `make` raises is kept for nobody."""
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        with answer.lock:
            began = self._clock.steady()
            if answer.made_at is None or began - answer.made_at >= self._lasts_us:
                answer.value = make()
                answer.made_at = began
            value: T = answer.value
            return value

    def forget(self) -> None:
        """Something was changed: what was answered before holds no more."""
        with self._lock:
            self._answers.clear()
