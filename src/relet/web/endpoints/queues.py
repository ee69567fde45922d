"""Queues: listed, paused, resumed, drained, purged, limited, shared among tenants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from relet.shapes import records
from relet.shapes.schema import QueueOut, ShareOut
from relet.store.port import Store
from relet.store.queues import plain_queue
from relet.store.rows import QueueRow
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name, Note
from relet.web.endpoints.kept import number_or_kept, text_or_kept
from relet.web.visitor import Role

CAP = 100_000


class QueueList(TypedDict):
    """Every queue that has jobs or a setting, by name. A count of 100,000 means "or more"."""

    queues: list[QueueOut]


class OneQueue(Input):
    """One queue by name."""

    name: Name


class PauseQueue(OneQueue):
    """A queue to be paused."""

    reason: Note = ""
    until: str | float | None = None
    """When it resumes by itself: a duration from now on, or an HTTP date; null: when somebody resumes it."""


class DrainQueue(OneQueue):
    """A queue to be drained."""

    reason: Note = ""


class LimitQueue(OneQueue):
    """What a queue is held to. What is left out stays as it is; "none" takes it away."""

    concurrency: int | str | None = None
    rate: str | None = None
    per_worker: int | str | None = None


class PurgeQueue(OneQueue):
    """A queue whose jobs that are not running are to be cancelled."""

    dry_run: bool = False


class Purged(TypedDict):
    """How many jobs were cancelled; with `dry_run`, would be."""

    queue: str
    purged: int


class ShareQueue(OneQueue):
    """The weight of one tenant in a queue."""

    tenant: str
    weight: int


class ShareList(TypedDict):
    """Tenants of one queue, those with the most ready jobs first."""

    shares: list[ShareOut]


def list_queues(call: Call, _given: Input) -> QueueList:
    """List queues with their counts, settings and limits."""
    return QueueList(queues=[records.queue_out(row) for row in call.store.insights.queues(CAP)])


def show_queue(call: Call, given: OneQueue) -> QueueOut:
    """Show one queue. One that nobody has used yet is shown as empty."""
    return shown(call.store, given.name)


def pause_queue(call: Call, given: PauseQueue) -> QueueOut:
    """Let nothing more start from a queue until it is resumed. What runs goes on."""
    return _changed(call, given, lambda: call.app.queues[given.name].pause(given.reason, until=given.until, by=call.by))


def resume_queue(call: Call, given: OneQueue) -> QueueOut:
    """End the pause of a queue, and open it again if it was drained."""
    return _changed(call, given, call.app.queues[given.name].resume)


def drain_queue(call: Call, given: DrainQueue) -> QueueOut:
    """Refuse new jobs for a queue, and work off what is there."""
    return _changed(call, given, lambda: call.app.queues[given.name].close(given.reason, by=call.by))


def limit_queue(call: Call, given: LimitQueue) -> QueueOut:
    """Hold a queue to so many jobs at once, and so many starts in a time."""
    queue = call.app.queues[given.name]
    concurrency = number_or_kept(given.concurrency, "concurrency")
    per_worker = number_or_kept(given.per_worker, "per_worker")
    rate = text_or_kept(given.rate)
    return _changed(
        call, given, lambda: queue.limit(concurrency=concurrency, rate=rate, per_worker=per_worker, by=call.by)
    )


def unlimit_queue(call: Call, given: OneQueue) -> QueueOut:
    """End all limits of a queue, also those that code declares."""
    return _changed(call, given, lambda: call.app.queues[given.name].unlimit(by=call.by))


def purge_queue(call: Call, given: PurgeQueue) -> Purged:
    """Cancel all jobs of a queue that are not running; with `dry_run`, count them."""
    if given.dry_run:
        row = _row(call.store, given.name)
        return Purged(queue=given.name, purged=row.ready + row.scheduled + row.waiting)
    purged = call.app.queues[given.name].purge(by=call.by)
    call.trace.done = purged
    return Purged(queue=given.name, purged=purged)


def list_shares(call: Call, given: OneQueue) -> ShareList:
    """List the tenants that share a queue."""
    rows = call.store.insights.shares(given.name, CAP)
    return ShareList(shares=[records.share_out(given.name, row) for row in rows])


def share_queue(call: Call, given: ShareQueue) -> ShareList:
    """Set how many jobs a tenant may start while one of weight 1 starts one."""
    call.app.queues[given.name].share(given.tenant, given.weight, by=call.by)
    call.trace.done = 1
    return list_shares(call, given)


def shown(store: Store, name: str) -> QueueOut:
    """The record of one queue."""
    return records.queue_out(_row(store, name))


def _row(store: Store, name: str) -> QueueRow:
    found = {row.name: row for row in store.insights.queues(CAP)}
    return found.get(name) or plain_queue(name)


def _changed(call: Call, given: OneQueue, change: Callable[[], object]) -> QueueOut:
    """Do it, and say how the queue was and has become."""
    call.trace.was = shown(call.store, given.name)
    change()
    call.trace.done, call.trace.became = 1, shown(call.store, given.name)
    return call.trace.became


ENDPOINTS = (
    Endpoint("queues.list", "GET", "/queues", Role.VIEWER, list_queues, shared=True),
    Endpoint("queues.show", "GET", "/queues/{name}", Role.VIEWER, show_queue),
    Endpoint("queues.pause", "POST", "/queues/{name}/pause", Role.OPERATOR, pause_queue),
    Endpoint("queues.resume", "POST", "/queues/{name}/resume", Role.OPERATOR, resume_queue),
    Endpoint("queues.drain", "POST", "/queues/{name}/drain", Role.OPERATOR, drain_queue),
    Endpoint("queues.limit", "POST", "/queues/{name}/limit", Role.OPERATOR, limit_queue),
    Endpoint("queues.unlimit", "POST", "/queues/{name}/unlimit", Role.OPERATOR, unlimit_queue),
    Endpoint("queues.purge", "POST", "/queues/{name}/purge", Role.OPERATOR, purge_queue),
    Endpoint("queues.shares", "GET", "/queues/{name}/shares", Role.VIEWER, list_shares),
    Endpoint("queues.share", "POST", "/queues/{name}/share", Role.OPERATOR, share_queue),
)
