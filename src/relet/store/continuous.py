"""Continuous schedules: what their runs have done so far, and which of them are not wanted any more.

A continuous run has no end of its own: its passes are told while it goes on, and it is cancelled when its schedule says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from relet.job.schedule import Mode, Schedule
from relet.store.contention import repeated
from relet.store.link import Tx
from relet.store.records import Passes, Surplus
from relet.store.rows import ScheduleRow
from relet.store.schedule_reading import bare
from relet.store.steering import Steering

BY = "relet"


class _Run(NamedTuple):
    """A run that nobody has asked to end, and what it was made as."""

    schedule: str
    job_id: bytes
    task: str
    queue: str
    args: str
    priority: int

    def is_of(self, schedule: Schedule) -> bool:
        """Whether it is what would be made today."""
        return self[2:] == (schedule.task, schedule.queue, schedule.args, schedule.priority)


class Continuous(Steering):
    """The verbs of continuous schedules."""

    @repeated
    def tell_passes(self, passes: Sequence[Passes]) -> None:
        """Pointers first, then schedules: as whoever ends a run."""
        counters = [
            {"job_id": one.job_id, "session_id": one.session_id, "epoch": one.epoch}
            for one in sorted(passes, key=lambda one: one.job_id)
        ]
        told = [
            {"schedule": one.schedule, "job_id": one.job_id, "n": one.passes}
            for one in sorted(passes, key=lambda one: one.schedule)
        ]
        with self._link.write() as tx:
            tx.many("pass_counters", counters)
            tx.many("pass_told", told)

    def trim_schedules(self, grace_us: int) -> list[Surplus]:
        """Each is cancelled on its own. Whoever else looks finds the same ones, and a cancel may be repeated."""
        with self._link.read() as tx:
            surplus = _surplus(tx)
        for one in surplus:
            self.cancel(one.job_id, one.reason, BY, grace_us)
        return surplus


def _surplus(tx: Tx) -> list[Surplus]:
    runs = [_Run(*row) for row in tx.all("firing_kept_up")]
    rows = {row.definition.name: row for row in bare(tx, {run.schedule for run in runs})} if runs else {}
    grouped = groupby(runs, key=lambda run: run.schedule)
    return [surplus for name, its in grouped for surplus in _too_many(name, rows.get(name), list(its))]


def _too_many(name: str, row: ScheduleRow | None, runs: Sequence[_Run]) -> Iterator[Surplus]:
    """Which of these runs are too many, the oldest first, so that the youngest ones go."""
    reason = _over(name, row)
    if row is None or reason:
        yield from (Surplus(name, run.job_id, reason) for run in runs)
        return
    if row.unreadable:  # by a later version, which sees to it
        return
    schedule, kept = row.definition, 0
    for run in runs:
        if not run.is_of(schedule):
            yield Surplus(name, run.job_id, f"{schedule.kind} {name!r} has another definition now")
        elif kept == schedule.replicas:
            yield Surplus(name, run.job_id, f"{schedule.kind} {name!r} is to have {schedule.replicas} at once")
        else:
            kept += 1


def _over(name: str, row: ScheduleRow | None) -> str:
    """Why there is to be no run at all; empty: there is."""
    if row is None:
        return f"schedule {name!r} was deleted"
    kind = row.definition.kind
    if row.disabled_at is not None:
        return f"{kind} {name!r} was disabled by {row.disabled_by}: {row.disable_reason or 'no reason given'}"
    if row.paused_at is not None:
        return f"{kind} {name!r} was paused by {row.paused_by}: {row.pause_reason or 'no reason given'}"
    if not row.unreadable and row.definition.mode is not Mode.CONTINUOUS:
        return f"{kind} {name!r} is not continuous any more"
    return ""
