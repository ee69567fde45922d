"""What `@app.routine` takes, and the definition that it makes: checked when the routine is declared."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, cast

from relet.continuous import idle_us
from relet.errors import DefinitionError, UsageError
from relet.job.breaker import Breaker
from relet.job.duration import Duration
from relet.job.names import task_name
from relet.job.needs import Scalar
from relet.job.priority import Priority
from relet.job.recurrence import Catchup, Recurrence
from relet.job.retry import Retry
from relet.job.schedule import Kind, Mode, Overlap, Schedule
from relet.limit import Limit
from relet.options import Executor, TaskOptions, check_names
from relet.task import Task

MAX_FAILURES = 5
"""Dead runs in a row after which a routine is disabled, unless it says otherwise."""


class RoutineOptions(TypedDict, total=False):
    """When a routine runs, and how. Without `every`, `cron` and `continuous`: only when it is triggered."""

    every: Duration
    """So much time between the due times. The first one is when the routine is first declared."""
    cron: str
    """A cron expression of five fields, in the zone `tz`."""
    tz: str
    catchup: Catchup
    """Due times that nobody was there for: "skip", "latest" (the default), or the latest n."""
    overlap: Overlap
    """A due time while the run before has not ended: "skip" (the default), "queue" behind it, or "allow"."""
    jitter: Duration
    """A run starts up to so much later, the same for each due time on every host."""
    continuous: bool
    """It runs all the time: whoever holds it calls it again and again; when that worker goes or dies, another one goes on."""
    idle: Duration
    """Of a continuous one: the pause between two calls. 1 second by default."""
    replicas: int
    """Of a continuous one: so many runs at once. 1 by default."""
    standby: int
    """Of a continuous one: so many further workers should be there that could take over; `status().standing_by` counts them."""
    depends_on: Sequence[str]
    """Names of routines. A due time waits until each of them has succeeded since this one was fired last."""
    blocks: Sequence[str]
    """Names of routines beside whose runs this one never runs, nor they beside its: in the whole cluster."""
    max_consecutive_failures: int | None
    """So many dead runs in a row disable it. 5 by default; None: never."""
    enabled: bool
    """How it begins its life; afterwards people steer that."""
    queue: str
    priority: Priority
    retry: Retry | int
    timeout: Duration
    """How long a run may take; of a continuous one, each call."""
    deadline: Duration
    limits: Sequence[Limit]
    requires: Mapping[str, Scalar]
    executor: Executor
    memory: int | str
    cpu: Duration
    max_crashes: int
    breaker: Breaker


def task_options(given: RoutineOptions) -> TaskOptions:
    """Those that its task has. Raises the TypeError that a signature would, for one that does not exist."""
    check_names("app.routine()", RoutineOptions, given)
    return cast("TaskOptions", {name: value for name, value in given.items() if name in TaskOptions.__annotations__})


def definition_of(task: Task[..., Any], name: str | None, given: RoutineOptions) -> Schedule:
    """The definition of a routine that runs this task. Raises DefinitionError."""
    known = task_name(name or task.fn.__name__.strip("_").replace("_", "-"))
    needed = [each.name for each in task.codec.signature.parameters.values() if each.default is inspect.Parameter.empty]
    if needed:
        raise DefinitionError(
            f"routine {known!r}: nobody gives its function {', '.join(needed)}. It may take a Context, and what has a default."
        )
    try:
        task.spec = replace(task.spec, idle_us=idle_us(given))
        return _schedule(task, known, given)
    except DefinitionError:
        raise
    except UsageError as error:
        raise DefinitionError(f"routine {known!r}: {error}") from error


_WHEN = frozenset({"every", "cron", "tz", "catchup", "jitter"})


def _schedule(task: Task[..., Any], name: str, given: RoutineOptions) -> Schedule:
    when = {key: value for key, value in given.items() if key in _WHEN}
    has_rule = "every" in when or "cron" in when
    if when and not has_rule:
        raise UsageError(
            f"{', '.join(sorted(when))} without every= or cron= says nothing: it runs only when triggered."
        )
    job = task.new_job(bytes(16), (), {})
    otherwise = Mode.TRIGGERED if task.spec.idle_us is None else Mode.CONTINUOUS
    return Schedule(
        name=name,
        kind=Kind.ROUTINE,
        mode=Mode.SCHEDULED if has_rule else otherwise,
        task=job.task,
        args=job.args,
        queue=job.queue,
        priority=job.priority,
        options=job.options,
        needs=job.needs,
        rule=Recurrence.of(**when) if has_rule else None,  # type: ignore[arg-type]  # as the TypedDict says
        overlap=given.get("overlap", "skip"),
        replicas=given.get("replicas", 1),
        standby=given.get("standby", 0),
        depends_on=tuple(_named("depends_on", given.get("depends_on", ()))),
        blocks=tuple(_named("blocks", given.get("blocks", ()))),
        max_failures=given.get("max_consecutive_failures", MAX_FAILURES),
        enabled=given.get("enabled", True),
    )


def _named(option: str, names: Sequence[str]) -> Iterator[str]:
    if isinstance(names, str):
        raise UsageError(f"{option}={names!r} is text. Give a list of names: [{names!r}].")
    yield from (task_name(name) for name in names)
