"""What decides, beside the job itself, whether it can run: pauses, leases, workers. As read at one moment. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """A queue that is paused: since when, by whom, for what reason, and until when if that is known."""

    at: int
    by: str = ""
    reason: str = ""
    resume_at: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A queue that takes no new jobs: since when, by whom, for what reason."""

    at: int
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """The claim that stands."""

    worker: str
    claimed_at: int
    renewed_at: int | None
    """None: nothing is known of the session any more."""
    lease_us: int
    live: bool
    """By the store's clock: the session has not ended, and its lease has not lapsed."""


def serves(queues: Collection[str], queue: str) -> bool:
    """Whether a worker of these queues takes jobs of this one. No queues means all queues, and "*" all others."""
    return not queues or queue in queues or "*" in queues


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """A worker whose lease is good."""

    name: str
    queues: frozenset[str]
    tasks: frozenset[str]
    offers: frozenset[str]
    slots: int
    held: int
    tier: int = 0
    """Tier 0 claims first; the others only what has waited for some time."""
    verb: str = ""
    """What it was asked: "", "drain" or "stop"."""
    of_queue: int = 0
    """How many of those that it holds count under the limit of the job's queue."""

    def serves(self, queue: str) -> bool:
        """Whether it takes jobs of this queue."""
        return serves(self.queues, queue)

    def can_run(self, task: str, queue: str, needs: Iterable[str]) -> bool:
        """Whether it takes jobs of this queue, knows this task, and offers what it needs."""
        return self.serves(queue) and task in self.tasks and self.offers.issuperset(needs)
