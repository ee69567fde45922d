"""How async callers use verbs that block: the same verb, in one of a few threads. There is no second implementation.

A wait (for a job's end, say) is a generator that yields how long to pause before it looks again; `wait` drives it with
sleeping, `await_` with the event loop, so that nobody occupies a thread while waiting.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from relet.clock import SECOND, pause

T = TypeVar("T")
Looked = TypeVar("Looked")

Waiting = Generator[int, Looked, T]
"""Yields microseconds to pause; is sent what was seen after the pause; returns when it has seen enough."""

THREADS = 4


class Threads:
    """A few threads for the verbs of async callers, made when first needed, and in a forked child anew."""

    def __init__(self) -> None:
        self._pools: dict[int, ThreadPoolExecutor] = {}

    async def run(self, verb: Callable[[], T]) -> T:
        """Run a verb that blocks for a short time. A cancelled caller does not stop it: what it writes is written."""
        return await asyncio.get_running_loop().run_in_executor(self._pool(), verb)

    def close(self, *, wait: bool = True) -> None:
        """Let the threads end."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.shutdown(wait)

    def _pool(self) -> ThreadPoolExecutor:
        pid = os.getpid()
        return self._pools.get(pid) or self._pools.setdefault(pid, ThreadPoolExecutor(THREADS, "relet-aio"))


def wait(waiting: Waiting[Looked, T], look: Callable[[], Looked]) -> T:
    """Drive a wait in the calling thread."""
    try:
        pause_us = next(waiting)
        while True:
            pause(pause_us)
            pause_us = waiting.send(look())
    except StopIteration as end:
        return end.value


async def await_(waiting: Waiting[Looked, T], look: Callable[[], Looked], threads: Threads) -> T:
    """Drive a wait on the event loop; only the looking happens in a thread."""
    try:
        pause_us = next(waiting)
        while True:
            await asyncio.sleep(pause_us / SECOND)
            pause_us = waiting.send(await threads.run(look))
    except StopIteration as end:
        return end.value
