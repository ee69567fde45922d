"""Exit statuses, and how an error becomes one and three lines: what, why, and the next command."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from relet import errors


class Exit(IntEnum):
    """What a script can tell from the exit status."""

    OK = 0
    JOB_FAILED = 1
    """The job that was waited for, or run, failed or was cancelled."""
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    """The present state forbids it: nothing was changed."""
    UNREACHABLE = 5
    """The store could not be reached or did not do its part."""
    UNHEALTHY = 6
    """`doctor` found something that is wrong, or `health` something that is not healthy."""
    TIMED_OUT = 124
    FORCED = 130
    """Interrupted by force: what ran was given back."""


class Problem(Exception):
    """Ends a command: what happened, why, and what to do next, a line each."""

    def __init__(self, status: Exit, what: str, why: str = "", advice: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.lines = tuple(line for line in (what, why, advice) if line)


class Told(NamedTuple):
    """How an error is told."""

    status: Exit
    lines: tuple[str, ...]


_EXITS: tuple[tuple[type[BaseException], Exit], ...] = (
    (errors.NotFound, Exit.NOT_FOUND),
    (errors.ResultTimeout, Exit.TIMED_OUT),
    (errors.SchemaMismatch, Exit.REFUSED),
    (errors.Refused, Exit.REFUSED),
    (errors.StoreError, Exit.UNREACHABLE),
    (errors.UsageError, Exit.USAGE),
    (errors.JobFailed, Exit.JOB_FAILED),
    (errors.JobCancelled, Exit.JOB_FAILED),
)

_NEXT: tuple[tuple[type[BaseException], str], ...] = (
    (errors.SchemaMismatch, "Next: relet migrate plan"),
    (errors.StoreError, "Next: relet doctor"),
    (errors.JobFailed, "Next: relet dead ls"),
)

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`'\"])")


def tell(error: errors.ReletError) -> Told:
    """Exit status and lines for an error of the library: its first sentence, the others, and the next command."""
    status = next((status for kind, status in _EXITS if isinstance(error, kind)), Exit.JOB_FAILED)
    text = str(error)
    parts = text.split("\n") if "\n" in text else _SENTENCE_END.split(text, maxsplit=1)
    advice = [line for kind, line in _NEXT if isinstance(error, kind)][:1]
    return Told(status, tuple(part.strip() for part in (*parts, *advice) if part.strip()))
