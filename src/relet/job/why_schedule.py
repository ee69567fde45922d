"""Why a schedule or a routine does not run now, in sentences for people: the decisive reason first. Pure.

`ScheduleStanding` is what is known of it and its surroundings in one snapshot of the store. All times are microseconds
since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import NamedTuple
from uuid import UUID

from relet.errors import UsageError
from relet.job.duration import format_us
from relet.job.firing import Progress
from relet.job.limits import QueueLimit
from relet.job.schedule import Mode, Schedule
from relet.job.surroundings import Closed, LiveWorker, Pause
from relet.job.textsafe import one_line
from relet.job.why_held import Tripped, held_by
from relet.job.why_limited import Line, held_back, stands_before
from relet.job.why_words import because, listed, wall


class Needed(NamedTuple):
    """What a schedule depends on, and waits for."""

    name: str
    state: str
    """running, disabled, paused, waiting, idle, unreadable; empty: it is not in the store."""


class LastFiring(NamedTuple):
    """What became of its latest due time or trigger."""

    due_at: int
    job_id: bytes | None
    cause: str
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStanding:
    """Where a schedule stands, and everything that decides whether it runs now."""

    schedule: Schedule
    now: int
    progress: Progress
    unreadable: str = ""
    disabled: Pause | None = None
    paused: Pause | None = None
    failures: int = 0
    """Dead runs in a row."""
    error: str = ""
    """Of the last dead run."""
    live: tuple[tuple[bytes, str], ...] = ()
    """Its runs that have not ended: (job, state)."""
    making_up: int = 0
    """How many of them make up for due times in the past."""
    needed: tuple[Needed, ...] = ()
    """What has not succeeded since it was fired last."""
    last: LastFiring | None = None
    queue_paused: Pause | None = None
    queue_closed: Closed | None = None
    limit: QueueLimit | None = None
    """What its queue is held to."""
    lines: tuple[tuple[bytes, Line], ...] = ()
    """Its runs that wait before a limit by name and key, or beside another that they block."""
    workers: tuple[LiveWorker, ...] = ()
    breakers: tuple[Tripped, ...] = ()
    """Of its task and its queue, that are not closed."""

    @property
    def continuous(self) -> bool:
        return self.schedule.mode is Mode.CONTINUOUS

    @property
    def title(self) -> str:
        """ "Routine fetch-data", for the beginning of a sentence."""
        return f"{self.schedule.kind.capitalize()} {one_line(self.schedule.name)}"

    def command(self, verb: str) -> str:
        """The command that does this to it."""
        return f"relet {self.schedule.kind}s {verb} {quote(self.schedule.name)}"


def explain_schedule(standing: ScheduleStanding) -> list[str]:
    """Why it does not run, or that it does, and when it will. Never empty."""
    stopped = [*_stopped(standing)]
    if standing.unreadable or standing.disabled is not None:
        return [*stopped, *_runs(standing), *_passed(standing)]
    hindrances = [
        *stopped,
        *_nobody_looks(standing),
        *_waits(standing),
        *_closed(standing),
        *_runs(standing),
        *_work(standing),
    ]
    when = [] if standing.paused is not None else [*_when(standing)]
    return [*hindrances, *when, *_passed(standing), *_failed(standing)]


# ── what people, versions and failures have stopped ─────────────────────────────────────────────────────────────────
def _stopped(it: ScheduleStanding) -> Iterator[str]:
    if it.unreadable:
        yield (
            f"{it.title} was written by a later version, and only workers of that one fire it: {one_line(it.unreadable)} "
            "Start such a worker, or one whose code declares it anew."
        )
    if it.disabled is not None:
        by_failures = it.disabled.by == "relet" and it.error
        reason = f"{it.disabled.reason}; the last one: {it.error}" if by_failures else it.disabled.reason
        yield (
            f"{it.title} is disabled {_by(it, it.disabled)}{because(reason)}: it does not run, not even when triggered. "
            f"Enable it: {it.command('enable')}"
        )
    if it.paused is not None:
        still = "it does not run" if it.continuous else "it does not run by time, but may be triggered"
        since = f"{_by(it, it.paused)}{because(it.paused.reason)}"
        yield f"{it.title} is paused {since}: {still}. Resume it: {it.command('resume')}"


def _by(it: ScheduleStanding, hold: Pause) -> str:
    return f"by {one_line(hold.by or 'somebody')} since {wall(hold.at)}, {_ago(it, hold.at)}"


def _nobody_looks(it: ScheduleStanding) -> Iterator[str]:
    if not it.workers:
        start = f"relet worker -q {quote(it.schedule.queue)}"
        yield f"No worker is alive, so nobody fires {one_line(it.schedule.name)} nor runs its jobs. Start one: {start}"


# ── what it waits for ───────────────────────────────────────────────────────────────────────────────────────────────
def _waits(it: ScheduleStanding) -> Iterator[str]:
    if not it.needed:
        return
    pending = it.progress.pending_at
    since = f"is due since {wall(pending)} and waits for" if pending is not None else "will wait for"
    first = it.needed[0]
    each = "it" if len(it.needed) == 1 else "each"
    yield (
        f"{it.title} {since} {listed([_needed(needed) for needed in it.needed])}: {each} must succeed once after "
        f"{one_line(it.schedule.name)} was fired last. See why: relet why {quote(first.name)}"
    )


def _needed(needed: Needed) -> str:
    return f"{one_line(needed.name)} ({needed.state or 'not in the store: no worker has declared it'})"


def _closed(it: ScheduleStanding) -> Iterator[str]:
    if it.queue_closed is not None:
        yield (
            f"Queue {one_line(it.schedule.queue)} was closed by {one_line(it.queue_closed.by or 'somebody')} "
            f"{_ago(it, it.queue_closed.at)}{because(it.queue_closed.reason)}: due times are passed over until it is open. "
            f"Open it: relet queues resume {quote(it.schedule.queue)}"
        )


def _runs(it: ScheduleStanding) -> Iterator[str]:
    """Its runs that have not ended, and what becomes of due times meanwhile."""
    if not it.live:
        return
    runs = listed([f"{UUID(bytes=job_id)} ({state})" for job_id, state in it.live])
    see = f"relet why {UUID(bytes=it.live[0][0])}"
    goes_on = it.disabled is None and it.paused is None and any(state == "running" for _, state in it.live)
    if it.continuous and goes_on:
        yield f"{it.title} runs all the time; now: {runs}. See how far it is: {see}"
        return
    count = "1 run has" if len(it.live) == 1 else f"{len(it.live)} runs have"
    yield f"{count} not ended: {runs}{_meanwhile(it)}. See why: {see}"


def _meanwhile(it: ScheduleStanding) -> str:
    schedule = it.schedule
    if it.continuous or schedule.overlap == "allow":
        return ""
    if it.making_up == len(it.live):
        return "; these make up for due times in the past, and one that is due now waits behind them"
    if schedule.overlap == "queue":
        return "; one due time waits behind it, further ones are passed over (overlap: queue)"
    return "; due times that come before it ends are passed over (overlap: skip)"


# ── who could run it ────────────────────────────────────────────────────────────────────────────────────────────────
def _work(it: ScheduleStanding) -> Iterator[str]:
    queue = it.schedule.queue
    if it.queue_paused is not None:
        yield (
            f"Queue {one_line(queue)} is paused {_by(it, it.queue_paused)}{because(it.queue_paused.reason)}: its jobs are made, "
            f"and wait. Resume it: relet queues resume {quote(queue)}"
        )
    for job_id, line in it.lines:
        yield f"Of its run {UUID(bytes=job_id)}: {stands_before(line, it.now)}"
    yield from held_by(it.breakers, it.now)
    able = able_to_run(it.schedule, it.workers)
    if it.limit is not None:
        yield from held_back(
            queue, it.limit, it.now, {worker.name: worker.of_queue for worker in able if not worker.verb}
        )
    if it.workers and not able:
        yield f"{nobody_runs(it.schedule, it.workers)} Start one that does: relet worker -q {quote(queue)}"


def able_to_run(schedule: Schedule, workers: Sequence[LiveWorker]) -> list[LiveWorker]:
    """Those of these workers that take its queue, know its task and offer what it needs."""
    return [worker for worker in workers if worker.can_run(schedule.task, schedule.queue, schedule.needs)]


def nobody_runs(schedule: Schedule, workers: Sequence[LiveWorker]) -> str:
    """Why none of these workers can run its jobs, in a sentence."""
    serving = [worker for worker in workers if worker.serves(schedule.queue)]
    knowing = [worker for worker in serving if schedule.task in worker.tasks]
    if not serving:
        what = f"serves queue {one_line(schedule.queue)}"
    elif not knowing:
        what = f"of queue {one_line(schedule.queue)} knows task {one_line(schedule.task)}"
    else:
        what = f"that knows its task offers {listed([one_line(need) for need in schedule.needs])}"
    names = listed(sorted({one_line(worker.name) for worker in workers}))
    return f"No live worker {what} (alive: {names}): its jobs are made, and wait."


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _when(it: ScheduleStanding) -> Iterator[str]:
    schedule, next_at = it.schedule, it.progress.next_at
    if schedule.mode is Mode.TRIGGERED:
        yield f"{it.title} has no times: it runs when it is triggered. Run it now: {it.command('trigger')}"
    elif schedule.mode is Mode.CONTINUOUS:
        if not it.live:
            yield f"{it.title} is continuous: its next run is made within a second by any live worker."
    elif (flaw := _unknown_zone(schedule)) is not None:
        yield (
            f"This host cannot reckon {one_line(schedule.name)}, and leaves it to others: {flaw} Install time zone data (tzdata) "
            "on the hosts of your workers."
        )
    elif next_at is None:
        yield f"{it.title} has no due time any more: {_rule(schedule)} names none. Change its rule."
    elif next_at <= it.now:
        who = "any live worker fires it within a second" if it.workers else "the first worker that starts looks at it"
        yield f"{it.title} was due at {wall(next_at)}, {_ago(it, next_at)}: {who}."
    else:
        late = (
            f", started up to {format_us(schedule.rule.jitter_us)} later"
            if schedule.rule and schedule.rule.jitter_us
            else ""
        )
        yield f"{it.title} is due next at {wall(next_at)}, in {format_us(next_at - it.now)} ({_rule(schedule)}{late})."


def _unknown_zone(schedule: Schedule) -> str | None:
    try:
        if schedule.rule is not None:
            schedule.rule.next_after(0)
    except UsageError as error:
        return str(error)
    return None


def _rule(schedule: Schedule) -> str:
    return schedule.rule.describe() if schedule.rule is not None else "its rule"


# ── what was ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _passed(it: ScheduleStanding) -> Iterator[str]:
    if it.last is not None and it.last.job_id is None:
        yield (
            f"Its last due time, {wall(it.last.due_at)}, was passed over: {one_line(it.last.cause)}. "
            f"See what became of the others: {it.command('history')}"
        )


def _failed(it: ScheduleStanding) -> Iterator[str]:
    if it.failures and it.disabled is None:
        most = it.schedule.max_failures
        last = "Its last run is dead" if it.failures == 1 else f"Its last {it.failures:,} runs are dead"
        then = "" if most is None else f"; {most} in a row disable it"
        yield f"{last}{because(it.error)}{then}. See them: {it.command('history')}"


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _ago(it: ScheduleStanding, at: int) -> str:
    return f"{format_us(max(0, it.now - at))} ago"
