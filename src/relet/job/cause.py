"""What makes two failures the same: their task, and the first line of the error without what differs from job to job."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

LINE_CHARS = 300
"""So much of the first line counts."""

_QUOTED = re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\"|`[^`]{0,200}`")
_NUMBERED = re.compile(
    r"\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b|\b(?=\w*\d)[0-9a-fA-F]{8,}\b|\d+(?:[.,:]\d+)*"
)


def masked(error: str) -> str:
    """The first line of an error, with quoted parts, ids and numbers left out."""
    line = error.strip().partition("\n")[0][:LINE_CHARS]
    return _NUMBERED.sub("#", _QUOTED.sub("'…'", line))


def cause_key(task: str, error: str) -> str:
    """A short name for the cause of a failure. Failures of one cause have the same."""
    return _key(task, error.strip().partition("\n")[0][:LINE_CHARS])


@lru_cache(maxsize=20_000)
def _key(task: str, line: str) -> str:
    """Remembered, for the same failures are grouped whenever somebody looks at them."""
    return blake2b(f"{task}\0{masked(line)}".encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Cause:
    """Failures that have the same cause."""

    key: str
    task: str
    line: str
    """The masked first line of the error."""
    first_at: int
    last_at: int
    jobs: list[bytes] = field(default_factory=list[bytes])
    """All of them, newest first."""


def grouped(failures: Iterable[tuple[bytes, str, str, int]]) -> list[Cause]:
    """(job, task, error, when), the newest first, by cause; those with the most jobs first."""
    found: dict[str, Cause] = {}
    for job_id, task, error, at in failures:
        key = cause_key(task, error)
        cause = found.get(key)
        if cause is None:
            cause = found[key] = Cause(key, task, masked(error), at, at)
        cause.first_at, cause.last_at = min(cause.first_at, at), max(cause.last_at, at)
        cause.jobs.append(job_id)
    return sorted(found.values(), key=lambda cause: (-len(cause.jobs), -cause.last_at))
