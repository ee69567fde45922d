"""What changes about a job while somebody watches it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from relet.errors import UsageError
from relet.job.state import State
from relet.records import LogEntry
from relet.store.rows import JobRow


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that changed about a job. `cursor` resumes behind it: `job.events(after=event.cursor)`."""

    kind: str
    """state, progress or log."""
    state: State
    percent: float | None
    message: str
    """Of a log line or of the progress; for a state, the error of a job that is dead."""
    level: str
    """Of a log line."""
    cursor: str


class Seen:
    """What a watcher knows: the last log line, state and progress. Its text form is a cursor."""

    def __init__(self, claim: int = 0, n: int = -1, state: str = "", progress: str = "") -> None:
        self.log = (claim, n)
        self._state = state
        self._progress = progress

    @classmethod
    def parse(cls, cursor: str) -> Seen:
        """The other way. Raises UsageError for what is no cursor."""
        if not cursor:
            return cls()
        try:
            claim, n, state, progress = cursor.split(":", 3)
            return cls(int(claim), int(n), state, progress)
        except ValueError:
            raise UsageError(f"{cursor!r} is no cursor; take one from an event: after=event.cursor.") from None

    @property
    def cursor(self) -> str:
        """What `parse` reads."""
        return f"{self.log[0]}:{self.log[1]}:{self._state}:{self._progress}"

    def changes(self, row: JobRow, lines: Sequence[LogEntry], *, more: bool) -> Iterator[JobEvent]:
        """What is new, and is seen from now on. `more`: there are lines behind these; the state must wait for them."""
        for line in lines:
            self.log = (line.claim, line.n)
            yield JobEvent("log", row.state, row.percent, line.message, line.level, self.cursor)
        if more:
            return
        progress = "" if row.percent is None else f"{row.percent:g} {row.message or ''}"
        if progress and progress != self._progress:
            self._progress = progress
            yield JobEvent("progress", row.state, row.percent, row.message or "", "", self.cursor)
        if row.state != self._state:
            self._state = row.state.value
            yield JobEvent("state", row.state, row.percent, row.error or "", "", self.cursor)
