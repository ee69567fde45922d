"""A task: a plain function that can also be enqueued.

@app.task(queue="billing", unique="order:{order_id}")
async def charge(ctx: Context, order_id: int) -> Receipt: ...

charge.enqueue(7)                              # Job[Receipt]
charge.options(delay="5m").enqueue(7)          # the same task with options, of the same type
charge.call(7)                                 # Call[Receipt]: for app.enqueue_many
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, Protocol, Self, TypeVar, Unpack

from relet.context import Context
from relet.errors import UsageError
from relet.facts import ParentResult
from relet.handles import Job
from relet.job.breaker import Breaker, queue_breaker, task_breaker
from relet.job.codec import Codec
from relet.job.job import After, Need, NewJob, Options
from relet.job.keys import KeyTemplate
from relet.limit import AskedLimit
from relet.options import CallOptions, CallSpec, Parent, TaskSpec, call_spec, check_names, parent_id
from relet.prices import Prices
from relet.tracing import Tracing
from relet.trial import Trial

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


Arguments = Callable[[], Mapping[str, Any]]


class Call(Generic[R_co]):
    """One call of a task, not yet enqueued. The arguments are checked and encoded when it is."""

    __slots__ = ("args", "kwargs", "parents", "task")

    def __init__(self, task: Task[..., R_co], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.parents: tuple[Call[Any] | bytes, ...] = ()
        """What it comes after: calls of the same enqueue_many, and ids of jobs and batches that are there."""

    def after(self, *parents: Call[Any] | Parent) -> Self:
        """Let this call run after these: calls that are enqueued together with it, jobs, batches. Returns this call.

            a, b = fetch.call(1), fetch.call(2)
            app.enqueue_many([a, b, merge.call().after(a, b)])

        What happens when one of them does not succeed, say by `task.options(on_dep_failure=…)`.
        """
        self.parents += tuple(parent if isinstance(parent, Call) else parent_id(parent) for parent in parents)
        return self

    def __repr__(self) -> str:
        return f"<Call of {self.task.name}>"


class Producer(Protocol):
    """What a task needs of its app."""

    breakers_of_code: dict[str, Breaker]
    """The circuit breakers that its code declares, by name."""
    prices: Prices
    tracing: Tracing | None
    """What models cost."""

    def submit(self, call: Call[R]) -> Job[R]:
        """Enqueue one call."""
        ...

    async def asubmit(self, call: Call[R]) -> Job[R]:
        """The same from async code."""
        ...

    def try_out(self, call: Call[R]) -> Trial[R]:
        """Run one call here and now, without a store."""
        ...

    def enqueue_many(self, calls: Iterable[Call[R]], *, tx: object | None = None) -> list[Job[R]]:
        """Enqueue all calls or none."""
        ...

    async def aenqueue_many(self, calls: Iterable[Call[R]], *, tx: object | None = None) -> list[Job[R]]:
        """The same from async code."""
        ...

    def left_by_parents(self, job_id: bytes) -> list[ParentResult]:
        """What the parents of a job returned."""
        ...

    def keep_at(self, url: str) -> None:
        """Its jobs are kept there."""
        ...

    def context_of(self, task: str) -> Context:
        """The context for a direct call of a task's function."""
        ...


