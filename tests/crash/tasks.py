"""Tasks whose runs leave marks in a file. Worker and child processes import this module, so it stands alone.

A mark is one line, appended by one system call: `word job epoch pid`. Whoever takes his own process down leaves his mark first.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from relet import App, Cancel, Context, Retry, Snooze, current

app = App()
SOON = Retry(3, backoff="fixed", first=0.05)
LATER = Retry(3, backoff="fixed", first=600)
ONCE = Retry(1)


def mark(path: str, word: str) -> None:
    """One line into the file at `path`."""
    try:
        ctx = current()
        line = f"{word} {ctx.job_id} {ctx.epoch} {os.getpid()}\n"
    except Exception:
        line = f"{word} - 0 {os.getpid()}\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(file, line.encode())
    os.close(file)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
async def add(a: int, b: int) -> int:
    return a + b


@app.task
def work(path: str, seconds: float = 0.0) -> str:
    mark(path, "began")
    time.sleep(seconds)
    mark(path, "ended")
    return "done"


@app.task
async def aim(ctx: Context, path: str, where: str) -> str:
    """Takes its process down in its first run: before its effect, or behind it."""
    mark(path, "began")
    if where == "before" and ctx.epoch == 1:
        die()
    mark(path, f"effect:{ctx.idempotency_key}")
    if where == "behind" and ctx.epoch == 1:
        die()
    return "done"


@app.task(retry=LATER)
async def fail(path: str) -> None:
    mark(path, "began")
    raise ValueError("as planned")


@app.task(retry=SOON)
async def fail_soon(ctx: Context, path: str) -> int:
    mark(path, "began")
    if ctx.attempt < 2:
        raise ValueError("as planned")
    return ctx.attempt


@app.task(retry=ONCE)
async def fail_for_good(path: str) -> None:
    mark(path, "began")
    raise ValueError("as planned")


@app.task
async def snooze(ctx: Context, path: str) -> str:
    mark(path, "began")
    if ctx.epoch == 1:
        raise Snooze(600)
    return "done"


@app.task
async def give_up(path: str) -> None:
    mark(path, "began")
    raise Cancel("as planned")


@app.task
def pay(ctx: Context, path: str) -> str:
    """Writes into the store's own database, together with its end."""
    mark(path, "began")
    ctx.log("about to pay")
    with ctx.transaction() as conn:
        conn.execute(f"insert into effect values ('{ctx.job_id}', {ctx.epoch})")
        ctx.log("paid")
        ctx.usage(cents=5)
    return "paid"


@app.task(executor="process")
def pay_apart(ctx: Context, path: str) -> str:
    """As `pay`, in a process of its own."""
    with ctx.transaction() as conn:
        conn.execute(f"insert into effect values ('{ctx.job_id}', {ctx.epoch})")
        ctx.log("paid")
        ctx.usage(cents=5)
    return "paid"


@app.task(retry=ONCE)
def pay_badly(ctx: Context, path: str, how: str) -> str:
    """Something goes wrong with a statement of its own, in its first run."""
    mark(path, "began")
    with ctx.transaction() as conn:
        ways = {
            "inside": LOSE_IT,
            "wrapped": LOSE_IT,
            "idle": LOSE_IT_IDLE,
            "refused": "insert into nowhere values (1)",
        }
        conn.execute(f"insert into effect values ('{ctx.job_id}', {ctx.epoch})")
        if ctx.epoch == 1 and how in ways:
            _do(conn, ways[how], how)
    if ctx.epoch == 1 and how == "behind":
        conn.execute(LOSE_IT)
    if ctx.epoch == 1 and how == "swallowed":
        with suppress(Exception):
            conn.execute("insert into nowhere values (1)")
    if ctx.epoch == 1 and how == "deferred":
        conn.execute("insert into child values (1)")
    return "paid"


LOSE_IT = "select pg_terminate_backend(pg_backend_pid())"
LOSE_IT_IDLE = "set idle_in_transaction_session_timeout = '20ms'"


