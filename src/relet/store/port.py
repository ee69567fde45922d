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
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from relet.job.job import Claim, NewJob
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.job.why import Standing


class Enqueued(NamedTuple):
    """What became of one `NewJob`: `job_id` is the job that now stands for it, `created` whether it is the new one."""

    job_id: bytes
    created: bool


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A worker process that asks for a session. Never reused: each process start makes a new random id."""

    id: bytes
    worker: str
    host: str
    pid: int
    queues: tuple[str, ...]
    tasks: tuple[str, ...]
    offers: tuple[str, ...] = ()
    slots: int = 1
    tier: int = 0
    version: str = ""
    host_boot: str = ""
    """Boot id of the host: with `lock_place`, names where the liveness lock of this session can be looked at."""
    lock_place: str = ""
    """`device:inode` of the host-local directory with the session's lock file; empty: there is none."""


class Lane(NamedTuple):
    """A place to claim from: one priority of one queue, behind a place in it that this worker has passed already."""

    queue: str
    rank: int
    """The negative priority: lower comes first."""
    after: int = -(2**63)


@dataclass(frozen=True, slots=True)
class Want:
    """What a worker would take: at most `limit` jobs, from the lanes in this order, of tasks it knows and needs it offers."""

    limit: int
    lanes: tuple[Lane, ...]
    tasks: tuple[str, ...]
    offers: tuple[str, ...] = ()
    younger_than_us: int | None = None
    """For a lower tier: only jobs that have waited at least this long."""


class Progress(NamedTuple):
    """How far a running job is. Refused unless the claim stands."""

    job_id: bytes
    epoch: int
    percent: float
    message: str


class LogLine(NamedTuple):
    """A line that a running job wrote; `n` counts within the claim, so that a repeated write makes no second line."""

    job_id: bytes
    epoch: int
    n: int
    at: int
    level: str
    message: str
    fields: str | None


class Usage(NamedTuple):
    """What a running job consumed; `n` counts within the claim."""

    job_id: bytes
    epoch: int
    n: int
    kind: str
    amount: str
    """A decimal number as text: money and tokens are never floats."""
    unit: str
    details: str | None


@dataclass(frozen=True, slots=True)
class Notes:
    """What running jobs have to say: rides on the next turn, before its settles."""

    progress: Sequence[Progress] = ()
    logs: Sequence[LogLine] = ()
    usage: Sequence[Usage] = ()

    def __bool__(self) -> bool:
        return bool(self.progress or self.logs or self.usage)


@dataclass(frozen=True, slots=True)
class Turned:
    """The answer to a turn."""

    live: bool
    """False: the session has ended or its lease has lapsed; nothing was claimed, and it must not go on."""
    now: int
    answers: tuple[Answer, ...] = ()
    """One per settle, in order."""
    claims: tuple[Claim, ...] = ()


class Control(NamedTuple):
    """What people ask of a running job."""

    job_id: bytes
    verb: str
    reason: str
    grace_us: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker tells with a renewal, for the registry."""

    busy: int = 0
    done: int = 0
    failed: int = 0
    rss_bytes: int = 0
    turned_at: int = 0
    """Store time of the last turn that was answered: a live process that stopped claiming shows here."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The answer to a renewal."""

    live: bool
    """False: the session is over; every job that it held was let to others."""
    now: int
    held: tuple[tuple[bytes, int], ...] = ()
    """(job, epoch) of every claim that stands for this session."""
    controls: tuple[Control, ...] = ()
    verb: str = ""
    """What people ask of the worker itself: "", "drain" or "stop"."""


class Reclaimed(NamedTuple):
    """What the end of one session gave back."""

    session_id: bytes
    worker: str
    returned: int
    dead: int
    cancelled: int


class SessionRow(NamedTuple):
    """One row of the worker registry."""

    id: bytes
    worker: str
    host: str
    pid: int
    host_boot: str
    lock_place: str
    queues: str
    tasks: str
    offers: str
    slots: int
    tier: int
    version: str
    started_at: int
    renewed_at: int
    lease_us: int
    ended_at: int | None
    end_cause: str | None
    busy: int
    done: int
    failed: int
    rss_bytes: int
    turned_at: int
    verb: str
    live: bool
    """By the store's clock: not ended, and its lease has not lapsed."""
    held: int
    """Jobs in `running` under this session."""


