"""What people steer through the app: jobs by filter, queues, workers, leases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol, TypedDict, Unpack
from uuid import UUID

from relet.errors import NotFound, Refused, UsageError
from relet.handles import as_uuid
from relet.job.duration import Duration, to_us
from relet.job.limits import Rule
from relet.job.moment import ends_at, to_at
from relet.job.names import queue_name
from relet.job.shares import tenant_of, weight_of
from relet.job.state import State
from relet.kept import KEPT, Kept, rule_and_kept
from relet.records import JobInfo, LeaseInfo, QueueInfo, ShareInfo, WorkerInfo
from relet.settings import Settings
from relet.steered import Steered
from relet.store.port import Store
from relet.store.rows import JobFilter, SessionRow
from relet.task import Task

AnyTask = Task[..., Any]

PAGE = 500
PURGE_AT_ONCE = 1_000

LIVE = (State.RUNNING, State.WAITING, State.SCHEDULED, State.READY)
"""In the order in which a job goes on from one to the next, so that none slips by who looks at them in this order."""


class Operator(Steered, Protocol):
    """What steering jobs and queues needs of its app."""

    @property
    def tasks(self) -> Mapping[str, AnyTask]:
        """What the app declares."""
        ...

    @property
    def settings(self) -> Settings:
        """What the app was told."""
        ...


class JobQuery(TypedDict, total=False):
    """Which jobs: all given conditions hold."""

    state: State | str
    task: AnyTask | str
    queue: str
    worker: str
    since: datetime | Duration
    """Enqueued then or later; a duration counts back from now."""
    until: datetime | Duration
    stuck: Duration
    """Running for longer than this, or held by a worker that is gone."""


class Jobs:
    """`app.jobs`: many jobs at once, by filter."""

    def __init__(self, app: Operator) -> None:
        self._app = app

    def list(self, *, limit: int = 50, before: UUID | str | None = None, **query: Unpack[JobQuery]) -> list[JobInfo]:
        """A page of jobs, newest first. `before` is the id of the last one seen."""
        with self._app.shared.use() as store:
            return [JobInfo.of(row) for row in store.insights.jobs(_job_filter(store, query, before, limit))]

    def walk(self, **query: Unpack[JobQuery]) -> Iterator[JobInfo]:
        """All of them, page by page."""
        before: UUID | None = None
        while page := self.list(limit=PAGE, before=before, **query):
            yield from page
            before = page[-1].id

    def counts(self) -> dict[State, int]:
        """Jobs per state. Counting stops at 100,000: that figure means "or more"."""
        with self._app.shared.use() as store:
            return store.insights.counts()

    def cancel(
        self,
        reason: str = "",
        *,
        grace: Duration | None = None,
        by: str = "",
        dry_run: bool = False,
        **query: Unpack[JobQuery],
    ) -> int:
        """Cancel every job that matches and has not ended; returns how many, or how many it would be.

        `grace` is as for `Job.cancel`."""
        who = self._app.who(by)
        grace_us = self._app.settings.cancel_grace_us if grace is None else to_us(grace, name="grace")
        wanted = LIVE if "state" not in query else (_state(query["state"]),)
        jobs = (job for state in wanted if not state.ended for job in self.walk(**{**query, "state": state}))
        if dry_run:
            return sum(1 for _ in jobs)
        return sum(self._cancelled(job.id, reason, who, grace_us) for job in jobs)

    def _cancelled(self, job_id: UUID, reason: str, who: str, grace_us: int) -> bool:
        with self._app.shared.use() as store:
            found = store.cancel(job_id.bytes, reason, who, grace_us)
        return found is not None and not found.ended

    def delete(self, job_id: UUID | str) -> None:
        """Remove a job that succeeded or was cancelled, with its history. Raises NotFound and Refused."""
        job_id = as_uuid(job_id)
        with self._app.shared.use() as store:
            state = store.delete_job(job_id.bytes)
        if state is None:
            raise NotFound(f"Job {job_id} is not in the store.")
        if state not in (State.SUCCEEDED, State.CANCELLED):
            advice = "Use app.dead.delete(id)." if state is State.DEAD else "Cancel it first."
            raise Refused(f"Job {job_id} is {state}, so it was not deleted. {advice}")


class Queue:
    """One queue by name; it need not have jobs."""

    def __init__(self, app: Operator, name: str) -> None:
        self._app = app
        self.name = queue_name(name)

    def pause(self, reason: str = "", *, until: datetime | Duration | None = None, by: str = "") -> None:
        """No claims from it until `resume`, or until then: a moment, a duration from now on, or an HTTP date.

        What runs goes on."""
        with self._app.shared.use() as store:
            at = None if until is None else ends_at(until, store.now(), name="until")
            store.pause_queue(self.name, self._app.who(by), reason, at)

    def resume(self) -> bool:
        """End the pause, and open it again if it was closed. False: it was neither."""
        with self._app.shared.use() as store:
            return store.resume_queue(self.name)

    def close(self, reason: str = "", *, by: str = "") -> None:
        """Drain it: new jobs are refused, what is there is worked off."""
        with self._app.shared.use() as store:
            store.close_queue(self.name, self._app.who(by), reason)

    drain = close

    def limit(
        self,
        *,
        concurrency: int | Kept | None = KEPT,
        rate: str | Kept | None = KEPT,
        per_worker: int | Kept | None = KEPT,
        by: str = "",
    ) -> None:
        """Hold it to at most so many jobs at once in all workers, so many in each of them, and so many starts in a time.

        `rate` is text: "50/min", "10/s", "500/min;20000/day". What is not given stays as it is; None takes it away. It holds
        from the next start on; what runs goes on. Raises UsageError.
        """
        rule, keep = rule_and_kept(concurrency=concurrency, rate=rate, per_worker=per_worker)
        with self._app.shared.use() as store:
            store.limit_queue(self.name, rule, self._app.who(by), keep)

    def unlimit(self, *, forget: bool = False, by: str = "") -> None:
        """End all its limits, also one that code declares. With `forget`, until code declares one again, at a worker's start."""
        with self._app.shared.use() as store:
            if forget:
                store.forget_queue_limit(self.name)
            else:
                store.limit_queue(self.name, Rule(), self._app.who(by))

    def share(self, tenant: str, weight: int, *, by: str = "") -> None:
        """How many jobs a tenant may start while one of weight 1, which all have at first, starts one: 1 to 1,000.

        `tenant` is what the task's `fair_by` makes of its calls; "" stands for jobs that name none. It holds for jobs that
        become ready from now on, also where code declares another weight. Raises UsageError.
        """
        tenant, weight = tenant_of(tenant), weight_of(weight)
        with self._app.shared.use() as store:
            store.set_weight(self.name, tenant, weight, self._app.who(by))

    def unshare(self, tenant: str) -> bool:
        """Forget the weight of a tenant: it is 1 again, until code declares another at a worker's start. False: it had none."""
        with self._app.shared.use() as store:
            return store.forget_weight(self.name, tenant_of(tenant))

    def shares(self) -> list[ShareInfo]:
        """Its tenants with their ready jobs, those with the most first; at most 500."""
        with self._app.shared.use() as store:
            return [ShareInfo.of(row) for row in store.insights.shares(self.name)]

    def purge(self, *, by: str = "") -> int:
        """Cancel all its jobs that are not running; returns how many."""
        who, count = self._app.who(by), 0
        while True:
            with self._app.shared.use() as store:
                purged = store.purge_queue(self.name, who, PURGE_AT_ONCE)
            count += purged
            if purged < PURGE_AT_ONCE:
                return count

    def status(self) -> QueueInfo:
        """Its counts and settings."""
        with self._app.shared.use() as store:
            found = {row.name: row for row in store.insights.queues()}
        return QueueInfo.of(found[self.name]) if self.name in found else QueueInfo.empty(self.name)

    def __repr__(self) -> str:
        return f"<Queue {self.name}>"


