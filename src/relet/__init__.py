"""Relet: background jobs under a lease, on one SQLite file or on PostgreSQL.

    from relet import App

    app = App("sqlite:///jobs.db")

    @app.task
    def add(a: int, b: int) -> int:
        return a + b

    add.enqueue(1, 2).result("5s")

Names are loaded when they are first used, so that `import relet` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relet import errors
    from relet.app import App
    from relet.batch import Batch
    from relet.chains import chain
    from relet.context import Context, current
    from relet.facts import Fire
    from relet.handles import Job
    from relet.inbound import Received
    from relet.job.breaker import Breaker
    from relet.job.outcome import BreakerOpen, Cancel, Reject, RetryLater, Snooze
    from relet.job.prices import Price
    from relet.job.retry import Retry
    from relet.job.state import State
    from relet.limit import Limit
    from relet.routine import Routine
    from relet.task import Call, Task

__version__ = "0.1.0"

__all__ = [
    "App",
    "Batch",
    "Breaker",
    "BreakerOpen",
    "Call",
    "Cancel",
    "Context",
    "Fire",
    "Job",
    "Limit",
    "Price",
    "Received",
    "Reject",
    "Retry",
    "RetryLater",
    "Routine",
    "Snooze",
    "State",
    "Task",
    "chain",
    "current",
    "errors",
]

_HOMES = {
    "App": "relet.app",
    "Batch": "relet.batch",
    "Breaker": "relet.job.breaker",
    "BreakerOpen": "relet.job.outcome",
    "Call": "relet.task",
    "Cancel": "relet.job.outcome",
    "Context": "relet.context",
    "Fire": "relet.facts",
    "Job": "relet.handles",
    "Limit": "relet.limit",
    "Price": "relet.job.prices",
    "Received": "relet.inbound",
    "Reject": "relet.job.outcome",
    "Retry": "relet.job.retry",
    "RetryLater": "relet.job.outcome",
    "Routine": "relet.routine",
    "Snooze": "relet.job.outcome",
    "State": "relet.job.state",
    "Task": "relet.task",
    "chain": "relet.chains",
    "current": "relet.context",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("relet.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'relet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
