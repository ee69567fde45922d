"""Queues as people see them: settings, counts up to a cap, and how long the oldest has waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from relet.job.state import State
from relet.store.limits import limits_in
from relet.store.link import Link, Row, Tx
from relet.store.page import ANY_TEXT, LONGEST_PAGE
from relet.store.rows import QueueRow, ShareRow


class QueueReading:
    """Queues and counts. A count is exact below the cap; one that equals the cap means "at least"."""

    _link: Link

    def queues(self, cap: int = 100_000) -> list[QueueRow]:
        with self._link.read() as tx:
            return all_queues(tx, cap)

    def shares(self, queue: str, cap: int = 100_000) -> list[ShareRow]:
        with self._link.read() as tx:
            rows = tx.all("share_rows", queue=queue, cap=cap, limit=LONGEST_PAGE)
            return [ShareRow(tenant, int(weight), int(ready), oldest) for tenant, weight, ready, oldest in rows]

    def counts(self, cap: int = 100_000) -> dict[State, int]:
        with self._link.read() as tx:
            return count_states(tx, cap)


def count_states(tx: Tx, cap: int) -> dict[State, int]:
    """Jobs per state. Succeeded and cancelled ones are counted among the newest `cap` that ended."""
    waiting, scheduled, ready, running, dead = tx.all("count_pointers", cap=cap)[0]
    found = {
        State.WAITING: waiting,
        State.SCHEDULED: scheduled,
        State.READY: ready,
        State.RUNNING: running,
        State.DEAD: dead,
    }
    found |= {State(outcome): count for outcome, count in tx.all("count_finished", cap=cap)}
    return {state: int(found.get(state, 0)) for state in State}


def oldest_ready(tx: Tx) -> int | None:
    """Since when the ready job that has waited longest is ready, over all queues."""
    return min((at for at in _oldest(tx.all("queue_lanes", cap=0)).values()), default=None)


def settings_of(tx: Tx, queue: str) -> QueueRow:
    """One queue with its settings, and no counts."""
    found = _settings(tx, queue).get(queue, plain_queue(queue))
    return found._replace(limit=limits_in(tx, queue).get(queue))


def all_queues(tx: Tx, cap: int) -> list[QueueRow]:
    """Every queue that there is, by name."""
    settings, limits = _settings(tx, ANY_TEXT), limits_in(tx)
    lanes = tx.all("queue_lanes", cap=cap)
    ready, oldest = _sum(lanes), _oldest(lanes)
    waiting, scheduled, running, dead = (
        _sum(tx.all(f"queue_{table}", cap=cap)) for table in ("waiting", "scheduled", "running", "dead")
    )
    return [
        settings.get(name, plain_queue(name))._replace(
            ready=min(ready[name], cap),
            running=running[name],
            scheduled=scheduled[name],
            dead=dead[name],
            oldest_ready_at=oldest.get(name),
            limit=limits.get(name),
            waiting=waiting[name],
        )
        for name in sorted({*settings, *limits, *ready, *waiting, *scheduled, *running, *dead})
    ]


def _settings(tx: Tx, queue: str) -> dict[str, QueueRow]:
    return {row[0]: _with_settings(row) for row in tx.all("queue_settings", queue=queue)}


def _with_settings(row: Row) -> QueueRow:
    name, paused_at, paused_by, pause_reason, resume_at, closed_at, closed_by, close_reason = row
    closed = plain_queue(name)._replace(closed_at=closed_at, closed_by=closed_by, close_reason=close_reason)
    if paused_at is None:
        return closed
    return closed._replace(paused_at=paused_at, paused_by=paused_by, pause_reason=pause_reason, resume_at=resume_at)


def plain_queue(name: str) -> QueueRow:
    """One that nobody has used or said anything of."""
    return QueueRow(name, 0, 0, 0, 0, None, None, None, None, None, None, None, None)


def _sum(rows: Iterable[Row]) -> Counter[str]:
    total: Counter[str] = Counter()
    for queue, count, *_ in rows:
        total[queue] += int(count)
    return total


def _oldest(lanes: Iterable[Row]) -> dict[str, int]:
    oldest: dict[str, int] = {}
    for queue, _, *heads in lanes:
        for ready_at in heads:
            if ready_at is not None:
                oldest[queue] = min(ready_at, oldest.get(queue, ready_at))
    return oldest
