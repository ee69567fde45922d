"""Enqueue: all jobs of a call in as few statements as they need, mostly one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

import msgspec

from relet.job.after import in_order, inside
from relet.job.job import Flag, NewBatch, NewJob, encode_options
from relet.store.drive import drive
from relet.store.enqueue import aside, batch_row, conflict, edge_rows, members, placed, refusal, refuse_orphans, row
from relet.store.link import Row
from relet.store.postgres.arrays import ids, integers, texts
from relet.store.postgres.link import PostgresTx, prepare
from relet.store.postgres.wire import Prepared
from relet.store.records import Enqueued
from relet.store.shares import has_share, lines_of, pointer_of, shared
from relet.store.statements import load

CHUNK = 2_000
"""Jobs per statement: while the server writes one, the next is made."""
_NO_RUN_AT = -(2**63)


@cache
def _statement(schema: str, pointers: str, repeatable: bool) -> Prepared:
    part = load("postgres")
    names = ["part_fresh"] + ["part_repeatable"] * repeatable + ["part_inserted", pointers, "part_closed"]
    return prepare(f"bulk_{pointers}{repeatable:d}", "\n".join(part[name] for name in names), schema)


def bulk(tx: PostgresTx, schema: str, jobs: Sequence[NewJob], *, repeatable: bool) -> None:
    """Write these jobs with a pointer each. Raises Refused (a closed queue).

    If some may be here already, it must be `repeatable`, and leaves those alone; else it raises AlreadyThere for them."""
    delayed = any(map(_timed, jobs))
    if len(jobs) == 1 and not delayed and not repeatable:
        closed = tx.all("enqueue_one", **row(jobs[0]))
    else:
        closed = write(tx, *composed(schema, jobs, repeatable=repeatable), _chunks(jobs))
    if closed:
        raise turned_away(closed[0])


class SharedQueue(Exception):
    """The queue is shared by tenants, and these jobs were about to be written without shares."""


def turned_away(row: Row) -> Exception:
    """Why nothing was written."""
    name, by, reason = row
    return SharedQueue(name) if by is None else refusal(name, by, reason)


def with_shares(tx: PostgresTx, jobs: Sequence[NewJob]) -> Sequence[NewJob]:
    """The jobs, those in queues that are shared by tenants with shares."""
    names = texts(sorted({job.queue for job in jobs}))
    return shared(jobs, [name for (name,) in tx.all("share_queues", queue_texts=names)])


Values = Sequence[bytes | None]
Extra = Callable[[Sequence[NewJob]], dict[str, object]]
"""More columns, for pointers that need them."""


def composed(schema: str, jobs: Sequence[NewJob], *, repeatable: bool) -> tuple[Prepared, Iterator[Values]]:
    """The statement for these jobs, and its values for one chunk of them after the other, made when they are asked for."""
    delayed = any(map(_timed, jobs))
    statement = _statement(schema, "part_due" if delayed else "part_ready", repeatable)
    return statement, _values(statement, jobs, _due if delayed else None)


def write(tx: PostgresTx, statement: Prepared, values: Iterator[Values], chunks: int) -> list[Row]:
    """Run it for each chunk; returns the rows of closed queues."""
    if chunks == 1:
        return tx.execute(statement, next(values)).rows
    return [closed for result in tx.stream(statement, values, chunks) for closed in result.rows]


def _chunks(jobs: Sequence[NewJob]) -> int:
    return -(-len(jobs) // CHUNK)


def _values(statement: Prepared, jobs: Sequence[NewJob], extra: Extra | None) -> Iterator[Values]:
    for start in range(0, len(jobs), CHUNK):
        chunk = jobs[start : start + CHUNK]
        params = _columns(chunk) | {"flags": int(chunk[0].flags)}
        yield statement.values(params if extra is None else params | extra(chunk))


def flagged(
    tx: PostgresTx, schema: str, jobs: Sequence[NewJob], batches: Sequence[NewBatch], *, repeatable: bool
) -> dict[bytes, Enqueued]:
    """Write jobs of which some have unique keys, come after others, or are counted in these batches.

    Answers for those that are not simply created. Raises as `bulk`, UniqueConflict and NotFound."""
    drive(tx, refuse_orphans(jobs, batches))
    plain = [job for job in jobs if job.options.unique is None and not job.waits]
    for group in _groups(job for job in plain if not has_share(job)):
        bulk(tx, schema, group, repeatable=repeatable)
    unique = [job for job in jobs if job.options.unique is not None]
    if any(job.after for job in unique):  # of two with one key the parent gets it, or the child would wait for itself
        unique = [job for job in in_order(jobs) if job.options.unique is not None]
    answers, before = keyed(tx, schema, unique) if unique else ({}, set[bytes]())
    _write_children(tx, schema, [job for job in jobs if job.id not in before], batches, answers, repeatable=repeatable)
    totals = members(jobs, batches, answers)
    rows = [{"batch_id": batch, "job_id": job_id} for batch, job_ids in totals.items() for job_id in job_ids]
    for start in range(0, len(rows), CHUNK):
        tx.many("member_new", rows[start : start + CHUNK])
    tx.many("batch_new", [batch_row(batch, len(totals[batch.id])) for batch in batches])
    _write_shared(tx, schema, [job for job in jobs if job.id not in before], answers, repeatable=repeatable)
    return answers


def _write_shared(
    tx: PostgresTx, schema: str, jobs: Sequence[NewJob], answers: Mapping[bytes, Enqueued], *, repeatable: bool
) -> None:
    """Those with shares that come after nothing, the last that is written: shares are the last locks. Keys have been taken."""
    mine = [
        job for job in jobs if has_share(job) and not job.waits and (job.id not in answers or answers[job.id].created)
    ]
    if repeatable:  # but those with a key are new, as above
        bulk_shared(tx, schema, [job for job in mine if job.options.unique is None], repeatable=True)
        mine = [job for job in mine if job.options.unique is not None]
    bulk_shared(tx, schema, mine, repeatable=False)


def bulk_shared(tx: PostgresTx, schema: str, jobs: Sequence[NewJob], *, repeatable: bool) -> None:
    """As `bulk`, for jobs with shares. Those with a time are scheduled, and get their places when it has come."""
    now = sorted((job for job in jobs if not _timed(job)), key=lambda job: pointer_of(job)[1:])
    pointers: tuple[tuple[str, Extra, list[list[NewJob]]], ...] = (
        ("part_later", _due, _groups(job for job in jobs if _timed(job))),
        ("part_placed", _placed, [now] if now else []),
    )
    for part, extra, groups in pointers:
        statement = _statement(schema, part, repeatable)
        for group in groups:
            closed = write(tx, statement, _values(statement, group, extra), _chunks(group))
            if closed:
                raise turned_away(closed[0])


def _timed(job: NewJob) -> bool:
    return job.delay_us > 0 or job.run_at is not None


def _placed(jobs: Sequence[NewJob]) -> dict[str, object]:
    ordered = sorted(jobs, key=lambda job: job.id)
    rows, stands = lines_of(map(pointer_of, jobs))
    return {
        "flags": int(Flag.FAIR),
        "sorted_ids": ids([job.id for job in ordered]),
        "flag_integers": integers([int(job.flags) for job in ordered]),
        "line_integers": integers([stands[job.id][0] for job in ordered]),
        "nth_integers": integers([stands[job.id][1] for job in ordered]),
        "line_queue_texts": texts([row["queue"] for row in rows]),
        "line_rank_integers": integers([row["rank"] for row in rows]),
        "line_tenant_texts": texts([row["tenant"] for row in rows]),
        "line_count_integers": integers([row["count"] for row in rows]),
        "line_salt_integers": integers([row["salt"] for row in rows]),
        "line_last_ids": ids([row["last_id"] for row in rows]),
    }


def _write_children(
    tx: PostgresTx,
    schema: str,
    jobs: Sequence[NewJob],
    batches: Sequence[NewBatch],
    answers: dict[bytes, Enqueued],
    *,
    repeatable: bool,
) -> None:
    """Jobs that wait for others or for their limits, but for those behind a holder of their key. Keys have been taken."""
    children = [job for job in jobs if job.waits and (job.id not in answers or answers[job.id].created)]
    if not children:
        return
    known: set[bytes] = set()
    if not repeatable:  # then all of them are new, and nobody can have ended one yet
        known = {job.id for job in jobs if job.id not in answers or answers[job.id].created}
        known |= {batch for batch, job_ids in members(jobs, batches, answers).items() if job_ids}
    placed_children = [placed(job, answers) for job in children]
    for group in _groups(placed_children):
        # Those with a key are new, or they would not be here.
        statement = _statement(schema, "part_waiting", repeatable and not group[0].flags & Flag.UNIQUE)
        closed = write(tx, statement, _values(statement, group, lambda chunk: _waiting(chunk, known)), _chunks(group))
        if closed:
            raise turned_away(closed[0])
    edges = [row for job in placed_children for row in edge_rows(job)]
    for start in range(0, len(edges), CHUNK):
        tx.many("enqueue_edge", edges[start : start + CHUNK])


def _waiting(jobs: Sequence[NewJob], known: Collection[bytes]) -> dict[str, object]:
    """How many edges each has, and whether all its parents come with it. Who has none is told of its gates by a tie."""
    ordered = sorted(jobs, key=lambda job: job.id)
    return _due(jobs) | {
        "edge_integers": integers([len(job.after) for job in ordered]),
        "told_integers": integers([int(bool(job.after) and inside(job, known)) for job in ordered]),
    }


def _groups(jobs: Iterable[NewJob]) -> list[list[NewJob]]:
    """By their flags, which go once per statement."""
    found: dict[int, list[NewJob]] = {}
    for job in jobs:
        found.setdefault(job.flags, []).append(job)
    return list(found.values())


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


def keyed(tx: PostgresTx, schema: str, jobs: Sequence[NewJob]) -> tuple[dict[bytes, Enqueued], set[bytes]]:
    """Write jobs with unique keys that give way to a holder, or are refused for it; of those with shares, or that come after
    others, only the keys. Raises UniqueConflict, Refused.

    Jobs that an earlier call has brought keep what they got; they do not take a key again. They are returned, too."""
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
    for winners in _groups(job for job in takers if answers[job.id].created and not aside(job)):
        # Not repeatable: a job that came by an earlier call since `bulk_known`, and may have ended, must not leave its key.
        bulk(tx, schema, winners, repeatable=False)
    return answers, known


def _first_of_each_key(jobs: Iterable[NewJob]) -> list[NewJob]:
    """Of jobs with the same key the first, in the order of the keys."""
    chosen: dict[tuple[str, str], NewJob] = {}
    for job in jobs:
        chosen.setdefault(key_of(job), job)
    return [chosen[key] for key in sorted(chosen)]


def key_of(job: NewJob) -> tuple[str, str]:
    """The scope and the unique key of a job that has one."""
    return job.task, job.options.unique or ""
