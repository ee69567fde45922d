"""The test harness tells the truth: it runs jobs as a worker does, and its faults are faults."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relet import App, Context, Retry, Snooze, State, current
from relet.errors import JobFailed, LeaseLost, PayloadError
from relet.testing import Harness, relet_test


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(f"sqlite:///{tmp_path}/untouched.db")


@pytest.fixture
def t(app: App, tmp_path: Path):
    with relet_test(app) as harness:
        yield harness
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def runs() -> list:
    return []


@pytest.fixture
def charge(app: App, runs: list):
    @app.task(name="charge", retry=Retry(3, first="10s", jitter=False))
    def charge(ctx: Context, order_id: int, cents: int = 100) -> str:
        runs.append((order_id, ctx.lease.token))
        ctx.progress(50)
        return f"charged {order_id}"

    return charge


def test_what_was_enqueued_is_found_by_some_of_its_arguments(t: Harness, charge) -> None:
    t.refute_enqueued(charge)
    charge.enqueue(7)
    job = charge.enqueue(8, cents=5)
    assert t.assert_enqueued(charge, order_id=8, cents=5) == job
    t.assert_enqueued(charge, order_id=7, cents=100)  # by its default
    assert len(t.enqueued(charge)) == 2
    t.refute_enqueued(charge, order_id=7, cents=5)
    with pytest.raises(AssertionError, match=r"charge\(order_id=9\) was not enqueued.*\n.*charge .*ready"):
        t.assert_enqueued(charge, order_id=9)
    with pytest.raises(AssertionError, match="was enqueued 1 times"):
        t.refute_enqueued(charge, order_id=7)
    with pytest.raises(TypeError, match="no parameter 'order'"):
        t.assert_enqueued(charge, order=9)


def test_jobs_run_in_order_of_priority_when_told_to(t: Harness, charge, runs: list) -> None:
    charge.enqueue(1)
    charge.options(priority="high").enqueue(2)
    with pytest.raises(AssertionError, match="is ready"):
        t.result(charge, order_id=1)
    assert t.run_until_idle() == 2
    assert runs == [(2, 1), (1, 1)]
    result = t.result(charge, order_id=1)
    assert (result.ok, result.value, result.failed) == (True, "charged 1", 0)
    with pytest.raises(AssertionError, match="was not enqueued"):
        t.result(charge, order_id=3)


def test_time_moves_only_when_told_to(t: Harness, charge, runs: list) -> None:
    charge.options(delay="5m").enqueue(7)
    assert t.run_until_idle() == 0
    t.advance("4m")
    assert t.run_until_idle() == 0
    t.advance("1m")
    assert t.run_until_idle() == 1


def test_a_failed_job_is_tried_again_in_its_time_and_dies_in_the_end(app: App, t: Harness) -> None:
    @app.task(name="fails", retry=Retry(3, first="10s", jitter=False))
    def fails() -> None:
        raise ValueError("no")

    job = fails.enqueue()
    assert t.run_until_idle() == 1
    t.advance("10s")
    assert t.run_until_idle() == 1
    assert t.run_until_idle(skip_ahead=True) == 1
    result = t.result(fails)
    assert (result.ok, result.state, result.error, result.failed) == (False, State.DEAD, "ValueError: no", 3)
    with pytest.raises(JobFailed):
        _ = result.value
    assert [dead.id for dead in app.dead.list()] == [job.id]


def test_verdicts_async_tasks_and_current_work_as_in_a_worker(app: App, t: Harness) -> None:
    @app.task(name="later")
    async def later(n: int) -> int:
        await asyncio.sleep(0)
        if current().epoch == 1:
            raise Snooze("1h")
        return n

    later.enqueue(3)
    assert t.run_until_idle() == 1
    t.advance("1h")
    t.run_until_idle()
    assert t.result(later).value == 3


def test_the_harness_works_inside_an_async_test(app: App) -> None:
    @app.task(name="later")
    async def later() -> int:
        await asyncio.sleep(0)
        return 3

    async def main() -> int:
        with relet_test(app) as t:
            await later.aenqueue()
            t.run_until_idle()
            return t.result(later).value

    assert asyncio.run(main()) == 3


def test_jobs_that_enqueue_themselves_are_bounded(app: App, t: Harness) -> None:
    @app.task(name="again")
    def again() -> None:
        current().log("again")
        again.options(delay=0).enqueue()

    again.enqueue()
    assert t.run_at_most({again: 3}) == 3
    assert len(t.enqueued(again)) == 4


def test_a_bad_result_is_a_failure_here_too(app: App, t: Harness) -> None:
    @app.task(name="bad", retry=1)
    def bad() -> object:
        return object()

    bad.enqueue()
    t.run_until_idle()
    assert "result not serialisable" in t.result(bad).error


def test_a_timeout_ends_a_task_that_moves_the_clock(app: App, t: Harness) -> None:
    @app.task(name="slow", timeout="1m", retry=1)
    def slow() -> None:
        t.clock.advance(61_000_000)

    slow.enqueue()
    t.run_until_idle()
    assert [attempt.outcome for attempt in t.result(slow).job.attempts] == ["timeout"]


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [("claim", [], [2]), ("mid", [1], [1, 2]), ("before_commit", [1], [1, 2]), ("after_commit", [1], [1])],
)
def test_a_crash_loses_nothing_and_repeats_only_what_was_not_committed(
    t: Harness, charge, runs: list, at, before: list, after: list
) -> None:
    charge.enqueue(7)
    job = t.crash(charge, at)
    assert [token for _, token in runs] == before
    t.run_until_idle()
    assert [token for _, token in runs] == after
    assert job.result(0) == "charged 7"
    assert job.info().attempts == 0


def test_a_crash_in_the_middle_ends_the_function_where_it_speaks(app: App, t: Harness, runs: list) -> None:
    @app.task(name="two_steps")
    def two_steps(ctx: Context) -> None:
        runs.append("first")
        ctx.progress(50)
        runs.append("second")

    two_steps.enqueue()
    t.crash(two_steps, at="mid")
    assert runs == ["first"]


def test_a_zombies_late_write_is_refused(t: Harness, charge, runs: list) -> None:
    charge.enqueue(7)
    job = t.zombie(charge, for_="60s")
    assert runs == [(7, 2), (7, 1)]
    assert [attempt.outcome for attempt in job.attempts] == ["lost", "success"]


def test_a_zombie_that_looks_at_its_lease_does_nothing(app: App, t: Harness, runs: list) -> None:
    @app.task(name="careful")
    def careful(ctx: Context) -> None:
        try:
            ctx.lease.check()
        except LeaseLost:
            runs.append("lost")
            raise
        runs.append("paid")

    careful.enqueue()
    t.zombie(careful)
    assert runs == ["paid", "lost"]


def test_the_zombie_switch_fails_when_a_late_write_is_taken(t: Harness, charge, monkeypatch) -> None:
    charge.enqueue(7)
    monkeypatch.setattr(Harness, "_work", lambda *_: 0)  # nobody else takes the job
    monkeypatch.setattr(Harness, "advance", lambda *_: None)  # and the lease does not lapse
    with pytest.raises(AssertionError, match="was accepted, not refused"):
        t.zombie(charge)


def test_a_fault_needs_a_job_to_strike(t: Harness, charge) -> None:
    for fault in (t.crash, t.zombie):
        with pytest.raises(AssertionError, match="No job of charge is due"):
            fault(charge)


def test_effects_in_the_runs_own_transaction_come_once(app: App, t: Harness) -> None:
    @app.task(name="child")
    def child(n: int) -> None: ...

    @app.task(name="parent")
    def parent(ctx: Context) -> None:
        with ctx.transaction() as conn:
            child.options(tx=conn).enqueue(1)

    parent.enqueue()
    t.crash(parent, at="before_commit")
    t.refute_enqueued(child)
    t.run_until_idle()
    assert len(t.enqueued(child)) == 1


def test_transactions_of_the_caller_are_passed_over(app: App, t: Harness, charge) -> None:
    with app.bind(object()):
        charge.options(tx=object()).enqueue(7)
    t.assert_enqueued(charge, order_id=7)


def test_needs_of_the_apps_tasks_are_offered(app: App) -> None:
    @app.task(name="render", requires={"gpu": "a100"})
    def render() -> None: ...

    with relet_test(app) as t:
        render.enqueue()
        assert t.run_until_idle() == 1
    with relet_test(app, offers=()) as t:
        render.enqueue()
        assert t.run_until_idle() == 0


def test_afterwards_the_app_has_its_own_store_again(app: App, charge, tmp_path: Path) -> None:
    clock = app.clock
    with relet_test(app):
        charge.enqueue(7)
        assert not (tmp_path / "untouched.db").exists()
    assert app.jobs.list() == []
    assert (tmp_path / "untouched.db").exists()
    assert app.clock is clock
    app.close()


def test_inline_runs_a_job_to_its_end_as_soon_as_it_is_enqueued(app: App, runs: list) -> None:
    @app.task(name="child")
    def child(n: int) -> int:
        runs.append(n)
        if len(runs) == 1:
            raise ValueError("first time")
        return n

    @app.task(name="parent")
    def parent(n: int) -> int:
        return child.options(delay="1h").enqueue(n).result(0)

    with app.inline():
        assert parent.enqueue(3).result(0) == 3
        assert asyncio.run(child.aenqueue(4)).created
        with pytest.raises(PayloadError):
            child.enqueue("x")
    assert runs == [3, 3, 4]


def test_the_pytest_plugin_gives_the_harness_and_puts_it_away(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        """
from relet import App

