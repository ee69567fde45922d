"""Procrastinate over psycopg 3: concurrent sub-workers, and a pool of one connection more, as its discussion of pools says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import probe
import procrastinate

CONCURRENCY = 20

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["BENCH_URL"], max_size=CONCURRENCY + 1)
)


@app.task(name="noop")
async def noop(n: int) -> None:  # noqa: ARG001  jobs have an argument
    """Does nothing."""
    probe.mark()


@app.task(name="stamp")
async def stamp(sent: float) -> None:
    """Writes down how long it took to start."""
    probe.started(sent)


@app.task(name="hold")
async def hold(path: str) -> None:
    """Stays, the first time."""
    if probe.held(path):
        await asyncio.sleep(600)


async def install(url: str) -> None:  # noqa: ARG001  the app has it already
    """The tables."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


class Producer(probe.Producer):
    """Over the app's pool."""

    async def noop(self, n: int) -> None:
        await noop.defer_async(n=n)

    async def bulk(self, numbers: range) -> None:
        await noop.batch_defer_async(*({"n": n} for n in numbers))

    async def stamp(self, sent: float) -> None:
        await stamp.defer_async(sent=sent)

    async def hold(self, path: str) -> None:
        await hold.defer_async(path=path)


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[Producer]:  # noqa: ARG001  the app has it already
    """A producer, for the time of the block."""
    async with app.open_async():
        yield Producer()


async def worker(url: str) -> None:  # noqa: ARG001  the app has it already
    """Run jobs."""
    async with app.open_async():
        await app.run_worker_async(concurrency=CONCURRENCY)
