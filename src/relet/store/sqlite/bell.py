"""What wakes a worker of this host that sleeps: a datagram, sent after a commit that made work.

Bells have numbered addresses in Linux's abstract socket namespace, named after the file's device and inode: nothing to
clean up, and gone with their process. Where there is no such namespace, or the bells are all taken, polling must do.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

BELLS = 8
"""Processes of one host that can be woken for one file. What is more than that polls."""

_SUPPORTED = sys.platform == "linux"


def name_of(file: Path | None, shared_name: str | None) -> str:
    """What the bells of a store are named after; empty: it cannot be rung for."""
    if file is not None:
        here = file.stat()
        return f"{here.st_dev}:{here.st_ino}"
    return f"{os.getpid()}:{shared_name}" if shared_name else ""


class SqliteBell:
    """See `relet.store.port.Bell`."""

    def __init__(self, hung: socket.socket) -> None:
        self._socket = hung

    @classmethod
    def hang(cls, name: str) -> SqliteBell | None:
        """At the first free address; None where there is none."""
        if not (_SUPPORTED and name):
            return None
        hung = _datagrams()
        for place in range(BELLS):
            try:
                hung.bind(_address(name, place))
            except OSError:
                continue
            return cls(hung)
        hung.close()
        return None

    def fileno(self) -> int:
        return self._socket.fileno()

    def take(self) -> bool:
        rang = False
        with suppress(BlockingIOError):
            while self._socket.recv(1):
                rang = True
        return rang

    def close(self) -> None:
        """Take it down."""
        self._socket.close()


class Ringer:
    """Rings for everybody who listens to a store."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._socket = _datagrams() if _SUPPORTED and name else None

    def ring(self) -> None:
        """Never blocks, never fails. A bell that rings already needs no second ring."""
        if self._socket is None:
            return
        for place in range(BELLS):
            with suppress(OSError):
                self._socket.sendto(b"!", _address(self._name, place))

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()


def _datagrams() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def _address(name: str, place: int) -> str:
    return f"\0relet/{name}/{place}"
