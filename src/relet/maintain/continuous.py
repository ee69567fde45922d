"""Chores for continuous routines: their passes are told to the store, and runs that nobody wants any more are cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from relet.clock import SECOND
from relet.events import Emitter
from relet.store.port import Store
from relet.store.records import Passes, uuid_of


class TellPasses:
    """Write how many passes of this worker have ended well: a continuous run has no other end by which one could see that."""

    name = "tell passes"
    every_us = 2 * SECOND

    def __init__(self, untold: Callable[[], Sequence[Passes]], told: Callable[[Sequence[Passes]], None]) -> None:
        self._untold = untold
        self._told = told

    def run(self, store: Store) -> int | None:
        passes = self._untold()
        if passes:
            store.tell_passes(passes)
            self._told(passes)
        return None


class Trim:
    """Cancel runs of continuous schedules that were disabled, paused, deleted, or are to have fewer of them: they would go on for
    ever."""

    name = "trim"
    every_us = 2 * SECOND

    def __init__(self, grace_us: int, emit: Emitter) -> None:
        self._grace_us = grace_us
        self._emit = emit

    def run(self, store: Store) -> int | None:
        for one in store.trim_schedules(self._grace_us):
            self._emit("schedule.trimmed", schedule=one.schedule, job=str(uuid_of(one.job_id)), reason=one.reason)
        return None