class Queues:
    """`app.queues`: `app.queues["billing"]`, or all of them by `list()`."""

    def __init__(self, app: Operator) -> None:
        self._app = app

    def __getitem__(self, name: str) -> Queue:
        """The handle of a queue, which need not have jobs. Reads nothing yet."""
        return Queue(self._app, name)

    def list(self) -> list[QueueInfo]:
        """Every queue that has jobs or is paused, closed or limited, by name."""
        with self._app.shared.use() as store:
            return [QueueInfo.of(row) for row in store.insights.queues()]

    def __iter__(self) -> Iterator[Queue]:
        return (self[info.name] for info in self.list())


class Workers:
    """`app.workers`: the registry of worker processes."""

    def __init__(self, app: Operator) -> None:
        self._app = app

    def list(self, *, ended_within: Duration = 0) -> list[WorkerInfo]:
        """Living and lapsed ones, and those that ended lately."""
        ended_within_us = to_us(ended_within, name="ended_within")
        with self._app.shared.use() as store:
            return [WorkerInfo.of(row) for row in store.insights.sessions(ended_within_us)]

    def drain(self, worker: UUID | str) -> list[UUID]:
        """Ask a worker, by id or name, to claim no more, finish what it runs, and go.

        A name may stand for several; returns the ids. Raises NotFound.
        """
        return self._ask(worker, "drain")

    def stop(self, worker: UUID | str) -> list[UUID]:
        """Ask it to go now: what it runs is given back. Raises NotFound."""
        return self._ask(worker, "stop")

    def _ask(self, worker: UUID | str, verb: str) -> list[UUID]:
        with self._app.shared.use() as store:
            live = [row for row in store.insights.sessions() if row.live and _is_meant(row, worker)]
            asked = [UUID(bytes=row.id) for row in live if store.ask_worker(row.id, verb)]
        if not asked:
            raise NotFound(f"There is no living worker {worker}. See them all with app.workers.list().")
        return asked


