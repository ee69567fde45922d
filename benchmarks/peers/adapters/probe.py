"""What all Python sides share: the marks that their jobs leave, and the commands that the measuring program gives them.

    python -m probe MODULE COMMAND [ARGUMENT...]

    install                make the tables
    one SECONDS            enqueue one by one, as long as that
    bulk COUNT             enqueue so many, 1,000 in a call
    stamps COUNT EVERY_MS  enqueue jobs that write down how long it took until they ran
    hold PATH              enqueue a job whose first run stays until it is killed
    trickle EVERY_MS       enqueue no-ops until killed
    worker                 run jobs until killed

MODULE has `install(url)`, `producer(url)` (an async context manager that yields a Producer), `worker(url)`, and `run`, which
runs a coroutine as the project does (asyncio.run if it has none). It runs in an environment that has nothing of ours: this
file needs the standard library only. MODULE is imported under its own name, never as `__main__`, because some queues name
tasks after their module.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import mmap
import os
import struct
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path

BATCH = 1000
WARM = 20
SLOT = struct.Struct("<Qdd")
"""Of each process: runs, time of the first, time of the last, all by one clock (CLOCK_MONOTONIC)."""

_slots: dict[int, mmap.mmap] = {}


def home() -> Path:
    """Where the marks are kept."""
    return Path(os.environ["BENCH_DIR"])


def mark() -> None:
    """Count one run."""
    now, slot = time.monotonic(), _slots.get(os.getpid()) or _open_slot()
    count, first, _ = SLOT.unpack_from(slot)
    SLOT.pack_into(slot, 0, count + 1, first or now, now)


def _open_slot() -> mmap.mmap:
    with (home() / f"{os.getpid()}.slot").open("wb+") as file:
        file.write(b"\0" * SLOT.size)
        file.flush()
        _slots[os.getpid()] = mmap.mmap(file.fileno(), SLOT.size)
    return _slots[os.getpid()]


def started(sent: float) -> None:
    """Write down how long it took until this job ran."""
    with (home() / "latencies").open("a") as file:
        file.write(f"{time.monotonic() - sent}\n")


def held(path: str) -> bool:
    """Write down that this job runs; whether it is the run that has to stay."""
    seen = Path(path)
    again = seen.exists()
    with seen.open("a") as file:
        file.write(f"{time.monotonic()}\n")
    return not again


class Producer:
    """What a side does to enqueue: the plain way of its own documentation, with an argument of one integer."""

    async def noop(self, n: int) -> None:
        """One job that does nothing."""
        raise NotImplementedError

    async def bulk(self, numbers: range) -> None:
        """Many of them, in one call where the project has such a call."""
        for n in numbers:
            await self.noop(n)

    async def stamp(self, sent: float) -> None:
        """One job that calls `started`."""
        raise NotImplementedError

    async def hold(self, path: str) -> None:
        """One job that calls `held`."""
        raise NotImplementedError

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class BlockingProducer(Producer):
    """One whose calls block. It goes with `run = without_loop`."""

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251  there is no event loop


def without_loop(doing: Coroutine[object, object, None]) -> None:
    """Run a coroutine that never waits, with no event loop, which code that blocks ought not to see."""
    try:
        doing.send(None)
    except StopIteration:
        return
    raise RuntimeError("a blocking side has awaited something")


async def one(producer: Producer, seconds: str) -> None:
    """Enqueue one by one."""
    for n in range(WARM):
        await producer.noop(n)
    began, count, now = time.monotonic(), 0, 0.0
    while now < float(seconds):
        await producer.noop(count)
        count += 1
        now = time.monotonic() - began
    print(json.dumps({"count": count, "seconds": now}))


async def bulk(producer: Producer, count: str) -> None:
    """Enqueue many."""
    began = time.monotonic()
    for start in range(0, int(count), BATCH):
        await producer.bulk(range(start, min(start + BATCH, int(count))))
    print(json.dumps({"count": int(count), "seconds": time.monotonic() - began}))


async def stamps(producer: Producer, count: str, every_ms: str) -> None:
    """Enqueue at a slow, steady pace."""
    began = time.monotonic()
    for n in range(int(count)):
        await producer.pause(max(0.0, began + n * float(every_ms) / 1000 - time.monotonic()))
        await producer.stamp(time.monotonic())


async def hold(producer: Producer, path: str) -> None:
    """Enqueue the job that is to be lost."""
    await producer.hold(path)


async def trickle(producer: Producer, every_ms: str) -> None:
    """Enqueue for ever."""
    n = 0
    while True:
        await producer.noop(n)
        n += 1
        await producer.pause(float(every_ms) / 1000)


Command = Callable[..., Coroutine[object, object, None]]
COMMANDS: dict[str, Command] = {"one": one, "bulk": bulk, "stamps": stamps, "hold": hold, "trickle": trickle}


def main(module: str, command: str, *words: str) -> None:
    """Do it."""
    side, url = importlib.import_module(module), os.environ["BENCH_URL"]
    run = getattr(side, "run", asyncio.run)
    if command in ("install", "worker"):
        run(getattr(side, command)(url))
    else:
        run(_produce(side.producer(url), COMMANDS[command], words))


async def _produce(opening: AbstractAsyncContextManager[Producer], command: Command, words: tuple[str, ...]) -> None:
    async with opening as producer:
        await command(producer, *words)


if __name__ == "__main__":
    importlib.import_module("probe").main(*sys.argv[1:])
