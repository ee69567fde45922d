"""What `--json` prints: one record for each kind of thing. This is the documented schema; text output is made of it too.

In all records: ids are UUIDs, times are ISO 8601 in UTC or null, durations are seconds, counts at their cap mean "at least".
Arguments, results and texts have their secrets hidden. Later versions may add fields; none is removed or changes meaning.
"""

from __future__ import annotations

from typing import Any, TypedDict


class JobOut(TypedDict):
    """One job: `jobs ls`, `jobs show`, `enqueue`."""

    id: str
    task: str
    queue: str
    priority: int
    state: str
    args: Any
    needs: list[str]
    created_at: str
    run_at: str | None
    started_at: str | None
    ended_at: str | None
    worker: str | None
    claims: int
    """How often it has been claimed: the claim number, the fencing token, of the present claim."""
    failed_attempts: int
    crashes: int
    suspicions: int
    releases: int
    percent: float | None
    message: str | None
    cancel_asked: str | None
    result: Any
    error: str | None


class EnqueuedOut(TypedDict):
    """A job that was enqueued: `enqueue`. With `--wait`, a `JobOut` of the ended job is printed instead."""

    id: str
    task: str
    created: bool
    """False: a job that was there before holds the unique key, and `id` is that one."""


class AttemptOut(TypedDict):
    """One ended claim of a job: `jobs show`."""

    claim: int
    outcome: str
    worker: str | None
    started_at: str
    ended_at: str
    seconds: float
    error: str
    stack: str


class BondOut(TypedDict):
    """A job or batch that another comes after, or that comes after another: `jobs show`, `batches show`."""

    id: str
    name: str | None
    """The task, or the batch's label; null: it is forgotten."""
    batch: bool
    state: str | None
    on_failure: str
    """What becomes of the child when the parent does not succeed: skip, run or hold."""


class BatchOut(TypedDict):
    """One batch: `batches ls`, `batches show`. `total` is the sum of open, succeeded, dead and cancelled."""

    id: str
    label: str
    total: int
    open: int
    succeeded: int
    dead: int
    cancelled: int
    percent: float
    created_at: str
    ended_at: str | None


class LimitOut(TypedDict):
    """A limit by name and key: `limits ls`, `limits show`. Counts stop at 10,000: that figure means "or more"."""

    name: str
    rule: str
    """In words: "10 at once, 100/min"; empty: it limits nothing."""
    concurrency: int | None
    rate: str | None
    paused: bool
    paused_until: str | None
    """Null: not paused, or until somebody resumes it."""
    origin: str
    """Who said so last: code, or person; empty: jobs name it, and nobody has said yet what it is."""
    changed_by: str
    changed_at: str
    keys: int
    passed: int
    """Jobs that are ready or run."""
    waiting: int
    """Jobs that stand in line."""


class LimitKeyOut(TypedDict):
    """One key of a limit: `limits show`."""

    key: str
    passed: int
    waiting: int
    used: dict[str, int]
    """Units that are used of each rate."""
    opens_at: str | None
    """When a pause or a rate lets the next one in, if it lets none in now."""
    paused: bool
    paused_until: str | None


class BreakerOut(TypedDict):
    """One circuit breaker: `breakers ls`, `breakers show`."""

    name: str
    """That of a task begins with "task:", that of a queue with "queue:"."""
    state: str
    """closed, open (nothing passes), or half-open (probes may)."""
    rule: str
    """When it trips and how it tries again, in words."""
    failures: int
    """In a row, up to now."""
    trips: int
    """How often it has opened by itself."""
    opened_at: str | None
    probe_at: str | None
    """From when on probes may pass. Null: it is closed, or open until a person closes it."""
    probes_out: int
    because: str
    """Why it is open."""
    last_error: str
    changed_by: str
    """Who opened or closed it last; "relet" if it did so by itself."""
    changed_at: str


class LogOut(TypedDict):
    """One line that a job wrote: `jobs show`."""

    at: str
    claim: int
    level: str
    message: str
    fields: Any


