"""Enqueue: all jobs of a call in as few statements as they need, mostly one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import msgspec

from relet.job.job import NewJob, encode_options
from relet.store.enqueue import conflict, refusal, row
from relet.store.link import Row
from relet.store.postgres.arrays import ids, integers, texts
from relet.store.postgres.link import PostgresTx, prepare
from relet.store.postgres.wire import Prepared
from relet.store.records import Enqueued
from relet.store.statements import load

CHUNK = 2_000
"""Jobs per statement: while the server writes one, the next is made."""
_NO_RUN_AT = -(2**63)


@cache
def _statement(schema: str, delayed: bool, repeatable: bool) -> Prepared:
    part = load("postgres")
    names = ["part_fresh"] + ["part_repeatable"] * repeatable + ["part_inserted"]
    names += ["part_due" if delayed else "part_ready", "part_closed"]
    return prepare(f"bulk_{delayed:d}{repeatable:d}", "\n".join(part[name] for name in names), schema)


def bulk(tx: PostgresTx, schema: str, jobs: Sequence[NewJob], *, repeatable: bool) -> None:
    """Write these jobs with a pointer each. Raises Refused (a closed queue).

    If some may be here already, it must be `repeatable`, and leaves those alone; else it raises AlreadyThere for them."""
    delayed = any(job.delay_us > 0 or job.run_at is not None for job in jobs)
    if len(jobs) == 1 and not delayed and not repeatable:
        closed = tx.all("enqueue_one", **row(jobs[0]))
    else:
        statement, values = composed(schema, jobs, repeatable=repeatable)
        closed = write(tx, statement, values, -(-len(jobs) // CHUNK))
    if closed:
        raise refusal(*closed[0])


Values = Sequence[bytes | None]


def composed(schema: str, jobs: Sequence[NewJob], *, repeatable: bool) -> tuple[Prepared, Iterator[Values]]:
    """The statement for these jobs, and its values for one chunk of them after the other, made when they are asked for."""
    delayed = any(job.delay_us > 0 or job.run_at is not None for job in jobs)
    statement = _statement(schema, delayed, repeatable)
    chunks = (jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK))
    return statement, (_values(statement, chunk, delayed) for chunk in chunks)


def write(tx: PostgresTx, statement: Prepared, values: Iterator[Values], chunks: int) -> list[Row]:
    """Run it for each chunk; returns the rows of closed queues."""
    if chunks == 1:
        return tx.execute(statement, next(values)).rows
    return [closed for result in tx.stream(statement, values, chunks) for closed in result.rows]


def _values(statement: Prepared, jobs: Sequence[NewJob], delayed: bool) -> Values:
    params = _columns(jobs) | {"flags": int(jobs[0].flags)}
    return statement.values(params | _due(jobs) if delayed else params)


def _columns(jobs: Sequence[NewJob]) -> dict[str, object]:
    """The jobs as arrays; what they all have in common goes once."""
    first = jobs[0]
    same_task = all(job.task == first.task for job in jobs)
    same_queue = all(job.queue == first.queue for job in jobs)
    same_priority = all(job.priority == first.priority for job in jobs)
    return {
        "name_texts": texts([first.queue] if same_queue else sorted({job.queue for job in jobs})),
        "new_ids": ids([job.id for job in jobs]),
        "task": first.task,
        "task_texts": texts(() if same_task else [job.task for job in jobs]),
        "queue": first.queue,
        "queue_texts": texts(() if same_queue else [job.queue for job in jobs]),
        "priority": first.priority,
        "priority_integers": integers(() if same_priority else [job.priority for job in jobs]),
        "args": "",
        "args_texts": texts([job.args for job in jobs]),
        "options_texts": _optional([encode_options(job.options) for job in jobs]),
        "needs_texts": _optional([_needs(job) for job in jobs]),
        "trace_texts": _optional([job.trace for job in jobs]),
    }


def _optional(values: Sequence[str | None]) -> bytes:
    return texts(values if any(value is not None for value in values) else ())


def _needs(job: NewJob) -> str | None:
    return msgspec.json.encode(job.needs).decode() if job.needs else None


def _due(jobs: Sequence[NewJob]) -> dict[str, object]:
    ordered = sorted(jobs, key=lambda job: job.id)
    return {
        "sorted_ids": ids([job.id for job in ordered]),
        "run_integers": integers([_NO_RUN_AT if job.run_at is None else job.run_at for job in ordered]),
        "delay_integers": integers([job.delay_us for job in ordered]),
        "no_run_at": _NO_RUN_AT,
    }


def keyed(tx: PostgresTx, schema: str, jobs: Sequence[NewJob]) -> dict[bytes, Enqueued]:
    """Write jobs with unique keys that give way to a holder, or are refused for it. Raises UniqueConflict, Refused.

    Jobs that an earlier call has brought keep what they got; they do not take a key again."""
    known: set[bytes] = {row[0] for row in tx.all("bulk_known", new_ids=ids([job.id for job in jobs]))}
    takers = _first_of_each_key(job for job in jobs if job.id not in known)
    rows = tx.all(
        "bulk_take",
        scope_texts=texts([job.task for job in takers]),
        key_texts=texts([job.options.unique for job in takers]),
        new_ids=ids([job.id for job in takers]),
    )
    holders: dict[tuple[str, str], bytes] = {(scope, key): job_id for scope, key, job_id in rows}
    answers: dict[bytes, Enqueued] = {}
    for job in sorted(jobs, key=key_of):
        holder = job.id if job.id in known else holders[key_of(job)]
        if holder != job.id and job.on_conflict == "raise":
            raise conflict(job, holder)
        answers[job.id] = Enqueued(holder, holder == job.id)
    winners = [job for job in takers if answers[job.id].created]
    if winners:
        # Not repeatable: a job that came by an earlier call since `bulk_known`, and may have ended, must not leave its key.
        bulk(tx, schema, winners, repeatable=False)
    return answers


def _first_of_each_key(jobs: Iterable[NewJob]) -> list[NewJob]:
    """Of jobs with the same key the first, in the order of the keys."""
    chosen: dict[tuple[str, str], NewJob] = {}
    for job in jobs:
        chosen.setdefault(key_of(job), job)
    return [chosen[key] for key in sorted(chosen)]


def key_of(job: NewJob) -> tuple[str, str]:
    """The scope and the unique key of a job that has one."""
    return job.task, job.options.unique or ""
