"""What `doctor` looks at in the jobs: workers, leases, queues, stuck jobs, dead letters."""

from __future__ import annotations

from shlex import quote

from relet.cli.findings import Findings, Patient, bad, note, ok, warning
from relet.clock import DAY, HOUR, SECOND
from relet.job.duration import format_us
from relet.overview import problems_of_queues
from relet.shapes.schema import FindingOut, QueueOut, WorkerOut
from relet.shapes.words import ago, at_of, clock, plural
from relet.store.rows import JobFilter

STUCK_US = HOUR
OLD_READY_US = 300 * SECOND
OLD_DEAD_US = 7 * DAY
RECOVERED_WITHIN = 2
"""Leases: a session that lapsed longer ago than so many of its leases should have been found by some worker."""


def check_workers(patient: Patient) -> Findings:
    """Somebody lives, and everybody who lives claims."""
    live = [worker for worker in patient.workers if worker["state"] == "live"]
    if live:
        slots = sum(worker["slots"] for worker in live)
        yield ok("workers", f"{plural(len(live), 'worker')} with {plural(slots, 'slot')}")
    else:
        yield note("workers", "no worker is running", "relet worker")
    for worker in patient.workers:
        if worker["state"] == "lapsed":
            yield _lapsed(worker, patient.now)


def _lapsed(worker: WorkerOut, now: int) -> FindingOut:
    late, held = now - at_of(worker["renewed_at"]), worker["running"]
    found = f"worker {worker['worker']} was last heard of {format_us(late)} ago and holds {plural(held, 'job')}"
    overdue = late > (1 + RECOVERED_WITHIN) * worker["lease_seconds"] * SECOND
    return (bad if overdue and held else warning)("leases", found, "relet recover")


def check_queues(patient: Patient) -> Findings:
    """What waits is being served."""
    found = list(problems_of_queues(patient.queues, patient.workers))
    for problem in found:
        yield bad("queues", problem["what"], problem["next"])
    yield from (_resuming(queue, patient.now) for queue in patient.queues if _resumes(queue))
    served = [
        queue["oldest_ready_at"] for queue in patient.queues if queue["oldest_ready_at"] and queue["state"] == "open"
    ]
    oldest = patient.now - min(map(at_of, served)) if served else 0
    if oldest > OLD_READY_US:
        yield warning(
            "queues", f"the oldest ready job has waited for {format_us(oldest)}", "relet queues ls; more workers?"
        )
    elif not found:
        yield ok("queues", f"the oldest ready job has waited for {format_us(oldest)}" if served else "nothing waits")


def _resumes(queue: QueueOut) -> bool:
    return queue["state"] == "paused" and queue["paused_until"] is not None


def _resuming(queue: QueueOut, now: int) -> FindingOut:
    until = f"until {clock(queue['paused_until'])} ({ago(queue['paused_until'], now)})"
    waiting = f", and {plural(queue['ready'], 'job')} {'waits' if queue['ready'] == 1 else 'wait'}"
    return note(
        "queues", f"queue {queue['name']} is paused by {queue['paused_by']} {until}{waiting if queue['ready'] else ''}"
    )


def check_breakers(patient: Patient) -> Findings:
    """Circuit breakers are closed."""
    found = [row for row in patient.insights.breakers() if row.status.opened_at is not None]
    for row in found:
        status = row.status
        why = ": ".join(filter(None, (status.because, status.error)))
        age = format_us(max(0, patient.now - (status.opened_at or patient.now)))
        said = f"breaker {row.name} is {status.state(patient.now)}, opened {age} ago{f' ({why})' if why else ''}"
        yield warning(
            "breakers", said, f"relet breakers show {quote(row.name)}; relet breakers close {quote(row.name)}"
        )
    if not found:
        yield ok("breakers", "none is open")


def check_stuck(patient: Patient) -> Findings:
    """No job runs for ever."""
    stuck = patient.insights.jobs(JobFilter(stuck_us=STUCK_US, limit=100))
    if stuck:
        count = "100 or more jobs" if len(stuck) == 100 else plural(len(stuck), "job")
        yield warning(
            "stuck jobs",
            f"{count} ran for more than {format_us(STUCK_US)}, or their worker is gone",
            f"relet jobs ls --stuck {format_us(STUCK_US)}; give their tasks a timeout",
        )
    else:
        yield ok("stuck jobs", "none")


def check_dead(patient: Patient) -> Findings:
    """Dead letters are looked at."""
    count, oldest_at = int(patient.health.get("dead_unresolved") or 0), patient.health.get("dead_oldest_at")
    if not count:
        yield ok("dead letters", "none open")
        return
    age = patient.now - int(oldest_at) if oldest_at else 0
    found = f"{plural(count, 'open dead letter')}, the oldest {format_us(age)} old"
    if age > OLD_DEAD_US:
        yield warning("dead letters", found, "relet dead ls; then retry or resolve them")
    else:
        yield note("dead letters", found, "relet dead ls")
