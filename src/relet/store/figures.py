"""Figures in the store: differences are added up, by whoever has counted them; one worker for all looks how many jobs there are.

Rows are written in one order everywhere, so that two workers that add to the same ones only wait for each other.
"""

from __future__ import annotations

from relet.clock import DAY, HOUR
from relet.job.figures import COLUMNS, MINUTE, Figure
from relet.store.link import Link, Tx
from relet.store.measures import DepthRow, FigurePoint, FigureSum, News
from relet.store.queues import all_queues

KEEP_US = {MINUTE: 6 * HOUR, HOUR: 35 * DAY}
"""How long steps are kept, by their length."""

ALL_TIMES_US = 2**62
"""All times lie in the first span of this length."""

KEEP_DEPTH_US = DAY

KEEP_CHANGES_US = 400 * DAY


class Figures:
    """The verbs of figures, over any link."""

    _link: Link

    def add_figures(self, news: News) -> None:
        with self._link.write() as tx:
            self._may_be_lost(tx)
            tx.many(
                "figure_add",
                [
                    {"queue": queue, "task": task, **dict(zip(COLUMNS, row, strict=True))}
                    for (queue, task), row in sorted(news.rows.items())
                ],
            )
            tx.many("event_add", [{"event": event, "n": n} for event, n in sorted(news.events.items())])

    def take_depth(self, every_us: int, cap: int = 100_000) -> bool:
        with self._link.write() as tx:
            if not tx.run("done_claim", what="depth", every_us=every_us):
                return False
        with self._link.read() as tx:  # apart, for counting may take long, and a writer would keep others waiting
            now, queues = int(tx.all("session_now")[0][0]), all_queues(tx, cap)
        with self._link.write() as tx:
            self._may_be_lost(tx)
            tx.many(
                "depth_put",
                [
                    {
                        "queue": row.name,
                        "ready": row.ready,
                        "running": row.running,
                        "scheduled": row.scheduled,
                        "waiting": row.waiting,
                        "dead": row.dead,
                        "oldest_us": 0 if row.oldest_ready_at is None else max(0, now - row.oldest_ready_at),
                    }
                    for row in queues
                ],
            )
        return True

    def _may_be_lost(self, tx: Tx) -> None:
        """What this transaction writes need not survive a crash. Engines may know how to save time by that."""


class FigureReading:
    """What people see of figures, over any link."""

    _link: Link

    def figure_points(self, since_at: int, span_us: int, queue: str = "", task: str = "") -> list[FigurePoint]:
        step_us = HOUR if span_us % HOUR == 0 else MINUTE
        since_at = since_at // span_us * span_us
        with self._link.read() as tx:
            wanted = {"since_at": since_at, "queue": queue, "task": task}
            rows = tx.all("figure_rows", step_us=step_us, span_us=span_us, n=0, **wanted)
            return [FigurePoint(at, Figure(tuple(counts))) for at, _, _, *counts in rows]

    def figure_sums(self, since_at: int | None = None, queue: str = "") -> list[FigureSum]:
        with self._link.read() as tx:
            return sums(tx, since_at, queue)

    def event_counts(self) -> dict[str, int]:
        with self._link.read() as tx:
            return {event: int(n) for event, n in tx.all("event_counts")}

    def depths(self, since_at: int, queue: str = "") -> list[DepthRow]:
        with self._link.read() as tx:
            return [DepthRow(*row) for row in tx.all("depth_points", since_at=since_at // MINUTE * MINUTE, queue=queue)]


def sums(tx: Tx, since_at: int | None, queue: str = "") -> list[FigureSum]:
    """What was counted by queue and task, from minutes where these go back so far, from hours where not."""
    step_us = 0
    if since_at is not None:
        now = int(tx.all("session_now")[0][0])
        step_us = MINUTE if now - since_at <= KEEP_US[MINUTE] else HOUR
        since_at = since_at // step_us * step_us
    wanted = {"since_at": since_at or 0, "queue": queue, "task": ""}
    rows = tx.all("figure_rows", step_us=step_us, span_us=ALL_TIMES_US, n=1, **wanted)
    return [FigureSum(queue_of, task, Figure(tuple(counts))) for _, queue_of, task, *counts in rows]


def forget_figures(tx: Tx) -> None:
    """Remove what is too old."""
    for step_us, older_us in KEEP_US.items():
        tx.run("figure_prune", step_us=step_us, older_us=older_us)
    tx.run("depth_prune", older_us=KEEP_DEPTH_US)
    tx.run("health_prune", older_us=KEEP_CHANGES_US)
