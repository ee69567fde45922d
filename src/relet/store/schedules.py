"""Schedules: put, steered, looked at, over any link.

A look holds the schedule's row from reading it to the commit, so that of two workers one fires, and what somebody changes
meanwhile comes before it or after it. Each due time has one row in `firing`, which is made with its job or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from relet.clock import SECOND, Clock
from relet.errors import NotFound, Refused, UsageError
from relet.job.firing import MADE_UP, MOST_LOOKED_AT, MadeUp, Progress, first, is_due, made_up
from relet.job.job import NewJob
from relet.job.schedule import Kind, Mode, Schedule
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.link import Link, Tx
from relet.store.looks import MakeIds, Run, disabled, fire, fired_by, look_at, went_on
from relet.store.records import Backfillable, Backfilled, Declared, Look, Taken, Triggered
from relet.store.rows import ScheduleRow
from relet.store.schedule_reading import bare, definition_of, one, seen_now, successes, unmet
from relet.store.standing import session_rows

MOST_MADE_UP = 1_000
"""Runs that one call makes up for."""


class Schedules(ABC):
    """The verbs of schedules."""

    _link: Link
    real: Clock

    def declare_schedules(self, schedules: Sequence[Schedule], by: str) -> Declared:
        changed, taken, refused = 0, list[Taken](), list[tuple[str, str]]()
        for schedule in sorted(schedules, key=lambda each: each.name):
            try:
                put = self._put(schedule, by)
            except Refused as refusal:
                refused.append((schedule.name, str(refusal)))
                continue
            changed += put.changed
            taken += [] if put.taken is None else [put.taken]
        return Declared(changed, tuple(taken), tuple(refused))

    def put_schedule(self, schedule: Schedule, by: str) -> bool:
        return self._put(schedule, by).changed

    @repeated
    def _put(self, schedule: Schedule, by: str) -> _Put:
        """Most of the time it is as it should be, and nothing is written."""
        with self._link.read() as tx:
            found = bare(tx, [schedule.name])
        if found and _same(found[0], schedule):
            return _Put(False)
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            tx.all("schedule_hold", schedule=schedule.name)
            found = bare(tx, [schedule.name])
            if found and _same(found[0], schedule):
                return _Put(False)
            if not found:
                _make(tx, schedule, by, now)
                return _Put(True)
            _refuse_other_kind(found[0], schedule)
            _change(tx, found[0], schedule, by, now)
            return _Put(True, _taken_over(tx, found[0], schedule))

    @repeated
    def delete_schedule(self, schedule: str) -> bool:
        with self._link.write() as tx:
            found = _held(tx, schedule)
            if found is None:
                return False
            knowing = _knowing(tx, found.definition.task) if found.definition.kind is Kind.ROUTINE else []
            if knowing:
                raise Refused(
                    f"Routine {schedule!r} is declared by code, and {_some(knowing)} would declare it again. Nothing was "
                    "changed. Take it out of the code first, or disable it."
                )
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
            ahead = _from_now(found, now)
            return tx.run(statement, schedule=name, settled_at=ahead.settled_until, next_at=ahead.next_at) > 0

    def next_firing(self) -> int | None:
        with self._link.read() as tx:
            soonest, now, untold = tx.all("schedule_next")[0]
            if untold:
                return int(now)
            for text, seen in tx.all("schedule_waiting"):
                with suppress(UsageError):  # of a later version: others fire it
                    waiting = definition_of(text)
                    if not unmet(waiting, msgspec.json.decode(seen), successes(tx, waiting.depends_on)):
                        return int(now)
            return None if soonest is None else int(soonest)

    def fire_due(self, ids: MakeIds, limit: int, leave: Collection[str] = ()) -> Look:
        with self._link.write() as tx:
            told = disabled(tx)
            due = [name for (name,) in tx.all("schedule_due", limit=limit + len(leave)) if name not in leave]
            result, jobs = look_at(tx, due[:limit], ids)
        self._tie_new(jobs)
        return result._replace(disabled=told)

    @repeated
    def trigger_schedule(self, schedule: str, by: str, job_id: bytes, *, force: bool = False) -> Triggered:
        with self._link.write() as tx:
            found = _known(tx, schedule)
            if tx.all("firing_of", job_id=job_id):  # the call is repeated
                return Triggered(job_id)
            refusal = found.unreadable or _never(found) or ("" if force else _refusal(found))
            if refusal:
                return Triggered(None, refusal)
            now = int(tx.all("session_now")[0][0])
            run = Run(found, _free(tx, found.definition, now), 0, f"triggered by {storable(by)}")
            jobs = fire(tx, [run], lambda _: [job_id])
            seen = seen_now(found.definition, successes(tx, found.definition.depends_on))
            tx.run("schedule_fired", schedule=schedule, seen=seen)
        self._tie_new(jobs)
        return Triggered(job_id)

    @repeated
    def backfill_schedule(
        self, schedule: str, start_at: int, end_at: int, by: str, ids: MakeIds, limit: int = MOST_MADE_UP
    ) -> Backfilled:
        with self._link.write() as tx:
            found, now = _known(tx, schedule), int(tx.all("session_now")[0][0])
            _check_backfill(found, start_at, end_at, now)
            plan = _to_make_up(tx, found.definition, start_at, end_at, limit)
            runs = [Run(found, at, 0, f"{MADE_UP}{storable(by)}") for at in plan.fire]
            jobs = fire(tx, runs, ids, "firing_made_up")
            _count_made_up(tx, found, plan.fire)
        self._tie_new(jobs)
        return Backfilled(fired_by(jobs), plan.had, plan.next_at)

    def to_make_up(self, schedule: str, start_at: int, end_at: int, limit: int = MOST_MADE_UP) -> Backfillable:
        with self._link.read() as tx:
            found = one(tx, schedule)
            if found is None:
                raise _no_schedule(schedule)
            _check_backfill(found, start_at, end_at, int(tx.all("session_now")[0][0]))
            plan = _to_make_up(tx, found.definition, start_at, end_at, limit)
        return Backfillable(plan.fire, plan.had, plan.next_at)

    @abstractmethod
    def _tie_new(self, jobs: Sequence[NewJob]) -> None:
        """Let those that come after others be known to these."""


class _Put(NamedTuple):
    """What came of putting a schedule."""

    changed: bool
    taken: Taken | None = None


def _refuse_other_kind(row: ScheduleRow, schedule: Schedule) -> None:
    """Code and people do not change each other's."""
    if row.definition.kind is schedule.kind:
        return
    name = schedule.name
    if schedule.kind is Kind.SCHEDULE:
        raise Refused(
            f"There is a routine named {name!r}, which code declares (last: {row.changed_by}). Nothing was changed. Give the "
            "schedule another name."
        )
    raise Refused(
        f"There is a schedule named {name!r}, which {row.changed_by} has added at run time. It stays as it is, and the routine "
        f"of that name is not fired. Give the routine another name, or delete the schedule: relet schedules delete {name}"
    )


