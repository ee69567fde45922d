"""The app: one object, one URL. It knows the tasks, writes jobs, and is where everything about them is asked and steered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload
from uuid import UUID

from relet.batch import Batch, Batches
from relet.breakers import Breakers, Circuit
from relet.budgets import Budget, Budgets
from relet.clock import Clock, Ids
from relet.control import AnyTask, Jobs, Leases, Queue, Queues, Workers
from relet.costs import Costs
from relet.errors import DefinitionError, NotFound
from relet.events import silent, tee
from relet.figures import Figures
from relet.handles import Job, as_uuid
from relet.health import Health, health_of
from relet.hooks import DeadHooks, H
from relet.inbound import Hook, Received, hook_of, sender_of
from relet.job.breaker import Breaker, call_breaker, queue_breaker
from relet.job.budget import BudgetOptions, budget_name
from relet.job.budget import rule_of as rule_of_budget
from relet.job.duration import Duration
from relet.job.inbound import Style
from relet.job.limits import rule_of
from relet.job.shares import tenant_of, weight_of
from relet.job.why import explain
from relet.letters import Dead
from relet.limits import SharedLimits
from relet.options import TaskOptions, check_names
from relet.produce import Produces
from relet.records import RecoveredWorker
from relet.routine import Routine, RoutineDecorator, function_of, is_routine, name_of, options_in
from relet.routine_options import RoutineOptions, definition_of, task_options
from relet.routines import Routines
from relet.schedules import Schedules
from relet.settings import Settings
from relet.task import Call, Task
from relet.webhooks import Webhooks

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from relet.testing import Harness
    from relet.web.auth import Identify
    from relet.work.worker import Worker

R = TypeVar("R")


class App(Produces):
    """Tasks, and the store where their jobs are kept.

        app = App("sqlite:///jobs.db")                 # or postgresql://…, sqlite+stdlib:///…

    Making one does no I/O: the store is opened at the first use, in each process anew. All methods may be called from
    any thread.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        """Without a URL, the settings say where the store is ($RELET_URL, pyproject.toml, relet.toml).

        `settings` are then read at the first use. `clock` and `ids` are for tests.
        """
        super().__init__(url, settings, clock, ids)
        self.jobs = Jobs(self)
        self.batches = Batches(self)
        self.dead = Dead(self)
        self.hooks = DeadHooks(self.dead)
        self.queues = Queues(self)
        self.workers = Workers(self)
        self.leases = Leases(self)
        self.routines = Routines(self)
        self.limits = SharedLimits(self)
        self.schedules = Schedules(self)
        self.breakers = Breakers(self)
        self.webhooks = Webhooks(self)
        self.inbound_hooks: dict[str, Hook] = {}
        """What `inbound` has declared, by name."""
        self.costs = Costs(self)
        self.budgets = Budgets(self)
        self.figures = Figures(self)

    @overload
    def job(self, job_id: UUID | str, task: Task[..., R]) -> Job[R]: ...
    @overload
    def job(self, job_id: UUID | str, task: None = None) -> Job[Any]: ...
    def job(self, job_id: UUID | str, task: Task[..., Any] | None = None) -> Job[Any]:
        """The handle of a job by its id; with its task, the result is decoded by that. Reads nothing yet."""
        return Job(self, as_uuid(job_id).bytes, task)

    def batch(
        self,
        label: str = "",
        *,
        on_complete: Call[Any] | None = None,
        on_success: Call[Any] | None = None,
        on_failure: Call[Any] | None = None,
    ) -> Batch:
        """A batch to be filled: `with app.batch("import", on_success=publish.call()) as batch: batch.add(load.call(1))`.

        It is enqueued, all or nothing, at the end of the block, or by `batch.enqueue()`. Each callback runs at most once, as
        a job: `on_complete` when all jobs have ended, `on_success` when all have succeeded, `on_failure` when the first is
        dead or cancelled. One that cannot come true any more is cancelled.
        """
        calls = {"on_complete": on_complete, "on_success": on_success, "on_failure": on_failure}
        return Batch(self, self.ids.job(), label, {name: call for name, call in calls.items() if call is not None})

    def cancel(self, job_id: UUID | str, reason: str = "", *, grace: Duration | None = None, by: str = "") -> bool:
        """`Job.cancel` by id."""
        return self.job(job_id).cancel(reason, grace=grace, by=by)

    async def acancel(
        self, job_id: UUID | str, reason: str = "", *, grace: Duration | None = None, by: str = ""
    ) -> bool:
        """`cancel` from async code."""
        return await self.job(job_id).acancel(reason, grace=grace, by=by)

    def why(self, job_id: UUID | str) -> list[str]:
        """Why a job does not run now, or how it ended: sentences, the decisive one first. Raises NotFound."""
        wanted = as_uuid(job_id)
        with self.shared.use() as store:
            standing = store.insights.why(wanted.bytes)
        if standing is None:
            raise NotFound(f"Job {wanted} is not in the store.")
        task = self.tasks.get(standing.task)
        if task is not None and standing.max_attempts is None:
            standing = replace(standing, max_attempts=task.spec.retry.max)
        return explain(standing)

    def queue(
        self,
        name: str,
        *,
        concurrency: int | None = None,
        rate: str | None = None,
        per_worker: int | None = None,
        shares: Mapping[str, int] | None = None,
        breaker: Breaker | None = None,
    ) -> Queue:
        """Declare what a queue is held to, beside its tasks: `app.queue("lead", concurrency=5, rate="50/min")`; and the weights
        of tenants that share it, `shares={"gold": 3}`, where it is not 1 (see `fair_by` of tasks).

        A worker of this app writes it to the store when it starts, where it holds for all workers, unless a person has said
        something else at run time (`app.queues["lead"].limit(…)`, `relet queues limit`). `breaker`: when nothing is started
        from it for a while, because its jobs fail. Limits, shares and breaker may be said in calls of their own: what a call
        does not name stays as an earlier one said. Raises UsageError.
        """
        found = self.queues[name]
        rule = rule_of(concurrency, rate, per_worker)
        if rule.active:
            self.queue_limits_of_code[found.name] = rule
        elif shares is None and breaker is None:
            self.queue_limits_of_code.setdefault(found.name, rule)
        if shares is not None:
            self.weights_of_code[found.name] = {
                tenant_of(tenant): weight_of(weight) for tenant, weight in shares.items()
            }
        if breaker is not None:
            self.breakers_of_code[queue_breaker(found.name)] = breaker
        return found

    def breaker(self, name: str, rule: Breaker | None = None) -> Circuit:
        """A circuit breaker around calls of something that may be down, shared by all who name it so.

            with app.breaker("stripe", Breaker(failures=5, cool="1m")):     # async with, in async code
                stripe.charge(…)

        What the block raises counts as a failure. While the breaker is open, the block raises `BreakerOpen` before it begins:
        in a task that ends the run, which is made up for later, and costs no attempt. Said without a rule, it has the one that
        was said before, or `Breaker()`. Raises UsageError for a name that cannot be.
        """
        known = call_breaker(name)
        if rule is not None or known not in self.breakers_of_code:
            self.breakers_of_code[known] = rule or Breaker()
        return self.breakers[known]

    def budget(self, name: str, amount: str, **given: Unpack[BudgetOptions]) -> Budget:
        """Declare what may be spent in a window: `app.budget("claude", "20 USD/day", queue="ai")`.

        It counts what runs consume of that unit in that hour, day, week or month of UTC, of this `queue`, `task`, `model`
        ("claude*") or `tenant`, as far as these are given. The turn that writes the cost which uses it up also closes, until the
        window ends, what it `closes`: queues, by default its own, that are paused, or with `on_exceeded="reject"` refuse new
        jobs; and, of the `limit` by name and key, the line: with `per="tenant"` each tenant has an amount of its own, and its
        key is paused. What runs goes on. At `warn`, a share of the amount (0.8), the event `budget.warned` is told.

        A worker of this app writes it to the store when it starts, unless a person has said something else
        (`app.budgets["claude"].set(…)`, `relet budgets set`). Raises UsageError.
        """
        check_names("app.budget()", BudgetOptions, given)
        known = budget_name(name)
        self.budgets_of_code[known] = rule_of_budget(known, amount, **given)
        return self.budgets[known]

    @overload
    def routine(self, cls: type[Routine], /) -> Task[[], Any]: ...
    @overload
    def routine(
        self, cls: None = None, /, *, name: str | None = None, **given: Unpack[RoutineOptions]
    ) -> RoutineDecorator: ...
    def routine(
        self, cls: type[Routine] | None = None, /, *, name: str | None = None, **given: Unpack[RoutineOptions]
    ) -> Any:
        """Make a task of a function that also runs by itself: `@app.routine(every="1m", depends_on=["fetch-data"])`; or of a
        class, see `Routine`: `clean_up = app.routine(CleanUp)`.

        Its name is that of the function or class with hyphens. Each run is a job, with its lease, attempts and history. A worker
        of this app writes the definition to the store when it starts; from then on any worker makes its jobs, each due time
        once in the whole cluster. `app.routines["fetch-data"]` steers it. Raises DefinitionError.
        """
        check_names("app.routine()", RoutineOptions, given)

        def declare(fn: Callable[..., Any]) -> Task[..., Any]:
            return self._routine(fn, name, given)

        return declare if cls is None else declare(cls)

    def _routine(self, fn: Callable[..., Any], name: str | None, given: RoutineOptions) -> Task[..., Any]:
        if is_routine(fn):
            said = options_in(fn)
            said.update(given)
            return self._routine(function_of(fn), name or name_of(fn), said)
        task = self._declare(fn, None, task_options(given))
        definition = definition_of(task, name, given)
        before = self.schedules_of_code.get(definition.name)
        if before is not None and before.task != task.name:
            raise DefinitionError(
                f"There are two routines named {definition.name!r}: {before.task} and {task.name}. "
                "Give one of them another name: @app.routine(name='…')."
            )
        self.schedules_of_code[definition.name] = definition
        return task

    def inbound(
        self,
        name: str,
        *,
        secret: str | Sequence[str],
        style: Style = "standard",
        header: str | None = None,
        **given: Unpack[TaskOptions],
    ) -> Callable[[Callable[..., R]], Task[[Received], R]]:
        """Make a task of a function that is called with each event that `POST /hooks/NAME` of the web server receives:

            @app.inbound("stripe", secret=os.environ["STRIPE_SECRET"], queue="billing")
            def paid(event: Received) -> None: ...

        One event makes one job, however often it is sent. `secret` is what the sender signs with; several are all good, while one
        replaces the other. `style`: "standard" (Standard Webhooks 1.0), "github" (`X-Hub-Signature-256`), or "plain"
        (HMAC-SHA256 of the body in `header`, X-Signature unless said). Raises DefinitionError.
        """
        check_names("app.inbound()", TaskOptions, given)
        sender = sender_of(name, secret, style, header)
        if sender.name in self.inbound_hooks:
            raise DefinitionError(f"There are two hooks named {sender.name!r}. Give one of them another name.")

        def declare(fn: Callable[..., R]) -> Task[[Received], R]:
            hook = self.inbound_hooks[sender.name] = hook_of(self._declare(fn, None, given), sender)
            return hook.task

        return declare

    def health(self) -> Health:
        """How healthy queues and workers are, and for how much of the time all was: judged by the workers, as the settings
        `health_…` say."""
        with self.shared.use() as store:
            return health_of(store, self.settings.health_rules)

    def recover(self) -> list[RecoveredWorker]:
        """End every worker whose lease has lapsed, and give back what it held. Workers do that by themselves, too."""
        with self.shared.use() as store:
            return [RecoveredWorker.of(row) for row in store.reclaim_expired("recovered by hand")]

    def on_dead(self, task: AnyTask | str | None = None) -> Callable[[H], H]:
        """Call the decorated function with the `DeadJob` when a job of this task, or of any, has died: for alerts.

        It is called in the process of the worker that ran the job last, in a thread beside the work, once the dead letter
        is written. At most once: a worker that is killed at that moment calls nothing, nor does anybody for a job that died
        with its worker. What it raises is logged. What must not be missed asks `app.dead.list()`.
        """
        return lambda hook: self.hooks.add(task, hook)

    def worker(self, **given: Any) -> Worker:
        """A worker of this app in this process: `with app.worker():` or `async with app.worker():`. See `Worker`."""
        from relet.work.worker import Worker

        emit = tee(given.pop("emit", silent), self.hooks)
        return Worker(self, self.settings, emit=emit, **given)

    def run(self, **given: Any) -> None:
        """Work until the process is told to stop. See `Worker`."""
        self.worker(**given).run()

    def dashboard(
        self, *, identify: Identify | None = None, open_to_all: bool = False, hosts: Collection[str] = ()
    ) -> ASGIApp:
        """The dashboard and the HTTP API as an ASGI application, to be mounted in another one under any path:

            site.mount("/jobs", app.dashboard())            # Starlette, FastAPI

        Whoever comes has to sign in with a token (`relet tokens add NAME`), unless `identify` says who makes a request: a
        function, async or not, that is given Starlette's `Request` and returns a `relet.web.visitor.Visitor`, or None.
        `open_to_all` asks nobody; then say under which names (`hosts`) the server is asked, or any page of any site could use it
        from your browser. Needs the extra `relet[web]`.
        """
        from relet.web.site import make_site

        return make_site(self, open_to_all=open_to_all, identify=identify, hosts=hosts).asgi

    def inline(self) -> AbstractContextManager[Harness]:
        """For tests: within this block a job runs to its end as soon as it is enqueued. See `relet.testing.inline`."""
        from relet.testing import inline

        return inline(self)

    def __repr__(self) -> str:
        return f"<App of {len(self.tasks)} tasks>"
