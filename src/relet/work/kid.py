"""One child process and its guard: two sockets and what is known about them."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import SHUT_WR, socket, socketpair
from typing import NamedTuple

from relet.work.finding import this_main
from relet.work.run import Run
from relet.work.wire import Frames, ToChild, frame

GUARD = Path(__file__).with_name("guard.py")


class Bounds(NamedTuple):
    """What a child is limited to. Limits only ever tighten, so a child serves jobs of the same bounds."""

    memory_bytes: int | None
    cpu_us: int | None
    solo: bool

    @property
    def reusable(self) -> bool:
        """CPU time cannot be given anew, and a suspect is alone."""
        return self.cpu_us is None and not self.solo


class Kid:
    """A child process."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket, life: socket, bounds: Bounds) -> None:
        self.process = process
        self.line = line
        self.life = life
        self.bounds = bounds
        self.run: Run | None = None
        self.idle_since: int | None = None
        self.start_by: int | None = None
        """By when something has to have happened: its first word, or its end."""
        self.timed_out = False
        self.excuse = ""
        """Why it was killed, if it was not the run's doing."""
        self.killed = False
        self.line_closed = False
        self._frames = Frames()
        self._unsent = bytearray()
        self._farewell = False
        for one in (line, life):
            one.setblocking(False)

    def events(self, fd: int) -> int:
        """What to wait for on this descriptor."""
        wants_out = fd == self.line.fileno() and (self._unsent or self._farewell)
        return select.POLLIN | select.POLLOUT if wants_out else select.POLLIN

    def send(self, message: ToChild) -> None:
        """Send as much as goes; the rest when the child takes it."""
        self.send_raw(frame(message))

    def send_raw(self, data: bytes) -> None:
        """The same, of bytes."""
        self._unsent += data
        self._flush()

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self.line.send(self._unsent)]
            if self._farewell:
                self._farewell = False
                self.line.shutdown(SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()  # it is gone, or about to be: its guard will say

    def receive(self) -> Iterator[bytes]:
        """Frames that have arrived. Raises ValueError for what is none."""
        self._flush()
        while not self.line_closed:
            try:
                data = self.line.recv(262144)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.line_closed = True
                return
            yield from self._frames.feed(data)

    def report(self) -> int | None:
        """How the child ended, by its guard; None: the guard is gone without a word."""
        try:
            said = self.life.recv(4)
        except OSError:
            said = b""
        return int.from_bytes(said, "big", signed=True) if len(said) == 4 else None

    def terminate(self) -> None:
        """SIGTERM to the child."""
        self._tell_guard(b"T")

    def kill(self) -> None:
        """SIGKILL to the child and all that it has started."""
        self.killed = True
        self._tell_guard(b"K")

    def _tell_guard(self, word: bytes) -> None:
        with suppress(OSError):
            self.life.send(word)

    def bid_farewell(self) -> None:
        """No more jobs: the child ends."""
        self._farewell = True
        self._flush()

    def close(self) -> None:
        """Both are gone: forget them."""
        self.line.close()
        self.life.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1)


def spawn(bounds: Bounds) -> Kid:
    """A new child. Raises OSError if the host does not let us."""
    line, child_line = socketpair()
    life, guard_life = socketpair()
    fds = (child_line.fileno(), guard_life.fileno())
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", str(GUARD), *map(str, fds)],
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        line.close()
        life.close()
        raise
    finally:
        child_line.close()
        guard_life.close()
    kid = Kid(process, line, life, bounds)
    kid.send_raw(_hello())
    return kid


def _hello() -> bytes:
    """What the child has to know before it can import anything."""
    main = this_main()
    body = json.dumps({"path": sys.path, "argv": sys.argv, "main_module": main.module, "main_file": main.file}).encode()
    return len(body).to_bytes(4, "big") + body
