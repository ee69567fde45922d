"""Waking a thread that waits, from any other thread: by an eventfd, or by a pair of sockets where there is none."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Collection
from contextlib import suppress

from relet.clock import MS, SECOND

_ONE = (1).to_bytes(8, "little")


class _Event:
    """Linux: one descriptor, one number in the kernel."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._fd

    def put(self) -> None:
        os.write(self._fd, _ONE)

    def take(self) -> None:
        os.read(self._fd, 8)

    def close(self) -> None:
        os.close(self._fd)


class _Pair:
    """Everywhere: what is written at one end is read at the other."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def fileno(self) -> int:
        return self._read.fileno()

    def put(self) -> None:
        self._write.send(_ONE)

    def take(self) -> None:
        while self._read.recv(4096):
            pass

    def close(self) -> None:
        self._read.close()
        self._write.close()


class Wake:
    """One thread waits; any thread wakes it. A wake that comes while nobody waits ends the next wait at once."""

    def __init__(self, *, portable: bool = False) -> None:
        self._signal: _Event | _Pair | None = _Event() if hasattr(os, "eventfd") and not portable else _Pair()

    def fileno(self) -> int:
        """Turns readable when woken."""
        return -1 if self._signal is None else self._signal.fileno()

    def set(self) -> None:
        """Wake whoever waits. Never blocks; harmless after `close`."""
        signal = self._signal
        if signal is not None:
            with suppress(OSError):
                signal.put()

    def clear(self) -> None:
        """Forget the wakes so far."""
        signal = self._signal
        if signal is not None:
            with suppress(OSError):
                signal.take()

    def wait(self, timeout_us: int | None, others: Collection[int] = ()) -> None:
        """Until woken, until one of the other descriptors is readable, or until the time is up."""
        readable((self.fileno(), *others), timeout_us)
        self.clear()

    def close(self) -> None:
        """Give the descriptors back."""
        signal, self._signal = self._signal, None
        if signal is not None:
            signal.close()


def readable(fds: Collection[int], timeout_us: int | None) -> None:
    """Wait until one of them is, or until the time is up."""
    if hasattr(select, "poll"):
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        # Rounded up to whole milliseconds, as the kernel takes it.
        poll.poll(None if timeout_us is None else -(-max(0, timeout_us) // MS))
    else:
        select.select(fds, (), (), None if timeout_us is None else max(0, timeout_us) / SECOND)
