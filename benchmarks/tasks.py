"""What the measured workers run: tasks that do nothing but count themselves."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

from relet import App

SLOT = struct.Struct("<Qdd")
"""Of each process: runs, time of the first, time of the last (CLOCK_MONOTONIC, one clock for all processes)."""

app = App()
_lock = threading.Lock()
_slots: dict[int, mmap.mmap] = {}
"""This process's, once it has one. (Measured a job, so nothing is asked of the kernel.)"""
os.register_at_fork(after_in_child=_slots.clear)


def _slot() -> mmap.mmap:
    found = _slots.get(0)
    if found is None:
        with (Path(os.environ["BENCH_DIR"]) / f"{os.getpid()}.slot").open("wb+") as file:
            file.write(b"\0" * SLOT.size)
            file.flush()
            found = _slots[0] = mmap.mmap(file.fileno(), SLOT.size)
    return found


def mark() -> None:
    """Count one run."""
    now, slot = time.monotonic(), _slot()
    count, first, _ = SLOT.unpack_from(slot)
    SLOT.pack_into(slot, 0, count + 1, first or now, now)


@app.task
async def noop(n: int) -> None:  # noqa: ARG001  jobs have an argument
    """Does nothing."""
    mark()


@app.task
def noop_thread(n: int) -> None:  # noqa: ARG001  jobs have an argument
    """Does nothing, in a thread."""
    with _lock:
        mark()


@app.task
async def stamp(sent: float) -> None:
    """Writes down how long it took to start."""
    with (Path(os.environ["BENCH_DIR"]) / "latencies").open("a") as file:
        file.write(f"{time.monotonic() - sent}\n")


@app.task(queue="hold")
def hold(path: str) -> None:
    """Says when it starts; the first run stays until it is killed."""
    seen = Path(path)
    again = seen.exists()
    with seen.open("a") as file:
        file.write(f"{time.monotonic()}\n")
    if not again:
        time.sleep(600)
