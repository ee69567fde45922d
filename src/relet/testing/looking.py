"""Finding jobs in a test by task and arguments, and saying what is there when they are not found."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from relet.errors import PayloadError
from relet.handles import Job
from relet.job.state import State
from relet.store.port import Store
from relet.store.rows import JobFilter, JobRow
from relet.task import Task

R_co = TypeVar("R_co", covariant=True)

PAGE = 500
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Result(Generic[R_co]):
    """How a job ended."""

    job: Job[R_co]
    state: State
    error: str
    """Of a dead job its last error, of a cancelled one the reason."""
    failed: int
    """How many runs have failed."""

    @property
    def ok(self) -> bool:
        """It succeeded."""
        return self.state is State.SUCCEEDED

    @property
    def value(self) -> R_co:
        """What the function returned. Raises JobFailed or JobCancelled."""
        return self.job.result(0)


def jobs_of(store: Store, task: Task[..., Any], partial: dict[str, Any]) -> Iterator[JobRow]:
    """Jobs of a task whose arguments are these, as far as given; the newest first, whatever their state."""
    before: bytes | None = None
    while page := store.insights.jobs(JobFilter(task=task.name, before=before, limit=PAGE)):
        yield from (row for row in page if _matches(task, row, partial))
        before = page[-1].id


def _matches(task: Task[..., Any], row: JobRow, partial: dict[str, Any]) -> bool:
    try:
        given = task.codec.arguments(row.args)
    except PayloadError:
        return False
    missing = object()
    return all(given.get(name, _default(task, name, missing)) == value for name, value in partial.items())


def _default(task: Task[..., Any], name: str, missing: object) -> object:
    parameter = task.codec.signature.parameters.get(name)
    if parameter is None:
        raise TypeError(f"{task.name} has no parameter {name!r}; it has {', '.join(task.codec.signature.parameters)}.")
    return missing if parameter.default is inspect.Parameter.empty else parameter.default


def listing(store: Store) -> str:
    """The newest jobs, one a line: what a failed assertion shows."""
    rows = store.insights.jobs(JobFilter(limit=SHOWN + 1))
    lines = [f"  {row.task} {row.args} {row.state}{f': {row.error}' if row.error else ''}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append("  …")
    return "\n".join(["Jobs that there are:", *lines]) if lines else "There are no jobs at all."


def call_text(task: Task[..., Any], partial: dict[str, Any]) -> str:
    """As a person would write it: `charge(order_id=7)`."""
    return f"{task.name}({', '.join(f'{name}={value!r}' for name, value in partial.items())})"
