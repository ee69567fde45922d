"""What `@app.routine` takes, and the definition that it makes: checked when the routine is declared."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from relet.continuous import idle_us
from relet.errors import DefinitionError, UsageError
from relet.job.breaker import Breaker
from relet.job.duration import Duration
from relet.job.names import task_name
from relet.job.needs import Scalar
from relet.job.priority import Priority
from relet.job.retry import Retry
from relet.job.schedule import Kind, Mode, Schedule
from relet.limit import Limit
from relet.options import Executor, TaskOptions, check_names
from relet.task import Task
from relet.timing import WhenOptions, names_in, rule_options, schedule_of

MAX_FAILURES = 5
"""Dead runs in a row after which a routine is disabled, unless it says otherwise."""


class RoutineOptions(WhenOptions, total=False):
    """When a routine runs, and how. Without `every`, `cron` and `continuous`: only when it is triggered."""

    continuous: bool
    """It runs all the time: whoever holds it calls it again and again; when that worker goes or dies, another one goes on."""
    idle: Duration
    """Of a continuous one: the pause between two calls. 1 second by default."""
    replicas: int
    """Of a continuous one: so many runs at once. 1 by default."""
    standby: int
    """Of a continuous one: so many further workers should be there that could take over; `status().standing_by` counts them."""
    blocks: Sequence[str]
    """Names of routines beside whose runs this one never runs, nor they beside its: in the whole cluster."""
    max_consecutive_failures: int | None
    """So many dead runs in a row disable it. 5 by default; None: never."""
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


def _schedule(task: Task[..., Any], name: str, given: RoutineOptions) -> Schedule:
    when = rule_options(given)
    has_rule = "every" in when or "cron" in when
    if when and not has_rule:
        raise UsageError(
            f"{', '.join(sorted(when))} without every= or cron= says nothing: it runs only when triggered."
        )
    otherwise = Mode.TRIGGERED if task.spec.idle_us is None else Mode.CONTINUOUS
    return schedule_of(
        task.new_job(bytes(16), (), {}),
        name,
        Kind.ROUTINE,
        Mode.SCHEDULED if has_rule else otherwise,
        given,
        replicas=given.get("replicas", 1),
        standby=given.get("standby", 0),
        blocks=names_in("blocks", given.get("blocks", ())),
        max_failures=given.get("max_consecutive_failures", MAX_FAILURES),
    )
