"""Huey on SQLite, with full sync like every other side. Its worker is its own `huey_consumer`, with one thread."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import probe
from huey import SqliteHuey

run = probe.without_loop
huey = SqliteHuey("bench", filename=os.environ["BENCH_URL"].removeprefix("sqlite:///"), fsync=True)


@huey.task()
def noop(n: int) -> None:  # noqa: ARG001  jobs have an argument
    """Does nothing."""
    probe.mark()


@huey.task()
def stamp(sent: float) -> None:
    """Writes down how long it took to start."""
    probe.started(sent)


@huey.task()
def hold(path: str) -> None:
    """Stays, the first time."""
    if probe.held(path):
        time.sleep(600)


async def install(url: str) -> None:
    """Importing this module has made the tables."""


class Producer(probe.BlockingProducer):
    """To call a task is to enqueue it. There is no call for many."""

    async def noop(self, n: int) -> None:
        noop(n)

    async def stamp(self, sent: float) -> None:
        stamp(sent)

    async def hold(self, path: str) -> None:
        hold(path)


@asynccontextmanager
async def producer(url: str) -> AsyncIterator[Producer]:  # noqa: ARG001  the queue has it already
    """A producer."""
    yield Producer()
