"""Batches: listed, and how far one is."""

from __future__ import annotations

from typing import Literal, TypedDict

from relet.errors import NotFound
from relet.handles import as_uuid
from relet.shapes import records
from relet.shapes.schema import BatchOut, BondOut
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Id, Name, PageSize, id_or_none
from relet.web.visitor import Role


class ListBatches(Input):
    """A page of batches."""

    label: Name | None = None
    open: bool = False
    """Only those that have not ended."""
    before: Id | None = None
    limit: PageSize = 50


class BatchPage(TypedDict):
    """Batches, newest first."""

    batches: list[BatchOut]
    next: str | None


class OneBatch(Input):
    """A batch by its id."""

    id: Id


class ShownBatch(TypedDict):
    """A batch with what comes after it."""

    batch: BatchOut
    callbacks: list[BondOut]


class Members(OneBatch):
    """A page of its jobs."""

    state: Literal["open", "dead", "succeeded", "cancelled"] | None = None
    after: Id | None = None
    limit: PageSize = 50


class MemberPage(TypedDict):
    """Ids of jobs, oldest first."""

    jobs: list[str]
    next: str | None


def list_batches(call: Call, given: ListBatches) -> BatchPage:
    """List batches, newest first."""
    rows = call.store.insights.batches(given.label or "", given.open, id_or_none(given.before), given.limit)
    found = [records.batch_out(row) for row in rows]
    return BatchPage(batches=found, next=found[-1]["id"] if len(found) == given.limit else None)


def show_batch(call: Call, given: OneBatch) -> ShownBatch:
    """Show how far a batch is."""
    batch_id = as_uuid(given.id, "batch").bytes
    row = call.store.insights.batch(batch_id)
    if row is None:
        raise NotFound(f"There is no batch {given.id}. It may have been removed by retention.")
    bonds = [records.bond_out(edge, parent=False) for edge in call.store.insights.children(batch_id)]
    return ShownBatch(batch=records.batch_out(row), callbacks=bonds)


def list_members(call: Call, given: Members) -> MemberPage:
    """List the jobs of a batch."""
    batch_id = as_uuid(given.id, "batch").bytes
    rows = call.store.insights.members(batch_id, given.state or "", id_or_none(given.after), given.limit)
    found = [records.uuid_text(row) for row in rows]
    return MemberPage(jobs=found, next=found[-1] if len(found) == given.limit else None)


ENDPOINTS = (
    Endpoint("batches.list", "GET", "/batches", Role.VIEWER, list_batches),
    Endpoint("batches.show", "GET", "/batches/{id}", Role.VIEWER, show_batch),
    Endpoint("batches.members", "GET", "/batches/{id}/members", Role.VIEWER, list_members),
)
