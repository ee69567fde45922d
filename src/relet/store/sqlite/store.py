"""The SQLite store: the portable verbs, with the hot ones bound by place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from relet.errors import StoreUnavailable
from relet.job.job import Claim, NewJob
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.enqueue import refuse_closed
from relet.store.link import Tx
from relet.store.port import Bell, Insights
from relet.store.records import Enqueued, SessionInfo, Want
from relet.store.relational import RelationalStore, drive
from relet.store.sqlite.bell import SqliteBell, ring
from relet.store.sqlite.enqueue import at_once, write_fresh
from relet.store.sqlite.insights import SqliteInsights
from relet.store.sqlite.link import ConstraintViolated, SqliteLink, SqliteTx
from relet.store.sqlite.turn import claims_of, finish, take, takeable
from relet.store.turn import end_each, fence_of, write_settles


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

    def enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        if not jobs or not all(map(at_once, jobs)):
            return super().enqueue(jobs)
        try:
            with self._link.write() as tx:
                drive(tx, refuse_closed(jobs))
                return write_fresh(tx, jobs)
        except ConstraintViolated:
            return super().enqueue(jobs)

    @property
    def insights(self) -> Insights:
        return SqliteInsights(self._link)

    def _settle(self, tx: Tx, session_id: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
        assert isinstance(tx, SqliteTx)
        succeeded = State.SUCCEEDED
        if len({settle.job_id for settle in settles}) < len(settles):  # the same job twice
            return tuple([self._settle(tx, session_id, (settle,))[0] for settle in settles])
        plain = [settle for settle in settles if settle.to is succeeded]
        answers = iter(_succeed(tx, session_id, plain) if plain else ())
        if len(plain) == len(settles):
            return tuple(answers)
        others = iter(write_settles(tx, session_id, [settle for settle in settles if settle.to is not succeeded]))
        return tuple([next(answers if settle.to is succeeded else others) for settle in settles])

    def _claim(self, tx: Tx, session_id: bytes, want: Want, now: int) -> tuple[Claim, ...]:
        assert isinstance(tx, SqliteTx)
        may, claims = takeable(want, now), list[Claim]()
        for lane in want.lanes:
            if len(claims) >= want.limit:
                break
            claims += claims_of(lane, take(tx, session_id, lane, want.limit - len(claims), may, now), now)
        if claims and tx.all("control_any"):
            claims = [claim._replace(cancel=_cancel_reason(tx, claim.job_id)) for claim in claims]
        return tuple(claims)


def _succeed(tx: SqliteTx, session_id: bytes, settles: Sequence[Settle]) -> list[Answer]:
    """Finish the claims that stand; the others are judged."""
    endings = [(settle.job_id, settle.epoch, settle.result) for settle in settles]
    keyed = [settle for settle in settles if settle.flags]
    if keyed:
        tx.many("settle_unique", [fence_of(session_id, settle) for settle in keyed])
    if finish(tx, session_id, endings):
        return [Answer.ACCEPTED] * len(settles)
    return end_each(tx, session_id, settles)


def _cancel_reason(tx: SqliteTx, job_id: bytes) -> str | None:
    found = tx.all("control_reason", job_id=job_id)
    return found[0][0] if found else None
