"""Children and parents find each other: a child that came later than its parent marks it, or learns how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from relet.clock import jitter, pause
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
from relet.store.gates import free_marked
from relet.store.link import Link, Row, Tx
from relet.store.records import Mended
from relet.store.script import Step, Steps

LOOKS = 3
"""How often a parent is looked for that moves on each time, before it is left for later."""

WAITS_US = (5_000, 25_000)
"""After so long, children are looked at again whose parents were busy; then it is left to the chore."""

_WAY = ("tie_running", "tie_waiting", "tie_scheduled", "tie_ready")


class Ties:
    """The verbs of dependencies, over any link."""

    _link: Link

    def tie(self, limit: int) -> int:
        found, busy = self._tie(limit)
        for wait_us in WAITS_US:
            if not busy:
                break
            pause(jitter().uniform(wait_us / 2, wait_us))
            _, busy = self._tie(limit)
        return found

    def _tie(self, limit: int) -> tuple[int, bool]:
        with self._link.write() as tx:
            untold = [job_id for (job_id,) in tx.all("tie_untold", limit=limit)]
            busy = bool(untold) and _tie(tx, untold)
            marked = tx.all("slots_marked", limit=limit)
        if marked:  # of its own: no pointer is held
            with self._link.write() as tx:
                drive(tx, free_marked(marked))
        return len(untold), busy

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


def _tie(tx: Tx, untold: Sequence[bytes]) -> bool:
    """Tie these jobs; whether some had to be left for later."""
    edges = tx.each("tie_edges", [{"job_id": job_id} for job_id in untold])
    outcomes, busy = _mark(tx, {parent for _, parent in edges})
    late = {child for child, parent in edges if parent in busy}
    ended = [
        {"child_id": child, "parent_id": parent, "outcome": outcomes[parent]}
        for child, parent in edges
        if parent in outcomes and child not in late
    ]
    going = [job_id for job_id in untold if job_id not in late]
    drive(tx, _told(going, sorted(ended, key=lambda row: (row["child_id"], row["parent_id"]))))
    return bool(late)


def _told(untold: Sequence[bytes], ended: Sequence[dict[str, Any]]) -> Steps[None]:
    flags = yield from lock_children(untold, "tie_lock")
    mine = [row for row in ended if row["child_id"] in flags]
    edges: list[Row] = (yield Step("tie_end", mine, fetch=True)) if mine else []
    moves: list[Moved] = yield from resolve(edges, flags)
    rows = [{"job_id": job_id} for job_id in sorted(flags)]
    left: list[Row] = (yield Step("tie_told", rows, fetch=True)) if rows else []
    moves += yield from let_go({job_id: flags[job_id] for job_id, count in left if count <= 0})
    yield from aftermath(moves)


def _mark(tx: Tx, parents: set[bytes]) -> tuple[dict[bytes, str], set[bytes]]:
    """Mark those of these jobs that have not ended; how the others have ended, and those that somebody else holds.

    Batches are waited for, first, when nothing else is held: each of their jobs that ends holds them for a moment. Nobody else
    is: what holds a parent now may want one of the others, or keep it for as long as a caller's transaction is open.
    Pointers are looked for in the order of their way, each time with a snapshot of its own."""
    batches = _each(tx, "tie_batch", parents)
    outcomes: dict[bytes, str] = {
        batch: FAILED if failures else State.SUCCEEDED.value
        for batch, ended_at, failures in batches
        if ended_at is not None
    }
    left = parents - {batch for batch, *_ in batches}
    for _ in range(LOOKS):
        for name in _WAY:
            left -= {job_id for (job_id,) in _each(tx, name, left)}
        outcomes |= dict(_each(tx, "tie_finished", left))  # type: ignore[arg-type]  # two columns
        left -= outcomes.keys()
        outcomes |= {job_id: State.DEAD.value for (job_id,) in _each(tx, "tie_dead", left)}
        left -= outcomes.keys()
        gone = left - {job_id for (job_id,) in _each(tx, "tie_job", left)}
        outcomes |= dict.fromkeys(gone, GONE)
        left -= gone
        if not left:
            break
    return outcomes, left


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
