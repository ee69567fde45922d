"""A worker in this process, on a real store: every way to run, and every way to end."""

import time
from typing import Any

import pytest

from relet import App
from relet.clock import Ids, SystemClock
from relet.errors import DefinitionError, Refused, SchemaMismatch, UsageError
from relet.job.job import Counters, NewJob
from relet.job.outcome import Ended
from relet.job.state import State
from relet.testing.hand import Hand
from relet.work.run import Stop
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop

ERRORS = ["value", "exit", "interrupt", "generator", "cancelled", "group", "unspeakable", "huge", "stop", "surrogate"]


@pytest.mark.parametrize("task", [tasks.add, tasks.add_plainly, tasks.add_apart, tasks.add_apart_async])
def test_result_comes_back(any_shop: Shop, task: Any) -> None:
    any_shop.worker()
    assert task.enqueue(1, 2).result("10s") == 3


def test_many_jobs_run_each_once(any_shop: Shop) -> None:
    jobs = tasks.app.enqueue_many([tasks.add.call(n, 1) for n in range(500)])
    jobs += tasks.app.enqueue_many([tasks.add_plainly.call(n, 1) for n in range(500)])
    any_shop.worker(slots=50)
    assert [job.result("20s") for job in jobs] == [n + 1 for n in range(500)] * 2
    assert all(any_shop.row(job).epoch == 1 for job in jobs)


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("task", [tasks.raise_async, tasks.raise_plainly])
def test_whatever_a_task_raises_is_its_outcome(shop: Shop, task: Any, name: str) -> None:
    worker = shop.worker()
    row = shop.ended(task.enqueue(name))
    assert row.state is State.DEAD
    assert row.error
    assert len(row.error) <= 5000
    assert tasks.add.enqueue(1, 1).result("5s") == 2
    assert [event["task"] for event in shop.told("job.dead")] == [task.name]
    assert worker.healthy


def test_whatever_a_task_raises_in_a_child_is_its_outcome(shop: Shop) -> None:
    shop.worker(slots=2)
    jobs = {name: tasks.raise_apart.enqueue(name) for name in ERRORS}
    for name, job in jobs.items():
        row = shop.ended(job, 30)
        assert row.state is State.DEAD, name
        assert row.error, name
        assert "process" not in row.error, f"{name} took its process down: {row.error}"


def test_failed_job_is_retried_until_it_succeeds(any_shop: Shop) -> None:
    any_shop.worker()
    assert tasks.flaky.enqueue(any_shop.ledger).result("10s") == 3
    assert any_shop.lines() == ["attempt 1", "attempt 2", "attempt 3"]


def test_result_that_cannot_be_stored_fails_once(shop: Shop) -> None:
    shop.worker()
    row = shop.ended(tasks.unserialisable.enqueue())
    assert (row.state, row.epoch) == (State.DEAD, 1)
    assert row.error is not None
    assert row.error.startswith("result not serialisable")
    assert row.error.endswith("object. The function has run; its result is lost, and it is not tried again.")


@pytest.mark.parametrize("how", ["raise", "return"])
@pytest.mark.parametrize(
    ("kind", "state", "attempt", "epoch"),
    [
        ("snooze", State.SUCCEEDED, 0, 2),
        ("later", State.SUCCEEDED, 1, 2),
        ("reject", State.DEAD, 1, 1),
        ("cancel", State.CANCELLED, 0, 1),
    ],
)
def test_verdict_decides(any_shop: Shop, kind: str, how: str, state: State, attempt: int, epoch: int) -> None:
    any_shop.worker()
    row = any_shop.ended(tasks.verdict.enqueue(kind, how, any_shop.ledger))
    assert (row.state, row.attempt, row.epoch) == (state, attempt, epoch)


def test_undecodable_arguments_fail_their_own_job_only(any_shop: Shop) -> None:
    bad = [
        NewJob(bytes([n]) * 16, tasks.add.name, args=text) for n, text in enumerate(["{", "[]", '{"a": "x"}', "null"])
    ]
    any_shop.store.enqueue(bad)
    any_shop.worker()
    assert tasks.add.enqueue(1, 1).result("5s") == 2
    for job in bad:
        until(lambda job=job: any_shop.store.insights.job(job.id).state is State.DEAD)  # type: ignore[misc,union-attr]


