"""Tasks for tests of the worker. Child processes import this module, so it stands alone."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from relet import App, Breaker, Cancel, Context, Limit, Reject, Retry, RetryLater, Snooze, current

app = App(os.environ.get("RELET_TEST_URL", "sqlite:///:memory:?name=tasks"))
ONCE = Retry(1)
SOON = Retry(3, backoff="fixed", first=0.01)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("even this")


def error_named(name: str) -> BaseException:
    return {
        "value": ValueError("no"),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
        "generator": GeneratorExit(),
        "cancelled": asyncio.CancelledError(),
        "group": BaseExceptionGroup("several", [ValueError("a"), SystemExit(1)]),
        "unspeakable": Unspeakable(),
        "huge": ValueError("x" * 10_000_000),
        "stop": StopIteration(),
        "surrogate": ValueError("\ud800\x00"),
    }[name]


def write(path: str, text: str) -> None:
    """One line into the ledger, in one write."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@app.task
async def add(a: int, b: int) -> int:
    return a + b


@app.task
def add_plainly(a: int, b: int) -> int:
    return a + b


@app.task(executor="process")
def add_apart(a: int, b: int) -> int:
    return a + b


@app.task(executor="process")
async def add_apart_async(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@app.task(executor="process")
def pid_apart() -> int:
    return os.getpid()


@app.task(retry=ONCE)
async def raise_async(name: str) -> None:
    raise error_named(name)


@app.task(retry=ONCE)
def raise_plainly(name: str) -> None:
    raise error_named(name)


@app.task(retry=ONCE, executor="process")
def raise_apart(name: str) -> None:
    raise error_named(name)


@app.task(retry=SOON)
async def flaky(path: str) -> int:
    write(path, f"attempt {current().attempt}")
    if current().attempt < 3:
        raise OSError("not yet")
    return current().attempt


@app.task
async def unserialisable() -> object:
    return object()


@app.task(retry=SOON)
async def verdict(kind: str, how: str, path: str) -> None:
    write(path, kind)
    if current().epoch > 1:
        return None
    said = {"snooze": Snooze(0.01), "later": RetryLater(0.01), "reject": Reject("bad"), "cancel": Cancel("why")}[kind]
    if how == "raise":
        raise said
    return said  # type: ignore[return-value]


@app.task(timeout=0.2, retry=ONCE)
async def sleep_async(path: str) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        write(path, "cleaned up")


@app.task(timeout=0.2, retry=ONCE)
async def stubborn_async(path: str) -> None:
    for _ in range(40):
        try:
            await asyncio.sleep(0.05)
        except BaseException:
            write(path, "swallowed")
    write(path, "late")


@app.task(timeout=0.2, retry=ONCE)
def stubborn(path: str, seconds: float = 1.0) -> str:
    write(path, "begun")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)
    write(path, "late")
    return "late"


@app.task(timeout=0.2, retry=ONCE)
def polite(ctx: Context) -> None:
    while True:
        ctx.raise_if_cancelled()
        time.sleep(0.01)


@app.task(timeout=0.5, retry=ONCE, executor="process")
def spin_apart() -> None:
    while True:
        pass


@app.task(timeout=0.5, retry=ONCE, executor="process")
def tidy_apart(path: str) -> None:
    try:
        time.sleep(60)
    finally:
        write(path, "cleaned up")


@app.task(timeout=1.0, retry=ONCE, executor="process")
def breed(path: str) -> None:
    """Ignores SIGTERM, and starts a process of its own that leaves the group."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import os, time; os.setsid(); time.sleep(60)"
    grandchild = subprocess.Popen([sys.executable, "-c", code])
    write(path, str(grandchild.pid))
    write(path, str(os.getpid()))
    time.sleep(60)


@app.task(timeout=1.0, retry=ONCE, executor="process")
def swarm(path: str) -> None:
    """Thirty-two processes, each in a group of its own, that are of each other's making and ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
        write(path, str(os.getpid()))
    time.sleep(60)


@app.task
def double(n: int) -> None:
    """Enqueues itself twice."""
    double.enqueue(2 * n)
    double.enqueue(2 * n + 1)


@app.task(executor="process")
def leave_behind(path: str) -> int:
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    write(path, str(grandchild.pid))
    return os.getpid()


@app.task(retry=ONCE, executor="process", memory=200 * 1024 * 1024)
def hoard() -> int:
    return len(bytearray(1024 * 1024 * 1024))


@app.task(retry=ONCE, executor="process", cpu=1)
def burn() -> None:
    while True:
        pass


@app.task(retry=SOON, executor="process")
def die_apart(how: str) -> None:
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
async def wait_async(path: str) -> None:
    write(path, "started")
    try:
        await asyncio.sleep(60)
    finally:
        write(path, "ended")


@app.task
def wait_plainly(ctx: Context, path: str) -> None:
    write(path, "started")
    while not ctx.cancelled:
        time.sleep(0.01)
    write(path, "ended")


