"""The demo's tasks: measure a source file; fail twice, then succeed; kill the process, every time.

Each run writes its effect into a ledger: a file to which one line is appended by one system call, so that neither a kill nor
a second process can tear it. The ledger stands for the outside world: it does not know of the store, and keeps everything.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from relet import App, Context, Retry
from relet.clock import SystemClock

LEDGER = "RELET_DEMO_LEDGER"
FLAKY_FAILURES = 2

app = App()


@dataclass(frozen=True)
class Measured:
    """What was found in a source file."""

    lines: int
    tokens: int
    sha256: str
    flaw: str = ""
    """Why the tokens end early: some files of the standard library's tests are broken on purpose."""


@dataclass(frozen=True)
class Effect:
    """One line of the ledger."""

    key: str
    """The idempotency key: the same for all runs of a job."""
    fence: int
    """The fencing token of the run: rises from run to run of a job."""
    at: int
    """When the run began, microseconds since the epoch."""
    pid: int
    digest: str


@app.task
def measure(ctx: Context, path: str) -> Measured:
    """Tokenize, count and hash one file."""
    began = SystemClock().now()
    found = measured(Path(path))
    leave(ctx, began, digest(found))
    return found


@app.task(retry=Retry(FLAKY_FAILURES + 1, backoff="fixed", first="200ms"))
def flaky(ctx: Context, number: int) -> int:
    """Fails twice, then succeeds."""
    if ctx.attempt <= FLAKY_FAILURES:
        raise ConnectionError(f"the network is down (attempt {ctx.attempt}, as planned)")
    leave(ctx, SystemClock().now(), str(number))
    return number


@app.task
def poison() -> None:
    """Kills the process that runs it."""
    os.kill(os.getpid(), signal.SIGKILL)


def measured(path: Path) -> Measured:
    """The work itself: the same whoever does it."""
    source = path.read_bytes()
    tokens, flaw = 0, ""
    try:
        for _ in tokenize.tokenize(io.BytesIO(source).readline):
            tokens += 1
    except (SyntaxError, tokenize.TokenError, UnicodeError) as error:
        flaw = type(error).__name__
    return Measured(source.count(b"\n"), tokens, hashlib.sha256(source).hexdigest(), flaw)


def digest(found: Measured) -> str:
    """A result in one word."""
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def leave(ctx: Context, began: int, word: str) -> None:
    """Write an effect into the ledger."""
    effect = Effect(ctx.idempotency_key, ctx.lease.token, began, os.getpid(), word)
    line = json.dumps(asdict(effect)).encode() + b"\n"
    ledger = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(ledger, line)
    finally:
        os.close(ledger)


def effects(ledger: Path) -> Iterator[Effect]:
    """All lines of the ledger."""
    if ledger.exists():
        for line in ledger.read_text().splitlines():
            yield Effect(**json.loads(line))


def sources() -> list[Path]:
    """Every source file of the running Python's own standard library."""
    root = Path(sysconfig.get_paths()["stdlib"])
    return sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts and path.is_file())
