"""The app of the soak. Each run writes down that it began and that it returned; nothing else is believed."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from relet import App, Context, Retry, Snooze
from tests.soak.ledger import write

app = App()
SOON = Retry(6, backoff="fixed", first=0.1)


def began(ctx: Context) -> None:
    write("runs", word="began", job=str(ctx.job_id), epoch=ctx.epoch, key=ctx.idempotency_key)


def returned(ctx: Context) -> None:
    write("runs", word="returned", job=str(ctx.job_id), epoch=ctx.epoch, key=ctx.idempotency_key)


@app.task
async def quick(ctx: Context, n: int) -> int:
    began(ctx)
    returned(ctx)
    return n


@app.task
async def nap(ctx: Context, seconds: float) -> float:
    began(ctx)
    await asyncio.sleep(seconds)
    returned(ctx)
    return seconds


@app.task
def plain(ctx: Context, seconds: float) -> float:
    began(ctx)
    time.sleep(seconds)
    returned(ctx)
    return seconds


@app.task(executor="process")
def apart(ctx: Context, seconds: float) -> int:
    began(ctx)
    time.sleep(seconds)
    returned(ctx)
    return os.getpid()


@app.task(retry=SOON)
async def flaky(ctx: Context, failures: int) -> int:
    began(ctx)
    if ctx.attempt <= failures:
        raise ConnectionError(f"attempt {ctx.attempt}, as planned")
    returned(ctx)
    return ctx.attempt


@app.task(retry=Retry(2, backoff="fixed", first=0.1))
def doomed(ctx: Context, cured: bool = False) -> str:
    began(ctx)
    if not cured:
        raise ValueError("as planned")
    returned(ctx)
    return "cured"


@app.task(unique="soak:{key}")
async def keyed(ctx: Context, key: str, n: int) -> int:
    began(ctx)
    await asyncio.sleep(0.02)
    returned(ctx)
    return n


@app.task
async def snoozer(ctx: Context, n: int) -> int:
    began(ctx)
    if ctx.epoch == 1:
        raise Snooze(0.2)
    returned(ctx)
    return n


@app.task
def pay(ctx: Context, amount: int) -> int:
    """Its effect is in the store's own database: exactly once."""
    began(ctx)
    with ctx.transaction() as conn:
        conn.execute(f"insert into soak_effect (job, epoch) values ('{ctx.job_id}', {ctx.epoch})")
    returned(ctx)
    return amount


@app.task
async def endless(ctx: Context) -> None:
    """Until somebody cancels it."""
    began(ctx)
    await asyncio.sleep(600)
    returned(ctx)


@app.task
async def poison(ctx: Context) -> None:
    """Takes its process down, every time."""
    began(ctx)
    os.kill(os.getpid(), signal.SIGKILL)
