"""What happened lately: of the newest jobs, of dead letters and of workers, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from relet.job.state import State
from relet.shapes import records
from relet.shapes.schema import JobOut, WorkerOut
from relet.shapes.words import at_of
from relet.store.rows import JobFilter
from relet.web.pages.page import Look
from relet.web.words import between, line

NEWEST = 20
AMONG = 10_000
"""So many of the newest jobs are looked at."""
STATES = (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.RUNNING, State.SCHEDULED)
SHOWN = 14
ENDED_WITHIN_US = 3_600_000_000


class Event(TypedDict):
    """Something that happened."""

    key: str
    at: str
    state: str
    word: str
    job: str | None
    what: str


def latest(look: Look) -> list[Event]:
    """The newest first. Of each state, only the jobs that were enqueued last are looked at."""
    insights = look.call.store.insights
    least = insights.window(None, AMONG)
    wanted = [JobFilter(state=state, least=least, limit=NEWEST) for state in STATES]
    jobs = [records.job_out(row) for one in wanted for row in insights.jobs(one)]
    workers = [records.worker_out(row) for row in insights.sessions(ENDED_WITHIN_US)]
    found = [*_of_jobs(jobs), *_of_workers(workers)]
    return sorted(found, key=lambda event: at_of(event["at"]), reverse=True)[:SHOWN]


def _of_jobs(jobs: Sequence[JobOut]) -> Iterator[Event]:
    for job in jobs:
        state, at = job["state"], job["ended_at"] or job["started_at"] or job["created_at"]
        if state in ("succeeded", "dead", "cancelled"):
            took = between(job["started_at"], job["ended_at"])
            why = line(job["error"], 90)
            yield _of_job(job, at, state, " · ".join(filter(None, (f"in {took}" if took else "", why))))
        elif state == "running":
            yield _of_job(job, at, state, f"on {job['worker']} · claim {job['claims']}")
        elif job["failed_attempts"] and state == "scheduled":
            yield _of_job(job, at, "retrying", f"attempt {job['failed_attempts'] + 1} · {line(job['error'], 90)}")


def _of_job(job: JobOut, at: str, state: str, what: str) -> Event:
    return Event(key=f"{job['id']}{state}", at=at, state=state, word=state, job=job["id"], what=f"{job['task']} {what}")


def _of_workers(workers: Sequence[WorkerOut]) -> Iterator[Event]:
    for worker in workers:
        name, of = worker["worker"], worker["session"]
        yield Event(key=f"{of}began", at=worker["started_at"], state="live", word="worker began", job=None, what=name)
        if worker["state"] == "lapsed":
            said = f"{name} renews no more; it held {worker['running']}"
            yield Event(key=f"{of}lost", at=worker["renewed_at"], state="lost", word="lease lost", job=None, what=said)
        if worker["ended_at"]:
            said = " · ".join(filter(None, (name, worker["end_cause"])))
            yield Event(key=f"{of}end", at=worker["ended_at"], state="ended", word="worker ended", job=None, what=said)
