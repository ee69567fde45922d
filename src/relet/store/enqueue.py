"""Enqueue as a script without I/O: which statements, in which order, and what their rows mean.

The same script runs over a store's own link, and over a connection that the caller brings, sync or async.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from relet.errors import Contended, NotFound, Refused, UniqueConflict
from relet.job.after import in_order, marked, parents_of
from relet.job.job import NewBatch, NewJob, encode_options
from relet.job.state import State
from relet.store.aftermath import Moved, aftermath
from relet.store.link import Row
from relet.store.records import Enqueued
from relet.store.script import Step, Steps
from relet.store.shares import free_shared, has_share, shared

_REPLACE = ("replace_finished_waiting", "replace_finished_scheduled", "replace_finished_ready")
_REPLACED = ("replace_waiting", "replace_scheduled", "replace_ready")
_DEBOUNCE = ("debounce_waiting", "debounce_scheduled", "debounce_ready")


LOOKS = 5
"""How often a key that is found taken, and then free, is tried."""


Script = Steps[list[Enqueued]]


def script(jobs: Sequence[NewJob], batches: Sequence[NewBatch] = (), *, lent: bool = False) -> Script:
    """Enqueue all or none: yields steps, is sent their rows, returns what became of each job, in order.

    A transaction that is `lent` by the caller may stay open for long: holders of unique keys that run are not held up by
    it, and may end before it does. Raises Refused (a closed queue), UniqueConflict, NotFound (a parent that is not there)
    and UsageError (jobs that wait for each other); the transaction must then be rolled back.
    """
    jobs = shared(marked(jobs), (yield from refuse_closed(jobs)))
    yield from refuse_orphans(jobs, batches)
    first = [job for job in jobs if not aside(job)]
    plain = [job for job in first if job.options.unique is None]
    keyed = [job for job in first if job.options.unique is not None]
    yield from _plain(plain)
    answers = {job.id: Enqueued(job.id, True) for job in plain}
    for job in sorted(keyed, key=lambda job: (job.task, job.options.unique or "")):
        answers[job.id] = yield from _keyed(job, row(job), lent=lent)
    yield from later(jobs, batches, answers, lent=lent)
    return [answers[job.id] for job in jobs]


def later(
    jobs: Sequence[NewJob], batches: Sequence[NewBatch], answers: dict[bytes, Enqueued], *, lent: bool = False
) -> Steps[None]:
    """Those that wait, for others or for their limits, when the others are written; the batches; and last those with shares,
    unless the transaction is `lent`: they are let go when it is committed."""
    gated = [job for job in jobs if job.options.gates and not job.after and job.options.unique is None]
    if gated:
        rows = [waiting_row(job) for job in gated]
        yield Step("enqueue_job", rows)
        yield Step("enqueue_waiting", rows)
        answers |= {job.id: Enqueued(job.id, True) for job in gated}
    for job in in_order(jobs) if any(map(aside, jobs)) else ():
        if aside(job) and job.id not in answers:
            answers[job.id] = yield from _waiting(placed(job, answers), lent=lent)
    yield from write_batches(jobs, batches, answers)
    if not lent:
        mine = [job for job in jobs if has_share(job) and not job.waits]
        yield from free_shared(job.id for job in mine if answers[job.id].created)


def write_batches(
    jobs: Sequence[NewJob], batches: Sequence[NewBatch], answers: Mapping[bytes, Enqueued]
) -> Steps[None]:
    """These batches, and which jobs they count."""
    totals = members(jobs, batches, answers)
    rows = [{"batch_id": batch, "job_id": job_id} for batch, job_ids in totals.items() for job_id in job_ids]
    if rows:
        yield Step("member_new", rows)
    if batches:
        gone = (yield from _replaced(jobs, totals)) if rows else {}
        yield Step("batch_new", [batch_row(batch, len(totals[batch.id]), gone.get(batch.id, 0)) for batch in batches])


def members(
    jobs: Sequence[NewJob], batches: Sequence[NewBatch], answers: Mapping[bytes, Enqueued]
) -> dict[bytes, list[bytes]]:
    """The jobs of each batch. One for which another job stands is none of its."""
    found: dict[bytes, list[bytes]] = {batch.id: [] for batch in batches}
    if batches:
        for job in jobs:
            answer = answers.get(job.id)
            if job.options.batch is not None and (answer is None or answer.created):
                found.setdefault(bytes.fromhex(job.options.batch), []).append(job.id)
    return found


def _replaced(jobs: Sequence[NewJob], totals: Mapping[bytes, Sequence[bytes]]) -> Steps[dict[bytes, int]]:
    """How many jobs of each batch have ended before it was written: a later job of the same call has replaced them."""
    if not any(job.on_conflict == "replace" and job.options.unique is not None for job in jobs):
        return {}
    batch_of = {job_id: batch for batch, job_ids in totals.items() for job_id in job_ids}
    ended = yield Step("job_ended", [{"job_id": job_id} for job_id in batch_of], fetch=True)
    return Counter(batch_of[job_id] for (job_id,) in ended)


def batch_row(batch: NewBatch, total: int, cancelled: int = 0) -> dict[str, Any]:
    """The parameters of a new batch."""
    return {"batch_id": batch.id, "label": batch.label, "total": total, "cancelled": cancelled}


def placed(job: NewJob, answers: Mapping[bytes, Enqueued]) -> NewJob:
    """The job, behind those that stand for its parents."""
    stand = [answers.get(after.parent_id) for after in job.after]
    if all(answer is None or answer.created for answer in stand):
        return job
    after = {a.parent_id if s is None else s.job_id: a for a, s in zip(job.after, stand, strict=True)}
    return replace(job, after=tuple(a._replace(parent_id=parent) for parent, a in after.items()))


def edge_rows(job: NewJob) -> list[dict[str, Any]]:
    """The parameters of a job's edges."""
    return [
        {
            "child_id": job.id,
            "parent_id": after.parent_id,
            "place": place,
            "need": after.need.value,
            "hold": int(after.hold),
        }
        for place, after in enumerate(job.after)
    ]


