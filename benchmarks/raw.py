"""The raw engines: the same statements, with parameters made beforehand and answers looked at no further than needed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from relet.clock import Ids
from relet.job.job import Claim, NewJob
from relet.job.outcome import Ended
from relet.job.settlement import Settle
from relet.job.state import State
from relet.store.port import Store
from relet.store.postgres.arrays import ids as joined_ids
from relet.store.postgres.arrays import integers, texts
from relet.store.postgres.store import PostgresStore
from relet.store.postgres.turn import _statement, _wanted  # pyright: ignore[reportPrivateUsage]  the very statement
from relet.store.records import Lane, SessionInfo, Want
from relet.store.sqlite.store import SqliteStore

IDS = Ids()
LANES = (Lane("default", -1),)
TASK = "benchmarks.tasks.noop"


def jobs(count: int, task: str = TASK, queue: str = "default") -> list[NewJob]:
    """Jobs as a producer would make them."""
    return [NewJob(job_id, task, queue, args='{"n":1}') for job_id in IDS.jobs(count)]


def session(store: Store) -> bytes:
    """A session that holds for the time of a measurement."""
    made = IDS.session()
    store.open_session(SessionInfo(made, "raw", "bench", 1, ("default",), (TASK,)), 600_000_000)
    return made


def drain(store: Store, size: int, most: float) -> float:
    """Claim and settle, turn by turn, as fast as the engine goes: jobs a second. Ends when nothing is left, or in time."""
    if isinstance(store, PostgresStore):
        return _drain_postgres(store, size, most)
    assert isinstance(store, SqliteStore)
    return _drain_sqlite(store, size, most)


def _drain_postgres(store: PostgresStore, size: int, most: float) -> float:
    link = store._link  # pyright: ignore[reportPrivateUsage]
    me, statement = session(store), _statement("relet", True, False, True)
    wanted = _wanted(Want(size, LANES, (TASK,)))
    held: list[tuple[bytes, int]] = []
    done, began = 0, time.perf_counter()
    while True:
        values = statement.values(
            {
                "session_id": me,
                "settle_ids": joined_ids([job_id for job_id, _ in held]),
                "epoch_integers": integers([epoch for _, epoch in held]),
                "result_texts": texts(["null"] * len(held)),
                **wanted,
            }
        )
        with link.alone() as tx:
            rows = tx.execute(statement, values).rows
        done += len(held)
        held = [(row[0], row[1]) for row in rows[1:]]
        took = time.perf_counter() - began
        if not held or took > most:
            return done / took


def _drain_sqlite(store: SqliteStore, size: int, most: float) -> float:
    link = store._link  # pyright: ignore[reportPrivateUsage]
    me = session(store)
    held: list[tuple[bytes, int]] = []
    done, began = 0, time.perf_counter()
    claim = {"queue": "default", "rank": -1, "after": -(2**63), "tasks": f'["{TASK}"]', "offers": "[]"}
    while True:
        with link.write() as tx:
            now, driver = tx.clocks["now_us"], tx.driver
            stood = driver.query_each(tx.sql("succeed_running"), [(job_id, me, epoch) for job_id, epoch in held])
            driver.execute_all(
                tx.sql("succeed_finished"), [(job_id, me, epoch, 0, at, now, "null") for job_id, epoch, at in stood]
            )
            rows = tx.all("claim_lane", ready_before=2**62, limit=size, **claim)
            driver.execute_all(tx.sql("claim_running"), [(r[0], me, r[1], r[3], r[4], *r[6:11], now) for r in rows])
            driver.query_each(tx.sql("claim_job"), [(row[0],) for row in rows])
        done += len(held)
        held = [(row[0], row[1]) for row in rows]
        took = time.perf_counter() - began
        if not held or took > most:
            return done / took


def successes(claims: Sequence[Claim]) -> list[Settle]:
    """All of them have succeeded."""
    return [Settle(c.job_id, c.epoch, Ended.SUCCESS, State.SUCCEEDED, result="null") for c in claims]


def enqueue(store: Store, batches: Sequence[list[NewJob]]) -> float:
    """Ready rows a second, of jobs that were made beforehand."""
    began = time.perf_counter()
    for batch in batches:
        store.enqueue(batch)
    return sum(map(len, batches)) / (time.perf_counter() - began)
