"""Worker processes that are stopped, that lose their clock, or that their own jobs maltreat."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from relet.job.state import State
from relet.store.rows import DeadFilter
from tests.crash import tasks
from tests.crash.scene import Process, Scene
from tests.support.waiting import until


def standing_still(scene: Scene, processes: list[Process]) -> None:
    """Stop them; on SQLite not while one of them writes, for that would stop everybody else who writes."""
    for process in processes:
        while True:
            process.signal(signal.SIGSTOP)
            if scene.engine == "postgres" or _free(scene):
                break
            process.signal(signal.SIGCONT)


def _free(scene: Scene) -> bool:
    import apsw

    connection = apsw.Connection(scene.url.removeprefix("sqlite:///"))
    connection.set_busy_timeout(100)
    try:
        connection.execute("begin immediate")
        connection.execute("rollback")
    except apsw.BusyError:
        return False
    finally:
        connection.close()
    return True


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_group_that_stood_still_for_longer_than_its_lease_goes_on_together(scene: Scene) -> None:
    """As after the sleep of a host: nobody is declared dead twice, and each job is settled once."""
    group = [scene.process(lease="1s", slots="6").ready() for _ in range(3)]
    made = [tasks.rest.enqueue(scene.marks_path, 0.4) for _ in range(12)]
    until(lambda: len(scene.marks("began")) >= 6)
    standing_still(scene, group)
    time.sleep(1.6)
    for process in group:
        process.signal(signal.SIGCONT)
    rows = [scene.ended(job) for job in made]
    assert {(row.state, row.attempt, row.crashes) for row in rows} == {(State.SUCCEEDED, 0, 0)}
    assert all(row.epoch <= 3 for row in rows)
    assert all(process.lives for process in group)
    until(lambda: len([row for row in scene.store.insights.sessions() if row.live]) == 3)
    assert all(scene.history(job).count("success") == 1 for job in made)
    lost = sum(len(process.told("session.lost")) for process in group)
    assert lost <= 6, "each had one session to lose, and perhaps one more on this host"
    assert tasks.add.enqueue(1, 2).result("10s") == 3


def _clock_of(offset: str) -> dict[str, str]:
    """The environment of a process whose wall clock is wrong. Without the program of that name, which stays in between."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("faketime is not installed")
    return {**os.environ, "LD_PRELOAD": str(libraries[0]), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def test_wrong_clock_of_a_worker_matters_to_nobody(pg_scene: Scene) -> None:
    ahead = pg_scene.process(how={"env": _clock_of("+1h")}, lease="2s", slots="4").ready()
    behind = pg_scene.process(how={"env": _clock_of("-1h")}, lease="2s", slots="4").ready()
    late = tasks.work.options(delay=3).enqueue(pg_scene.marks_path)
    expiring = tasks.add.options(expires=60).enqueue(2, 2)
    long = [tasks.rest.enqueue(pg_scene.marks_path, 2.5) for _ in range(4)]
    flaky = tasks.fail_soon.enqueue(pg_scene.marks_path)
    assert expiring.result("10s") == 4
    rows = [pg_scene.ended(job) for job in long]
    assert {(row.state, row.epoch) for row in rows} == {(State.SUCCEEDED, 1)}, "no lease was lost to a clock"
    assert pg_scene.ended(flaky).attempt == 1
    row = pg_scene.ended(late)
    assert (row.started_at or 0) - row.created_at >= 3_000_000, "it is due by the store's clock"
    for process, hours in ((ahead, 1), (behind, -1)):
        assert process.lives
        assert not process.told("session.lost")
        clock = int(process.told("session.opened")[0]["clock"]) - time.time()
        assert abs(clock - hours * 3600) < 120, "its clock is wrong indeed"


# ── jobs that take the process down ───────────────────────────────────────────────────────────────────────────────────
def test_exit_in_a_thread_is_poison_and_costs_bystanders_nothing(scene: Scene) -> None:
    poison = tasks.leave_by_exit.enqueue(scene.marks_path)
    bystanders = [tasks.rest.enqueue(scene.marks_path, 0.2) for _ in range(6)]
    process, deaths = scene.process(), 0
    limit = time.monotonic() + 30
    while not scene.row(poison).state.ended:
        assert time.monotonic() < limit
        if not process.lives:
            deaths += 1
            process = scene.process()
        time.sleep(0.01)
    assert deaths <= 2, "alone in a child process it takes no worker down any more"
    rows = [scene.ended(job) for job in bystanders]
    assert {(row.state, row.attempt, row.crashes) for row in rows} == {(State.SUCCEEDED, 0, 0)}
    row = scene.row(poison)
    assert (row.state, row.attempt, row.crashes) == (State.DEAD, 0, 3)
    (dead,) = scene.store.insights.dead(DeadFilter())
    assert dead.reason == "poison"
    assert "ended with exit status 0" in dead.error


# ── jobs that do not let go ───────────────────────────────────────────────────────────────────────────────────────────
def test_endless_loop_in_a_thread_keeps_neither_lease_nor_drain_from_working(lite_scene: Scene) -> None:
    process = lite_scene.process(lease="1s", grace="500ms", slots="4")
    endless = [tasks.spin.enqueue(lite_scene.marks_path) for _ in range(2)]
    until(lambda: len(lite_scene.marks("began")) == 2)
    other = tasks.add.enqueue(1, 2)
    assert other.result("10s") == 3
    time.sleep(1.5)
    assert not process.told("session.lost"), "the lease is kept beside jobs that compute"
    process.signal(signal.SIGTERM)
    assert process.ended(15) == 0
    assert {(row.state, row.attempt, row.releases) for row in map(lite_scene.row, endless)} == {(State.READY, 0, 1)}


def test_computing_threads_do_not_cost_the_lease(lite_scene: Scene) -> None:
    lite_scene.process(lease="1s", slots="8").ready()
    made = [tasks.compute.enqueue(lite_scene.marks_path, 2.5) for _ in range(4)]
    rows = [lite_scene.ended(job) for job in made]
    assert {(row.state, row.epoch) for row in rows} == {(State.SUCCEEDED, 1)}


def test_swallowed_cancellation_is_abandoned_and_its_late_end_refused(lite_scene: Scene) -> None:
    worker = lite_scene.worker()
    job = tasks.swallow.enqueue(lite_scene.marks_path, 2.0)
    until(lambda: lite_scene.marks("began"))
    job.cancel("enough", grace=0.2)
    row = lite_scene.ended(job)
    assert (row.state, row.result) == (State.CANCELLED, None)
    assert lite_scene.marks("swallowed")
    assert not lite_scene.marks("ended")
    until(lambda: lite_scene.marks("ended"))
    assert worker.status().abandoned == 1
    assert lite_scene.row(job).state is State.CANCELLED


def test_code_that_holds_the_interpreter_is_killed_in_its_child(lite_scene: Scene) -> None:
    lite_scene.worker(lease="1s")
    job = tasks.sit_on_the_lock.enqueue(lite_scene.marks_path)
    row = lite_scene.ended(job)
    assert (row.state, row.error) == (State.DEAD, "ran into its timeout")
    (mark,) = lite_scene.marks("began")
    until(lambda: not psutil.pid_exists(mark.pid))
    assert not lite_scene.told("session.lost")


def test_code_that_holds_the_interpreter_in_a_thread_costs_the_lease_and_no_attempt(scene: Scene) -> None:
    process = scene.process(lease="1s").ready()
    job = tasks.hold_the_lock.enqueue(scene.marks_path, 2500)
    row = scene.ended(job)
    # Whoever turns first when the lock is free again: the keeper, which gives the job back, or the clerk, which ends it.
    assert (row.state, row.attempt, row.crashes) == (State.SUCCEEDED, 0, 0)
    assert row.epoch in (1, 2)
    until(lambda: process.told("session.lost"))
    assert process.lives


def test_fork_in_a_thread_that_ends_at_once_leaves_the_worker_alone(scene: Scene) -> None:
    process = scene.process(lease="2s", slots="8").ready()
    forking = [tasks.fork_here.enqueue(scene.marks_path, 20) for _ in range(4)]
    others = [tasks.work.enqueue(scene.marks_path) for _ in range(100)]
    rows = [scene.ended(job) for job in (*forking, *others)]
    assert {(row.state, row.epoch) for row in rows} == {(State.SUCCEEDED, 1)}
    assert not process.told("session.lost")
    assert not process.told("worker.defect")


def test_family_that_multiplies_is_gone_with_its_job(lite_scene: Scene) -> None:
    lite_scene.worker()
    job = tasks.multiply.enqueue(lite_scene.marks_path)
    until(lambda: len(lite_scene.marks("bred")) == 12)
    family = {mark.pid for mark in lite_scene.marks()}
    assert lite_scene.ended(job).state is State.DEAD
    until(lambda: not any(map(_lives, family)))


def test_family_of_a_killed_worker_goes_with_it(lite_scene: Scene) -> None:
    process = lite_scene.process()
    tasks.multiply.options(timeout=60).enqueue(lite_scene.marks_path)
    until(lambda: len(lite_scene.marks("bred")) == 12)
    process.kill()
    family = {mark.pid for mark in lite_scene.marks()}
    until(lambda: not any(map(_lives, family)), 5)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_stopped_child_is_killed_by_its_timeout(lite_scene: Scene) -> None:
    lite_scene.worker()
    job = tasks.sleep_apart.enqueue(lite_scene.marks_path)
    until(lambda: lite_scene.marks("began"))
    os.kill(lite_scene.marks("began")[0].pid, signal.SIGSTOP)
    row = lite_scene.ended(job)
    assert (row.state, row.error) == (State.DEAD, "ran into its timeout")


def test_vandal_harms_its_own_child_at_most(lite_scene: Scene) -> None:
    here = os.getcwd()  # noqa: PTH109  that the process's own is unchanged is what is tested
    worker = lite_scene.worker(slots="2")
    assert lite_scene.ended(tasks.vandalise.enqueue(lite_scene.marks_path)).state is State.SUCCEEDED
    assert lite_scene.ended(tasks.sleep_apart.enqueue(lite_scene.marks_path)).error == "ran into its timeout"
    assert tasks.add_apart.enqueue(1, 2).result("10s") == 3
    assert tasks.add.enqueue(1, 2).result("10s") == 3
    assert os.getcwd() == here  # noqa: PTH109
    assert worker.healthy
