"""Enqueue on SQLite: jobs that are due at once and were never here, as most are, with one statement for many of them.

It takes for granted what the constraints then prove: where a job is here already, nothing is written, and the caller asks
again by the script that looks first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import msgspec

from relet.job.job import Flag, NewJob, encode_options
from relet.store.drive import drive
from relet.store.enqueue import conflict
from relet.store.records import Enqueued
from relet.store.shares import has_share, pointer_of, take_places
from relet.store.sqlite.link import ConstraintViolated, SqliteTx

_UNIQUE, _PARENT, _BATCH, _FAIR = int(Flag.UNIQUE), int(Flag.PARENT), int(Flag.BATCH), int(Flag.FAIR)
_NOTIFY = int(Flag.NOTIFY)

_PLACED = ("queue", "rank", "seq", "job_id", "task", "needs", "ready_at", "flags", "tenant")


def at_once(job: NewJob) -> bool:
    """Whether it is due at once, waits for nothing, and gives way to whoever holds its key, if it has one."""
    if job.delay_us > 0 or job.run_at is not None or job.waits:
        return False
    return job.options.unique is None or job.on_conflict in ("existing", "raise")


def write_fresh(tx: SqliteTx, jobs: Sequence[NewJob]) -> list[Enqueued]:
    """Write them; raises ConstraintViolated for one that is here already, and UniqueConflict. All of them must be `at_once`."""
    keyed = [job for job in jobs if job.options.unique is not None]
    holders = _take_keys(tx, keyed) if keyed else {}
    if holders:
        jobs_to_write = [job for job in jobs if job.id not in holders]
        _write(tx, jobs_to_write)
        return [Enqueued(holders.get(job.id, job.id), job.id not in holders) for job in jobs]
    _write(tx, jobs)
    return list(map(Enqueued._make, zip([job.id for job in jobs], repeat(True))))


def _write(tx: SqliteTx, jobs: Sequence[NewJob]) -> None:
    now = tx.clocks["now_us"]
    plain = [job for job in jobs if not has_share(job)]
    if plain:
        write_rows(tx, *rows_of(plain, reserve(tx, len(plain)), now))
    if len(plain) < len(jobs):
        _write_shared(tx, [job for job in jobs if has_share(job)], now)


def _write_shared(tx: SqliteTx, jobs: Sequence[NewJob], now: int) -> None:
    places = drive(tx, take_places([pointer_of(job) for job in jobs]))
    rows, ready = rows_of(jobs, 0, now)
    placed = [
        (*row[:2], places[row[3]], *row[3:], job.options.fair or "") for row, job in zip(ready, jobs, strict=True)
    ]
    tx.each_row("fresh_job", rows)
    if tx.each_row("fresh_placed", placed) < len(placed):  # now and then a job of another tenant stands at one of them
        tx.many("fresh_shared", [dict(zip(_PLACED, row, strict=True)) for row in placed])


def reserve(tx: SqliteTx, count: int) -> int:
    """The first of so many places at the end."""
    return int(tx.all("seq_reserve", count=count)[0][0]) - count + 1


Rows = list[tuple[Any, ...]]


def rows_of(jobs: Sequence[NewJob], first: int, now: int) -> tuple[Rows, Rows]:
    """The rows of `job` and of `ready`, by place, for jobs that stand from `first` on."""
    same: Any = None
    options: str | None = None
    flags = 0
    rows: Rows = []
    ready: Rows = []
    for seq, job in enumerate(jobs, first):
        if job.options is not same:  # jobs that were made together share theirs
            same, options = job.options, encode_options(job.options)
            flags = (0 if same.unique is None else _UNIQUE) | (0 if same.batch is None else _BATCH)
            flags |= 0 if same.fair is None else _FAIR
            flags |= 0 if same.notify is None else _NOTIFY
        needs = msgspec.json.encode(job.needs).decode() if job.needs else None
        rows.append((job.id, job.task, job.queue, job.priority, job.args, options, needs, now, job.trace))
        ready.append((job.queue, -job.priority, seq, job.id, job.task, needs, now, _flags(job, flags)))
    return rows, ready


def _flags(job: NewJob, flags: int) -> int:
    """With what the store itself has found of the job."""
    flags = flags | _PARENT if job.is_parent else flags
    return flags | _FAIR if job.is_shared else flags


def write_rows(tx: SqliteTx, rows: Rows, ready: Rows) -> None:
    """Write them."""
    tx.each_row("fresh_job", rows)
    tx.each_row("fresh_ready", ready)


def _take_keys(tx: SqliteTx, jobs: Sequence[NewJob]) -> dict[bytes, bytes]:
    """Take the keys that are free, the first of the same key first; the holders of the others, by the job that came too late."""
    keys = [(job.task, job.options.unique, job.id) for job in jobs]
    if tx.each_row("fresh_unique", keys) == len(jobs):
        return {}
    late: dict[bytes, bytes] = {}
    for job in sorted(jobs, key=lambda job: (job.task, job.options.unique or "")):
        holder: bytes = tx.all("unique_holder", task=job.task, key=job.options.unique)[0][0]
        if holder == job.id:
            continue
        if tx.all("unique_known", id=job.id):
            raise ConstraintViolated("a job that came by an earlier call")
        if job.on_conflict == "raise":
            raise conflict(job, holder)
        late[job.id] = holder
    return late
