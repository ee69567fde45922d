"""The limits that a running job has passed: `ctx.limits["stripe"].pause(until=response.headers["Retry-After"])`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from relet.errors import UsageError
from relet.job.duration import Duration
from relet.job.gates import Asked
from relet.job.moment import span_or_at
from relet.store.records import LimitPause, Note


class PassedLimit:
    """One limit, as one job stands before it."""

    def __init__(self, name: str, key: str, units: int, note: Callable[[Note], None]) -> None:
        self.name = name
        self.key = key
        """The job's key; empty, where all jobs share one."""
        self.units = units
        """What the job weighs in its rates."""
        self._note = note

    def pause(self, until: datetime | Duration) -> None:
        """Let no further job with this key in for a while: what a service asks for that says "too many requests".

            ctx.limits["stripe"].pause(until=response.headers["Retry-After"])      # then: raise RetryLater(…), or return

        `until` is a moment, a duration from now on (a number of seconds too), or an HTTP date. What has passed goes on. It is in
        force with the next turn of the worker, in the whole cluster. A pause that ends later, or not by itself, stays as it is.
        Raises UsageError.
        """
        self._note(LimitPause(self.name, self.key, *span_or_at(until, name="until")))


class PassedLimits:
    """`ctx.limits`: by name."""

    def __init__(self, gates: Sequence[Asked], note: Callable[[Note], None]) -> None:
        self._found = {name: PassedLimit(name, key, units, note) for name, key, units in gates}

    def __getitem__(self, name: str) -> PassedLimit:
        """Raises UsageError for a limit that is none of this job's."""
        if name not in self._found:
            known = ", ".join(self._found) or "no limits"
            raise UsageError(f"This job does not stand before a limit {name!r}; it has {known}.")
        return self._found[name]

    def __iter__(self) -> Iterator[PassedLimit]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)
