"""The port: what a store promises, whatever its engine.

Rules that every implementation keeps:
- A verb is one transaction. Either all of it happened, or none; an error says which, and `OutcomeUnknown` says "ask again".
- Every write after a claim names job, session and epoch, and is refused unless that triple stands in `running`.
- The store's own clock decides leases and due times; callers hand over durations.
- A repeated settle of the same claim returns the first answer. A repeated enqueue of the same id makes no second job.
- A `Store` is one connection. It may be handed from thread to thread, but serves one call at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from relet.job.job import Claim, ClaimKey, NewBatch, NewJob
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.doors import Doors
from relet.store.fires import Fires
from relet.store.holds import Holds
from relet.store.measures import Measures
from relet.store.reads import Insights
from relet.store.records import (
    Beat,
    Enqueued,
    Lane,
    Mended,
    Notes,
    Reclaimed,
    Renewed,
    SessionInfo,
    Turned,
    Want,
)
from relet.store.telling import Telling


class Effects(Protocol):
    """A transaction of the store's own database, open for the effects of one run, that ends with the settle of that run.

    What was written through `connection` and the settle are committed together or not at all: exactly once.
    """

    @property
    def connection(self) -> Any:
        """The engine's own connection (psycopg, apsw or sqlite3), inside the transaction. Neither commit nor close it."""
        ...

    def settle(self, settle: Settle, notes: Notes) -> Answer:
        """Write what the run has said, settle the claim, and commit. Any answer but ACCEPTED has rolled all of it back.

        Notes that were written before are passed over, as in a turn. Raises UsageError if a statement of the task has failed
        and left nothing to commit."""
        ...

    def roll_back(self) -> None:
        """Undo everything. Harmless when repeated."""
        ...

    def lost_with(self, error: BaseException) -> bool:
        """Whether the store went away under the task, so that this error is no fault of the task's."""
        ...


class Bell(Protocol):
    """A hint that there may be work. It may ring for nothing, and a ring may be lost: polling is the safety net."""

    def fileno(self) -> int:
        """Turns readable when it rings: to be waited on beside other descriptors."""
        ...

    def take(self) -> bool:
        """Whether it rang since the last call. Never blocks; cheap enough to be asked before every turn."""
        ...


Known = Sequence[ClaimKey] | None
"""Claims, as (job, epoch), that a caller asks about; None: about all that stand."""


