"""What can be said about a task when it is declared, and about one call of it: checked at once, and kept in plain units."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypedDict, cast
from uuid import UUID

from relet.errors import DefinitionError, UsageError
from relet.job.breaker import Breaker
from relet.job.duration import Duration, to_bytes, to_us
from relet.job.job import MAX_CRASHES, OnConflict, Options
from relet.job.keys import KeyTemplate
from relet.job.moment import to_at
from relet.job.names import label_name, queue_name
from relet.job.nearest import nearest
from relet.job.needs import Scalar, tokens
from relet.job.priority import NORMAL, Priority, to_priority
from relet.job.retry import Retry
from relet.job.webhook import checked_url
from relet.limit import AskedLimit, Limit, asked

Executor = Literal["auto", "thread", "process"]
OnDepFailure = Literal["skip", "run", "hold"]


class Named(Protocol):
    """A handle: of a job, or of a batch."""

    @property
    def id(self) -> UUID: ...


Parent = Named | UUID

_EXECUTORS = ("auto", "thread", "process")
_ON_CONFLICT = ("existing", "raise", "replace", "debounce")


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """The policy of a task, as declared. It stays with the code; what a call says about itself travels with the job."""

    queue: str = "default"
    priority: int = NORMAL
    retry: Retry = field(default_factory=Retry)
    timeout_us: int | None = None
    """How long one run may take."""
    expires_us: int | None = None
    """Not started so long after the enqueue: cancelled."""
    deadline_us: int | None = None
    """No attempt goes on so long after the enqueue: dead."""
    unique: KeyTemplate | None = None
    on_conflict: OnConflict = "existing"
    debounce_us: int = 0
    limits: tuple[AskedLimit, ...] = ()
    """What each of its jobs must pass before it is ready."""
    fair_by: KeyTemplate | None = None
    """The tenant whose share of the queue a call takes."""
    needs: tuple[str, ...] = ()
    executor: Executor = "auto"
    """auto: coroutines on the event loop, plain functions in a thread. process: a child process of its own."""
    memory_bytes: int | None = None
    cpu_us: int | None = None
    max_crashes: int = MAX_CRASHES
    breaker: Breaker | None = None
    idle_us: int | None = None
    """Of a continuous routine: a run calls the function again and again, with such a pause between."""


class TaskOptions(TypedDict, total=False):
    """What `@app.task(...)` takes, beside the name."""

    queue: str
    priority: Priority
    retry: Retry | int
    timeout: Duration
    expires: Duration
    deadline: Duration
    unique: str
    on_conflict: OnConflict
    debounce: Duration
    limits: Sequence[Limit]
    """Limits that its jobs share with others, by name and key."""
    fair_by: str
    """A template of the tenant, such as "{customer_id}": tenants share the queue, whoever came first and with how much."""
    requires: Mapping[str, Scalar]
    executor: Executor
    memory: int | str
    cpu: Duration
    max_crashes: int
    breaker: Breaker


class CallOptions(TypedDict, total=False):
    """What `task.options(...)` takes. None means: as before."""

    delay: Duration | None
    at: datetime | None
    priority: Priority | None
    queue: str | None
    unique: str | Literal[False] | None
    """A key template; False: without the task's key."""
    on_conflict: OnConflict | None
    """What to do when another job holds the key: return it (existing), raise, replace it, or debounce."""
    debounce: Duration | None
    """Instead of on_conflict: start so long after the last call with this key."""
    tx: object | None
    """The caller's own connection or session: the job is written, and rolled back, with its transaction."""
    expires: Duration | None
    deadline: Duration | None
    timeout: Duration | None
    max_attempts: int | None
    tags: Mapping[str, str] | None
    requires: Mapping[str, Scalar] | None
    fair_by: str | Literal[False] | None
    """A template of the tenant; False: of none, whatever the task says."""
    notify: str | None
    """An address that is told of the job's end: https://…"""
    after: Parent | Iterable[Parent] | None
    """Jobs and batches that must have ended before this job is ready."""
    on_dep_failure: OnDepFailure | None
    """When one of them does not succeed: skip this job (cancelled), run it all the same, or hold it until a person has
    retried the dead one and it has succeeded."""


