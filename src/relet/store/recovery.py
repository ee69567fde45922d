"""Sessions that begin and end, and what happens to the jobs that they held."""

from __future__ import annotations

import json
from collections.abc import Sequence

from relet.job.job import SOLO_SUSPICIONS, Claim, Counters
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.aftermath import Moved, aftermath
from relet.store.breakers import tripped
from relet.store.drive import drive
from relet.store.link import Link, Row, Tx
from relet.store.port import Known
from relet.store.records import Beat, Control, Reclaimed, Renewed, SessionInfo

TOO_MANY_SUSPICIONS = SOLO_SUSPICIONS + 6
"""A job that was held by this many dying sessions is dead. It ran alone, in a child process, for most of them: either it
kills the worker from there, or the host is so ill that a person should look."""


class Sessions:
    """The verbs of a session's life, over any link."""

    _link: Link

    def open_session(self, info: SessionInfo, lease_us: int) -> int:
        with self._link.write() as tx:
            tx.run(
                "session_open",
                id=info.id,
                worker=info.worker,
                host=info.host,
                pid=info.pid,
                host_boot=info.host_boot,
                lock_place=info.lock_place,
                queues=json.dumps(info.queues),
                tasks=json.dumps(info.tasks),
                offers=json.dumps(info.offers),
                slots=info.slots,
                tier=info.tier,
                version=info.version,
                lease_us=lease_us,
            )
            return int(tx.all("session_now")[0][0])

    def renew(self, session_id: bytes, lease_us: int, beat: Beat, known: Known = None) -> Renewed:  # noqa: ARG002  PostgreSQL asks
        with self._link.write() as tx:
            tx.run(
                "session_renew",
                session_id=session_id,
                lease_us=lease_us,
                busy=beat.busy,
                done=beat.done,
                failed=beat.failed,
                rss_bytes=beat.rss_bytes,
                turned_at=beat.turned_at,
            )
            return _look(tx, session_id)

    def listen(self, session_id: bytes, known: Known = None) -> Renewed:  # noqa: ARG002  for engines that need it
        with self._link.read() as tx:
            return _look(tx, session_id)

    def claims(self, session_id: bytes, job_ids: Sequence[bytes]) -> tuple[Claim, ...]:
        with self._link.read() as tx:
            rows = [row for job_id in job_ids for row in tx.all("session_claim", job_id=job_id, session_id=session_id)]
            return tuple(map(_claim, rows))

    def end_session(self, session_id: bytes, cause: str) -> Reclaimed | None:
        with self._link.write() as tx:
            return _end(tx, session_id, cause, Ended.RELEASE, only_lapsed=False)

    def reclaim(self, session_id: bytes, cause: str) -> Reclaimed | None:
        with self._link.write() as tx:
            return _end(tx, session_id, cause, Ended.LOST, only_lapsed=False)

    def reclaim_expired(self, cause: str = "lease expired") -> list[Reclaimed]:
        with self._link.read() as tx:
            candidates: list[bytes] = [row[0] for row in tx.all("reclaim_candidates")]
        ended: list[Reclaimed] = []
        for session_id in candidates:
            with self._link.write() as tx:
                gone = _end(tx, session_id, cause, Ended.LOST, only_lapsed=True)
            if gone is not None:
                ended.append(gone)
        return ended


def _claim(row: Row) -> Claim:
    """A claim that stands. Its place in the lane is gone, and of no more use."""
    job_id, epoch, task, queue, rank, flags, attempt, crashes, suspicions, releases, *facts = row
    counters = Counters(attempt, crashes, suspicions, releases)
    args, options, created_at, claimed_at, cancel = facts
    return Claim(job_id, epoch, task, queue, rank, 0, flags, counters, args, options, created_at, claimed_at, cancel)


def _look(tx: Tx, session_id: bytes) -> Renewed:
    """What stands for this session, and what people ask of it."""
    state = tx.all("session_state", session_id=session_id)
    if not state:
        return Renewed(live=False, now=int(tx.all("session_now")[0][0]))
    verb, now, live, some = state[0]
    held = tuple((job_id, epoch) for job_id, epoch in tx.all("session_held", session_id=session_id))
    controls = tuple(Control(*row) for row in tx.all("session_controls", session_id=session_id))
    return Renewed(bool(live), now, held, controls, verb, tripped(tx) if some else ())


def _end(tx: Tx, session_id: bytes, cause: str, ended: Ended, *, only_lapsed: bool) -> Reclaimed | None:
    """End a session and give back what it held. None: there was nothing to end, or its lease turned out to be good."""
    held = tx.all("reclaim_hold", session_id=session_id)
    if held and only_lapsed and not held[0][2]:
        return None
    suspicion = 1 if ended is Ended.LOST else 0
    bound = {
        "session_id": session_id,
        "suspicion": suspicion,
        "too_many": TOO_MANY_SUSPICIONS,
        "cause": cause,
    }
    flags = {row[0]: row[1] for row in tx.all("reclaim_lock", session_id=session_id)}
    tx.run("reclaim_attempts", session_id=session_id, ended=ended.value, cause=cause)
    cancelled = [job_id for (job_id,) in tx.all("reclaim_cancelled", session_id=session_id)]
    dead = [job_id for (job_id,) in tx.all("reclaim_poison", **bound)]
    returned = tx.run("reclaim_ready", **bound)
    tx.run("reclaim_unique", **bound)
    tx.run("reclaim_running", session_id=session_id)
    _follow(tx, flags, cancelled, dead)
    ended_now = tx.run("reclaim_session", session_id=session_id, cause=cause)
    if not (ended_now or returned or dead or cancelled):
        return None
    return Reclaimed(session_id, held[0][1] if held else "", returned, len(dead), len(cancelled))


def _follow(tx: Tx, flags: dict[bytes, int], cancelled: Sequence[bytes], dead: Sequence[bytes]) -> None:
    """What follows from the jobs that ended here."""
    moves = [Moved(job_id, flags[job_id], State.CANCELLED) for job_id in cancelled]
    moves += [Moved(job_id, flags[job_id], State.DEAD) for job_id in dead]
    drive(tx, aftermath(moves))