def test_unknown_task_is_left_alone(any_shop: Shop) -> None:
    any_shop.store.enqueue([NewJob(b"u" * 16, "nobody.knows")])
    any_shop.worker()
    assert tasks.add.enqueue(1, 1).result("5s") == 2
    row = any_shop.store.insights.job(b"u" * 16)
    assert row is not None
    assert (row.state, row.epoch) == (State.READY, 0)


def test_each_run_has_a_context_of_its_own(shop: Shop) -> None:
    jobs = [tasks.who.enqueue() for _ in range(50)]
    shop.worker(slots=50)
    assert [job.result("5s") for job in jobs] == [str(job.id) for job in jobs]


def test_plain_functions_never_run_on_the_loop(shop: Shop) -> None:
    shop.worker()
    assert tasks.in_thread.enqueue().result("5s").startswith("relet-thread")


# ── what a task says ──────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("task", [tasks.report, tasks.report_apart])
def test_what_a_task_says_is_kept(any_shop: Shop, task: Any) -> None:
    any_shop.worker()
    job = task.enqueue()
    assert job.result("10s") == "1 1 1 True"
    insights = any_shop.store.insights
    (line,) = insights.logs(job.id.bytes, (0, -1), 10)
    assert (line.level, line.message, line.fields) == ("info", "hello", '{"answer":42}')
    used = [(use.kind, use.amount, use.unit, use.details) for use in insights.usage(job.id.bytes)]
    assert used == [("pages", "3", "", None), ("llm", "0.0125", "USD", '{"model":"m"}')]


def test_progress_is_seen_while_the_job_runs(any_shop: Shop) -> None:
    any_shop.worker()
    job = tasks.wait_plainly.enqueue(any_shop.ledger)
    until(lambda: any_shop.lines() == ["started"])
    (lease,) = any_shop.store.insights.leases()
    assert lease.job_id == job.id.bytes
    job.cancel("enough", grace=5)
    assert any_shop.ended(job).state is State.CANCELLED


# ── timeouts ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_timeout_cancels_an_async_task(any_shop: Shop) -> None:
    any_shop.worker()
    row = any_shop.ended(tasks.sleep_async.enqueue(any_shop.ledger))
    assert (row.state, row.attempt, row.error) == (State.DEAD, 1, "ran into its timeout")
    assert any_shop.lines() == ["cleaned up"]


def test_async_task_that_swallows_its_timeout_is_abandoned(shop: Shop) -> None:
    worker = shop.worker()
    row = shop.ended(tasks.stubborn_async.enqueue(shop.ledger))
    assert row.state is State.DEAD
    assert row.error == "ran into its timeout, and did not end when told to"
    assert worker.status().abandoned == 1
    assert tasks.add.enqueue(1, 1).result("5s") == 2
    until(lambda: "late" in shop.lines())
    assert shop.row(tasks.app.job(_id(row))).state is State.DEAD


def test_thread_that_does_not_end_is_abandoned_and_its_late_result_refused(shop: Shop) -> None:
    worker = shop.worker(slots=1)
    row = shop.ended(tasks.stubborn.enqueue(shop.ledger))
    assert row.state is State.DEAD
    assert tasks.add_plainly.enqueue(1, 1).result("5s") == 2, "another thread has taken its place"
    assert shop.told("job.abandoned")
    until(lambda: shop.lines() == ["begun", "late"])
    assert tasks.add_plainly.enqueue(2, 2).result("5s") == 4, "whatever the late one said has been heard by now"
    assert (worker.status().abandoned, shop.row(tasks.app.job(_id(row))).result) == (1, None)


def test_plain_function_that_looks_ends_in_time(shop: Shop) -> None:
    worker = shop.worker()
    row = shop.ended(tasks.polite.enqueue())
    assert (row.state, row.error) == (State.DEAD, "ran into its timeout")
    assert worker.status().abandoned == 0


