"""Gathers the facts from which `relet.job.why` explains why a job does not run now. One snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from relet.job.breaker import queue_breaker, task_breaker
from relet.job.state import State
from relet.job.surroundings import Closed, Lease, LiveWorker, Pause
from relet.job.waits import NAMED, Bond
from relet.job.why import Standing
from relet.job.why_held import Tripped
from relet.job.why_limited import Line
from relet.job.why_shared import Share
from relet.store.bonds import edges_of, parents_of
from relet.store.breakers import one
from relet.store.budgets import used_up
from relet.store.gate_reading import gate_rows
from relet.store.link import Tx
from relet.store.listing import find
from relet.store.options import options_of
from relet.store.page import LONGEST_PAGE
from relet.store.queues import settings_of
from relet.store.rows import JobRow, QueueRow, SessionRow

MOST_AHEAD = 10_000


def session_rows(tx: Tx, ended_within_us: int) -> list[SessionRow]:
    """The registry, in an open transaction."""
    rows = tx.all("insight_sessions", ended_within_us=ended_within_us, limit=LONGEST_PAGE)
    return [row._replace(live=bool(row.live), held=int(row.held)) for row in (SessionRow(*row) for row in rows)]


def standing(tx: Tx, job_id: bytes) -> Standing | None:
    """Everything that decides whether the job can run now; None: there is no such job."""
    job = find(tx, job_id)
    if job is None:
        return None
    queue = settings_of(tx, job.queue)
    put_off_by = [name for (name,) in tx.all("why_put_off", job_id=job_id)]
    return Standing(
        **_facts(job),
        **_pointer(tx, job),
        now=int(tx.all("session_now")[0][0]),
        paused=pause_of(queue),
        closed=closing_of(queue),
        limit=queue.limit,
        breakers=tuple(tripped(tx, task_breaker(job.task), queue_breaker(job.queue), *put_off_by)),
        put_off_by="".join(put_off_by),
        workers=live_workers(tx, queue),
    )


def _facts(job: JobRow) -> dict[str, Any]:
    options = options_of(job.options)
    return {
        "job_id": job.id,
        "task": job.task,
        "queue": job.queue,
        "state": job.state,
        "needs": tuple(json.loads(job.needs)) if job.needs else (),
        "attempt": job.attempt,
        "suspicions": job.suspicions,
        "max_attempts": options.max_attempts,
        "expires_at": _after(job, options.expires_us) if job.epoch == 0 else None,
        "deadline_at": _after(job, options.deadline_us),
        "run_at": job.run_at,
        "worker": job.worker,
        "ended_at": job.ended_at,
        "error": job.error or "",
        "cancel_asked": job.cancel_asked,
        "fire": options.fire,
    }


def _after(job: JobRow, us: int | None) -> int | None:
    return None if us is None else job.created_at + us


def _pointer(tx: Tx, job: JobRow) -> dict[str, Any]:
    """What only the present state has to tell."""
    if job.state is State.RUNNING:
        return {"lease": _lease(tx, job.id)}
    if job.state is State.DEAD:
        reason, resolved = tx.all("why_dead", job_id=job.id)[0]
        return {"dead_reason": reason, "resolved": bool(resolved)}
    if job.state is State.WAITING:
        return _bonds(tx, job.id) | {"line": line_of(tx, job.id)}
    last = tx.all("why_last", job_id=job.id)
    facts = {"last_ended": last[0][0] if last else ""}
    if job.state is not State.READY:
        return facts
    ready_at, ahead = tx.all("why_ahead", job_id=job.id, cap=MOST_AHEAD)[0]
    share = [
        Share(tenant, weight, int(own)) for tenant, weight, own in tx.all("why_share", job_id=job.id, cap=MOST_AHEAD)
    ]
    ahead_of_it = {"ahead": int(ahead), "ahead_capped": ahead >= MOST_AHEAD}
    return {**facts, "ready_at": ready_at, **ahead_of_it, "share": share[0] if share else None}


def _bonds(tx: Tx, job_id: bytes) -> dict[str, Any]:
    total, left = edges_of(tx, job_id)
    found = [edge for edge in parents_of(tx, job_id, NAMED) if edge.outcome is None]
    bonds = tuple(Bond(edge.parent_id, edge.name or "", edge.is_batch, edge.state or "gone") for edge in found)
    return {"bonds": bonds, "bonds_left": left, "bonds_total": total}


def line_of(tx: Tx, job_id: bytes) -> Line | None:
    """Where a job stands in line before a limit by name and key; None: it does not."""
    found = tx.all("why_line", job_id=job_id, cap=MOST_AHEAD)
    if not found:
        return None
    name, key, ahead = found[0]
    (gate,) = gate_rows(tx, [(name, key)])
    holders = tx.all("why_holders", limit_name=name, key=key, limit=NAMED)
    named = tuple((UUID(bytes=holder), task) for holder, task in holders)
    facts = (
        gate.passed,
        gate.used,
        gate.paused_until,
        gate.opens_at,
        gate.declared,
        named,
        tuple(used_up(tx, name, key)),
    )
    return Line(name, key, gate.rule, int(ahead), ahead >= MOST_AHEAD, *facts)


def _lease(tx: Tx, job_id: bytes) -> Lease:
    worker, claimed_at, renewed_at, lease_us, live = tx.all("why_session", job_id=job_id)[0]
    return Lease(worker, claimed_at, renewed_at, lease_us or 0, bool(live))


def pause_of(queue: QueueRow) -> Pause | None:
    """The pause of a queue."""
    if queue.paused_at is None:
        return None
    return Pause(queue.paused_at, queue.paused_by or "", queue.pause_reason or "", queue.resume_at)


def tripped(tx: Tx, *names: str) -> Iterator[Tripped]:
    """Those of these breakers that are not closed."""
    for name in names:
        row = one(tx, name)
        if row is not None and row.status.opened_at is not None:
            yield Tripped(name, row.rule, row.status, row.changed_by, row.out)


def closing_of(queue: QueueRow) -> Closed | None:
    """That it takes no new jobs."""
    if queue.closed_at is None:
        return None
    return Closed(queue.closed_at, queue.closed_by or "", queue.close_reason or "")


def live_workers(tx: Tx, queue: QueueRow) -> tuple[LiveWorker, ...]:
    """The workers that live, and how much of the queue each holds."""
    by_session = {} if queue.limit is None else queue.limit.by_session
    return tuple(live_worker(row, by_session.get(row.id, 0)) for row in session_rows(tx, 0) if row.live)


def live_worker(row: SessionRow, of_queue: int = 0) -> LiveWorker:
    """A session that lives, as what can run jobs."""
    return LiveWorker(
        row.worker,
        frozenset(json.loads(row.queues)),
        frozenset(json.loads(row.tasks)),
        frozenset(json.loads(row.offers)),
        row.slots,
        row.held,
        row.tier,
        row.verb,
        of_queue,
    )
