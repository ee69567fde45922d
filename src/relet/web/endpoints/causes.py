"""Why jobs are dead: dead letters by cause."""

from __future__ import annotations

from typing import TypedDict

from relet.job.cause import Cause, grouped
from relet.shapes import records
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name
from relet.web.visitor import Role

MOST_FAILURES = 10_000
MOST_CAUSES = 200


class CauseOut(TypedDict):
    """Dead letters that have the same cause: the same task, and the same first line of the error but for what differs from job
    to job."""

    key: str
    task: str
    line: str
    """Of the error, with quoted parts, ids and numbers left out."""
    jobs: int
    newest: str
    """The id of the newest one."""
    first_at: str
    last_at: str


class ListCauses(Input):
    """Of which dead letters."""

    task: Name | None = None
    queue: Name | None = None


class CauseList(TypedDict):
    """Causes, those with the most jobs first; at most 200."""

    causes: list[CauseOut]
    total: int
    """How many causes there are."""
    looked_at: int
    """How many dead letters they are made of."""
    all: bool
    """False: there may be older ones, which were not looked at."""


def list_causes(call: Call, given: ListCauses) -> CauseList:
    """List why jobs are dead: the newest 10,000 dead letters that are not resolved, by task and first line of the error."""
    failures = call.store.insights.failures(given.task or "", given.queue or "", MOST_FAILURES)
    causes = grouped(failures)
    return CauseList(
        causes=[_out(cause) for cause in causes[:MOST_CAUSES]],
        total=len(causes),
        looked_at=len(failures),
        all=len(failures) < MOST_FAILURES,
    )


def _out(cause: Cause) -> CauseOut:
    return CauseOut(
        key=cause.key,
        task=cause.task,
        line=records.text_of(cause.line) or "",
        jobs=len(cause.jobs),
        newest=records.uuid_text(cause.jobs[0]),
        first_at=records.time_text(cause.first_at),
        last_at=records.time_text(cause.last_at),
    )


ENDPOINTS = (Endpoint("dead.causes", "GET", "/dead/causes", Role.VIEWER, list_causes),)
