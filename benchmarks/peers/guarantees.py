"""What each side promises, as its own documentation or its code at the measured version says."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.peers.sides import Side

QUESTIONS = (
    "a running job is held by",
    "after `kill -9` of its worker",
    "a late settle is refused",
    "unique keys",
    "the result is kept",
    "enqueue in your transaction",
    "effects commit with the settle",
)


@dataclass(frozen=True)
class Guarantees:
    """One answer to each of the questions, and the places where they were checked."""

    answers: tuple[str, ...]
    checked: tuple[str, ...]


RELET = Guarantees(
    (
        "one lease of its worker process (90 s), renewed by a thread of its own",
        "runs again: on the same host by a lock that the kernel drops, on another when the lease lapses (90 s)",
        "yes: every write names session and epoch",
        "yes: one live job per key; existing, replace, raise, debounce",
        "yes",
        "yes",
        "yes: `ctx.transaction()`",
    ),
    ("docs/guarantees.md", "docs/explanation/leases.md", "the tests of this repository"),
)

GUARANTEES = {
    "relet-postgresql": RELET,
    "relet-sqlite": RELET,
    "pgqueuer": Guarantees(
        (
            "a heartbeat per job (30 s), sent from the worker's event loop",
            "runs again after 30 s without a heartbeat",
            "no: a settle names the job only",
            "yes: `dedupe_key` among queued and picked; raise, skip, update the priority",
            "no: the log keeps how it ended",
            "yes",
            "no",
        ),
        (
            "docs/adr/ADR-0004 (at least once, no fencing tokens)",
            "docs/guides/heartbeat.md",
            "docs/guides/reliability.md",
            "README (transactions)",
            "pgqueuer/core/qm.py (`heartbeat_timeout`)",
            "pgqueuer/adapters/persistence/qb.py (`build_log_job_query`)",
        ),
    ),
    "procrastinate": Guarantees(
        (
            "a heartbeat of its worker (10 s), sent from the worker's event loop",
            "stays `doing` until you retry it; the documentation gives a periodic task for that (every 10 minutes)",
            "no: a settle names the job and accepts `todo` and `doing`",
            "yes: `queueing_lock`, one waiting job; raises",
            "no: the row keeps how it ended",
            "yes",
            "no",
        ),
        (
            "docs/howto/production/retry_stalled_jobs.md",
            "docs/howto/advanced/queueing_locks.md",
            "docs/howto/production/external_connection.md",
            "procrastinate/sql/schema.sql (`procrastinate_finish_job_v1`)",
        ),
    ),
    "graphile-worker": Guarantees(
        (
            "a lock for 4 hours",
            "runs again after 4 hours (sooner with the paid Pro plugin)",
            "no: a completion names the job only",
            "yes: `job_key`; replace, preserve_run_at, unsafe_dedupe",
            "no: a completed job is deleted",
            "yes: `graphile_worker.add_job()` in SQL",
            "no",
        ),
        (
            "docs/error-handling (instantaneous exit)",
            "docs/performance (local queue)",
            "docs/job-key",
            "dist/sql/completeJobs.js",
        ),
    ),
    "pg-boss": Guarantees(
        (
            "a time limit (15 minutes); heartbeats where `heartbeatSeconds` is set (10 s or more)",
            "retried when the limit has passed, looked for every minute; it costs one of its retries",
            "yes in `work()`: the settle names the attempt",
            "yes: queue policies with `singletonKey`, throttling, debouncing",
            "yes: `output`",
            "yes: `db`",
            "yes: `transactional`",
        ),
        (
            "docs/api/queues (expiration, policies)",
            "docs/api/jobs (`db`, `singletonKey`)",
            "dist/types.d.ts (`heartbeatSeconds`, `transactional`)",
            "dist/plans.js (`attemptFence`)",
        ),
    ),
    "huey": Guarantees(
        (
            "nothing: a job leaves the queue when it is taken",
            "lost",
            "there is nothing to refuse",
            "no",
            "yes, unless it is None",
            "no",
            "no",
        ),
        (
            "docs/deployment (a task interrupted by SIGKILL is lost)",
            "docs/guide (results)",
            "huey/storage.py (`dequeue`)",
        ),
    ),
}


def of(side: Side) -> Guarantees:
    """What this side promises."""
    return GUARANTEES[side.name]
