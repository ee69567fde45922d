"""The store over any link: named statements, the same for every engine. Engines override what a measurement says they must."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from relet.clock import Clock, SystemClock
from relet.job.job import Claim, NewJob
from relet.job.settlement import Answer, Settle
from relet.store.contention import repeated
from relet.store.effects import RelationalEffects
from relet.store.enqueue import Step, script
from relet.store.insights import RelationalInsights
from relet.store.link import Link, Row, Tx
from relet.store.port import Bell, Effects, Insights
from relet.store.records import Enqueued, Lane, Notes, Turned, Want
from relet.store.recovery import Sessions
from relet.store.steering import Steering
from relet.store.tidy import Tidy
from relet.store.turn import write_notes, write_settles


class RelationalStore(Sessions, Tidy, Steering, ABC):
    """See `relet.store.port.Store` for what each verb promises."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.real: Clock = SystemClock()
        self.url = link.url

    def close(self) -> None:
        self._link.close()

    def now(self) -> int:
        with self._link.read() as tx:
            return int(tx.all("session_now")[0][0])

    @repeated
    def enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        if not jobs:
            return []
        with self._link.write() as tx:
            return drive(tx, script(jobs))

    def turn(self, session_id: bytes, settles: Sequence[Settle], notes: Notes, want: Want | None) -> Turned:
        with self._link.write() as tx:
            held = tx.all("session_hold", session_id=session_id)
            now = int(held[0][1] if held else tx.all("session_now")[0][0])
            live = bool(held and held[0][0])
            if notes:
                write_notes(tx, session_id, notes)
            answers = self._settle(tx, session_id, settles) if settles else ()
            claims = self._claim(tx, session_id, want, now) if want and live else ()
            return Turned(live, now, answers, claims)

    def _settle(self, tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
        """End claims. Engines may have a shorter way for the plain successes."""
        return write_settles(tx, session_id, settles)

    @abstractmethod
    def _claim(self, tx: Tx, session_id: bytes, want: Want, now: int) -> tuple[Claim, ...]:
        """Take what is wanted out of `ready` and into `running`. Engines have their own way."""

    def bell(self) -> Bell | None:
        return None

    def begin_effects(self, session_id: bytes) -> Effects:
        return RelationalEffects(self._link, session_id)

    def lane_ends(self, lanes: Sequence[Lane]) -> list[int]:
        with self._link.read() as tx:
            ends = [tx.all("lane_end", queue=lane.queue, rank=lane.rank)[0][0] for lane in lanes]
            return [lane.after if end is None else end for lane, end in zip(lanes, ends, strict=True)]

    def ranks(self, queues: Sequence[str]) -> list[tuple[str, int]]:
        with self._link.read() as tx:
            found = [(queue, rank) for queue, rank in tx.all("lane_ranks")]
            return [pair for pair in found if pair[0] in queues] if queues else found

    @property
    def insights(self) -> Insights:
        return RelationalInsights(self._link)


T = TypeVar("T")


def drive(tx: Tx, steps: Generator[Step, list[Row], T]) -> T:
    """Run a script in an open transaction."""
    try:
        step = next(steps)
        while True:
            step = steps.send(_step(tx, step.name, step.rows, step.fetch))
    except StopIteration as done:
        answer: T = done.value
        return answer


def _step(tx: Tx, name: str, rows: Sequence[Any], fetch: bool) -> list[Row]:
    if fetch:
        return [found for row in rows for found in tx.all(name, **row)]
    tx.many(name, rows)
    return []
