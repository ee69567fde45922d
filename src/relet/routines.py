"""Routines: functions that run by themselves, by time, when triggered, or after others; and how they are steered.

@app.routine(every="1m")
def fetch_data(): ...

@app.routine(every="5m", depends_on=["fetch-data"], max_consecutive_failures=3)
def process_data(): ...

app.routines["process-data"].status()
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, Self
from uuid import UUID

import msgspec

from relet.clock import Ids
from relet.errors import NotFound, Refused
from relet.job.moment import from_at, from_at_or_none, to_at
from relet.job.nearest import nearest
from relet.job.schedule import Kind
from relet.job.why_schedule import explain_schedule
from relet.steered import Steered
from relet.store.port import Store
from relet.store.records import Backfillable, Backfilled
from relet.store.rows import FiringRow, ScheduleRow
from relet.store.standby import standing_by


class RoutineStatus(msgspec.Struct, frozen=True):
    """A routine as it stood when it was read."""

    name: str
    mode: str
    """scheduled, triggered or continuous."""
    task: str
    rule: str
    """When it runs, in words; empty: when it is triggered."""
    state: str
    """running, queued (it has a run, which waits to start), unreadable (a later version wrote it), disabled, paused, waiting for
    what it depends on, or idle."""
    enabled: bool
    disable_reason: str | None
    disabled_by: str | None
    paused: bool
    pause_reason: str | None
    paused_by: str | None
    running: tuple[UUID, ...]
    """Its jobs that run."""
    queued: tuple[UUID, ...]
    """Its jobs that wait to start: for a worker, a place, or their next attempt."""
    blocks: tuple[str, ...]
    """What it names itself; others may name it."""
    waits_for: tuple[str, ...]
    """What it depends on that has not succeeded since it was fired last."""
    due_since: datetime | None
    """It is due since then, and waits for those."""
    next_due_at: datetime | None
    consecutive_failures: int
    successes: int
    last_run_at: datetime | None
    """When it was fired last."""
    last_end_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    replicas: int = 1
    """Of a continuous one: how many runs there are to be."""
    standby: int = 0
    """Of a continuous one: how many further workers should be able to take over."""
    standing_by: int | None = None
    """How many are. None: it asks for none."""

    @classmethod
    def of(cls, row: ScheduleRow, **more: Any) -> Self:
        """The record of a row, with what a further record has."""
        definition = row.definition
        return cls(
            **more,
            name=definition.name,
            mode=definition.mode.value,
            task=definition.task,
            rule=row.rule,
            state=row.state,
            enabled=row.disabled_at is None,
            disable_reason=row.disable_reason,
            disabled_by=row.disabled_by,
            paused=row.paused_at is not None,
            pause_reason=row.pause_reason,
            paused_by=row.paused_by,
            running=tuple(UUID(bytes=job_id) for job_id in row.running),
            queued=tuple(UUID(bytes=job_id) for job_id in row.queued),
            blocks=definition.blocks,
            waits_for=row.unmet,
            due_since=from_at_or_none(row.progress.pending_at),
            next_due_at=from_at_or_none(row.due_at),
            consecutive_failures=row.failures,
            successes=row.successes,
            last_run_at=from_at_or_none(row.fired_at),
            last_end_at=from_at_or_none(row.ended_at),
            last_success_at=from_at_or_none(row.success_at),
            last_failure_at=from_at_or_none(row.failure_at),
            last_error=row.error,
            replicas=definition.replicas,
            standby=definition.standby,
        )


class FiringInfo(msgspec.Struct, frozen=True):
    """What became of one due time."""

    due_at: datetime
    job_id: UUID | None
    """None: it was passed over."""
    cause: str
    """ "due", who triggered it, or why it was passed over."""
    fired_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """succeeded, dead or cancelled."""

    @classmethod
    def of(cls, row: FiringRow) -> FiringInfo:
        """The record of a row."""
        job_id = None if row.job_id is None else UUID(bytes=row.job_id)
        moments = from_at(row.fired_at), from_at_or_none(row.ended_at)
        return cls(from_at(row.due_at), job_id, row.cause, *moments, row.outcome)


class Backfill(msgspec.Struct, frozen=True):
    """What a backfill has made, or would make."""

    jobs: tuple[UUID, ...]
    """In the order of their due times. None if it was a dry run."""
    due_times: tuple[datetime, ...]
    """Those that got a run, or would get one."""
    had: int
    """Due times that had a run already."""
    next_at: datetime | None
    """Where to go on, if the limit came before the end."""

    def __add__(self, more: Backfilled | Backfillable) -> Backfill:
        """With what comes behind it."""
        fired = more.fired if isinstance(more, Backfilled) else ()
        due = more.due_times if isinstance(more, Backfillable) else [firing.due_at for firing in fired]
        return Backfill(
            self.jobs + tuple(UUID(bytes=firing.job_id) for firing in fired),
            self.due_times + tuple(map(from_at, due)),
            self.had + more.had,
            from_at_or_none(more.next_at),
        )


class Triggers(Steered, Protocol):
    """What routines need of their app."""

    @property
    def ids(self) -> Ids:
        """Where the ids of jobs come from."""
        ...


class Routine:
    """One routine by name. All methods raise NotFound if no worker has declared it yet."""

    kind = Kind.ROUTINE

    def __init__(self, app: Triggers, name: str) -> None:
        self._app = app
        self.name = name

    def status(self) -> RoutineStatus:
        """How it is doing."""
        with self._app.shared.use() as store:
            row = self._row(store)
            return RoutineStatus.of(row, standing_by=standing_by(store, row))

    def why(self) -> list[str]:
        """Why it does not run now, or when it will: sentences, the decisive one first."""
        with self._known() as store:
            standing = store.insights.why_schedule(self.name)
            if standing is None:
                raise NotFound(self._unknown(store))
        return explain_schedule(standing)

    def history(self, *, before: datetime | None = None, limit: int = 50) -> list[FiringInfo]:
        """A page of its due times and triggers, the newest first. `before` is the due time of the last one seen."""
        before_at = None if before is None else to_at(before, name="before")
        with self._known() as store:
            return [FiringInfo.of(row) for row in store.insights.firings(self.name, before_at, limit)]

    def trigger(self, *, force: bool = False, by: str = "") -> UUID:
        """Run it now, whatever its rule; returns the id of the job. Raises Refused, which says why: it is disabled, it runs,
        or what it depends on has not succeeded. `force` runs it all the same."""
        job_id = self._app.ids.job()
        with self._known() as store:
            triggered = store.trigger_schedule(self.name, self._app.who(by), job_id, force=force)
        if triggered.job_id is None:
            raise Refused(
                f"{self._kind_word()} {self.name!r} was not triggered: {triggered.refusal}. Nothing was enqueued."
            )
        return UUID(bytes=triggered.job_id)

    def backfill(
        self, start: datetime, end: datetime, *, limit: int = 1_000, by: str = "", dry_run: bool = False
    ) -> Backfill:
        """Make up for due times from `start` until before `end` that have no run: one run for each, at most `limit` of them. They
        keep its overlap, one after the other unless it is "allow". Repeating it makes no second run. `dry_run` makes none and
        says which due times would get one.

        Raises UsageError (no due times, or the end has not passed) and Refused (it is disabled, or its queue is closed).
        """
        start_at, end_at = to_at(start, name="start"), to_at(end, name="end")
        by, ids = self._app.who(by), self._app.ids.jobs
        made = Backfill((), (), 0, start)
        with self._known() as store:
            while made.next_at is not None and (left := limit - len(made.due_times)) > 0:
                if dry_run:
                    made += store.to_make_up(self.name, start_at, end_at, left)
                else:
                    made += store.backfill_schedule(self.name, start_at, end_at, by, ids, left)
                start_at = end_at if made.next_at is None else to_at(made.next_at, name="next_at")
        return made

    def enable(self) -> bool:
        """Let it run again, with no failures counted. False: it was enabled."""
        with self._known() as store:
            return store.enable_schedule(self.name)

    def disable(self, reason: str = "", *, by: str = "") -> None:
        """No runs, not even triggered ones, until it is enabled. What runs goes on."""
        with self._known() as store:
            store.disable_schedule(self.name, self._app.who(by), reason)

    def pause(self, reason: str = "", *, by: str = "") -> None:
        """No runs by time until `resume`; it may still be triggered. What runs goes on."""
        with self._known() as store:
            store.pause_schedule(self.name, self._app.who(by), reason)

    def resume(self) -> bool:
        """Go on with the next due time. False: it was not paused."""
        with self._known() as store:
            return store.resume_schedule(self.name)

    def delete(self) -> None:
        """Remove it from the store; its jobs stay. Raises Refused while a worker that knows its task lives: it would declare the
        routine again. Meant for routines whose code is gone."""
        with self._known() as store:
            store.delete_schedule(self.name)

    @contextmanager
    def _known(self) -> Generator[Store]:
        """The store, which knows it."""
        with self._app.shared.use() as store:
            self._row(store)
            yield store

    def _row(self, store: Store) -> ScheduleRow:
        row = store.insights.schedule(self.name)
        if row is None:
            raise NotFound(self._unknown(store))
        if row.definition.kind is not self.kind:
            other = row.definition.kind
            raise NotFound(f"{self.name!r} is a {other}. Steer it by: app.{other}s[{self.name!r}]")
        return row

    def _unknown(self, store: Store) -> str:
        meant = self._meant(store)
        why = f". Did you mean {meant!r}?" if meant else ": no worker of its app has started yet."
        return f"There is no routine {self.name!r} in the store{why}"

    def _meant(self, store: Store) -> str | None:
        return nearest(self.name, [row.definition.name for row in store.insights.schedules(self.kind)])

    def _kind_word(self) -> str:
        return self.kind.value.capitalize()

    def __repr__(self) -> str:
        return f"<{self._kind_word()} {self.name}>"


class Routines:
    """`app.routines`: by name, or all of them."""

    def __init__(self, app: Triggers) -> None:
        self._app = app

    def __getitem__(self, name: str) -> Routine:
        """The handle of a routine. Reads nothing yet."""
        return Routine(self._app, name)

    def list(self) -> list[RoutineStatus]:
        """All routines that the store knows, by name."""
        with self._app.shared.use() as store:
            rows = store.insights.schedules(Kind.ROUTINE.value)
            return [RoutineStatus.of(row, standing_by=standing_by(store, row)) for row in rows]

    def __iter__(self) -> Iterator[Routine]:
        return (Routine(self._app, status.name) for status in self.list())
