"""Waking a thread that waits, from any other thread: an eventfd, or a pipe where there is none."""

from __future__ import annotations

import os
import select
from collections.abc import Collection
from contextlib import suppress

from relet.work.terms import MS


class Wake:
    """One thread waits; any thread wakes it. A wake that comes while nobody waits ends the next wait at once."""

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._read = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """Turns readable when woken."""
        return self._read

    def set(self) -> None:
        """Wake whoever waits. Never blocks; harmless after `close`."""
        with suppress(OSError):
            os.write(self._write, _ONE)

    def clear(self) -> None:
        """Forget the wakes so far."""
        with suppress(OSError):
            while os.read(self._read, 1024) and self._read != self._write:
                pass

    def wait(self, timeout_us: int | None, others: Collection[int] = ()) -> None:
        """Until woken, until one of the other descriptors is readable, or until the time is up."""
        poll = select.poll()
        for fd in (self._read, *others):
            poll.register(fd, select.POLLIN)
        # Rounded up to whole milliseconds, as the kernel takes it.
        poll.poll(None if timeout_us is None else -(-max(0, timeout_us) // MS))
        self.clear()

    def close(self) -> None:
        """Give the descriptors back."""
        read, write = self._read, self._write
        self._read = self._write = -1
        for fd in {read, write} - {-1}:
            os.close(fd)


_ONE = (1).to_bytes(8, "little")
