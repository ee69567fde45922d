"""Locks are taken in one order: what would be a deadlock, which PostgreSQL ends after a second, does not come up."""

from collections.abc import Iterator
from itertools import count
from uuid import UUID

import psycopg
import pytest

from relet.job.job import After, NewBatch, Options
from relet.job.limits import Rule, parse_rates
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Notes
from tests.store.beds import PostgresBed
from tests.store.hands import IDS, Worker, decide, new, news, put
from tests.store.interleavings.stepping import Act, Happening, Stepper, interleave
from tests.support.postgres import Databases


@pytest.fixture
def bed(pg: Databases) -> Iterator[PostgresBed]:
    made = PostgresBed(pg)
    made.rows(f"alter database {made.name} set deadlock_timeout = '30ms'")
    yield made
    made.drop()


def played(bed: PostgresBed, mine: Store, my_act: Act, theirs: Store, their_act: Act) -> None:
    """Theirs before each statement of mine in turn: nobody may have to give up."""
    bed.save()
    play(bed, mine, my_act, theirs, their_act)


def play(bed: PostgresBed, mine: Store, my_act: Act, theirs: Store, their_act: Act) -> None:
    """The same from what the bed has saved."""
    stepper = Stepper(mine)
    for place in count():
        bed.restore()
        answers = interleave(bed, stepper, mine, my_act, [Happening(place, theirs, their_act)])
        if answers is None:
            assert place > 1
            return
        assert [answer for answer in answers if isinstance(answer, Exception)] == []


def test_two_turns_with_successes_and_failures_in_the_same_batches_do_not_wait_for_each_other(bed: PostgresBed):
    store = bed.open()
    one, two = NewBatch(IDS.job()), NewBatch(IDS.job())
    jobs = [new(queue=queue, options=Options(batch=b.id.hex())) for queue in ("a", "b") for b in (one, two)]
    store.enqueue(jobs, [one, two])
    workers = [Worker(bed.open(), queues=(queue,)) for queue in ("a", "b")]
    claims = [worker.claim() for worker in workers]

    def act(place: int, ends: tuple[Ended, Ended]) -> Act:
        settles = [decide(claim, ended) for claim, ended in zip(claims[place], ends, strict=True)]
        return lambda store: store.turn(workers[place].id, settles, Notes(), None)

    mine, theirs = act(0, (Ended.SUCCESS, Ended.REJECT)), act(1, (Ended.REJECT, Ended.SUCCESS))
    played(bed, workers[0].store, mine, workers[1].store, theirs)


def test_a_parent_that_a_caller_holds_keeps_no_other_child_waiting(bed: PostgresBed):
    store = bed.open()
    held, free = news(2)
    put(store, held, free)
    with psycopg.connect(bed.url) as caller:
        caller.execute("select 1 from relet.ready where job_id = %s for update", (UUID(bytes=held.id),))
        put(
            store,
            new(after=(After(held.id),)),
            new(after=(After(free.id),)),
            new(after=(After(held.id), After(free.id))),
        )
        assert bed.rows("select count(*) from relet.waiting where told = 1") == [(1,)]
    store.tie(10)

    assert bed.rows("select count(*) from relet.waiting where told = 1") == [(3,)]


def limited(store: Store) -> object:
    return store.limit_queue("default", Rule(1), "ann")


def test_a_limit_that_begins_again_beside_a_claim(bed: PostgresBed):
    store = bed.open()
    put(store, *news(2))
    store.limit_queue("default", Rule(), "ann")
    worker = Worker(bed.open())

    def claim(_: Store) -> object:
        return worker.turn(want=worker.want(2, limited=("default",)))

    played(bed, store, limited, worker.store, claim)


def test_a_first_limit_beside_a_session_that_ends(bed: PostgresBed):
    store = bed.open()
    put(store, *news(2))
    worker = Worker(bed.open())
    worker.claim()

    played(bed, store, limited, worker.store, lambda other: other.end_session(worker.id, "drained"))


def test_a_limit_that_is_forgotten_beside_a_claim(bed: PostgresBed):
    store = bed.open()
    put(store, *news(3))
    store.limit_queue("default", Rule(rates=parse_rates("9/h")), "ann")
    worker = Worker(bed.open())

    def claim(_: Store) -> object:
        return worker.turn(want=worker.want(1, limited=("default",)))

    claim(store)
    played(bed, store, lambda other: other.forget_queue_limit("default"), worker.store, claim)
