"""Schedules that are added at run time: a call of a task, and when. They live in the store, where any worker fires them.

app.schedules.upsert("tenant-7-report", report.call(7), cron="0 6 * * *", tz="Europe/Oslo")
app.schedules["tenant-7-report"].pause("they asked for it")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol, Unpack

import msgspec

from relet.errors import DefinitionError, UsageError
from relet.job.job import NewJob
from relet.job.moment import from_at
from relet.job.names import task_name
from relet.job.nearest import nearest
from relet.job.schedule import Kind, Mode, check_together
from relet.job.schedule import Schedule as Definition
from relet.options import CallOptions, check_names
from relet.routines import Routine, RoutineStatus, Triggers
from relet.store.port import Store
from relet.store.rows import ScheduleRow
from relet.submit import checked, named_job
from relet.task import Call, Producer, Task
from relet.timing import WhenOptions, schedule_of


class ScheduleOptions(WhenOptions, total=False):
    """When, and what holds a run back. Either `every` or `cron` is needed. What it depends on has to be in the store."""

    max_consecutive_failures: int | None
    """So many dead runs in a row disable it. None, the default: never."""


class ScheduleStatus(RoutineStatus, frozen=True, kw_only=True):
    """A schedule as it stood when it was read."""

    queue: str
    args: Mapping[str, Any]
    """Arguments of the call, in their JSON form."""
    changed_by: str
    """Who wrote its definition last."""
    changed_at: datetime


class Schedule(Routine):
    """One schedule by name. All methods raise NotFound if there is none."""

    kind = Kind.SCHEDULE

    def __init__(self, app: Triggers, name: str, changed: bool | None = None) -> None:
        super().__init__(app, name)
        self.changed = changed
        """From `upsert`: whether it was made or changed by that; False: it was so already."""

    def status(self) -> ScheduleStatus:
        """How it is doing."""
        with self._app.shared.use() as store:
            return status_of(self._row(store))

    def delete(self) -> None:
        """Remove it; its jobs stay, and run."""
        super().delete()

    def _unknown(self, store: Store) -> str:
        meant = self._meant(store)
        hint = f"Did you mean {meant!r}?" if meant else f"Make it: app.schedules.upsert({self.name!r}, …)"
        return f"There is no schedule {self.name!r} in the store. {hint}"


class Puts(Triggers, Producer, Protocol):
    """What `app.schedules` needs of its app."""

    @property
    def tasks(self) -> Mapping[str, Task[..., Any]]: ...


class Schedules:
    """`app.schedules`: those that were added at run time, by name, or all of them. What code declares is `app.routines`."""

    def __init__(self, app: Puts) -> None:
        self._app = app

    def upsert(self, name: str, call: Call[Any], *, by: str = "", **given: Unpack[ScheduleOptions]) -> Schedule:
        """Let this call be made by time: `upsert("report-7", report.call(7), cron="0 6 * * *", tz="Europe/Oslo")`.

        Makes the schedule, or changes it: its rule, its call and all options are as given now; whether it is paused or
        disabled, and how it went, stays. An interval that stays the same goes on as it was. Queue, priority, timeout and
        such are those of the call (`report.options(queue="slow").call(7)`).

        Raises UsageError and PayloadError for what cannot be, and Refused for the name of a routine, which code declares.
        """
        check_names("app.schedules.upsert()", ScheduleOptions, given)
        checked(self._app, [call])
        if call.parents or call.task.tx is not None:
            raise UsageError(
                f"Schedule {name!r}: its call can neither come after jobs nor be written in a transaction (tx); what it comes "
                "after, depends_on says. Nothing was changed."
            )
        return self._put(name, call.task.new_job(bytes(16), call.args, call.kwargs), by, given)

    def upsert_by_name(
        self,
        name: str,
        task: str,
        arguments: Mapping[str, Any],
        *,
        by: str = "",
        options: CallOptions | None = None,
        **given: Unpack[ScheduleOptions],
    ) -> Schedule:
        """`upsert` of a task whose code may be elsewhere, with arguments by name; `options` are those of the call.

        Checked is what `app.enqueue_by_name` checks."""
        check_names("app.schedules.upsert_by_name()", ScheduleOptions, given)
        options = options or {}
        check_names("app.schedules.upsert_by_name(options=…)", CallOptions, options)
        known = self._app.tasks.get(task)
        return self._put(name, named_job(known, task, arguments, options, lambda: bytes(16)), by, given)

    def __getitem__(self, name: str) -> Schedule:
        """The handle of a schedule. Reads nothing yet."""
        return Schedule(self._app, name)

    def list(self) -> list[ScheduleStatus]:
        """All schedules that were added at run time, by name."""
        with self._app.shared.use() as store:
            return [status_of(row) for row in store.insights.schedules(Kind.SCHEDULE.value)]

    def __iter__(self) -> Iterator[Schedule]:
        return (Schedule(self._app, status.name) for status in self.list())

    def _put(self, name: str, job: NewJob, by: str, given: ScheduleOptions) -> Schedule:
        definition = _definition(task_name(name), job, given)
        with self._app.shared.use() as store:
            _check_known(store, definition)
            changed = store.put_schedule(definition, self._app.who(by))
        return Schedule(self._app, definition.name, changed)


def status_of(row: ScheduleRow) -> ScheduleStatus:
    """The record of a row."""
    args = msgspec.json.decode(row.definition.args)
    return ScheduleStatus.of(
        row, queue=row.definition.queue, args=args, changed_by=row.changed_by, changed_at=from_at(row.changed_at)
    )


def _definition(name: str, job: NewJob, given: ScheduleOptions) -> Definition:
    if job.delay_us or job.run_at is not None or job.after:
        raise UsageError(
            f"Schedule {name!r}: its call has a time of its own (delay, at) or comes after jobs (after). Its rule says when: "
            "leave that out. Nothing was changed."
        )
    failures = given.get("max_consecutive_failures")
    return schedule_of(job, name, Kind.SCHEDULE, Mode.SCHEDULED, given, max_failures=failures)


def _check_known(store: Store, definition: Definition) -> None:
    """What it depends on has to be there, and must not in the end depend on it. Raises DefinitionError."""
    if not definition.depends_on:
        return
    known = {row.definition.name: row.definition for row in store.insights.schedules()} | {definition.name: definition}
    strange = next((each for each in definition.depends_on if each not in known), None)
    if strange is not None:
        meant = nearest(strange, known)
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet schedules ls; relet routines ls"
        raise DefinitionError(
            f"Schedule {definition.name!r} depends on {strange!r}, which is not in the store. Nothing was changed. {hint}"
        )
    reached: dict[str, Definition] = {}
    ahead = [definition.name]
    while ahead:
        name = ahead.pop()
        if name in known and name not in reached:
            reached[name] = known[name]
            ahead += known[name].depends_on
    check_together(reached)
