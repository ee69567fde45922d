"""What wakes a worker that sleeps: a notification on the connection on which it claims."""

from __future__ import annotations

import os

from relet.clock import SECOND
from relet.store.postgres.link import PostgresLink

BUSY_US = SECOND // 20
"""A session that has found work for so long does not sleep, and need not be woken; one that just had a job may again."""


class PostgresBell:
    """See `relet.store.port.Bell`. Rings also when its connection is lost: the next call finds out what that means."""

    def __init__(self, link: PostgresLink) -> None:
        self._link = link
        self._silent = os.pipe()

    def fileno(self) -> int:
        wire = self._link.connected
        return self._silent[0] if wire is None else wire.connection.fileno()

    def take(self) -> bool:
        return self._link.take_notified()

    def close(self) -> None:
        """Release what is its own."""
        for end in self._silent:
            os.close(end)


class Doze:
    """When the store should know that a session sleeps, so that whoever makes work rings. Pure.

    It is told when a claim finds nothing, and told otherwise only after a while of finding something: so a trickle of
    jobs rings each time, and a flood does not."""

    def __init__(self) -> None:
        self._session_id = b""
        self._told = False
        self._busy_since: int | None = None

    def turned(self, session_id: bytes, claimed: int, now: int) -> bool | None:
        """After a claim: what to tell the store, if anything. `now` is any clock that does not jump."""
        if session_id != self._session_id:
            self._session_id, self._told = session_id, False
        if not claimed:
            self._busy_since = None
            news = not self._told
            self._told = True
            return True if news else None
        if self._busy_since is None:
            self._busy_since = now
        if self._told and now - self._busy_since > BUSY_US:
            self._told = False
            return False
        return None
