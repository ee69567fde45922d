"""Working until the process is told to stop."""

from __future__ import annotations

import signal
from queue import Empty, SimpleQueue
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Protocol, TypeVar

LOOK_S = 0.5
"""Python runs a signal's handler when its main thread runs Python again. A signal that comes in the moment before that thread
begins to wait does not end the wait: so no wait is longer than this."""

T = TypeVar("T")


class Stoppable(Protocol):
    """A worker."""

    def start(self) -> None: ...
    def drain(self) -> None: ...
    def stop(self) -> None: ...
    def wait(self) -> bool: ...


def until_told(worker: Stoppable) -> None:
    """Start the worker; the first SIGTERM or SIGINT drains it, the second stops it, the third kills the process as it would
    have without us. Outside of the main thread signals are left alone."""
    heard: SimpleQueue[int | None] = SimpleQueue()
    before = {}
    if current_thread() is main_thread():
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def hear(number: int, _frame: FrameType | None) -> None:
            heard.put(number)  # nothing more: whatever runs now may hold any lock

        for number in before:
            signal.signal(number, hear)
    try:
        worker.start()
        Thread(target=lambda: heard.put(None if worker.wait() else 0), name="relet-wait", daemon=True).start()
        _obey(worker, heard)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _obey(worker: Stoppable, heard: SimpleQueue[int | None]) -> None:
    signals = 0
    while (number := heard_next(heard)) is not None:
        signals += 1
        if signals == 1:
            worker.drain()
        elif signals == 2:
            worker.stop()
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


def heard_next(heard: SimpleQueue[T]) -> T:
    """The next one, for a main thread whose signal handlers put into this queue."""
    while True:
        try:
            return heard.get(timeout=LOOK_S)
        except Empty:
            continue
