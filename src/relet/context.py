"""What a running task sees: which job it is, its lease, and where it reports to.

@app.task
async def charge(ctx: Context, order_id: int) -> Receipt:
    ctx.progress(30, "authorising")
    return await gateway.charge(order_id, idempotency_key=ctx.idempotency_key, fence=ctx.lease.token)

Code further down gets it by `relet.current()`.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Protocol
from uuid import UUID

from relet.errors import LeaseLost, UsageError
from relet.facts import Facts, Fire, ParentResult
from relet.job.duration import Duration
from relet.job.moment import span_or_at
from relet.job.outcome import Cancel
from relet.job.prices import tokens_of
from relet.job.textsafe import kept_fields, kept_text, shown
from relet.passed import PassedLimits
from relet.spending import FIELDS_CHARS, Spending
from relet.store.port import Effects
from relet.store.records import LogLine, Note, Progress, QueuePause

MESSAGE_CHARS = 4_000
MOST_LINES = 10_000
"""Log lines of one run that are kept; a task that writes more has lost its mind or its log file."""


class Line(Protocol):
    """The way from a context to whatever runs its task: a worker's runner, a pipe to it, or a test."""

    def now(self) -> int:
        """Wall time in microseconds."""
        ...

    def note(self, note: Note) -> None:
        """Hand over what the task said. Never blocks on a store."""
        ...

    def asked(self) -> str | None:
        """Why the run should end; None: it may go on."""
        ...

    def stopping(self) -> str | None:
        """Why the run should come to an end, though it may finish what it is at; None: it need not."""
        ...

    def lost(self) -> bool:
        """Whether the job may have been let to another worker."""
        ...

    def lease_left_us(self) -> int:
        """How long the worker may still trust its lease."""
        ...

    def on_lost(self, callback: Callable[[], object]) -> None:
        """Call this once, from some thread, when the lease is lost."""
        ...

    def begin_effects(self) -> Effects:
        """The transaction of this run's effects: the open one, or a new one."""
        ...

    def parents(self) -> list[ParentResult]:
        """What the job came after. Reads the store."""
        ...

    def drop_effects(self, error: BaseException) -> None:
        """Roll it back because of this error; a later `begin_effects` starts anew."""
        ...


class Lease:
    """The right to run this job. While it stands, no other worker has the job."""

    __slots__ = ("_line", "token", "worker_id")

    def __init__(self, token: int, worker_id: str, line: Line) -> None:
        self.token = token
        """Rises with each claim of the job: the fencing token. A resource that remembers the highest one that it has
        seen, and refuses lower ones, is safe from a run that was overtaken."""
        self.worker_id = worker_id
        self._line = line

    @property
    def remaining(self) -> float:
        """Seconds for which the lease stands if it is not renewed; 0 when it is lost. The worker renews it by itself."""
        return 0.0 if self._line.lost() else max(0, self._line.lease_left_us()) / 1e6

    @property
    def expires_at(self) -> datetime:
        """When it ends if it is not renewed, by this host's clock, in UTC."""
        return datetime.fromtimestamp(self._line.now() / 1e6 + self.remaining, UTC)

    def check(self) -> None:
        """Raise LeaseLost if the job may have been let to another worker. Cheap: ask before each effect."""
        if self._line.lost() or self._line.lease_left_us() <= 0:
            raise LeaseLost(
                "This run no longer holds its job: the lease has lapsed or was taken back. Another worker may run the job "
                "now, and whatever this run writes is refused. End the function; its outcome does not count."
            )

    def on_lost(self, callback: Callable[[], object]) -> None:
        """Call `callback` once when the lease is lost, from another thread. It must be quick."""
        self._line.on_lost(callback)


class Transaction:
    """See `Context.transaction`."""

    __slots__ = ("_line",)

    def __init__(self, line: Line) -> None:
        self._line = line

    def __enter__(self) -> Any:
        return self._line.begin_effects().connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            self._line.drop_effects(error)

    async def __aenter__(self) -> Any:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if error is not None:
            await asyncio.to_thread(self._line.drop_effects, error)


