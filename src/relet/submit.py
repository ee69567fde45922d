"""From calls to jobs: arguments encoded, keys rendered, and a mistake among many named by its place. No I/O."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from relet.errors import PayloadError, UniqueConflict, UsageError
from relet.job.codec import encode_by_name
from relet.job.job import NewJob
from relet.job.names import task_name
from relet.options import CallOptions, CallSpec, TaskSpec, call_spec
from relet.task import Call, Producer, Task, job_of

R = TypeVar("R")


def jobs_of(calls: Sequence[Call[Any]], ids: Sequence[bytes]) -> list[NewJob]:
    """The jobs of many calls, in order. Raises what a single one would, with "call 17:" before it."""
    jobs: list[NewJob] = []
    add = jobs.append
    try:
        for call, job_id in zip(calls, ids, strict=True):
            add(call.task.new_job(job_id, call.args, call.kwargs))
    except UsageError as error:
        _raise_with_place(error, len(jobs))
    return jobs


def checked(app: Producer, calls: Iterable[Call[R]]) -> list[Call[R]]:
    """The calls as a list, if they are calls, and all of tasks of this app. Raises UsageError."""
    listed = list(calls)
    for place, call in enumerate(listed):
        if type(call) is not Call:
            raise UsageError(
                f"call {place}: expected a call of a task, got a {type(call).__name__}. Write task.call(…). "
                "Nothing was enqueued."
            )
        if call.task.app is not app:
            raise UsageError(f"call {place}: {call.task.name} is a task of another app. Nothing was enqueued.")
    return listed


def _raise_with_place(error: UsageError, place: int) -> NoReturn:
    message = f"call {place}: {error}"
    if isinstance(error, PayloadError):
        raise PayloadError(message, path=error.path) from error
    raise type(error)(message) from error


def with_place(error: UniqueConflict, jobs: Sequence[NewJob]) -> UniqueConflict:
    """The conflict, with the place of the call that has met it."""
    met = (n for n, job in enumerate(jobs) if job.options.unique == error.key and job.on_conflict == "raise")
    place = next(met, None)
    if place is None or len(jobs) == 1:
        return error
    return UniqueConflict(f"call {place}: {error}", key=error.key, holder=error.holder)


def named_job(
    task: Task[..., Any] | None,
    name: str,
    arguments: Mapping[str, Any],
    given: CallOptions,
    make_id: Callable[[], bytes],
) -> NewJob:
    """The job of a task by its name, whose code may be elsewhere. Raises PayloadError and UsageError."""
    if task is not None:
        encoded = task.codec.encode_named(arguments)
        chosen = task.options(**given)
        return chosen.job_of(make_id(), encoded, lambda: task.codec.arguments(encoded))
    name = task_name(name)
    encoded = encode_by_name(arguments, task=name)
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature([inspect.Parameter(argument, keyword) for argument in arguments])
    said = call_spec(CallSpec(), name, signature, given)
    return job_of(make_id(), name, TaskSpec(), said, encoded, lambda: arguments)
