"""A second worker in the process of the first, that sends webhooks: receivers that answer slowly take none of its slots."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock
from typing import Protocol

from relet.clock import Clock
from relet.events import Emitter
from relet.job.names import WORKER_BYTES
from relet.job.webhook import QUEUE
from relet.settings import Settings
from relet.work.duties import beside

SUFFIX = "/webhooks"
NEEDS = ("anyio", "httpcore2")


class Sending(Protocol):
    """A worker that sends messages."""

    def start(self) -> None: ...
    def drain(self, grace: float) -> None: ...
    def wait(self, timeout: float) -> bool: ...


class Postman:
    """Begins when there is something to send, and ends with the worker that it belongs to."""

    def __init__(self, hire: Callable[..., Sending], settings: Settings, clock: Clock, emit: Emitter) -> None:
        """`hire` makes a worker of an app."""
        self._hire = hire
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self._lock = Lock()
        self._hired: Sending | None = None
        self._close: Callable[[], None] = _nothing
        self._over = not (settings.webhook_slots and all(find_spec(name) is not None for name in NEEDS))

    def start(self) -> None:
        """Begin, if this worker may send and has the libraries for it. Harmless when repeated."""
        with self._lock:
            if self._hired is None and not self._over:
                hired = self._made()
                hired.start()
                self._hired = hired

    def _made(self) -> Sending:
        from relet.work.deliver import delivering

        settings, clock, emit = _of_its_own(self._settings), self._clock, self._emit
        app = delivering(settings, clock, emit)
        self._close = app.close
        return self._hire(app, settings, emit=emit, clock=clock, chores=beside)

    def drain(self, grace: float) -> None:
        """Send nothing more, and end, after so many seconds at the latest. A second call may shorten them."""
        with self._lock:
            self._over = True
        if self._hired is not None:
            self._hired.drain(grace)

    def wait(self, timeout: float) -> None:
        """Until it has ended, or for so many seconds, and let go of what it had open."""
        if self._hired is not None:
            self._hired.wait(timeout)
        self._close()


def _nothing() -> None:
    """Nothing was opened."""


def _of_its_own(settings: Settings) -> Settings:
    """The settings of the worker that sends, beside one of these settings."""
    name = settings.worker if len(settings.worker.encode()) + len(SUFFIX) > WORKER_BYTES else settings.worker + SUFFIX
    return settings.override(
        {
            "worker": name,
            "queues": {QUEUE: 1},
            "slots": settings.webhook_slots,
            "tier": 0,
            "offers": (),
        }
    )
