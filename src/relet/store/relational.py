"""The store over any link: named statements, the same for every engine. Engines override what a measurement says they must."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress

from relet.clock import Clock, SystemClock
from relet.errors import StoreError
from relet.job.after import marked
from relet.job.job import Claim, NewBatch, NewJob
from relet.job.settlement import Answer, Settle
from relet.store.access import Access
from relet.store.aftermath import aftermath
from relet.store.breakers import Breakers
from relet.store.budgets import Budgets
from relet.store.contention import repeated
from relet.store.continuous import Continuous
from relet.store.costs import write_spend
from relet.store.drive import drive
from relet.store.effects import RelationalEffects
from relet.store.enqueue import script
from relet.store.figures import Figures
from relet.store.gate_rules import GateRules
from relet.store.health import Health
from relet.store.insights import RelationalInsights
from relet.store.link import Link, Tx
from relet.store.port import Bell, Effects
from relet.store.reads import Insights
from relet.store.records import Enqueued, Lane, LimitedQueue, Notes, Turned, Want
from relet.store.recovery import Sessions
from relet.store.schedules import Schedules
from relet.store.shares import Shares
from relet.store.tidy import Tidy
from relet.store.tie import Ties
from relet.store.turn import write_notes, write_settles
from relet.store.webhooks import Webhooks

TIED = 500
"""Children that are tied in one transaction."""


class RelationalStore(
    Sessions,
    Tidy,
    Ties,
    Continuous,
    GateRules,
    Schedules,
    Shares,
    Breakers,
    Budgets,
    Webhooks,
    Figures,
    Health,
    Access,
    ABC,
):
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

    def enqueue(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> list[Enqueued]:
        if not (jobs or batches):
            return []
        jobs = marked(jobs)
        answers = self._enqueue(jobs, batches)
        self._tie_new(jobs)
        return answers

    def _tie_new(self, jobs: Sequence[NewJob]) -> None:
        untold = sum(1 for job in jobs if job.waits)
        with suppress(StoreError):  # what this cannot do now, the chore will
            while untold > 0 and self.tie(TIED) == TIED:
                untold -= TIED

    @repeated
    def _enqueue(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> list[Enqueued]:
        """Write them. Engines may have a shorter way for most."""
        with self._link.write() as tx:
            return drive(tx, script(jobs, batches))

    def turn(self, session_id: bytes, settles: Sequence[Settle], notes: Notes, want: Want | None) -> Turned:
        with self._link.write() as tx:
            held = tx.all("session_hold", session_id=session_id)
            now = int(held[0][1] if held else tx.all("session_now")[0][0])
            live = bool(held and held[0][0])
            used = write_notes(tx, session_id, notes) if notes else ()
            pauses = (*notes.limit_pauses, *write_spend(tx, used))
            if pauses:  # before the ends: for those behind them
                drive(tx, aftermath((), pauses=pauses))
            answers = self._settle(tx, session_id, settles) if settles else ()
            claims, limited = self._claim(tx, session_id, want, now) if want and live else ((), ())
            return Turned(live, now, answers, claims, limited)

    def _settle(self, tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
        """End claims. Engines may have a shorter way for the plain successes."""
        return write_settles(tx, session_id, settles)

    @abstractmethod
    def _claim(
        self, tx: Tx, session_id: bytes, want: Want, now: int
    ) -> tuple[tuple[Claim, ...], tuple[LimitedQueue, ...]]:
        """Take what is wanted out of `ready` and into `running`, as far as limits go. Engines have their own way."""

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
