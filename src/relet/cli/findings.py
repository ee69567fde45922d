"""What a check of `doctor` finds: a level, a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relet.settings import Settings
from relet.shapes.schema import FindingOut, QueueOut, WorkerOut
from relet.store.reads import Insights

Findings = Iterator[FindingOut]


@dataclass(frozen=True)
class Patient:
    """What is examined: the settings, and what the store said of itself, all of one moment."""

    settings: Settings
    insights: Insights
    health: Mapping[str, Any]
    """Facts of the store and its engine; what an engine does not know is not in it."""
    now: int
    """The store's wall time."""
    skew_us: int
    """The store's clock minus this host's, as far as one round trip tells."""
    slack_us: int
    """The round trip: the skew is known no better than this."""
    queues: list[QueueOut]
    workers: list[WorkerOut]


def ok(check: str, found: str) -> FindingOut:
    """As it should be."""
    return FindingOut(check=check, level="ok", found=found, next="")


def note(check: str, found: str, advice: str = "") -> FindingOut:
    """Good to know."""
    return FindingOut(check=check, level="note", found=found, next=advice)


def warning(check: str, found: str, advice: str) -> FindingOut:
    """Works now, and may not tomorrow."""
    return FindingOut(check=check, level="warning", found=found, next=advice)


def bad(check: str, found: str, advice: str) -> FindingOut:
    """Wrong: somebody should act."""
    return FindingOut(check=check, level="bad", found=found, next=advice)
