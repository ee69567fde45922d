"""Places in `ready` for jobs whose tenants share a queue: start-time fair queueing. Scripts without I/O, and what people say.

A job's place is where its lane is served now, or one step behind its tenant's last job, whichever is later; a step is the
width of a job by the tenant's weight. So tenants with jobs take turns, by weight; one alone gets everything; a new one stands
in the first round; and whoever had nothing to do has saved nothing. The claim knows nothing of it.

The rows of `share` are held until the commit, in the order of queue, rank and tenant, and are the last locks that a transaction
takes. In one that its caller may leave open no places are taken: its jobs go to `waiting`, and get them when they are tied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from msgspec.structs import replace

from relet.clock import Clock
from relet.job.job import Flag, NewJob
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.limits import CODE, PERSON
from relet.store.link import Link, Tx
from relet.store.options import options_of
from relet.store.script import Step, Steps

MOST_SALT = 8192
"""Tenants stand a little apart: by less than the width of a job of the greatest weight, 11,531. Of weight 1 it is 11,531,520."""

Params = Mapping[str, Any]


class Pointer(NamedTuple):
    """A job that needs a place, in the order in which its tenant wants its jobs to run."""

    job_id: bytes
    queue: str
    rank: int
    tenant: str


def shared(jobs: Sequence[NewJob], fair: Iterable[str]) -> Sequence[NewJob]:
    """The jobs, with those marked that name no tenant in a queue that tenants share: these are the queues."""
    queues = frozenset(fair)
    if not queues:
        return jobs
    return [replace(job, is_shared=True) if job.queue in queues and job.options.fair is None else job for job in jobs]


def has_share(job: NewJob) -> bool:
    """Whether its places are given by shares: as its flag says, for less."""
    return job.is_shared or job.options.fair is not None


def pointer_of(job: NewJob) -> Pointer:
    """A new job with a share."""
    return Pointer(job.id, job.queue, -job.priority, job.options.fair or "")


class Lines(NamedTuple):
    """Jobs by queue, rank and tenant: one call to `share_take`, and where each of them stands in it."""

    rows: list[dict[str, Any]]
    """What is asked for each line, in order."""
    stands: dict[bytes, tuple[int, int]]
    """Of each job: its line, from 1 on, and how many of the same line come before it."""


def lines_of(pointers: Iterable[Pointer]) -> Lines:
    """These jobs in lines; each keeps the order in which they come."""
    found: dict[tuple[str, int, str], list[bytes]] = {}
    for pointer in pointers:
        found.setdefault(pointer[1:], []).append(pointer.job_id)
    rows: list[dict[str, Any]] = []
    stands: dict[bytes, tuple[int, int]] = {}
    lanes: set[tuple[str, int]] = set()
    for line, (queue, rank, tenant) in enumerate(sorted(found), 1):
        job_ids = found[queue, rank, tenant]
        rows.append(
            {
                "line": line,
                "queue": queue,
                "rank": rank,
                "tenant": tenant,
                "count": len(job_ids),
                "salt": crc32(tenant.encode()) % MOST_SALT,
                "last_id": job_ids[-1],
                "first": int((queue, rank) not in lanes),
            }
        )
        lanes.add((queue, rank))
        stands |= {job_id: (line, before) for before, job_id in enumerate(job_ids)}
    return Lines(rows, stands)


def take_places(pointers: Sequence[Pointer]) -> Steps[dict[bytes, int]]:
    """A place for each, behind the others of its tenant."""
    if not pointers:
        return {}
    rows, stands = lines_of(pointers)
    given = {line: (first, step) for line, first, step in (yield Step("share_take", rows, fetch=True))}
    places: dict[bytes, int] = {}
    for job_id, (line, before) in stands.items():
        first, step = given[line]
        places[job_id] = first + before * step
    return places


def free_shared(children: Iterable[bytes]) -> Steps[None]:
    """Nothing holds these jobs back any more: waiting -> scheduled or ready, the oldest first, each behind the others of its
    tenant."""
    rows = [{"job_id": child} for child in sorted(set(children))]
    if not rows:
        return
    yield Step("free_scheduled", rows)
    waiting = sorted((yield Step("share_waiting", rows, fetch=True)))
    pointers = [
        Pointer(job_id, queue, rank, options_of(options).fair or "") for _, job_id, queue, rank, options in waiting
    ]
    if pointers:
        places = yield from take_places(pointers)
        yield Step("share_free", [{**pointer._asdict(), "seq": places[pointer.job_id]} for pointer in pointers])
    yield Step("free_waiting", rows)


def newly_shared(children: Iterable[bytes]) -> Steps[set[bytes]]:
    """Of these jobs, which become ready and name no tenant, those whose queue has tenants by now."""
    rows = [{"job_id": child} for child in sorted(children)]
    return {job_id for (job_id,) in (yield Step("share_mark", rows, fetch=True))} if rows else set()


def share_flag(job_id: bytes, options: str | None) -> Steps[Flag]:
    """Whether tenants share the queue of a job that comes back."""
    if options_of(options).fair is not None:
        return Flag.FAIR
    return Flag.FAIR if (yield Step("share_queue", [{"job_id": job_id}], fetch=True)) else Flag.NONE


class Shares:
    """What people and code say of shares, over any link."""

    _link: Link
    real: Clock

    @repeated
    def set_weight(self, queue: str, tenant: str, weight: int, by: str) -> None:
        with self._link.write() as tx:
            _put(tx, queue, tenant, weight, PERSON, by)

    @repeated
    def forget_weight(self, queue: str, tenant: str) -> bool:
        with self._link.write() as tx:
            return tx.run("weight_forget", queue=queue, tenant=tenant) > 0

    def declare_weights(self, weights: Mapping[str, Mapping[str, int]], by: str) -> int:
        return sum(self._declare_weights(queue, weights[queue], by) for queue in sorted(weights) if weights[queue])

    @repeated
    def _declare_weights(self, queue: str, weights: Mapping[str, int], by: str) -> int:
        """Most of the time they are as they should be, and nothing is written."""
        with self._link.read() as tx:
            said = {tenant: (weight, origin) for tenant, weight, origin in tx.all("weight_rows", queue=queue)}
        new = [tenant for tenant in sorted(weights) if _behind(said.get(tenant), weights[tenant])]
        if not new:
            return 0
        with self._link.write() as tx:
            return sum(_put(tx, queue, tenant, weights[tenant], CODE, by) for tenant in new)


def _behind(said: tuple[int, str] | None, weight: int) -> bool:
    """Whether code says another weight now than it did. What a person has said stands."""
    return said is None or (said[1] == CODE and said[0] != weight)


def _put(tx: Tx, queue: str, tenant: str, weight: int, origin: str, by: str) -> int:
    return tx.run("weight_put", queue=queue, tenant=tenant, weight=weight, origin=origin, by=storable(by))
