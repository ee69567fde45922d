"""Batches: jobs that are enqueued and counted together, with calls that run once when they have ended.

with app.batch("import", on_success=publish.call(), on_failure=alarm.call()) as batch:
    batch.add_many(load.call(path) for path in paths)

batch.progress().percent
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

import msgspec

from relet.aio import Waiting, await_, wait
from relet.errors import NotFound, ResultTimeout, UsageError
from relet.handles import FIRST_PAUSE_US, LONGEST_PAUSE_US, Job, Reader, as_uuid
from relet.job.duration import Duration, format_us, to_us
from relet.job.job import Need, NewBatch
from relet.job.moment import from_at
from relet.store.rows import BatchRow
from relet.task import Call

PAGE = 500


_NEEDS = {"on_complete": Need.END, "on_success": Need.SUCCESS, "on_failure": Need.FAILURE}


class BatchInfo(msgspec.Struct, frozen=True):
    """A batch, as it stood when it was read. `total` is the sum of open, succeeded, dead and cancelled."""

    id: UUID
    label: str
    total: int
    open: int
    """Jobs that have not ended."""
    succeeded: int
    dead: int
    cancelled: int
    created_at: datetime
    ended_at: datetime | None
    """When the last one ended for the first time."""

    @classmethod
    def of(cls, row: BatchRow) -> BatchInfo:
        """The record of a row."""
        ended_at = None if row.ended_at is None else from_at(row.ended_at)
        return cls(UUID(bytes=row.id), *row[1:7], from_at(row.created_at), ended_at)

    @property
    def percent(self) -> float:
        """How much of it has ended: 0 to 100."""
        return 100.0 if not self.total else 100.0 * (self.total - self.open) / self.total

    @property
    def failed(self) -> int:
        """Jobs that are dead or were cancelled."""
        return self.dead + self.cancelled


class Submitter(Reader, Protocol):
    """What a batch needs of its app."""

    def submit_batch(
        self,
        calls: Sequence[Call[Any]],
        batch: NewBatch,
        callbacks: Sequence[tuple[Call[Any], Need]],
        tx: object | None,
    ) -> list[Job[Any]]: ...

    async def asubmit_batch(
        self,
        calls: Sequence[Call[Any]],
        batch: NewBatch,
        callbacks: Sequence[tuple[Call[Any], Need]],
        tx: object | None,
    ) -> list[Job[Any]]: ...


class Batch:
    """Jobs that are counted together. It is filled, then enqueued once, all or nothing; after that it only grows older."""

    def __init__(
        self,
        app: Submitter,
        batch_id: bytes,
        label: str = "",
        callbacks: Mapping[str, Call[Any]] | None = None,
        *,
        written: bool = False,
    ) -> None:
        self._app = app
        self._bytes = batch_id
        self.label = label
        self._callbacks = callbacks or {}
        self._calls: list[Call[Any]] = []
        self._written = written
        self.jobs: list[Job[Any]] = []
        """Its jobs, in the order in which they were added, once they are enqueued by this handle. One for which another job
        stands, by its unique key (`created` is False), is not counted."""

    @property
    def id(self) -> UUID:
        """The id, known before anything is written. Jobs may come after it: `task.options(after=batch)`."""
        return UUID(bytes=self._bytes)

    def add(self, call: Call[Any]) -> Call[Any]:
        """Put a call into it; returns the call, so that others may come after it. Raises UsageError when it is enqueued."""
        self.add_many((call,))
        return call

    def add_many(self, calls: Iterable[Call[Any]]) -> None:
        """Put calls into it."""
        if self._written:
            raise UsageError(f"Batch {self.id} is enqueued; its jobs are counted. Make another batch for more.")
        self._calls.extend(calls)

    def enqueue(self, *, tx: object | None = None) -> Batch:
        """Write the batch, its jobs and its callbacks, all or none, in one transaction. Returns itself.

        Raises what `app.enqueue_many` raises."""
        self._done(self._app.submit_batch(*self._made(), tx))
        return self

    async def aenqueue(self, *, tx: object | None = None) -> Batch:
        """`enqueue` from async code."""
        self._done(await self._app.asubmit_batch(*self._made(), tx))
        return self

    def progress(self) -> BatchInfo:
        """How far it is. Raises NotFound."""
        with self._app.shared.use() as store:
            row = store.insights.batch(self._bytes)
        if row is None:
            raise NotFound(
                f"Batch {self.id} is not in the store: it is not enqueued, its transaction is not committed, or retention has "
                "removed it."
            )
        return BatchInfo.of(row)

    async def aprogress(self) -> BatchInfo:
        """`progress` from async code."""
        return await self._app.threads.run(self.progress)

    def wait(self, timeout: Duration | None = None) -> BatchInfo:
        """Wait until all its jobs have ended, whichever way. Raises ResultTimeout (it goes on) and NotFound."""
        return wait(self._until_ended(timeout), self.progress)

    async def await_(self, timeout: Duration | None = None) -> BatchInfo:  # noqa: ASYNC109  the same signature as wait
        """`wait` from async code."""
        return await await_(self._until_ended(timeout), self.progress, self._app.threads)

    def walk(self, state: str = "") -> Iterator[Job[Any]]:
        """Its jobs as the store has them, the oldest first: all of them, or those that are open, succeeded, dead, cancelled."""
        if state not in ("", "open", "succeeded", "dead", "cancelled"):
            raise UsageError(f"state={state!r}; use 'open', 'succeeded', 'dead' or 'cancelled'.")
        last: bytes | None = None
        while True:
            with self._app.shared.use() as store:
                page = store.insights.members(self._bytes, state, last, PAGE)
            yield from (Job(self._app, job_id, None) for job_id in page)
            if len(page) < PAGE:
                return
            last = page[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and not self._written:
            self.enqueue()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is None and not self._written:
            await self.aenqueue()

    def __repr__(self) -> str:
        return f"<Batch {self.id}{f' {self.label!r}' if self.label else ''}>"

    def _made(self) -> tuple[list[Call[Any]], NewBatch, list[tuple[Call[Any], Need]]]:
        if self._written:
            raise UsageError(f"Batch {self.id} is enqueued already.")
        callbacks = [(call, _NEEDS[name]) for name, call in self._callbacks.items()]
        return self._calls, NewBatch(self._bytes, self.label), callbacks

    def _done(self, jobs: list[Job[Any]]) -> None:
        self.jobs, self._written, self._calls = jobs[: len(self._calls)], True, []

    def _until_ended(self, timeout: Duration | None) -> Waiting[BatchInfo, BatchInfo]:
        clock = self._app.patience
        deadline = None if timeout is None else clock.steady() + to_us(timeout, name="timeout")
        pause_us, next_us = 0, FIRST_PAUSE_US
        while True:
            info = yield pause_us
            if info.ended_at is not None:
                return info
            pause_us, next_us = next_us, min(next_us * 3 // 2, LONGEST_PAUSE_US)
            if deadline is not None:
                pause_us = min(pause_us, deadline - clock.steady())
                if pause_us <= 0:
                    waited = format_us(to_us(timeout or 0, name="timeout"))
                    raise ResultTimeout(f"Batch {self.id} has not ended within {waited}: {info.open} jobs are open.")


class Batches:
    """`app.batches`: the batches that are there."""

    def __init__(self, app: Submitter) -> None:
        self._app = app

    def __getitem__(self, batch_id: UUID | str) -> Batch:
        """The handle of a batch by its id. Raises NotFound."""
        wanted = as_uuid(batch_id, "batch")
        found = Batch(self._app, wanted.bytes, written=True)
        found.label = found.progress().label
        return found

    def list(
        self, *, label: str = "", only_open: bool = False, before: UUID | str | None = None, limit: int = 50
    ) -> list[BatchInfo]:
        """A page of batches, newest first. `before` is the id of the last one seen."""
        last = None if before is None else as_uuid(before, "batch").bytes
        with self._app.shared.use() as store:
            return [BatchInfo.of(row) for row in store.insights.batches(label, only_open, last, limit)]
