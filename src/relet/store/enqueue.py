"""Enqueue as a script without I/O: which statements, in which order, and what their rows mean.

The same script runs over a store's own link, and over a connection that the caller brings, sync or async.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from relet.errors import Contended, Refused, UniqueConflict
from relet.job.job import NewJob, encode_options
from relet.store.link import Row
from relet.store.records import Enqueued

_REPLACE = ("replace_finished_scheduled", "replace_finished_ready", "replace_scheduled", "replace_ready", "replace_key")
_DEBOUNCE = ("debounce_scheduled", "debounce_ready", "debounce_clear")


LOOKS = 5
"""How often a key that is found taken, and then free, is tried."""


class Step(NamedTuple):
    """One named statement, once per row of parameters; `fetch` asks for its rows (of all parameter rows, in order)."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    fetch: bool = False


Script = Generator[Step, list[Row], list[Enqueued]]


def script(jobs: Sequence[NewJob], *, lent: bool = False) -> Script:
    """Enqueue all or none: yields steps, is sent their rows, returns what became of each job, in order.

    A transaction that is `lent` by the caller may stay open for long: holders of unique keys that run are not held up by
    it, and may end before it does. Raises Refused (a closed queue) and UniqueConflict; the transaction must then be rolled back.
    """
    yield from refuse_closed(jobs)
    plain = [job for job in jobs if job.options.unique is None]
    keyed = [job for job in jobs if job.options.unique is not None]
    yield from _plain(plain)
    answers = {job.id: Enqueued(job.id, True) for job in plain}
    for job in sorted(keyed, key=lambda job: (job.task, job.options.unique or "")):
        answers[job.id] = yield from _keyed(job, lent)
    return [answers[job.id] for job in jobs]


def refuse_closed(jobs: Sequence[NewJob]) -> Generator[Step, list[Row], None]:
    """Raise Refused when one of the queues is closed."""
    closed = yield Step("enqueue_closed", [{"queue": name} for name in sorted({job.queue for job in jobs})], fetch=True)
    if closed:
        raise refusal(*closed[0])


def refusal(name: str, by: str, reason: str) -> Refused:
    """What to say when a queue is closed."""
    why = f" ({reason})" if reason else ""
    return Refused(
        f"Queue {name!r} was closed by {by}{why}. Nothing was enqueued. Open it again with: relet queues resume {name}"
    )


def _plain(jobs: Sequence[NewJob]) -> Generator[Step, list[Row], None]:
    if not jobs:
        return
    rows = [row(job) for job in jobs]
    yield Step("enqueue_job", rows)
    later = [r for r in rows if r["delay_us"] > 0 or r["run_at"] is not None]
    if later:
        yield Step("enqueue_scheduled", later)
    yield Step("enqueue_ready", rows)


def _keyed(job: NewJob, lent: bool) -> Generator[Step, list[Row], Enqueued]:
    mine = [row(job)]
    # A holder may have taken the key since we looked for one to replace. From then on it is ours to lock: look once more.
    for _ in range(2 if job.on_conflict == "replace" else 1):
        if (yield from _take(job, mine, lent)):
            return Enqueued(job.id, True)
    for _ in range(LOOKS):
        holders = yield Step("unique_holder", mine, fetch=True)
        if holders and job.on_conflict == "raise":
            raise conflict(job, holders[0][0])
        if holders:
            return Enqueued(holders[0][0], False)
        if (yield from _take(job, mine, lent)):  # the holder has ended since
            return Enqueued(job.id, True)
    raise Contended(
        f"Unique key {job.options.unique!r} of task {job.task} was taken and free again in turn, {LOOKS} times. "
        "Nothing was enqueued. Try again."
    )


def _take(job: NewJob, mine: list[dict[str, Any]], lent: bool) -> Generator[Step, list[Row], bool]:
    """The key, and with it the job. False: another one holds the key; unless it is `lent`, it cannot end until the commit."""
    # Pointers are locked before keys, here as by a cancel or a purge of the holder: two that meet wait, and never deadlock.
    if job.on_conflict in ("replace", "debounce"):
        yield from _lock_holder(mine)
    if job.on_conflict == "replace":
        for name in _REPLACE:
            yield Step(name, mine)
    yield Step("unique_try" if lent else "unique_take", mine)
    yield Step("enqueue_job_if_key", mine)
    if job.on_conflict == "debounce":
        yield from _lock_holder(mine)
        for name in _DEBOUNCE:
            yield Step(name, mine)
    yield Step("enqueue_scheduled", mine)
    yield Step("enqueue_ready", mine)
    yield Step("unique_untake", mine)
    return bool((yield Step("unique_known", mine, fetch=True)))


def _lock_holder(mine: list[dict[str, Any]]) -> Generator[Step, list[Row], None]:
    for name in ("replace_lock_scheduled", "replace_lock_ready"):
        yield Step(name, mine, fetch=True)


def conflict(job: NewJob, holder: bytes) -> UniqueConflict:
    """What to say when another job has the unique key."""
    key, other = job.options.unique or "", UUID(bytes=holder)
    return UniqueConflict(
        f"Unique key {key!r} of task {job.task} is held by job {other}, which has not ended. Nothing was enqueued. "
        f"Wait for it, or use on_conflict='existing', 'replace' or 'debounce'.",
        key=key,
        holder=other,
    )


def row(job: NewJob) -> dict[str, Any]:
    """The parameters of one job, for every enqueue statement."""
    debounce_us = job.debounce_us if job.on_conflict == "debounce" else 0
    return {
        "id": job.id,
        "task": job.task,
        "queue": job.queue,
        "priority": job.priority,
        "args": job.args,
        "options": encode_options(job.options),
        "needs": msgspec.json.encode(job.needs).decode() if job.needs else None,
        "trace": job.trace,
        "flags": int(job.flags),
        "run_at": job.run_at,
        "delay_us": max(job.delay_us, debounce_us),
        "key": job.options.unique,
        "debounce_us": debounce_us,
    }
