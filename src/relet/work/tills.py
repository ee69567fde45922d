"""Connections for the transactions that tasks open for their effects: each has one to itself while it lasts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from relet.errors import StoreError
from relet.job.settlement import Answer, Settle
from relet.store.port import Effects, Store
from relet.store.records import Notes

KEPT = 4
"""Idle connections that are kept open."""


class Tills:
    """Opens, lends and keeps them. Used from any thread."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._idle: deque[Store] = deque()

    def begin(self, session_id: bytes) -> Effects:
        """A transaction on a connection of its own. Raises StoreError."""
        while (kept := self._kept()) is not None:
            with suppress(StoreError):  # it may have died since; that is nothing that a task should hear of
                return self._begun(kept, session_id)
        return self._begun(self._open_store(), session_id)

    def _kept(self) -> Store | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _begun(self, store: Store, session_id: bytes) -> Effects:
        try:
            return _Lent(store.begin_effects(session_id), store, self._take_back)
        except BaseException:
            _close(store)
            raise

    def _take_back(self, store: Store, sound: bool) -> None:
        if sound and len(self._idle) < KEPT:
            self._idle.append(store)
        else:
            _close(store)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            _close(self._idle.pop())


class _Lent:
    """Effects that give their connection back when they end."""

    def __init__(self, effects: Effects, store: Store, take_back: Callable[[Store, bool], None]) -> None:
        self._effects = effects
        self._store = store
        self._take_back = take_back
        self._ended = False

    @property
    def connection(self) -> Any:
        return self._effects.connection

    def lost_with(self, error: BaseException) -> bool:
        return self._effects.lost_with(error)

    def settle(self, settle: Settle, notes: Notes) -> Answer:
        sound = False
        try:
            answer = self._effects.settle(settle, notes)
            sound = True
        finally:
            self._end(sound)
        return answer

    def roll_back(self) -> None:
        sound = False
        try:
            self._effects.roll_back()
            sound = True
        finally:
            self._end(sound)

    def _end(self, sound: bool) -> None:
        if not self._ended:
            self._ended = True
            self._take_back(self._store, sound)


def _close(store: Store) -> None:
    with suppress(StoreError):
        store.close()
