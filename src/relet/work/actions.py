"""What a clerk asks its driver to do, and what comes back. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from relet.job.job import Claim
from relet.job.settlement import Answer, Settle
from relet.store.records import Lane, Notes, Report, Want
from relet.work.division import Part
from relet.work.lanes import Look


class Failure(StrEnum):
    """What a failed call says about the data."""

    NOTHING = "nothing"
    """Nothing was written; repeat."""
    UNKNOWN = "unknown"
    """It may or may not have been written; repeat."""
    DATA = "data"
    """Nothing was written, and repeating it as it is will not help."""
    DEFECT = "defect"
    """Nothing was written, and nobody says why: what is in it may be the cause, or not."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Do `store.turn` with these; before it `store.lane_ends(ends_of)` if that is not empty."""

    session_id: bytes
    settles: tuple[Settle, ...]
    notes: Notes
    want: Want | None = None
    look: Look | None = None
    part: Part | None = None
    """Set when this tries a part of a turn that was refused."""

    @property
    def ends_of(self) -> tuple[Lane, ...]:
        """The lanes whose ends are asked for first."""
        return self.look.lanes if self.look is not None and self.look.with_ends else ()


class Learn(NamedTuple):
    """Do `store.ranks(queues)`, then tell `learned`."""

    queues: tuple[str, ...]


class LookUp(NamedTuple):
    """Do `store.listen(session_id)`, then tell `looked` with `exact=True`."""

    session_id: bytes


class Reread(NamedTuple):
    """Do `store.claims(session_id, job_ids)`, then tell `reread`."""

    session_id: bytes
    job_ids: tuple[bytes, ...]


class Tell(NamedTuple):
    """Do `store.report_outcomes(reports)`, then tell `told`."""

    reports: tuple[Report, ...]


class Probe(NamedTuple):
    """Do `store.claim_probe(session_id, want, breakers)`, then tell `probed`."""

    session_id: bytes
    want: Want
    breaker: str
    """The one of which a probe is wanted."""
    breakers: tuple[str, ...]


class Sleep(NamedTuple):
    """Nothing to do until then (None: until told), or until so many more runs have ended, or nothing runs."""

    until: int | None
    ended: int


Asked = Learn | LookUp | Reread | Tell | Probe
Action = Turn | Asked | Sleep


class Taken(NamedTuple):
    """What came of a turn."""

    start: list[Claim]
    """Claims to start."""
    refused: list[tuple[Settle, Answer]]
    """Settles that were fenced, or came too late for the store to remember their job."""
    others: list[Settle]
    """Settles that were accepted, but for the successes."""
    soonest_us: int | None
    """When the first of the jobs that were put off is due."""
    live: bool
    """False: the session is over, or its lease has lapsed; the keeper has to find out."""