@dataclass(frozen=True, slots=True)
class CallSpec:
    """What one call says about itself, checked. None: as the task has it."""

    queue: str | None = None
    priority: int | None = None
    needs: tuple[str, ...] | None = None
    unique: KeyTemplate | Literal[False] | None = None
    on_conflict: OnConflict | None = None
    debounce_us: int | None = None
    fair_by: KeyTemplate | Literal[False] | None = None
    delay_us: int = 0
    run_at: int | None = None
    travels: Options = field(default_factory=Options)
    """What is written with the job."""
    tx: object | None = None
    after: tuple[bytes, ...] = ()
    """The ids of those that it comes after."""
    on_dep_failure: OnDepFailure = "skip"


def check_names(verb: str, known: type[Any], given: Mapping[str, object]) -> None:
    """Raise the TypeError that a signature would, for an option that does not exist."""
    for name in given.keys() - known.__annotations__.keys():
        close = nearest(name, known.__annotations__)
        advice = f"; did you mean {close!r}?" if close else f"; it has {', '.join(known.__annotations__)}"
        raise TypeError(f"{verb} got an unexpected keyword argument {name!r}{advice}")


def spec_of(task: str, signature: inspect.Signature, given: TaskOptions) -> TaskSpec:
    """The policy that these options declare. Raises `DefinitionError`, which names the task."""
    try:
        spec = _spec(task, signature, given)
    except DefinitionError:
        raise
    except UsageError as flaw:
        raise DefinitionError(f"task {task!r}: {flaw}") from None
    _check_bounds(task, spec)
    return spec


def _spec(task: str, signature: inspect.Signature, given: TaskOptions) -> TaskSpec:
    retry = given.get("retry", Retry())
    unique = given.get("unique")
    template = KeyTemplate.parse(unique, signature, task) if unique is not None else None
    fair_by = given.get("fair_by")
    on_conflict, debounce_us = _conflict(given.get("on_conflict"), given.get("debounce"))
    if template is None and on_conflict is not None:
        raise UsageError("on_conflict and debounce say what to do about a taken key; give unique='…' too.")
    return TaskSpec(
        queue=queue_name(given.get("queue", "default")),
        priority=to_priority(given.get("priority", NORMAL)),
        retry=Retry(retry) if isinstance(retry, int) else retry,
        timeout_us=_us(given.get("timeout"), "timeout"),
        expires_us=_us(given.get("expires"), "expires"),
        deadline_us=_us(given.get("deadline"), "deadline"),
        unique=template,
        on_conflict=on_conflict or "existing",
        debounce_us=debounce_us or 0,
        limits=asked(given.get("limits", ()), signature, task),
        fair_by=KeyTemplate.parse(fair_by, signature, task) if fair_by is not None else None,
        needs=tokens(given.get("requires", {})),
        executor=given.get("executor", "auto"),
        memory_bytes=to_bytes(given["memory"], name="memory") if "memory" in given else None,
        cpu_us=_us(given.get("cpu"), "cpu"),
        max_crashes=given.get("max_crashes", MAX_CRASHES),
        breaker=given.get("breaker"),
    )


def _check_bounds(task: str, spec: TaskSpec) -> None:
    if spec.executor not in _EXECUTORS:
        raise DefinitionError(f"task {task!r}: executor={spec.executor!r}; use 'auto', 'thread' or 'process'.")
    bounded = spec.memory_bytes is not None or spec.cpu_us is not None
    if bounded and spec.executor != "process":
        raise DefinitionError(
            f"task {task!r}: memory and cpu bound a process; say executor='process' to run it in one of its own."
        )
    if not isinstance(spec.breaker, Breaker | None):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
        raise DefinitionError(f"task {task!r}: breaker={spec.breaker!r} is no Breaker(…).")
    if spec.max_crashes < 1:
        raise DefinitionError(f"task {task!r}: max_crashes={spec.max_crashes}; it must be at least 1.")


