"""The handle of one job: where it stands, how it ended, what it says meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast
from uuid import UUID

import msgspec

from relet.aio import Threads, Waiting, await_, wait
from relet.clock import SECOND, Clock
from relet.errors import JobCancelled, JobFailed, NotFound, ResultTimeout, UsageError
from relet.job.codec import Codec
from relet.job.costs import summed, unit_of
from relet.job.duration import Duration, format_us, to_us
from relet.job.state import State
from relet.records import AttemptInfo, BondInfo, JobInfo, LogEntry, UsageEntry
from relet.settings import Settings
from relet.store.rows import JobRow
from relet.store.shared import SharedStore
from relet.watch import JobEvent, Seen

R_co = TypeVar("R_co", covariant=True)

FIRST_PAUSE_US = 5_000
LONGEST_PAUSE_US = 250_000
EVENTS_PAUSE_US = 100_000
LOG_PAGE = 500
MOST_BONDS = 1_000


class Progress(NamedTuple):
    """How far a job is, as it last told: 0 to 100, and a message."""

    percent: float
    message: str


class Look(NamedTuple):
    """A job as a waiter sees it; `stack` is that of its last attempt, if it is dead."""

    row: JobRow
    stack: str = ""


class Described(Protocol):
    """What a handle needs of its task."""

    @property
    def name(self) -> str:
        """The task's name."""
        ...

    @property
    def codec(self) -> Codec:
        """Reads the result."""
        ...


class Reader(Protocol):
    """What a handle needs of its app."""

    @property
    def shared(self) -> SharedStore:
        """The store."""
        ...

    @property
    def threads(self) -> Threads:
        """Where verbs of async callers run."""
        ...

    @property
    def patience(self) -> Clock:
        """The real clock: a wait takes real time, also where the store's clock is a manual one."""
        ...

    @property
    def settings(self) -> Settings:
        """What the app was told."""
        ...

    def who(self, by: str) -> str:
        """The name under which a person acts."""
        ...


