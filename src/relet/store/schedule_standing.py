"""Gathers the facts from which `relet.job.why_schedule` explains why a schedule does not run now. One snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relet.job.breaker import queue_breaker, task_breaker
from relet.job.state import State
from relet.job.surroundings import Pause
from relet.job.why_limited import Line
from relet.job.why_schedule import LastFiring, Needed, ScheduleStanding
from relet.job.why_words import NAMED
from relet.store.link import Tx
from relet.store.listing import find
from relet.store.queues import settings_of
from relet.store.rows import FiringRow, ScheduleRow
from relet.store.schedule_reading import LATEST_AT, one
from relet.store.standing import closing_of, line_of, live_workers, pause_of, tripped

MOST_RUNS = 20
"""Runs that have not ended of which the state is looked up."""


def schedule_standing(tx: Tx, name: str) -> ScheduleStanding | None:
    """Everything that decides whether it runs now; None: there is none of this name."""
    row = one(tx, name)
    if row is None:
        return None
    queue = settings_of(tx, row.definition.queue)
    live = _runs(tx, row)
    return ScheduleStanding(
        schedule=row.definition,
        now=int(tx.all("session_now")[0][0]),
        progress=row.progress,
        unreadable=row.unreadable,
        disabled=_hold(row.disabled_at, row.disabled_by, row.disable_reason),
        paused=_hold(row.paused_at, row.paused_by, row.pause_reason),
        failures=row.failures,
        error=row.error or "",
        live=live,
        lines=tuple(_lines(tx, live)),
        making_up=row.making_up,
        needed=tuple(_needed(tx, each) for each in row.unmet),
        last=_last(tx, name),
        queue_paused=pause_of(queue),
        queue_closed=closing_of(queue),
        limit=queue.limit,
        workers=live_workers(tx, queue),
        breakers=tuple(tripped(tx, task_breaker(row.definition.task), queue_breaker(row.definition.queue))),
    )


def _hold(at: int | None, by: str | None, reason: str | None) -> Pause | None:
    return None if at is None else Pause(at, by or "", reason or "")


def _runs(tx: Tx, row: ScheduleRow) -> tuple[tuple[bytes, str], ...]:
    found = [(job_id, find(tx, job_id) if place < MOST_RUNS else None) for place, job_id in enumerate(row.live)]
    return tuple((job_id, "?" if job is None else job.state.value) for job_id, job in found)


def _lines(tx: Tx, live: Sequence[tuple[bytes, str]]) -> Iterator[tuple[bytes, Line]]:
    """Of the first runs that wait, those that stand before a limit."""
    waiting = [job_id for job_id, state in live if state == State.WAITING][:NAMED]
    found = ((job_id, line_of(tx, job_id)) for job_id in waiting)
    yield from ((job_id, line) for job_id, line in found if line is not None)


def _needed(tx: Tx, name: str) -> Needed:
    row = one(tx, name)
    return Needed(name, "" if row is None else row.state)


def _last(tx: Tx, name: str) -> LastFiring | None:
    found = [FiringRow(*row) for row in tx.all("firing_page", schedule=name, older_at=LATEST_AT, limit=1)]
    return LastFiring(found[0].due_at, found[0].job_id, found[0].cause, found[0].outcome) if found else None
