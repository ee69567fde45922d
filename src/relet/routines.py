"""Routines: functions that run by themselves, by time, when triggered, or after others; and how they are steered.

@app.routine(every="1m")
def fetch_data(): ...

@app.routine(every="5m", depends_on=["fetch-data"], max_consecutive_failures=3)
def process_data(): ...

app.routines["process-data"].status()
"""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, Self, TypedDict, cast
from uuid import UUID

import msgspec

from relet.clock import Ids
from relet.errors import DefinitionError, NotFound, Refused, UsageError
from relet.job.duration import Duration
from relet.job.moment import from_at, to_at
from relet.job.names import task_name
from relet.job.needs import Scalar
from relet.job.priority import Priority
from relet.job.recurrence import Catchup, Recurrence
from relet.job.retry import Retry
from relet.job.schedule import Kind, Mode, Overlap, Schedule
from relet.limits import Limit
from relet.options import Executor, TaskOptions, check_names
from relet.store.port import Store
from relet.store.records import Backfilled
from relet.store.rows import FiringRow, ScheduleRow
from relet.store.shared import SharedStore
from relet.task import Task

MAX_FAILURES = 5
"""Dead runs in a row after which a routine is disabled, unless it says otherwise."""


class RoutineOptions(TypedDict, total=False):
    """When a routine runs, and how. Without `every` and `cron`: only when it is triggered."""

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
    deadline: Duration
    limits: Sequence[Limit]
    requires: Mapping[str, Scalar]
    executor: Executor
    memory: int | str
    cpu: Duration
    max_crashes: int


class RoutineStatus(msgspec.Struct, frozen=True):
    """A routine as it stood when it was read."""

    name: str
    mode: str
    """scheduled or triggered."""
    task: str
    rule: str
    """When it is due, in words; empty: when it is triggered."""
    enabled: bool
    disabled_because: str | None
    disabled_by: str | None
    paused: bool
    paused_because: str | None
    paused_by: str | None
    running: tuple[UUID, ...]
    """Its jobs that have not ended."""
    blocks: tuple[str, ...]
    """What it names itself; others may name it."""
    waits_for: tuple[str, ...]
    """What it depends on that has not succeeded since it was fired last."""
    due_since: datetime | None
    """It is due since then, and waits for those."""
    next_due: datetime | None
    consecutive_failures: int
    successes: int
    last_run: datetime | None
    """When it was fired last."""
    last_end: datetime | None
    last_success: datetime | None
    last_failure: datetime | None
    last_error: str | None

    @classmethod
    def of(cls, row: ScheduleRow, **more: Any) -> Self:
        """The record of a row, with what a further record has."""
        definition = row.definition
        return cls(
            **more,
            name=definition.name,
            mode=definition.mode.value,
            task=definition.task,
            rule=row.rule,
            enabled=row.disabled_at is None,
            disabled_because=row.disable_reason,
            disabled_by=row.disabled_by,
            paused=row.paused_at is not None,
            paused_because=row.pause_reason,
            paused_by=row.paused_by,
            running=tuple(UUID(bytes=job_id) for job_id in row.live),
            blocks=definition.blocks,
            waits_for=row.unmet,
            due_since=_moment(row.progress.pending_at),
            next_due=_moment(row.due_at),
            consecutive_failures=row.failures,
            successes=row.successes,
            last_run=_moment(row.fired_at),
            last_end=_moment(row.ended_at),
            last_success=_moment(row.success_at),
            last_failure=_moment(row.failure_at),
            last_error=row.error,
        )


class FiringInfo(msgspec.Struct, frozen=True):
    """What became of one due time."""

    due_at: datetime
    job_id: UUID | None
    """None: it was passed over."""
    cause: str
    """ "due", who triggered it, or why it was passed over."""
    fired_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """succeeded, dead or cancelled."""

    @classmethod
    def of(cls, row: FiringRow) -> FiringInfo:
        """The record of a row."""
        job_id = None if row.job_id is None else UUID(bytes=row.job_id)
        moments = from_at(row.fired_at), _moment(row.ended_at)
        return cls(from_at(row.due_at), job_id, row.cause, *moments, row.outcome)


class Backfill(msgspec.Struct, frozen=True):
    """What a backfill has made."""

    jobs: tuple[UUID, ...]
    """In the order of their due times."""
    had: int
    """Due times that had a run already."""
    next: datetime | None
    """Where to go on, if the limit came before the end."""

    def __add__(self, more: Backfilled) -> Backfill:
        """With what was made behind it."""
        jobs = tuple(UUID(bytes=firing.job_id) for firing in more.fired)
        return Backfill(self.jobs + jobs, self.had + more.had, _moment(more.next_at))


class Steered(Protocol):
    """What steering needs of its app."""

    @property
    def shared(self) -> SharedStore: ...
    @property
    def ids(self) -> Ids: ...
    def who(self, by: str) -> str:
        """The name under which a person acts."""
        ...