class Job(Generic[R_co]):
    """One job. Cheap: it reads the store only when asked."""

    __slots__ = ("_app", "_bytes", "created", "in_transaction", "task")

    def __init__(
        self,
        app: Reader,
        job_id: bytes,
        task: Described | None,
        created: bool = True,
        in_transaction: bool = False,
    ) -> None:
        self._app = app
        self._bytes = job_id
        self.task = task
        self.created = created
        """False when a job that was there before stands for this call, by its unique key."""
        self.in_transaction = in_transaction
        """True when it was written in the caller's own transaction: it is there once that commits."""

    @property
    def id(self) -> UUID:
        """The id, known before anything is committed."""
        return UUID(bytes=self._bytes)

    @property
    def state(self) -> State:
        """Where the job stands now. Raises NotFound."""
        return self._row().state

    @property
    def progress(self) -> Progress | None:
        """What it last said about how far it is, while it runs; None: nothing. Raises NotFound."""
        row = self._row()
        return None if row.percent is None else Progress(row.percent, row.message or "")

    def info(self) -> JobInfo:
        """Everything about it, read once. Raises NotFound."""
        return JobInfo.of(self._row())

    @property
    def attempts(self) -> list[AttemptInfo]:
        """Its ended claims, oldest first, a success included."""
        with self._app.shared.use() as store:
            return [AttemptInfo.of(row) for row in store.insights.attempts(self._bytes)]

    @property
    def parents(self) -> list[BondInfo]:
        """What it comes after, those first that have not ended; at most 1,000."""
        with self._app.shared.use() as store:
            return [BondInfo.of(row, parent=True) for row in store.insights.parents(self._bytes, MOST_BONDS)]

    @property
    def children(self) -> list[BondInfo]:
        """What comes after it, the oldest first; at most 1,000."""
        with self._app.shared.use() as store:
            return [BondInfo.of(row, parent=False) for row in store.insights.children(self._bytes, MOST_BONDS)]

    @property
    def logs(self) -> list[LogEntry]:
        """The lines that it wrote, oldest first, over all attempts."""
        found: list[LogEntry] = []
        while page := self._logs_after((found[-1].claim, found[-1].n) if found else (0, -1)):
            found += page
        return found

    @property
    def usage(self) -> list[UsageEntry]:
        """What it consumed, over all attempts."""
        found: list[UsageEntry] = []
        after = (0, -1)
        while True:
            with self._app.shared.use() as store:
                page = store.insights.usage(self._bytes, after)
            found += map(UsageEntry.of, page)
            if not page:
                return found
            after = (page[-1].epoch, page[-1].n)

    @property
    def cost(self) -> dict[str, Decimal]:
        """What it consumed by unit, over all attempts, also those that failed: `job.cost["USD"]`. Gone with the job."""
        return summed((unit_of(entry.kind, entry.unit), entry.amount) for entry in self.usage)

    def result(self, timeout: Duration | None = None) -> R_co:
        """Wait for the end and return what the function returned. Without a timeout, wait for as long as it takes.

        Raises JobFailed (it is dead), JobCancelled, ResultTimeout (the job goes on) and NotFound.
        """
        return self._decoded(wait(self._until_ended(timeout), self._look))

    async def aresult(self, timeout: Duration | None = None) -> R_co:  # noqa: ASYNC109  the same signature as result
        """`result` from async code."""
        return self._decoded(await await_(self._until_ended(timeout), self._look, self._app.threads))

    def cancel(self, reason: str = "", *, grace: Duration | None = None, by: str = "") -> bool:
        """Cancel it: at once if it waits; if it runs, its worker is asked, and ends it by force after `grace`
        (by default the setting `cancel_grace` of this app).

        True: it was waiting or running. False: it had ended before. Raises NotFound.
        """
        grace_us = self._app.settings.cancel_grace_us if grace is None else to_us(grace, name="grace")
        with self._app.shared.use() as store:
            found = store.cancel(self._bytes, reason, self._app.who(by), grace_us)
        if found is None:
            raise self._missing()
        return not found.ended

    async def acancel(self, reason: str = "", *, grace: Duration | None = None, by: str = "") -> bool:
        """`cancel` from async code."""
        return await self._app.threads.run(lambda: self.cancel(reason, grace=grace, by=by))

    async def events(self, after: str = "") -> AsyncIterator[JobEvent]:
        """What changes about the job, until it has ended. `after` is the cursor of an event seen before.

        A state or a progress that came and went between two looks (100 ms) is not reported; log lines all are.
        """
        seen = Seen.parse(after)
        while True:
            row, lines = await self._app.threads.run(lambda: (self._row(), self._logs_after(seen.log)))
            more = len(lines) == LOG_PAGE
            for event in seen.changes(row, lines, more=more):
                yield event
            if row.state.ended and not more:
                return
            if not more:
                await asyncio.sleep(EVENTS_PAUSE_US / SECOND)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self._bytes == cast("Job[Any]", other)._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __repr__(self) -> str:
        return f"<Job {self.id}{f' of {self.task.name}' if self.task else ''}>"

    def _read(self) -> JobRow | None:
        with self._app.shared.use() as store:
            return store.insights.job(self._bytes)

    def _row(self) -> JobRow:
        row = self._read()
        if row is None:
            raise self._missing()
        return row

    def _look(self) -> Look:
        row = self._row()
        if row.state is not State.DEAD:
            return Look(row)
        attempts = self.attempts
        return Look(row, attempts[-1].stack if attempts else "")

    def _logs_after(self, place: tuple[int, int]) -> list[LogEntry]:
        with self._app.shared.use() as store:
            return [LogEntry.of(row) for row in store.insights.logs(self._bytes, place, LOG_PAGE)]

    def _until_ended(self, timeout: Duration | None) -> Waiting[Look, Look]:
        """Look again and again, less and less often."""
        clock = self._app.patience
        deadline = None if timeout is None else clock.steady() + to_us(timeout, name="timeout")
        pause_us, next_us = 0, FIRST_PAUSE_US
        while True:
            look = yield pause_us
            if look.row.state.ended:
                return look
            pause_us, next_us = next_us, min(next_us * 3 // 2, LONGEST_PAUSE_US)
            if deadline is not None:
                pause_us = min(pause_us, deadline - clock.steady())
                if pause_us <= 0:
                    raise self._late(look.row, timeout)

    def _decoded(self, look: Look) -> R_co:
        row = look.row
        if row.state is State.DEAD:
            raise JobFailed(
                f"{self._name(row)} is dead after {row.attempt} failed attempts: {row.error}. "
                "It stays in the dead letters; run it again with app.dead.retry(id).",
                job_id=self.id,
                error=row.error or "",
                stack=look.stack,
                attempts=row.attempt,
            )
        if row.state is State.CANCELLED:
            reason = row.error or ""
            why = f": {reason}" if reason else ""
            raise JobCancelled(f"{self._name(row)} was cancelled{why}.", job_id=self.id, reason=reason)
        if row.result is None:
            return cast("R_co", None)
        return self.task.codec.decode_result(row.result) if self.task else msgspec.json.decode(row.result)

    def _late(self, row: JobRow, timeout: Duration | None) -> ResultTimeout:
        waited = format_us(to_us(timeout or 0, name="timeout"))
        return ResultTimeout(
            f"{self._name(row)} has not ended within {waited}: it is {row.state}. It goes on. "
            "Ask app.why(id) what it waits for."
        )

    def _missing(self) -> NotFound:
        if self.in_transaction:
            return NotFound(
                f"Job {self.id} is not in the store. It was enqueued in your own transaction: it is there once that "
                "commits, and never if it was rolled back."
            )
        return NotFound(f"Job {self.id} is not in the store: its id is wrong, or retention has removed it.")

    def _name(self, row: JobRow) -> str:
        return f"Job {self.id} ({row.task})"


def as_uuid(given: UUID | str, what: str = "job") -> UUID:
    """An id as people give it: a UUID, or its text. Raises UsageError, which says of what it is none."""
    if isinstance(given, UUID):
        return given
    try:
        return UUID(given)
    except ValueError:
        raise UsageError(f"{given!r} is not a {what} id.") from None
