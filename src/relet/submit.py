"""From calls to jobs: arguments encoded, keys rendered, and a mistake among many named by its place. No I/O."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from msgspec.structs import replace

from relet.errors import PayloadError, UniqueConflict, UsageError
from relet.job.codec import encode_by_name
from relet.job.job import After, Need, NewBatch, NewJob, Options
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
    return tied_together(calls, jobs) if any(call.parents for call in calls) else jobs


def tied_together(calls: Sequence[Call[Any]], jobs: Sequence[NewJob]) -> list[NewJob]:
    """The jobs of these calls, each behind the jobs of those that its call comes after. Raises UsageError."""
    ids = {id(call): job.id for call, job in zip(calls, jobs, strict=True)}
    found: list[NewJob] = []
    for place, (call, job) in enumerate(zip(calls, jobs, strict=True)):
        strange = next((p for p in call.parents if isinstance(p, Call) and id(p) not in ids), None)
        if strange is not None:
            raise UsageError(
                f"call {place}: {call!r} comes after {strange!r}, which is not enqueued with it. Enqueue both by one "
                "app.enqueue_many([…]), or the other one first, and give its job. Nothing was enqueued."
            )
        parents = [ids[id(parent)] if isinstance(parent, Call) else parent for parent in call.parents]
        found.append(replace(job, after=call.task.bonds(parents)) if parents else job)
    return found


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


def in_batch(jobs: Sequence[NewJob], batch: NewBatch, needs: Sequence[Need]) -> list[NewJob]:
    """The last of these jobs behind the batch, each with one of these needs, and the others in it."""
    members = len(jobs) - len(needs)
    name = batch.id.hex()
    same, options = None, Options(batch=name)
    inside: list[NewJob] = []
    for job in jobs[:members]:
        if job.options is not same:  # jobs that were made together share theirs
            same, options = job.options, replace(job.options, batch=name)
        inside.append(replace(job, options=options))
    behind = [
        replace(job, after=(*job.after, After(batch.id, need))) for job, need in zip(jobs[members:], needs, strict=True)
    ]
    return [*inside, *behind]
