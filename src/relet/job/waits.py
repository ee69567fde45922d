"""What a waiting job waits for, in sentences for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from relet.job.state import State

NAMED = 3
"""How many parents a sentence names before it says "and 7 more"."""


@dataclass(frozen=True, slots=True)
class Bond:
    """A job or a batch that a waiting job comes after."""

    id: bytes
    name: str
    """Its task, or the batch's label."""
    is_batch: bool
    state: str
    """Where it stands; of a batch: open, succeeded, failed."""


def waits_for(bonds: tuple[Bond, ...], left: int, total: int, job_id: UUID) -> list[str]:
    """Why a job waits that comes after others. `bonds` are those that have not ended, the first of `left`."""
    if not left:
        return [f"It waits, and for nothing that is known. The next sweep lets it go. See it: relet jobs show {job_id}"]
    kind = "batch" if total == 1 and bonds and bonds[0].is_batch else "job" if total == 1 else "jobs"
    count = f"1 {kind}" if total == 1 else f"{left} of {total} {kind}"
    names = ", ".join(_named(bond) for bond in bonds[:NAMED])
    more = f" and {left - NAMED:,} more" if left > NAMED else ""
    return [f"It waits for {count}: {names}{more}. {_advice(bonds, job_id)}"]


def _named(bond: Bond) -> str:
    what = f"batch {bond.name or UUID(bytes=bond.id)}" if bond.is_batch else f"{bond.name} {UUID(bytes=bond.id)}"
    return f"{what} ({bond.state})"


def _advice(bonds: tuple[Bond, ...], job_id: UUID) -> str:
    dead = next((bond for bond in bonds if bond.state == State.DEAD), None)
    if dead is not None:
        parent = UUID(bytes=dead.id)
        return f"The dead one must be run again: relet dead retry {parent}; or give this one up: relet jobs cancel {job_id}"
    first = bonds[0]
    if first.is_batch:
        return f"See how far it is: relet batches show {UUID(bytes=first.id)}"
    return f"See why the first has not ended: relet jobs why {UUID(bytes=first.id)}"
