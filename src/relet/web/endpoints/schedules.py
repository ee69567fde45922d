"""Routines of code, and schedules that were added at run time: listed, triggered, paused, enabled, made up for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

import msgspec

from relet.errors import NotFound
from relet.job.moment import to_at
from relet.job.schedule import Kind
from relet.routines import Routine
from relet.schedules import ScheduleOptions
from relet.shapes import records
from relet.shapes.schedules import FiringOut, RoutineOut, ScheduleOut
from relet.shapes.words import moment
from relet.store.port import Store
from relet.store.rows import ScheduleRow
from relet.store.standby import standing_by
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name, Note, PageSize
from relet.web.visitor import Role


class RoutineList(TypedDict):
    """All routines, by name."""

    routines: list[RoutineOut]


class ScheduleList(TypedDict):
    """All schedules that were added at run time, by name."""

    schedules: list[ScheduleOut]


class OneSchedule(Input):
    """A routine or schedule by name."""

    name: Name


class History(OneSchedule):
    """A page of what became of due times."""

    before: str | None = None
    """Due before then: an ISO 8601 time, the `next` of the page before."""
    limit: PageSize = 50


class FiringPage(TypedDict):
    """Due times, the newest first, and what became of them."""

    firings: list[FiringOut]
    next: str | None


class TriggerOne(OneSchedule):
    """A routine or schedule to be run now."""

    force: bool = False
    """Also while it is disabled, paused, or waits for what it depends on."""


class Triggered(TypedDict):
    """The job that runs it."""

    name: str
    job_id: str


class Hold(OneSchedule):
    """A routine or schedule to be paused or disabled."""

    reason: Note = ""


class BackfillOne(OneSchedule):
    """Due times that passed without a run, to be made up for."""

    start: str
    end: str
    limit: PageSize = 500
    dry_run: bool = False


class BackfilledOut(TypedDict):
    """What was made up for."""

    name: str
    jobs: list[str]
    due_times: list[str]
    """Those that have got a run; with `dry_run`, would."""
    had: int
    """Due times that had a run already."""
    next: str | None
    """Where to go on, if the limit came before the end."""


class PutSchedule(OneSchedule):
    """A schedule to be added or changed: which task, with what, when."""

    task: Name
    args: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    every: str | float | None = None
    cron: str | None = None
    tz: str | None = None
    catchup: str | int | None = None
    overlap: Literal["skip", "queue", "allow"] | None = None
    jitter: str | float | None = None
    max_consecutive_failures: int | None = None


def list_routines(call: Call, _given: Input) -> RoutineList:
    """List routines, and how their runs went."""
    return RoutineList(routines=[_record(call.store, row) for row in call.store.insights.schedules(Kind.ROUTINE.value)])


def list_schedules(call: Call, _given: Input) -> ScheduleList:
    """List schedules that were added at run time."""
    rows = call.store.insights.schedules(Kind.SCHEDULE.value)
    return ScheduleList(schedules=[records.schedule_out(row) for row in rows])


def put_schedule(call: Call, given: PutSchedule) -> ScheduleOut:
    """Add a schedule, or change the one of this name."""
    before = call.store.insights.schedule(given.name)
    call.trace.was = None if before is None else records.schedule_out(before)
    names = ("every", "cron", "tz", "catchup", "overlap", "jitter", "max_consecutive_failures")
    said = {name: value for name in names if (value := getattr(given, name)) is not None}
    options = ScheduleOptions(**said)  # type: ignore[typeddict-item]  # they are checked where all options are
    call.app.schedules.upsert_by_name(given.name, given.task, given.args, by=call.by, **options)
    became = records.schedule_out(_row(call.store, given.name, Kind.SCHEDULE))
    call.trace.done, call.trace.became = 1, became
    return became


class _Steering:
    """What routines and schedules have alike."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def show(self, call: Call, given: OneSchedule) -> RoutineOut:
        """Show one, and how its runs went."""
        return _record(call.store, self._row(call, given))

    def history(self, call: Call, given: History) -> FiringPage:
        """List its due times, and what became of them."""
        before = None if given.before is None else to_at(moment(given.before, name="before"), name="before")
        firings = call.store.insights.firings(given.name, before, given.limit)
        found = [records.firing_out(row) for row in firings]
        return FiringPage(firings=found, next=found[-1]["due_at"] if len(found) == given.limit else None)

    def trigger(self, call: Call, given: TriggerOne) -> Triggered:
        """Run it now; says why, if it may not."""
        job_id = self._handle(call, given).trigger(force=given.force, by=call.by)
        call.trace.done = 1
        return Triggered(name=given.name, job_id=str(job_id))

    def pause(self, call: Call, given: Hold) -> RoutineOut:
        """Let it make no runs by time until it is resumed."""
        return self._changed(call, given, lambda one: one.pause(given.reason, by=call.by))

    def resume(self, call: Call, given: OneSchedule) -> RoutineOut:
        """End its pause."""
        return self._changed(call, given, lambda one: one.resume())

    def enable(self, call: Call, given: OneSchedule) -> RoutineOut:
        """Let it run again after it was disabled, with no failures counted."""
        return self._changed(call, given, lambda one: one.enable())

    def disable(self, call: Call, given: Hold) -> RoutineOut:
        """Let it make no runs, not even triggered ones, until it is enabled."""
        return self._changed(call, given, lambda one: one.disable(given.reason, by=call.by))

    def backfill(self, call: Call, given: BackfillOne) -> BackfilledOut:
        """Make up for due times that passed without a run; with `dry_run`, say which."""
        start, end = moment(given.start, name="start"), moment(given.end, name="end")
        one = self._handle(call, given)
        found = one.backfill(start, end, limit=given.limit, by=call.by, dry_run=given.dry_run)
        call.trace.done = len(found.jobs)
        after = None if found.next_at is None else found.next_at.isoformat()
        return BackfilledOut(
            name=given.name,
            jobs=[str(job_id) for job_id in found.jobs],
            due_times=[at.isoformat() for at in found.due_times],
            had=found.had,
            next=after,
        )

    def delete(self, call: Call, given: OneSchedule) -> RoutineOut:
        """Delete it with its history. One that code declares comes back when a worker starts."""
        was = _record(call.store, self._row(call, given))
        self._handle(call, given).delete()
        call.trace.done, call.trace.was = 1, was
        return was

    def _row(self, call: Call, given: OneSchedule) -> ScheduleRow:
        return _row(call.store, given.name, self._kind)

    def _handle(self, call: Call, given: OneSchedule) -> Routine:
        self._row(call, given)
        app = call.app
        return app.routines[given.name] if self._kind is Kind.ROUTINE else app.schedules[given.name]

    def _changed(self, call: Call, given: OneSchedule, change: Callable[[Routine], object]) -> RoutineOut:
        call.trace.was = _state(_record(call.store, self._row(call, given)))
        change(self._handle(call, given))
        became = _record(call.store, self._row(call, given))
        call.trace.done, call.trace.became = 1, _state(became)
        return became


