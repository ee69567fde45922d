"""The SQLite store: the portable verbs, with the hot ones bound by place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from relet.errors import StoreUnavailable
from relet.job.job import Claim, Counters, NewJob, encode_options
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.enqueue import refuse_closed
from relet.store.link import Row, Tx
from relet.store.port import Bell, Insights
from relet.store.records import Enqueued, Lane, SessionInfo, Want
from relet.store.relational import RelationalStore, drive
from relet.store.sqlite.bell import SqliteBell, ring
from relet.store.sqlite.insights import SqliteInsights
from relet.store.sqlite.link import ConstraintViolated, SqliteLink, SqliteTx
from relet.store.turn import write_settles


class SqliteStore(RelationalStore):
    """One connection to one SQLite file (or named in-memory database)."""

    _link: SqliteLink

    def __init__(self, link: SqliteLink, bells: str = "") -> None:
        """`bells` is what the bells of this database are named after; empty: nobody can be woken."""
        super().__init__(link)
        self._bells = bells
        self._bell: SqliteBell | None = None
        link.on_work = partial(ring, bells)

    def close(self) -> None:
        super().close()
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def bell(self) -> Bell | None:
        if self._bell is None:
            self._bell = SqliteBell.hang(self._bells)
        return self._bell

    def open_session(self, info: SessionInfo, lease_us: int) -> int:
        self._refuse_other_host(info)
        return super().open_session(info, lease_us)

    def _refuse_other_host(self, info: SessionInfo) -> None:
        """Lease clocks of two hosts cannot be compared, and SQLite's locks do not work between them."""
        with self._link.read() as tx:
            others = tx.all("session_other_host", host=info.host)
        if others:
            raise StoreUnavailable(
                f"SQLite store {self.url} is in use by worker {others[0][0]} on host {others[0][1]}, which renewed its "
                "lease a moment ago. One SQLite file serves the processes of one host. Nothing was written. "
                "Use PostgreSQL for several hosts, or stop that worker and wait for its lease to lapse."
            )

    def enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        if not jobs or any(job.flags or job.delay_us > 0 or job.run_at is not None for job in jobs):
            return super().enqueue(jobs)
        try:
            return self._enqueue_fresh(jobs)
        except ConstraintViolated:
            return super().enqueue(jobs)

    def _enqueue_fresh(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        """Jobs due at once that are not here yet. One that is violates a constraint, and nothing is written."""
        with self._link.write() as tx:
            drive(tx, refuse_closed(jobs))
            now = tx.clocks["now_us"]
            first = int(tx.all("seq_reserve", count=len(jobs))[0][0]) - len(jobs) + 1
            tx.driver.execute_all(tx.sql("fresh_job"), [_job_values(job, now) for job in jobs])
            ready = [
                (job.queue, -job.priority, seq, job.id, job.task, _needs(job), now)
                for seq, job in enumerate(jobs, first)
            ]
            tx.driver.execute_all(tx.sql("fresh_ready"), ready)
        return [Enqueued(job.id, True) for job in jobs]

    @property
    def insights(self) -> Insights:
        return SqliteInsights(self._link)

    def _settle(self, tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
        assert isinstance(tx, SqliteTx)
        plain = [settle for settle in settles if settle.to is State.SUCCEEDED and not settle.flags]
        accepted = _succeed(tx, session_id, plain)
        if len(accepted) == len(settles):
            return (Answer.ACCEPTED,) * len(settles)
        stood = [settle.to is State.SUCCEEDED and (settle.job_id, settle.epoch) in accepted for settle in settles]
        others = iter(write_settles(tx, session_id, [s for s, ok in zip(settles, stood, strict=True) if not ok]))
        return tuple(Answer.ACCEPTED if ok else next(others) for ok in stood)

    def _claim(self, tx: Tx, session_id: bytes, want: Want, now: int) -> tuple[Claim, ...]:
        assert isinstance(tx, SqliteTx)
        taken = _take(tx, want, now)
        if not taken:
            return ()
        facts = {row[0]: row for row in tx.driver.query_each(tx.sql("claim_job"), [(row[0],) for row in taken])}
        # A pointer whose job somebody deleted by hand is taken out and let to nobody.
        taken = [row for row in taken if row[0] in facts]
        running = [(row[0], session_id, row[1], row[3], row[4], *row[6:11], now) for row in taken]
        tx.driver.execute_all(tx.sql("claim_running"), running)
        asked = tx.all("control_any")
        return tuple(
            [_claimed(row, facts[row[0]], now, _cancel_reason(tx, row[0]) if asked else None) for row in taken]
        )


def _succeed(tx: SqliteTx, session_id: bytes, settles: Sequence[Settle]) -> set[tuple[bytes, int]]:
    """Take the claims that stand out of `running` and finish them; returns (job, epoch) of each. The others are judged."""
    claims = {(settle.job_id, settle.epoch): settle for settle in settles}
    fences = [(job_id, session_id, epoch) for job_id, epoch in claims]
    now = tx.clocks["now_us"]
    stood = tx.driver.query_each(tx.sql("succeed_running"), fences)
    finished = [
        (job_id, session_id, epoch, settle.counters.attempt, claimed_at, now, settle.result)
        for job_id, epoch, claimed_at in stood
        for settle in (claims[job_id, epoch],)
    ]
    tx.driver.execute_all(tx.sql("succeed_finished"), finished)
    return {(row[0], row[1]) for row in stood}


def _take(tx: SqliteTx, want: Want, now: int) -> list[Row]:
    """Out of `ready`, lane after lane, until the limit is reached."""
    fixed: dict[str, Any] = {
        "tasks": json.dumps(want.tasks),
        "offers": json.dumps(want.offers),
        "ready_before": now - want.younger_than_us if want.younger_than_us is not None else 2**62,
    }
    taken: list[Row] = []
    for lane in want.lanes:
        if len(taken) >= want.limit:
            break
        taken += _take_lane(tx, lane, want.limit - len(taken), fixed)
    return taken


def _take_lane(tx: SqliteTx, lane: Lane, limit: int, fixed: dict[str, Any]) -> list[Row]:
    """Most lanes of most turns are empty: a probe tells so at a hundredth of the claim's price."""
    if not tx.driver.execute(tx.sql("lane_any"), lane):
        return []
    rows = tx.all("claim_lane", queue=lane.queue, rank=lane.rank, after=lane.after, limit=limit, **fixed)
    return sorted(rows, key=lambda row: row[5])


def _claimed(row: Row, fact: Row, now: int, cancel: str | None) -> Claim:
    job_id, epoch, task, queue, rank, seq, flags, *counters = row
    _, args, options, created_at = fact
    return Claim(
        job_id,
        epoch,
        task,
        queue,
        rank,
        seq,
        flags,
        Counters(*counters),
        args,
        options,
        created_at,
        now,
        cancel,
    )


def _cancel_reason(tx: SqliteTx, job_id: bytes) -> str | None:
    found = tx.all("control_reason", job_id=job_id)
    return found[0][0] if found else None


def _needs(job: NewJob) -> str | None:
    return msgspec.json.encode(job.needs).decode() if job.needs else None


def _job_values(job: NewJob, now: int) -> tuple[Any, ...]:
    options = encode_options(job.options)
    return (job.id, job.task, job.queue, job.priority, job.args, options, _needs(job), now, job.trace)
