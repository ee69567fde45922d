"""A verb that is one statement on PostgreSQL, held up in its middle: its first reading of the clock waits for the test."""

from collections.abc import Callable, Iterator

import pytest

from relet.store.port import Store
from relet.store.records import Notes
from tests.store.beds import PostgresBed
from tests.store.hands import Worker, news, put
from tests.store.interleavings.stepping import PostgresOther
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

GATE = 4242

GATED = f"""
create or replace function relet.now_us() returns bigint language plpgsql volatile as $$
begin
    if pg_backend_pid() = (select pid from relet.gated) then
        perform pg_advisory_xact_lock_shared({GATE});
    end if;
    return (select wall from relet.test_clock);
end $$
"""


@pytest.fixture
def bed(pg: Databases) -> Iterator[PostgresBed]:
    """A database whose clock can be stopped for one connection."""
    made = PostgresBed(pg)
    made.rows("create table relet.gated (pid integer)")
    made.rows(GATED)
    yield made
    made.drop()


def while_in_the_middle(
    bed: PostgresBed, store: Store, verb: Callable[[Store], object], then: Callable[[], None]
) -> None:
    """Begin the verb; when it has read its first rows, do the other; then let it go on."""
    store.now()
    bed.rows(f"insert into relet.gated values ({bed.pid_of(store)})")
    bed.rows(f"select pg_advisory_lock({GATE})")
    slow = PostgresOther(bed, store, verb)
    slow.start()
    try:
        then()
    finally:
        bed.rows(f"select pg_advisory_unlock({GATE})")
        slow.finish()


@pytest.mark.parametrize("ending", ["leave", "reclaim"])
def test_no_session_ends_in_the_middle_of_its_turn(bed: PostgresBed, ending: str):
    mine, theirs, other = bed.open(), bed.open(), bed.open()
    put(other, *news(5))
    worker = Worker(other)
    end = {
        "leave": lambda: theirs.end_session(worker.id, "drained"),
        "reclaim": lambda: theirs.reclaim(worker.id, "its process is gone"),
    }[ending]
    ender = PostgresOther(bed, theirs, lambda _: end())
    theirs.now()

    def then() -> None:
        ender.start()

    while_in_the_middle(bed, mine, lambda store: store.turn(worker.id, (), Notes(), worker.want(3)), then)
    ender.finish()

    check_invariants(bed)
    assert bed.rows("select count(*) from relet.running") == [(0,)]
