"""One store connection for all threads of a process, and enqueues that share a commit.

A caller leaves its jobs in a line and then asks for the connection. Whoever gets it writes everything that stands in the
line, in one transaction, and the others find their answers when their turn comes. So a busy producer makes few commits,
and a quiet one waits for nobody.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from uuid import UUID

from relet.clock import pause
from relet.errors import NotFound, OutcomeUnknown, Refused, ReletError, StoreError, Unconfirmed, UniqueConflict
from relet.job.job import NewBatch, NewJob
from relet.store.port import Store
from relet.store.records import Enqueued

TOGETHER = 2_000
"""About how many jobs share a commit; a single caller's jobs are never parted."""

REPEATS_US = (20_000, 200_000, 1_000_000, 3_000_000)
"""Waits before an enqueue of unknown outcome is repeated. Its ids make that safe, and only here are they known."""


class Ticket:
    """The jobs of one caller, and in the end their answer."""

    __slots__ = ("_answer", "_error", "batches", "jobs", "settled")

    def __init__(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> None:
        self.jobs = jobs
        self.batches = batches
        self.settled = False
        self._answer: list[Enqueued] = []
        self._error: Exception | None = None

    def succeed(self, answer: list[Enqueued]) -> None:
        """The jobs are written."""
        self._answer, self.settled = answer, True

    def fail(self, error: Exception) -> None:
        """They are not, or nobody knows: the error says which."""
        self._error, self.settled = error, True

    def answer(self) -> list[Enqueued]:
        """What became of the jobs, in order, or the error."""
        if self._error is not None:
            raise self._error
        return self._answer


class _Room:
    """What belongs to one process: a forked child must touch neither the connection nor the lock of its parent."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.line: deque[Ticket] = deque()
        self.store: Store | None = None


class SharedStore:
    """Opens its store at first use, in each process anew. Safe to use from any thread."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._rooms: dict[int, _Room] = {}

    @contextmanager
    def use(self) -> Generator[Store]:
        """The store, for this thread alone until the block ends. Keep it short: others wait."""
        room = self._room()
        with room.lock:
            yield self._opened(room)

    def enqueue(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> list[Enqueued]:
        """Write these jobs, perhaps together with those of other threads, whose errors are not ours."""
        return self.collect(self.leave(jobs, batches))

    def leave(self, jobs: Sequence[NewJob], batches: Sequence[NewBatch] = ()) -> Ticket:
        """Put jobs in the line. Never waits. They are written when somebody collects, at the latest the caller."""
        ticket = Ticket(jobs, batches)
        self._room().line.append(ticket)
        return ticket

    def collect(self, ticket: Ticket) -> list[Enqueued]:
        """Wait until the jobs of a ticket are written, by this thread or by another."""
        room = self._room()
        with room.lock:
            try:
                while not ticket.settled:
                    self._write_line(room)
            except BaseException:
                # Interrupted. What others left stays in the line for the next of them; repeating it is safe.
                if not ticket.settled:
                    room.line.remove(ticket)
                raise
        return ticket.answer()

    def close(self, *, patience: float = -1) -> None:
        """Close the connection; the next use opens another. `patience`: seconds to wait for a thread that is using it."""
        room = self._room()
        if room.lock.acquire(timeout=patience):
            try:
                store, room.store = room.store, None
                if store is not None:
                    store.close()
            finally:
                room.lock.release()

    def _room(self) -> _Room:
        pid = os.getpid()
        return self._rooms.get(pid) or self._moved_in(pid)

    def _moved_in(self, pid: int) -> _Room:
        """A forked child lets go of its parent's connection before it opens one: SQLite must not have both open."""
        for other, room in tuple(self._rooms.items()):
            if other != pid and room.store is not None:
                room.store.close()
        return self._rooms.setdefault(pid, _Room())

    def _opened(self, room: _Room) -> Store:
        if room.store is None:
            room.store = self._open()
        return room.store

    def _write_line(self, room: _Room) -> None:
        """The head of the line in one transaction. Tickets leave it when they are settled, never before."""
        batch = _head(room.line)
        try:
            write_together(self._opened(room), batch)
        except ReletError as error:
            open_tickets = [ticket for ticket in batch if not ticket.settled]
            for ticket in open_tickets:
                ticket.fail(_twin(error) if len(open_tickets) > 1 else error)
        for _ in batch:
            room.line.popleft()


def write_together(store: Store, batch: Sequence[Ticket]) -> None:
    """One enqueue for all. If that is refused, one for each, so that a bad one fails alone. Raises StoreError."""
    if len(batch) > 1 and _written_at_once(store, batch):
        return
    for ticket in batch:
        try:
            ticket.succeed(_enqueue(store, ticket.jobs, ticket.batches))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to this ticket's caller
            ticket.fail(error)


def _written_at_once(store: Store, batch: Sequence[Ticket]) -> bool:
    try:
        jobs = [job for ticket in batch for job in ticket.jobs]
        written = _enqueue(store, jobs, [new for ticket in batch for new in ticket.batches])
    except StoreError:
        raise
    except Exception:  # noqa: BLE001  one of them is to blame; which one, single calls will tell
        return False
    rest = iter(written)
    for ticket in batch:
        ticket.succeed([next(rest) for _ in ticket.jobs])
    return True


def _head(line: deque[Ticket]) -> list[Ticket]:
    """From the front, as many as fit one commit; at least one."""
    batch: list[Ticket] = []
    count = 0
    for ticket in tuple(line):
        count += len(ticket.jobs)
        if batch and count > TOGETHER:
            break
        batch.append(ticket)
    return batch


def _enqueue(store: Store, jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> list[Enqueued]:
    """Write jobs; when the answer is lost, ask again with the same ids until there is one."""
    try:
        return store.enqueue(jobs, batches) if batches else store.enqueue(jobs)
    except Unconfirmed:
        raise
    except OutcomeUnknown as error:
        return _enqueue_again(store, jobs, batches, error)


def _enqueue_again(
    store: Store, jobs: Sequence[NewJob], batches: Sequence[NewBatch], unknown: OutcomeUnknown
) -> list[Enqueued]:
    """What an error says of the data, it says of this call; the one before it may have written all the same."""
    for wait_us in REPEATS_US:
        pause(wait_us)
        try:
            return store.enqueue(jobs, batches) if batches else store.enqueue(jobs)
        except (Unconfirmed, UniqueConflict):  # these have looked for the jobs first
            raise
        except (Refused, NotFound) as error:
            raise _unknown(jobs, batches) from error
        except StoreError:
            continue
    raise _unknown(jobs, batches) from unknown


def _unknown(jobs: Sequence[NewJob], batches: Sequence[NewBatch]) -> OutcomeUnknown:
    """For whoever called `enqueue`: another call makes other ids."""
    if not jobs:
        return OutcomeUnknown(
            f"Batch {UUID(bytes=batches[0].id)}, which has no jobs, may have been made or not: the answer was lost."
        )
    first = UUID(bytes=jobs[0].id)
    which = f"Job {first}" if len(jobs) == 1 else f"{len(jobs)} jobs, {first} and others, all or none,"
    return OutcomeUnknown(
        f"{which} may have been enqueued or not: the answer was lost, and asking again has not shown it. To enqueue again "
        f"makes another job, unless it has a unique key: look for it first (relet jobs show {first})."
    )


def _twin(error: ReletError) -> ReletError:
    """The same error for another thread: one exception object must not be raised twice."""
    twin = type(error)(*error.args)
    twin.__cause__ = error
    return twin
