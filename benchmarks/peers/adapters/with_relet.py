"""Relet, for the same commands. Its worker is `relet worker`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import probe

import benchmarks.ground
from benchmarks.tasks import hold, noop, stamp
from relet import App
from relet.store.schema import bring_up_to_date

run = probe.without_loop


async def install(url: str) -> None:
    """The tables."""
    bring_up_to_date(url)


class Producer(probe.BlockingProducer):
    """Over the app's connection."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def noop(self, n: int) -> None:
        noop.enqueue(n)

    async def bulk(self, numbers: range) -> None:
        self.app.enqueue_many([noop.call(n) for n in numbers])

    async def stamp(self, sent: float) -> None:
        stamp.enqueue(sent)

    async def hold(self, path: str) -> None:
        hold.enqueue(path)


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[Producer]:
    """A producer, for the time of the block."""
    app = benchmarks.ground.producer(url)
    app.open()
    yield Producer(app)
    app.close()
