"""Children and parents find each other: a child that came later than its parent marks it, or learns how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from relet.errors import Contended
from relet.job.state import State
from relet.store.aftermath import (
    FAILED,
    GONE,
    Moved,
    aftermath,
    close_batches,
    let_go,
    lock_children,
    resolve,
    tell_children,
)
from relet.store.drive import drive
from relet.store.link import Link, Row, Tx
from relet.store.records import Mended
from relet.store.script import Step, Steps

LOOKS = 10
"""How often parents are looked for that move on each time before it gives up as Contended."""

_WAY = ("tie_running", "tie_waiting", "tie_scheduled", "tie_ready")


class Ties:
    """The verbs of dependencies, over any link."""

    _link: Link

    def tie(self, limit: int) -> int:
        with self._link.write() as tx:
            untold = [job_id for (job_id,) in tx.all("tie_untold", limit=limit)]
            if untold:
                _tie(tx, untold)
            return len(untold)

    def mend(self, after: bytes, limit: int) -> Mended:
        with self._link.read() as tx:
            page = tx.all("mend_page", past=after, limit=limit)
            if not page:
                return Mended((), None)
            last: bytes = page[0][0]
            wrong = [job_id for (job_id,) in tx.all("mend_waiting", past=after, least=last)]
        if wrong:
            with self._link.write() as tx:
                drive(tx, lock_children(wrong))
                tx.many("mend_count", [{"job_id": job_id} for job_id in sorted(wrong)])
                _tie(tx, sorted(wrong))
        return Mended(tuple(wrong), last)

    def mend_batch(self, after: bytes) -> Mended:
        with self._link.write() as tx:
            found = tx.all("mend_batches", past=after)
            if not found:
                return Mended((), None)
            batch: bytes = found[0][0]
            return Mended((batch,) if _recount(tx, batch) else (), batch)


def _tie(tx: Tx, untold: Sequence[bytes]) -> None:
    edges = tx.each("tie_edges", [{"job_id": job_id} for job_id in untold])
    outcomes = _mark(tx, {parent for _, parent in edges})
    ended = [
        {"child_id": child, "parent_id": parent, "outcome": outcomes[parent]}
        for child, parent in edges
        if parent in outcomes
    ]
    drive(tx, _told(untold, sorted(ended, key=lambda row: (row["child_id"], row["parent_id"]))))


def _told(untold: Sequence[bytes], ended: Sequence[dict[str, Any]]) -> Steps[None]:
    flags = yield from lock_children(untold, "tie_lock")
    mine = [row for row in ended if row["child_id"] in flags]
    edges: list[Row] = (yield Step("tie_end", mine, fetch=True)) if mine else []
    moves: list[Moved] = yield from resolve(edges, flags)
    rows = [{"job_id": job_id} for job_id in sorted(flags)]
    left: list[Row] = (yield Step("tie_told", rows, fetch=True)) if rows else []
    moves += yield from let_go({job_id: flags[job_id] for job_id, count in left if count <= 0})
    yield from aftermath(moves)


def _mark(tx: Tx, parents: Iterable[bytes]) -> dict[bytes, str]:
    """Mark those of these jobs that have not ended; how the others have ended.

    Their pointers are looked for in the order of their way, each time with a snapshot of its own, until all are found."""
    left, outcomes = set(parents), dict[bytes, str]()
    for _ in range(LOOKS):
        for name in _WAY:
            left -= {job_id for (job_id,) in _each(tx, name, left)}
        outcomes |= _ends(tx, left)
        left -= outcomes.keys()
        left -= {batch for batch, ended_at, _ in _each(tx, "tie_batch", left) if ended_at is None}
        if not left:
            return outcomes
        gone = left - {job_id for (job_id,) in _each(tx, "tie_job", left)}
        outcomes |= dict.fromkeys(gone, GONE)
        left -= gone
    raise Contended(
        "Jobs that others wait for moved each time they were looked for. Nothing was changed; repeat the call."
    )


def _ends(tx: Tx, left: set[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = dict(_each(tx, "tie_finished", left))  # type: ignore[arg-type]  # two columns
    found |= {job_id: State.DEAD.value for (job_id,) in _each(tx, "tie_dead", left - found.keys())}
    for batch, ended_at, failures in _each(tx, "tie_batch", left - found.keys()):
        if ended_at is not None:
            found[batch] = FAILED if failures else State.SUCCEEDED.value
    return found


def _each(tx: Tx, name: str, parents: Iterable[bytes]) -> list[Row]:
    rows = [{"parent_id": parent} for parent in sorted(parents)]
    return tx.each(name, rows) if rows else []


def _recount(tx: Tx, batch: bytes) -> bool:
    """Count anew how the jobs of an open batch stand. False: all is well."""
    if not tx.all("mend_lock", batch_id=batch):
        return False
    live, dead, cancelled, counted = tx.all("mend_members", batch_id=batch)[0]
    if live == counted and live > 0:
        return False
    tx.run("mend_counts", batch_id=batch, done=live, dead=dead, cancelled=cancelled)
    drive(tx, _closed(batch))
    return True


def _closed(batch: bytes) -> Steps[None]:
    closed = yield from close_batches([batch])
    if closed:
        yield from aftermath((yield from tell_children(closed)))
