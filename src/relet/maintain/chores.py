"""Chores of one shape: a name, how often, and a run that says when to run next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from relet.clock import DAY, MS, SECOND
from relet.events import Emitter
from relet.store.port import Store
from relet.store.records import Reclaimed
from relet.store.rows import SessionRow

LOOK_US = 250 * MS
BATCH = 500
ONCE_US = 7 * DAY
"""How long keys of requests are remembered."""
MOST_BATCHES = 20
"""Batches in one run; more after a breath, so that one chore does not hold up the others."""


class Chore(Protocol):
    """Something that any worker does for all, whoever comes first. Harmless when done twice, or by two at once."""

    @property
    def name(self) -> str: ...
    @property
    def every_us(self) -> int: ...

    def run(self, store: Store) -> int | None:
        """Do it; returns in how long to do it again, None: `every_us`. Raises what the store raises."""
        ...


class Work(Protocol):
    """How a chore says that there is work now."""

    def __call__(self, *, again: bool) -> None:
        """`again`: it stands before places that were passed already."""
        ...


class Reclaim:
    """End the sessions whose lease has lapsed, and give back what they held.

    A worker that could not renew for a while itself does not judge: the store may have been away for all. It renews, waits
    for a heartbeat, in which the others can do the same, and looks again.
    """

    name = "reclaim"

    def __init__(
        self,
        lease_us: int,
        heartbeat_us: int,
        fresh: Callable[[], bool],
        renew: Callable[[], None],
        work: Work,
        emit: Emitter,
    ) -> None:
        self.every_us = max(100 * MS, min(5 * SECOND, lease_us // 4))
        self._heartbeat_us = heartbeat_us
        self._fresh = fresh
        self._renew = renew
        self._work = work
        self._emit = emit
        self._waits = False

    def run(self, store: Store) -> int | None:
        if not self._fresh():
            self._renew()
            self._waits = True
            return min(self._heartbeat_us, self.every_us)
        if self._waits:
            self._waits = False
            return self._heartbeat_us
        tell(store.reclaim_expired(), "its lease has lapsed", self._work, self._emit)
        return None


class Neighbours:
    """End the sessions of processes of this host that are gone: noticed by their locks, long before their lease lapses."""

    name = "neighbours"
    every_us = SECOND

    def __init__(
        self,
        free: Callable[[], list[bytes]],
        dead: Callable[[Sequence[SessionRow]], list[SessionRow]],
        forget: Callable[[bytes], None],
        work: Work,
        emit: Emitter,
    ) -> None:
        self._free = free
        self._dead = dead
        self._forget = forget
        self._work = work
        self._emit = emit
        self._strangers: set[bytes] = set()
        """Free locks that belong to no session of this store."""

    def run(self, store: Store) -> int | None:
        free = set(self._free()) - self._strangers
        if not free:
            return None
        rows = store.insights.sessions()
        for row in self._dead(rows):
            cause = f"its process {row.pid} is gone"
            ended = store.reclaim(row.id, cause)
            self._forget(row.id)
            tell([ended] if ended is not None else [], cause, self._work, self._emit)
        self._strangers |= free - {row.id for row in rows}
        return None


class Promote:
    """Make due jobs ready, and let queues whose pause has an end go on.

    Sleeps until the next one is due. A job that is put off for less than that meanwhile is found by a look four times a second:
    one read. The rest is done when something is due, and once per `poll_us`.
    """

    name = "promote"

    def __init__(self, poll_us: int, work: Work) -> None:
        self.every_us = min(poll_us, LOOK_US)
        self._poll_us = poll_us
        self._work = work
        self._promoted_at = -(2**62)

    def run(self, store: Store) -> int | None:
        now, due = store.now(), store.next_due()
        if (due is None or due > now) and 0 <= now - self._promoted_at < self._poll_us:
            return self._until(due, now)
        self._promoted_at = now
        for _ in range(MOST_BATCHES):
            found = sum(count for _, count in store.promote(BATCH))
            if found:
                self._work(again=False)
            if found < BATCH:
                return self._until(store.next_due(), store.now())
        return MS

    def _until(self, due: int | None, now: int) -> int:
        return self.every_us if due is None else max(MS, min(self.every_us, due - now))


class HonourCancels:
    """End what was asked to be cancelled while it ran and has been put off since: not only when it is due again."""

    name = "honour cancels"
    every_us = SECOND

    def run(self, store: Store) -> int | None:
        return MS if store.honour_cancels(BATCH) == BATCH else None


class Tie:
    """Let jobs that came after others be known to these: those that were written in a transaction of their producer's own."""

    name = "tie"
    every_us = SECOND

    def run(self, store: Store) -> int | None:
        for _ in range(MOST_BATCHES):
            if store.tie(BATCH) < BATCH:
                return None
        return MS


