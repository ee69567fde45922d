"""Jobs that come after others: in which order they can be written, and what an end means to those that waited. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from msgspec.structs import replace

from relet.errors import UsageError
from relet.job.job import Need, NewJob
from relet.job.state import State


def satisfied(need: str, outcome: str) -> bool:
    """Whether a child with this need may run after a parent that ended so."""
    if need == Need.END:
        return True
    return (outcome == State.SUCCEEDED) is (need == Need.SUCCESS)


def parents_of(jobs: Sequence[NewJob]) -> set[bytes]:
    """The ids of all that these jobs come after."""
    return {after.parent_id for job in jobs for after in job.after}


def marked(jobs: Sequence[NewJob]) -> Sequence[NewJob]:
    """The jobs, with those marked that others of them wait for. Raises UsageError for a circle."""
    if not any(job.after for job in jobs):
        return jobs
    in_order(jobs)
    parents = parents_of(jobs)
    return [_marked(job, is_parent=job.id in parents) for job in jobs]


def _marked(job: NewJob, *, is_parent: bool) -> NewJob:
    """A parent that is named twice counts once."""
    after = tuple({after.parent_id: after for after in job.after}.values())
    if job.is_parent is is_parent and len(after) == len(job.after):
        return job
    return replace(job, is_parent=is_parent, after=after)


def in_order(jobs: Sequence[NewJob]) -> list[NewJob]:
    """The jobs, each behind its parents among them. Raises UsageError for a circle, spelled out.

    A batch comes after its jobs: one that came after its own batch would wait for itself."""
    known = {job.id: job for job in jobs}
    open_parents = _open_parents(jobs)
    children: dict[bytes, list[bytes]] = {}
    for child, parents in open_parents.items():
        for parent in parents:
            children.setdefault(parent, []).append(child)
    ready = [node for node, parents in open_parents.items() if not parents]
    for node in ready:  # grows while it is walked
        for child in children.get(node, ()):
            open_parents[child].discard(node)
            if not open_parents[child]:
                ready.append(child)
    if len(ready) < len(open_parents):
        raise UsageError(_circle(known, open_parents))
    return [known[node] for node in ready if node in known]


def _open_parents(jobs: Sequence[NewJob]) -> dict[bytes, set[bytes]]:
    """What each of these jobs comes after among them, and of the batches that some of them come after, the jobs."""
    wanted = parents_of(jobs)
    found: dict[bytes, set[bytes]] = {job.id: set() for job in jobs}
    for job in jobs:
        batch = None if job.options.batch is None else bytes.fromhex(job.options.batch)
        if batch in wanted:
            found.setdefault(batch, set()).add(job.id)
    for job in jobs:
        found[job.id] |= {after.parent_id for after in job.after if after.parent_id in found}
    return found


def _circle(known: dict[bytes, NewJob], open_parents: dict[bytes, set[bytes]]) -> str:
    """Every one that is left waits for another one that is left: following that leads into the circle."""
    at = next(node for node, parents in open_parents.items() if parents)
    way: list[bytes] = []
    while at not in way:
        way.append(at)
        at = min(open_parents[at])
    circle = [*way[way.index(at) :], at]
    names = " after ".join(f"{known[node].task if node in known else 'batch'} ({UUID(bytes=node)})" for node in circle)
    return f"These jobs wait for each other, and none could ever run: {names}. Nothing was enqueued."


def inside(job: NewJob, known: Collection[bytes]) -> bool:
    """Whether all that it comes after is among these."""
    return all(after.parent_id in known for after in job.after)