def test_job_that_passes_its_deadline_is_dead(shop: Shop) -> None:
    shop.worker()
    row = shop.ended(tasks.wait_async.options(deadline=0.3).enqueue(shop.ledger))
    assert (row.state, row.error) == (State.DEAD, "its deadline passed while it ran")
    (dead,) = shop.store.insights.dead(_all())
    assert dead.reason == "deadline"


def test_job_that_expired_is_not_started(shop: Shop) -> None:
    job = tasks.wait_async.options(expires=0.001).enqueue(shop.ledger)
    shop.worker()
    assert shop.ended(job).state is State.CANCELLED
    assert shop.lines() == []


# ── cancelling ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("task", [tasks.wait_async, tasks.wait_plainly, tasks.wait_apart])
def test_running_job_is_cancelled(any_shop: Shop, task: Any) -> None:
    any_shop.worker()
    job = task.enqueue(any_shop.ledger)
    until(lambda: any_shop.lines() == ["started"])
    job.cancel("not needed", grace=5)
    row = any_shop.ended(job)
    assert (row.state, row.error) == (State.CANCELLED, "not needed")
    until(lambda: any_shop.lines() == ["started", "ended"])


def test_job_that_was_cancelled_before_its_claim_does_not_start(any_shop: Shop) -> None:
    job = tasks.wait_async.enqueue(any_shop.ledger)
    job.cancel("too late")
    any_shop.worker()
    assert any_shop.ended(job).state is State.CANCELLED
    assert any_shop.lines() == []


# ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def effects(shop: Shop) -> list[int]:
    import apsw

    connection = apsw.Connection(shop.url.removeprefix("sqlite:///"))
    connection.execute("create table if not exists effect (n integer)")
    found = [n for (n,) in connection.execute("select n from effect order by n")]
    connection.close()
    return found


@pytest.mark.parametrize("task", [tasks.effect, tasks.effect_async, tasks.effect_apart])
def test_effects_are_committed_with_the_success(shop: Shop, task: Any) -> None:
    effects(shop)
    worker = shop.worker()
    assert task.enqueue(5).result("10s") == "done"
    assert effects(shop) == [5]
    until(lambda: worker.status().jobs_completed == 1 and not worker.status().active_jobs)


@pytest.mark.parametrize("task", [tasks.effect, tasks.effect_async, tasks.effect_apart])
def test_what_a_run_said_is_kept_when_its_effects_are_committed_first(shop: Shop, task: Any) -> None:
    effects(shop)
    worker = shop.worker()
    job = task.enqueue(5)
    assert job.result("10s") == "done"
    worker.drain()
    assert worker.wait(10)
    assert [line.message for line in shop.store.insights.logs(job.id.bytes, (0, 0), 10)] == ["told"]
    assert [(used.kind, used.amount) for used in shop.store.insights.usage(job.id.bytes)] == [("pages", "3")]


def test_run_that_is_told_to_stop_after_its_body_has_returned_has_not_succeeded(shop: Shop) -> None:
    effects(shop)
    job = tasks.effect.enqueue(5)
    hand = Hand(tasks.app.open_store, Ids(SystemClock()).session(), tasks.app.tasks, SystemClock(), 60_000_000, ())
    claim = hand.claim([tasks.effect.name])
    assert claim is not None
    run, outcome = hand.run(claim)
    assert outcome.ended is Ended.SUCCESS
    run.stop = Stop(Ended.CANCEL, "too late")
    hand.settle(run, outcome)
    hand.close()
    assert shop.row(job).state is State.CANCELLED
    assert effects(shop) == []


@pytest.mark.parametrize("how", ["inside", "after"])
def test_effects_of_a_failed_run_are_undone(shop: Shop, how: str) -> None:
    effects(shop)
    shop.worker()
    assert shop.ended(tasks.effect.enqueue(5, how)).state is State.DEAD
    assert effects(shop) == []


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_clean_child_is_used_again(shop: Shop) -> None:
    shop.worker(slots=1)
    pids = {tasks.pid_apart.enqueue().result("10s") for _ in range(4)}
    assert len(pids) == 1


