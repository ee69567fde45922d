"""The chore that writes down what was counted here, and, for all workers, how many jobs there are and how healthy that is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from relet.clock import SECOND, Clock
from relet.errors import OutcomeUnknown
from relet.events import Emitter
from relet.job.health import Rules, Tally
from relet.store.measures import HealthChange, News
from relet.store.port import Store

LOOK_US = 5 * SECOND


class Counts(Protocol):
    """What has been counted."""

    def news(self) -> News:
        """What was not written yet."""
        ...

    def told(self, news: News) -> None:
        """These are."""
        ...

    def totals(self) -> tuple[int, int]:
        """(succeeded, failed) since the start."""
        ...


class Measure:
    """Once a second, in one transaction, if there is anything. If its outcome is unknown it counts as written: nothing is ever
    counted twice. Every few seconds each worker looks at its own health, and one of them at everything."""

    name = "measure"
    every_us = SECOND

    def __init__(self, counts: Counts, worker: str, rules: Rules, clock: Clock, emit: Emitter) -> None:
        self._counts = counts
        self._worker = worker
        self._rules = rules
        self._clock = clock
        self._emit = emit
        self._past: deque[tuple[int, int, int]] = deque([(clock.steady(), 0, 0)])
        """What the totals were, by time; the first from before the window."""

    def run(self, store: Store) -> int | None:
        self._tell(store)
        if store.take_depth(LOOK_US):
            self._changed(store.judge_health(self._rules))
        now = self._clock.steady()
        if now - self._past[-1][0] >= LOOK_US:
            change = store.judge_worker(self._worker, self._tally(now), self._rules)
            self._changed([] if change is None else [change])
        return None

    def _tell(self, store: Store) -> None:
        news = self._counts.news()
        if not news:
            return
        try:
            store.add_figures(news)
        except OutcomeUnknown:
            self._counts.told(news)
            raise
        self._counts.told(news)

    def _tally(self, now: int) -> Tally:
        """What was counted within the window."""
        succeeded, failed = self._counts.totals()
        self._past.append((now, succeeded, failed))
        while len(self._past) > 1 and self._past[1][0] <= now - self._rules.window_us:
            self._past.popleft()
        _, before, failed_before = self._past[0]
        return Tally(succeeded - before, failed - failed_before)

    def _changed(self, changes: Iterable[HealthChange]) -> None:
        for change in changes:
            how = "healthy again" if change.healthy else f"not healthy: {change.because}"
            who = change.subject.replace(":", " ", 1) or "all together"
            self._emit("health.changed", who=who, how=how, subject=change.subject, healthy=change.healthy)