class Task(Generic[P, R]):
    """A function with a name, a policy and a codec. Calling it calls the function, here and now.

    `P` are the parameters that a caller gives: a leading `Context` is left out of them, the worker fills it in.
    """

    def __init__(
        self,
        app: Producer,
        fn: Callable[..., Any],
        name: str,
        spec: TaskSpec,
        codec: Codec,
        takes_context: bool = False,
    ) -> None:
        self.app = app
        self.fn = fn
        self.name = name
        self.spec = spec
        self.codec = codec
        self.is_async = inspect.iscoroutinefunction(fn)
        self.takes_context = takes_context
        self._said = CallSpec()
        functools.update_wrapper(self, fn)

    @property
    def prices(self) -> Prices:
        """What models cost, as its app says."""
        return self.app.prices

    @property
    def tracing(self) -> Tracing | None:
        """What traces the jobs of its app."""
        return self.app.tracing

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, here and now, without a job.

        One that takes a `Context` is given the running task's own, or outside of one a context that leads nowhere; it may
        also be given one by the caller.
        """
        return self.fn(*self._with_context(args), **kwargs)

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Bind arguments, for `app.enqueue_many`."""
        return Call(self, args, kwargs)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Write a job and return its handle. When this returns, the job outlives any crash.

        Raises PayloadError (an argument that does not fit), UniqueConflict, Refused (a closed queue) and StoreError.
        """
        return self.app.submit(Call(self, args, kwargs))

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """`enqueue` from async code. Cancelled while it waits, the job may be written or not."""
        return await self.app.asubmit(Call(self, args, kwargs))

    def options(self, **given: Unpack[CallOptions]) -> Self:
        """This task with options for the calls that are made of it. Checked here; raises UsageError."""
        check_names(f"{self.name}.options()", CallOptions, given)
        task = copy.copy(self)
        task._said = call_spec(self._said, self.name, self.codec.signature, given)
        if task._said.on_conflict is not None and key_template(self.spec, task._said) is None:
            raise UsageError(
                f"task {self.name!r}: on_conflict and debounce say what to do about a taken key, and there is none; "
                "give unique='…' too."
            )
        return task

    def run_now(self, *args: P.args, **kwargs: P.kwargs) -> Trial[R]:
        """For unit tests: run the function here, through the codec, with a context that keeps what it was told.

        What the function raises comes out of here. Nothing is stored or retried.
        """
        return self.app.try_out(Call(self, args, kwargs))

    def spares(self, queue: str, error: BaseException) -> tuple[str, ...]:
        """The circuit breakers, of this task and of the queue, that do not count this error."""
        declared = self.app.breakers_of_code
        names = (task_breaker(self.name), queue_breaker(queue))
        return tuple([name for name in names if name in declared and not declared[name].counts(error)])

    def left_by_parents(self, job_id: bytes) -> list[ParentResult]:
        """What the parents of a job of this task returned: what `ctx.parents` is."""
        return self.app.left_by_parents(job_id)

    def keep_at(self, url: str) -> None:
        """In a child process: its worker keeps jobs there, whatever the settings of the app say."""
        self.app.keep_at(url)

    def bonds(self, parents: Iterable[bytes]) -> tuple[After, ...]:
        """What a call comes after: what its options say, and these."""
        return bonds((*self._said.after, *parents), self._said)

    @property
    def tx(self) -> object | None:
        """The caller's connection, if one was given by `options(tx=…)`."""
        return self._said.tx

    def new_job(self, job_id: bytes, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> NewJob:
        """The job of one call. Pure. Raises PayloadError and UsageError."""
        return self.job_of(job_id, self.codec.encode_args(args, kwargs), lambda: self._arguments(args, kwargs))

    def job_of(self, job_id: bytes, encoded: str, arguments: Callable[[], Mapping[str, Any]]) -> NewJob:
        """The job of encoded arguments; `arguments` gives them by name, if the key needs them."""
        return job_of(job_id, self.name, self.spec, self._said, encoded, arguments)

    def _with_context(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self.takes_context or (args and isinstance(args[0], Context)):
            return args
        return (self.app.context_of(self.name), *args)

    def _arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.codec.signature.bind(*args, **kwargs).arguments

    def __repr__(self) -> str:
        return f"<Task {self.name}>"


class AsyncTask(Task[P, R]):
    """A task whose function is `async def`: calling it gives a coroutine; everything else is the same."""

    def __call__(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  R is what is awaited
        self, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Call the function itself: a coroutine to await."""
        return self.fn(*self._with_context(args), **kwargs)


def _rendered(
    options: Options,
    key: KeyTemplate | None,
    tenant: KeyTemplate | None,
    limits: Sequence[AskedLimit],
    arguments: Mapping[str, Any],
) -> Options:
    return Options(
        options.timeout_us,
        options.expires_us,
        options.deadline_us,
        options.max_attempts,
        options.max_crashes,
        None if key is None else key.render(arguments),
        options.tags,
        fair=None if tenant is None else tenant.render(arguments),
        notify=options.notify,
        gates=tuple([limit.gate(arguments) for limit in limits]),
    )


def key_template(spec: TaskSpec, said: CallSpec) -> KeyTemplate | None:
    """The template of a call's unique key."""
    return spec.unique if said.unique is None else said.unique or None


def tenant_template(spec: TaskSpec, said: CallSpec) -> KeyTemplate | None:
    """The template of the tenant whose share a call takes."""
    return spec.fair_by if said.fair_by is None else said.fair_by or None


def job_of(
    job_id: bytes,
    name: str,
    spec: TaskSpec,
    said: CallSpec,
    encoded: str,
    arguments: Arguments,
) -> NewJob:
    """What a task and a call say, as one job; `arguments` gives the arguments by name, if the key, the tenant or the limits need
    them."""
    key, tenant = key_template(spec, said), tenant_template(spec, said)
    plain = key is None and tenant is None and not spec.limits
    return NewJob(
        job_id,
        name,
        spec.queue if said.queue is None else said.queue,
        spec.priority if said.priority is None else said.priority,
        encoded,
        said.travels if plain else _rendered(said.travels, key, tenant, spec.limits, arguments()),
        spec.needs if said.needs is None else said.needs,
        said.delay_us,
        said.run_at,
        spec.on_conflict if said.on_conflict is None else said.on_conflict,
        spec.debounce_us if said.debounce_us is None else said.debounce_us,
        None,
        bonds(said.after, said) if said.after else (),
    )


def bonds(parents: Iterable[bytes], said: CallSpec) -> tuple[After, ...]:
    """Edges to these, with what is to happen when one does not succeed."""
    need = Need.END if said.on_dep_failure == "run" else Need.SUCCESS
    return tuple(After(parent, need, said.on_dep_failure == "hold") for parent in parents)