app = App("sqlite:///theirs.db")

@app.task
def add(a: int) -> int:
    return a + 1

def test_add(relet_test):
    t = relet_test(app)
    add.enqueue(1)
    t.run_until_idle()
    assert t.result(add, a=1).value == 2

def test_nothing_is_left(relet_test):
    relet_test(app).refute_enqueued(add)
"""
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    plugin = [] if _is_registered() else ["-p", "relet.contrib.pytest_plugin"]
    done = subprocess.run(
        [*command, *plugin, "test_theirs.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "theirs.db").exists()


def _is_registered() -> bool:
    from importlib.metadata import entry_points

    return any(entry.value == "relet.contrib.pytest_plugin" for entry in entry_points(group="pytest11"))


def test_a_routine_is_fired_when_the_test_says_so(app: App, runs: list) -> None:
    @app.routine(every="5m")
    def fetch() -> None:
        runs.append("fetch")

    @app.routine(cron="0 * * * *", depends_on=["fetch"])
    def digest() -> None:
        runs.append("digest")

    with relet_test(app) as t:
        assert (t.run_until_idle(), runs) == (0, [])
        assert (t.fire(), t.fire()) == (["fetch"], [])
        t.advance("1h")
        assert t.run_until_idle() == 1
        assert t.fire() == ["digest", "fetch"]
        t.run_until_idle()
        status = app.routines["digest"].status()
        assert (status.successes, status.waits_for) == (1, ())


def test_a_day_is_played_as_a_worker_lives_through_it(app: App, runs: list) -> None:
    @app.routine(every="1h", retry=Retry(2, first="10m", jitter=False))
    def fetch(ctx: Context) -> None:
        runs.append(ctx.attempt)
        if len(runs) % 2:
            raise OSError("no route")

    with relet_test(app) as t:
        begun = t.clock.now()
        assert t.play("1d") == 49
        assert (runs, t.clock.now() - begun) == ([1, 2] * 24 + [1], 86_400_000_000)
        assert app.routines["fetch"].status().successes == 24
        assert (t.play("1m"), t.play("9m")) == (0, 1)


def test_what_cannot_be_reckoned_does_not_hold_up_the_play(app: App) -> None:
    @app.routine(cron="0 * * * *", tz="Europe/Oslo")
    def digest() -> None: ...

    @app.task
    def spoil(ctx: Context) -> None:
        with ctx.transaction() as connection:
            connection.execute(
                "update relet_schedule set next_at = 0, definition = replace(definition, 'Europe/Oslo', 'Mars/One')"
            )

    with relet_test(app) as t:
        spoil.enqueue()
        assert (t.run_until_idle(), t.play("10s")) == (1, 0)