def test_endless_loop_in_a_process_is_killed(shop: Shop) -> None:
    shop.worker()
    row = shop.ended(tasks.spin_apart.enqueue())
    assert (row.state, row.error) == (State.DEAD, "ran into its timeout")


def test_process_may_clean_up_after_a_timeout(shop: Shop) -> None:
    shop.worker()
    assert shop.ended(tasks.tidy_apart.enqueue(shop.ledger)).error == "ran into its timeout"
    until(lambda: shop.lines() == ["cleaned up"])


def test_whole_family_of_a_process_is_killed(shop: Shop) -> None:
    import psutil

    shop.worker()
    assert shop.ended(tasks.breed.enqueue(shop.ledger)).state is State.DEAD
    pids = [int(line) for line in shop.lines()]
    assert len(pids) == 2
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_child_with_something_left_behind_is_not_used_again(shop: Shop) -> None:
    import psutil

    shop.worker(slots=1)
    first = tasks.leave_behind.enqueue(shop.ledger).result("10s")
    assert tasks.pid_apart.enqueue().result("10s") != first
    until(lambda: not psutil.pid_exists(int(shop.lines()[0])))


def test_memory_is_bounded(shop: Shop) -> None:
    shop.worker()
    row = shop.ended(tasks.hoard.enqueue())
    assert row.state is State.DEAD
    assert row.error == "MemoryError"


def test_cpu_time_is_bounded(shop: Shop) -> None:
    shop.worker()
    row = shop.ended(tasks.burn.enqueue())
    assert row.error == "its process was killed by signal 24 (SIGXCPU; out of CPU time)"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("exit", "its process ended with exit status 3 in the middle of the run"),
        ("kill", "its process was killed by signal 9 (SIGKILL; out of memory?)"),
    ],
)
def test_death_of_a_child_is_a_failed_attempt(shop: Shop, how: str, told: str) -> None:
    shop.worker()
    row = shop.ended(tasks.die_apart.enqueue(how), 20)
    assert (row.state, row.attempt, row.crashes, row.error) == (State.DEAD, 3, 0, told)


def test_closed_descriptors_end_the_run_and_not_the_worker(shop: Shop) -> None:
    shop.worker()
    assert shop.ended(tasks.close_everything.enqueue()).state is State.DEAD
    assert tasks.add_apart.enqueue(1, 2).result("10s") == 3


def test_suspect_runs_alone_in_a_process_whatever_its_executor(any_shop: Shop) -> None:
    _suspect(any_shop, tasks.in_thread.name, b"s" * 16)
    any_shop.worker()
    until(lambda: any_shop.store.insights.job(b"s" * 16).state.ended)  # type: ignore[union-attr]
    row = any_shop.store.insights.job(b"s" * 16)
    assert row is not None
    assert row.result == '"MainThread"'


def _suspect(shop: Shop, task: str, job_id: bytes) -> None:
    """Make a job that two dying sessions have held."""
    from relet.store.records import Lane, SessionInfo, Want

    shop.store.enqueue([NewJob(job_id, task)])
    for n in range(2):
        session = bytes([n + 1]) * 16
        shop.store.open_session(SessionInfo(session, "w", "h", 1, (), (task,)), 1_000_000)
        want = Want(1, (Lane("default", -1),), (task,))
        (claim,) = shop.store.turn(session, (), _no_notes(), want).claims
        assert claim.counters == Counters(0, 0, n, n)
        shop.store.reclaim(session, "test")


# ── the worker's own life ─────────────────────────────────────────────────────────────────────────────────────────────
def test_drain_lets_runs_finish(shop: Shop) -> None:
    worker = shop.worker()
    job = tasks.nap.enqueue(shop.ledger, 0.5)
    until(shop.lines)
    waiting = tasks.add.options(delay=0.1).enqueue(1, 1)
    worker.drain()
    assert worker.status().is_draining
    assert worker.wait(5)
    assert shop.row(job).state is State.SUCCEEDED
    assert shop.row(waiting).epoch == 0


