"""The port: what a store promises, whatever its engine.

Rules that every implementation keeps:
- A verb is one transaction. Either all of it happened, or none; an error says which, and `OutcomeUnknown` says "ask again".
- Every write after a claim names job, session and epoch, and is refused unless that triple stands in `running`.
- The store's own clock decides leases and due times; callers hand over durations.
- A repeated settle of the same claim returns the first answer. A repeated enqueue of the same id makes no second job.
- A `Store` is one connection. It may be handed from thread to thread, but serves one call at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from relet.job.job import Claim, ClaimKey, NewBatch, NewJob
from relet.job.limits import Rule
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.job.why import Standing
from relet.store.records import (
    Beat,
    Enqueued,
    Lane,
    LogLine,
    Mended,
    Notes,
    Reclaimed,
    Renewed,
    SessionInfo,
    Turned,
    Usage,
    Want,
)
from relet.store.rows import (
    AttemptRow,
    BatchRow,
    DeadFilter,
    DeadRow,
    EdgeRow,
    JobFilter,
    JobRow,
    LeaseRow,
    ParentRow,
    QueueRow,
    SessionRow,
)


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


class Store(Protocol):
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
        """Those of these jobs that stand under this session, as their claims were handed out (`seq` is 0).

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
        """Make due scheduled jobs ready: at most `limit`; returns (queue, count)."""
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

    def limit_queue(self, queue: str, rule: Rule, by: str, keep: Collection[str] = ()) -> Rule:
        """Hold a queue to a rule, from the next claim on, for all workers; returns the rule. Fields of it that `keep` names stay
        as they are. A rule that limits nothing ends the limit. What code declares does not count any more."""
        ...

    def forget_limit(self, queue: str) -> bool:
        """End the limit, until code declares one again. False: there was none."""
        ...

    def declare_limits(self, rules: Mapping[str, Rule], by: str) -> int:
        """What code wants of its queues, unless a person has said something else; returns how many were changed."""
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


class Insights(Protocol):
    """Reading, for people: bounded, by keyset, never in the way of a worker."""

    def job(self, job_id: bytes) -> JobRow | None:
        """One job, wherever it stands."""
        ...

    def jobs(self, wanted: JobFilter) -> list[JobRow]:
        """A page of jobs, newest first."""
        ...

    def attempts(self, job_id: bytes) -> list[AttemptRow]:
        """Its history, oldest first, the successful end included."""
        ...

    def logs(self, job_id: bytes, after: tuple[int, int], limit: int) -> list[LogLine]:
        """Its log lines behind (epoch, n)."""
        ...

    def usage(self, job_id: bytes) -> list[Usage]:
        """What it consumed, over all attempts."""
        ...

    def parents(self, job_id: bytes, limit: int = 100) -> list[EdgeRow]:
        """What a job comes after, the open ones first."""
        ...

    def children(self, node_id: bytes, limit: int = 100) -> list[EdgeRow]:
        """What comes after a job or a batch, the oldest first."""
        ...

    def results(self, job_id: bytes) -> list[ParentRow]:
        """What all parents of a job returned, by their ids."""
        ...

    def batch(self, batch_id: bytes) -> BatchRow | None:
        """One batch with its counts."""
        ...

    def batches(
        self, label: str = "", only_open: bool = False, before: bytes | None = None, limit: int = 50
    ) -> list[BatchRow]:
        """A page of batches, newest first."""
        ...

    def members(self, batch_id: bytes, state: str = "", after: bytes | None = None, limit: int = 50) -> list[bytes]:
        """A page of the jobs of a batch, oldest first. `state`: open, dead, succeeded, cancelled, or all of them."""
        ...

    def dead(self, wanted: DeadFilter) -> list[DeadRow]:
        """A page of dead letters, newest first."""
        ...

    def dead_count(self, wanted: DeadFilter, cap: int = 100_000) -> int:
        """How many match, whatever `before` and `limit` say; counted up to `cap`."""
        ...

    def dead_stats(self, cap: int = 100_000) -> list[tuple[str, int, int]]:
        """(queue, total, resolved), over the newest `cap` dead letters."""
        ...

    def queues(self, cap: int = 100_000) -> list[QueueRow]:
        """Every queue that has jobs or is paused, closed or limited, by name. Its dead are the unresolved ones."""
        ...

    def counts(self, cap: int = 100_000) -> dict[State, int]:
        """Jobs per state, each counted up to `cap`; succeeded and cancelled ones among the newest `cap` that ended."""
        ...

    def sessions(self, ended_within_us: int = 0) -> list[SessionRow]:
        """The registry: live and lapsed sessions, and those that ended lately."""
        ...

    def leases(self, limit: int = 1000) -> list[LeaseRow]:
        """What is held now, the oldest claim first."""
        ...

    def why(self, job_id: bytes) -> Standing | None:
        """Everything that decides whether a job can run now, in one snapshot: `relet.job.why.explain` makes sentences of it."""
        ...

    def schema(self) -> tuple[int, int]:
        """(version of the schema, oldest version of the code that may write to it)."""
        ...

    def health(self, cap: int = 100_000) -> dict[str, Any]:
        """Facts for `doctor`. From rows, on every engine: `now`, a count per state, `capped_at`, `oldest_ready_at`,
        `next_due_at`, `dead_unresolved`, `dead_oldest_at`, `sessions_live`, `sessions_lapsed`, `claims_expired`,
        `queues_paused`, `queues_closed`, `schema_version`, `schema_floor`. And what only the engine knows: its name,
        version, durability, sizes, clock offset, pooler, file system."""
        ...
