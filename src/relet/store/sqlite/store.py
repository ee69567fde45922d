"""The SQLite store: the portable verbs, with the hot ones bound by place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from relet.errors import StoreUnavailable
from relet.job.job import Claim, Flag, NewBatch, NewJob
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.drive import drive
from relet.store.enqueue import refuse_closed, write_batches
from relet.store.link import Tx
from relet.store.port import Bell
from relet.store.reads import Insights
from relet.store.records import Enqueued, LimitedQueue, SessionInfo, Want
from relet.store.relational import RelationalStore
from relet.store.shares import shared
from relet.store.sqlite.bell import SqliteBell, ring
from relet.store.sqlite.enqueue import at_once, write_fresh
from relet.store.sqlite.insights import SqliteInsights
from relet.store.sqlite.limits import WantedLimits, note_freed
from relet.store.sqlite.link import ConstraintViolated, SqliteLink, SqliteTx
from relet.store.sqlite.turn import claims_of, finish, take, takeable
from relet.store.turn import end_each, fence_of, write_settles

_UNIQUE, _COUNTED = int(Flag.UNIQUE), int(Flag.COUNTED)
_SPECIAL = ~(_UNIQUE | _COUNTED | int(Flag.FAIR))
"""As numbers: an operation on flags makes a member of the enum."""

_TELLING = ("finished", "dead", "attempt", "pause", "queue", "schedule", "breaker", "health")
"""What tells of what happens, as triggers that are there while somebody listens."""


class SqliteStore(RelationalStore):
    """One connection to one SQLite file (or named in-memory database)."""

    _link: SqliteLink

    def __init__(self, link: SqliteLink, bells: str = "") -> None:
        """`bells` is what the bells of this database are named after; empty: nobody can be woken."""
        super().__init__(link)
        self._bells = bells
        self._bell: SqliteBell | None = None
        link.on_work = partial(ring, bells)

    @property
    def link(self) -> SqliteLink:
        """The connection itself: for whoever measures the statements without the store."""
        return self._link

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

    def _enqueue(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> list[Enqueued]:
        if not all(map(at_once, jobs)):
            return super()._enqueue(jobs, batches)
        try:
            with self._link.write() as tx:
                jobs = shared(jobs, drive(tx, refuse_closed(jobs)))
                written = write_fresh(tx, jobs)
                if batches:
                    drive(tx, write_batches(jobs, batches, dict(zip([job.id for job in jobs], written, strict=True))))
                return written
        except ConstraintViolated:
            return super()._enqueue(jobs, batches)

    @property
    def insights(self) -> Insights:
        return SqliteInsights(self._link)

    def _listen(self, tx: Tx) -> None:
        active = any(row[7] for row in tx.all("webhook_rows", webhook=""))
        for name in _TELLING:
            tx.all(f"{'tell' if active else 'still'}_{name}")

    def _settle(self, tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
        assert isinstance(tx, SqliteTx)
        succeeded = State.SUCCEEDED
        if len({settle.job_id for settle in settles}) < len(settles):  # the same job twice
            return tuple([self._settle(tx, session_id, (settle,))[0] for settle in settles])
        plain = [settle for settle in settles if settle.to is succeeded and not settle.flags & _SPECIAL]
        if len(plain) == len(settles):
            return tuple(_succeed(tx, session_id, plain))
        usual = {settle.job_id for settle in plain}
        answers = iter(_succeed(tx, session_id, plain) if plain else ())
        others = iter(write_settles(tx, session_id, [settle for settle in settles if settle.job_id not in usual]))
        return tuple([next(answers if settle.job_id in usual else others) for settle in settles])

    def _claim(
        self, tx: Tx, session_id: bytes, want: Want, now: int
    ) -> tuple[tuple[Claim, ...], tuple[LimitedQueue, ...]]:
        assert isinstance(tx, SqliteTx)
        may, claims = takeable(want, now), list[Claim]()
        limits = WantedLimits(tx, session_id, want, now) if tx.driver.execute(tx.sql("limit_any"), ()) else None
        for lane in want.lanes:
            most = want.limit - len(claims)
            if most <= 0:
                break
            if limits is None:
                claims += claims_of(lane, take(tx, session_id, lane, most, may, now), now)
            elif (room := limits.room(lane.queue, most)) > 0:
                claims += limits.counted(
                    claims_of(lane, take(tx, session_id, lane, room, may, now, limits.mark(lane.queue)), now)
                )
        if claims and tx.all("control_any"):
            claims = [claim._replace(cancel=_cancel_reason(tx, claim.job_id)) for claim in claims]
        return tuple(claims), () if limits is None else limits.passed()


def _succeed(tx: SqliteTx, session_id: bytes, settles: Sequence[Settle]) -> list[Answer]:
    """Finish the claims that stand; the others are judged. Those that have got flags since they were made need more."""
    endings = [(settle.job_id, settle.epoch, settle.result) for settle in settles]
    keyed = [settle for settle in settles if settle.flags & _UNIQUE]
    if any(settle.flags & _COUNTED for settle in settles):
        note_freed(tx, session_id, [settle.job_id for settle in settles if settle.flags & _COUNTED])
    if keyed:
        tx.many("settle_unique", [fence_of(session_id, settle) for settle in keyed])
    if finish(tx, session_id, endings):
        return [Answer.ACCEPTED] * len(settles)
    stood = tx.each("settle_lock", [fence_of(session_id, settle) for settle in settles])
    grown = {job_id for job_id, flags in stood if flags & _SPECIAL}
    answers = iter(end_each(tx, session_id, [settle for settle in settles if settle.job_id not in grown]))
    others = iter(write_settles(tx, session_id, [settle for settle in settles if settle.job_id in grown]))
    return [next(others if settle.job_id in grown else answers) for settle in settles]


def _cancel_reason(tx: SqliteTx, job_id: bytes) -> str | None:
    found = tx.all("control_reason", job_id=job_id)
    return found[0][0] if found else None