@pytest.mark.parametrize("task", [tasks.wait_async, tasks.wait_plainly, tasks.wait_apart])
def test_what_does_not_finish_in_the_grace_is_given_back_at_no_cost(any_shop: Shop, task: Any) -> None:
    worker = any_shop.worker()
    job = task.enqueue(any_shop.ledger)
    until(lambda: any_shop.lines() == ["started"])
    worker.drain("100ms")
    assert worker.wait(10)
    row = any_shop.row(job)
    assert (row.state, row.attempt, row.crashes, row.releases) == (State.READY, 0, 0, 1)


def test_stop_gives_back_even_what_cannot_be_interrupted(shop: Shop) -> None:
    worker = shop.worker()
    job = tasks.stubborn.options(timeout=60).enqueue(shop.ledger, 2.0)
    until(shop.lines)
    began = time.monotonic()
    worker.stop()
    assert worker.wait(10)
    assert time.monotonic() - began < 1.5
    assert shop.row(job).state is State.READY
    until(lambda: shop.lines() == ["begun", "late"])


def test_session_ends_with_the_worker(any_shop: Shop) -> None:
    worker = any_shop.worker()
    until(any_shop.store.insights.sessions)
    worker.drain()
    worker.wait()
    assert not any_shop.store.insights.sessions()
    (row,) = any_shop.store.insights.sessions(60_000_000)
    assert (row.end_cause, row.held) == ("drained", 0)


def test_status_says_what_runs(shop: Shop) -> None:
    worker = shop.worker(slots=3)
    job = tasks.wait_async.enqueue(shop.ledger)
    until(shop.lines)
    status = worker.status()
    assert (status.is_running, status.active_jobs, status.max_concurrent_jobs) == (True, 1, 3)
    assert (status.active_job_ids, status.lease_duration_seconds) == ((job.id,), 3.0)


def test_people_can_drain_a_worker_through_the_store(any_shop: Shop) -> None:
    worker = any_shop.worker()
    until(any_shop.store.insights.sessions)
    tasks.app.workers.drain(any_shop.store.insights.sessions()[0].worker)
    assert worker.wait(5)


def test_worker_that_drains_by_itself_is_seen_to_at_once(any_shop: Shop) -> None:
    worker = any_shop.worker(lease="60s")
    assert tasks.add.enqueue(1, 2).result("10s") == 3
    tasks.nap.enqueue(any_shop.ledger, 60)
    until(any_shop.lines)
    until(lambda: worker.status().jobs_completed == 1)
    worker.drain()
    until(lambda: any_shop.store.insights.sessions()[0].verb == "drain", 3)
    until(lambda: any_shop.store.insights.sessions()[0].done == 1, 3)
    assert not any_shop.told("worker.asked"), "nobody asked"
    worker.stop()
    assert worker.wait(10)


def test_worker_that_has_ended_leaves_its_last_figures(any_shop: Shop) -> None:
    worker = any_shop.worker(lease="60s")
    until(lambda: any_shop.told("session.opened"))
    jobs = [tasks.nap.enqueue(any_shop.ledger, 0.3) for _ in range(3)]
    until(any_shop.lines)
    worker.drain()
    assert worker.wait(10)
    done = sum(any_shop.row(job).state is State.SUCCEEDED for job in jobs)
    (row,) = any_shop.store.insights.sessions(60_000_000)
    assert (row.done, row.busy) == (done, 0)
    assert done > 0


def test_people_can_stop_a_worker_that_drains(any_shop: Shop) -> None:
    worker = any_shop.worker(lease="60s", grace="60s")
    tasks.nap.enqueue(any_shop.ledger, 60)
    until(any_shop.lines)
    worker.drain()
    until(lambda: any_shop.store.insights.sessions()[0].verb == "drain", 3)
    tasks.app.workers.stop(any_shop.store.insights.sessions()[0].worker)
    assert worker.wait(10)


