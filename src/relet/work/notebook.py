"""What running jobs have to say, until a turn takes it along. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from relet.job.job import ClaimKey
from relet.store.records import LogLine, Note, Notes, Progress, Usage


class Notebook:
    """Progress, log lines and usage that wait. Of progress, only the latest of each claim.

    All of it goes with the next turn, before the settles of that: the store takes lines of a claim that stands, or that this
    session has finished (by the commit of its effects), and of no other.
    """

    def __init__(self) -> None:
        self.since: int | None = None
        """Since when something waits."""
        self._progress: dict[ClaimKey, Progress] = {}
        self._lines: deque[LogLine | Usage] = deque()

    def write(self, note: Note, now: int) -> None:
        """One more note."""
        if self.since is None:
            self.since = now
        if isinstance(note, Progress):
            self._progress[note.job_id, note.epoch] = note
        else:
            self._lines.append(note)

    def due(self, now: int, after_us: int) -> bool:
        """True when the oldest note has waited long enough."""
        return self.since is not None and now - self.since >= after_us

    def take(self) -> Notes:
        """Everything that waits."""
        if self.since is None:
            return NOTHING
        notes = to_notes([*self._progress.values(), *self._lines])
        self._progress.clear()
        self._lines.clear()
        self.since = None
        return notes

    def put_back(self, notes: Notes, now: int) -> None:
        """The turn was not acknowledged: its notes go first again; a later progress wins."""
        if not notes:
            return
        self.since = now if self.since is None else self.since
        self._progress = {(note.job_id, note.epoch): note for note in notes.progress} | self._progress
        self._lines.extendleft(reversed([*notes.logs, *notes.usage]))


def to_notes(lines: Sequence[Note]) -> Notes:
    """Sorted by kind, as the store takes them."""
    return Notes(
        [line for line in lines if isinstance(line, Progress)],
        [line for line in lines if isinstance(line, LogLine)],
        [line for line in lines if isinstance(line, Usage)],
    )


NOTHING = Notes()
