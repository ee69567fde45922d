"""Jobs, history, leases and workers as people see them."""

import pytest

from relet.clock import SECOND
from relet.job.job import Options, encode_options
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Beat, LogLine, Notes, Progress, Usage
from relet.store.rows import AttemptRow, JobFilter, JobRow, LeaseRow
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, LEASE_US, Worker, new, news, put, put_new


def get(store: Store, job_id: bytes) -> JobRow:
    found = store.insights.job(job_id)
    assert found is not None
    return found


def test_a_ready_job_shows_what_was_enqueued(store: Store) -> None:
    options = Options(max_attempts=5, unique="k")
    job = new(args='{"n":1}', priority=2, needs=("gpu=a100",), options=options)
    put(store, job)
    assert get(store, job.id) == JobRow(
        id=job.id,
        task="t",
        queue="default",
        priority=2,
        state=State.READY,
        args='{"n":1}',
        options=encode_options(options),
        needs='["gpu=a100"]',
        created_at=BEGINNING,
        epoch=0,
        attempt=0,
        crashes=0,
        suspicions=0,
        releases=0,
        run_at=None,
        session_id=None,
        worker=None,
        started_at=None,
        ended_at=None,
        result=None,
        error=None,
        percent=None,
        message=None,
        cancel_asked=None,
    )


def test_a_running_job_shows_who_runs_it_since_when_how_far_and_what_was_asked(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store, "w1")
    bed.advance(SECOND)
    claim = worker.take()
    worker.turn(notes=Notes(progress=[Progress(job_id, claim.epoch, 30.0, "halfway")]))
    store.cancel(job_id, "no", "ann", 0)
    job = get(store, job_id)
    assert (job.state, job.epoch, job.session_id, job.worker, job.started_at) == (
        State.RUNNING,
        1,
        worker.id,
        "w1",
        BEGINNING + SECOND,
    )
    assert (job.percent, job.message, job.cancel_asked, job.ended_at) == (30.0, "halfway", "no", None)


def test_a_job_that_succeeded_shows_its_result_and_no_error(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store, "w1")
    claim = worker.take()
    bed.advance(SECOND)
    worker.end(claim, result='"done"')
    job = get(store, job_id)
    assert (job.state, job.worker, job.started_at, job.ended_at) == (
        State.SUCCEEDED,
        "w1",
        BEGINNING,
        BEGINNING + SECOND,
    )
    assert (job.result, job.error) == ('"done"', None)


