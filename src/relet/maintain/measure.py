"""The chore that writes down what was counted here, and, for all workers, how many jobs there are."""

from __future__ import annotations

from typing import Protocol

from relet.clock import SECOND
from relet.errors import OutcomeUnknown
from relet.store.measures import News
from relet.store.port import Store

DEPTH_US = 5 * SECOND


class Counts(Protocol):
    """What has been counted."""

    def news(self) -> News:
        """What was not written yet."""
        ...

    def told(self, news: News) -> None:
        """These are."""
        ...


class Measure:
    """Once a second, in one transaction, if there is anything. If its outcome is unknown it counts as written: nothing is ever
    counted twice."""

    name = "measure"
    every_us = SECOND

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def run(self, store: Store) -> int | None:
        news = self._counts.news()
        if news:
            try:
                store.add_figures(news)
            except OutcomeUnknown:
                self._counts.told(news)
                raise
            self._counts.told(news)
        store.take_depth(DEPTH_US)
        return None
