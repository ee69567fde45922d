"""`relet worker --reload`: the worker runs as a child, and is drained and started anew when a source file changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from types import FrameType

from relet.cli.exits import Exit
from relet.cli.output import Output

LOOK_SECONDS = 0.5
"""Between two looks at the files, where the watchfiles package is not installed."""
DRAIN_SECONDS = 5.0
"""How long the old worker may take to finish what it runs; then it has to give it back."""
_PASSED_OVER = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__"})
_SUFFIXES = (".py", ".toml")

Seen = Mapping[Path, int]


class Reloader:
    """One child after the other. A child that ends by itself, as one with a syntax error does, waits for the next change."""

    def __init__(self, arguments: Sequence[str], out: Output, folder: Path) -> None:
        self._command = [sys.executable, "-m", "relet", "worker", *arguments]
        self._out = out
        self._folder = folder
        self._heard: SimpleQueue[int | str] = SimpleQueue()
        """Signals that came, and files that changed."""
        self._over = Event()

    def run(self) -> int:
        """Until told to end; the last child's exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)
        Thread(target=self._watch, name="relet-reload", daemon=True).start()
        child = self._start()
        try:
            while isinstance(heard := self._heard.get(), str):
                self._out.say(f"{heard} has changed: starting the worker anew")
                _end(child)
                child = self._start()
            return self._last(child, heard)
        finally:
            self._over.set()
            if child.poll() is None:
                child.kill()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._heard.put(number)

    def _start(self) -> subprocess.Popen[bytes]:
        # A group of its own, so that Ctrl-C reaches this program alone, which passes it on once.
        return subprocess.Popen(self._command, process_group=0 if os.name == "posix" else None)

    def _last(self, child: subprocess.Popen[bytes], number: int) -> int:
        """Pass signals on until the child has ended."""
        while child.poll() is None:
            with suppress(ProcessLookupError):
                child.send_signal(number)
            number = 0
            while child.poll() is None and not number:
                with suppress(Empty):
                    heard = self._heard.get(timeout=0.1)
                    number = heard if isinstance(heard, int) else 0
        return _status(child.returncode)

    def _watch(self) -> None:
        for changed in changes(self._folder, self._over):
            self._heard.put(changed)


def _status(returncode: int) -> int:
    """A child that our signal met before it could listen had nothing to drain; one that died otherwise did not end well."""
    if returncode in (-signal.SIGTERM, -signal.SIGINT):
        return Exit.OK
    return returncode if returncode >= 0 else 128 - returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    """Drain, then press, then kill."""
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            child.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(DRAIN_SECONDS)
            return


def changes(folder: Path, over: Event) -> Iterator[str]:
    """The name of a file that has changed, each time that some have, until `over`."""
    try:
        from watchfiles import watch
    except ImportError:
        yield from _polled(folder, over)
        return
    for batch in watch(folder, stop_event=over, watch_filter=lambda _change, path: path.endswith(_SUFFIXES)):
        yield Path(min(path for _, path in batch)).name


def _polled(folder: Path, over: Event) -> Iterator[str]:
    before = _look(folder)
    while not over.wait(LOOK_SECONDS):
        now = _look(folder)
        changed = [path for path in before.keys() | now.keys() if before.get(path) != now.get(path)]
        before = now
        if changed:
            yield min(changed).name


def _look(folder: Path) -> Seen:
    """When each source file was written last."""
    seen: dict[Path, int] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _PASSED_OVER and not name.startswith(".")]
        for name in files:
            if name.endswith(_SUFFIXES):
                with suppress(OSError):  # removed between the two calls
                    seen[Path(root, name)] = Path(root, name).stat().st_mtime_ns
    return seen
