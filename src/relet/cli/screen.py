"""A full-screen terminal by plain ANSI codes: frames are drawn over each other, keys are read one by one."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TextIO

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""To the second screen, so that what was on the first is there again afterwards; no cursor; long lines are cut."""
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"

_NAMES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    "\x03": "q",
    "\x7f": "backspace",
}
_CODES = sorted(_NAMES, key=len, reverse=True)


class Screen:
    """The terminal while it is ours."""

    def __init__(self, stdin: TextIO, stdout: TextIO) -> None:
        self._in = stdin.fileno()
        self._out = stdout
        self._typed = ""

    @property
    def size(self) -> tuple[int, int]:
        """(columns, lines), as they are now."""
        try:
            size = os.get_terminal_size(self._out.fileno())
        except OSError:
            return 80, 24
        return size.columns or 80, size.lines or 24

    def draw(self, lines: Sequence[str]) -> None:
        """One frame: as many of these lines as fit. Each is already cut to the width."""
        _, height = self.size
        body = "\x1b[K\r\n".join(lines[:height])
        self._out.write(f"\x1b[H{body}\x1b[K\x1b[J")
        self._out.flush()

    def key(self, seconds: float) -> str | None:
        """The next key, or None when none comes within this time. Named keys have names, others are themselves."""
        if not self._typed:
            if not select.select([self._in], [], [], max(0.0, seconds))[0]:
                return None
            self._typed = os.read(self._in, 256).decode(errors="replace")
        code = next((code for code in _CODES if self._typed.startswith(code)), self._typed[:1])
        self._typed = self._typed[len(code) :]
        return _NAMES.get(code, code) or "q"  # nothing to read: the terminal is gone


def can_draw(stdin: TextIO, stdout: TextIO) -> bool:
    """Whether there is a terminal that understands the codes."""
    capable = os.environ.get("TERM", "dumb") != "dumb" and sys.platform != "win32"
    return capable and stdin.isatty() and stdout.isatty()


@contextmanager
def taken(stdin: TextIO, stdout: TextIO) -> Generator[Screen]:
    """Take the terminal, and give it back as it was whatever happens."""
    import termios
    import tty

    before = termios.tcgetattr(stdin.fileno())
    stdout.write(_ENTER)
    try:
        tty.setcbreak(stdin.fileno())
        yield Screen(stdin, stdout)
    finally:
        termios.tcsetattr(stdin.fileno(), termios.TCSADRAIN, before)
        stdout.write(_LEAVE)
        stdout.flush()
