"""The hot statements walk indexes, whatever the statistics say, and lock no row that they do not take."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from relet.clock import Ids
from relet.job.job import Flag
from relet.job.outcome import Ended
from relet.job.settlement import Settle
from relet.job.state import State
from relet.store.postgres.store import PostgresStore
from relet.store.postgres.turn import composed
from relet.store.postgres.wire import Prepared
from relet.store.records import Lane, Want
from tests.store.hands import Worker, decide, news, put
from tests.store.postgres.conftest import Raw

MANY = 200_000
READY = """
insert into relet.ready (queue, rank, seq, job_id, task, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select 'default', -1, relet.next_seq(), gen_random_uuid(), %s, 0, 0, 0, 0, 0, 0, 0 from generate_series(1, %s)
"""

SETTLES = [Settle(Ids().job(), 1, Ended.SUCCESS, State.SUCCEEDED, flags=Flag.UNIQUE) for _ in range(3)]
WANT = Want(10, (Lane("default", -1), Lane("other", 0)), ("t",), ("gpu=a",), 1_000_000)
LIMITED = replace(WANT, limited=("default",))


def plan_of(store: PostgresStore, statement: Prepared) -> str:
    """The plan that the store's own connection makes for it."""
    with store._link.write() as tx:
        tx.connection.execute(f"prepare p as {statement.sql.decode()}".encode())
        values = f"({', '.join('null' for _ in statement.names)})" if statement.names else ""
        lines = tx.connection.execute(f"explain (costs off) execute p{values}".encode()).fetchall()
        tx.connection.execute(b"deallocate p")
    return "\n".join(line for (line,) in lines)


BY_KEY = {"running": "running_pkey", "unique_key": "unique_key_job", "tally": "tally_pkey"}
"""Rows of these may be moved by an update while a turn waits for them: they are found by key, the others by place."""


def assert_on_indexes(plan: str) -> None:
    """No table is read whole, nothing is sorted, nothing is hashed; what is deleted is looked up row by row."""
    assert not re.search(r"Seq Scan|Bitmap|Sort|Hash|Merge|Materialize|Memoize", plan), plan
    for deleted in re.findall(r"Delete on (?:relet\.)?(\w+)", plan):
        by_key = (
            rf"Delete on {deleted}.*\s+->  Nested Loop\s(?s:.)*?Index Scan using {BY_KEY.get(deleted)} on {deleted}"
        )
        assert re.search(by_key if deleted in BY_KEY else rf"Tid Scan on {deleted}", plan), plan


@pytest.fixture(params=["unknown", "empty", "full"])
def statistics(request: pytest.FixtureRequest, raw: Raw) -> str:
    """What the planner believes: nothing yet, that all tables are empty, or that one is full (as it is)."""
    if request.param == "full":
        raw.execute(READY, ("t", MANY))
    if request.param != "unknown":
        raw.execute("vacuum analyze")
    return request.param


@pytest.mark.parametrize(
    ("settles", "want"), [(SETTLES, WANT), (SETTLES, None), ([], WANT), (SETTLES, LIMITED), ([], LIMITED)]
)
def test_a_turn_walks_indexes(statistics: str, store: PostgresStore, settles: Sequence[Settle], want: Want | None):
    statement, _ = composed("relet", b"\0" * 16, settles, want)

    assert_on_indexes(plan_of(store, statement))


def test_a_turn_reads_claims_by_their_job_and_ready_jobs_in_their_order(statistics: str, store: PostgresStore):
    plan = plan_of(store, composed("relet", b"\0" * 16, SETTLES, WANT)[0])

    assert "Index Scan using running_pkey on running" in plan
    assert "running_session" not in plan
    assert re.search(r"LockRows\s+->  Index Scan using ready_place on ready", plan)
    assert "Index Cond: ((queue = l" in plan
    assert "seq > l" in plan


def test_promotion_and_the_ranks_walk_indexes(statistics: str, store: PostgresStore):
    for name in (
        "promote_due",
        "promote_next",
        "lane_ends",
        "lane_ranks",
        "session_hold",
        "session_state",
        "session_held",
    ):
        plan = plan_of(store, store._link._statements[name])
        assert not re.search(r"Seq Scan|Bitmap", plan), f"{name}: {plan}"


def test_what_a_breaker_has_put_off_is_found_by_its_index(statistics: str, store: PostgresStore):
    plan = plan_of(store, store._link._statements["breaker_wake"])

    assert re.search(r"LockRows\s+->  Index Scan using scheduled_put_off on scheduled", plan), plan
    assert re.search(r"Tid Scan on scheduled", plan), plan


def test_a_claim_locks_no_more_rows_than_it_takes(
    store: PostgresStore, raw: Raw, open_store: Callable[..., PostgresStore]
):
    raw.execute(READY, ("t", 50))
    worker, other = Worker(store), Worker(open_store(), "other")
    with store._link.write() as tx:
        first, _ = store._claim(tx, worker.id, worker.want(7), 0)
        rest = other.claim(100)

    assert len(first) == 7
    assert len(rest) == 43


def test_a_lane_whose_queue_is_paused_is_not_even_locked(
    store: PostgresStore, raw: Raw, open_store: Callable[..., PostgresStore]
):
    raw.execute(READY, ("t", 10))
    store.pause_queue("default", "ann", "", None)
    worker = Worker(store)
    with store._link.write() as tx:
        assert store._claim(tx, worker.id, worker.want(5), 0) == ((), ())
        free = raw.execute("select count(*) from (select 1 from relet.ready for update skip locked) r").fetchone()

    assert free == (10,)


def test_a_turn_of_many_settles_looks_at_each_claim_once(store: PostgresStore, raw: Raw):
    """While the statistics say that `running` is empty, which is when a plan by rows would look at each for each."""
    raw.execute("vacuum analyze relet.running")
    worker = Worker(store)
    put(store, *news(400))
    claims = worker.claim(400)
    before = _index_reads(raw)
    worker.settle(*[decide(claim, Ended.SUCCESS) for claim in claims])

    assert _index_reads(raw) - before <= 2 * len(claims)


def _index_reads(raw: Raw) -> int:
    raw.execute("select pg_stat_clear_snapshot()")
    (read,) = raw.execute("select idx_tup_fetch from pg_stat_user_tables where relname = 'running'").fetchone() or (0,)
    return int(str(read))


def test_jobs_are_only_inserted_and_deleted_while_they_run(store: PostgresStore, raw: Raw):
    worker = Worker(store)
    put(store, *news(20))
    claims = worker.claim(20)
    worker.settle(*[decide(claim, Ended.SUCCESS) for claim in claims[:15]])
    worker.settle(*[decide(claim, Ended.FAILURE, error="x") for claim in claims[15:]])
    store.close()
    sql = """select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables
             where relname in ('ready', 'running', 'scheduled', 'attempt') order by relname"""
    deadline = 50
    while (counts := raw.execute(sql).fetchall()) and counts[1][3] != 20 and deadline:
        raw.execute("select pg_stat_clear_snapshot(), pg_sleep(0.05)")
        deadline -= 1

    assert counts == [("attempt", 5, 0, 0), ("ready", 20, 0, 20), ("running", 20, 0, 20), ("scheduled", 5, 0, 0)]


def test_the_plan_is_made_once(store: PostgresStore, raw: Raw):
    worker = Worker(store)
    for size in (1, 3, 10, 5, 2, 10):
        put(store, *news(size))
        worker.settle(*[decide(claim, Ended.SUCCESS) for claim in worker.claim(size)])
    plans = store._link.wire.connection.execute(
        "select name, generic_plans, custom_plans from pg_prepared_statements where name like 'relet_turn%%'"
    ).fetchall()

    assert {name: custom for name, _, custom in plans} == {"relet_turn_100": 0, "relet_turn_001": 0}
