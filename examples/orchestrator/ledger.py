"""What the runs themselves write down: from when to when each was at it, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import msgspec


class Run(msgspec.Struct, frozen=True):
    """One run, as it saw itself."""

    routine: str
    worker: int
    """The id of its process."""
    began: float
    ended: float
    """Seconds of this host's steady clock, which all its processes share."""
    said: str
    failed: bool


def recorded(ledger: Path) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Have each run of a function add its line to the ledger."""

    def record(fn: Callable[[], str]) -> Callable[[], str]:
        @wraps(fn)
        def run() -> str:
            began, said, failed = time.monotonic(), "", True
            try:
                said = fn()
                failed = False
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                raise
            finally:
                name = fn.__name__.replace("_", "-")
                line = msgspec.json.encode(Run(name, os.getpid(), began, time.monotonic(), said, failed))
                with ledger.open("ab", buffering=0) as file:
                    file.write(line + b"\n")
            return said

        return run

    return record


def read(ledger: Path) -> list[Run]:
    """All runs that have ended so far."""
    if not ledger.exists():
        return []
    return [msgspec.json.decode(line, type=Run) for line in ledger.read_bytes().splitlines()]
