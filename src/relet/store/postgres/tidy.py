"""Forgetting: a day's partitions are dropped whole; only what does not fit into that is deleted row by row."""

from __future__ import annotations

from contextlib import suppress

from relet.clock import SECOND
from relet.errors import Contended
from relet.store.costs import forget_spending
from relet.store.figures import forget_figures
from relet.store.postgres.arrays import ids
from relet.store.postgres.link import PostgresLink
from relet.store.tidy import forget_batches, forget_gates, forget_tenants

PATIENCE_US = 600 * SECOND
"""Counting a day of jobs, and dropping it, may take so long. Nobody waits for it but the one who asked."""


def make_room(link: PostgresLink, older_us: int) -> None:
    """Make the partitions of the days to come. Until there are, their jobs go to the default one, and work as well.

    None is made for a day that ended longer ago than `older_us`: it would be dropped at once."""
    with suppress(Contended), link.write() as tx:
        tx.connection.execute(b"set local lock_timeout = '1s'")
        tx.all("ensure_partitions", older_us=older_us)


def retire(link: PostgresLink, older_us: int) -> int:
    """Drop the oldest day, if it ended so long ago; how many jobs were forgotten. Busy tables: none, next time."""
    with suppress(Contended), link.write() as tx, tx.connection.patience(PATIENCE_US):
        tx.connection.execute(b"set local statement_timeout = 0")
        forgotten: int | None = tx.all("retire", older_us=older_us)[0][0]
        return forgotten or 0
    return 0


def sweep(link: PostgresLink, limit: int) -> None:
    """Remove some of the history that dropped days have left."""
    with link.write() as tx:
        tx.all("sweep_retired", limit=limit)


def prune_rows(link: PostgresLink, finished_older_us: int, dead_older_us: int, limit: int) -> int:
    """Delete what no dropped day takes along: at most `limit` jobs. Returns how many."""
    with link.write() as tx:
        old = tx.all("prune_finished", older_us=finished_older_us, limit=limit)
        old += tx.all("prune_dead", older_us=dead_older_us, limit=limit - len(old))
        if old:
            old = tx.all("erase_hold", gone_ids=ids([job_id for (job_id,) in old]))
            tx.run("erase_jobs", gone_ids=ids([job_id for (job_id,) in old]))
        forget_batches(tx, finished_older_us, limit)
        forget_gates(tx, limit)
        tx.run("prune_controls")
        tx.run("prune_sessions", older_us=finished_older_us)
        tx.run("prune_firings", older_us=finished_older_us)
        forget_tenants(tx)
        forget_spending(tx)
        forget_figures(tx)
        return len(old)