class Effects(Protocol):
    """A transaction of the store's own database, open for the effects of one run, that ends with the settle of that run.

    What was written through `connection` and the settle are committed together or not at all: exactly once.
    """

    @property
    def connection(self) -> Any:
        """The engine's own connection (psycopg, apsw or sqlite3), inside the transaction. Neither commit nor close it."""
        ...

    def settle(self, settle: Settle) -> Answer:
        """Settle the claim and commit. Any answer but ACCEPTED has rolled the effects back."""
        ...

    def roll_back(self) -> None:
        """Undo everything. Harmless when repeated."""
        ...


class Bell(Protocol):
    """A hint that there may be work. It may ring for nothing, and a ring may be lost: polling is the safety net."""

    def fileno(self) -> int:
        """Turns readable when it rings: to be waited on beside other descriptors."""
        ...

    def take(self) -> bool:
        """Whether it rang since the last call. Never blocks; cheap enough to be asked before every turn."""
        ...


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
    def enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        """Write all jobs or none. Raises UniqueConflict (on_conflict="raise") and Refused (a closed queue)."""
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

    def renew(self, session_id: bytes, lease_us: int, beat: Beat) -> Renewed:
        """Extend the lease, if the session has not ended; learn of lost claims and of what people ask."""
        ...

    def listen(self, session_id: bytes) -> Renewed:
        """What people ask, and the claims that stand, without extending the lease."""
        ...

    def end_session(self, session_id: bytes, cause: str) -> Reclaimed | None:
        """The worker goes: what it still holds returns to the head of its queues, as released. None: it was over already."""
        ...

    def sleeping(self, session_id: bytes, asleep: bool) -> None:
        """Say that this worker wants to be woken by an enqueue, or no longer needs to be. A hint; no-op where unneeded."""
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


class JobRow(NamedTuple):
    """One job as people see it."""

    id: bytes
    task: str
    queue: str
    priority: int
    state: State
    args: str
    options: str | None
    needs: str | None
    created_at: int
    epoch: int
    attempt: int
    crashes: int
    suspicions: int
    releases: int
    run_at: int | None
    """When it is due, if scheduled."""
    session_id: bytes | None
    worker: str | None
    started_at: int | None
    """Of the claim that stands or that ended it."""
    ended_at: int | None
    result: str | None
    error: str | None
    percent: float | None
    message: str | None
    cancel_asked: str | None
    """The reason, when someone asked to cancel it and it still runs."""


class AttemptRow(NamedTuple):
    """One ended claim of a job."""

    job_id: bytes
    epoch: int
    session_id: bytes
    worker: str | None
    started_at: int
    ended_at: int
    outcome: str
    error: str
    stack: str


class DeadRow(NamedTuple):
    """One dead letter, with everything needed to judge it."""

    job_id: bytes
    task: str
    queue: str
    args: str
    reason: str
    error: str
    stack: str
    epoch: int
    attempt: int
    crashes: int
    failed_at: int
    resolved: bool
    resolved_at: int | None
    resolved_by: str | None
    notes: str | None


class QueueRow(NamedTuple):
    """One queue with its counts; a count above `capped_at` of the query is that cap: say "10,000+"."""

    name: str
    ready: int
    running: int
    scheduled: int
    dead: int
    oldest_ready_at: int | None
    paused_at: int | None
    paused_by: str | None
    pause_reason: str | None
    resume_at: int | None
    closed_at: int | None
    closed_by: str | None
    close_reason: str | None


class LeaseRow(NamedTuple):
    """One job that is held now."""

    job_id: bytes
    task: str
    queue: str
    epoch: int
    attempt: int
    worker: str
    session_id: bytes
    claimed_at: int
    locked_until: int
    """Wall time at which the lease of its session lapses, as far as the last renewal tells."""
    expired: bool
    percent: float | None
    message: str | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs: all given conditions hold. `before`/`limit` page by id, newest first."""

    state: State | None = None
    task: str | None = None
    queue: str | None = None
    worker: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    stuck_us: int | None = None
    """Running for longer than this, or held by a session that is not live."""
    before: bytes | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which dead letters: all given conditions hold. `before`/`limit` page by id, newest first."""

    task: str | None = None
    queue: str | None = None
    reason: str | None = None
    error_like: str | None = None
    """Part of the error's text; not case-sensitive."""
    failed_after: int | None = None
    failed_before: int | None = None
    resolved: bool | None = False
    before: bytes | None = None
    limit: int = 50


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
        """Every queue that has jobs or is paused or closed, by name. Its dead are the unresolved ones."""
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


def uuid_of(job_id: bytes) -> UUID:
    """The surface's form of an id."""
    return UUID(bytes=job_id)
