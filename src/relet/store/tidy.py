"""Chores on the store: what is due becomes ready, as far as limits go; what is old is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from relet.clock import SECOND
from relet.job.job import Flag
from relet.job.state import State
from relet.store.aftermath import Moved, aftermath
from relet.store.breakers import bring_back
from relet.store.costs import forget_spending
from relet.store.drive import drive
from relet.store.figures import forget_figures
from relet.store.link import Link, Row, Tx

IDLE_US = 3600 * SECOND
"""A tenant that had no new jobs for so long, and has none, is forgotten."""

_ERASE = (
    "erase_finished",
    "erase_dead",
    "erase_attempts",
    "erase_logs",
    "erase_usage",
    "erase_control",
    "erase_edges",
    "erase_job",
)

_GATED = int(Flag.GATED)


class Tidy:
    """The chores' verbs, over any link."""

    _link: Link

    def promote(self, limit: int) -> list[tuple[str, int]]:
        with self._link.write() as tx:
            tx.all("resume_due")
            tx.run("reopen_due")
            bring_back(tx, limit)
            promoted = self._promote(tx, limit)
            queues = Counter(queue for queue, _, flags in promoted if not flags & _GATED)
            moves = [Moved(job_id, flags, State.WAITING) for _, job_id, flags in promoted if flags]
            queues += drive(tx, aftermath(moves, tx.all("gate_due", limit=limit)))
            return sorted(queues.items())

    def _promote(self, tx: Tx, limit: int) -> list[Row]:
        """(queue, None, 0) of each that is ready, (queue, id, flags) of each that has yet to pass its limits or to get a place.
        Engines may have a shorter way."""
        promoted = tx.all("promote_due", limit=limit) + tx.all("promote_special", limit=limit)
        if promoted:
            tx.run("promote_clear")
        return promoted

    def next_due(self) -> int | None:
        with self._link.read() as tx:
            due: int | None = tx.all("promote_next")[0][0]
            return due

    def prune(self, finished_older_us: int, dead_older_us: int, limit: int) -> int:
        with self._link.write() as tx:
            old = tx.all("prune_finished", older_us=finished_older_us, limit=limit)
            old += tx.all("prune_dead", older_us=dead_older_us, limit=limit - len(old))
            erase(tx, [job_id for (job_id,) in old])
            forget_batches(tx, finished_older_us, limit)
            forget_gates(tx, limit)
            tx.run("prune_controls")
            tx.run("prune_sessions", older_us=finished_older_us)
            tx.run("prune_firings", older_us=finished_older_us)
            forget_tenants(tx)
            forget_spending(tx)
            forget_figures(tx)
            return len(old)


def erase(tx: Tx, job_ids: Sequence[bytes]) -> None:
    """Remove every trace of these jobs, which must have ended."""
    rows = [{"job_id": job_id} for job_id in job_ids]
    if rows:
        for name in _ERASE:
            tx.many(name, rows)


def forget_tenants(tx: Tx) -> None:
    """Remove what is known of tenants that had no jobs for long; a queue of which all are forgotten is shared no more."""
    tx.run("prune_shares", idle_us=IDLE_US)
    tx.run("prune_fair")


def forget_batches(tx: Tx, older_us: int, limit: int) -> None:
    """Remove batches that ended so long ago, at most `limit` of them."""
    rows = [{"batch_id": batch} for (batch,) in tx.all("prune_batches", older_us=older_us, limit=limit)]
    if rows:
        for name in ("erase_members", "erase_batch"):
            tx.many(name, rows)


def forget_gates(tx: Tx, limit: int) -> None:
    """Remove keys of limits that nobody has to do with any more, at most `limit` of them."""
    rows = [{"limit_name": name, "key": key} for name, key in tx.all("prune_gates", limit=limit)]
    if rows:
        gone = [{"limit_name": name, "key": key} for name, key in tx.each("erase_gate", rows)]
        tx.many("erase_tallies", gone)
