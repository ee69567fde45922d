"""The chore that makes messages of what has happened, and forgets old ones. Every worker does it, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable

from relet.clock import MS, SECOND, Ids
from relet.job.limits import Rule
from relet.job.webhook import LIMIT, MOST_AT_ONCE
from relet.maintain.chores import MOST_BATCHES
from relet.store.port import Store

BATCH = 200
SOON_US = 250 * MS


class Tell:
    """Make messages, each with the job that sends it; and let this worker send them, once there is somebody to be told.

    Looks each second, in one read, and four times a second while there is an active webhook.
    """

    name = "tell"
    every_us = SECOND

    def __init__(self, ids: Ids, send: Callable[[], None]) -> None:
        self._ids = ids
        self._send = send
        self._declared = False

    def run(self, store: Store) -> int | None:
        news = store.news()
        if any(news):
            self._declare(store)
        full = news.told and self._told(store)
        if any(news):
            self._send()
        return MS if full else SOON_US if news.listening else None

    def _declare(self, store: Store) -> None:
        """Before anybody has said what a limit is, it lets nobody in."""
        if not self._declared:
            store.declare_limits({LIMIT: Rule(MOST_AT_ONCE)}, "relet")
            self._declared = True

    def _told(self, store: Store) -> bool:
        """Whether there may be more."""
        return all(store.tell_news(self._ids.jobs, BATCH) == BATCH for _ in range(MOST_BATCHES))


class PruneDeliveries:
    """Forget messages that were sent, or given up, long ago."""

    name = "prune deliveries"
    every_us = 60 * SECOND

    def __init__(self, keep_us: int) -> None:
        self._keep_us = keep_us

    def run(self, store: Store) -> int | None:
        return SECOND if store.prune_deliveries(self._keep_us, BATCH) == BATCH else None
