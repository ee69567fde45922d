"""What a run is given to know: which job it is, which firing made it, and what came before it. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from relet.errors import NotFound
from relet.job.gates import Asked
from relet.job.job import Fired
from relet.job.moment import from_at
from relet.prices import Prices


@dataclass(frozen=True, slots=True)
class Fire:
    """Why a schedule made this job: a due time, or somebody who triggered it."""

    at: datetime
    """The due time, in UTC: the nominal one, whatever jitter, delays and retries came after. Of a run that nobody planned, when
    it was made."""
    previous: datetime | None = None
    """The due time that was fired before this one."""
    missed: int = 0
    """How many due times between the two have no run."""
    cause: str = "due"
    """ "due"; "kept up" of a continuous routine; "triggered by …"; "made up for by …"."""
    schedule: str = ""
    """Name of the routine or schedule."""

    @classmethod
    def of(cls, fired: Fired) -> Fire:
        """The firing that is written with a job."""
        previous = None if fired.previous_at is None else from_at(fired.previous_at)
        return cls(from_at(fired.due_at), previous, fired.missed, fired.cause, fired.schedule)


@dataclass(slots=True)
class Facts:
    """What a run is. Only a continuous run changes it: failures count anew when a pass has ended well."""

    job_id: bytes
    epoch: int
    task: str
    queue: str = "default"
    attempt: int = 1
    crashes: int = 0
    worker: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    gates: Sequence[Asked] = ()
    fired: Fired | None = None
    trace: str | None = None
    prices: Prices = field(default_factory=Prices)


class ParentResult:
    """What a job or a batch that this one came after has left."""

    __slots__ = ("_decode", "id", "outcome", "task")

    def __init__(self, parent_id: UUID, task: str | None, outcome: str, decode: Callable[[], Any] | None) -> None:
        self.id = parent_id
        self.task = task
        """Its task; None: it is a batch, or it is forgotten."""
        self.outcome = outcome
        """succeeded, dead, cancelled; of a batch succeeded or failed; gone."""
        self._decode = decode

    @property
    def succeeded(self) -> bool:
        """Whether it has a result."""
        return self._decode is not None

    @property
    def result(self) -> Any:
        """What its function returned, decoded by its task. Raises NotFound if it did not succeed, or is a batch."""
        if self._decode is None:
            raise NotFound(f"{self!r} has no result. Ask .succeeded before.")
        return self._decode()

    def __repr__(self) -> str:
        return f"<Parent {self.id}{f' of {self.task}' if self.task else ''}: {self.outcome}>"
