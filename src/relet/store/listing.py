"""Jobs as people see them: one row, whatever the state; pages by id, the newest first."""

from __future__ import annotations

from typing import Any

from relet.job.state import State
from relet.store.link import Link, Row, Tx
from relet.store.page import ANY_TEXT, ANY_TIME, FIRST_ID, LAST_ID, contains, page_size
from relet.store.records import LogLine, Usage
from relet.store.rows import AttemptRow, Found, JobFilter, JobRow, LeaseRow

MOST_ATTEMPTS = 1_000
MOST_USAGE = 10_000
ANY_STATE = "any"
THIS_ONE = "this"


class JobReading:
    """One job, many jobs, and what jobs left behind."""

    _link: Link

    def job(self, job_id: bytes) -> JobRow | None:
        with self._link.read() as tx:
            return find(tx, job_id)

    def jobs(self, wanted: JobFilter) -> list[JobRow]:
        if wanted.stuck_us is not None and wanted.state not in (None, State.RUNNING):
            return []
        with self._link.read() as tx:
            page = [_job(row) for row in tx.all("insight_jobs", **_conditions(wanted))]
        return sorted(page, key=lambda job: job.id, reverse=True)

    def window(self, before: bytes | None, count: int) -> bytes | None:
        with self._link.read() as tx:
            rows = tx.all("insight_window", before=before or LAST_ID, n=count)
            return rows[0][0] if rows else None

    def search(self, text: str, before: bytes | None = None, window: int = 1_000) -> Found:
        with self._link.read() as tx:
            rows = tx.all(
                "insight_search", error_like=contains(text), before=before or LAST_ID, limit=page_size(window)
            )
        ids = tuple(job_id for job_id, _, fits in rows if fits)
        if not rows:
            return Found(ids, None, None, 0)
        last, last_at, _ = rows[-1]
        return Found(ids, last if len(rows) == page_size(window) else None, int(last_at), len(rows))

    def attempts(self, job_id: bytes) -> list[AttemptRow]:
        with self._link.read() as tx:
            rows = tx.all("insight_attempts", job_id=job_id, limit=MOST_ATTEMPTS)
            return [AttemptRow(*row) for row in reversed(rows)]

    def logs(self, job_id: bytes, after: tuple[int, int], limit: int) -> list[LogLine]:
        with self._link.read() as tx:
            rows = tx.all("insight_logs", job_id=job_id, epoch=after[0], n=after[1], limit=page_size(limit))
            return [LogLine(*row) for row in rows]

    def usage(self, job_id: bytes, after: tuple[int, int] = (0, -1)) -> list[Usage]:
        with self._link.read() as tx:
            rows = tx.all("insight_usage", job_id=job_id, epoch=after[0], n=after[1], limit=MOST_USAGE)
            return [Usage(*row) for row in rows]

    def leases(self, limit: int = 1000) -> list[LeaseRow]:
        with self._link.read() as tx:
            return [_lease(row) for row in tx.all("insight_leases", limit=page_size(limit))]


def find(tx: Tx, job_id: bytes) -> JobRow | None:
    """One job, in an open transaction."""
    rows = tx.all("insight_jobs", **{**_conditions(JobFilter()), "state": THIS_ONE, "job_id": job_id})
    return _job(rows[0]) if rows else None


def _conditions(wanted: JobFilter) -> dict[str, Any]:
    stuck = wanted.stuck_us is not None
    return {
        "state": State.RUNNING.value if stuck else wanted.state.value if wanted.state else ANY_STATE,
        "task": wanted.task or ANY_TEXT,
        "queue": wanted.queue or ANY_TEXT,
        "worker": wanted.worker or ANY_TEXT,
        "created_after": ANY_TIME if wanted.created_after is None else wanted.created_after,
        "created_before": ANY_TIME if wanted.created_before is None else wanted.created_before,
        "stuck_us": wanted.stuck_us if wanted.stuck_us is not None else -1,
        "job_id": LAST_ID,
        "before": wanted.before or LAST_ID,
        "least": wanted.least or FIRST_ID,
        "limit": page_size(wanted.limit),
    }


def _job(row: Row) -> JobRow:
    found = JobRow(*row)
    return found._replace(state=State(found.state))


def _lease(row: Row) -> LeaseRow:
    found = LeaseRow(*row)
    return found._replace(expired=bool(found.expired))
