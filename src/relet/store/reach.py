"""Whether the store can be reached, said in one place for all connections of a worker: once a second while it cannot.

That it does not answer, and that an answer was lost on the way, are two things to say.
"""

from __future__ import annotations

from threading import Lock

from relet.clock import SECOND, Clock
from relet.errors import Contended, OutcomeUnknown, StoreUnavailable
from relet.events import Emitter
from relet.job.textsafe import describe


class Reach:
    """Hears of calls that failed and of calls that were answered. From any thread."""

    def __init__(self, clock: Clock, emit: Emitter) -> None:
        self._clock = clock
        self._emit = emit
        self._lock = Lock()
        self._said: dict[str, tuple[int, int]] = {}
        """By event: when it was last said, and how often it was not since."""
        self.losses = 0
        """How many calls have failed for it: taken along by a call that begins, see `answered`."""
        self._away_since: int | None = None
        """Since when it has been away; None: it answers, or that it does not has not been said yet."""

    def lost(self, error: BaseException) -> bool:
        """A call failed. True: the store could not be reached, which is seen to here. False: it was something else."""
        if not isinstance(error, StoreUnavailable | Contended | OutcomeUnknown):
            return False
        event = "store.unknown" if isinstance(error, OutcomeUnknown) else "store.unavailable"
        with self._lock:
            self.losses += 1
            now = self._clock.steady()
            said_at, unsaid = self._said.get(event, (now - SECOND, 0))
            if now - said_at < SECOND:
                self._said[event] = said_at, unsaid + 1
                return True
            self._said[event] = now, 0
            self._away_since = now if self._away_since is None else self._away_since
        self._emit(event, error=describe(error), **({"more_failed": unsaid} if unsaid else {}))
        return True

    def answered(self, losses: int) -> None:
        """A call was answered that began when so many had failed. Cheap while nothing is wrong.

        If one has failed since, the answer may have come just before that, and shows nothing."""
        if self._away_since is not None and losses == self.losses:
            self._back()

    def _back(self) -> None:
        """Said once, by whoever comes first."""
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            self._emit("store.back", after=f"{(self._clock.steady() - since) / SECOND:.1f}s")
