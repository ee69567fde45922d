"""Limits by name and key: what would be a deadlock does not come up, and nobody is held up by a transaction that stays open."""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from relet.clock import MS, SECOND, SystemClock
from relet.job.job import Options
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.foreign.enlist import Transactions
from relet.store.records import LimitPause, Notes
from tests.store.beds import PostgresBed
from tests.store.hands import Worker, decide, new, put
from tests.store.interleavings.stepping import Act
from tests.store.interleavings.test_order import played
from tests.support.postgres import Databases


@pytest.fixture
def bed(pg: Databases) -> Iterator[PostgresBed]:
    made = PostgresBed(pg)
    made.rows(f"alter database {made.name} set deadlock_timeout = '30ms'")
    yield made
    made.drop()


def test_a_turn_that_pauses_keys_and_one_that_leaves_them_do_not_wait_for_each_other(bed: PostgresBed):
    store = bed.open()
    for name in "ab":
        store.set_limit(name, Rule(5), "ann")
    put(store, new(queue="mine", options=Options(gates=(("b", "", 1),))))
    put(store, new(queue="theirs", options=Options(gates=(("a", "", 1), ("b", "", 1)))))
    workers = [Worker(bed.open(), queues=(queue,)) for queue in ("mine", "theirs")]
    claims = [worker.take() for worker in workers]
    notes = Notes(limit_pauses=(LimitPause("a", "", SECOND, None),))

    def act(place: int, notes: Notes) -> Act:
        settles = [decide(claims[place], Ended.SUCCESS)]
        return lambda store: store.turn(workers[place].id, settles, notes, None)

    played(bed, workers[0].store, act(0, notes), workers[1].store, act(1, Notes()))


def test_a_call_that_replaces_several_and_a_cancel_do_not_wait_for_each_other(bed: PostgresBed):
    store = bed.open()
    store.set_limit("a", Rule(1), "ann")
    first, second = (new(options=Options(gates=(("a", "", 1),), unique=key)) for key in "xy")
    put(store, first, second)
    again = [new(options=Options(gates=(("a", "", 1),), unique=key), on_conflict="replace") for key in "xy"]
    mine, theirs = bed.open(), bed.open()
    played(bed, mine, lambda store: store.enqueue(again), theirs, lambda store: store.cancel(second.id, "", "ann", 0))


def test_a_line_whose_first_a_caller_holds_is_looked_at_again_but_not_at_once(bed: PostgresBed):
    store = bed.open()
    store.set_limit("a", Rule(1), "ann")
    jobs = [new(options=Options(gates=(("a", "", 1),))) for _ in range(2)]
    put(store, *jobs)
    worker = Worker(store)
    claim = worker.take()
    with psycopg.connect(bed.url) as caller:
        caller.execute("select 1 from relet.waiting where job_id = %s for update", (UUID(bytes=jobs[1].id),))
        worker.end(claim)
        now, due = store.now(), store.next_due()
        assert due is not None
        assert 0 < due - now <= 50 * MS, "or every worker's chore would look without a pause until the caller is done"
    bed.advance(SECOND)
    store.promote(10)
    assert worker.take().job_id == jobs[1].id


def test_a_caller_that_replaces_a_job_with_limits_keeps_nobody_waiting_who_leaves_them(bed: PostgresBed):
    store = bed.open()
    store.set_limit("a", Rule(2), "ann")
    gates = Options(gates=(("a", "", 1),))
    runs, stands = new(options=gates), new(options=Options(gates=gates.gates, unique="x"))
    put(store, runs)
    worker = Worker(store)
    claim = worker.take()
    put(store, stands)
    again = new(options=Options(gates=gates.gates, unique="x"), on_conflict="replace")
    with psycopg.connect(bed.url) as caller:
        Transactions(bed.url, SystemClock(), bed.open).enqueue(caller, [again])
        assert store.insights.job(again.id) is None
        began = SystemClock().steady()
        assert worker.end(claim) is Answer.ACCEPTED
        assert SystemClock().steady() - began < SECOND
    store.tie(10)
    store.promote(10)
    assert worker.take().job_id == again.id
