"""Class style: a routine written as one class, with its options as attributes.

class CleanUp(Routine):
    every = "5m"
    timeout = "30s"

    def run(self, ctx: Context) -> int: ...

clean_up = app.routine(CleanUp)          # or @app.routine above the class, which is the task then
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeGuard, TypeVar, cast, overload
from weakref import WeakKeyDictionary

from relet.context import Context
from relet.errors import DefinitionError
from relet.job.breaker import Breaker
from relet.job.duration import Duration
from relet.job.hints import HintError, hints_of
from relet.job.nearest import nearest
from relet.job.needs import Scalar
from relet.job.priority import Priority
from relet.job.recurrence import Catchup
from relet.job.retry import Retry
from relet.job.schedule import Overlap
from relet.limit import Limit
from relet.options import Executor
from relet.routine_options import RoutineOptions
from relet.task import AsyncTask, Task

P = ParamSpec("P")
R = TypeVar("R")


class Routine:
    """Override `run`, which may be `async def`, and set the options of `@app.routine` as attributes.

    Each run has an instance of its own, which is made without arguments when the run begins; all passes of a continuous run
    have the same one. The name is that of the class with hyphens (`clean-up`), unless `name` is another.
    """

    name: ClassVar[str]
    every: ClassVar[Duration]
    cron: ClassVar[str]
    tz: ClassVar[str]
    catchup: ClassVar[Catchup]
    overlap: ClassVar[Overlap]
    jitter: ClassVar[Duration]
    continuous: ClassVar[bool]
    idle: ClassVar[Duration]
    replicas: ClassVar[int]
    standby: ClassVar[int]
    depends_on: ClassVar[Sequence[str]]
    blocks: ClassVar[Sequence[str]]
    max_consecutive_failures: ClassVar[int | None]
    enabled: ClassVar[bool]
    queue: ClassVar[str]
    priority: ClassVar[Priority]
    retry: ClassVar[Retry | int]
    timeout: ClassVar[Duration]
    deadline: ClassVar[Duration]
    limits: ClassVar[Sequence[Limit]]
    requires: ClassVar[Mapping[str, Scalar]]
    executor: ClassVar[Executor]
    memory: ClassVar[int | str]
    cpu: ClassVar[Duration]
    max_crashes: ClassVar[int]
    breaker: ClassVar[Breaker]

    def run(self, ctx: Context) -> Any:  # noqa: ARG002  for whoever overrides it
        """Do the work. What it returns is the job's result; an exception is a failed attempt."""
        raise DefinitionError(f"{type(self).__name__} does not say what to do: override run().")


class RoutineDecorator(Protocol):
    """What `app.routine(every=…)` returns: for a function, and for a class."""

    @overload
    def __call__(self, cls: type[Routine], /) -> Task[[], Any]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[Context, P], R], /) -> Task[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, R]: ...


def is_routine(given: object) -> TypeGuard[type[Routine]]:
    """Whether it is a class of this style."""
    return isinstance(given, type) and issubclass(given, Routine)


def name_of(cls: type[Routine]) -> str:
    """The name of the routine: what it says, or that of the class with hyphens."""
    said = getattr(cls, "name", None)
    return said if said is not None else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__.strip("_")).lower()


def options_in(cls: type[Routine]) -> RoutineOptions:
    """The options that a class names. Raises DefinitionError for an attribute that looks like a misspelt one."""
    known = RoutineOptions.__annotations__
    for each in cls.__mro__[: cls.__mro__.index(Routine)]:
        for attribute in vars(each):
            meant = nearest(attribute, known)
            if meant and attribute not in known and not attribute.startswith("_") and attribute not in vars(Routine):
                raise DefinitionError(
                    f"routine {name_of(cls)!r}: {attribute!r} is no option; did you mean {meant!r}? Name what is no option less "
                    "like one, or begin it with an underscore."
                )
    return cast("RoutineOptions", {name: getattr(cls, name) for name in known if hasattr(cls, name)})


def function_of(cls: type[Routine]) -> Callable[..., Any]:
    """The function that runs a class. Raises DefinitionError for one whose `run` cannot be called so."""
    hint = _result_of(cls)
    instances: WeakKeyDictionary[Context, Routine] = WeakKeyDictionary()

    def instance_of(ctx: Context) -> Routine:
        found = instances.get(ctx)
        if found is None:
            found = instances[ctx] = cls()
        return found

    def run(ctx: Context) -> Any:
        return instance_of(ctx).run(ctx)

    async def run_on_loop(ctx: Context) -> Any:
        return await instance_of(ctx).run(ctx)

    fn = run_on_loop if inspect.iscoroutinefunction(cls.run) else run
    fn.__module__, fn.__qualname__, fn.__name__, fn.__doc__ = (
        cls.__module__,
        cls.__qualname__,
        cls.__name__,
        cls.__doc__,
    )
    fn.__annotations__ = {"ctx": Context} if hint is inspect.Signature.empty else {"ctx": Context, "return": hint}
    return fn


def _result_of(cls: type[Routine]) -> Any:
    name = name_of(cls)
    if cls.run is Routine.run:
        raise DefinitionError(f"routine {name!r}: {cls.__name__} does not say what to do: override run(self, ctx).")
    try:
        signature, result = hints_of(cls.run)
    except HintError as flaw:
        raise DefinitionError(f"routine {name!r}: {flaw}.") from None
    needed = [one for one in signature.parameters.values() if one.default is inspect.Parameter.empty]
    if len(needed) != 2 or inspect.signature(cls).parameters:
        raise DefinitionError(
            f"routine {name!r}: {cls.__name__} is made without arguments, and its run takes self and ctx, nothing more."
        )
    return result
