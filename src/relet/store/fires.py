"""The verbs for what fires jobs: routines and schedules. See `relet.store.port` for the rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from relet.job.schedule import Schedule
from relet.store.records import Backfillable, Backfilled, Declared, Look, Passes, Surplus, Triggered


class Fires(Protocol):
    """What makes jobs by time, when it is triggered, or always."""

    def declare_schedules(self, schedules: Sequence[Schedule], by: str) -> Declared:
        """What code wants to be fired. A name of another kind is passed by, and told of in the answer."""
        ...

    def put_schedule(self, schedule: Schedule, by: str) -> bool:
        """Make a schedule, or change it. What people steer and how it went stays. False: it is so already. Raises Refused for a
        name of another kind."""
        ...

    def delete_schedule(self, schedule: str) -> bool:
        """Remove it. Its jobs stay. False: there is none; so with the verbs that follow. Raises Refused for a routine whose task
        a live worker knows."""
        ...

    def pause_schedule(self, schedule: str, by: str, reason: str) -> bool:
        """Fire nothing until resumed; people may still trigger it."""
        ...

    def resume_schedule(self, schedule: str) -> bool:
        """Go on with the next due time; those in between are not made up for. False: it was not paused."""
        ...

    def disable_schedule(self, schedule: str, by: str, reason: str) -> bool:
        """Fire nothing until enabled, nor let anybody trigger it."""
        ...

    def enable_schedule(self, schedule: str) -> bool:
        """Go on with the next due time, with no failures counted. False: it was not disabled."""
        ...

    def next_firing(self) -> int | None:
        """When `fire_due` has something to do; None: not before something happens."""
        ...

    def fire_due(self, ids: Callable[[int], list[bytes]], limit: int, leave: Collection[str] = ()) -> Look:
        """Look at no more than `limit` schedules that are due, but for those to `leave`, and make their jobs, with new ids: each
        due time once."""
        ...

    def trigger_schedule(self, schedule: str, by: str, job_id: bytes, *, force: bool = False) -> Triggered:
        """Make a run now, with this id, or say why not; `force` asks nothing. Repeating it makes no second run. Raises
        NotFound, and Refused for a closed queue."""
        ...

    def tell_passes(self, passes: Sequence[Passes]) -> None:
        """Passes of continuous runs have ended well: their schedules have succeeded so often, and their counters begin anew.
        Of a run that has ended meanwhile, nothing is written."""
        ...

    def trim_schedules(self, grace_us: int) -> list[Surplus]:
        """Cancel runs of continuous schedules that are not wanted any more (disabled, paused, deleted, another definition,
        fewer replicas), and say which."""
        ...

    def backfill_schedule(
        self, schedule: str, start_at: int, end_at: int, by: str, ids: Callable[[int], list[bytes]], limit: int = 1_000
    ) -> Backfilled:
        """Make runs, at most `limit`, for due times from `start_at` until before `end_at` that have none, one per due time: they
        keep its overlap, and ask for nothing that it depends on. Repeating it makes no second run.

        Raises NotFound, UsageError (it has no due times, or the end has not passed), and Refused (it is disabled; a closed
        queue)."""
        ...

    def to_make_up(self, schedule: str, start_at: int, end_at: int, limit: int = 1_000) -> Backfillable:
        """What `backfill_schedule` would make now. Raises what it raises, but for a closed queue."""
        ...
