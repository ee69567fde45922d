"""What a run needs of whatever runs it, and how it is told to end."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from relet.job.outcome import Ended
from relet.store.port import Effects
from relet.store.records import Note


class Stop(NamedTuple):
    """Why a run should end, and what it has come to if it does."""

    ended: Ended
    reason: str
    lost: bool = False
    """The job may have been let to another worker: whatever this run writes is refused."""


class Desk(Protocol):
    """What a run needs of its surroundings: the runner of its process."""

    worker: str

    def now(self) -> int:
        """Wall time."""
        ...

    def note(self, note: Note) -> None:
        """Hand over what the task said."""
        ...

    def lease_left_us(self, session_id: bytes) -> int:
        """How long the lease of this session may be trusted."""
        ...

    def begin_effects(self, session_id: bytes) -> Effects:
        """A transaction on a connection of its own."""
        ...
