"""PGQueuer over asyncpg: batches of 500, the autovacuum settings that its checklist asks for, the loop of its command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import asyncpg
import probe
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = 500


def run(doing: Coroutine[object, object, None]) -> None:
    """What `pgq run` does where uvloop is installed."""
    uvloop.run(doing)


async def install(url: str) -> None:
    """Tables, and the settings that the tuning guide recommends."""
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    await queries.optimize_autovacuum()
    await connection.close()


class Producer(probe.Producer):
    """Over one connection."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries

    async def noop(self, n: int) -> None:
        await self.queries.enqueue("noop", b'{"n":%d}' % n)

    async def bulk(self, numbers: range) -> None:
        size = len(numbers)
        await self.queries.enqueue(["noop"] * size, [b'{"n":%d}' % n for n in numbers], [0] * size)

    async def stamp(self, sent: float) -> None:
        await self.queries.enqueue("stamp", json.dumps(sent).encode())

    async def hold(self, path: str) -> None:
        await self.queries.enqueue("hold", path.encode())


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[Producer]:
    """A producer, for the time of the block."""
    connection = await asyncpg.connect(url)
    yield Producer(Queries(AsyncpgDriver(connection)))
    await connection.close()


async def worker(url: str) -> None:
    """Run jobs."""
    pgq = PgQueuer(AsyncpgDriver(await asyncpg.connect(url)))

    @pgq.entrypoint("noop")
    async def noop(job: Job) -> None:  # noqa: ARG001  jobs have an argument
        probe.mark()

    @pgq.entrypoint("stamp")
    async def stamp(job: Job) -> None:
        probe.started(json.loads(job.payload or b"0"))

    @pgq.entrypoint("hold")
    async def hold(job: Job) -> None:
        if probe.held((job.payload or b"").decode()):
            await asyncio.sleep(600)

    await pgq.run(batch_size=BATCH)
