"""A turn that the store refuses for what is in it: halved until the culprit is alone, so that the others are written. Pure.

A settle that is refused alone, twice, for its data is tried in a plain form: without its result, its text reduced to ASCII. If
that is taken, the data was the fault, and the run counts as failed. If it is not, the store is: the settle is kept as it was,
and tried again later. So is one that is refused for something else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from relet.clock import SECOND
from relet.job.outcome import Ended
from relet.job.settlement import DeadReason, Settle
from relet.job.state import State

TRIES = 2
PARKED_US = 30 * SECOND


@dataclass(frozen=True, slots=True)
class Part:
    """Settles that are tried without anything else."""

    session_id: bytes
    settles: tuple[Settle, ...]
    original: Settle | None = None
    """What the one settle of this part stands for, when it is a plain form."""
    tries: int = 0


class Division:
    """The parts that wait."""

    def __init__(self) -> None:
        self._parts: deque[Part] = deque()
        self._parked: list[tuple[int, Part]] = []

    def next(self, now: int) -> Part | None:
        """A part to try now."""
        if self._parts:
            return self._parts.popleft()
        if self._parked and self._parked[0][0] <= now:
            return self._parked.pop(0)[1]
        return None

    def wake_at(self) -> int | None:
        """When a parked settle is due."""
        return self._parked[0][0] if self._parked else None

    def begin(self, session_id: bytes, settles: Sequence[Settle]) -> None:
        """These were refused together with other things: try them without."""
        if settles:
            self._parts.append(Part(session_id, tuple(settles)))

    def put_back(self, part: Part) -> None:
        """The part was not tried: the store did not answer."""
        self._parts.appendleft(part)

    def refused(self, part: Part, now: int, *, of_data: bool) -> Settle | None:
        """The part was refused as well. Returns a settle whose plain form is tried from now on."""
        culprit, *others = part.settles
        if others:
            middle = len(part.settles) // 2
            for half in (part.settles[middle:], part.settles[:middle]):
                self._parts.appendleft(Part(part.session_id, half))
            return None
        if part.original is None and part.tries + 1 < TRIES:
            self._parts.append(replace(part, tries=part.tries + 1))
            return None
        if not of_data or part.original is not None or _plain(culprit) == culprit:
            self._parked.append((now + PARKED_US, Part(part.session_id, (part.original or culprit,))))
            return None
        self._parts.appendleft(Part(part.session_id, (_plain(culprit),), original=culprit))
        return culprit


def _plain(culprit: Settle) -> Settle:
    told = culprit.error.encode("ascii", "replace").decode()[:500] or "the store refused the result of this run"
    plain = msgspec.structs.replace(culprit, result=None, error=told, stack="")
    if culprit.to is not State.SUCCEEDED:
        return plain
    counters = culprit.counters._replace(attempt=culprit.counters.attempt + 1)
    return msgspec.structs.replace(
        plain, ended=Ended.FAILURE, to=State.DEAD, counters=counters, dead_reason=DeadReason.PERMANENT
    )