class Routine:
    """One routine by name. All methods raise NotFound if no worker has declared it yet."""

    kind = Kind.ROUTINE

    def __init__(self, app: Steered, name: str) -> None:
        self._app = app
        self.name = name

    def status(self) -> RoutineStatus:
        """How it is doing."""
        with self._app.shared.use() as store:
            return RoutineStatus.of(self._row(store))

    def history(self, *, limit: int = 50) -> list[FiringInfo]:
        """Its last due times and triggers, the newest first."""
        with self._known() as store:
            return [FiringInfo.of(row) for row in store.insights.firings(self.name, None, limit)]

    def trigger(self, *, force: bool = False, by: str = "") -> UUID:
        """Run it now, whatever its rule; returns the id of the job. Raises Refused, which says why: it is disabled, it runs,
        or what it depends on has not succeeded. `force` runs it all the same."""
        job_id = self._app.ids.job()
        with self._known() as store:
            triggered = store.trigger_schedule(self.name, self._app.who(by), job_id, force=force)
        if triggered.job_id is None:
            raise Refused(
                f"{self._kind_word()} {self.name!r} was not triggered: {triggered.refusal}. Nothing was enqueued."
            )
        return UUID(bytes=triggered.job_id)

    def backfill(self, start: datetime, end: datetime, *, limit: int = 1_000, by: str = "") -> Backfill:
        """Make up for due times from `start` until before `end` that have no run: one run for each, at most `limit` of them. They
        keep its overlap, one after the other unless it is "allow". Repeating it makes no second run.

        Raises UsageError (no due times, or the end has not passed) and Refused (it is disabled, or its queue is closed).
        """
        start_at, end_at = to_at(start, name="start"), to_at(end, name="end")
        by, ids = self._app.who(by), self._app.ids.jobs
        made = Backfill((), 0, start)
        with self._known() as store:
            while made.next is not None and len(made.jobs) < limit:
                left = limit - len(made.jobs)
                made += store.backfill_schedule(self.name, start_at, end_at, by, ids, left)
                start_at = end_at if made.next is None else to_at(made.next, name="next")
        return made

    def enable(self) -> bool:
        """Let it run again, with no failures counted. False: it was enabled."""
        with self._known() as store:
            return store.enable_schedule(self.name)

    def disable(self, reason: str = "", *, by: str = "") -> None:
        """No runs, not even triggered ones, until it is enabled. What runs goes on."""
        with self._known() as store:
            store.disable_schedule(self.name, self._app.who(by), reason)

    def pause(self, reason: str = "", *, by: str = "") -> None:
        """No runs by time until `resume`; it may still be triggered. What runs goes on."""
        with self._known() as store:
            store.pause_schedule(self.name, self._app.who(by), reason)

    def resume(self) -> bool:
        """Go on with the next due time. False: it was not paused."""
        with self._known() as store:
            return store.resume_schedule(self.name)

    def delete(self) -> None:
        """Remove it from the store; its jobs stay. Raises Refused while a worker that knows its task lives: it would declare the
        routine again. Meant for routines whose code is gone."""
        with self._known() as store:
            store.delete_schedule(self.name)

    @contextmanager
    def _known(self) -> Generator[Store]:
        """The store, which knows it."""
        with self._app.shared.use() as store:
            self._row(store)
            yield store

    def _row(self, store: Store) -> ScheduleRow:
        row = store.insights.schedule(self.name)
        if row is None:
            raise NotFound(self._unknown())
        if row.definition.kind is not self.kind:
            other = row.definition.kind
            raise NotFound(f"{self.name!r} is a {other}. Steer it by: app.{other}s[{self.name!r}]")
        return row

    def _unknown(self) -> str:
        return f"There is no routine {self.name!r} in the store: no worker of its app has started yet."

    def _kind_word(self) -> str:
        return self.kind.value.capitalize()

    def __repr__(self) -> str:
        return f"<{self._kind_word()} {self.name}>"


class Routines:
    """`app.routines`: by name, or all of them."""

    def __init__(self, app: Steered) -> None:
        self._app = app

    def __getitem__(self, name: str) -> Routine:
        """The handle of a routine. Reads nothing yet."""
        return Routine(self._app, name)

    def list(self) -> list[RoutineStatus]:
        """All routines that the store knows, by name."""
        with self._app.shared.use() as store:
            return [RoutineStatus.of(row) for row in store.insights.schedules(Kind.ROUTINE.value)]

    def __iter__(self) -> Iterator[Routine]:
        return (Routine(self._app, status.name) for status in self.list())


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
    return Schedule(
        name=name,
        kind=Kind.ROUTINE,
        mode=Mode.SCHEDULED if has_rule else Mode.TRIGGERED,
        task=job.task,
        args=job.args,
        queue=job.queue,
        priority=job.priority,
        options=job.options,
        needs=job.needs,
        rule=Recurrence.of(**when) if has_rule else None,  # type: ignore[arg-type]  # as the TypedDict says
        overlap=given.get("overlap", "skip"),
        depends_on=tuple(_named("depends_on", given.get("depends_on", ()))),
        blocks=tuple(_named("blocks", given.get("blocks", ()))),
        max_failures=given.get("max_consecutive_failures", MAX_FAILURES),
        enabled=given.get("enabled", True),
    )


def _named(option: str, names: Sequence[str]) -> Iterator[str]:
    if isinstance(names, str):
        raise UsageError(f"{option}={names!r} is text. Give a list of names: [{names!r}].")
    yield from (task_name(name) for name in names)


def _moment(at: int | None) -> datetime | None:
    return None if at is None else from_at(at)
