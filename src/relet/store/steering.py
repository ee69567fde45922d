"""What people steer: cancel and delete jobs, pause, close and purge queues, ask workers to go."""

from __future__ import annotations

from relet.clock import Clock
from relet.errors import Contended
from relet.job.state import State
from relet.job.textsafe import storable
from relet.store.aftermath import Moved, aftermath
from relet.store.contention import repeated
from relet.store.dead import DeadLetters
from relet.store.drive import drive
from relet.store.link import Link, Tx
from relet.store.tidy import erase

LOOKS = 10
"""How often a cancel looks for a pointer that moves away each time before it gives up as Contended."""


WAITS = (State.WAITING, State.SCHEDULED, State.READY)
"""Where a job stands that does not run, in the order of its way."""


class Steering(DeadLetters):
    """The verbs of people, over any link."""

    _link: Link
    real: Clock

    @repeated
    def cancel(self, job_id: bytes, reason: str, by: str, grace_us: int) -> State | None:
        with self._link.write() as tx:
            tx.run("cancel_ask", job_id=job_id, reason=storable(reason), by=storable(by), grace_us=grace_us)
            return _cancel(tx, job_id)

    def honour_cancels(self, limit: int) -> int:
        with self._link.write() as tx:
            asked = tx.all("cancel_overdue", limit=limit)
            return sum(_cancel(tx, job_id) in WAITS for (job_id,) in asked)

    @repeated
    def delete_job(self, job_id: bytes) -> State | None:
        with self._link.write() as tx:
            ended = tx.all("lock_finished", job_id=job_id)
            if not ended:
                return _stands(tx, job_id)
            erase(tx, [job_id])
            return State(ended[0][0])

    @repeated
    def pause_queue(self, queue: str, by: str, reason: str, resume_at: int | None) -> None:
        with self._link.write() as tx:
            tx.run("queue_pause", queue=queue, by=storable(by), reason=storable(reason), resume_at=resume_at)

    @repeated
    def resume_queue(self, queue: str) -> bool:
        with self._link.write() as tx:
            return tx.run("queue_resume", queue=queue) > 0

    @repeated
    def close_queue(self, queue: str, by: str, reason: str) -> None:
        with self._link.write() as tx:
            tx.run("queue_close", queue=queue, by=storable(by), reason=storable(reason))

    @repeated
    def close_open_queue(self, queue: str, by: str, reason: str) -> bool:
        with self._link.write() as tx:
            return tx.run("queue_close_open", queue=queue, by=storable(by), reason=storable(reason)) > 0

    @repeated
    def reopen_queue(self, queue: str, by: str) -> bool:
        with self._link.write() as tx:
            return tx.run("queue_reopen", queue=queue, by=storable(by)) > 0

    @repeated
    def purge_queue(self, queue: str, by: str, limit: int) -> int:
        reason = storable(f"queue {queue} purged by {by}")
        with self._link.write() as tx:
            purged: list[Moved] = []
            for waits in WAITS:
                purged += _purge(tx, waits, queue, reason, limit - len(purged))
            drive(tx, aftermath(purged))
            return len(purged)

    @repeated
    def ask_worker(self, session_id: bytes, verb: str) -> bool:
        with self._link.write() as tx:
            return tx.run("session_ask", session_id=session_id, verb=verb) > 0


def _cancel(tx: Tx, job_id: bytes) -> State | None:
    """Find the pointer and act on it, with the row in `control` written already. Returns where it was found.

    The looks follow the way that a pointer goes (running, waiting, scheduled, ready), each under lock and with a snapshot of its
    own, so that one which moves on meanwhile is met in its next place. One which was claimed between two looks may be
    missed; whoever did that could not see our `control` yet, so we look again until it is found.
    """
    for _ in range(LOOKS):
        if tx.all("lock_running", job_id=job_id):
            return State.RUNNING
        for waits in WAITS:
            if held := tx.all(f"lock_{waits}", job_id=job_id):
                return _cancel_waiting(tx, Moved(held[0][0], held[0][1], State.CANCELLED), waits)
        state = _stands(tx, job_id)
        if state is None or state.ended:
            tx.run("erase_control", job_id=job_id)
            return state
    raise Contended(f"Job {job_id.hex()} moved each time it was looked for. Nothing was changed; repeat the call.")


def _cancel_waiting(tx: Tx, moved: Moved, waits: State) -> State:
    tx.run("cancel_finished", job_id=moved.job_id)
    for name in _CANCELLED[waits]:
        tx.run(name, job_id=moved.job_id)
    drive(tx, aftermath([moved]))
    return waits


def _purge(tx: Tx, waits: State, queue: str, reason: str, limit: int) -> list[Moved]:
    held = tx.all(f"purge_lock_{waits}", queue=queue, limit=limit)
    if held:
        rows = [{"job_id": job_id, "reason": reason} for job_id, _ in held]
        for name in ("purge_finished", *_CANCELLED[waits]):
            tx.many(name, rows)
    return [Moved(job_id, flags, State.CANCELLED) for job_id, flags in held]


_CANCELLED = {
    State.WAITING: ("cancel_unique", "cancel_waiting", "edge_moot", "erase_control"),
    State.SCHEDULED: ("cancel_unique", "cancel_scheduled", "erase_control"),
    State.READY: ("cancel_unique", "cancel_ready", "erase_control"),
}
"""What else goes when a job is cancelled where it waits."""


def _stands(tx: Tx, job_id: bytes) -> State | None:
    found = tx.all("job_stands", job_id=job_id)
    return State(found[0][0]) if found else None
