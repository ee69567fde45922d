"""Steering through the app: jobs by filter, queues, workers, leases, dead letters."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from relet import App, State
from relet.clock import Ids, SystemClock
from relet.errors import NotFound, PayloadError, Refused, UniqueConflict, UsageError
from relet.task import Task
from relet.testing.hand import Hand
from tests.app.work import work_off


@pytest.fixture
def add(app: App) -> Task[[int], int]:
    @app.task(name="add", queue="sums", retry=1)
    def add(n: int) -> int:
        if n < 0:
            raise ValueError(f"negative: {n}")
        return n + 1

    return add


@pytest.fixture
def noop(app: App) -> Task[[], None]:
    @app.task(name="noop")
    def noop() -> None: ...

    return noop


def test_jobs_are_listed_by_filter_and_page(app: App, add: Task[[int], int], noop: Task[[], None]) -> None:
    jobs = app.enqueue_many(add.call(n) for n in range(5))
    noop.enqueue()
    newest_first = [job.id for job in reversed(jobs)]
    assert [job.id for job in app.jobs.list(task=add)] == newest_first
    assert [job.id for job in app.jobs.list(queue="sums", limit=2)] == newest_first[:2]
    assert [job.id for job in app.jobs.list(task="add", limit=2, before=newest_first[1])] == newest_first[2:4]
    assert [job.id for job in app.jobs.walk(task=add)] == newest_first
    work_off(app)
    assert len(app.jobs.list(state="succeeded")) == 6
    assert app.jobs.list(state=State.READY) == []
    assert len(app.jobs.list(since="1h")) == 6
    assert app.jobs.list(until=datetime.now(UTC) - timedelta(hours=1)) == []
    with pytest.raises(UsageError, match="use one of waiting, scheduled"):
        app.jobs.list(state="done")


def test_jobs_are_cancelled_by_filter_after_a_dry_run(app: App, add: Task[[int], int], noop: Task[[], None]) -> None:
    app.enqueue_many(add.call(n) for n in range(5))
    kept = noop.enqueue()
    assert app.jobs.cancel("over", task=add, dry_run=True) == 5
    assert app.jobs.counts()[State.READY] == 6
    assert app.jobs.cancel("over", task=add) == 5
    assert app.jobs.cancel("over", task=add) == 0
    assert app.jobs.cancel(state="succeeded") == 0
    with pytest.raises(UsageError, match="is not a state"):
        app.jobs.cancel(state="done")
    assert (app.jobs.counts()[State.CANCELLED], kept.state) == (5, State.READY)


def test_a_row_that_somebody_spoilt_is_shown_as_it_is(app: App, add: Task[[int], int]) -> None:
    job = add.options(tags={"a": "b"}).enqueue(1)
    spoil(app, "args", "[1")
    spoil(app, "options", "null")
    assert (job.info().args, job.info().tags, app.jobs.list()[0].id) == ({"unreadable": "[1"}, {}, job.id)


def spoil(app: App, column: str, value: str) -> None:
    """As somebody with an SQL prompt could."""
    with app.shared.use() as store, store._link.write() as tx:  # type: ignore[attr-defined]
        connection = tx.connection
        table = "relet.job" if app.url.startswith("postgres") else "relet_job"
        connection.execute(f"update {table} set {column} = '{value}'")


def test_only_ended_jobs_can_be_deleted(app: App, add: Task[[int], int]) -> None:
    job, dead = add.enqueue(1), add.enqueue(-1)
    with pytest.raises(Refused, match="Cancel it first"):
        app.jobs.delete(job.id)
    work_off(app)
    with pytest.raises(Refused, match=r"app\.dead\.delete"):
        app.jobs.delete(dead.id)
    app.jobs.delete(job.id)
    with pytest.raises(NotFound):
        app.jobs.delete(job.id)


def test_a_paused_queue_gives_nothing_until_it_is_resumed(app: App, add: Task[[int], int]) -> None:
    queue = app.queues["sums"]
    add.enqueue(1)
    queue.pause("deploy", by="ann", until="1h")
    stats = queue.status()
    assert (stats.ready, stats.paused_by, stats.pause_reason) == (1, "ann", "deploy")
    assert stats.paused_until is not None
    assert stats.paused_at is not None
    assert stats.paused_until - stats.paused_at > timedelta(minutes=59)
    assert work_off(app) == 0
    assert (queue.resume(), queue.resume()) == (True, False)
    assert work_off(app) == 1


def test_a_drained_queue_works_off_what_it_has_and_takes_nothing(app: App, add: Task[[int], int]) -> None:
    add.enqueue(1)
    app.queues["sums"].drain("moving")
    with pytest.raises(Refused):
        add.enqueue(2)
    assert work_off(app) == 1
    app.queues["sums"].resume()
    assert add.enqueue(2).created


def test_a_purged_queue_is_empty(app: App, add: Task[[int], int], noop: Task[[], None]) -> None:
    app.enqueue_many([*(add.call(n) for n in range(2_100)), add.options(delay="1h").call(1)])
    kept = noop.enqueue()
    assert app.queues["sums"].purge() == 2_101
    assert app.queues["sums"].status().ready == 0
    assert kept.state is State.READY


def test_queues_are_listed_and_need_no_jobs(app: App, add: Task[[int], int]) -> None:
    add.enqueue(1)
    assert [(queue.name, queue.ready) for queue in app.queues.list()] == [("sums", 1)]
    assert app.queues["empty"].status().ready == 0
    with pytest.raises(UsageError, match="all queues"):
        app.queues["*"]


def test_workers_and_leases_are_seen_and_asked_to_go(app: App, add: Task[[int], int]) -> None:
    job = add.enqueue(1)
    hand = Hand(app.open_store, Ids().session(), app.tasks, SystemClock(), 90_000_000, ("gpu=a100",))
    assert hand.claim(["add"]) is not None
    (worker,) = app.workers.list()
    assert (worker.name, worker.live, worker.held, worker.offers, worker.tasks) == (
        "test", True, 1, ("gpu=a100",), ("add",),
    )  # fmt: skip
    (lease,) = app.leases.list()
    assert (lease.job_id, lease.worker, lease.claim, lease.expired) == (job.id, "test", 1, False)
    assert app.workers.drain("test") == [worker.id]
    assert app.workers.stop(worker.id) == [worker.id]
    assert app.workers.list()[0].asked == "stop"
    with pytest.raises(NotFound, match="no living worker"):
        app.workers.drain(uuid4())
    assert app.recover() == []
    hand.close()


def test_a_lapsed_worker_is_recovered_by_hand(app: App, add: Task[[int], int]) -> None:
    job = add.enqueue(1)
    hand = Hand(app.open_store, Ids().session(), app.tasks, SystemClock(), 90_000_000, ())
    assert hand.claim(["add"]) is not None
    hand.lease_us = 1
    hand.renew()
    (gone,) = app.recover()
    assert (gone.worker, gone.returned, job.state) == ("test", 1, State.READY)
    hand.close()


def test_dead_letters_are_read_with_everything_about_them(app: App, add: Task[[int], int]) -> None:
    jobs = app.enqueue_many(add.call(-n) for n in (1, 2, 3))
    work_off(app)
    assert [dead.id for dead in app.dead.list()] == [job.id for job in reversed(jobs)]
    assert [dead.args for dead in app.dead.list(error="NEGATIVE: -2")] == [{"n": -2}]
    dead = app.dead.get(jobs[0].id)
    assert (dead.task, dead.queue, dead.reason, dead.error) == ("add", "sums", "attempts", "ValueError: negative: -1")
    assert (dead.attempts, dead.claims, dead.resolved) == (1, 1, False)
    assert "in add" in dead.stack
    assert [(s.queue, s.total, s.resolved) for s in app.dead.stats()] == [("sums", 3, 0)]
    assert (app.dead.count(task=add), app.dead.count(since="1h"), app.dead.count(queue="other")) == (3, 3, 0)
    with pytest.raises(NotFound):
        app.dead.get(uuid4())


def test_a_dead_job_is_retried_with_other_arguments(app: App, add: Task[[int], int]) -> None:
    job = add.enqueue(-1)
    work_off(app)
    with pytest.raises(PayloadError, match="expected int"):
        app.dead.retry(job.id, patch={"n": "x"})
    app.dead.retry(job.id, patch={"n": 5}, by="ann")
    work_off(app)
    assert job.result(0) == 6
    with pytest.raises(NotFound):
        app.dead.retry(job.id)


def test_dead_jobs_are_retried_by_filter_after_a_dry_run(app: App, add: Task[[int], int]) -> None:
    app.enqueue_many(add.call(-n) for n in (1, 2, 3))
    work_off(app)
    assert app.dead.retry_all(task=add, dry_run=True) == 3
    assert app.dead.retry_all(error="-2") == 1
    assert app.dead.retry_all() == 2
    assert app.dead.list() == []
    assert work_off(app) == 3


def test_a_dead_job_whose_key_is_taken_stays(app: App) -> None:
    @app.task(name="keyed", unique="k:{n}", retry=1)
    def keyed(n: int) -> None:
        raise ValueError

    dead = keyed.enqueue(1)
    work_off(app)
    holder = keyed.enqueue(1)
    with pytest.raises(UniqueConflict) as caught:
        app.dead.retry(dead.id)
    assert caught.value.holder == holder.id
    assert app.dead.retry_all() == 0
    assert app.dead.get(dead.id).id == dead.id


def test_a_dead_job_is_resolved_reopened_and_deleted(app: App, add: Task[[int], int]) -> None:
    job = add.enqueue(-1)
    work_off(app)
    app.dead.resolve(job.id, by="ann", note="refunded")
    resolved = app.dead.get(job.id)
    assert (resolved.resolved, resolved.resolved_by, resolved.notes) == (True, "ann", "refunded")
    assert app.dead.list() == []
    assert [dead.id for dead in app.dead.list(resolved=None)] == [job.id]
    app.dead.reopen(job.id, note="not yet")
    assert [dead.id for dead in app.dead.walk()] == [job.id]
    app.dead.delete(job.id)
    for verb in (app.dead.resolve, app.dead.reopen, app.dead.delete):
        with pytest.raises(NotFound):
            verb(job.id)


def test_an_id_may_be_a_uuid_or_its_text(app: App, add: Task[[int], int]) -> None:
    jobs = app.enqueue_many(add.call(-n) for n in (1, 2, 3))
    work_off(app)
    first, second, third = (str(job.id) for job in jobs)
    assert app.dead.get(first).id == jobs[0].id
    assert [dead.id for dead in app.dead.list(before=second)] == [jobs[0].id]
    assert [job.id for job in app.jobs.list(before=second)] == [jobs[0].id]
    app.dead.resolve(first)
    app.dead.reopen(first)
    app.dead.retry(first, patch={"n": 5})
    app.dead.delete(second)
    app.dead.delete(third.upper())
    app.cancel(first)
    app.jobs.delete(first)
    assert app.dead.list() == []
    for verb in (app.dead.get, app.dead.retry, app.dead.resolve, app.dead.reopen, app.dead.delete, app.jobs.delete):
        with pytest.raises(UsageError, match="'first' is not a job id"):
            verb("first")


def test_queues_are_limited_and_unlimited(app: App, add: Task[[int], int]) -> None:
    queue = app.queues["sums"]
    queue.limit(concurrency=5, rate="50/min;1000/day")
    queue.limit(per_worker=2, rate="60/min")
    stats = queue.status()
    assert (stats.concurrency, stats.per_worker, stats.rate, stats.rate_used) == (5, 2, "60/min", (0,))
    queue.limit(concurrency=None)
    assert queue.status().concurrency is None
    assert [found.name for found in app.queues.list()] == ["sums"]
    queue.unlimit()
    assert queue.status().rate is None
    with pytest.raises(UsageError, match="is not a rate"):
        queue.limit(rate="fast")


def test_what_code_declares_holds_until_a_person_says_otherwise(app: App, add: Task[[int], int]) -> None:
    queue = app.queue("sums", concurrency=3, rate="10/s")
    assert queue.status().concurrency is None, "a worker writes it when it starts"
    for _ in range(2):
        with app.worker(poll="50ms"):
            add.enqueue(1).result("10s")
        assert (queue.status().concurrency, queue.status().rate) == (3, "10/s")
    queue.limit(concurrency=7, by="ann")
    with app.worker(poll="50ms"):
        add.enqueue(1).result("10s")
    assert (queue.status().concurrency, queue.status().limited_by) == (7, "ann")
    queue.unlimit(forget=True)
    with app.worker(poll="50ms"):
        add.enqueue(1).result("10s")
    assert queue.status().concurrency == 3
    with pytest.raises(UsageError, match="concurrency"):
        app.queue("sums", concurrency=0)


def test_why_names_the_limit_that_holds_a_job_back(app: App, add: Task[[int], int]) -> None:
    app.queues["sums"].limit(rate="1/h")
    with app.worker(poll="50ms"):
        add.enqueue(1).result("10s")
        waiting = add.enqueue(2)
        reason = app.why(waiting.id)[0]
    assert reason.startswith("Queue sums has let 1 start in the last hour, as many as its rate allows (1/hour): ")
    assert "the next may start at " in reason
