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
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, Self, TypedDict, cast
from uuid import UUID

import msgspec

from relet.clock import Ids
from relet.continuous import idle_us
from relet.errors import DefinitionError, NotFound, Refused, UsageError
from relet.job.breaker import Breaker
from relet.job.duration import Duration
from relet.job.moment import from_at, to_at
from relet.job.names import task_name
from relet.job.needs import Scalar
from relet.job.priority import Priority
from relet.job.recurrence import Catchup, Recurrence
from relet.job.retry import Retry
from relet.job.schedule import Kind, Mode, Overlap, Schedule
from relet.job.why_schedule import explain_schedule
from relet.options import Executor, TaskOptions, check_names
from relet.store.port import Store
from relet.store.records import Backfilled
from relet.store.rows import FiringRow, ScheduleRow
from relet.store.shared import SharedStore
from relet.store.standby import standing_by
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
    requires: Mapping[str, Scalar]
    executor: Executor
    memory: int | str
    cpu: Duration
    max_crashes: int
    breaker: Breaker


class RoutineStatus(msgspec.Struct, frozen=True):
    """A routine as it stood when it was read."""

    name: str
    mode: str
    """scheduled, triggered or continuous."""
    task: str
    rule: str
    """When it runs, in words; empty: when it is triggered."""
    enabled: bool
    disabled_because: str | None
    disabled_by: str | None
    paused: bool
    paused_because: str | None
    paused_by: str | None
    running: tuple[UUID, ...]
    """Its jobs that have not ended."""
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
    replicas: int = 1
    """Of a continuous one: how many runs there are to be."""
    standby: int = 0
    """Of a continuous one: how many further workers should be able to take over."""
    standing_by: int | None = None
    """How many are. None: it asks for none."""

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
            replicas=definition.replicas,
            standby=definition.standby,
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
            row = self._row(store)
            return RoutineStatus.of(row, standing_by=standing_by(store, row))

    def why(self) -> list[str]:
        """Why it does not run now, or when it will: sentences, the decisive one first."""
        with self._known() as store:
            standing = store.insights.why_schedule(self.name)
        if standing is None:
            raise NotFound(self._unknown())
        return explain_schedule(standing)

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
            rows = store.insights.schedules(Kind.ROUTINE.value)
            return [RoutineStatus.of(row, standing_by=standing_by(store, row)) for row in rows]

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
        depends_on=tuple(_named(given.get("depends_on", ()))),
        max_failures=given.get("max_consecutive_failures", MAX_FAILURES),
        enabled=given.get("enabled", True),
    )


def _named(names: Sequence[str]) -> Iterator[str]:
    if isinstance(names, str):
        raise UsageError(f"depends_on={names!r} is text. Give a list of names: [{names!r}].")
    yield from (task_name(name) for name in names)


def _moment(at: int | None) -> datetime | None:
    return None if at is None else from_at(at)
