"""A worker's connections to its store: opened when needed, closed when they seem to be broken, and their errors sorted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from relet.errors import Contended, OutcomeUnknown, SchemaMismatch, StoreError, StoreFull, StoreUnavailable, Unstorable
from relet.events import Emitter
from relet.job.textsafe import describe
from relet.store.port import Store
from relet.store.reach import Reach
from relet.work.actions import Failure

AWAY = (StoreUnavailable, StoreFull, Contended, SchemaMismatch)
"""Errors of a store that did not do its part. Any other error says what the store thinks of what was to be written."""

REOPEN_AFTER = 3
"""Failures in a row after which the connection is opened anew."""


class Connection:
    """One connection for one thread."""

    def __init__(self, open_store: Callable[[], Store], reach: Reach, emit: Emitter) -> None:
        self._open_store = open_store
        self._reach = reach
        self._emit = emit
        self.opened: Store | None = None
        self._failures = 0
        self._losses = 0

    @property
    def store(self) -> Store:
        """The open store, for a call that begins now. Raises StoreError."""
        self._losses = self._reach.losses
        if self.opened is None:
            self.opened = self._open_store()
        return self.opened

    def answered(self) -> None:
        """A call was answered."""
        self._failures = 0
        self._reach.answered(self._losses)

    def failed(self, error: Exception) -> Failure:
        """A call failed: tell, and say what that means for the data."""
        self._failures += 1
        failure = sort(error)
        if not self._reach.lost(error):
            self._emit(_event(error), error=describe(error))
        if failure is not Failure.DATA and self._failures % REOPEN_AFTER == 0:
            self.close()
        return failure

    def close(self) -> None:
        """Close it; the next use opens another."""
        store, self.opened = self.opened, None
        if store is not None:
            with suppress(StoreError):
                store.close()


def sort(error: Exception) -> Failure:
    """What an error says about the data."""
    if isinstance(error, OutcomeUnknown):
        return Failure.UNKNOWN
    if isinstance(error, AWAY):
        return Failure.NOTHING
    return Failure.DEFECT if isinstance(error, StoreError) and not isinstance(error, Unstorable) else Failure.DATA


def _event(error: Exception) -> str:
    match error:
        case StoreFull():
            return "store.full"
        case SchemaMismatch():
            return "store.mismatch"
        case _:
            return "store.refused"