def _waiting(job: NewJob, *, lent: bool) -> Steps[Enqueued]:
    # Its parents may have come by an earlier call: it is tied to them when this one is committed, and let in by its gates then.
    mine = waiting_row(job)
    answer = Enqueued(job.id, True)
    if job.options.unique is not None:
        answer = yield from _keyed(job, mine, lent=lent, waits=True)
    else:
        yield Step("enqueue_job", [mine])
        yield Step("enqueue_waiting", [mine])
    if answer.created and job.after:
        yield Step("enqueue_edge", edge_rows(job))
    return answer


def waiting_row(job: NewJob) -> dict[str, Any]:
    """The parameters of a job that waits."""
    return row(job) | {"edges": len(job.after)}


def refuse_orphans(jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> Steps[None]:
    """Raise NotFound when a job comes after one that is neither here nor in the store."""
    strangers = parents_of(jobs) - {job.id for job in jobs} - {batch.id for batch in batches}
    if strangers:
        rows = [{"parent_id": parent} for parent in sorted(strangers)]
        missing = strangers - {found for (found,) in (yield Step("edge_known", rows, fetch=True))}
        if missing:
            raise orphan(min(missing))


def orphan(parent: bytes) -> NotFound:
    """What to say when a parent is not there."""
    return NotFound(
        f"There is no job or batch {UUID(bytes=parent)} to come after: it was never enqueued, its transaction is not "
        "committed yet, or it ended so long ago that it is forgotten (keep_finished). Nothing was enqueued."
    )


def refuse_closed(jobs: Sequence[NewJob]) -> Steps[list[str]]:
    """Raise Refused when one of the queues is closed; returns those that are shared by tenants."""
    found = yield Step("enqueue_closed", [{"queue": name} for name in sorted({job.queue for job in jobs})], fetch=True)
    for name, by, reason, _ in found:
        if by is not None:
            raise refusal(name, by, reason)
    return [name for name, _, _, fair in found if fair]


def aside(job: NewJob) -> bool:
    """Whether it waits first: for others that it comes after, for its limits, or for a place by its tenant's share."""
    return job.waits or has_share(job)


def refusal(name: str, by: str, reason: str) -> Refused:
    """What to say when a queue is closed."""
    why = f" ({reason})" if reason else ""
    return Refused(
        f"Queue {name!r} was closed by {by}{why}. Nothing was enqueued. Open it again with: relet queues resume {name}"
    )


def _plain(jobs: Sequence[NewJob]) -> Steps[None]:
    if not jobs:
        return
    rows = [row(job) for job in jobs]
    yield Step("enqueue_job", rows)
    delayed = [r for r in rows if r["delay_us"] > 0 or r["run_at"] is not None]
    if delayed:
        yield Step("enqueue_scheduled", delayed)
    yield Step("enqueue_ready", rows)


def _keyed(job: NewJob, params: Mapping[str, Any], *, lent: bool, waits: bool = False) -> Steps[Enqueued]:
    """`waits`: for others, or for its limits."""
    mine = [params]
    # A holder may have taken the key since we looked for one to replace. From then on it is ours to lock: look once more.
    for _ in range(2 if job.on_conflict == "replace" else 1):
        if (yield from _take(job, mine, lent=lent, waits=waits)):
            return Enqueued(job.id, True)
    for _ in range(LOOKS):
        holders = yield Step("unique_holder", mine, fetch=True)
        if holders and job.on_conflict == "raise":
            raise conflict(job, holders[0][0])
        if holders:
            return Enqueued(holders[0][0], False)
        if (yield from _take(job, mine, lent=lent, waits=waits)):  # the holder has ended since
            return Enqueued(job.id, True)
    raise Contended(
        f"Unique key {job.options.unique!r} of task {job.task} was taken and free again in turn, {LOOKS} times. "
        "Nothing was enqueued. Try again."
    )


def _take(job: NewJob, mine: Sequence[Mapping[str, Any]], *, lent: bool, waits: bool) -> Steps[bool]:
    """The key, and with it the job. False: another one holds the key; unless it is `lent`, it cannot end until the commit."""
    # Pointers are locked before keys, here as by a cancel or a purge of the holder: two that meet wait, and never deadlock.
    if job.on_conflict in ("replace", "debounce"):
        yield from _lock_holder(mine)
    if job.on_conflict == "replace":
        yield from _replace(mine)
    yield Step("unique_try" if lent else "unique_take", mine)
    yield Step("enqueue_job_if_key", mine)
    if job.on_conflict == "debounce":
        yield from _lock_holder(mine)
        for name in _DEBOUNCE:
            yield Step(name, mine)
        put_off = yield Step("debounce_clear", mine, fetch=True)
        yield from aftermath([Moved(job_id, flags, State.SCHEDULED) for job_id, flags in put_off], later=True)
    for name in ("enqueue_waiting",) if waits else ("enqueue_scheduled", "enqueue_ready"):
        yield Step(name, mine)
    yield Step("unique_untake", mine)
    return bool((yield Step("unique_known", mine, fetch=True)))


def _lock_holder(mine: Sequence[Mapping[str, Any]]) -> Steps[None]:
    for name in ("replace_lock_waiting", "replace_lock_scheduled", "replace_lock_ready"):
        yield Step(name, mine, fetch=True)


def _replace(mine: Sequence[Mapping[str, Any]]) -> Steps[None]:
    """The holder of the key ends as cancelled, with all that follows from that."""
    for name in _REPLACE:
        yield Step(name, mine)
    gone: list[Row] = []
    for name in _REPLACED:
        gone += yield Step(name, mine, fetch=True)
    yield Step("replace_key", mine)
    if gone:
        yield Step("edge_moot", [{"job_id": job_id} for job_id, _ in gone])
        yield from aftermath([Moved(job_id, flags, State.CANCELLED) for job_id, flags in gone], later=True)


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