class Leases:
    """`app.leases`: the jobs that are held now."""

    def __init__(self, app: Operator) -> None:
        self._app = app

    def list(self, limit: int = 1000) -> list[LeaseInfo]:
        """The oldest claim first."""
        with self._app.shared.use() as store:
            return [LeaseInfo.of(row) for row in store.insights.leases(limit)]


def task_name_of(task: AnyTask | str | None) -> str | None:
    """A task or its name."""
    return task.name if isinstance(task, Task) else task


def moment_of(store: Store, when: datetime | Duration | None, name: str) -> int | None:
    """A moment, or a duration before now, as wall time."""
    if when is None:
        return None
    return to_at(when, name=name) if isinstance(when, datetime) else store.now() - to_us(when, name=name)


def _job_filter(store: Store, query: JobQuery, before: UUID | str | None, limit: int) -> JobFilter:
    state, stuck = query.get("state"), query.get("stuck")
    return JobFilter(
        state=None if state is None else _state(state),
        task=task_name_of(query.get("task")),
        queue=query.get("queue"),
        worker=query.get("worker"),
        created_after=moment_of(store, query.get("since"), "since"),
        created_before=moment_of(store, query.get("until"), "until"),
        stuck_us=None if stuck is None else to_us(stuck, name="stuck"),
        before=None if before is None else as_uuid(before).bytes,
        limit=limit,
    )


def _state(state: State | str) -> State:
    try:
        return State(state)
    except ValueError:
        raise UsageError(f"state={state!r} is not a state; use one of {', '.join(State)}.") from None


def _is_meant(row: SessionRow, worker: UUID | str) -> bool:
    return worker in ((UUID(bytes=row.id),) if isinstance(worker, UUID) else (row.worker, str(UUID(bytes=row.id))))