def _do(conn: Any, sql: str, how: str) -> None:
    try:
        conn.execute(sql)
        if how == "idle":
            time.sleep(0.2)
            conn.execute("select 1")
    except Exception as error:
        if how == "wrapped":
            raise RuntimeError("could not pay") from error
        raise


@app.task
def pay_when_told(ctx: Context, path: str) -> str:
    """Waits for a file, and then for a transaction."""
    mark(path, "began")
    while not Path(f"{path}.go").exists():
        time.sleep(0.01)
    try:
        with ctx.transaction() as conn:
            conn.execute(f"insert into effect values ('{ctx.job_id}', {ctx.epoch})")
    except Exception:
        mark(path, "refused")
        raise
    return "paid"


@app.task
async def rest(path: str, seconds: float) -> str:
    mark(path, "began")
    await asyncio.sleep(seconds)
    mark(path, "ended")
    return "rested"


@app.task
async def fetch(path: str, seconds: float, size: int) -> str:
    mark(path, "began")
    await asyncio.sleep(seconds)
    mark(path, "ended")
    return "x" * size


@app.task
def leave_by_exit(path: str) -> None:
    mark(path, "began")
    os._exit(0)


@app.task
def spin(path: str) -> None:
    """Looks at nothing, and never ends."""
    mark(path, "began")
    while True:
        pass


@app.task
def compute(path: str, seconds: float) -> str:
    mark(path, "began")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))
    return "computed"


@app.task
async def swallow(path: str, seconds: float) -> str:
    """Ends when it likes, whatever it is told."""
    mark(path, "began")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            await asyncio.sleep(0.05)
        except BaseException:
            mark(path, "swallowed")
    mark(path, "ended")
    return "late"


@app.task(executor="process", timeout=1.0, retry=ONCE)
def sit_on_the_lock(path: str) -> None:
    """In C, with the interpreter's lock, deaf to signals."""
    mark(path, "began")
    ctypes.PyDLL(None).sleep(60)


@app.task
def hold_the_lock(path: str, milliseconds: int) -> str:
    """In C, with the interpreter's lock, in a thread of the worker's process. Only the first time."""
    mark(path, "began")
    if current().epoch == 1:
        ctypes.PyDLL(None).usleep(milliseconds * 1000)
    mark(path, "ended")
    return "done"


@app.task
def fork_here(path: str, times: int) -> str:
    """In a thread of the worker's process."""
    for _ in range(times):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    mark(path, "ended")
    return "done"


_BREED = """
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        with open(sys.argv[1], "a") as file:
            file.write(f"bred - 0 {os.getpid()}\\n")
        for _ in range(3):
            if os.fork() == 0:
                with open(sys.argv[1], "a") as file:
                    file.write(f"bred - 0 {os.getpid()}\\n")
                break
        time.sleep(60)
time.sleep(60)
"""


@app.task(executor="process", timeout=1.5, retry=ONCE)
def multiply(path: str) -> None:
    """A family of thirteen, in sessions of their own."""
    mark(path, "began")
    subprocess.Popen([sys.executable, "-c", _BREED, path])
    time.sleep(60)


@app.task(executor="process")
def vandalise(path: str) -> str:
    """What a task should not do to its process."""
    mark(path, "began")
    os.chdir("/")
    os.close(1)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.monotonic = lambda: 0.0
    time.time = lambda: 0.0
    sys.stderr = None  # type: ignore[assignment]
    threading.excepthook = None  # type: ignore[assignment]
    return "done"


@app.task(executor="process", timeout=1.0, retry=ONCE)
def sleep_apart(path: str) -> None:
    mark(path, "began")
    time.sleep(60)


@app.task(executor="process")
def add_apart(a: int, b: int) -> int:
    return a + b


@app.task
async def touch(file: str) -> None:
    Path(file).touch()  # noqa: ASYNC240  that is what a test looks for


@app.task
async def echo(value: object) -> object:
    return value
