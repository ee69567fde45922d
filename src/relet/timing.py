"""When something is due: what routines, and schedules that are added at run time, say alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from relet.errors import UsageError
from relet.job.duration import Duration
from relet.job.job import NewJob
from relet.job.names import task_name
from relet.job.recurrence import Catchup, Recurrence
from relet.job.schedule import Kind, Mode, Overlap, Schedule


class WhenOptions(TypedDict, total=False):
    """When, and what holds a run back."""

    every: Duration
    """So much time between the due times. The first one is when it is first written to the store."""
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
    """Names of routines and schedules. A due time waits until each of them has succeeded since this one was fired last."""
    enabled: bool
    """How it begins its life; afterwards people steer that."""


_OF_RULES = frozenset({"every", "cron", "tz", "catchup", "jitter"})


def rule_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of these options that make a rule."""
    return {name: value for name, value in given.items() if name in _OF_RULES}


def schedule_of(job: NewJob, name: str, kind: Kind, mode: Mode, given: WhenOptions, **more: Any) -> Schedule:
    """The definition that makes jobs like this one when these options say; `more` are further fields of it. Raises UsageError."""
    return Schedule(
        name=name,
        kind=kind,
        mode=mode,
        task=job.task,
        args=job.args,
        queue=job.queue,
        priority=job.priority,
        options=job.options,
        needs=job.needs,
        rule=Recurrence.of(**rule_options(given)) if mode is Mode.SCHEDULED else None,
        overlap=given.get("overlap", "skip"),
        depends_on=names_in("depends_on", given.get("depends_on", ())),
        enabled=given.get("enabled", True),
        **more,
    )


def names_in(option: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names that an option lists. Raises UsageError."""
    if isinstance(names, str):
        raise UsageError(f"{option}={names!r} is text. Give a list of names: [{names!r}].")
    return tuple(task_name(name) for name in names)
