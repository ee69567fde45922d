"""Stores and workers with one fault each, which the judge must find."""

from typing import Any

from msgspec.structs import replace

from relet.clock import SECOND
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Beat, Notes, Probed, Renewed, Turned, Want
from relet.work.clerk import Clerk
from relet.work.keeper import Keeper
from tests.simulation.node import Node
from tests.simulation.world import World


class Spoilt:
    """A store; what is not overridden is as it was."""

    def __init__(self, store: Store, world: World) -> None:
        self._store: Any = store
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _sql(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._store._link.driver.execute(sql, values)
        return found


class Lax(Spoilt):
    """Settles are let through though their claim does not stand."""

    def turn(self, session_id: bytes, settles: Any, notes: Notes, want: Want | None) -> Turned:
        answer = self._store.turn(session_id, settles, notes, want)
        said = [
            Answer.ACCEPTED if one is Answer.FENCED and self._force(settle) else one
            for settle, one in zip(settles, answer.answers, strict=True)
        ]
        return Turned(answer.live, answer.now, tuple(said), answer.claims)

    def _force(self, settle: Settle) -> bool:
        """Whether this one is let through after all."""
        for session, epoch in self._holders(settle.job_id):
            again = self._store.turn(session, [replace(settle, epoch=epoch)], Notes(), None)
            return again.answers == (Answer.ACCEPTED,)
        return self._force_waiting(settle)

    def _holders(self, job_id: bytes) -> list[tuple[Any, ...]]:
        return self._sql("select session_id, epoch from relet_running where job_id = ?", job_id)

    def _force_waiting(self, settle: Settle) -> bool:
        return False

    def _finish(self, settle: Settle, *tables: str) -> bool:
        """End it wherever it waits."""
        if settle.to is not State.SUCCEEDED:
            return False
        for table in tables:
            if self._sql(f"delete from relet_{table} where job_id = ? returning job_id", settle.job_id):
                self._sql(
                    "insert into relet_finished (job_id, outcome, epoch, attempt, finished_at) values (?, 'succeeded', 0, 0, 0)",
                    settle.job_id,
                )
                return True
        return False


class FencedByState(Lax):
    """A settle counts while the job runs, whoever runs it."""


class FencedById(Lax):
    """A settle counts while the job has not ended."""

    def _force_waiting(self, settle: Settle) -> bool:
        return self._finish(settle, "ready", "scheduled")


class NotFenced(FencedById):
    """A settle counts always."""

    def _force_waiting(self, settle: Settle) -> bool:
        return self._finish(settle, "ready", "scheduled", "finished", "dead")


class SettledAfterReclaim(Lax):
    """A settle counts after the job was taken back, until somebody else claims it."""

    def _holders(self, job_id: bytes) -> list[tuple[Any, ...]]:
        return []

    def _force_waiting(self, settle: Settle) -> bool:
        waits = self._sql("select 1 from relet_ready where job_id = ? and epoch = ?", settle.job_id, settle.epoch)
        return bool(waits) and self._finish(settle, "ready")


class Resurrecting(Spoilt):
    """A renewal brings back a session that has ended."""

    def renew(self, session_id: bytes, lease_us: int, beat: Beat, known: Any = None) -> Renewed:
        self._sql("update relet_session set ended_at = null where id = ?", session_id)
        renewed: Renewed = self._store.renew(session_id, lease_us, beat, known)
        return renewed


class LeasedByWorkersClock(Spoilt):
    """The lease is counted from the wall clock of whoever renews it."""

    def open_session(self, info: Any, lease_us: int) -> int:
        now: int = self._store.open_session(info, lease_us)
        self._shift(info.id, info.worker)
        return now

    def renew(self, session_id: bytes, lease_us: int, beat: Beat, known: Any = None) -> Renewed:
        renewed: Renewed = self._store.renew(session_id, lease_us, beat, known)
        self._shift(session_id, self._sql("select worker from relet_session where id = ?", session_id)[0][0])
        return renewed

    def _shift(self, session_id: bytes, worker: str) -> None:
        skew = (-7, 0, 11)[int(worker[-1])] * SECOND
        self._sql("update relet_session set lease_until = lease_until + ? where id = ?", skew, session_id)


class ReclaimedOnSight(Spoilt):
    """A reclaim does not ask whether the lease has lapsed."""

    def reclaim_expired(self, cause: str = "") -> list[Any]:
        sessions = self._sql(
            "select id from relet_session where ended_at is null and renewed_at < ?", self._store.now() - SECOND
        )
        ended = [self._store.reclaim(session_id, cause) for (session_id,) in sessions]
        return [gone for gone in ended if gone is not None]


class LeakingSlots(Spoilt):
    """Slots are given up before their jobs have ended."""

    def turn(self, session_id: bytes, settles: Any, notes: Notes, want: Want | None) -> Turned:
        answer: Turned = self._store.turn(session_id, settles, notes, want)
        self._sql("update relet_running set counted = null where session_id = ?", session_id)
        return answer


class Forgetful(Spoilt):
    """What a rate has let start is forgotten at the turn of each second."""

    def turn(self, session_id: bytes, settles: Any, notes: Notes, want: Want | None) -> Turned:
        self._sql("delete from relet_tally where (step + 1) * window_us / 60 < ?", self._store.now() // SECOND * SECOND)
        answer: Turned = self._store.turn(session_id, settles, notes, want)
        return answer


class FreeBeforeTheEnd(Spoilt):
    """Who is claimed leaves its keys to others."""

    def turn(self, session_id: bytes, settles: Any, notes: Notes, want: Want | None) -> Turned:
        answer: Turned = self._store.turn(session_id, settles, notes, want)
        self._sql("delete from relet_slot where job_id in (select job_id from relet_running)")
        self._sql("update relet_gate set next_at = 0")
        return answer


class LavishWithProbes(Spoilt):
    """Probes that are out are not counted."""

    def claim_probe(self, session_id: bytes, want: Want, breakers: Any) -> Probed:
        self._sql("delete from relet_probe")
        probed: Probed = self._store.claim_probe(session_id, want, breakers)
        return probed


class ProbesForEver(Spoilt):
    """A probe whose worker has died is still out."""

    def claim_probe(self, session_id: bytes, want: Want, breakers: Any) -> Probed:
        probed: Probed = self._store.claim_probe(session_id, want, breakers)
        self._sql("update relet_probe set session_id = null, until_at = 1 << 62")
        return probed


class PuttingOffForGood(Spoilt):
    """It is not remembered which breaker has put a job off."""

    def promote(self, limit: int) -> Any:
        self._sql("update relet_scheduled set breaker = null")
        return self._store.promote(limit)


class Eager(Spoilt):
    """Nobody waits for others."""

    def enqueue(self, jobs: Any, batches: Any = ()) -> Any:
        return self._store.enqueue([replace(job, after=()) for job in jobs], batches)


class Forgotten(Spoilt):
    """Parents are claimed without a word of their children."""

    def turn(self, session_id: bytes, settles: Any, notes: Notes, want: Want | None) -> Turned:
        self._sql("update relet_running set flags = flags & ~2")
        answer: Turned = self._store.turn(session_id, settles, notes, want)
        return answer


class Miscounting(Spoilt):
    """A batch does not count those that fail."""

    def turn(self, session_id: bytes, settles: Any, notes: Notes, want: Want | None) -> Turned:
        for settle in settles:
            if settle.to is State.DEAD:
                self._sql("update relet_running set flags = flags & ~8 where job_id = ?", settle.job_id)
        answer: Turned = self._store.turn(session_id, settles, notes, want)
        return answer


class Skipping(Spoilt):
    """What was due while nobody looked is done with."""

    def fire_due(self, ids: Any, limit: int, leave: Any = ()) -> Any:
        now = self._store.now()
        self._sql(
            "update relet_schedule set settled_until = ? where settled_until < ?", now - 2 * SECOND, now - 2 * SECOND
        )
        return self._store.fire_due(ids, limit, leave)


class FiringAgain(Spoilt):
    """Progress is believed, and not the firings that there are."""

    def fire_due(self, ids: Any, limit: int, leave: Any = ()) -> Any:
        self._sql("delete from relet_firing where due_at > ?", self._store.now() - SECOND)
        return self._store.fire_due(ids, limit, leave)


STORES: dict[str, tuple[type[Spoilt], int]] = {
    "no fence": (NotFenced, 10),
    "fence by state only": (FencedByState, 10),
    "fence by id only": (FencedById, 10),
    "settle accepted after reclaim": (SettledAfterReclaim, 11),
    "renewal resurrects an ended session": (Resurrecting, 20),
    "lease from the worker's clock": (LeasedByWorkersClock, 0),
    "reclaim of good leases": (ReclaimedOnSight, 0),
    "a slot is free before its job has ended": (LeakingSlots, 0),
    "a rate that forgets": (Forgetful, 0),
    "a key is free before its job has ended": (FreeBeforeTheEnd, 0),
    "more probes than may go out": (LavishWithProbes, 4),
    "probes that died are still out": (ProbesForEver, 4),
    "what met an open breaker sleeps on": (PuttingOffForGood, 4),
    "nobody waits for others": (Eager, 1),
    "parents that forget their children": (Forgotten, 1),
    "a batch that does not count failures": (Miscounting, 14),
    "due times that are passed over": (Skipping, 24),
    "a firing that is forgotten": (FiringAgain, 4),
}
"""Each with the seed from which it is looked for: shortly before one that finds it."""


# ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────────
class Unfenced(Keeper):
    """Trusts its lease for ever."""

    def _accepted(self, sent_at: int) -> None:
        super()._accepted(sent_at)
        self.deadline = 2**62


class BlindToLostClaims(Clerk):
    """Never looks for claims whose answer was lost."""

    def looked(self, held: Any, now: int, *, exact: bool = False, live: bool = True) -> None:
        super().looked((), now, exact=exact, live=live)


def node_with(clerk: type[Clerk] = Clerk, keeper: type[Keeper] = Keeper) -> type[Node]:
    """A node with one part replaced."""
    return type("PlantedNode", (Node,), {"clerk_type": clerk, "keeper_type": keeper})


WORKERS: dict[str, tuple[type[Node], int]] = {
    "claims whose answer was lost are never looked for": (node_with(clerk=BlindToLostClaims), 5),
    "the worker does not fence itself": (node_with(keeper=Unfenced), 15),
}
