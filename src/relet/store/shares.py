"""Places in `ready` for jobs whose tenants share a queue: start-time fair queueing. Scripts without I/O, and what people say.

A job's place is where its lane is served now, or one step behind its tenant's last job, whichever is later; a step is the
width of a job by the tenant's weight. So tenants with jobs take turns, by weight; one alone gets everything; a new one stands
in the first round; and whoever had nothing to do has saved nothing. The claim knows nothing of it.

The rows of `share` are held until the commit, in the order of queue, rank and tenant. In a transaction that its caller may leave
open no places are taken: its jobs go to `waiting`, and get them when they are tied.
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
from relet.store.link import Link, Row
from relet.store.options import options_of
from relet.store.script import Step, Steps

MOST_SALT = 1024
"""Tenants that come at once stand a little apart: less than a ten-thousandth of a job of weight 1."""

Params = Mapping[str, Any]


class Place(NamedTuple):
    """A place that a job is given, and for which tenant; "" stands for jobs that name none."""

    seq: int
    tenant: str


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


def take_places(pointers: Sequence[Pointer]) -> Steps[dict[bytes, Place]]:
    """A place for each, behind the others of its tenant."""
    lines: dict[tuple[str, int, str], list[bytes]] = {}
    for pointer in pointers:
        lines.setdefault(pointer[1:], []).append(pointer.job_id)
    leaders = {(queue, rank): tenant for queue, rank, tenant in sorted(lines, reverse=True)}
    rows = [
        {
            "queue": queue,
            "rank": rank,
            "tenant": tenant,
            "count": len(lines[queue, rank, tenant]),
            "salt": crc32(tenant.encode()) % MOST_SALT,
            "leader": leaders[queue, rank],
        }
        for queue, rank, tenant in sorted(lines)
    ]
    places: dict[bytes, Place] = {}
    for queue, rank, tenant, first, step in (yield Step("share_take", rows, fetch=True)) if rows else ():
        for n, job_id in enumerate(lines[queue, rank, tenant]):
            places[job_id] = Place(first + n * step, tenant)
    return places


def free_shared(children: Iterable[bytes]) -> Steps[None]:
    """Nothing holds these jobs back any more: waiting -> scheduled or ready, each behind the others of its tenant."""
    rows = [{"job_id": child} for child in sorted(children)]
    if rows:
        yield Step("free_scheduled", rows)
        yield from _move("share_free", sorted((yield Step("share_waiting", rows, fetch=True))))
        yield Step("free_waiting", rows)


def promote_shared(limit: int) -> Steps[list[str]]:
    """Of the first that are due, those with shares: scheduled -> ready. Returns their queues."""
    found = yield Step("share_due", [{"limit": limit}], fetch=True)
    rows = yield from _move("share_promote", found)
    if rows:
        yield Step("share_promoted", [{"job_id": row["job_id"]} for row in rows])
    return [row["queue"] for row in rows]


def retry_shared(job_id: bytes, options: str | None, flags: int) -> Steps[bool]:
    """dead -> ready, if its queue is shared. False: it is not."""
    lanes = yield Step("share_lane", [{"job_id": job_id}], fetch=True)
    tenant = options_of(options).fair
    if tenant is None and not any(fair for _, _, fair in lanes):
        return False
    found = [(job_id, queue, rank, options) for queue, rank, _ in lanes]
    yield from _move("share_retry", found, flags=flags | int(Flag.FAIR))
    return True


def _move(name: str, found: Sequence[Row], **more: Any) -> Steps[list[dict[str, Any]]]:
    """Give places to these (job, queue, rank, options), and move them there."""
    pointers = [Pointer(job_id, queue, rank, options_of(options).fair or "") for job_id, queue, rank, options in found]
    if not pointers:
        return []
    places = yield from take_places(pointers)
    rows = [
        {"job_id": p.job_id, "queue": p.queue, "rank": p.rank, **places[p.job_id]._asdict(), **more} for p in pointers
    ]
    yield Step(name, rows)
    return rows


class Shares:
    """What people say of shares, over any link."""

    _link: Link
    real: Clock

    @repeated
    def set_weight(self, queue: str, tenant: str, weight: int, by: str) -> None:
        with self._link.write() as tx:
            if weight == 1:
                tx.run("weight_forget", queue=queue, tenant=tenant)
            else:
                tx.run("weight_set", queue=queue, tenant=tenant, weight=weight, by=storable(by))