def _taken_over(tx: Tx, row: ScheduleRow, schedule: Schedule) -> Taken | None:
    """Whether live workers know the task that it ran so far, and it runs another one now: they declare it, too."""
    before = row.definition.task
    if schedule.kind is not Kind.ROUTINE or before in ("", schedule.task) or not _knowing(tx, before):
        return None
    return Taken(schedule.name, schedule.task, before, row.changed_by)


def _knowing(tx: Tx, task: str) -> list[str]:
    """The live workers that know this task."""
    live = [row for row in session_rows(tx, 0) if row.live]
    return sorted(row.worker for row in live if task in msgspec.json.decode(row.tasks))


def _some(workers: Sequence[str]) -> str:
    more = f" and {len(workers) - 3} more" if len(workers) > 3 else ""
    return f"{'worker' if len(workers) == 1 else 'workers'} {', '.join(workers[:3])}{more}"


def _never(row: ScheduleRow) -> str:
    """Why nobody may trigger it, not even by force."""
    return "it is continuous, and has all its runs by itself" if row.definition.mode is Mode.CONTINUOUS else ""


def _refusal(row: ScheduleRow) -> str:
    """Why a person may not trigger it now; empty: nothing is against it."""
    if row.disabled_at is not None:
        reason = f": {row.disable_reason}" if row.disable_reason else ""
        return f"it is disabled by {row.disabled_by}{reason}. Enable it first"
    if row.live and row.definition.overlap == "skip":
        return "its last run has not ended"
    if row.unmet:
        return f"{', '.join(row.unmet)} has not succeeded since its last run"
    return ""