def _of(kind: Kind) -> tuple[Endpoint, ...]:
    one, noun = _Steering(kind), f"{kind.value}s"
    path = f"/{noun}/{{name}}"
    return (
        Endpoint(f"{noun}.show", "GET", path, Role.VIEWER, one.show),
        Endpoint(f"{noun}.delete", "DELETE", path, Role.OPERATOR, one.delete),
        Endpoint(f"{noun}.history", "GET", f"{path}/history", Role.VIEWER, one.history),
        Endpoint(f"{noun}.trigger", "POST", f"{path}/trigger", Role.OPERATOR, one.trigger),
        Endpoint(f"{noun}.pause", "POST", f"{path}/pause", Role.OPERATOR, one.pause),
        Endpoint(f"{noun}.resume", "POST", f"{path}/resume", Role.OPERATOR, one.resume),
        Endpoint(f"{noun}.enable", "POST", f"{path}/enable", Role.OPERATOR, one.enable),
        Endpoint(f"{noun}.disable", "POST", f"{path}/disable", Role.OPERATOR, one.disable),
        Endpoint(f"{noun}.backfill", "POST", f"{path}/backfill", Role.OPERATOR, one.backfill),
    )


def _row(store: Store, name: str, kind: Kind) -> ScheduleRow:
    row = store.insights.schedule(name)
    if row is None or row.definition.kind is not kind:
        raise NotFound(f"There is no {kind.value} {name!r}. Nothing was done.")
    return row


def _record(store: Store, row: ScheduleRow) -> RoutineOut:
    return (
        records.routine_out(row, standing_by(store, row))
        if row.definition.kind is Kind.ROUTINE
        else records.schedule_out(row)
    )


def _state(found: RoutineOut) -> dict[str, str | None]:
    return {"state": found["state"], "paused": found["pause_reason"], "disabled": found["disable_reason"]}


ENDPOINTS = (
    Endpoint("routines.list", "GET", "/routines", Role.VIEWER, list_routines),
    *_of(Kind.ROUTINE),
    Endpoint("schedules.list", "GET", "/schedules", Role.VIEWER, list_schedules),
    Endpoint("schedules.put", "PUT", "/schedules/{name}", Role.OPERATOR, put_schedule),
    *_of(Kind.SCHEDULE),
)
