"""A look at schedules: what is due is fired, all in the transaction that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from relet.errors import UsageError
from relet.job.firing import DUE, KEPT_UP, Around, Plan, Progress, look
from relet.job.job import After, Fired, Need, NewJob
from relet.job.schedule import Mode
from relet.store.drive import drive
from relet.store.enqueue import script
from relet.store.link import Tx
from relet.store.records import Firing, Look
from relet.store.rows import ScheduleRow
from relet.store.schedule_reading import bare, in_full, seen_now, successes

MakeIds = Callable[[int], list[bytes]]
"""New job ids, so many."""


class Run(NamedTuple):
    """A run to be made."""

    row: ScheduleRow
    due_at: int
    missed: int
    cause: str

    @property
    def planned(self) -> bool:
        """It is for a due time that has just come, so the jitter of its rule holds."""
        return self.cause == DUE


class _Planned(NamedTuple):
    row: ScheduleRow
    plan: Plan


def look_at(tx: Tx, names: Sequence[str], ids: MakeIds) -> tuple[Look, list[NewJob]]:
    """Look at these schedules, which are held; returns what came of it, and the jobs."""
    now = int(tx.all("session_now")[0][0])
    planned, unreadable = _plans(tx, in_full(tx, bare(tx, names)), now)
    _write(tx, planned, now)
    jobs = fire(tx, [run for each in planned for run in _runs(each)], ids)
    passed = tuple((row.definition.name, due_at, because) for row, plan in planned for due_at, because in plan.passed)
    waiting = tuple(row.definition.name for row, plan in planned if plan.progress.pending_at is not None)
    stay = (*waiting, *(name for name, _ in unreadable))
    return Look(fired_by(jobs), passed, unreadable, looked=len(names), left=stay), jobs


def disabled(tx: Tx) -> tuple[tuple[str, str], ...]:
    """Those that failures have disabled, of which nobody was told before."""
    found = tx.all("schedule_untold")
    if found:
        tx.many("schedule_told", [{"schedule": name} for name, _ in found])
    return tuple((name, reason or "") for name, reason in found)


def fired_by(jobs: Sequence[NewJob]) -> tuple[Firing, ...]:
    """The firings that these jobs are for."""
    fires = [job.options.fire for job in jobs]
    return tuple(Firing(one.schedule, one.due_at, job.id) for one, job in zip(fires, jobs, strict=True) if one)


def _plans(tx: Tx, rows: Sequence[ScheduleRow], now: int) -> tuple[list[_Planned], tuple[tuple[str, str], ...]]:
    taken, closed = _taken(tx, rows, now), _closed(tx, rows)
    planned: list[_Planned] = []
    unreadable: list[tuple[str, str]] = []
    for row in rows:
        schedule = row.definition
        live, times = len(row.live) - row.making_up, frozenset(taken.get(schedule.name, ()))
        around = Around(now, live, bool(row.unmet), schedule.queue in closed, times)
        try:
            if row.unreadable:
                raise UsageError(row.unreadable)
            planned.append(_Planned(row, look(schedule, row.progress, around)))
        except UsageError as error:  # of a later version, or in a time zone that this host does not know
            unreadable.append((schedule.name, str(error)))
    return planned, tuple(unreadable)


def _taken(tx: Tx, rows: Sequence[ScheduleRow], now: int) -> dict[str, list[int]]:
    wanted = [
        {
            "schedule": row.definition.name,
            "settled_at": min(row.progress.settled_until, now),
            "until_at": max(row.progress.settled_until, now),
            "pending_at": row.progress.pending_at,
        }
        for row in rows
    ]
    found: dict[str, list[int]] = {}
    for name, due_at in tx.each("firing_taken", wanted) if wanted else ():
        found.setdefault(name, []).append(int(due_at))
    return found


def _closed(tx: Tx, rows: Sequence[ScheduleRow]) -> frozenset[str]:
    queues = sorted({row.definition.queue for row in rows})
    found = tx.each("enqueue_closed", [{"queue": queue} for queue in queues])
    return frozenset(queue for queue, by, _, _ in found if by is not None)


def _write(tx: Tx, planned: Sequence[_Planned], now: int) -> None:
    """How far they have come, what was passed over, and what was fired."""
    ahead = [went_on(row.definition.name, plan.progress) for row, plan in planned if _moves(row, plan, now)]
    passed = [
        {"schedule": row.definition.name, "due_at": due_at, "job_id": None, "cause": because}
        for row, plan in planned
        for due_at, because in plan.passed
    ]
    fired = [row.definition for row, plan in planned if plan.fire]
    done = successes(tx, {name for schedule in fired for name in schedule.depends_on})
    seen = [{"schedule": schedule.name, "seen": seen_now(schedule, done)} for schedule in fired]
    for statement, rows in (("schedule_went_on", ahead), ("firing_new", passed), ("schedule_fired", seen)):
        if rows:
            tx.many(statement, rows)


def _moves(row: ScheduleRow, plan: Plan, now: int) -> bool:
    """Whether a look has changed anything: one that waits for others is looked at each time."""
    before, ahead = row.progress, plan.progress
    return before.settled_until > now or ahead != before._replace(settled_until=ahead.settled_until)


def went_on(name: str, ahead: Progress) -> Mapping[str, Any]:
    """The parameters of the statement that writes down how far a schedule has come."""
    return {
        "schedule": name,
        "settled_at": ahead.settled_until,
        "next_at": ahead.next_at,
        "pending_at": ahead.pending_at,
        "previous_at": ahead.previous_at,
        "missed": ahead.missed,
    }


def _runs(planned: _Planned) -> list[Run]:
    row, plan = planned
    cause = DUE if row.definition.rule is not None else KEPT_UP
    return [Run(row, at, plan.missed if n == 0 else 0, cause) for n, at in enumerate(plan.fire)]


def fire(tx: Tx, runs: Sequence[Run], ids: MakeIds, statement: str = "firing_new") -> list[NewJob]:
    """Make the jobs of those runs whose due time has none. Raises Refused for a closed queue."""
    if not runs:
        return []
    made = list(zip(runs, ids(len(runs)), strict=True))
    rows = [
        {"schedule": run.row.definition.name, "due_at": run.due_at, "job_id": job_id, "cause": run.cause}
        for run, job_id in made
    ]
    jobs: list[NewJob] = []
    before: dict[str, NewJob] = {}
    for (run, job_id), written in zip(made, tx.many(statement, rows), strict=True):
        if written:
            name = run.row.definition.name
            before[name] = _job(run, job_id, before.get(name))
            jobs.append(before[name])
    if jobs:
        drive(tx, script(jobs))
    return jobs


def _job(run: Run, job_id: bytes, before: NewJob | None) -> NewJob:
    """`before` is the run of the same schedule that is made with it, and comes first."""
    schedule, live = run.row.definition, run.row.live
    previous = run.row.progress.previous_at
    if before is not None and before.options.fire is not None:
        previous = before.options.fire.due_at
    in_turn = schedule.overlap != "allow" and schedule.mode is not Mode.CONTINUOUS
    behind = before.id if before is not None else live[-1] if live else None
    start_at = schedule.rule.start_at(schedule.name, run.due_at) if schedule.rule is not None and run.planned else None
    return NewJob(
        job_id,
        schedule.task,
        schedule.queue,
        schedule.priority,
        schedule.args,
        replace(schedule.options, fire=Fired(schedule.name, run.due_at, previous, run.missed, run.cause)),
        schedule.needs,
        run_at=start_at,
        after=(After(behind, Need.END),) if in_turn and behind is not None else (),
    )
