"""Jobs by a text in their arguments or errors. Nothing is indexed for that, so a search goes back for a second at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypedDict

import msgspec

from relet.clock import SECOND
from relet.job.redact import Redactor
from relet.shapes import records
from relet.shapes.schema import JobOut
from relet.store.page import id_behind
from relet.store.port import Store
from relet.store.rows import JobFilter, JobRow
from relet.web.endpoint import Call, Endpoint
from relet.web.endpoints.jobs import Id, JobQuery, filter_of, id_or_none
from relet.web.visitor import Role

AT_MOST_US = SECOND
WINDOW = 1_000
ENOUGH = 50

_REDACTOR = Redactor()


class SearchJobs(JobQuery, kw_only=True):
    """What to find, and among which jobs."""

    text: Annotated[str, msgspec.Meta(min_length=2, max_length=200)]
    """Part of the task, the arguments or an error, as they are shown; not case-sensitive."""
    before: Id | None = None
    """Go on from here: the `next` of the answer before."""


class SearchPage(TypedDict):
    """What was found, the newest first."""

    jobs: list[JobOut]
    looked_at: int
    """How many jobs were looked at."""
    back_to: str | None
    """Jobs enqueued since then were looked at."""
    next: str | None
    """Where to go on; null: all jobs were looked at."""


def search_jobs(call: Call, given: SearchJobs) -> SearchPage:
    """Find jobs by a text in their task, arguments or errors, the newest first, for a second at most."""
    wanted, until = filter_of(call.store, given), call.app.clock.steady() + AT_MOST_US
    before, back_to, looked_at = id_or_none(given.before), None, 0
    found: list[JobOut] = []
    while len(found) < ENOUGH:
        window = call.store.insights.search(given.text, before, WINDOW)
        rows = (row for job_id in window.ids for row in _wanted(call.store, wanted, job_id))
        found += [records.job_out(row) for row in rows if _shows(call.store, row, given.text)]
        before, back_to, looked_at = window.last, window.last_at or back_to, looked_at + window.looked_at
        past = wanted.created_after is not None and back_to is not None and back_to < wanted.created_after
        if before is None or past or call.app.clock.steady() > until:
            break
    return SearchPage(
        jobs=found,
        looked_at=looked_at,
        back_to=records.time_or_none(back_to),
        next=None if before is None else records.uuid_text(before),
    )


def _wanted(store: Store, wanted: JobFilter, job_id: bytes) -> list[JobRow]:
    """This job, if it is among those that are wanted."""
    return store.insights.jobs(replace(wanted, before=id_behind(job_id), least=job_id, limit=1))


def _shows(store: Store, row: JobRow, text: str) -> bool:
    """Whether the text is in what is shown of it. What is hidden is not found either: it could be guessed letter by letter."""
    part = text.lower()
    if part in row.task.lower() or part in _REDACTOR.json(row.args).lower():
        return True
    errors = [row.error or "", *(attempt.error for attempt in store.insights.attempts(row.id))]
    return any(part in _REDACTOR.text(error).lower() for error in errors)


ENDPOINTS = (Endpoint("jobs.search", "GET", "/jobs/search", Role.VIEWER, search_jobs),)
