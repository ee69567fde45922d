"""Declaring tasks: `@app.task`, with or without options, typed so that a caller sees the function's own parameters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, Unpack, cast, overload

from relet.context import Context
from relet.errors import DefinitionError
from relet.job.breaker import Breaker, task_breaker
from relet.job.budget import Rule as Budget
from relet.job.codec import MAX_BYTES, Codec
from relet.job.hints import HintError, hints_of
from relet.job.limits import Rule
from relet.job.names import task_name
from relet.job.schedule import Schedule
from relet.options import TaskOptions, check_names, spec_of
from relet.prices import Prices
from relet.task import AsyncTask, Producer, Task
from relet.tracing import Tracing

P = ParamSpec("P")
R = TypeVar("R")


class TaskDecorator(Protocol):
    """What `app.task(queue=…)` returns."""

    @overload
    def __call__(self, fn: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[Context, P], R], /) -> Task[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, R]: ...


class Declares(Producer):
    """The tasks of an app, by name."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task[..., Any]] = {}
        self.queue_limits_of_code: dict[str, Rule] = {}
        """What queues are held to, as far as code says it. See `App.queue`."""
        self.limits_of_code: dict[str, Rule] = {}
        """What limits by name and key are held to: workers of this app write them to the store when they start."""
        self.weights_of_code: dict[str, Mapping[str, int]] = {}
        """Of tenants, by the queues that they share."""
        self.breakers_of_code: dict[str, Breaker] = {}
        """Circuit breakers, by name: workers of this app write their rules to the store when they start."""
        self.budgets_of_code: dict[str, Budget] = {}
        """Budgets, by name: workers of this app write them to the store when they start."""
        self.schedules_of_code: dict[str, Schedule] = {}
        """Routines, by name: workers of this app write them to the store when they start."""
        self.prices = Prices()
        self.tracing: Tracing | None = None
        """Told of what is enqueued, and put around what runs."""
        """What models cost, for `ctx.llm`."""
        self.max_payload_bytes = MAX_BYTES

    @overload
    def task(self, fn: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def task(self, fn: Callable[Concatenate[Context, P], R], /) -> Task[P, R]: ...
    @overload
    def task(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def task(self, fn: Callable[P, R], /) -> Task[P, R]: ...
    @overload
    def task(self, fn: None = None, /, *, name: str | None = None, **given: Unpack[TaskOptions]) -> TaskDecorator: ...
    def task(
        self, fn: Callable[..., Any] | None = None, /, *, name: str | None = None, **given: Unpack[TaskOptions]
    ) -> Any:
        """Make a task of a function: `@app.task`, or `@app.task(queue="billing", timeout="2m")`.

        A first parameter annotated as `Context` is filled in by the worker. Everything is checked now: raises
        DefinitionError for options and hints that cannot be, and TypeError for an option that does not exist.
        """
        check_names("app.task()", TaskOptions, given)

        def declare(fn: Callable[..., Any]) -> Task[..., Any]:
            return self._declare(fn, name, given)

        return declare if fn is None else declare(fn)

    def _declare(self, fn: Callable[..., Any], name: str | None, given: TaskOptions) -> Task[..., Any]:
        if isinstance(fn, Task):
            raise DefinitionError(f"{cast('Task[..., Any]', fn)!r} is a task already.")
        known = task_name(name if name is not None else import_path(fn))
        _check_function(known, fn)
        takes_context = _takes_context(known, fn)
        codec = Codec.for_function(fn, skip_first=takes_context, task=known, max_bytes=self.max_payload_bytes)
        spec = spec_of(known, codec.signature, given)
        kind = AsyncTask[..., Any] if inspect.iscoroutinefunction(fn) else Task[..., Any]
        task = kind(self, fn, known, spec, codec, takes_context)
        limits = self._limits_of(task)
        self._register(task)
        self.limits_of_code |= limits
        return task

    def _limits_of(self, task: Task[..., Any]) -> dict[str, Rule]:
        found = {asked.limit.name: asked.limit.rule for asked in task.spec.limits}
        others = [each for other in self.tasks.values() if other.name != task.name for each in other.spec.limits]
        for before in (asked.limit for asked in others):
            rule = found.get(before.name, before.rule)
            if before.rule != rule:
                raise DefinitionError(
                    f"task {task.name!r}: limit {before.name!r} is {rule} here, and "
                    f"{before.rule} for another task. "
                    "One limit has one rule: make one Limit, and give it to both."
                )
        return found

    def _register(self, task: Task[..., Any]) -> None:
        before = self.tasks.get(task.name)
        if before is not None and not _is_reloaded(before.fn, task.fn):
            raise DefinitionError(
                f"There are two tasks named {task.name!r}: {_place(before.fn)} and {_place(task.fn)}. "
                "Give one of them another name: @app.task(name='…')."
            )
        self.tasks[task.name] = task
        if task.spec.breaker is not None:
            self.breakers_of_code[task_breaker(task.name)] = task.spec.breaker


def import_path(fn: Callable[..., Any]) -> str:
    """The name of a task by default: where its function can be imported from. Raises DefinitionError."""
    module, qualname = getattr(fn, "__module__", None), getattr(fn, "__qualname__", None)
    if not module or not qualname:
        raise DefinitionError(f"{fn!r} has no import path to be named by. Give one: @app.task(name='…').")
    return f"{_main_module() if module in _MAIN else module}.{qualname}"


_MAIN = ("__main__", "__mp_main__")
"""How a program's own file is called in its process, and in a child process that runs it again."""


def _main_module() -> str:
    """What the program's own file is called when somebody else imports it."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else "__main__"


def _check_function(name: str, fn: object) -> None:
    if not callable(fn):
        raise DefinitionError(f"task {name!r}: {fn!r} is not a function.")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise DefinitionError(f"task {name!r}: a generator is not run to its end by a call; return a value instead.")


def _takes_context(name: str, fn: Callable[..., Any]) -> bool:
    """Whether the first parameter is annotated as the Context. Raises DefinitionError if another one is."""
    try:
        signature, _ = hints_of(fn)
    except HintError as flaw:
        raise DefinitionError(f"task {name!r}: {flaw}.") from None
    contexts = [n for n, p in enumerate(signature.parameters.values()) if _is_context(p.annotation)]
    if contexts and contexts != [0]:
        raise DefinitionError(f"task {name!r}: Context must be its first parameter, and only that.")
    return bool(contexts)


def _is_context(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Context)


def _is_reloaded(before: Any, now: Any) -> bool:
    """The same function of the same module, defined again: a reload, or a cell of a notebook run twice."""
    same = (before.__module__, before.__qualname__) == (now.__module__, now.__qualname__)
    return same and "<" not in now.__qualname__


def _place(fn: Any) -> str:
    code = getattr(fn, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(fn, '__module__', '?')}.{getattr(fn, '__qualname__', '?')}{where}"
