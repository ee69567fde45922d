"""What the runs of a worker have come to, counted in memory: what is written to the store are differences, once a second."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from threading import Lock
from typing import Any

from relet.job.figures import BOUNDS_US, COLUMNS, ERRORS, RUN, RUN_US, WAIT, WAIT_US, Came, bucket, came_to, place_of
from relet.job.outcome import Ended
from relet.job.settlement import Answer, Ran, Settle
from relet.job.state import State
from relet.store.measures import News

CLAIMED, DELAYED = "job.claimed", "limit.delayed"
"""Events that are only counted, for they are too frequent to be told: jobs that were let to this worker, and times that it found
the rate of a queue used up."""


FEW = 8
"""So many times are looked up one by one."""


class Figures:
    """Runs are counted by the clerk's thread alone, once the store has taken their settle: so one whose settle is refused counts
    nowhere. The numbers only rise, so that anybody may read them meanwhile."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[int]] = {}
        self._told: dict[tuple[str, str], list[int]] = {}
        self._events: Counter[str] = Counter()
        self._events_told: Counter[str] = Counter()
        self._lock = Lock()

    # ── counting ──────────────────────────────────────────────────────────────────────────────────────────────────
    def settled(self, settles: Sequence[Settle], answers: Sequence[Answer]) -> None:
        """These have been answered. Neighbours of one kind, as most of them are, are counted together."""
        alike: list[Ran] = []
        kind: tuple[str, str, State, Ended] | None = None
        for settle, answer in zip(settles, answers, strict=True):
            ran = settle.ran
            if ran is None or (answer is not _ACCEPTED and answer is not _REPLAYED):
                continue
            if (
                kind is None
                or ran[1] != kind[1]
                or ran[0] != kind[0]
                or settle.to is not kind[2]
                or settle.ended is not kind[3]
            ):
                if kind is not None:
                    self._count(kind, alike)
                kind, alike = (ran[0], ran[1], settle.to, settle.ended), []
            alike.append(ran)
        if kind is not None:
            self._count(kind, alike)

    def settled_elsewhere(self, ran: Ran, ended: Ended, answer: Answer) -> None:
        """This one was answered when its run committed its own effects."""
        if ended is Ended.SUCCESS and (answer is _ACCEPTED or answer is _REPLAYED):
            self._count((ran[0], ran[1], _SUCCEEDED, ended), [ran])

    def _count(self, kind: tuple[str, str, State, Ended], alike: Sequence[Ran]) -> None:
        queue, task, to, ended = kind
        row = self._rows.get((queue, task)) or self._rows.setdefault((queue, task), [0] * len(COLUMNS))
        row[0 if to is _SUCCEEDED else place_of(came_to(ended, to))] += len(alike)
        took = [ran[3] for ran in alike if ran[3] >= 0]
        if took:
            _add(row, RUN_US, RUN, took)
            _add(row, WAIT_US, WAIT, [ran[2] for ran in alike if ran[2] >= 0 and ran[3] >= 0])

    def count(self, event: str, times: int = 1) -> None:
        """Something that has a name has happened. From any thread."""
        with self._lock:
            self._events[event] += times

    def __call__(self, event: str, /, **fields: Any) -> None:  # noqa: ARG002  an emitter: how often is all that counts here
        self.count(event)

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────
    def news(self) -> News:
        """What the store does not know yet."""
        rows: dict[tuple[str, str], Sequence[int]] = {}
        for key, row in tuple(self._rows.items()):
            told = self._told.get(key, _NOTHING)
            since = [now - before for now, before in zip(tuple(row), told, strict=True)]
            if any(since):
                rows[key] = since
        with self._lock:
            return News(rows, self._events - self._events_told)

    def told(self, news: News) -> None:
        """Now it knows of these."""
        for key, since in news.rows.items():
            told = self._told.get(key, _NOTHING)
            self._told[key] = [before + more for before, more in zip(told, since, strict=True)]
        self._events_told.update(news.events)

    def totals(self) -> tuple[int, int]:
        """(succeeded, failed) of all runs since the start."""
        rows = tuple(self._rows.values())
        return sum(row[0] for row in rows), sum(row[place] for row in rows for place in _ERRORS)


def _add(row: list[int], total: int, first: int, times: list[int]) -> None:
    """These times to a sum and a histogram. Of many, each bound is looked up once, in their order."""
    row[total] += sum(times)
    if len(times) <= FEW:
        for us in times:
            row[first + bucket(us)] += 1
        return
    times.sort()
    before = 0
    for place, bound in enumerate(BOUNDS_US, first):
        if before == len(times):
            return
        upto = bisect_right(times, bound, before)
        row[place] += upto - before
        before = upto
    row[first + len(BOUNDS_US)] += len(times) - before


_NOTHING = (0,) * len(COLUMNS)
_ERRORS = tuple(map(place_of, ERRORS))
_ACCEPTED, _REPLAYED = Answer.ACCEPTED, Answer.REPLAYED
_SUCCEEDED = State.SUCCEEDED
assert place_of(Came.SUCCEEDED) == 0
