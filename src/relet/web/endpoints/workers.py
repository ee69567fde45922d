"""Workers and what they hold: listed, drained, stopped; and leases of those that are gone given back."""

from __future__ import annotations

from typing import Annotated, TypedDict
from uuid import UUID

import msgspec

from relet.job.duration import to_us
from relet.shapes import records
from relet.shapes.schema import LeaseOut, ReclaimedOut, WorkerOut
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name
from relet.web.visitor import Role


class ListWorkers(Input):
    """Workers that live or have lapsed, and those that ended lately."""

    ended_within: str | float = 0


class WorkerList(TypedDict):
    """Worker processes."""

    workers: list[WorkerOut]


class OneWorker(Input):
    """A worker by its name or the id of its session. A name may stand for several."""

    worker: Name


class Asked(TypedDict):
    """The sessions that were asked."""

    sessions: list[str]


class ListLeases(Input):
    """Jobs that are held now."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100


class LeaseList(TypedDict):
    """The oldest claim first."""

    leases: list[LeaseOut]


class Recovered(TypedDict):
    """What the end of each lapsed session gave back."""

    recovered: list[ReclaimedOut]


def list_workers(call: Call, given: ListWorkers) -> WorkerList:
    """List worker processes."""
    rows = call.store.insights.sessions(to_us(given.ended_within, name="ended_within"))
    return WorkerList(workers=[records.worker_out(row) for row in rows])


def drain_worker(call: Call, given: OneWorker) -> Asked:
    """Ask a worker to claim no more, finish what it runs, and go."""
    return _asked(call, call.app.workers.drain(_id_or_name(given.worker)))


def stop_worker(call: Call, given: OneWorker) -> Asked:
    """Ask a worker to go now: what it runs is given back."""
    return _asked(call, call.app.workers.stop(_id_or_name(given.worker)))


def list_leases(call: Call, given: ListLeases) -> LeaseList:
    """List the jobs that are held now, with their leases."""
    return LeaseList(leases=[records.lease_out(row) for row in call.store.insights.leases(given.limit)])


def recover(call: Call, _given: Input) -> Recovered:
    """End every worker whose lease has lapsed, and give back what it held. Workers do that by themselves, too."""
    found = call.store.reclaim_expired(f"recovered by {call.by}")
    call.trace.done = sum(row.returned for row in found)
    return Recovered(recovered=[records.reclaimed_out(row) for row in found])


def _asked(call: Call, sessions: list[UUID]) -> Asked:
    call.trace.done = len(sessions)
    return Asked(sessions=[str(session) for session in sessions])


def _id_or_name(worker: str) -> UUID | str:
    try:
        return UUID(worker)
    except ValueError:
        return worker


ENDPOINTS = (
    Endpoint("workers.list", "GET", "/workers", Role.VIEWER, list_workers),
    Endpoint("workers.drain", "POST", "/workers/{worker}/drain", Role.OPERATOR, drain_worker),
    Endpoint("workers.stop", "POST", "/workers/{worker}/stop", Role.OPERATOR, stop_worker),
    Endpoint("leases.list", "GET", "/leases", Role.VIEWER, list_leases),
    Endpoint("leases.recover", "POST", "/leases/recover", Role.OPERATOR, recover),
)
