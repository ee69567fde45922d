"""What a schedule fires at a look at it, and when to look again. Pure.

Whoever looks holds the schedule, so looks come one after the other, whichever worker takes them. A due time is fired at most
once, whatever the clock does: the store refuses a second firing of the same time.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from relet.clock import SECOND
from relet.job.recurrence import ON_TIME_US, Recurrence
from relet.job.schedule import Mode, Schedule

AGAIN_US = SECOND
"""A continuous schedule whose run has just ended is looked at again so much later: one that ends at once must not spin."""

DUE, KEPT_UP = "due", "kept up"
"""Why a job was made: its due time came, or there are to be so many runs of a continuous schedule."""

MOST_LOOKED_AT = 10_000
"""Due times that one call looks at to make up for them."""

MADE_UP = "made up for by "
"""How the cause of a run begins that somebody asked for, for a due time in the past."""


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
    missed: int = 0
    """How many due times since then have no run."""


class Passed(NamedTuple):
    """A due time that is not fired."""

    due_at: int
    because: str


class Around(NamedTuple):
    """What a look finds beside the schedule itself."""

    now: int
    live: int = 0
    """Its runs that have not ended, but for those that make up for due times: what is due now waits behind these."""
    unmet: bool = False
    """Something that it depends on has not succeeded since it was fired last."""
    closed: bool = False
    """Its queue takes no new jobs."""
    taken: frozenset[int] = frozenset()
    """Times up to now, not settled as far as its progress tells, that have a firing: the clock was set back, or somebody made
    up for them. After a clock that was set back also those from now on, up to where it is settled."""


class Plan(NamedTuple):
    """What a look has come to."""

    fire: tuple[int, ...]
    """Due times, which rise; each gets a job."""
    missed: int
    """How many due times between the one that was fired last and the first of these have no run."""
    passed: tuple[Passed, ...]
    progress: Progress


class MadeUp(NamedTuple):
    """Due times in the past that get a run after all."""

    fire: tuple[int, ...]
    """They rise."""
    had: int
    """How many beside them had one."""
    next_at: int | None
    """Where to go on, if that was not all."""


OVERLAP = "the run before it had not ended"
CLOSED = "its queue was closed"


def first(schedule: Schedule, now: int) -> Progress:
    """How far a schedule is that is made now. An interval begins with a run, a cron expression with its first due time."""
    if schedule.mode is Mode.CONTINUOUS:
        return Progress(now, now)
    if schedule.rule is None:
        return Progress(now, None)
    settled = now - 1 if schedule.rule.every_us else now
    return Progress(settled, schedule.rule.next_after(settled))


def look(schedule: Schedule, progress: Progress, around: Around) -> Plan:
    """What to fire now. Raises UsageError if this host does not know the time zone of the rule."""
    if schedule.mode is Mode.CONTINUOUS:
        return _keep_up(schedule, progress, around)
    fire, missed, following = _due(schedule, progress, around)
    pending = progress.pending_at
    if pending is not None and pending not in around.taken.union(fire):
        missed += bool(fire) and pending <= around.now  # else it comes again
        fire = fire or (pending,)
    if schedule.depends_on and fire:  # one run for each success of theirs: the newest due time has it
        missed, fire = missed + len(fire) - 1, fire[-1:]
    ahead = progress._replace(settled_until=around.now, next_at=following, pending_at=None, missed=missed)
    if not fire:
        return Plan((), missed, (), ahead)
    if around.unmet:
        return Plan((), missed, (), ahead._replace(pending_at=fire[-1]))
    late_us = 0 if progress.next_at is None else around.now - progress.next_at
    return _let(schedule, fire, ahead, around, nobody_came=late_us > ON_TIME_US)


def is_due(schedule: Schedule, at: int) -> bool:
    """Whether its rule names this moment."""
    return schedule.rule is not None and schedule.rule.next_after(at - 1) == at


def made_up(schedule: Schedule, start_at: int, end_at: int, taken: Collection[int], limit: int) -> MadeUp:
    """Make up for due times from `start_at` until before `end_at` that have no run, at most `limit`."""
    found: list[int] = []
    had, at = 0, start_at - 1
    for _ in range(MOST_LOOKED_AT):
        following = None if schedule.rule is None else schedule.rule.next_after(at)
        if following is None or following >= end_at:
            return MadeUp(tuple(found), had, None)
        if following in taken:
            had += 1
        elif len(found) == limit:
            return MadeUp(tuple(found), had, following)
        else:
            found.append(following)
        at = following
    return MadeUp(tuple(found), had, at + 1)


def _due(schedule: Schedule, progress: Progress, around: Around) -> tuple[tuple[int, ...], int, int | None]:
    """Due times to fire, how many have no run so far, and the next one."""
    if schedule.rule is None:
        return (), progress.missed, None
    # Behind a clock that was set back, times come again. Those that were fired are known by their firings.
    due = schedule.rule.due(min(progress.settled_until, around.now), around.now)
    fire = tuple(at for at in due.fire if at not in around.taken)
    others = around.taken.difference(due.fire, (progress.pending_at,))
    left_out = sum(1 for at in others if at <= around.now and is_due(schedule, at))
    missed = max(0, progress.missed - _uncounted(schedule.rule, progress, around))
    return fire, missed + max(0, due.missed - left_out), due.next


def _uncounted(rule: Recurrence, progress: Progress, around: Around) -> int:
    """How many due times were counted as missed that come again, as the clock was set back: they may have their run then."""
    since, until = max(around.now, progress.previous_at or 0), progress.settled_until
    if since >= until:
        return 0
    again = rule.due(since, until)
    known = around.taken | ({progress.pending_at} if progress.pending_at is not None else set[int]())
    return (
        len(again.fire) + again.missed - sum(1 for at in known if since < at <= until and rule.next_after(at - 1) == at)
    )


def _let(schedule: Schedule, fire: tuple[int, ...], ahead: Progress, around: Around, *, nobody_came: bool) -> Plan:
    """As many as may run beside those that do, or wait behind these; the others are passed over. What catch-up has chosen, as
    nobody came for it, waits behind a run that was left behind."""
    number, because = len(fire), OVERLAP
    if around.closed:
        number, because = 0, CLOSED
    elif around.live and schedule.overlap != "allow":  # else those that are fired together go one after the other
        behind = len(fire) if nobody_came else int(schedule.overlap == "queue")
        number = max(0, 1 + behind - around.live)
    going, late = fire[:number], fire[number:]
    missed = ahead.missed
    if going:
        ahead = ahead._replace(previous_at=going[-1], missed=0)
    ahead = ahead._replace(missed=ahead.missed + len(late))
    return Plan(going, missed, tuple(Passed(at, because) for at in late), ahead)


def _keep_up(schedule: Schedule, progress: Progress, around: Around) -> Plan:
    """As many as there should be. Whoever has made some looks again, and so does who could not."""
    lacking = max(0, schedule.replicas - around.live)
    fire: tuple[int, ...] = ()
    if not around.closed:
        start = max(around.now, (progress.previous_at or 0) + 1, max(around.taken, default=0) + 1)
        fire = tuple(range(start, start + lacking))
    again = around.now + AGAIN_US if lacking else None
    previous = fire[-1] if fire else progress.previous_at
    return Plan(fire, 0, (), progress._replace(settled_until=around.now, next_at=again, previous_at=previous))
