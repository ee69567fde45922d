"""What running jobs have to say, until a turn takes it along. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from relet.job.job import ClaimKey
from relet.store.records import LimitPause, LogLine, Note, Notes, Progress, QueuePause, Usage

Line = LogLine | Usage
"""What is kept of a run; progress is only shown."""

LineKey = tuple[bytes, int, str, int]
"""Which line: its claim, its kind, and its number among those."""


def key_of(line: Line) -> LineKey:
    """What tells it from all others."""
    return line.job_id, line.epoch, "log" if isinstance(line, LogLine) else "usage", line.n


class Notebook:
    """Progress, log lines and usage that wait. Of progress, only the latest of each claim.

    All of it goes with the next turn, before the settles of that: the store takes lines of a claim that stands, or that this
    session has finished (by the commit of its effects), and of no other. Lines that were committed together with effects are
    forgotten here.
    """

    def __init__(self) -> None:
        self.since: int | None = None
        """Since when something waits."""
        self._progress: dict[ClaimKey, Progress] = {}
        self._lines: deque[Line] = deque()
        self._pauses: list[QueuePause | LimitPause] = []

    def write(self, note: Note, now: int) -> None:
        """One more note."""
        if self.since is None:
            self.since = now
        if isinstance(note, Progress):
            self._progress[note.job_id, note.epoch] = note
        elif isinstance(note, QueuePause | LimitPause):
            self._pauses.append(note)
        else:
            self._lines.append(note)

    def due(self, now: int, after_us: int) -> bool:
        """True when the oldest note has waited long enough. A pause does not wait."""
        return self.since is not None and (now - self.since >= after_us or bool(self._pauses))

    def take(self) -> Notes:
        """Everything that waits."""
        if self.since is None:
            return NOTHING
        notes = to_notes([*self._progress.values(), *self._lines, *self._pauses])
        self._progress.clear()
        self._pauses.clear()
        self._lines.clear()
        self.since = None
        return notes

    def forget(self, written: Collection[LineKey]) -> None:
        """These lines have been written elsewhere, and the progress of their runs is over."""
        self._lines = deque(line for line in self._lines if key_of(line) not in written)
        for job_id, epoch, _, _ in written:
            self._progress.pop((job_id, epoch), None)
        if not (self._lines or self._progress or self._pauses):
            self.since = None

    def put_back(self, notes: Notes, now: int) -> None:
        """The turn was not acknowledged: its notes go first again; a later progress wins."""
        if not notes:
            return
        self.since = now if self.since is None else self.since
        self._progress = {(note.job_id, note.epoch): note for note in notes.progress} | self._progress
        self._lines.extendleft(reversed([*notes.logs, *notes.usage]))
        self._pauses[:0] = [*notes.pauses, *notes.limit_pauses]


def to_notes(lines: Sequence[Note]) -> Notes:
    """Sorted by kind, as the store takes them."""
    return Notes(
        [line for line in lines if isinstance(line, Progress)],
        [line for line in lines if isinstance(line, LogLine)],
        [line for line in lines if isinstance(line, Usage)],
        tuple([line for line in lines if isinstance(line, QueuePause)]),
        tuple([line for line in lines if isinstance(line, LimitPause)]),
    )


NOTHING = Notes()
