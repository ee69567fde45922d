"""Class style: a worker for one kind of job, written as one class.

    class Orders(ProcessingWorker):
        def process_job(self, job: ProcessingJob) -> str:
            job.update_progress(50, "halfway")
            return burn(job.data["order_id"])

    worker = Orders(app, worker_id="orders-1", lease="5m")
    worker.enqueue(order_id=456)
    worker.start()

It runs on the machinery of every worker: leases, retries, recovery and dead letters are the same.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from relet.clock import SECOND
from relet.context import Context
from relet.declare import import_path
from relet.errors import DefinitionError, UsageError
from relet.job.breaker import Breaker
from relet.job.budget import Rule as Budget
from relet.job.duration import Duration, to_us
from relet.job.limits import Rule
from relet.job.schedule import Schedule
from relet.work.worker import Worker, WorkerStatus

if TYPE_CHECKING:
    from relet.app import App
    from relet.handles import Job
    from relet.store.port import Store
    from relet.task import Task


class ProcessingJob:
    """The job that `process_job` gets."""

    def __init__(self, context: Context, data: dict[str, Any]) -> None:
        self.context = context
        self.data = data
        """What it was enqueued with."""

    @property
    def id(self) -> UUID:
        """The job's id."""
        return self.context.job_id

    @property
    def attempts(self) -> int:
        """Which attempt this is: 1 for the first."""
        return self.context.attempt

    def update_progress(self, percent: float, message: str = "") -> None:
        """How far the job is: 0 to 100, and a word about it."""
        self.context.progress(percent, message)


END_S = 30.0
"""How long the end may take after what runs has finished or was given back."""


class ProcessingWorker:
    """Override `process_job`. What it returns is the job's result; an exception is a failed attempt, and it is tried again.

    `process_job` may be `async def`. Set `queue` or `job_name` in the class for another queue, or a name that outlives a
    move of the class.
    """

    queue = "default"
    job_name = ""
    """Name of the task; by default the import path of the class."""

    def __init__(
        self,
        app: App,
        *,
        worker_id: str | None = None,
        lease: Duration = "5m",
        poll: Duration = "5s",
        max_concurrent_jobs: int = 1,
        extension_threshold_percent: int = 50,
        **given: Any,
    ) -> None:
        """`given` are further settings of the worker. The lease is renewed when so much of it has passed, and never later than
        after a third of it. Raises SettingsError and DefinitionError."""
        if not 1 <= extension_threshold_percent <= 100:
            raise DefinitionError("extension_threshold_percent: it is not from 1 to 100.")
        lease_us = to_us(lease, name="lease")
        heartbeat_us = min(lease_us * extension_threshold_percent // 100, lease_us // 3)
        poll_us = min(to_us(poll, name="poll"), lease_us // 4)
        self._task = _task_of(app, self)
        self._worker = Worker(
            _Only(app, self._task),
            app.settings,
            worker=worker_id,
            lease=lease_us / 1e6,
            heartbeat=heartbeat_us / 1e6,
            poll=poll_us / 1e6,
            slots=max_concurrent_jobs,
            queues={self.queue: 1},
            **given,
        )

    def process_job(self, job: ProcessingJob) -> Any:  # noqa: ARG002  for whoever overrides it
        """Do the work."""
        raise DefinitionError(f"{type(self).__name__} does not say how to process a job: override process_job().")

    def enqueue(self, **data: Any) -> Job[Any]:
        """Write a job for workers of this class."""
        return self._task.enqueue(data)

    def start(self) -> None:
        """Begin to work. Jobs of workers that died are taken up again."""
        self._worker.start()

    def stop(self, timeout: Duration = "30s") -> bool:
        """Claim nothing more, let what runs finish for so long, give back the rest. True: the worker has ended."""
        self._worker.drain(timeout)
        return self._worker.wait(to_us(timeout, name="timeout") / SECOND + END_S)

    def status(self) -> WorkerStatus:
        """How it is doing."""
        return self._worker.status()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Only:
    """An app of which a worker sees one task."""

    def __init__(self, app: App, task: Task[..., Any]) -> None:
        self._app = app
        self.queue_limits_of_code: Mapping[str, Rule] = app.queue_limits_of_code
        self.limits_of_code: Mapping[str, Rule] = app.limits_of_code
        self.weights_of_code: Mapping[str, Mapping[str, int]] = app.weights_of_code
        self.budgets_of_code: Mapping[str, Budget] = app.budgets_of_code
        self.schedules_of_code: Mapping[str, Schedule] = {}
        self.breakers_of_code: Mapping[str, Breaker] = app.breakers_of_code
        self.tasks: Mapping[str, Task[..., Any]] = {task.name: task}

    def open_store(self) -> Store:
        return self._app.open_store()


def _task_of(app: App, worker: ProcessingWorker) -> Task[..., Any]:
    """The task of this class, bound to this worker. It is not among the app's: only workers of the class can run it."""
    kind = type(worker)
    name = kind.job_name or import_path(kind)
    task = copy.copy(app.task(name=name, queue=kind.queue)(_stand_in))
    del app.tasks[name]
    if inspect.iscoroutinefunction(worker.process_job):

        async def run_async(ctx: Context, data: dict[str, Any]) -> Any:
            return await worker.process_job(ProcessingJob(ctx, data))

        task.fn, task.is_async = run_async, True
    else:

        def run(ctx: Context, data: dict[str, Any]) -> Any:
            return worker.process_job(ProcessingJob(ctx, data))

        task.fn = run
    return task


def _stand_in(ctx: Context, data: dict[str, Any]) -> Any:  # noqa: ARG001  its signature is what counts
    raise UsageError("This task is run by a worker of its class.")
