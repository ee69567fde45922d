"""Schedules: put, steered, looked at, over any link.

A look holds the schedule's row from reading it to the commit, so that of two workers one fires, and what somebody changes
meanwhile comes before it or after it. Each due time has one row in `firing`, which is made with its job or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from relet.clock import Clock
from relet.errors import NotFound, Refused, UsageError
from relet.job.firing import Passed, Plan, Progress, first, look
from relet.job.job import After, Fired, Need, NewJob
from relet.job.schedule import Mode, Schedule
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.drive import drive
from relet.store.enqueue import script
from relet.store.link import Link, Row, Tx
from relet.store.page import ANY_TEXT, page_size
from relet.store.records import Firing, Look, Triggered
from relet.store.rows import FiringRow, ScheduleRow

MakeIds = Callable[[int], list[bytes]]
"""New job ids, so many."""

DUE, KEPT_UP = "due", "kept up"
CLOSED = "its queue was closed"

_LATEST_AT = 2**62


class Schedules(ABC):
    """The verbs of schedules."""

    _link: Link
    real: Clock

    def declare_schedules(self, schedules: Sequence[Schedule], by: str) -> int:
        return sum(self.put_schedule(schedule, by) for schedule in sorted(schedules, key=lambda each: each.name))

    @repeated
    def put_schedule(self, schedule: Schedule, by: str) -> bool:
        """Most of the time it is as it should be, and nothing is written."""
        with self._link.read() as tx:
            found = _rows(tx, schedule.name)
        if found and _same(found[0].definition, schedule):
            return False
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            tx.all("schedule_hold", schedule=schedule.name)
            found = _rows(tx, schedule.name)
            if found and _same(found[0].definition, schedule):
                return False
            if found and found[0].definition.kind is not schedule.kind:
                raise Refused(
                    f"There is a {found[0].definition.kind} named {schedule.name!r} already, of {found[0].changed_by}. "
                    "Nothing was changed. Choose another name, or delete that one first."
                )
            if found:
                _change(tx, found[0], schedule, by, now)
            else:
                _make(tx, schedule, by, now)
            return True

    @repeated
    def delete_schedule(self, schedule: str) -> bool:
        with self._link.write() as tx:
            if not tx.all("schedule_hold", schedule=schedule):
                return False
            return tx.run("schedule_delete", schedule=schedule) > 0

    @repeated
    def pause_schedule(self, schedule: str, by: str, reason: str) -> bool:
        with self._link.write() as tx:
            return tx.run("schedule_pause", schedule=schedule, by=storable(by), reason=storable(reason)) > 0

    @repeated
    def resume_schedule(self, schedule: str) -> bool:
        return self._go_on(schedule, "schedule_resume")

    @repeated
    def disable_schedule(self, schedule: str, by: str, reason: str) -> bool:
        with self._link.write() as tx:
            return tx.run("schedule_disable", schedule=schedule, by=storable(by), reason=storable(reason)) > 0

    @repeated
    def enable_schedule(self, schedule: str) -> bool:
        return self._go_on(schedule, "schedule_enable")

    def _go_on(self, name: str, statement: str) -> bool:
        with self._link.write() as tx:
            found = _held(tx, name)
            if found is None:
                return False
            now = int(tx.all("session_now")[0][0])
            ahead = _from(found.definition, now)
            return tx.run(statement, schedule=name, settled_at=ahead.settled_until, next_at=ahead.next_at) > 0

    def next_firing(self) -> int | None:
        with self._link.read() as tx:
            soonest, now = tx.all("schedule_next")[0]
            for definition, seen in tx.all("schedule_waiting"):
                with suppress(UsageError):  # of a later version: others fire it
                    if not _unmet(tx, _definition(definition), msgspec.json.decode(seen)):
                        return int(now)
            return None if soonest is None else int(soonest)

    def fire_due(self, ids: MakeIds, limit: int) -> Look:
        with self._link.write() as tx:
            names = [name for (name,) in tx.all("schedule_due", limit=limit)]
            result, jobs = _look_at(tx, names, ids)
        self._tie_new(jobs)
        return result

    @repeated
    def trigger_schedule(self, schedule: str, by: str, job_id: bytes, *, force: bool = False) -> Triggered:
        with self._link.write() as tx:
            found = _held(tx, schedule)
            if found is None:
                raise NotFound(f"There is no schedule {schedule!r}. List them with: relet routines ls")
            if tx.all("firing_of", job_id=job_id):  # the call is repeated
                return Triggered(job_id)
            refusal = "" if force else _refusal(found)
            if refusal:
                return Triggered(None, refusal)
            now = int(tx.all("session_now")[0][0])
            run = _Run(found, _free(tx, schedule, now), 0, f"triggered by {storable(by)}")
            jobs = _fire(tx, [run], lambda _: [job_id])
            tx.run("schedule_fired", schedule=schedule, seen=_seen(tx, found.definition))
        self._tie_new(jobs)
        return Triggered(job_id)

    @abstractmethod
    def _tie_new(self, jobs: Sequence[NewJob]) -> None:
        """Let those that come after others be known to these."""


class ScheduleReading:
    """Schedules as people see them."""

    _link: Link

    def schedules(self, kind: str = "") -> list[ScheduleRow]:
        with self._link.read() as tx:
            return [_in_full(tx, row) for row in _rows(tx, ANY_TEXT, kind)]

    def schedule(self, schedule: str) -> ScheduleRow | None:
        with self._link.read() as tx:
            found = _rows(tx, schedule) if schedule else []
            return _in_full(tx, found[0]) if found else None

    def firings(self, schedule: str, before: int | None = None, limit: int = 50) -> list[FiringRow]:
        older = _LATEST_AT if before is None else before
        with self._link.read() as tx:
            return [
                FiringRow(*row)
                for row in tx.all("firing_page", schedule=schedule, older_at=older, limit=page_size(limit))
            ]


class _Run(NamedTuple):
    """A run to be made."""

    row: ScheduleRow
    due_at: int
    missed: int
    cause: str


def _look_at(tx: Tx, names: Iterable[str], ids: MakeIds) -> tuple[Look, list[NewJob]]:
    now = int(tx.all("session_now")[0][0])
    runs: list[_Run] = []
    passed: list[tuple[str, int, str]] = []
    unreadable: list[tuple[str, str]] = []
    for name in names:
        try:
            row = _in_full(tx, _rows(tx, name)[0])
            plan = look(row.definition, row.progress, now, len(row.live), bool(row.unmet))
        except UsageError as error:  # of a later version, or in a time zone that this host does not know
            unreadable.append((name, str(error)))
            continue
        if plan.fire and _closed(tx, row.definition.queue):
            plan = plan._replace(fire=(), passed=(*plan.passed, *(Passed(at, CLOSED) for at in plan.fire)))
        runs += _go_on_by(tx, row, plan)
        passed += [(row.definition.name, at, because) for at, because in plan.passed]
    jobs = _fire(tx, runs, ids)
    fires = [job.options.fire for job in jobs]
    fired = tuple(Firing(f.schedule, f.due_at, job.id) for f, job in zip(fires, jobs, strict=True) if f is not None)
    return Look(fired, tuple(passed), tuple(unreadable)), jobs


def _go_on_by(tx: Tx, row: ScheduleRow, plan: Plan) -> list[_Run]:
    """Write down how far it has come, and what was passed over; returns the runs to make."""
    name, ahead = row.definition.name, plan.progress
    tx.run(
        "schedule_went_on",
        schedule=name,
        settled_at=ahead.settled_until,
        next_at=ahead.next_at,
        pending_at=ahead.pending_at,
        previous_at=ahead.previous_at,
    )
    for at, because in plan.passed:
        tx.run("firing_new", schedule=name, due_at=at, job_id=None, cause=because)
    if plan.fire:
        tx.run("schedule_fired", schedule=name, seen=_seen(tx, row.definition))
    cause = DUE if row.definition.rule is not None else KEPT_UP
    return [_Run(row, at, plan.missed if n == 0 else 0, cause) for n, at in enumerate(plan.fire)]


def _fire(tx: Tx, runs: Sequence[_Run], ids: MakeIds) -> list[NewJob]:
    """Make the jobs of those runs whose due time was not fired before."""
    jobs: list[NewJob] = []
    before: dict[str, NewJob] = {}
    for run, job_id in zip(runs, ids(len(runs)) if runs else [], strict=True):
        name = run.row.definition.name
        if not tx.run("firing_new", schedule=name, due_at=run.due_at, job_id=job_id, cause=run.cause):
            continue
        before[name] = _job(run, job_id, before.get(name))
        jobs.append(before[name])
    if jobs:
        drive(tx, script(jobs))
    return jobs


def _job(run: _Run, job_id: bytes, before: NewJob | None) -> NewJob:
    """`before` is the run of the same schedule that is made with it, and comes first."""
    schedule, live = run.row.definition, run.row.live
    previous = run.row.progress.previous_at
    if before is not None and before.options.fire is not None:
        previous = before.options.fire.due_at
    fire = Fired(schedule.name, run.due_at, previous, run.missed, run.cause)
    in_turn = schedule.overlap != "allow" and schedule.mode is not Mode.CONTINUOUS
    behind = before.id if before is not None else live[-1] if live else None
    start_at = (
        schedule.rule.start_at(schedule.name, run.due_at) if schedule.rule is not None and run.cause == DUE else None
    )
    return NewJob(
        job_id,
        schedule.task,
        schedule.queue,
        schedule.priority,
        schedule.args,
        replace(schedule.options, fire=fire),
        schedule.needs,
        run_at=start_at,
        after=(After(behind, Need.END),) if in_turn and behind is not None else (),
    )


def _closed(tx: Tx, queue: str) -> bool:
    return any(by is not None for _, by, _, _ in tx.all("enqueue_closed", queue=queue))


def _refusal(row: ScheduleRow) -> str:
    """Why a person may not trigger it now; empty: nothing is against it."""
    if row.disabled_at is not None:
        return f"it is disabled by {row.disabled_by}: {row.disable_reason}. Enable it first"
    if row.live and row.definition.overlap == "skip":
        return "its last run has not ended"
    if row.unmet:
        return f"{', '.join(row.unmet)} has not succeeded since its last run"
    return ""


def _free(tx: Tx, name: str, now: int) -> int:
    """A due time of its own for a run that nobody planned."""
    taken = {at for _, at, *_ in tx.all("firing_page", schedule=name, older_at=_LATEST_AT, limit=page_size(500))}
    return next(at for at in range(now, now + len(taken) + 1) if at not in taken)


def _make(tx: Tx, schedule: Schedule, by: str, now: int) -> None:
    anchored = _anchored(schedule, now)
    ahead = first(anchored, now)
    reason = "" if schedule.enabled else "it is declared so"
    tx.run("schedule_new", **_values(anchored, ahead), by=storable(by), reason=reason)


def _change(tx: Tx, row: ScheduleRow, schedule: Schedule, by: str, now: int) -> None:
    anchored, ahead = _kept_anchor(row.definition, schedule, now), row.progress
    if anchored.rule != row.definition.rule or anchored.mode != row.definition.mode:
        ahead = _from(anchored, now)
    tx.run("schedule_change", **_values(anchored, ahead), by=storable(by))


def _values(schedule: Schedule, ahead: Progress) -> dict[str, Any]:
    return {
        "schedule": schedule.name,
        "kind": schedule.kind.value,
        "mode": schedule.mode.value,
        "definition": msgspec.json.encode(schedule).decode(),
        "max_failures": schedule.max_failures,
        "settled_at": ahead.settled_until,
        "next_at": ahead.next_at,
    }


def _from(schedule: Schedule, now: int) -> Progress:
    """As from now on: what was due before is done with."""
    ahead = first(schedule, now)
    return ahead if schedule.rule is None else Progress(now, schedule.rule.next_after(now))


def _anchored(schedule: Schedule, now: int) -> Schedule:
    rule = schedule.rule
    if rule is None or not rule.every_us or rule.anchor_at:
        return schedule
    return replace(schedule, rule=replace(rule, anchor_at=now))


def _kept_anchor(before: Schedule, schedule: Schedule, now: int) -> Schedule:
    """The same interval goes on as it was."""
    if before.rule is not None and schedule.rule is not None and before.rule.every_us == schedule.rule.every_us:
        return _anchored(schedule, before.rule.anchor_at or now)
    return _anchored(schedule, now)


def _same(stored: Schedule, wanted: Schedule) -> bool:
    return stored == _kept_anchor(stored, wanted, 0)


def _held(tx: Tx, name: str) -> ScheduleRow | None:
    if not tx.all("schedule_hold", schedule=name):
        return None
    return _in_full(tx, _rows(tx, name)[0])


def _in_full(tx: Tx, row: ScheduleRow) -> ScheduleRow:
    """With its runs that have not ended, and what it waits for."""
    return row._replace(live=_live(tx, row.definition.name), unmet=_unmet(tx, row.definition, row.seen))


def _live(tx: Tx, name: str) -> tuple[bytes, ...]:
    return tuple([job_id for (job_id,) in tx.all("firing_open", schedule=name)])


def _unmet(tx: Tx, schedule: Schedule, seen: Mapping[str, int]) -> tuple[str, ...]:
    if not schedule.depends_on:
        return ()
    successes = _successes(tx, schedule)
    return tuple(name for name in schedule.depends_on if successes.get(name, 0) <= seen.get(name, 0))


def _seen(tx: Tx, schedule: Schedule) -> str:
    return msgspec.json.encode(_successes(tx, schedule)).decode() if schedule.depends_on else "{}"


def _successes(tx: Tx, schedule: Schedule) -> dict[str, int]:
    rows = tx.each("schedule_successes", [{"schedule": name} for name in schedule.depends_on])
    return {name: int(count) for name, count in rows}


def _rows(tx: Tx, name: str, kind: str = ANY_TEXT) -> list[ScheduleRow]:
    return [_row(row) for row in tx.all("schedule_rows", schedule=name, kind=kind)]


def _row(row: Row) -> ScheduleRow:
    _, _, definition, *steered = row
    before, (settled, next_at, pending_at, previous_at, seen), after = steered[:9], steered[9:14], steered[14:]
    progress = Progress(settled, next_at, pending_at, previous_at)
    return ScheduleRow._make((_definition(definition), *before, progress, msgspec.json.decode(seen), *after, (), ()))


def _definition(text: str) -> Schedule:
    try:
        return msgspec.json.decode(text, type=Schedule)
    except msgspec.MsgspecError as error:
        raise UsageError(f"A schedule of the store cannot be read (is it of a later version?): {error}") from None
