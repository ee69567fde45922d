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


def ring(name: str) -> None:
    """Ring for everybody who listens to a store. Never blocks, never fails: a bell that rings needs no second ring."""
    if not (_SUPPORTED and name):
        return
    with _datagrams() as sender:
        for place in range(BELLS):
            with suppress(OSError):
                sender.sendto(b"!", _address(name, place))


def _datagrams() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def _address(name: str, place: int) -> str:
    return f"\0relet/{name}/{place}"
