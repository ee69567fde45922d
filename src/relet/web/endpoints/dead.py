"""Dead letters: listed, counted, retried, resolved, deleted; one by one, or all that match."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import msgspec

from relet.errors import NotFound
from relet.handles import as_uuid
from relet.job.cause import grouped
from relet.shapes import records
from relet.shapes.schema import ChangeOut, DeadOut, DeadStatsOut
from relet.shapes.words import when
from relet.store.port import Store
from relet.store.rows import DeadFilter, DeadRow
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints import bulk
from relet.web.endpoints.bulk import BulkOut
from relet.web.endpoints.jobs import PAGE, Id, Ids, Name, Note, PageSize, id_or_none
from relet.web.visitor import Role


class DeadQuery(Input):
    """Which dead letters: all given conditions hold."""

    task: Name | None = None
    queue: Name | None = None
    reason: Name | None = None
    """attempts, permanent, rejected, poison or deadline."""
    error: Name | None = None
    """Part of the error's text; not case-sensitive."""
    since: str | None = None
    until: str | None = None
    resolved: bool | None = None
    """Of all, unless said."""
    causes: Annotated[list[Name], msgspec.Meta(max_length=100)] | None = None
    """Keys of causes, see `GET /dead/causes`: of the newest 10,000 that are not resolved, those of these causes."""


class ListDead(DeadQuery):
    """A page of dead letters."""

    before: Id | None = None
    limit: PageSize = 50


class DeadPage(TypedDict):
    """Dead letters, newest first. `next`: what to give as `before` for the next page."""

    dead: list[DeadOut]
    total: int
    """How many match; counting stops at 100,000."""
    next: str | None


class OneDead(Input):
    """One dead letter by the id of its job."""

    id: Id


class RetryDead(Input):
    """A dead letter to be retried."""

    id: Id
    patch: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """Arguments by name that are different now."""


class ResolveDead(Input):
    """A dead letter to be marked."""

    id: Id
    resolved: bool = True
    note: Note = ""
    by: Name | None = None
    """Who has dealt with it, if it was not whoever says so. The audit log has them."""


class ManyDead(DeadQuery):
    """All that match and are not resolved, unless `resolved` says otherwise."""

    resolved: bool | None = False
    ids: Ids | None = None
    """Those that are named, and nothing else is asked."""
    dry_run: bool = False


class ResolveMany(ManyDead):
    """All that match, to be marked as resolved."""

    note: Note = ""


class DeadStats(TypedDict):
    """Dead letters of each queue."""

    queues: list[DeadStatsOut]


def list_dead(call: Call, given: ListDead) -> DeadPage:
    """List dead letters, newest first, with how many match."""
    wanted = replace(filter_of(call.store, given), before=id_or_none(given.before), limit=given.limit)
    insights = call.store.insights
    if given.causes is not None:
        return _of_causes(call.store, given, wanted.before)
    found = [records.dead_out(row) for row in insights.dead(wanted)]
    return DeadPage(
        dead=found,
        total=insights.dead_count(wanted),
        next=found[-1]["id"] if len(found) == given.limit else None,
    )


def dead_stats(call: Call, _given: Input) -> DeadStats:
    """Count dead letters by queue."""
    return DeadStats(queues=[records.dead_stats_out(row) for row in call.store.insights.dead_stats()])


def show_dead(call: Call, given: OneDead) -> DeadOut:
    """Show one dead letter with its error and stack."""
    return records.dead_out(dead_of(call.store, given.id))


def retry_dead(call: Call, given: RetryDead) -> ChangeOut:
    """Let a dead job run again, with fresh counters and other arguments if given."""
    call.app.dead.retry(given.id, patch=given.patch or None, by=call.by)
    call.trace.done = 1
    return bulk.done(given.id, "retried", "dead")


def retry_many(call: Call, given: ManyDead) -> BulkOut:
    """Retry every dead job that matches; with `dry_run`, count them. One whose unique key is taken stays where it is."""
    return _many(call, given, lambda job_id: call.store.retry_dead(job_id, None, call.by), "retried")


def resolve_dead(call: Call, given: ResolveDead) -> ChangeOut:
    """Mark a dead letter as dealt with, or not."""
    change = call.app.dead.resolve if given.resolved else call.app.dead.reopen
    change(given.id, by=given.by or call.by, note=given.note)
    call.trace.done = 1
    return bulk.done(given.id, "resolved" if given.resolved else "reopened", "dead")


def resolve_many(call: Call, given: ResolveMany) -> BulkOut:
    """Mark every dead letter that matches as dealt with; with `dry_run`, count them."""
    return _many(call, given, lambda job_id: call.store.resolve_dead(job_id, True, call.by, given.note), "resolved")


