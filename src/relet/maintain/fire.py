"""The chore that fires schedules. Every worker does it, and whoever is first at a due time makes its job."""

from __future__ import annotations

from relet.clock import SECOND, Ids
from relet.events import Emitter
from relet.job.firing import CLOSED
from relet.job.moment import from_at
from relet.maintain.chores import MOST_BATCHES, Work
from relet.store.port import Store
from relet.store.records import Declared, Look, uuid_of

LOOK_US = SECOND
BATCH = 100


class Fire:
    """Make the jobs of schedules that are due.

    Sleeps until the next due time, but looks each second, in one read, for what was triggered, changed or waited for.
    """

    name = "fire"
    every_us = LOOK_US

    def __init__(self, ids: Ids, work: Work, emit: Emitter) -> None:
        self._ids = ids
        self._work = work
        self._emit = emit
        self._unreadable: frozenset[str] = frozenset()

    def run(self, store: Store) -> int | None:
        due = store.next_firing()
        if due is None:
            return None
        early = due - store.now()
        if early > 0:
            return min(early, self.every_us)
        unreadable: set[str] = set()
        left: set[str] = set()
        for _ in range(MOST_BATCHES):
            look = store.fire_due(self._ids.jobs, BATCH, left)
            self._tell(look)
            unreadable |= {schedule for schedule, _ in look.unreadable}
            left |= set(look.left)
            if look.looked < BATCH:
                break
        self._unreadable = frozenset(unreadable)
        return None

    def _tell(self, look: Look) -> None:
        if look.fired:
            self._work(again=False)
        for schedule, due_at, job_id in look.fired:
            when, job = from_at(due_at).isoformat(), str(uuid_of(job_id))
            self._emit("schedule.fired", schedule=schedule, due_at=when, job=job)
        self._tell_passed(look)
        for schedule, error in look.unreadable:
            if schedule not in self._unreadable:
                self._emit("schedule.unreadable", schedule=schedule, error=error)
        for schedule, reason in look.disabled:
            self._emit("schedule.disabled", schedule=schedule, reason=reason)

    def _tell_passed(self, look: Look) -> None:
        """Once for those of one schedule that are passed over for the same reason, with the first of them."""
        together: dict[tuple[str, str], list[int]] = {}
        for schedule, due_at, because in look.passed:
            together.setdefault((schedule, because), []).append(due_at)
        for (schedule, because), times in together.items():
            event = "schedule.shut_out" if because == CLOSED else "schedule.passed"
            first = from_at(min(times)).isoformat()
            self._emit(event, schedule=schedule, due_at=first, count=len(times), reason=because)


def tell_declared(declared: Declared, emit: Emitter) -> None:
    """Say what is not as code wants it, or not as other code wanted it."""
    for name, refusal in declared.refused:
        emit("schedule.refused", schedule=name, error=refusal)
    for one in declared.taken:
        emit("schedule.taken", schedule=one.schedule, task=one.task, before=one.before, by=one.by)