@app.task(executor="process")
def wait_apart(path: str) -> None:
    write(path, "started")
    try:
        time.sleep(60)
    finally:
        write(path, "ended")


@app.task
async def nap(path: str, seconds: float, again: float = 0.2) -> str:
    """Sleeps so long the first time, and `again` when it is run again."""
    write(path, f"started {current().epoch} {os.getpid()}")
    await asyncio.sleep(seconds if current().epoch == 1 else again)
    write(path, f"ended {current().epoch} {os.getpid()}")
    return "rested"


@app.task(limits=[Limit("partner", concurrency=3, rate="16/3s", per="{tenant}")])
async def call_partner(path: str, tenant: str, seconds: float) -> str:
    return await nap.fn(path, seconds, seconds)


@app.task
def report(ctx: Context) -> str:
    ctx.progress(25, "a quarter")
    ctx.log("hello", answer=42)
    ctx.usage(pages=3)
    ctx.cost("0.0125", kind="llm", model="m")
    ctx.progress(75, "three quarters")
    return f"{ctx.attempt} {ctx.epoch} {ctx.lease.token} {ctx.idempotency_key == str(ctx.job_id)}"


@app.task(executor="process")
def report_apart(ctx: Context) -> str:
    return report.fn(ctx)


@app.task
async def who() -> str:
    await asyncio.sleep(0)
    return str(current().job_id)


@app.task(retry=ONCE)
def effect(ctx: Context, n: int, how: str = "return") -> str:
    with ctx.transaction() as conn:
        conn.execute("insert into effect values (?)", (n,))
        ctx.log("told")
        ctx.usage(pages=3)
        if how == "inside":
            raise ValueError("inside")
    if how == "after":
        raise ValueError("after")
    return "done"


@app.task
async def effect_async(ctx: Context, n: int) -> str:
    async with ctx.transaction() as conn:
        conn.execute("insert into effect values (?)", (n,))
        ctx.log("told")
        ctx.usage(pages=3)
    return "done"


@app.task(executor="process")
def effect_apart(ctx: Context, n: int) -> str:
    with ctx.transaction() as conn:
        conn.execute("insert into effect values (?)", (n,))
        ctx.log("told")
        ctx.usage(pages=3)
    return "done"


@app.task(retry=ONCE)
def poison(path: str) -> None:
    """Takes its process down, every time."""
    write(path, f"poison {current().epoch} {os.getpid()}")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
async def block_loop(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251  that is the point


@app.task
def in_thread() -> str:
    return threading.current_thread().name


@app.task
def await_loss(ctx: Context, path: str) -> None:
    ctx.lease.on_lost(lambda: write(path, "told"))
    write(path, "started")
    try:
        while True:
            ctx.lease.check()
            time.sleep(0.01)
    except Exception as error:
        write(path, type(error).__name__)
        raise


@app.task(executor="process")
def flood() -> None:
    sys.stdout.write("x" * 2_000_000)
    sys.stdout.flush()


@app.task(executor="process", retry=ONCE)
def close_everything() -> None:
    os.closerange(0, 256)
    time.sleep(0.2)


@app.task
async def hold_off(ctx: Context, seconds: str) -> None:
    ctx.pause_queue(until=seconds, reason="too many requests")


@app.task
def hold_off_plainly(ctx: Context, seconds: str) -> None:
    ctx.pause_queue(until=seconds, reason="too many requests")


@app.task(executor="process")
def hold_off_apart(ctx: Context, seconds: str) -> None:
    ctx.pause_queue(until=seconds, reason="too many requests")


@app.task(queue="guarded", retry=ONCE, breaker=Breaker(failures=3, cool="1h"))
def guarded(path: str, flag: str) -> str:
    return _unless_broken(path, flag)


@app.task(queue="mending", retry=ONCE, breaker=Breaker(failures=3, cool="200ms"))
async def mending(path: str, flag: str) -> str:
    return _unless_broken(path, flag)


@app.task(executor="process", queue="apart", retry=ONCE, breaker=Breaker(failures=2, cool="1h", ignore=(KeyError,)))
def guarded_apart(path: str, flag: str) -> str:
    if flag == "ignored":
        raise KeyError(flag)
    return _unless_broken(path, flag)


@app.task(retry=ONCE)
def calling(path: str, flag: str) -> str:
    with app.breaker("service", Breaker(failures=2, cool="1h")):
        return _unless_broken(path, flag)


@app.task(executor="process", retry=ONCE)
def calling_apart(path: str, flag: str) -> str:
    with app.breaker("service", Breaker(failures=2, cool="1h")):
        return _unless_broken(path, flag)


@app.task(retry=ONCE)
async def calling_async(path: str, flag: str) -> str:
    async with app.breaker("service", Breaker(failures=2, cool="1h")):
        return _unless_broken(path, flag)


def _unless_broken(path: str, flag: str) -> str:
    write(path, "tried")
    if Path(flag).exists():
        raise OSError("it is down")
    return "done"
