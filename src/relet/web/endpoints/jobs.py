"""Jobs: listed, shown, explained, enqueued, cancelled, deleted, run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, TypedDict
from uuid import UUID

import msgspec

from relet.clock import SECOND
from relet.errors import NotFound, UsageError
from relet.handles import as_uuid
from relet.job.duration import to_us
from relet.job.state import ENDED, State
from relet.job.why import explain
from relet.options import CallOptions
from relet.shapes import records
from relet.shapes.schema import AttemptOut, BondOut, ChangeOut, EnqueuedOut, JobOut, LogOut, UsageOut
from relet.shapes.words import moment, when
from relet.store.port import Store
from relet.store.rows import JobFilter, JobRow
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints import bulk
from relet.web.endpoints.bulk import BulkOut
from relet.web.visitor import Role

PAGE = 500
AT_MOST_US = SECOND
WINDOW = 20_000

PageSize = Annotated[int, msgspec.Meta(ge=1, le=500)]
Id = Annotated[str, msgspec.Meta(max_length=36)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Note = Annotated[str, msgspec.Meta(max_length=2_000)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=500)]


class JobQuery(Input):
    """Which jobs: all given conditions hold."""

    state: State | None = None
    task: Name | None = None
    queue: Name | None = None
    worker: Name | None = None
    since: str | None = None
    """Enqueued then or later: a duration before now ("2h"), or an ISO 8601 time."""
    until: str | None = None
    stuck: str | None = None
    """Running for longer than this, or held by a worker that is gone."""


class ListJobs(JobQuery):
    """A page of jobs."""

    before: Id | None = None
    """The `next` of the page before."""
    limit: PageSize = 50


class JobPage(TypedDict):
    """Jobs, newest first. `next`: what to give as `before` for the next page; null: this is the last one.

    A page may have fewer jobs than asked for, and a `next`: a second was not enough to find more. Then all since `back_to` were
    looked at."""

    jobs: list[JobOut]
    back_to: str | None
    next: str | None


class OneJob(Input):
    """One job by its id."""

    id: Id


class ShownJob(TypedDict):
    """A job with its history."""

    job: JobOut
    parents: list[BondOut]
    children: list[BondOut]
    attempts: list[AttemptOut]
    logs: list[LogOut]
    usage: list[UsageOut]


class WhyOut(TypedDict):
    """Why a job does not run, or how it ended: sentences, the decisive one first."""

    id: str
    state: str
    why: list[str]


class EnqueueJob(Input):
    """A job to be enqueued, by the name of its task."""

    task: Name
    args: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """Arguments by parameter name."""
    queue: Name | None = None
    priority: int | str | None = None
    delay: str | float | None = None
    at: str | None = None
    unique: str | None = None
    on_conflict: str | None = None
    expires: str | float | None = None
    deadline: str | float | None = None
    timeout: str | float | None = None
    max_attempts: int | None = None
    tags: dict[str, str] | None = None


class CancelJob(Input):
    """A job to be cancelled."""

    id: Id
    reason: Note = ""
    grace: str | float | None = None
    """How long a running one has to end by itself."""


class CancelJobs(JobQuery):
    """Jobs to be cancelled: all that match and have not ended; or those that are named, and nothing else is asked."""

    ids: Ids | None = None
    reason: Note = ""
    grace: str | float | None = None
    dry_run: bool = False


class DeleteJobs(JobQuery):
    """Jobs to be deleted: all that match and have succeeded or were cancelled; or those that are named."""

    ids: Ids | None = None
    dry_run: bool = False


class RunAgain(Input):
    """A job to be enqueued anew."""

    id: Id
    patch: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """Arguments by name that are different now."""


def list_jobs(call: Call, given: ListJobs) -> JobPage:
    """List jobs, newest first."""
    wanted = replace(filter_of(call.store, given), before=id_or_none(given.before), limit=given.limit)
    found, after = found_within(call, wanted)
    back_to = None if after is None or len(found) == given.limit else call.store.insights.job(after)
    return JobPage(
        jobs=[records.job_out(row) for row in found],
        back_to=None if back_to is None else records.time_text(back_to.created_at),
        next=None if after is None else records.uuid_text(after),
    )


def found_within(call: Call, wanted: JobFilter) -> tuple[list[JobRow], bytes | None]:
    """A page, and behind which job the next one begins; None: there is nothing behind. Most conditions have no index, so it is
    looked at some ten thousand jobs at a time, for a second at most."""
    insights, until = call.store.insights, call.app.clock.steady() + AT_MOST_US
    far = wanted.state in (None, State.SUCCEEDED, State.CANCELLED)
    found: list[JobRow] = []
    while True:
        least = insights.window(wanted.before, WINDOW) if far else None
        found += insights.jobs(replace(wanted, least=least, limit=wanted.limit - len(found)))
        if len(found) == wanted.limit:
            return found, found[-1].id
        if least is None or call.app.clock.steady() > until:
            return found, least
        wanted = replace(wanted, before=least)


def show_job(call: Call, given: OneJob) -> ShownJob:
    """Show one job with its attempts, log lines and what it consumed."""
    row, insights = job_of(call.store, given.id), call.store.insights
    return ShownJob(
        job=records.job_out(row),
        parents=[records.bond_out(edge, parent=True) for edge in insights.parents(row.id)],
        children=[records.bond_out(edge, parent=False) for edge in insights.children(row.id)],
        attempts=[records.attempt_out(attempt) for attempt in insights.attempts(row.id)],
        logs=[records.log_out(line) for line in insights.logs(row.id, (0, -1), 500)],
        usage=[records.usage_out(usage) for usage in insights.usage(row.id)],
    )


def why_job(call: Call, given: OneJob) -> WhyOut:
    """Say why a job does not run, or how it ended."""
    row = job_of(call.store, given.id)
    standing = call.store.insights.why(row.id)
    if standing is None:
        raise NotFound(f"Job {given.id} was removed a moment ago.")
    return WhyOut(id=records.uuid_text(row.id), state=row.state.value, why=explain(standing))


def enqueue_job(call: Call, given: EnqueueJob) -> EnqueuedOut:
    """Enqueue a job by the name of its task.

    With an Idempotency-Key, a request that is sent again makes no second job, even if its first answer was lost.
    """
    return enqueued(call, given.task, given.args, _options(given))


def enqueued(call: Call, task: str, args: Mapping[str, Any], options: CallOptions) -> EnqueuedOut:
    """Enqueue under the id that this call has for its job."""
    job = call.app.enqueue_by_name(task, args, job_id=UUID(bytes=call.job_id), **options)
    call.trace.done = int(job.created)
    return EnqueuedOut(id=str(job.id), task=task, created=job.created)


def cancel_job(call: Call, given: CancelJob) -> ChangeOut:
    """Cancel one job: at once if it waits, within a second and its grace if it runs."""
    row = job_of(call.store, given.id)
    call.trace.was = {"state": row.state.value}
    made = _cancel(call, row, given.reason, _grace(call, given.grace))
    call.trace.done = int(made["done"])
    return made


def cancel_jobs(call: Call, given: CancelJobs) -> BulkOut:
    """Cancel every job that matches and has not ended, or those that are named; with `dry_run`, count them."""
    grace_us = _grace(call, given.grace)
    found = _chosen(call.store, given, given.ids, [state for state in State if state not in ENDED])
    answer = bulk.each(
        call.app.clock, found, _id, lambda row: _cancel(call, row, given.reason, grace_us), dry_run=given.dry_run
    )
    call.trace.done = answer["done"]
    return answer


def delete_job(call: Call, given: OneJob) -> ChangeOut:
    """Delete a job that succeeded or was cancelled, with its history."""
    call.app.jobs.delete(given.id)
    call.trace.done = 1
    return bulk.done(given.id, "deleted")


def delete_jobs(call: Call, given: DeleteJobs) -> BulkOut:
    """Delete every job that matches and has succeeded or was cancelled, or those that are named; with `dry_run`, count them."""

    def delete(row: JobRow) -> ChangeOut:
        call.app.jobs.delete(_id(row))
        return bulk.done(_id(row), "deleted", row.state.value)

    found = _chosen(call.store, given, given.ids, [State.SUCCEEDED, State.CANCELLED])
    answer = bulk.each(call.app.clock, found, _id, delete, dry_run=given.dry_run)
    call.trace.done = answer["done"]
    return answer


def run_again(call: Call, given: RunAgain) -> EnqueuedOut:
    """Enqueue a job anew, with the same task, queue and priority, and other arguments if given."""
    row = job_of(call.store, given.id)
    args = msgspec.json.decode(row.args)
    if not isinstance(args, dict):
        raise UsageError(f"The arguments of job {given.id} cannot be read, so it was not enqueued anew.")
    merged: dict[str, Any] = {**args, **given.patch}
    return enqueued(call, row.task, merged, CallOptions(queue=row.queue, priority=row.priority))


# ── what they share ───────────────────────────────────────────────────────────────────────────────────────────────────
def job_of(store: Store, text: str) -> JobRow:
    """The row of a job. Raises UsageError and NotFound."""
    row = store.insights.job(as_uuid(text).bytes)
    if row is None:
        raise NotFound(f"There is no job {text}. It may have been removed by retention.")
    return row


def id_or_none(text: str | None) -> bytes | None:
    """An id to page behind. Raises UsageError."""
    return None if text is None else as_uuid(text).bytes


def filter_of(store: Store, given: JobQuery) -> JobFilter:
    """What the store is asked for. Raises UsageError."""
    return JobFilter(
        state=given.state,
        task=given.task,
        queue=given.queue,
        worker=given.worker,
        created_after=when(given.since, store.now(), name="since"),
        created_before=when(given.until, store.now(), name="until"),
        stuck_us=None if given.stuck is None else to_us(given.stuck, name="stuck"),
    )


def _chosen(store: Store, given: JobQuery, ids: list[str] | None, fitting: list[State]) -> Iterator[JobRow]:
    """Those that are named and there, or all that match."""
    if ids is None:
        return _walk(store, given, fitting)
    named = [as_uuid(text).bytes for text in ids]  # all are read before the first is changed
    rows = (store.insights.job(job_id) for job_id in named)
    return (row for row in rows if row is not None)


def _walk(store: Store, given: JobQuery, fitting: list[State]) -> Iterator[JobRow]:
    """All that match in one of these states, page by page. A job may have moved on to a later one of them."""
    wanted = filter_of(store, given)
    for state in fitting if wanted.state is None else [one for one in fitting if one is wanted.state]:
        before: bytes | None = None
        while page := store.insights.jobs(replace(wanted, state=state, before=before, limit=PAGE)):
            yield from page
            before = page[-1].id


def _cancel(call: Call, row: JobRow, reason: str, grace_us: int) -> ChangeOut:
    found = call.store.cancel(row.id, reason, call.by, grace_us)
    if found is None or found.ended:
        state = None if found is None else found.value
        return bulk.refused(_id(row), f"it has ended: {state}" if state else "there is no such job", state)
    return bulk.done(_id(row), "asked to cancel" if found is State.RUNNING else "cancelled", found.value)


def _grace(call: Call, grace: str | float | None) -> int:
    return call.app.settings.cancel_grace_us if grace is None else to_us(grace, name="grace")


def _id(row: JobRow) -> str:
    return records.uuid_text(row.id)


def _options(given: EnqueueJob) -> CallOptions:
    said = {
        name: value
        for name in given.__struct_fields__
        if name not in ("task", "args", "at") and (value := getattr(given, name)) is not None
    }
    options = CallOptions(**said)  # type: ignore[typeddict-item]  # they are checked where all options are
    if given.at is not None:
        options["at"] = moment(given.at, name="at")
    return options


ENDPOINTS = (
    Endpoint("jobs.list", "GET", "/jobs", Role.VIEWER, list_jobs),
    Endpoint("jobs.enqueue", "POST", "/jobs", Role.OPERATOR, enqueue_job, status=201),
    Endpoint("jobs.cancel-matching", "POST", "/jobs/cancel", Role.OPERATOR, cancel_jobs),
    Endpoint("jobs.delete-matching", "POST", "/jobs/delete", Role.OPERATOR, delete_jobs),
    Endpoint("jobs.show", "GET", "/jobs/{id}", Role.VIEWER, show_job),
    Endpoint("jobs.delete", "DELETE", "/jobs/{id}", Role.OPERATOR, delete_job),
    Endpoint("jobs.why", "GET", "/jobs/{id}/why", Role.VIEWER, why_job),
    Endpoint("jobs.cancel", "POST", "/jobs/{id}/cancel", Role.OPERATOR, cancel_job),
    Endpoint("jobs.run-again", "POST", "/jobs/{id}/again", Role.OPERATOR, run_again, status=201),
)