class Store(Holds, Fires, Telling, Doors, Measures, Protocol):
    """One connection to the place where jobs are kept."""

    url: str
    """Without its secrets."""

    def close(self) -> None:
        """Release the connection. Harmless when repeated."""
        ...

    def now(self) -> int:
        """The store's wall time."""
        ...

    # ── producing ─────────────────────────────────────────────────────────────────────────────────────────────────
    def enqueue(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> list[Enqueued]:
        """Write all jobs or none, with the batches that count them.

        Raises UniqueConflict (on_conflict="raise"), Refused (a closed queue), NotFound (a job to come after is not there)
        and UsageError (jobs that wait for each other)."""
        ...

    # ── a worker's life ───────────────────────────────────────────────────────────────────────────────────────────
    def open_session(self, info: SessionInfo, lease_us: int) -> int:
        """Register the process under a lease; returns the store's now."""
        ...

    def turn(self, session_id: bytes, settles: Sequence[Settle], notes: Notes, want: Want | None) -> Turned:
        """Write what has been said and what has ended, and claim what fits: one transaction, one commit."""
        ...

    def claims(self, session_id: bytes, job_ids: Sequence[bytes]) -> tuple[Claim, ...]:
        """Those of these jobs that stand under this session, as their claims were handed out (`seq` and `ready_at` are 0).

        For claims whose answer was lost: a worker finds them in `Renewed.held`, and runs them or gives them back."""
        ...

    def bell(self) -> Bell | None:
        """What rings when an enqueue, a promotion or a reclaim may have made work. None: polling alone must do.

        It belongs to this connection and is closed with it."""
        ...

    def begin_effects(self, session_id: bytes) -> Effects:
        """Open a transaction for a run's effects. This connection serves nothing else until it has ended."""
        ...

    def lane_ends(self, lanes: Sequence[Lane]) -> list[int]:
        """The last place of each lane now: what a claim that came back short may pass next time."""
        ...

    def ranks(self, queues: Sequence[str]) -> list[tuple[str, int]]:
        """The (queue, rank) pairs that have ready jobs, of these queues; all queues when empty. Index probes only."""
        ...

    def renew(self, session_id: bytes, lease_us: int, beat: Beat, known: Known = None) -> Renewed:
        """Extend the lease, if the session has not ended; learn of lost claims and of what people ask.

        `known` are (job, epoch) of the claims that the caller runs: where to look for all that stand would take too long,
        `held` may have only those of them that do."""
        ...

    def listen(self, session_id: bytes, known: Known = None) -> Renewed:
        """What people ask, and the claims that stand, without extending the lease.

        With `known`, `held` may have only those of them that stand: cheaper where ended claims leave traces."""
        ...

    def end_session(self, session_id: bytes, cause: str) -> Reclaimed | None:
        """The worker goes: what it still holds returns to the head of its queues, as released. None: it was over already."""
        ...

    # ── recovery and chores ───────────────────────────────────────────────────────────────────────────────────────
    def reclaim_expired(self, cause: str = "lease expired") -> list[Reclaimed]:
        """End every session whose lease has lapsed, and return its jobs. One transaction per session."""
        ...

    def reclaim(self, session_id: bytes, cause: str) -> Reclaimed | None:
        """End this session, whatever its lease says: the caller knows that its process is gone."""
        ...

    def promote(self, limit: int) -> list[tuple[str, int]]:
        """Make due scheduled jobs ready: at most `limit`; returns (queue, count).

        At most as many that were put off by breakers which are closed now will be due soon."""
        ...

    def next_due(self) -> int | None:
        """When the next scheduled job is due; None: there is none."""
        ...

    def prune(self, finished_older_us: int, dead_older_us: int, limit: int) -> int:
        """Forget finished jobs and resolved dead letters that are older; at most `limit` jobs; returns how many."""
        ...

    def tie(self, limit: int) -> int:
        """Let at most `limit` jobs that came after others be known to these, and learn which of these have ended.

        Returns how many there were. An enqueue does it for its own, but for one in a caller's transaction."""
        ...

    def mend(self, after: bytes, limit: int) -> Mended:
        """Prove, for the next `limit` waiting jobs behind this id, that each waits for something; repair those that do not."""
        ...

    def mend_slots(self, after: bytes, limit: int) -> Mended:
        """Prove, for the next `limit` jobs behind this id that have passed limits by name and key, that each is ready or runs;
        let others in for those that are not."""
        ...

    def mend_batch(self, after: bytes) -> Mended:
        """Prove the counts of the next open batch behind this id; repair them."""
        ...

    # ── what people steer ─────────────────────────────────────────────────────────────────────────────────────────
    def cancel(self, job_id: bytes, reason: str, by: str, grace_us: int) -> State | None:
        """Cancel a job that waits, or ask the worker that runs it to. Returns the state it was in; None: no such job."""
        ...

    def honour_cancels(self, limit: int) -> int:
        """A chore: end, as cancelled, jobs whose cancel was asked while they ran and that wait again; returns how many."""
        ...

    def delete_job(self, job_id: bytes) -> State | None:
        """Remove a succeeded or cancelled job with its history; returns its state. One in any other state is left, and that
        state returned; None: no such job."""
        ...

    def pause_queue(self, queue: str, by: str, reason: str, resume_at: int | None) -> None:
        """No claims from it until resumed, or until `resume_at`. What runs goes on."""
        ...

    def resume_queue(self, queue: str) -> bool:
        """End the pause and the closing. False: it was neither."""
        ...

    def close_queue(self, queue: str, by: str, reason: str) -> None:
        """Drain: refuse new jobs, work off what is there."""
        ...

    def close_open_queue(self, queue: str, by: str, reason: str) -> bool:
        """The same, unless somebody has closed it already: False."""
        ...

    def reopen_queue(self, queue: str, by: str) -> bool:
        """End its closing, if it was these who closed it last. False: it was not."""
        ...

    def purge_queue(self, queue: str, by: str, limit: int) -> int:
        """Cancel at most `limit` of its jobs that are not running; returns how many."""
        ...

    def ask_worker(self, session_id: bytes, verb: str) -> bool:
        """Ask a live worker to "drain" or "stop". False: no such live session."""
        ...

    def retry_dead(self, job_id: bytes, args: str | None, by: str) -> bool:
        """Back to ready with fresh counters (the epoch goes on), with other arguments if given. Raises UniqueConflict.

        False: it is not in the dead letters."""
        ...

    def resolve_dead(self, job_id: bytes, resolved: bool, by: str, notes: str) -> bool:
        """Mark as resolved (or not), by whom, when, with notes. False: it is not in the dead letters."""
        ...

    def delete_dead(self, job_id: bytes) -> bool:
        """Remove the dead letter and its job for good. False: it is not in the dead letters."""
        ...

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────
    @property
    def insights(self) -> Insights:
        """The read-only side, over the same connection."""
        ...
