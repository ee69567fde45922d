"""Enqueueing: from calls to jobs in the store, on their own or in the caller's transaction."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar, Unpack
from uuid import UUID

import msgspec

from relet.clock import Clock, Ids
from relet.connect import Connects
from relet.context import Context, ParentResult, current
from relet.declare import Declares
from relet.errors import ReletWarning, SettingsError, UniqueConflict, UsageError
from relet.handles import Job
from relet.job.job import Need, NewBatch, NewJob
from relet.job.state import State
from relet.options import CallOptions, check_names
from relet.settings import Settings
from relet.store.foreign.django import open_atomic
from relet.store.foreign.enlist import Transactions, kind_of
from relet.store.records import Enqueued
from relet.store.rows import ParentRow
from relet.store.shared import SharedStore
from relet.submit import checked, in_batch, jobs_of, named_job, with_place
from relet.task import Call
from relet.trial import Detached, Trial, run_detached

R = TypeVar("R")


class Produces(Declares, Connects):
    """The side of an app that writes jobs."""

    def __init__(self, url: str | None, settings: Settings | None, clock: Clock | None, ids: Ids | None) -> None:
        Declares.__init__(self)
        Connects.__init__(self, url, settings, clock, ids)
        self._ambient: ContextVar[object | None] = ContextVar("relet_tx", default=None)
        self._transactions: Transactions | None = None
        self._warned_on_loop = False
        self.when_enqueued: Callable[[], object] | None = None
        """Called after each enqueue by a test that runs jobs in line."""
        self._moved = False
        self.prices.of_settings = lambda: self.settings.prices
        if settings is not None:
            self._changed(settings)

    def _changed(self, settings: Settings) -> None:
        self._transactions = None
        self.max_payload_bytes = settings.max_payload_bytes
        for task in self.tasks.values():
            task.codec.max_bytes = settings.max_payload_bytes

    def submit(self, call: Call[R]) -> Job[R]:
        """Enqueue one call: what `task.enqueue` does."""
        task = call.task
        if task.tx is None:
            self._warn_on_loop(f"{task.name}.enqueue()", f"{task.name.rpartition('.')[2]}.aenqueue(…)", 4)
        return self._submit([call], task.tx)[0]

    async def asubmit(self, call: Call[R]) -> Job[R]:
        """The same from async code."""
        return (await self._asubmit([call], call.task.tx))[0]

    def enqueue_many(self, calls: Iterable[Call[R]], *, tx: object | None = None) -> list[Job[R]]:
        """Enqueue all calls or none, in one transaction; returns their handles, in order.

        A mistake is named by its place, from 0: "call 17: …". Raises what `task.enqueue` raises.
        """
        listed = checked(self, calls)
        tx = _one_tx(listed, tx)
        if tx is None:
            self._warn_on_loop("app.enqueue_many()", "app.aenqueue_many(…)", 3)
        return self._submit(listed, tx)

    async def aenqueue_many(self, calls: Iterable[Call[R]], *, tx: object | None = None) -> list[Job[R]]:
        """`enqueue_many` from async code."""
        listed = checked(self, calls)
        return await self._asubmit(listed, _one_tx(listed, tx))

    def enqueue_by_name(
        self, name: str, arguments: Mapping[str, Any], *, job_id: UUID | None = None, **given: Unpack[CallOptions]
    ) -> Job[Any]:
        """Enqueue a task whose code may be elsewhere, with arguments by name.

        A task that this app declares is checked as by `enqueue`, and values may be in their JSON form. Of another one
        only names and JSON are checked, and its declared queue and priority are not known: give them as options.
        `job_id` is for who may have to ask again after a lost answer: one id makes one job, however often it is enqueued.
        """
        check_names("app.enqueue_by_name()", CallOptions, given)
        _ = self.settings
        task = self.tasks.get(name)
        jobs = [named_job(task, name, arguments, given, self.ids.job if job_id is None else lambda: job_id.bytes)]
        tx = self._transaction(given.get("tx"))
        ((found, created),) = self._write(jobs, tx)
        return Job(self, found, task, created, tx is not None)

    def try_out(self, call: Call[R]) -> Trial[R]:
        """Run one call here and now, without a store: what `task.run_now` does."""
        task = call.task
        encoded = task.codec.encode_args(call.args, call.kwargs)
        detached = Detached(task.name, self.clock, self.ids, self.prices)
        return run_detached(task.fn, task.takes_context, task.codec, encoded, detached)

    def context_of(self, task: str) -> Context:
        """The context of the run in which this code is called; outside of one, a context that leads nowhere."""
        try:
            return current()
        except UsageError:
            return Detached(task, self.clock, self.ids, self.prices).context

    @contextmanager
    def bind(self, tx: object) -> Generator[None]:
        """Within this block, everything enqueued through this app is written in this transaction.

        For code that enqueues without knowing of its caller's transaction. Holds for this thread, or for this async task
        and those that it starts.
        """
        token = self._ambient.set(tx)
        try:
            yield
        finally:
            self._ambient.reset(token)

    def _submit(self, calls: Sequence[Call[R]], given_tx: object | None) -> list[Job[R]]:
        jobs = self._jobs(calls)
        tx = self._transaction(given_tx)
        return self._handles(calls, self._write(jobs, tx), tx)

    async def _asubmit(self, calls: Sequence[Call[R]], given_tx: object | None) -> list[Job[R]]:
        jobs = self._jobs(calls)
        tx = self._transaction(given_tx)
        return self._handles(calls, await self._awrite(jobs, tx), tx)

    def _jobs(self, calls: Sequence[Call[Any]]) -> list[NewJob]:
        _ = self.settings  # says how large arguments may be
        if len(calls) == 1 and not calls[0].parents:
            call = calls[0]
            return [call.task.new_job(self.ids.job(), call.args, call.kwargs)]
        return jobs_of(calls, self.ids.jobs(len(calls)))

    def submit_batch(
        self,
        calls: Sequence[Call[Any]],
        batch: NewBatch,
        callbacks: Sequence[tuple[Call[Any], Need]],
        tx: object | None,
    ) -> list[Job[Any]]:
        """Enqueue a batch of these calls, and the callbacks with it: what `Batch.enqueue` does."""
        every, jobs = self._batched(calls, batch, callbacks)
        tx = self._transaction(_one_tx(every, tx))
        return self._handles(every, self._write(jobs, tx, (batch,)), tx)

    async def asubmit_batch(
        self,
        calls: Sequence[Call[Any]],
        batch: NewBatch,
        callbacks: Sequence[tuple[Call[Any], Need]],
        tx: object | None,
    ) -> list[Job[Any]]:
        """The same from async code."""
        every, jobs = self._batched(calls, batch, callbacks)
        tx = self._transaction(_one_tx(every, tx))
        return self._handles(every, await self._awrite(jobs, tx, (batch,)), tx)

    def _batched(
        self, calls: Sequence[Call[Any]], batch: NewBatch, callbacks: Sequence[tuple[Call[Any], Need]]
    ) -> tuple[list[Call[Any]], list[NewJob]]:
        every = checked(self, [*calls, *(call for call, _ in callbacks)])
        return every, in_batch(self._jobs(every) if every else [], batch, [need for _, need in callbacks])

    def keep_at(self, url: str) -> None:
        """Jobs are kept there: in a child process, where its worker says. Settings that cannot be read are left alone."""
        with suppress(SettingsError):
            if self.settings.url != url:
                self.settings = self.settings.override({"url": url})

    def left_by_parents(self, job_id: bytes) -> list[ParentResult]:
        """What the parents of a job returned: what `ctx.parents` is."""
        with self.shared.use() as store:
            rows = store.insights.results(job_id)
        return [self._left(row) for row in rows]

    def _left(self, row: ParentRow) -> ParentResult:
        task = self.tasks.get(row.task or "")

        def decode() -> Any:
            if row.result is None:
                return None
            return task.codec.decode_result(row.result) if task else msgspec.json.decode(row.result)

        outcome = row.outcome or "open"
        return ParentResult(
            UUID(bytes=row.parent_id), row.task, outcome, decode if row.state == State.SUCCEEDED else None
        )

    def _write(self, jobs: Sequence[NewJob], tx: object | None, batches: Sequence[NewBatch] = ()) -> list[Enqueued]:
        if self.tracing is None or not jobs:
            return self._write_now(jobs, tx, batches)
        with self.tracing.sending(jobs) as traced:
            return self._write_now(traced, tx, batches)

    def _write_now(self, jobs: Sequence[NewJob], tx: object | None, batches: Sequence[NewBatch]) -> list[Enqueued]:
        try:
            if tx is not None:
                return self.transactions.enqueue(tx, jobs, batches)
            return self._written(self.shared.enqueue(jobs, batches))
        except UniqueConflict as error:
            raise with_place(error, jobs) from None

    async def _awrite(
        self, jobs: Sequence[NewJob], tx: object | None, batches: Sequence[NewBatch] = ()
    ) -> list[Enqueued]:
        if self.tracing is None or not jobs:
            return await self._awrite_now(jobs, tx, batches)
        with self.tracing.sending(jobs) as traced:
            return await self._awrite_now(traced, tx, batches)

    async def _awrite_now(
        self, jobs: Sequence[NewJob], tx: object | None, batches: Sequence[NewBatch]
    ) -> list[Enqueued]:
        try:
            if tx is not None:
                return await self.transactions.aenqueue(tx, jobs, batches)
            # In the line before the thread is asked for: the first thread writes for all who came together.
            ticket = self.shared.leave(jobs, batches)
            return self._written(await self.threads.run(lambda: self.shared.collect(ticket)))
        except UniqueConflict as error:
            raise with_place(error, jobs) from None

    def _written(self, answers: list[Enqueued]) -> list[Enqueued]:
        if self.when_enqueued is not None:
            self.when_enqueued()
        return answers

    def _handles(self, calls: Sequence[Call[R]], answers: Sequence[Enqueued], tx: object | None) -> list[Job[R]]:
        inside = tx is not None
        return [
            Job(self, job_id, call.task, created, inside)
            for call, (job_id, created) in zip(calls, answers, strict=True)
        ]

    @property
    def transactions(self) -> Transactions:
        """Writes jobs in transactions of the caller."""
        found = self._transactions
        if found is None:
            found = self._transactions = Transactions(self.url, self.clock, self.open)
        return found

    def _transaction(self, given: object | None) -> object | None:
        """The transaction to write in: the given one, the bound one, or Django's that is open in this thread."""
        if given is None:
            given = self._ambient.get()
        if self._moved:
            return given if kind_of(given) == "apsw" else None
        return given if given is not None else open_atomic(lambda: self.transactions.place)

    @contextmanager
    def moved(self, url: str, clock: Clock) -> Generator[None]:
        """Within this block the app keeps its jobs elsewhere, under another clock: for tests.

        Transactions are passed over, but for that of a running job (`ctx.transaction()`).
        """
        settings, its_clock, ids, shared = self.settings, self.clock, self.ids, self.shared
        self.shared = SharedStore(self.open_store)
        self.clock, self.ids, self._moved = clock, Ids(clock), True
        self.settings = settings.override({"url": url})
        try:
            yield
        finally:
            self.shared.close()
            self.shared, self.clock, self.ids, self._moved = shared, its_clock, ids, False
            self._settings = settings
            self._changed(settings)

    def _warn_on_loop(self, said: str, better: str, level: int) -> None:
        if self._warned_on_loop:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self._warned_on_loop = True
        warnings.warn(
            f"{said} was called on a running event loop, which stands still until the store has answered. "
            f"Use: await {better}. (Said once.)",
            ReletWarning,
            stacklevel=level,
        )


def _one_tx(calls: Sequence[Call[Any]], tx: object | None) -> object | None:
    """The transaction for all of these calls: they are written together, so their options cannot name several."""
    if tx is not None:
        return tx
    found = {id(task.tx): task.tx for task in {call.task for call in calls}}
    if len(found) > 1:
        raise UsageError(
            "The calls have different tx options, and they are written together. Give one: enqueue_many(…, tx=…)."
        )
    return next(iter(found.values()), None)
