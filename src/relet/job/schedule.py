"""A schedule: which job is made when, and what holds it back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Literal, get_args

import msgspec
from msgspec.structs import replace

from relet.errors import DefinitionError, UsageError
from relet.job.job import Options
from relet.job.limits import BLOCK, ROUTINES
from relet.job.nearest import nearest
from relet.job.recurrence import Recurrence
from relet.job.textsafe import shown

Overlap = Literal["skip", "allow", "queue"]
"""What becomes of a due time while an earlier run has not ended: it is passed over; it runs beside it; it waits behind
it, and while one waits, further ones are passed over."""

MOST_REPLICAS = 1_000


class Kind(StrEnum):
    """Where a schedule comes from, which decides who lists it."""

    ROUTINE = "routine"
    """Code declares it beside its function."""
    SCHEDULE = "schedule"
    """Somebody put it into the store at run time."""


class Mode(StrEnum):
    """What makes its jobs."""

    SCHEDULED = "scheduled"
    """Its rule: an interval, or a cron expression."""
    TRIGGERED = "triggered"
    """People and programs."""
    CONTINUOUS = "continuous"
    """There is always so many of it: when a run has ended, the next one is made."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The definition of a schedule. How it went is in the store, see `relet.store.rows.ScheduleRow`."""

    name: str
    kind: Kind
    mode: Mode
    task: str
    args: str = "{}"
    queue: str = "default"
    priority: int = 1
    options: Options = Options()
    """Of each job. Its `fire` is filled in when it is made."""
    needs: tuple[str, ...] = ()
    rule: Recurrence | None = None
    """Of mode scheduled, and of no other. An anchor of 0 stands for the moment when the schedule is made."""
    overlap: Overlap = "skip"
    replicas: int = 1
    """Of mode continuous: how many runs there are at once."""
    standby: int = 0
    """Of mode continuous: how many further workers should be able to take over."""
    depends_on: tuple[str, ...] = ()
    """Schedules that must each have succeeded since this one was fired last."""
    blocks: tuple[str, ...] = ()
    """Schedules beside whose runs none of this one ever runs, and the other way round."""
    max_failures: int | None = None
    """Disabled when so many runs in a row are dead. None: never."""
    enabled: bool = True
    """Whether it is when it is made; afterwards that is steered."""

    def __post_init__(self) -> None:
        if (self.rule is None) == (self.mode is Mode.SCHEDULED):
            raise UsageError(f"Schedule {self.name!r}: exactly the mode scheduled has a rule; this one is {self.mode}.")
        if self.name in self.depends_on:
            raise UsageError(f"Schedule {self.name!r} cannot depend on itself.")
        if self.name in self.blocks:
            raise UsageError(f"Schedule {self.name!r} cannot block itself. Whether its runs overlap, overlap says.")
        if self.options.unique is not None:
            raise UsageError(
                f"Schedule {self.name!r}: its jobs cannot have a unique key, here {self.options.unique!r}. Each due time is "
                "fired once by itself; what becomes of one while a run has not ended, overlap says. Leave it out: "
                "task.options(unique=False)."
            )
        if self.overlap not in get_args(Overlap):
            raise UsageError(f'overlap: {shown(self.overlap)} is not one of "skip", "allow", "queue".')
        if not 1 <= self.replicas <= MOST_REPLICAS or (self.replicas > 1 and self.mode is not Mode.CONTINUOUS):
            raise UsageError(
                f"Schedule {self.name!r}: replicas={self.replicas} is not 1 to {MOST_REPLICAS:,}, or it is not continuous."
            )
        if self.max_failures is not None and self.max_failures < 1:
            raise UsageError(f"Schedule {self.name!r}: max_failures={self.max_failures} is not 1 or more.")


def check_together(schedules: Mapping[str, Schedule]) -> None:
    """Raise DefinitionError if one of these depends on a name that is none of them, or in the end on itself, or if it blocks one
    that is none of them, or that always runs."""
    for schedule in schedules.values():
        for name in (*schedule.depends_on, *schedule.blocks):
            if name not in schedules:
                meant = nearest(name, schedules)
                hint = f"Did you mean {meant!r}?" if meant else f"There are: {', '.join(sorted(schedules))}."
                raise DefinitionError(
                    f"{schedule.kind} {schedule.name!r} names {name!r}, which is not declared. {hint}"
                )
        for name in schedule.blocks:
            if Mode.CONTINUOUS in (schedule.mode, schedules[name].mode):
                always = name if schedules[name].mode is Mode.CONTINUOUS else schedule.name
                raise DefinitionError(
                    f"{schedule.kind} {schedule.name!r} blocks {name!r}, but {always!r} is continuous: it always runs, and the "
                    "other one never could."
                )
    try:
        TopologicalSorter({name: schedules[name].depends_on for name in schedules}).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise DefinitionError(
            f"These depend on each other, so that none could ever run: {circle}. Take one of them out."
        ) from None


def gated(schedules: Mapping[str, Schedule], *, counted: bool) -> dict[str, Schedule]:
    """The same, with the limits that keep those apart which block each other; and, if they are to be `counted`, with the one on
    how many run at once. Continuous ones always run, and are not."""
    pairs = {(min(one.name, other), max(one.name, other)) for one in schedules.values() for other in one.blocks}
    found: dict[str, Schedule] = {}
    for name, schedule in schedules.items():
        names = [f"{BLOCK}{first}|{second}" for first, second in sorted(pairs) if name in (first, second)]
        names += [ROUTINES] * (counted and schedule.mode is not Mode.CONTINUOUS)
        more = tuple((limit, "", 1) for limit in names)
        options = replace(schedule.options, gates=(*schedule.options.gates, *more))
        found[name] = replace(schedule, options=options) if more else schedule
    return found