class Mend:
    """Prove that what waits waits for something that has not ended or has no room yet, and that who takes the room is there,
    a page after the other; repair what does not.

    It never should have to: each repair is told as an alarm."""

    name = "mend"
    every_us = 60 * SECOND

    def __init__(self, work: Work, emit: Emitter) -> None:
        self._work = work
        self._emit = emit
        self._job = self._batch = self._slot = _FIRST

    def run(self, store: Store) -> int | None:
        jobs = store.mend(self._job, BATCH)
        batch = store.mend_batch(self._batch)
        slots = store.mend_slots(self._slot, BATCH)
        self._job, self._batch, self._slot = jobs.last or _FIRST, batch.last or _FIRST, slots.last or _FIRST
        for job_id in (*jobs.repaired, *slots.repaired):
            self._emit("job.mended", job=job_id.hex())
        for batch_id in batch.repaired:
            self._emit("batch.mended", batch=batch_id.hex())
        if jobs.repaired or batch.repaired or slots.repaired:
            self._work(again=False)
        return None if jobs.last is None and slots.last is None else SECOND


_FIRST = bytes(16)


class Prune:
    """Forget what ended long ago."""

    name = "prune"
    every_us = 60 * SECOND

    def __init__(self, keep_finished_us: int, keep_dead_us: int) -> None:
        self._finished_us = keep_finished_us
        self._dead_us = keep_dead_us

    def run(self, store: Store) -> int | None:
        for _ in range(MOST_BATCHES):
            if store.prune(self._finished_us, self._dead_us, BATCH) < BATCH:
                return None
        return SECOND


class PruneDoors:
    """Forget what people did long ago, and who has been in."""

    name = "prune-doors"
    every_us = 600 * SECOND

    def __init__(self, keep_audit_us: int, id_at: Callable[[int], bytes]) -> None:
        self._keep_us = keep_audit_us
        self._id_at = id_at

    def run(self, store: Store) -> int | None:
        before = self._id_at(max(0, store.now() - self._keep_us))
        return SECOND if store.prune_doors(before, ONCE_US, BATCH) >= BATCH else None


class Backlog:
    """Close queues in which too many jobs wait, until fewer do: a job that enqueues itself twice would go on for ever.

    What a person has closed, or opens again, is the person's: an opened one is closed again when it is found full again.
    """

    name = "backlog"
    every_us = 5 * SECOND
    BY = "max_backlog"

    def __init__(self, most: int, emit: Emitter) -> None:
        self._most = most
        self._again = most * 9 // 10
        self._emit = emit

    def run(self, store: Store) -> int | None:
        for queue in store.insights.queues(self._most):
            waiting = queue.ready + queue.scheduled
            if waiting >= self._most and queue.closed_at is None:
                reason = f"{self._most:,} jobs wait in it; it opens by itself below {self._again:,}"
                if store.close_open_queue(queue.name, self.BY, reason):
                    self._emit("queue.full", queue=queue.name, most=self._most)
            elif waiting < self._again and queue.closed_by == self.BY and store.reopen_queue(queue.name, self.BY):
                self._emit("queue.open", queue=queue.name, waiting=waiting)
        return None


def tell(ended: Sequence[Reclaimed], cause: str, work: Work, emit: Emitter) -> None:
    """Say which sessions were ended, and that their jobs are there again."""
    for one in ended:
        emit(
            "session.reclaimed",
            worker=one.worker,
            cause=cause,
            returned=one.returned,
            dead=one.dead,
            cancelled=one.cancelled,
            session=one.session_id.hex(),
        )
    if any(one.returned for one in ended):
        work(again=True)