def _free(tx: Tx, schedule: Schedule, now: int) -> int:
    """A time of its own for a run that nobody planned, which takes no due time away."""
    at = now
    while _planned(schedule, at) or tx.all("firing_at", schedule=schedule.name, due_at=at):
        at += 1
    return at


def _planned(schedule: Schedule, at: int) -> bool:
    try:
        return is_due(schedule, at)
    except UsageError:  # in a time zone that this host does not know
        return at % SECOND == 0


def _make(tx: Tx, schedule: Schedule, by: str, now: int) -> None:
    anchored = _anchored(schedule, now)
    ahead = first(anchored, now)
    reason = "" if schedule.enabled else "it is declared so"
    tx.run("schedule_new", **_values(anchored, ahead), by=storable(by), reason=reason)


def _change(tx: Tx, row: ScheduleRow, schedule: Schedule, by: str, now: int) -> None:
    anchored, ahead = _kept_anchor(row.definition, schedule, now), row.progress
    if anchored.mode is Mode.CONTINUOUS or (anchored.rule, anchored.mode) != (row.definition.rule, row.definition.mode):
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


def _from_now(row: ScheduleRow, now: int) -> Progress:
    """The same. What cannot be reckoned here is left to whoever can: it is looked at at once."""
    try:
        return Progress(now, now) if row.unreadable else _from(row.definition, now)
    except UsageError:
        return Progress(now, now)


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


def _same(row: ScheduleRow, wanted: Schedule) -> bool:
    return not row.unreadable and row.definition == _kept_anchor(row.definition, wanted, 0)


def _held(tx: Tx, name: str) -> ScheduleRow | None:
    return one(tx, name) if tx.all("schedule_hold", schedule=name) else None


def _known(tx: Tx, name: str) -> ScheduleRow:
    row = _held(tx, name)
    if row is None:
        raise _no_schedule(name)
    return row


def _no_schedule(name: str) -> NotFound:
    return NotFound(f"There is no schedule {name!r}. List them with: relet schedules ls; relet routines ls")


def _to_make_up(tx: Tx, schedule: Schedule, start_at: int, end_at: int, limit: int) -> MadeUp:
    between = {"schedule": schedule.name, "start_at": start_at, "end_at": end_at, "limit": MOST_LOOKED_AT}
    had = {int(at) for (at,) in tx.all("firing_between", **between)}
    return made_up(schedule, start_at, end_at, had, max(1, min(limit, MOST_MADE_UP)))


def _check_backfill(row: ScheduleRow, start_at: int, end_at: int, now: int) -> None:
    title = f"{row.definition.kind.capitalize()} {row.definition.name!r}"
    if row.unreadable:
        raise UsageError(row.unreadable)
    if row.definition.rule is None:
        raise UsageError(f"{title} has no due times: it is {row.definition.mode}. Nothing was enqueued.")
    if not start_at < end_at <= now:
        raise UsageError(
            f"{title}: a backfill goes from an earlier moment to a later one that has passed. Nothing was enqueued."
        )
    if row.disabled_at is not None:
        raise Refused(f"{title}: {_refusal(row)}. Nothing was enqueued.")


def _count_made_up(tx: Tx, row: ScheduleRow, times: Sequence[int]) -> None:
    """What is made up for is not missed any more."""
    progress = row.progress
    late = sum(1 for at in times if (progress.previous_at or 0) < at <= progress.settled_until)
    if late and progress.missed:
        ahead = progress._replace(missed=max(0, progress.missed - late))
        tx.run("schedule_went_on", **went_on(row.definition.name, ahead))
