"""What people see of jobs, workers, queues, leases and dead letters, and how they choose what to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from relet.job import breaker
from relet.job.firing import Progress
from relet.job.limits import QueueLimit, Rule
from relet.job.schedule import Mode, Schedule
from relet.job.state import State


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


class Found(NamedTuple):
    """What a search has found in one window of jobs."""

    ids: tuple[bytes, ...]
    """Newest first."""
    last: bytes | None
    """Where the next window begins. None: this was the last one."""
    last_at: int | None
    """When the oldest job of the window was enqueued. None: there was none."""
    looked_at: int
    """How many jobs the window had."""


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
    limit: QueueLimit | None = None
    waiting: int = 0
    """Jobs that come after others, or stand at a limit."""


class LimitRow(NamedTuple):
    """A limit by name and key."""

    name: str
    rule: Rule
    paused_until: int | None
    origin: str
    """ "code" or "person"; empty: jobs name it, and nobody has said yet what it is."""
    changed_by: str
    changed_at: int
    keys: int
    passed: int
    """Jobs that are ready or run, and have passed it: all keys together."""
    waiting: int
    """Jobs that stand in line before it."""


class GateRow(NamedTuple):
    """One key of a limit, and what is used of it now."""

    name: str
    key: str
    rule: Rule
    passed: int
    waiting: int
    used: tuple[int, ...]
    """Units that are used of each rate."""
    opens_at: int | None
    """When a pause or a rate lets the next one in, if it lets none in now."""
    paused_until: int | None
    declared: bool
    """Somebody has said what the limit is."""


class ShareRow(NamedTuple):
    """A tenant of a queue that has jobs there, had some lately, or has a weight."""

    tenant: str
    """As the task's `fair_by` says; "" for jobs that name none."""
    weight: int
    ready: int
    """Up to the cap of the query."""
    oldest_ready_at: int | None
    """Since when the first of them is ready."""


class EdgeRow(NamedTuple):
    """That one job comes after another, or after a batch."""

    child_id: bytes
    parent_id: bytes
    need: str
    """success, end or failure: how the parent must end."""
    hold: bool
    """If the parent is dead, the child waits for its retry."""
    outcome: str | None
    """How the parent ended, as far as the child is concerned; None: it has not."""
    name: str | None
    """The task of the other one, or the batch's label; None: it is forgotten."""
    is_batch: bool
    """Whether the other one is a batch."""
    state: str | None
    """Where the other one stands; of a batch: open, succeeded or failed."""


class ParentRow(NamedTuple):
    """What a parent left to its child."""

    parent_id: bytes
    outcome: str | None
    task: str | None
    """None: it is a batch, or forgotten."""
    result: str | None
    state: str | None
    """succeeded or cancelled; None: dead, forgotten, or a batch."""


class BatchRow(NamedTuple):
    """A batch with its counts: `total` is the sum of the other four."""

    id: bytes
    label: str
    total: int
    open: int
    succeeded: int
    dead: int
    cancelled: int
    created_at: int
    ended_at: int | None


class ScheduleRow(NamedTuple):
    """A schedule: its definition, what people steer, how far it has come, and how its runs went."""

    definition: Schedule
    changed_by: str
    changed_at: int
    revision: int
    paused_at: int | None
    paused_by: str | None
    pause_reason: str | None
    disabled_at: int | None
    disabled_by: str | None
    """Who disabled it; "relet" did after too many failures."""
    disable_reason: str | None
    progress: Progress
    seen: dict[str, int]
    """How often what it depends on had succeeded, when it was fired last."""
    successes: int
    failures: int
    """Runs in a row that are dead."""
    fired_at: int | None
    ended_at: int | None
    success_at: int | None
    failure_at: int | None
    error: str | None
    """Of the last run that is dead."""
    live: tuple[bytes, ...] = ()
    """Its runs that have not ended."""
    unmet: tuple[str, ...] = ()
    """What it depends on that has not succeeded since it was fired last."""
    unreadable: str = ""
    """Why its definition cannot be read here: a later version wrote it. `definition` then has only name and kind."""
    making_up: int = 0
    """How many of its live runs make up for due times in the past."""
    running: tuple[bytes, ...] = ()
    """Those of its live runs that a worker has taken."""

    @property
    def queued(self) -> tuple[bytes, ...]:
        """The others: they wait to start."""
        return tuple(job_id for job_id in self.live if job_id not in self.running)

    @property
    def state(self) -> str:
        """running, queued (it has a run, which waits to start), unreadable (a later version wrote it), disabled, paused, waiting
        (it is due, and something that it depends on has not succeeded) or idle."""
        if self.live:
            return "running" if self.running else "queued"
        if self.unreadable:
            return "unreadable"
        if self.disabled_at is not None:
            return "disabled"
        if self.paused_at is not None:
            return "paused"
        return "idle" if self.progress.pending_at is None else "waiting"

    @property
    def due_at(self) -> int | None:
        """The next due time; None while it is disabled or paused, or if it has none."""
        return self.progress.next_at if self.disabled_at is None and self.paused_at is None else None

    @property
    def rule(self) -> str:
        """When it runs, in words; empty: when it is triggered."""
        if self.definition.mode is Mode.CONTINUOUS:
            return "all the time"
        return "" if self.definition.rule is None else self.definition.rule.describe()


class ScheduleCounts(NamedTuple):
    """How many schedules there are, of all kinds."""

    total: int
    disabled: int
    paused: int
    """And not disabled."""
    waiting: int
    """Due, and waiting for what they depend on."""
    broken: tuple[tuple[str, str, str], ...]
    """Some of those that failures have disabled: (kind, name, reason)."""


class FiringRow(NamedTuple):
    """What became of one due time of a schedule."""

    schedule: str
    due_at: int
    job_id: bytes | None
    """None: it was passed over."""
    cause: str
    """ "due", who triggered it, or why it was passed over."""
    fired_at: int
    ended_at: int | None
    outcome: str | None


class BreakerRow(NamedTuple):
    """A circuit breaker: its rule, how it stands, and who changed that last."""

    name: str
    """That of a task begins with "task:", that of a queue with "queue:"."""
    rule: breaker.Rule
    status: breaker.Status
    changed_by: str
    """ "relet" when it opened or closed by itself."""
    changed_at: int
    revision: int
    """Rises with each change."""
    out: int = 0
    """Probes that are out."""


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
    least: bytes | None = None
    """No older ones: so that a page that finds little does not look at all there are. See `Insights.window`."""
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