def delete_dead(call: Call, given: OneDead) -> ChangeOut:
    """Delete a dead letter and its job for good."""
    call.trace.was = records.dead_out(dead_of(call.store, given.id))
    call.app.dead.delete(given.id)
    call.trace.done = 1
    return bulk.done(given.id, "deleted", "dead")


def delete_many(call: Call, given: ManyDead) -> BulkOut:
    """Delete every dead letter that matches, for good; with `dry_run`, count them."""
    return _many(call, given, call.store.delete_dead, "deleted")


def filter_of(store: Store, given: DeadQuery) -> DeadFilter:
    """What the store is asked for. Raises UsageError."""
    return DeadFilter(
        task=given.task,
        queue=given.queue,
        reason=given.reason,
        error_like=given.error,
        failed_after=when(given.since, store.now(), name="since"),
        failed_before=when(given.until, store.now(), name="until"),
        resolved=given.resolved,
    )


def dead_of(store: Store, text: str) -> DeadRow:
    """The row of a dead letter. Raises UsageError and NotFound."""
    row = store.insights.dead_letter(as_uuid(text).bytes)
    if row is None:
        raise NotFound(f"There is no dead letter {text}. It may have been retried or deleted.")
    return row


def _many(call: Call, given: ManyDead, change: Callable[[bytes], bool], did: str) -> BulkOut:
    wanted = filter_of(call.store, given)
    if given.dry_run and given.ids is None and given.causes is None:
        return BulkOut(matched=call.store.insights.dead_count(wanted), done=0, refused=[], more=False)

    def one(job_id: bytes) -> ChangeOut:
        text = records.uuid_text(job_id)
        gone = "it has left the dead letters meanwhile"
        return bulk.done(text, did, "dead") if change(job_id) else bulk.refused(text, gone)

    found = _chosen(call.store, given, wanted)
    answer = bulk.each(call.app.clock, found, records.uuid_text, one, dry_run=given.dry_run)
    call.trace.done = answer["done"]
    return answer


def _chosen(store: Store, given: ManyDead, wanted: DeadFilter) -> Iterator[bytes]:
    """Those that are named, those of the causes, or all that match."""
    if given.ids is not None:
        return iter([as_uuid(text).bytes for text in given.ids])  # all are read before the first is changed
    return _walk(store, wanted) if given.causes is None else iter(ids_of_causes(store, given))


def _walk(store: Store, wanted: DeadFilter) -> Iterator[bytes]:
    before: bytes | None = None
    while page := store.insights.dead(replace(wanted, before=before, limit=PAGE)):
        yield from (row.job_id for row in page)
        before = page[-1].job_id


def ids_of_causes(store: Store, given: DeadQuery) -> list[bytes]:
    """The jobs of these causes, newest first."""
    causes = grouped(store.insights.failures(given.task or "", given.queue or ""))
    found = [job_id for cause in causes if cause.key in (given.causes or ()) for job_id in cause.jobs]
    return sorted(found, reverse=True)


def _of_causes(store: Store, given: ListDead, before: bytes | None) -> DeadPage:
    every = ids_of_causes(store, given)
    ids = [job_id for job_id in every if before is None or job_id < before][: given.limit]
    rows = (store.insights.dead_letter(job_id) for job_id in ids)
    found = [records.dead_out(row) for row in rows if row is not None]
    return DeadPage(dead=found, total=len(every), next=records.uuid_text(ids[-1]) if len(ids) == given.limit else None)


ENDPOINTS = (
    Endpoint("dead.list", "GET", "/dead", Role.VIEWER, list_dead),
    Endpoint("dead.stats", "GET", "/dead/stats", Role.VIEWER, dead_stats),
    Endpoint("dead.retry-matching", "POST", "/dead/retry", Role.OPERATOR, retry_many),
    Endpoint("dead.resolve-matching", "POST", "/dead/resolve", Role.OPERATOR, resolve_many),
    Endpoint("dead.delete-matching", "POST", "/dead/delete", Role.OPERATOR, delete_many),
    Endpoint("dead.show", "GET", "/dead/{id}", Role.VIEWER, show_dead),
    Endpoint("dead.delete", "DELETE", "/dead/{id}", Role.OPERATOR, delete_dead),
    Endpoint("dead.retry", "POST", "/dead/{id}/retry", Role.OPERATOR, retry_dead),
    Endpoint("dead.resolve", "POST", "/dead/{id}/resolve", Role.OPERATOR, resolve_dead),
)
