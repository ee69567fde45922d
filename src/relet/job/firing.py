"""What a schedule fires at a look at it, and when to look again. Pure.

Whoever looks holds the schedule, so looks come one after the other, whichever worker takes them. A due time is fired at most
once, whatever the clock does: the store refuses a second firing of the same time.
"""

from __future__ import annotations

from typing import NamedTuple

from relet.clock import SECOND
from relet.job.schedule import Mode, Schedule

AGAIN_US = SECOND
"""A continuous schedule whose run has just ended is looked at again so much later: one that ends at once must not spin."""


class Progress(NamedTuple):
    """How far a schedule has come."""

    settled_until: int
    """Due times up to here are done with."""
    next_at: int | None
    """When to look again; None: only when told."""
    pending_at: int | None = None
    """The latest due time that waits for what the schedule depends on."""
    previous_at: int | None = None
    """The due time that was fired last."""


class Passed(NamedTuple):
    """A due time that is not fired."""

    due_at: int
    because: str


class Plan(NamedTuple):
    """What a look has come to."""

    fire: tuple[int, ...]
    """Due times, which rise; each gets a job."""
    missed: int
    """How many more due times have passed, which are not made up for."""
    passed: tuple[Passed, ...]
    progress: Progress


OVERLAP = "the run before it had not ended"


def first(schedule: Schedule, now: int) -> Progress:
    """How far a schedule is that is made now. An interval begins with a run, a cron expression with its first due time."""
    if schedule.mode is Mode.CONTINUOUS:
        return Progress(now, now)
    if schedule.rule is None:
        return Progress(now, None)
    settled = now - 1 if schedule.rule.every_us else now
    return Progress(settled, schedule.rule.next_after(settled))


def look(schedule: Schedule, progress: Progress, now: int, live: int, unmet: bool) -> Plan:
    """What to fire now, if so many runs have not ended, and what it depends on is still unmet, or is not.

    Raises UsageError if this host does not know the time zone of the rule."""
    if schedule.mode is Mode.CONTINUOUS:
        return _keep_up(schedule, progress, now, live)
    # Behind a clock that was set back, times come again. Those that were fired are known by their firings.
    settled = min(progress.settled_until, now)
    due = schedule.rule.due(settled, now) if schedule.rule is not None else None
    fire, missed, following = (due.fire, due.missed, due.next) if due is not None else ((), 0, None)
    if not fire and progress.pending_at is not None:
        fire = (progress.pending_at,)
    ahead = progress._replace(settled_until=now, next_at=following, pending_at=None)
    if not fire:
        return Plan((), missed, (), ahead)
    if unmet:
        return Plan((), missed + len(fire) - 1, (), ahead._replace(pending_at=fire[-1]))
    return _overlapping(schedule, fire, missed, ahead, live)


def _overlapping(schedule: Schedule, fire: tuple[int, ...], missed: int, ahead: Progress, live: int) -> Plan:
    room = {
        "skip": len(fire) if not live else 0,
        "allow": len(fire),
        "queue": max(0, len(fire) if not live else 2 - live),
    }
    going, late = fire[: room[schedule.overlap]], fire[room[schedule.overlap] :]
    if going:
        ahead = ahead._replace(previous_at=going[-1])
    return Plan(going, missed, tuple(Passed(at, OVERLAP) for at in late), ahead)


def _keep_up(schedule: Schedule, progress: Progress, now: int, live: int) -> Plan:
    lacking = max(0, schedule.replicas - live)
    start = max(now, (progress.previous_at or 0) + 1)
    fire = tuple(range(start, start + lacking))
    ahead = progress._replace(settled_until=now, next_at=None, previous_at=fire[-1] if fire else progress.previous_at)
    return Plan(fire, 0, (), ahead)
