"""A run's effects in the store's own database, committed together with its settle."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from relet.job.settlement import Answer, Settle
from relet.store.costs import write_spend
from relet.store.link import Link
from relet.store.records import LimitPause, Notes
from relet.store.turn import write_notes, write_settles


class _Undo(Exception):
    """Leaves the transaction's block so that it rolls back. Never seen outside."""


class RelationalEffects:
    """See `relet.store.port.Effects`. The session is held from the settle on, not before: effects may take their time."""

    def __init__(self, link: Link, session_id: bytes) -> None:
        self._session_id = session_id
        self._stack = ExitStack()
        self._tx = self._stack.enter_context(link.write())

    @property
    def connection(self) -> Any:
        return self._tx.connection

    def settle(self, settle: Settle, notes: Notes) -> Answer:
        """Under the session's lock, like a turn: a reclaim comes before it or after it, not in between."""
        answer = Answer.FENCED
        try:
            with self._stack:
                self._tx.all("session_hold", session_id=self._session_id)
                pauses = (*notes.limit_pauses, *(self._say(settle, notes) if notes else ()))
                (answer,) = write_settles(self._tx, self._session_id, [settle], pauses=pauses)
                if answer is not Answer.ACCEPTED:
                    raise _Undo
        except _Undo:
            pass
        return answer

    def _say(self, settle: Settle, notes: Notes) -> list[LimitPause]:
        """The claim is locked first, as by a turn that brings its progress and then some of these lines: so none of the two
        waits for the other while the other waits for it."""
        self._tx.all("settle_lock", job_id=settle.job_id, session_id=self._session_id, epoch=settle.epoch)
        return write_spend(self._tx, write_notes(self._tx, self._session_id, notes))

    def lost_with(self, error: BaseException) -> bool:  # noqa: ARG002  a file does not go away
        return False

    def roll_back(self) -> None:
        try:
            with self._stack:
                raise _Undo
        except _Undo:
            pass
