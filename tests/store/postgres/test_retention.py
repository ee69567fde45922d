"""Days of jobs are dropped whole, and what must be kept is kept."""

import random
from collections.abc import Callable

import pytest

from relet.clock import DAY, Ids, ManualClock
from relet.errors import Contended
from relet.job.job import NewJob, Options
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.job.state import State
from relet.store.postgres.store import PostgresStore
from relet.store.postgres.tidy import retire
from relet.store.records import LogLine, Notes
from tests.store.hands import Worker, decide, put
from tests.store.postgres.conftest import Raw

WEEK = 7 * DAY


class Calendar:
    """The store's wall clock, and producers whose ids follow it."""

    def __init__(self, raw: Raw, store: PostgresStore) -> None:
        self._raw = raw
        self.store = store
        self.clock = ManualClock(store.now() // DAY * DAY + DAY // 2)
        self._ids = Ids(self.clock, random.Random(1))
        raw.execute("create table relet.today (at bigint)")
        raw.execute("insert into relet.today values (%s)", (self.clock.now(),))
        raw.execute(
            "create or replace function relet.now_us() returns bigint language sql volatile"
            " as $$ select at from relet.today $$"
        )
        raw.execute("select relet.ensure_partitions()")

    def advance(self, us: int) -> None:
        """Let days pass, each with its chore."""
        for _ in range(us // DAY):
            self.clock.advance(DAY)
            self.set_clock()
            self.store.prune(WEEK, 30 * DAY, 1000)

    def set_clock(self) -> None:
        """The store's clock shows what ours does."""
        self._raw.execute("update relet.today set at = %s", (self.clock.now(),))

    def new(self, **fields: object) -> NewJob:
        """A job with an id of today."""
        return NewJob(self._ids.job(), "t", **fields)  # type: ignore[arg-type]  # passed on as they are

    def partitions(self, kind: str = "job") -> list[str]:
        """The days that have one."""
        found = self._raw.execute(
            "select right(c.relname, 8) from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = %s::regclass and c.relname !~ 'other' order by 1",
            (f"relet.{kind}",),
        )
        return [str(day) for (day,) in found.fetchall()]

    def rows(self, table: str) -> int:
        """How many there are."""
        (count,) = self._raw.execute(f"select count(*) from relet.{table}".encode()).fetchone() or (0,)
        return int(str(count))


@pytest.fixture
def calendar(raw: Raw, store: PostgresStore) -> Calendar:
    return Calendar(raw, store)


def test_a_day_of_finished_jobs_goes_with_its_tables(calendar: Calendar):
    worker = Worker(calendar.store, lease_us=100 * DAY)
    first_day = calendar.partitions()[1]
    put(calendar.store, *[calendar.new() for _ in range(20)])
    claims = worker.claim(20)
    lines = [LogLine(claim.job_id, 1, 1, 0, "info", "said", None) for claim in claims]
    worker.turn([decide(claim, Ended.SUCCESS) for claim in claims], Notes(logs=lines))
    assert calendar.rows(f"finished_{first_day}") == 20

    calendar.advance(WEEK)
    assert calendar.rows("job") == 20, "kept for as long as was asked"
    calendar.advance(3 * DAY)

    assert first_day not in calendar.partitions() + calendar.partitions("finished")
    assert [calendar.rows(table) for table in ("job", "finished", "log_line", "retired")] == [0, 0, 0, 0]
    assert worker.settle(decide(claims[0], Ended.SUCCESS)) == (Answer.EXPIRED,)


def test_there_are_always_partitions_for_the_days_to_come(calendar: Calendar):
    calendar.advance(5 * DAY)

    days = calendar.partitions()
    assert len(days) == len(set(days)) == 10
    put(calendar.store, calendar.new())
    assert calendar.rows("job_other") == 0


def test_what_has_not_ended_or_is_dead_outlives_its_day(calendar: Calendar):
    worker = Worker(calendar.store, lease_us=100 * DAY)
    waiting, unique = calendar.new(), calendar.new(options=Options(unique="k"), delay_us=50 * DAY)
    put(calendar.store, *[calendar.new() for _ in range(4)])
    done, failed, buried, running = worker.claim(4)
    worker.end(done)
    worker.fail(failed)
    worker.bury(buried)
    put(calendar.store, waiting, unique)

    calendar.advance(WEEK + 2 * DAY)

    see = calendar.store.insights.job
    kept = [failed.job_id, buried.job_id, running.job_id, waiting.id, unique.id]
    assert [row.state if (row := see(job_id)) else None for job_id in kept] == [
        State.SCHEDULED,
        State.DEAD,
        State.RUNNING,
        State.READY,
        State.SCHEDULED,
    ]
    assert see(done.job_id) is None
    assert calendar.rows("job_other") == 5
    assert calendar.rows("attempt") == 2
    assert worker.end(running) is Answer.ACCEPTED
    assert put(calendar.store, calendar.new(options=Options(unique="k"))) == [unique.id]


def test_a_job_that_ended_long_after_its_day_is_kept_from_its_end_on(calendar: Calendar):
    worker = Worker(calendar.store, lease_us=100 * DAY)
    late = calendar.new()
    put(calendar.store, late)
    (claim,) = worker.claim()
    calendar.advance(6 * DAY)
    worker.end(claim)

    calendar.advance(6 * DAY)
    assert calendar.store.insights.job(late.id) is not None
    calendar.advance(4 * DAY)

    assert calendar.store.insights.job(late.id) is None
    assert calendar.rows("job") + calendar.rows("finished") == 0


def test_a_day_whose_tables_are_busy_is_dropped_the_next_time(calendar: Calendar, raw: Raw):
    worker = Worker(calendar.store, lease_us=100 * DAY)
    put(calendar.store, calendar.new())
    worker.end(worker.take())
    calendar.advance(WEEK)
    calendar.clock.advance(DAY)
    calendar.set_clock()
    with raw.transaction():
        raw.execute("select count(*) from relet.job")
        calendar.store.prune(WEEK, WEEK, 10)
        assert calendar.rows("job") == 1

    calendar.store.prune(WEEK, WEEK, 10)
    calendar.store.prune(WEEK, WEEK, 10)
    assert calendar.rows("job") == 0


def test_jobs_of_days_without_partitions_are_deleted_one_by_one(calendar: Calendar):
    worker = Worker(calendar.store, lease_us=100 * DAY)
    old = ManualClock(calendar.clock.now() - 400 * DAY)
    strangers = [NewJob(job_id, "t") for job_id in Ids(old, random.Random(2)).jobs(5)]
    put(calendar.store, *strangers)
    assert calendar.rows("job_other") == 5
    worker.settle(*[decide(claim, Ended.SUCCESS) for claim in worker.claim(5)])

    calendar.advance(WEEK)
    assert calendar.rows("job") == 5
    calendar.advance(DAY)

    assert calendar.rows("job") + calendar.rows("finished") == 0


def test_of_two_that_prune_at_once_one_drops_the_day(calendar: Calendar, open_store: Callable[..., PostgresStore]):
    oldest = calendar.partitions()[0]
    calendar.clock.advance(9 * DAY)
    calendar.set_clock()
    other = open_store()
    with other._link.write() as tx:
        assert tx.all("retire", older_us=WEEK) == [(0,)]

        assert retire(calendar.store._link, WEEK) == 0

    assert oldest not in calendar.partitions()
    assert len(calendar.partitions()) == 4, "one day at a time"


def test_a_statement_is_contended_while_a_day_is_dropped_and_goes_on_after(
    calendar: Calendar, open_store: Callable[..., PostgresStore]
):
    other = open_store()
    worker = Worker(other)
    other._link.wire.command(b"set lock_timeout = '50ms'")
    with calendar.store._link.write() as tx:
        tx.connection.execute(b"lock table relet.job, relet.finished in access exclusive mode")
        with pytest.raises(Contended):
            put(other, calendar.new())

    put(other, calendar.new())
    assert len(worker.claim()) == 1


@pytest.mark.parametrize("kept_us", [0, DAY // 4])
def test_no_table_is_made_for_a_day_that_is_not_kept(calendar: Calendar, raw: Raw, kept_us: int):
    """The clock of this calendar says noon."""
    calendar.store.prune(kept_us, WEEK, 10)
    assert len(calendar.partitions()) == 4, "from today on"
    raw.execute("create table relet.made (tag text)")
    raw.execute(
        "create function relet.note() returns event_trigger language plpgsql"
        " as $$ begin insert into relet.made values (tg_tag); end $$"
    )
    raw.execute("create event trigger note on ddl_command_end execute function relet.note()")

    calendar.store.prune(kept_us, WEEK, 10)

    assert raw.execute("select tag from relet.made").fetchall() == []
    put(calendar.store, calendar.new())
    assert calendar.rows("job_other") == 0


def test_days_are_kept_for_longer_than_there_have_been_any(calendar: Calendar):
    first_day = calendar.partitions()[1]
    worker = Worker(calendar.store, lease_us=100 * DAY)
    put(calendar.store, calendar.new())
    worker.end(worker.take())
    calendar.clock.advance(9 * DAY)
    calendar.set_clock()

    for _ in range(3):
        calendar.store.prune(36_500 * DAY, WEEK, 10)

    assert calendar.rows(f"finished_{first_day}") == 1
