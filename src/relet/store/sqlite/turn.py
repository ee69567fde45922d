"""The turn's hot part on SQLite, for many jobs at a time: successes out of `running`, claims into it.

On rows and not on claims, so that the benchmarks can run the very same statements with nothing around them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from relet.job.job import Claim, Counters
from relet.store.link import Row
from relet.store.records import Lane, Want
from relet.store.sqlite.link import SqliteTx

_FRESH = Counters()

Ending = tuple[bytes, int, str | None]
"""Job, epoch, result of a claim that has succeeded."""


def finish(tx: SqliteTx, session_id: bytes, endings: Sequence[Ending]) -> bool:
    """running -> succeeded. No job may be there twice. False: not all of these claims stand; those that do have their row in
    `finished` now, and are still to be deleted from `running`."""
    stood = tx.each_row("succeed_finished", endings, tx.clocks["now_us"], session_id)
    if stood < len(endings):
        return False
    tx.each_row("succeed_running", [ending[:1] for ending in endings])
    return True


def takeable(want: Want, now: int) -> dict[str, Any]:
    """What the worker may take, as parameters."""
    return {
        "tasks": json.dumps(want.tasks),
        "offers": json.dumps(want.offers),
        "ready_before": now - want.younger_than_us if want.younger_than_us is not None else 2**62,
    }


def take(
    tx: SqliteTx, session_id: bytes, lane: Lane, limit: int, may: dict[str, Any], now: int, counted: int | None = None
) -> list[Row]:
    """ready -> running, from one lane, in order. Most lanes of most turns are empty: a probe tells so for little. `counted`: 1
    for slots of a limited queue."""
    if not tx.driver.execute(tx.sql("lane_any"), lane):
        return []
    queue, rank, after = lane
    rows = tx.all("claim_lane", queue=queue, rank=rank, after=after, limit=limit, **may)
    if not rows:
        return rows
    seqs = [row[3] for row in rows]
    gaps = seqs[-1] - seqs[0] >= len(seqs)
    places: dict[str, Any] = {"queue": queue, "rank": rank, "first": seqs[0], "last": seqs[-1]}
    places["seqs"] = json.dumps(seqs) if gaps else None
    tx.run("claim_running", session_id=session_id, claimed_at=now, counted=counted, **places)
    tx.run("claim_taken", **places)
    lost = [row for row in rows if row[11] is None]
    if lost:  # let to nobody
        tx.many("settle_running", [{"job_id": row[0], "session_id": session_id, "epoch": row[1]} for row in lost])
        rows = [row for row in rows if row[11] is not None]
    return rows


def claims_of(lane: Lane, rows: Sequence[Row], now: int) -> list[Claim]:
    """The rows that were taken, as claims."""
    queue, rank, _ = lane
    made: list[Claim] = []
    for row in rows:
        job_id, epoch, task, seq, flags, attempt, crashes, suspicions, releases, args, options, created_at, ready_at = (
            row
        )
        fresh = not (attempt or crashes or suspicions or releases)
        counters = _FRESH if fresh else Counters(attempt, crashes, suspicions, releases)
        fields = (
            job_id,
            epoch,
            task,
            queue,
            rank,
            seq,
            flags,
            counters,
            args,
            options,
            created_at,
            now,
            None,
            ready_at,
        )
        made.append(Claim._make(fields))
    return made
