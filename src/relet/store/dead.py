"""The dead letters: what people do with them, and how they are read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from relet.clock import Clock
from relet.errors import UniqueConflict
from relet.job.job import Flag, encode_options
from relet.job.state import State
from relet.job.textsafe import storable
from relet.store.aftermath import DELETED, Moved, aftermath, tell_children
from relet.store.contention import repeated
from relet.store.drive import drive
from relet.store.link import Link, Tx
from relet.store.options import options_of
from relet.store.page import ANY_TEXT, ANY_TIME, LAST_ID, contains, id_behind, page_size
from relet.store.rows import DeadFilter, DeadRow
from relet.store.script import Steps
from relet.store.shares import share_flag
from relet.store.tidy import erase


class DeadLetters:
    """The verbs on dead letters, over any link."""

    _link: Link
    real: Clock

    @repeated
    def retry_dead(self, job_id: bytes, args: str | None, by: str) -> bool:
        with self._link.write() as tx:
            held = tx.all("dead_hold", job_id=job_id)
            if not held:
                return False
            task, options = held[0]
            flags = _take_unique(tx, job_id, task, options)
            if args is not None:
                tx.run("retry_args", job_id=job_id, args=args)
            if (fresh := _unhurried(options)) != options:
                tx.run("retry_options", job_id=job_id, options=fresh)
            changed = " with other arguments" if args is not None else ""
            tx.run("retry_noted", job_id=job_id, message=storable(f"retried from the dead letters by {by}{changed}"))
            flags |= _come_back(tx, job_id, options)
            waits = bool(flags & (Flag.GATED | Flag.FAIR))
            tx.run("retry_waiting" if waits else "retry_ready", job_id=job_id, flags=int(flags))
            tx.run("erase_control", job_id=job_id)
            tx.run("erase_dead", job_id=job_id)
            if waits:
                drive(tx, aftermath([Moved(job_id, int(flags), State.WAITING)]))
            return True

    @repeated
    def resolve_dead(self, job_id: bytes, resolved: bool, by: str, notes: str) -> bool:
        with self._link.write() as tx:
            if resolved:
                return tx.run("dead_resolve", job_id=job_id, by=storable(by), notes=storable(notes)) > 0
            return tx.run("dead_reopen", job_id=job_id, notes=storable(notes)) > 0

    @repeated
    def delete_dead(self, job_id: bytes) -> bool:
        with self._link.write() as tx:
            if not tx.all("dead_hold", job_id=job_id):
                return False
            drive(tx, _deleted(job_id))
            erase(tx, [job_id])
            return True


def _deleted(job_id: bytes) -> Steps[None]:
    """Those that held for it are skipped: nobody can retry it."""
    yield from aftermath((yield from tell_children({job_id: DELETED})))


def _come_back(tx: Tx, job_id: bytes, options: str | None) -> Flag:
    """Its batch and its schedule know it as open again, those that wait for it hear of its next end, its limits are asked again,
    and it gets a place where tenants share its queue; the flags for that."""
    flags = Flag.PARENT if tx.all("edge_awaited", job_id=job_id) else Flag.NONE
    flags |= drive(tx, share_flag(job_id, options))
    known = options_of(options)
    if known.gates:
        flags |= Flag.GATED
    if known.notify is not None:
        flags |= Flag.NOTIFY
    if known.fire is not None:
        tx.run("firing_again", job_id=job_id)
        flags |= Flag.FIRED
    if known.batch is None:
        return flags
    tx.run("batch_reopen", batch_id=bytes.fromhex(known.batch))
    return flags | Flag.BATCH


def _take_unique(tx: Tx, job_id: bytes, task: str, options: str | None) -> Flag:
    """Take the job's unique key again, if it has one; returns the flags of its new pointer."""
    key = options_of(options).unique
    if key is None:
        return Flag.NONE
    holder: bytes = tx.all("retry_unique", task=task, key=key, job_id=job_id)[0][0]
    if holder == job_id:
        return Flag.UNIQUE
    other = UUID(bytes=holder)
    raise UniqueConflict(
        f"Job {UUID(bytes=job_id)} cannot be retried: its unique key {key!r} of task {task} is held by job {other}, which "
        "has not ended. Nothing was changed. Wait for that job or cancel it, then retry.",
        key=key,
        holder=other,
    )


def _unhurried(options: str | None) -> str | None:
    """The options without deadline and expiry, which have passed: whoever retries a job wants it to run."""
    found = options_of(options)
    if found.deadline_us is None and found.expires_us is None:
        return options
    return encode_options(replace(found, deadline_us=None, expires_us=None))


class DeadReading:
    """The dead letters as people see them."""

    _link: Link

    def dead_letter(self, job_id: bytes) -> DeadRow | None:
        found = self.dead(DeadFilter(resolved=None, before=id_behind(job_id), limit=1))
        return found[0] if found and found[0].job_id == job_id else None

    def dead(self, wanted: DeadFilter) -> list[DeadRow]:
        page = {"before": wanted.before or LAST_ID, "limit": page_size(wanted.limit)}
        with self._link.read() as tx:
            return [_row(row) for row in tx.all("dead_page", **page, **_conditions(wanted))]

    def dead_count(self, wanted: DeadFilter, cap: int = 100_000) -> int:
        with self._link.read() as tx:
            return int(tx.all("dead_count", cap=cap, **_conditions(wanted))[0][0])

    def failures(self, task: str = "", queue: str = "", cap: int = 10_000) -> list[tuple[bytes, str, str, int]]:
        with self._link.read() as tx:
            rows = tx.all("dead_failures", task=task, queue=queue, cap=cap)
            return [(job_id, of_task, error, int(at)) for job_id, of_task, error, at in rows]

    def dead_stats(self, cap: int = 100_000) -> list[tuple[str, int, int]]:
        with self._link.read() as tx:
            return [(queue, int(total), int(resolved)) for queue, total, resolved in tx.all("dead_stats", cap=cap)]


def _conditions(wanted: DeadFilter) -> dict[str, Any]:
    return {
        "task": wanted.task or ANY_TEXT,
        "queue": wanted.queue or ANY_TEXT,
        "reason": wanted.reason or ANY_TEXT,
        "error_like": contains(wanted.error_like),
        "failed_after": ANY_TIME if wanted.failed_after is None else wanted.failed_after,
        "failed_before": ANY_TIME if wanted.failed_before is None else wanted.failed_before,
        "resolved": -1 if wanted.resolved is None else int(wanted.resolved),
    }


def _row(row: tuple[Any, ...]) -> DeadRow:
    found = DeadRow(*row)
    return found._replace(resolved=bool(found.resolved))
