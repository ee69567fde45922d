"""Queues, and one queue: what it is held to, who shares it, and its newest jobs."""

from __future__ import annotations

from collections.abc import Sequence

from relet.overview import serves
from relet.shapes import records
from relet.shapes.schema import QueueOut, WorkerOut
from relet.store.queues import plain_queue
from relet.web.pages.figures import charts, last_hour
from relet.web.pages.page import Facts, Look, Page
from relet.web.words import CAP

JOBS = 15


def gather(look: Look) -> Facts:
    """All of them."""
    found = [records.queue_out(row) for row in look.call.store.insights.queues(CAP)]
    workers = _workers(look)
    return {"queues": found, "slots": {queue["name"]: slots_for(workers, queue["name"]) for queue in found}}


def gather_one(look: Look) -> Facts:
    """One of them."""
    name, workers = look.places["name"], _workers(look)
    now = look.call.store.now()
    return {
        "charts": charts(last_hour(look.call.store, now, name)),
        "queue": _record(look, name),
        "slots": {name: slots_for(workers, name)},
        "shares": look.read("queues.shares", name=name)["shares"] if look.may("queues.shares") else [],
        "jobs": look.read("jobs.list", queue=name, limit=JOBS)["jobs"] if look.may("jobs.list") else [],
        "workers": [worker for worker in workers if serves(worker, name)],
    }


def _record(look: Look, name: str) -> QueueOut:
    """One that nobody has used yet is shown as empty."""
    found = {row.name: row for row in look.call.store.insights.queues(CAP)}
    return records.queue_out(found.get(name) or plain_queue(name))


def slots_for(workers: Sequence[WorkerOut], queue: str) -> int:
    """How many jobs of a queue could run at once: the slots of the workers that serve it."""
    return sum(worker["slots"] for worker in workers if serves(worker, queue))


def _workers(look: Look) -> list[WorkerOut]:
    return look.read("workers.list")["workers"] if look.may("workers.list") else []


PAGES = (
    Page("queues", "/queues", "Queues", "queues.list", gather, key="q", live=("list",)),
    Page(
        "queue", "/queues/{name}", "Queue", "queues.show", gather_one, under="queues", live=("facts", "charts", "rows")
    ),
)
