"""Continuous runs: the function of a routine is called again and again, until the run is told to end or a call fails.

The claim, and so the lease, is one: whoever has it makes passes, and nobody else does. A run that leaves after a pass is given
back, and another worker goes on; a pass that fails ends the run as a failed attempt.
"""

from __future__ import annotations

from typing import Any, Protocol

from relet.errors import Verdict
from relet.job.outcome import Outcome
from relet.work.pace import Pace
from relet.work.run import Run
from relet.work.verdicts import verdict


class Passing(Protocol):
    """Who watches the passes."""

    def begin_pass(self, run: Run) -> None:
        """A pass is about to begin: its time counts from now."""
        ...

    def end_pass(self, run: Run) -> None:
        """It has ended well."""
        ...


def passes(run: Run, pace: Pace, watcher: Passing) -> Outcome:
    """Make passes in this thread; returns what the run has come to. Raises what a pass raises."""
    while (over := _begin(run, watcher)) is None:
        said = _ended(run, run.known.fn(*run.args, **run.kwargs), watcher)
        if said is not None:
            return said
        pace.rest()
    return over


async def passes_on_loop(run: Run, pace: Pace, watcher: Passing) -> Outcome:
    """The same of a coroutine function."""
    while (over := _begin(run, watcher)) is None:
        said = _ended(run, await run.known.fn(*run.args, **run.kwargs), watcher)
        if said is not None:
            return said
        await pace.rest_on_loop()
    return over


def _begin(run: Run, watcher: Passing) -> Outcome | None:
    if (over := run.over()) is not None:
        return over
    watcher.begin_pass(run)
    return run.over()


def _ended(run: Run, value: Any, watcher: Passing) -> Outcome | None:
    """What it returned is the run's outcome only if it says so (`Snooze`, `Reject` and the like)."""
    if run.stop is not None:
        return run.over()
    if isinstance(value, Verdict):
        return verdict(value)
    watcher.end_pass(run)
    return None
