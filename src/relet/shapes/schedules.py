"""Routines and schedules, and what became of their due times, as `--json` prints them: see `relet.shapes.schema`."""

from __future__ import annotations

from typing import Any, TypedDict


class RoutineOut(TypedDict):
    """One routine: `routines ls`, `routines show`."""

    name: str
    mode: str
    task: str
    rule: str
    """When it runs, in words; empty: when it is triggered."""
    replicas: int
    """Of a continuous one: how many runs there are to be."""
    standby: int
    """Of a continuous one: how many further workers should be able to take over."""
    standing_by: int | None
    """How many are. Null: it asks for none."""
    state: str
    """running, queued (it has a run, which waits to start), unreadable (a later version wrote it), disabled, paused, waiting for
    what it depends on, or idle."""
    disable_reason: str | None
    disabled_by: str | None
    pause_reason: str | None
    paused_by: str | None
    running: list[str]
    """Its jobs that run."""
    queued: list[str]
    """Its jobs that wait to start: for a worker, a place, or their next attempt."""
    blocks: list[str]
    """What it names itself; others may name it."""
    waits_for: list[str]
    """What it depends on that has not succeeded since it was fired last."""
    due_since: str | None
    """It is due since then, and waits for those."""
    next_due_at: str | None
    consecutive_failures: int
    successes: int
    last_run_at: str | None
    last_end_at: str | None
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str | None


class ScheduleOut(RoutineOut):
    """One schedule that was added at run time: `schedules ls`, `schedules show`, `schedules upsert`."""

    queue: str
    args: Any
    """Arguments of its call."""
    changed_by: str
    changed_at: str


class FiringOut(TypedDict):
    """What became of one due time: `routines show` and `history`, and those of `schedules`."""

    due_at: str
    job_id: str | None
    """Null: it was passed over, and `cause` says why."""
    cause: str
    fired_at: str
    ended_at: str | None
    outcome: str | None
