"""How jobs hang together, as people see it: parents, children, batches."""

from __future__ import annotations

from relet.store.link import Link, Row, Tx
from relet.store.page import ANY_TEXT, LAST_ID, page_size
from relet.store.rows import BatchRow, EdgeRow, ParentRow

FIRST_ID = bytes(16)


class BondReading:
    """Edges and batches."""

    _link: Link

    def parents(self, job_id: bytes, limit: int = 100) -> list[EdgeRow]:
        with self._link.read() as tx:
            return parents_of(tx, job_id, limit)

    def children(self, node_id: bytes, limit: int = 100) -> list[EdgeRow]:
        with self._link.read() as tx:
            return [_edge(row) for row in tx.all("insight_children", job_id=node_id, limit=page_size(limit))]

    def results(self, job_id: bytes) -> list[ParentRow]:
        with self._link.read() as tx:
            return [ParentRow(*row) for row in tx.all("insight_results", job_id=job_id)]

    def batch(self, batch_id: bytes) -> BatchRow | None:
        with self._link.read() as tx:
            found = tx.all("insight_batch", batch_id=batch_id)
            return BatchRow(*found[0]) if found else None

    def batches(
        self, label: str = "", only_open: bool = False, before: bytes | None = None, limit: int = 50
    ) -> list[BatchRow]:
        state = "open" if only_open else ANY_TEXT
        with self._link.read() as tx:
            rows = tx.all("insight_batches", label=label, state=state, before=before or LAST_ID, limit=page_size(limit))
            return [BatchRow(*row) for row in rows]

    def members(self, batch_id: bytes, state: str = "", after: bytes | None = None, limit: int = 50) -> list[bytes]:
        past = after or FIRST_ID
        with self._link.read() as tx:
            rows = tx.all("insight_members", batch_id=batch_id, state=state, past=past, limit=page_size(limit))
            return [job_id for (job_id,) in rows]


def parents_of(tx: Tx, job_id: bytes, limit: int) -> list[EdgeRow]:
    """What a job comes after, in an open transaction."""
    return [_edge(row) for row in tx.all("insight_parents", job_id=job_id, limit=page_size(limit))]


def edges_of(tx: Tx, job_id: bytes) -> tuple[int, int]:
    """How many edges a job has, and how many of them are open."""
    total, left = tx.all("insight_edges", job_id=job_id)[0]
    return int(total), int(left)


def _edge(row: Row) -> EdgeRow:
    found = EdgeRow(*row)
    return found._replace(hold=bool(found.hold), is_batch=bool(found.is_batch))
