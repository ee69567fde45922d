"""The PostgreSQL store: the portable verbs, with the hot ones in one statement each."""

from __future__ import annotations

from relet.job.job import Claim, Counters
from relet.store.link import Row, Tx
from relet.store.port import Want
from relet.store.postgres.link import PostgresLink, PostgresTx
from relet.store.postgres.values import integers, texts
from relet.store.relational import RelationalStore


class PostgresStore(RelationalStore):
    """One connection to one PostgreSQL schema."""

    _link: PostgresLink

    def __init__(self, link: PostgresLink) -> None:
        super().__init__(link)
        self._link = link

    def _claim(self, tx: Tx, session_id: bytes, want: Want, now: int) -> tuple[Claim, ...]:
        assert isinstance(tx, PostgresTx)
        younger = want.younger_than_us
        rows = tx.all(
            "claim",
            session_id=session_id,
            lane_queues=texts([lane.queue for lane in want.lanes]),
            lane_ranks=integers([lane.rank for lane in want.lanes]),
            lane_afters=integers([lane.after for lane in want.lanes]),
            known_tasks=texts(want.tasks),
            offered=texts(want.offers),
            ready_before=None if younger is None else now - younger,
            limit=want.limit,
            now=now,
        )
        places = {(lane.queue, lane.rank): place for place, lane in enumerate(want.lanes)}
        rows.sort(key=lambda row: (places[row[3], row[4]], row[5]))
        return tuple(_claimed(row, now) for row in rows)


def _claimed(row: Row, now: int) -> Claim:
    job_id, epoch, task, queue, rank, seq, flags, *counters = row[:11]
    args, options, created_at, cancel = row[11:]
    return Claim(
        job_id, epoch, task, queue, rank, seq, flags, Counters(*counters), args, options, created_at, now, cancel
    )
