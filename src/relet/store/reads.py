"""The read-only side of the port: what people and pages see."""

from __future__ import annotations

from typing import Any, Protocol

from relet.job.budget import Use
from relet.job.state import State
from relet.job.why import Standing
from relet.job.why_schedule import ScheduleStanding
from relet.store.cost_rows import BudgetRow, CostFilter, CostRow, UseRow
from relet.store.measures import Measured
from relet.store.records import LogLine, Usage
from relet.store.rows import (
    AttemptRow,
    BatchRow,
    BreakerRow,
    DeadFilter,
    DeadRow,
    EdgeRow,
    FiringRow,
    Found,
    GateRow,
    JobFilter,
    JobRow,
    LeaseRow,
    LimitRow,
    ParentRow,
    QueueRow,
    ScheduleCounts,
    ScheduleRow,
    SessionRow,
    ShareRow,
)
from relet.store.telling import ReadsTelling


class Insights(Measured, ReadsTelling, Protocol):
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

    def usage(self, job_id: bytes, after: tuple[int, int] = (0, -1)) -> list[Usage]:
        """What it consumed, over all attempts, behind (epoch, n); at most 10,000 entries."""
        ...

    def spent(self, wanted: CostFilter) -> list[CostRow]:
        """Sums of what was consumed, by time and name."""
        ...

    def budgets(self) -> list[BudgetRow]:
        """All budgets, by name."""
        ...

    def budget_use(self, budget: str, key: str) -> Use | None:
        """What was used of one in the window that was spent in last, by one key."""
        ...

    def budget_uses(self, budget: str, after: str | None = None, limit: int = 50) -> list[UseRow]:
        """What was used of one in the window that was spent in last: a page of its keys, behind `after`."""
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

    def limits(self, cap: int = 10_000) -> list[LimitRow]:
        """The limits by name and key. Counts stop at `cap`."""
        ...

    def limit_keys(self, name: str, after: str | None = None, limit: int = 50) -> list[GateRow]:
        """A page of the keys of one, behind `after`."""
        ...

    def shares(self, queue: str, cap: int = 100_000) -> list[ShareRow]:
        """The tenants of a queue, those with the most ready jobs first; at most 500."""
        ...

    def dead_letter(self, job_id: bytes) -> DeadRow | None:
        """One dead letter, resolved or not."""
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

    def failures(self, task: str = "", queue: str = "", cap: int = 10_000) -> list[tuple[bytes, str, str, int]]:
        """(job, task, begin of its error, when it failed) of the newest unresolved dead letters, newest first: what causes are
        made of, see `relet.job.cause`. At most `cap` are looked at."""
        ...

    def window(self, before: bytes | None, count: int) -> bytes | None:
        """The id of the job that is `count` behind this one (None: behind the newest), by an index.

        None: there are not so many."""
        ...

    def search(self, text: str, before: bytes | None = None, window: int = 1_000) -> Found:
        """Jobs with this in their task, arguments or errors (not case-sensitive in ASCII), among the next `window` jobs, the
        newest first."""
        ...

    def queues(self, cap: int = 100_000) -> list[QueueRow]:
        """Every queue that has jobs or is paused, closed or limited, by name. Its dead are the unresolved ones."""
        ...

    def counts(self, cap: int = 100_000) -> dict[State, int]:
        """Jobs per state, each counted up to `cap`; succeeded and cancelled ones among the newest `cap` that ended."""
        ...

    def schedules(self, kind: str = "") -> list[ScheduleRow]:
        """All schedules, or those of one kind, by name."""
        ...

    def schedule(self, schedule: str) -> ScheduleRow | None:
        """One of them."""
        ...

    def schedule_counts(self, broken: int = 10) -> ScheduleCounts:
        """How many there are, and at most so many of those that failures have disabled."""
        ...

    def firings(self, schedule: str, before: int | None = None, limit: int = 50) -> list[FiringRow]:
        """What became of its due times before this one, the newest first."""
        ...

    def breakers(self) -> list[BreakerRow]:
        """All circuit breakers, by name."""
        ...

    def breaker(self, breaker: str) -> BreakerRow | None:
        """One of them."""
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

    def why_schedule(self, schedule: str) -> ScheduleStanding | None:
        """The same of a schedule, for `relet.job.why_schedule.explain_schedule`; None: there is none of this name."""
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
