"""How it stands, in one record: what `status` prints and `top` draws. And the problems that need a person, with their remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from relet.clock import SECOND
from relet.job import surroundings
from relet.job.duration import format_us
from relet.job.state import State
from relet.shapes import records
from relet.shapes.schema import BreakerOut, ProblemOut, QueueOut, ScheduleCountsOut, StatusOut, WorkerOut
from relet.shapes.words import at_of, plural
from relet.store.port import Store
from relet.store.rows import ScheduleCounts

CAP = 100_000
STALE_TURNS = 2
"""A live worker whose last turn is older than so many leases has stopped claiming."""


def gather(store: Store, cap: int = CAP) -> StatusOut:
    """Everything in a few bounded reads."""
    insights, now = store.insights, store.now()
    counts = insights.counts(cap)
    queues = [records.queue_out(row) for row in insights.queues(cap)]
    workers = [records.worker_out(row) for row in insights.sessions()]
    breakers = open_breakers(store, now)
    schedules = insights.schedule_counts()
    return StatusOut(
        url=store.url,
        now=records.time_text(now),
        counts={state.value: counts.get(state, 0) for state in State},
        queues=queues,
        workers=workers,
        breakers=breakers,
        schedules=ScheduleCountsOut(
            total=schedules.total, disabled=schedules.disabled, paused=schedules.paused, waiting=schedules.waiting
        ),
        problems=[*problems(queues, workers, now), *_of_breakers(breakers), *_of_schedules(schedules)],
    )


def open_breakers(store: Store, now: int) -> list[BreakerOut]:
    """The circuit breakers that are not closed."""
    rows = store.insights.breakers()
    return [records.breaker_out(row, now) for row in rows if row.status.opened_at is not None]


def problems(queues: Sequence[QueueOut], workers: Sequence[WorkerOut], now: int) -> Iterator[ProblemOut]:
    """What will not go away by itself."""
    yield from problems_of_queues(queues, workers)
    for worker in workers:
        yield from _of_worker(worker, now)
    dead = sum(queue["dead"] for queue in queues)
    if dead:
        yield ProblemOut(what=f"{plural(dead, 'dead letter')} to look at", next="relet dead ls")


def problems_of_queues(queues: Sequence[QueueOut], workers: Sequence[WorkerOut]) -> Iterator[ProblemOut]:
    """Those whose jobs wait for a person. A pause that ends by itself does not."""
    for queue in queues:
        yield from _of_queue(queue, workers)


def _of_breakers(breakers: Sequence[BreakerOut]) -> Iterator[ProblemOut]:
    """Those that do not try again by themselves."""
    for breaker in breakers:
        if breaker["probe_at"] is None:
            yield ProblemOut(
                what=f"breaker {breaker['name']} is open until a person closes it, by {breaker['changed_by']}",
                next=f"relet breakers close {quote(breaker['name'])}",
            )


def _of_schedules(counts: ScheduleCounts) -> Iterator[ProblemOut]:
    for kind, name, reason in counts.broken:
        yield ProblemOut(what=f"{kind} {name} is disabled: {reason}", next=f"relet {kind}s enable {quote(name)}")


def _of_queue(queue: QueueOut, workers: Sequence[WorkerOut]) -> Iterator[ProblemOut]:
    name, ready = queue["name"], queue["ready"]
    waiting = "1 job waits" if ready == 1 else f"{ready:,} jobs wait"
    if queue["state"] == "paused" and queue["paused_until"] is None and ready:
        yield ProblemOut(
            what=f"queue {name} is paused by {queue['paused_by']} ({waiting})",
            next=f"relet queues resume {quote(name)}",
        )
    elif ready and not any(serves(worker, name) for worker in workers):
        yield ProblemOut(
            what=f"no worker is running for queue {name} ({waiting})",
            next=f"relet worker -q {quote(name)}",
        )


def _of_worker(worker: WorkerOut, now: int) -> Iterator[ProblemOut]:
    name = worker["worker"]
    if worker["state"] == "lapsed":
        held = f", which held {plural(worker['running'], 'job')}" if worker["running"] else ""
        yield ProblemOut(what=f"the lease of worker {name} has lapsed{held}", next="relet recover")
    silent = now - at_of(worker["turned_at"]) if worker["turned_at"] else 0
    if worker["state"] == "live" and silent > STALE_TURNS * worker["lease_seconds"] * SECOND:
        yield ProblemOut(
            what=f"worker {name} is alive but has not asked for jobs for {format_us(silent)}",
            next=f"relet workers stop {name}",
        )


def serves(worker: WorkerOut, queue: str) -> bool:
    """Whether this worker takes jobs of the queue now."""
    return worker["state"] == "live" and surroundings.serves(worker["queues"], queue)