def call_spec(before: CallSpec, task: str, signature: inspect.Signature, given: CallOptions) -> CallSpec:
    """`before` with what is given on top of it. Raises `UsageError`."""
    queue, priority = given.get("queue"), given.get("priority")
    unique, needs, tx = given.get("unique"), given.get("requires"), given.get("tx")
    on_conflict, debounce_us = _conflict(given.get("on_conflict"), given.get("debounce"))
    delay_us, run_at = _due(before, given.get("delay"), given.get("at"))
    template = KeyTemplate.parse(unique, signature, task) if isinstance(unique, str) else unique
    fair_by = given.get("fair_by")
    tenant = KeyTemplate.parse(fair_by, signature, task) if isinstance(fair_by, str) else fair_by
    return CallSpec(
        queue=before.queue if queue is None else queue_name(queue),
        priority=before.priority if priority is None else to_priority(priority),
        needs=before.needs if needs is None else tokens(needs),
        unique=before.unique if template is None else template,
        on_conflict=before.on_conflict if on_conflict is None else on_conflict,
        debounce_us=before.debounce_us if on_conflict is None else debounce_us,
        fair_by=before.fair_by if tenant is None else tenant,
        delay_us=delay_us,
        run_at=run_at,
        travels=_travels(before.travels, delay_us, given),
        tx=before.tx if tx is None else tx,
        after=before.after if given.get("after") is None else _parents(given.get("after")),
        on_dep_failure=_on_dep_failure(given.get("on_dep_failure")) or before.on_dep_failure,
    )


def _parents(given: object) -> tuple[bytes, ...]:
    listed = cast("Iterable[object]", given) if isinstance(given, Iterable) else (given,)
    return tuple(parent_id(parent) for parent in listed)


def parent_id(parent: object) -> bytes:
    """The id of a job or batch that is named by its handle or its id. Raises UsageError."""
    found = getattr(parent, "id", parent)
    if not isinstance(found, UUID):
        raise UsageError(
            f"after: expected jobs or batches, by handle or id, got a {type(parent).__name__}. For calls that are enqueued "
            "together, write call.after(other_call)."
        )
    return found.bytes


def _on_dep_failure(given: OnDepFailure | None) -> OnDepFailure | None:
    if given is not None and given not in ("skip", "run", "hold"):
        raise UsageError(f"on_dep_failure={given!r}; use 'skip', 'run' or 'hold'.")
    return given


def _travels(before: Options, delay_us: int, given: CallOptions) -> Options:
    max_attempts, notify = given.get("max_attempts"), given.get("notify")
    if max_attempts is not None and max_attempts < 1:
        raise UsageError(f"max_attempts={max_attempts}: a job needs at least 1 attempt.")
    tags = {label_name(key): label_name(value) for key, value in (given.get("tags") or {}).items()}
    options = Options(
        timeout_us=_us(given.get("timeout"), "timeout") or before.timeout_us,
        expires_us=_us(given.get("expires"), "expires") or before.expires_us,
        deadline_us=_us(given.get("deadline"), "deadline") or before.deadline_us,
        max_attempts=max_attempts or before.max_attempts,
        tags={**before.tags, **tags},
        notify=before.notify if notify is None else checked_url(notify),
    )
    for name, end_us in (("expires", options.expires_us), ("deadline", options.deadline_us)):
        if end_us is not None and end_us <= delay_us:
            raise UsageError(f"{name} comes no later than the delay: the job would end before it starts.")
    return options


def _due(before: CallSpec, delay: Duration | None, at: datetime | None) -> tuple[int, int | None]:
    if delay is not None and at is not None:
        raise UsageError("delay and at both say when to start; give one of them.")
    if at is not None:
        return 0, to_at(at, name="at")
    if delay is not None:
        return to_us(delay, name="delay"), None
    return before.delay_us, before.run_at


def _conflict(on_conflict: OnConflict | None, debounce: Duration | None) -> tuple[OnConflict | None, int | None]:
    """`debounce="10s"` says both: which way, and how long."""
    if on_conflict is not None and on_conflict not in _ON_CONFLICT:
        raise UsageError(f"on_conflict={on_conflict!r}; use 'existing', 'raise', 'replace' or 'debounce'.")
    if debounce is None:
        if on_conflict == "debounce":
            raise UsageError("on_conflict='debounce' needs its window; write debounce='10s'.")
        return on_conflict, None
    if on_conflict not in (None, "debounce"):
        raise UsageError(
            f"debounce is a way to deal with a taken key, and on_conflict={on_conflict!r} another; give one."
        )
    window_us = to_us(debounce, name="debounce")
    if window_us == 0:
        raise UsageError("debounce: the window must be longer than zero.")
    return "debounce", window_us


def _us(duration: Duration | None, name: str) -> int | None:
    """A bound in microseconds; a bound of nothing would forbid every run."""
    if duration is None:
        return None
    us = to_us(duration, name=name)
    if us == 0:
        raise UsageError(f"{name}: it must be longer than zero.")
    return us