class Context:
    """One run of one job. Its methods may be called from any thread of the task's own."""

    def __init__(self, facts: Facts, line: Line) -> None:
        self._facts = facts
        self._line = line
        self._lines = itertools.count()
        self._spending = Spending(facts, line.note)
        self._parents: tuple[ParentResult, ...] | None = None
        self.lease = Lease(facts.epoch, facts.worker, line)

    @property
    def job_id(self) -> UUID:
        """The job's id."""
        return UUID(bytes=self._facts.job_id)

    @property
    def idempotency_key(self) -> str:
        """The same for every run of this job, and for no other job: hand it to whatever must act only once."""
        return str(self.job_id)

    @property
    def task(self) -> str:
        """The task's name."""
        return self._facts.task

    @property
    def queue(self) -> str:
        """The queue that the job was in."""
        return self._facts.queue

    @property
    def attempt(self) -> int:
        """Which attempt this is: 1 for the first. Only runs that failed count."""
        return self._facts.attempt

    @property
    def crashes(self) -> int:
        """How many runs took their process down while they were alone in it."""
        return self._facts.crashes

    @property
    def epoch(self) -> int:
        """How often the job has been claimed, this run included; the same as `lease.token`."""
        return self._facts.epoch

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags that the job was enqueued with."""
        return self._facts.tags

    @property
    def limits(self) -> PassedLimits:
        """The limits by name and key that the job has passed: `ctx.limits["stripe"]`."""
        return PassedLimits(self._facts.gates, self._line.note)

    @property
    def fire(self) -> Fire | None:
        """Which due time this job is for, or who triggered it; None: no routine and no schedule made it."""
        fired = self._facts.fired
        return None if fired is None else Fire.of(fired)

    @property
    def trace(self) -> str | None:
        """What the tracing of whoever enqueued the job has left for its runs; None: nothing."""
        return self._facts.trace

    @property
    def parents(self) -> tuple[ParentResult, ...]:
        """What the jobs and batches that this one came after have left, in the order in which they were named.

        Read from the store when it is first asked for; in an async task, write `await ctx.aparents()`."""
        if self._parents is None:
            self._parents = tuple(self._line.parents())
        return self._parents

    async def aparents(self) -> tuple[ParentResult, ...]:
        """`parents` without holding up the event loop."""
        return await asyncio.to_thread(lambda: self.parents)

    # ── being told to end ─────────────────────────────────────────────────────────────────────────────────────────
    @property
    def cancelled(self) -> bool:
        """True when this run should end: someone cancelled the job, its time is up, or the worker has to go.

        An async task is cancelled anyway; a plain function has to look."""
        return self._line.asked() is not None

    @property
    def stopping(self) -> bool:
        """True when this run should come to an end, but may finish what it is at: its worker has to go soon. So it is, too, when
        `cancelled` is. A run that goes on all the same is told to end when the worker's grace is over."""
        return self._line.stopping() is not None

    def raise_if_cancelled(self) -> None:
        """End the function here if it should end. Raises LeaseLost or Cancel."""
        if self._line.lost():
            self.lease.check()
        reason = self._line.asked()
        if reason is not None:
            raise Cancel(reason)

    # ── reporting ─────────────────────────────────────────────────────────────────────────────────────────────────
    def progress(self, percent: float, message: str = "") -> None:
        """How far the run is: 0 to 100, and a word about it. Seen by others within about a second."""
        if not math.isfinite(percent):
            raise UsageError(f"progress({shown(percent)}): the percentage is not a number from 0 to 100.")
        facts = self._facts
        within = min(100.0, max(0.0, float(percent)))
        self._line.note(Progress(facts.job_id, facts.epoch, within, kept_text(message, MESSAGE_CHARS)))

    def log(self, message: str, *, level: str = "info", **fields: object) -> None:
        """A line that is kept with the job. Lines beyond the first 10,000 of a run are dropped."""
        n = next(self._lines)
        if n > MOST_LINES:
            return
        if n == MOST_LINES:
            message, fields = f"only the first {MOST_LINES:,} lines of a run are kept", {}
        facts = self._facts
        text = kept_fields(fields, FIELDS_CHARS)
        self._line.note(
            LogLine(
                facts.job_id,
                facts.epoch,
                n,
                self._line.now(),
                kept_text(level, 20),
                kept_text(message, MESSAGE_CHARS),
                text,
            )
        )

    def usage(self, **amounts: Decimal | float | str) -> None:
        """What the run consumed: `ctx.usage(gpu_seconds=3.2, pages=4)`. Kept and added up also if the run fails.

        Raises UsageError for what is no number from 0 to 10^15."""
        self._spending.usage(amounts)

    def cost(self, amount: Decimal | int | str, *, unit: str = "USD", kind: str = "", **details: object) -> None:
        """Money that the run spent: a Decimal or text, never a float. `details` say on what; costs are summed by `model=`.

        Raises UsageError for what is no number from 0 to 10^15."""
        self._spending.cost(amount, unit, kind, details)

    def llm(
        self,
        model: str,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        provider: str = "",
        **details: object,
    ) -> Decimal | None:
        """A call of a language model: its tokens, and what they cost by `app.prices`; returns that.

            reply = client.messages.create(…)
            ctx.llm(reply.model, input_tokens=reply.usage.input_tokens, output_tokens=reply.usage.output_tokens)

        `input_tokens` are all, those included that came from the cache or went into it. The price is stored with the amount.
        None: nobody has a price for the model; its tokens are counted all the same, as "unpriced tokens" too. Raises UsageError.
        """
        tokens = tokens_of(input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
        return self._spending.model(model, provider, tokens, self._line.now(), details)

    def pause_queue(self, until: datetime | Duration, reason: str = "") -> None:
        """Nothing more is to start from this job's queue for a while: what a service asks for that says "too many requests".

            ctx.pause_queue(until=response.headers["Retry-After"])      # then: raise Retry(…), or return

        `until` is a moment, a duration from now on (a number of seconds too), or an HTTP date. What runs goes on. It is in force
        with the next turn of the worker, in all workers. A pause that ends later, or not by itself, stays as it is.
        Raises UsageError.
        """
        facts = self._facts
        delay_us, resume_at = span_or_at(until, name="until")
        by = f"{facts.task} on {facts.worker or 'a worker'}"
        self._line.note(
            QueuePause(
                facts.job_id, facts.epoch, delay_us, resume_at, kept_text(by, 300), kept_text(reason, MESSAGE_CHARS)
            )
        )

    # ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────
    def transaction(self) -> Transaction:
        """Write into the store's own database exactly once.

            with ctx.transaction() as conn:          # async with, in an async task
                conn.execute("insert into payments …")

        `conn` is the engine's own connection (psycopg, apsw or sqlite3), inside a transaction. When the function returns,
        its success and all that it has logged and used are written in the same transaction and committed with it, or, if
        the job was let to another worker meanwhile, nothing of it. When the block or the function raises, the
        writes are undone. Do not commit yourself.

        Keep it short: on SQLite nobody else can write to the file from here to the end of the function. The connection
        works synchronously, in an async task too.
        """
        return Transaction(self._line)


class Running(Protocol):
    """Whatever can say which context the present code runs in."""

    @property
    def context(self) -> Context:
        """The context of this run."""
        ...


_RUNNING: ContextVar[Running] = ContextVar("relet_running")


def current() -> Context:
    """The context of the run in which this code is called. Raises UsageError outside of one."""
    running = _RUNNING.get(None)
    if running is None:
        raise UsageError(
            "relet.current() was called outside of a running task, or in a thread that the task started by itself. "
            "Call it in the task, and hand the context over."
        )
    return running.context


def enter(running: Running) -> Token[Running]:
    """Make `running` the current run of this `contextvars` context."""
    return _RUNNING.set(running)