class UsageOut(TypedDict):
    """What a job consumed: `jobs show`. `amount` is a decimal number as text."""

    claim: int
    kind: str
    amount: str
    unit: str
    details: Any


class DeadOut(TypedDict):
    """One dead letter: `dead ls`, `dead show`."""

    id: str
    task: str
    queue: str
    args: Any
    reason: str
    error: str
    stack: str
    claims: int
    failed_attempts: int
    crashes: int
    failed_at: str
    resolved: bool
    resolved_at: str | None
    resolved_by: str | None
    notes: str | None


class DeadStatsOut(TypedDict):
    """Dead letters of one queue: `dead stats`."""

    queue: str
    total: int
    resolved: int
    open: int


class QueueOut(TypedDict):
    """One queue: `queues ls`, `status`."""

    name: str
    ready: int
    running: int
    scheduled: int
    dead: int
    oldest_ready_at: str | None
    state: str
    """ "open", "paused" (no claims) or "closed" (no new jobs)."""
    paused_at: str | None
    paused_by: str | None
    pause_reason: str | None
    paused_until: str | None
    """Null: not paused, or until somebody resumes it."""
    closed_at: str | None
    limit: str | None
    """What it is held to: "5 at once, 50/min, 2 per worker"."""
    limit_use: str | None
    """What of that is used, in words."""
    next_start_at: str | None
    """When the next job may start, where a rate lets none start now."""
    limited_by: str | None


class ShareOut(TypedDict):
    """One tenant of a queue: `queues shares`, `queues share`."""

    queue: str
    tenant: str
    """Empty for jobs that name none."""
    weight: int
    ready: int
    oldest_ready_at: str | None


class WorkerOut(TypedDict):
    """One worker process: `workers ls`, `status`."""

    session: str
    worker: str
    host: str
    pid: int
    state: str
    """ "live", "draining", "stopping", "lapsed" (its lease ran out; its jobs wait to be given back) or "ended"."""
    queues: list[str]
    tasks: list[str]
    offers: list[str]
    slots: int
    running: int
    """Jobs that it holds now."""
    done: int
    """Since its start, as told with its last renewal (`renewed_at`) or as it ended; `failed` and `rss_bytes` too."""
    failed: int
    tier: int
    rss_bytes: int
    version: str
    started_at: str
    renewed_at: str
    turned_at: str | None
    lease_seconds: float
    ended_at: str | None
    end_cause: str | None


class LeaseOut(TypedDict):
    """One job that is held: `leases`."""

    id: str
    task: str
    queue: str
    worker: str
    session: str
    claim: int
    failed_attempts: int
    claimed_at: str
    locked_until: str
    expired: bool
    percent: float | None
    message: str | None


class ReclaimedOut(TypedDict):
    """What the end of one session gave back: `recover`."""

    session: str
    worker: str
    returned: int
    dead: int
    cancelled: int


class ProblemOut(TypedDict):
    """Something that needs a person: `status`. `next` is what to do."""

    what: str
    next: str


class ScheduleCountsOut(TypedDict):
    """Routines and schedules together: `status`. Those that are disabled do not count as paused."""

    total: int
    disabled: int
    paused: int
    waiting: int
    """Due, and waiting for what they depend on."""


class StatusOut(TypedDict):
    """How it stands: `status`. Circuit breakers are named if they are not closed."""

    url: str
    now: str
    counts: dict[str, int]
    queues: list[QueueOut]
    workers: list[WorkerOut]
    breakers: list[BreakerOut]
    schedules: ScheduleCountsOut
    problems: list[ProblemOut]


class FindingOut(TypedDict):
    """One check of `doctor`. `level` is "ok", "note", "warning" or "bad"; only "bad" makes the exit status 6."""

    check: str
    level: str
    found: str
    next: str


class ChangeOut(TypedDict):
    """What became of one thing that a command was asked to change."""

    id: str
    done: bool
    did: str
    """What was done, such as "cancelled", or "asked to cancel" of a running job, which goes on until it obeys; else empty."""
    state: str | None
    """The state in which the job was found."""
    why: str
    """Why it was not done; else empty."""