def test_worker_whose_session_was_ended_goes_on_with_a_new_one(any_shop: Shop) -> None:
    worker = any_shop.worker()
    job = tasks.wait_async.enqueue(any_shop.ledger)
    until(lambda: any_shop.lines() == ["started"])
    (row,) = any_shop.store.insights.sessions()
    any_shop.store.reclaim(row.id, "by hand")
    until(lambda: any_shop.lines().count("started") == 2, 10)
    assert any_shop.lines()[:2] == ["started", "ended"], "the first run was told to end"
    assert len(any_shop.told("session.lost")) == 1
    until(lambda: any_shop.told("job.fenced"))
    assert worker.status().holds_lease
    assert any_shop.row(job).epoch == 2


def test_watch_that_comes_late_leaves_the_next_session_alone(shop: Shop) -> None:
    """It judged one session, and by the time it says so the keeper has opened another: the worker must go on claiming."""
    worker = shop.worker()
    until(shop.store.insights.sessions)
    (first,) = shop.store.insights.sessions()
    shop.store.reclaim(first.id, "by hand")
    until(lambda: len(shop.told("session.opened")) == 2)
    job = tasks.wait_async.enqueue(shop.ledger)
    until(lambda: shop.lines() == ["started"])
    worker._watch.fence(first.id, "it could not be renewed in time")
    assert shop.told("session.lost") == [{"cause": "its session was ended, and what it held was given back"}]
    assert tasks.add.enqueue(1, 2).result("5s") == 3
    assert shop.row(job).epoch == 1
    assert shop.lines() == ["started"], "what runs under the next session was not told to end"


def test_blocked_loop_keeps_the_lease(shop: Shop) -> None:
    shop.worker(lease="1s")
    job = tasks.block_loop.enqueue(2.5)
    job.result("10s")
    assert shop.row(job).epoch == 1
    assert not shop.told("session.lost")


def _id(row: Any) -> Any:
    from uuid import UUID

    return UUID(bytes=row.id)


def _all() -> Any:
    from relet.store.rows import DeadFilter

    return DeadFilter()


def _no_notes() -> Any:
    from relet.store.records import Notes

    return Notes()


# ── refusing to start, and being ill ──────────────────────────────────────────────────────────────────────────────────
def test_task_that_no_child_can_import_is_refused_at_the_start(shop: Shop) -> None:
    app = App(shop.url)

    @app.task(executor="process")
    def inner() -> None: ...

    with pytest.raises(DefinitionError, match="a child process cannot import its function"):
        app.worker().start()


def test_store_of_an_unknown_schema_is_refused_at_the_start(shop: Shop) -> None:
    import apsw

    connection = apsw.Connection(shop.url.removeprefix("sqlite:///"))
    connection.execute("insert into relet_schema_version values (9999, 9999, 0)")
    connection.close()
    app = App(shop.url)
    with pytest.raises(SchemaMismatch):
        app.worker().start()


def test_worker_starts_once(shop: Shop) -> None:
    worker = shop.worker()
    with pytest.raises(UsageError, match="has been started before"):
        worker.start()


def test_worker_that_never_started_ends_at_once(shop: Shop) -> None:
    worker = tasks.app.worker()
    worker.drain()
    assert worker.wait(0)


def test_blocked_loop_makes_the_worker_ill(shop: Shop) -> None:
    worker = shop.worker(lease="1s")
    assert worker.healthy
    job = tasks.block_loop.enqueue(5)
    until(lambda: worker.status().ailments == ("loop",))
    job.result("10s")
    until(lambda: worker.healthy)


def test_lost_lease_is_told_to_the_task(shop: Shop) -> None:
    shop.worker()
    tasks.await_loss.enqueue(shop.ledger)
    until(lambda: shop.lines() == ["started"])
    shop.store.reclaim(shop.store.insights.sessions()[0].id, "by hand")
    until(lambda: {"told", "LeaseLost"} <= set(shop.lines()))


def test_job_that_enqueues_itself_twice_is_stopped_by_the_backlogs_limit(shop: Shop) -> None:
    shop.worker(max_backlog=1000)
    tasks.double.enqueue(1)
    until(lambda: shop.told("queue.full"), 30)
    with pytest.raises(Refused, match="closed by max_backlog"):
        tasks.double.enqueue(0)
    until(lambda: any("Refused" in event["error"] for event in shop.told("job.failed")), 10)
