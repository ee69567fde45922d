"""The raw engines: the very statements of the stores, run on rows, with nothing made of what they answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from relet.clock import Ids
from relet.job.job import Claim, NewJob, Options
from relet.job.outcome import Ended
from relet.job.settlement import Settle
from relet.job.state import State
from relet.store.link import Row
from relet.store.port import Store
from relet.store.postgres import enqueue as pg
from relet.store.postgres.arrays import ids as joined_ids
from relet.store.postgres.arrays import integers, texts
from relet.store.postgres.store import PostgresStore
from relet.store.postgres.turn import composed
from relet.store.records import Lane, SessionInfo, Want
from relet.store.sqlite import enqueue as lite
from relet.store.sqlite.store import SqliteStore
from relet.store.sqlite.turn import finish, take, takeable

IDS = Ids()
LANES = (Lane("default", -1),)
TASK = "benchmarks.tasks.noop"


def jobs(count: int, task: str = TASK, needs: tuple[str, ...] = ()) -> list[NewJob]:
    """Jobs as a producer would make them."""
    return [NewJob(job_id, task, args='{"n":1}', needs=needs) for job_id in IDS.jobs(count)]


def keyed(count: int) -> list[NewJob]:
    """Jobs with a unique key each."""
    return [NewJob(job_id, TASK, args='{"n":1}', options=Options(unique=job_id.hex())) for job_id in IDS.jobs(count)]


def session(store: Store) -> bytes:
    """A session that holds for the time of a measurement."""
    made = IDS.session()
    store.open_session(SessionInfo(made, "raw", "bench", 1, ("default",), (TASK,)), 600_000_000)
    return made


class Drained(NamedTuple):
    """What a raw drain came to."""

    rate: float
    """Jobs a second."""
    cpu_us: float
    """CPU of this process, a job."""


def drain(store: Store, size: int, most: float) -> Drained:
    """Claim and settle, turn by turn, as fast as the engine goes. Ends when nothing is left, or in time."""
    me, want = session(store), Want(size, LANES, (TASK,))
    turn = _turns_of(store, me, want)
    held: list[tuple[bytes, int]] = []
    done, used, began = 0, time.process_time(), time.perf_counter()
    while True:
        rows = turn(held)
        done += len(held)
        held = [(row[0], row[1]) for row in rows]
        took = time.perf_counter() - began
        if not held or took > most:
            return Drained(done / took, (time.process_time() - used) / done * 1e6)


def _turns_of(store: Store, me: bytes, want: Want) -> Callable[[list[tuple[bytes, int]]], list[Row]]:
    """One turn: settle what is held, claim as many; the rows of the claims, as the engine gives them."""
    if isinstance(store, PostgresStore):
        return partial(_turn_postgres, store, me, want)
    assert isinstance(store, SqliteStore)
    return partial(_turn_sqlite, store, me, want)


def _turn_postgres(store: PostgresStore, me: bytes, want: Want, held: list[tuple[bytes, int]]) -> list[Row]:
    statement, params = composed("relet", me, [Settle(me, 1, Ended.SUCCESS, State.SUCCEEDED)], want)
    params |= {
        "settle_ids": joined_ids([job_id for job_id, _ in held]),
        "epoch_integers": integers([epoch for _, epoch in held]),
        "result_texts": texts(["null"] * len(held)),
    }
    with store.link.alone() as tx:
        return tx.execute(statement, statement.values(params)).rows[1:]


def _turn_sqlite(store: SqliteStore, me: bytes, want: Want, held: list[tuple[bytes, int]]) -> list[Row]:
    with store.link.write() as tx:
        now = tx.clocks["now_us"]
        tx.all("session_hold", session_id=me)
        if held:
            finish(tx, me, [(job_id, epoch, "null") for job_id, epoch in held])
        rows = take(tx, me, want.lanes[0], want.limit, takeable(want, now), now)
        if rows:
            tx.all("control_any")
        return rows


def successes(claims: Sequence[Claim]) -> list[Settle]:
    """All of them have succeeded."""
    return [Settle(c.job_id, c.epoch, Ended.SUCCESS, State.SUCCEEDED, result="null") for c in claims]


def bulk(store: Store, made: list[NewJob]) -> float:
    """Ready rows a second, by the engine's statements on values that were made beforehand."""
    if isinstance(store, PostgresStore):
        statement, values = pg.composed("relet", made, repeatable=False)
        chunks = list(values)
        began = time.perf_counter()
        with store.link.write() as tx:
            pg.write(tx, statement, iter(chunks), len(chunks))
        return len(made) / (time.perf_counter() - began)
    assert isinstance(store, SqliteStore)
    rows, ready = lite.rows_of(made, 1, store.now())
    began = time.perf_counter()
    with store.link.write() as tx:
        lite.reserve(tx, len(made))
        lite.write_rows(tx, rows, ready)
    return len(made) / (time.perf_counter() - began)


def starts(mine: Store, theirs: Store, count: int) -> list[float]:
    """Seconds from before the enqueue of a job to its claim by another connection that knows of it at once: each of them is
    one commit, and nothing is in between."""
    me, took = session(theirs), list[float]()
    turn = _turns_of(theirs, me, Want(1, LANES, (TASK,)))
    held: list[tuple[bytes, int]] = []
    for _ in range(count):
        turn(held)
        (job,) = jobs(1)
        began = time.perf_counter()
        mine.enqueue([job])
        held = [(row[0], row[1]) for row in turn([])]
        took.append(time.perf_counter() - began)
    return sorted(took)


def enqueue(store: Store, batches: Sequence[list[NewJob]]) -> float:
    """Ready rows a second, of jobs that were made beforehand."""
    began = time.perf_counter()
    for batch in batches:
        store.enqueue(batch)
    return sum(map(len, batches)) / (time.perf_counter() - began)
