"""Enqueue in bulk over a foreign PostgreSQL connection: the store's own statement for many jobs, with lists as parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from relet.job.after import marked
from relet.job.job import NewBatch, NewJob, encode_options
from relet.store.enqueue import Script, refusal, refuse_closed, script, write_batches
from relet.store.records import Enqueued
from relet.store.script import Step, Steps
from relet.store.shares import has_share, shared

CHUNK = 2_000
"""Jobs per statement."""

PARTS = {
    "bulk_ready": ("part_fresh", "part_inserted", "part_ready", "part_closed"),
    "bulk_waiting": ("part_fresh", "part_inserted", "part_waiting", "part_closed"),
    "bulk_due": ("part_fresh", "part_inserted", "part_due", "part_closed"),
}
"""The statements, by what they are put together from: for jobs that are all due at once, for others, and for those with limits or
shares, which are let in and get their places after the commit."""

_NO_RUN_AT = -(2**63)


def bulk_script(jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> Script:
    """As `relet.store.enqueue.script`, but jobs without a unique key are written many at a time."""
    jobs = marked(jobs)
    simple = [job for job in jobs if job.options.unique is None and not job.after]
    if len(simple) < len(jobs):
        return (yield from script(jobs, batches, lent=True))
    for group in _groups(simple):
        for start in range(0, len(group), CHUNK):
            yield from _write(group[start : start + CHUNK])
    answers = {job.id: Enqueued(job.id, True) for job in jobs}
    yield from write_batches(jobs, batches, answers)
    return list(answers.values())


def _groups(jobs: Sequence[NewJob]) -> Iterable[list[NewJob]]:
    found: dict[int, list[NewJob]] = {}
    for job in jobs:
        found.setdefault(job.flags, []).append(job)
    return found.values()


def _write(jobs: Sequence[NewJob]) -> Steps[None]:
    later = any(job.delay_us > 0 or job.run_at is not None for job in jobs)
    if has_share(jobs[0]) or jobs[0].options.gates:
        closed = yield Step("bulk_waiting", [_columns(jobs) | _due(jobs) | _free(jobs)], fetch=True)
    else:
        params = _columns(jobs) | _due(jobs) if later else _columns(jobs)
        closed = yield Step("bulk_due" if later else "bulk_ready", [params], fetch=True)
    if closed and closed[0][1] is None:  # one of their queues is shared by tenants
        for group in _groups(shared(jobs, (yield from refuse_closed(jobs)))):
            yield from _write(group)
    elif closed:
        raise refusal(*closed[0])


def _columns(jobs: Sequence[NewJob]) -> dict[str, Any]:
    """The jobs as lists; the values that stand for nulls in them are not used."""
    first = jobs[0]
    return {
        "name_texts": sorted({job.queue for job in jobs}),
        "new_ids": [job.id for job in jobs],
        "task": first.task,
        "task_texts": [job.task for job in jobs],
        "queue": first.queue,
        "queue_texts": [job.queue for job in jobs],
        "priority": first.priority,
        "priority_integers": [job.priority for job in jobs],
        "args": "{}",
        "args_texts": [job.args for job in jobs],
        "options_texts": [encode_options(job.options) for job in jobs],
        "needs_texts": [msgspec.json.encode(job.needs).decode() if job.needs else None for job in jobs],
        "trace_texts": [job.trace for job in jobs],
        "flags": int(first.flags),
    }


def _due(jobs: Sequence[NewJob]) -> dict[str, Any]:
    ordered = sorted(jobs, key=lambda job: job.id)
    return {
        "sorted_ids": [job.id for job in ordered],
        "run_integers": [_NO_RUN_AT if job.run_at is None else job.run_at for job in ordered],
        "delay_integers": [job.delay_us for job in ordered],
        "no_run_at": _NO_RUN_AT,
    }


def _free(jobs: Sequence[NewJob]) -> dict[str, Any]:
    """They come after nothing, and have yet to be told so."""
    return {"edge_integers": [0] * len(jobs), "told_integers": [0] * len(jobs)}