def test_a_job_that_waits_for_its_retry_shows_when_and_why(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    worker.fail(worker.take(), "ValueError: no")
    job = get(store, job_id)
    assert (job.state, job.attempt, job.epoch, job.run_at, job.error) == (
        State.SCHEDULED,
        1,
        1,
        BEGINNING + 10 * SECOND,
        "ValueError: no",
    )


def test_a_job_that_failed_again_shows_the_latest_error(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    worker.fail(worker.take(), "first")
    bed.advance(10 * SECOND)
    store.promote(10)
    worker.fail(worker.take(), "second")
    assert get(store, job_id).error == "second"


def test_a_job_whose_session_died_shows_its_suspicion_and_release(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    Worker(store).take()
    bed.advance(100 * SECOND)
    store.reclaim_expired("lease expired")
    job = get(store, job_id)
    assert (job.state, job.suspicions, job.releases, job.error) == (State.READY, 1, 1, "lease expired")


def test_a_dead_job_shows_its_error_and_when_its_last_run_began_and_ended(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store, "w1")
    claim = worker.take()
    bed.advance(SECOND)
    worker.bury(claim, "rotten")
    job = get(store, job_id)
    assert (job.state, job.worker, job.error, job.started_at, job.ended_at) == (
        State.DEAD,
        "w1",
        "rotten",
        BEGINNING,
        BEGINNING + SECOND,
    )


def test_an_unknown_job_is_none_also_next_to_known_ones(store: Store) -> None:
    known = put_new(store)
    before = (int.from_bytes(known) - 1).to_bytes(16)
    after = (int.from_bytes(known) + 1).to_bytes(16)
    assert [store.insights.job(job_id) for job_id in (before, after, b"\0" * 16, b"\xff" * 16)] == [None] * 4


def test_pages_of_jobs_go_from_the_newest_to_the_oldest_without_gap_or_repeat(store: Store) -> None:
    jobs = put(store, *news(3), *news(2, delay_us=SECOND), *news(2, queue="b"))
    seen: list[bytes] = []
    before = None
    while page := store.insights.jobs(JobFilter(before=before, limit=3)):
        seen += [job.id for job in page]
        before = seen[-1]
    assert seen == sorted(jobs, reverse=True)


FILTERS = {
    JobFilter(): "SCDWRuv",
    JobFilter(state=State.SUCCEEDED): "S",
    JobFilter(state=State.CANCELLED): "C",
    JobFilter(state=State.DEAD): "D",
    JobFilter(state=State.SCHEDULED): "W",
    JobFilter(state=State.RUNNING): "R",
    JobFilter(state=State.READY): "uv",
    JobFilter(state=State.WAITING): "",
    JobFilter(task="u"): "u",
    JobFilter(queue="q"): "SCDWRu",
    JobFilter(state=State.READY, queue="q"): "u",
    JobFilter(state=State.READY, task="t"): "v",
    JobFilter(state=State.SCHEDULED, queue="default"): "",
    JobFilter(state=State.RUNNING, task="u"): "",
    JobFilter(state=State.SUCCEEDED, queue="q", task="t"): "S",
    JobFilter(state=State.DEAD, queue="default"): "",
    JobFilter(worker="one"): "S",
    JobFilter(worker="two"): "CDR",
    JobFilter(worker="two", state=State.RUNNING): "R",
    JobFilter(worker="one", state=State.RUNNING): "",
    JobFilter(worker="two", state=State.DEAD): "D",
    JobFilter(worker="two", state=State.CANCELLED): "C",
    JobFilter(worker="two", state=State.READY): "",
    JobFilter(created_after=BEGINNING + SECOND): "uv",
    JobFilter(created_before=BEGINNING + SECOND, state=State.READY): "",
    JobFilter(created_before=BEGINNING + SECOND): "SCDWR",
    JobFilter(stuck_us=60 * SECOND): "",
    JobFilter(stuck_us=0): "R",
    JobFilter(stuck_us=0, state=State.RUNNING): "R",
    JobFilter(stuck_us=0, state=State.READY): "",
}
"""Which jobs of the zoo each finds."""


@pytest.fixture
def zoo(bed: Bed, store: Store) -> dict[bytes, str]:
    """One job in each state, two ready ones; named by a letter in order of their ids."""
    jobs = put(store, *news(5, queue="q"))
    one, two = Worker(store, "one", queues=("q",)), Worker(store, "two", queues=("q",))
    one.end(one.take())
    claim = two.take()
    two.end(claim, Ended.CANCEL)
    two.bury(two.take())
    one.fail(one.take())
    two.take()
    bed.advance(SECOND)
    jobs += put(store, new("u", queue="q"), new())
    return dict(zip(jobs, "SCDWRuv", strict=True))


def test_filters_find_what_meets_all_conditions(store: Store, zoo: dict[bytes, str]) -> None:
    pages = {wanted: store.insights.jobs(wanted) for wanted in FILTERS}
    assert {wanted: "".join(zoo[job.id] for job in reversed(page)) for wanted, page in pages.items()} == FILTERS


def test_a_job_looks_the_same_in_a_page_and_alone(store: Store, zoo: dict[bytes, str]) -> None:
    for state in State:
        for job in store.insights.jobs(JobFilter(state=state)):
            assert job == store.insights.job(job.id)


def test_a_job_of_a_lapsed_session_is_stuck_however_short_it_ran(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    Worker(store).take()
    bed.advance(80 * SECOND)
    assert store.insights.jobs(JobFilter(stuck_us=1000 * SECOND)) == []
    bed.advance(10 * SECOND)
    assert [job.id for job in store.insights.jobs(JobFilter(stuck_us=1000 * SECOND))] == [job_id]


def test_history_has_every_ended_claim_and_the_success(bed: Bed, store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store, "w1")
    worker.end(worker.take(), Ended.FAILURE, error="no", stack="line 1")
    bed.advance(10 * SECOND)
    store.promote(10)
    claim = worker.take()
    assert [row.outcome for row in store.insights.attempts(job_id)] == ["failure"]
    worker.end(claim)
    then = BEGINNING + 10 * SECOND
    assert store.insights.attempts(job_id) == [
        AttemptRow(job_id, 1, worker.id, "w1", BEGINNING, BEGINNING, "failure", "no", "line 1"),
        AttemptRow(job_id, 2, worker.id, "w1", then, then, "success", "", ""),
    ]


def test_a_job_cancelled_before_it_ran_has_no_history(store: Store) -> None:
    job_id = put_new(store)
    store.cancel(job_id, "no", "ann", 0)
    assert store.insights.attempts(job_id) == []


def test_log_lines_are_read_on_from_where_one_stopped(store: Store) -> None:
    job_id, other = put_new(store), put_new(store)
    worker = Worker(store)
    worker.claim()
    lines = [LogLine(job_id, 1, n, BEGINNING, "info", f"line {n}", None) for n in (1, 2, 3)]
    worker.turn(notes=Notes(logs=[*lines, LogLine(other, 1, 1, BEGINNING, "info", "other", '{"a":1}')]))
    assert store.insights.logs(job_id, (0, 0), 2) == lines[:2]
    assert store.insights.logs(job_id, (1, 2), 2) == lines[2:]
    assert store.insights.logs(job_id, (1, 3), 2) == []


def test_log_lines_of_a_later_run_follow_those_of_the_earlier(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    for epoch in (1, 2):
        claim = worker.take()
        worker.turn(notes=Notes(logs=[LogLine(job_id, epoch, n, BEGINNING, "info", "x", None) for n in (1, 2)]))
        worker.end(claim, Ended.RELEASE)
    assert [(line.epoch, line.n) for line in store.insights.logs(job_id, (1, 1), 10)] == [(1, 2), (2, 1), (2, 2)]


def test_usage_of_all_runs_is_listed_in_order(store: Store) -> None:
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()
    used = [Usage(job_id, 1, 1, "tokens", "12", "1", None), Usage(job_id, 1, 2, "money", "0.10", "USD", "{}")]
    worker.turn(notes=Notes(usage=used))
    assert store.insights.usage(job_id) == used


def test_leases_show_what_is_held_by_whom_until_when_the_oldest_first(bed: Bed, store: Store) -> None:
    first, second = put(store, new(), new("u"))
    worker = Worker(store, "w1", tasks=("t", "u"))
    worker.claim(1)
    bed.advance(SECOND)
    worker.renew()
    worker.claim(1)
    until = BEGINNING + SECOND + LEASE_US
    leases = [
        LeaseRow(first, "t", "default", 1, 0, "w1", worker.id, BEGINNING, until, False, None, None),
        LeaseRow(second, "u", "default", 1, 0, "w1", worker.id, BEGINNING + SECOND, until, False, None, None),
    ]
    assert store.insights.leases() == leases
    assert store.insights.leases(limit=1) == leases[:1]
    bed.advance(LEASE_US)
    assert [lease.expired for lease in store.insights.leases()] == [True, True]


def test_the_wall_clock_expires_no_lease(bed: Bed, store: Store) -> None:
    put_new(store)
    Worker(store).take()
    bed.jump(3600 * SECOND)
    assert [lease.expired for lease in store.insights.leases()] == [False]


def test_the_registry_shows_live_and_lapsed_sessions_and_those_that_ended_lately(bed: Bed, store: Store) -> None:
    lapsed = Worker(store, "lapsed", lease_us=SECOND)
    bed.advance(2 * SECOND)
    gone = Worker(store, "gone")
    live = Worker(store, "live", queues=("a", "b"), offers=("gpu=a100",))
    put_new(store, queue="a")
    live.take()
    live.renew(Beat(busy=1, done=7, failed=2, rss_bytes=50_000_000, turned_at=BEGINNING))
    gone.leave("drained")
    bed.advance(SECOND)
    rows = {row.worker: row for row in store.insights.sessions(ended_within_us=5 * SECOND)}
    assert {name: (row.live, row.held, row.ended_at is not None) for name, row in rows.items()} == {
        "lapsed": (False, 0, False),
        "gone": (False, 0, True),
        "live": (True, 1, False),
    }
    row = rows["live"]
    assert (row.id, row.queues, row.offers, row.busy, row.done, row.failed) == (
        live.id,
        '["a", "b"]',
        '["gpu=a100"]',
        1,
        7,
        2,
    )
    assert rows["gone"].end_cause == "drained"
    assert {row.id for row in store.insights.sessions()} == {lapsed.id, live.id}


def test_health_tells_from_rows_what_is_wrong(bed: Bed, store: Store) -> None:
    put(store, *news(3), new(delay_us=5 * SECOND))
    lapsed, live = Worker(store, "lapsed", lease_us=SECOND), Worker(store, "live")
    lapsed.take()
    live.bury(live.take())
    store.pause_queue("a", "ann", "", None)
    store.pause_queue("b", "ann", "", BEGINNING + SECOND)
    store.close_queue("c", "ann", "")
    bed.advance(2 * SECOND)
    facts = store.insights.health(cap=2)
    expected = {
        "now": BEGINNING + 2 * SECOND,
        "ready": 1,
        "scheduled": 1,
        "running": 1,
        "dead": 1,
        "capped_at": 2,
        "oldest_ready_at": BEGINNING,
        "next_due_at": BEGINNING + 5 * SECOND,
        "dead_unresolved": 1,
        "dead_oldest_at": BEGINNING,
        "sessions_live": 1,
        "sessions_lapsed": 1,
        "claims_expired": 1,
        "queues_paused": 1,
        "queues_closed": 1,
    }
    assert {name: facts[name] for name in expected} == expected
    assert (facts["schema_version"], facts["schema_floor"]) == store.insights.schema()


def test_the_schema_has_a_version(store: Store) -> None:
    version, floor = store.insights.schema()
    assert version >= floor >= 1


def test_asking_for_more_than_a_page_can_have_is_bounded(store: Store) -> None:
    put(store, *news(1001))
    assert len(store.insights.jobs(JobFilter(limit=10**9))) == 1000
    assert store.insights.jobs(JobFilter(limit=-1)) == []
    assert store.insights.job(IDS.job()) is None
