"""One job: how it stands and why, its life, what it was given and gave, and what it wrote."""

from __future__ import annotations

import json
from shlex import quote
from typing import Any, TypedDict, cast

from relet.errors import NotFound
from relet.shapes.schema import AttemptOut, JobOut
from relet.web.pages.leases import Bar, bar
from relet.web.pages.page import Facts, Look, Page
from relet.web.words import line, seconds

STACKS = 3
"""The stacks of so many attempts stand in the page; those of the others are asked for."""
ATTEMPTS = 50


class Moment(TypedDict):
    """Something in the life of a job."""

    at: str
    state: str
    what: str
    more: str


def gather(look: Look) -> Facts:
    """Its facts."""
    job_id = look.places["id"]
    shown = look.read("jobs.show", id=job_id)
    job: JobOut = shown["job"]
    attempts: list[AttemptOut] = shown["attempts"]
    return {
        **shown,
        "why": look.read("jobs.why", id=job_id)["why"] if look.may("jobs.why") else [],
        "life": life(job, attempts),
        "attempts": attempts[: -ATTEMPTS - 1 : -1],
        "attempts_in_all": len(attempts),
        "stacks": STACKS,
        "letter": _letter(look, job),
        "bar": _bar(look, job),
        "editable": json.dumps(job["args"], ensure_ascii=False, indent=2) if isinstance(job["args"], dict) else None,
        "copies": copies(job),
    }


def life(job: JobOut, attempts: list[AttemptOut]) -> list[Moment]:
    """From its enqueueing to now, oldest first."""
    found = [Moment(at=job["created_at"], state="ready", what="Enqueued", more=f"for queue {job['queue']}")]
    if len(attempts) > ATTEMPTS:
        left_out = f"{len(attempts) - ATTEMPTS:,} earlier attempts are not shown"
        found.append(Moment(at=attempts[-ATTEMPTS]["started_at"], state="waiting", what="…", more=left_out))
    for attempt in attempts[-ATTEMPTS:]:
        found += _of_attempt(attempt)
    if job["state"] == "running" and job["started_at"]:
        found.append(
            Moment(
                at=job["started_at"], state="running", what=f"Claimed by {job['worker']}", more=_claim(job["claims"])
            )
        )
    if job["state"] == "scheduled" and job["run_at"]:
        found.append(Moment(at=job["run_at"], state="scheduled", what="Due", more=""))
    if job["state"] in ("dead", "cancelled") and job["ended_at"]:
        what = "Dead" if job["state"] == "dead" else "Cancelled"
        found.append(Moment(at=job["ended_at"], state=job["state"], what=what, more=line(job["error"])))
    return found


def _of_attempt(attempt: AttemptOut) -> list[Moment]:
    outcome = attempt["outcome"]
    good = outcome == "success"
    state = "succeeded" if good else "lost" if outcome == "lost" else "retrying"
    what = "Succeeded" if good else f"Ended: {outcome}"
    took = seconds(attempt["seconds"])
    began = f"Claimed by {attempt['worker'] or 'a worker that is forgotten'}"
    ended = " · ".join(filter(None, (f"after {took}", line(attempt["error"]))))
    return [
        Moment(at=attempt["started_at"], state="running", what=began, more=_claim(attempt["claim"])),
        Moment(at=attempt["ended_at"], state=state, what=what, more=ended),
    ]


def _claim(number: int) -> str:
    return f"claim {number}: whoever held it before can write no more" if number > 1 else f"claim {number}"


def _letter(look: Look, job: JobOut) -> Any:
    """Its dead letter, if there is one."""
    if job["state"] != "dead" or not look.may("dead.show"):
        return None
    try:
        return look.read("dead.show", id=job["id"])
    except NotFound:
        return None


def _bar(look: Look, job: JobOut) -> Bar | None:
    """Its lease, while it runs."""
    if job["state"] != "running" or not look.may("leases.list"):
        return None
    now = look.read("status.show")["now"]
    workers = {worker["session"]: worker for worker in look.read("workers.list")["workers"]}
    for lease in look.read("leases.list", limit=1_000)["leases"]:
        if lease["id"] == job["id"]:
            worker = workers.get(lease["session"])
            return bar(lease, worker["lease_seconds"] if worker else 0.0, now)
    return None


def copies(job: JobOut) -> dict[str, str]:
    """How the same is enqueued by a program."""
    body = json.dumps(
        {"task": job["task"], "queue": job["queue"], "args": job["args"]}, ensure_ascii=False, default=str
    )
    curl = (
        'curl -X POST {origin}/api/v1/jobs \\\n  -H "Authorization: Bearer $RELET_TOKEN" \\\n'
        f"  -H 'Content-Type: application/json' \\\n  -d {quote(body)}"
    )
    args = cast("dict[str, Any]", job["args"]) if isinstance(job["args"], dict) else {}
    python = f"app.enqueue_by_name({job['task']!r}, {args!r}, queue={job['queue']!r})"
    return {"curl": curl, "python": python}


PAGES = (
    Page(
        "job", "/jobs/{id}", "Job", "jobs.show", gather, under="jobs", live=("facts", "why", "life", "logs", "attempts")
    ),
)
