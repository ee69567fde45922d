"""A process dies at a named boundary, and another one finds everything in order: in both places or in none, never."""

import signal
from typing import Any

import pytest

from relet.job.state import State
from tests.crash import tasks
from tests.crash.scene import Scene
from tests.support.waiting import until


def died(scene: Scene, point: str, **given: str) -> None:
    """A worker process that meets its end at this point."""
    process = scene.process(point=point, **given)
    assert process.ended() == -signal.SIGKILL


def written(scene: Scene, when: str) -> bool:
    """Whether what was to be written by the call in which the process died was written.

    Inside: SQLite undoes it. On PostgreSQL the statement is on its way, and the server carries it out."""
    return when == "after" or (when == "inside" and scene.engine == "postgres")


def settled_inside(scene: Scene, when: str) -> bool:
    """The same for a settle that takes several statements: until the commit is sent, it is undone everywhere."""
    return when == "after"


# ── the claim ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_worker_that_dies_in_a_claim_costs_its_job_nothing(scene: Scene, when: str) -> None:
    job = tasks.work.enqueue(scene.marks_path)
    died(scene, f"turn:{when}:claim")
    if scene.engine == "postgres":
        until(lambda: not _others_are_busy(scene))
    claimed = written(scene, when)
    row = scene.row(job)
    assert (row.state, row.epoch) == ((State.RUNNING, 1) if claimed else (State.READY, 0))
    assert scene.marks() == []
    scene.worker()
    row = scene.ended(job)
    assert (row.state, row.epoch, row.attempt, row.crashes) == (State.SUCCEEDED, 1 + claimed, 0, 0)
    assert scene.history(job)[:-1] == ["lost"] * claimed
    assert len(scene.marks("ended")) == 1


def _others_are_busy(scene: Scene) -> bool:
    """Whether the server still carries out what a dead client has asked for."""
    sql = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'"
    return int(scene.rows(f"{sql} and pid <> pg_backend_pid()")[0][0]) > 0


# ── the body ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("where", ["before", "behind"])
def test_job_whose_worker_died_in_its_body_runs_again_under_the_same_key(scene: Scene, where: str) -> None:
    job = tasks.aim.enqueue(scene.marks_path, where)
    assert scene.process().ended() == -signal.SIGKILL
    scene.worker()
    row = scene.ended(job)
    assert (row.state, row.epoch, row.attempt, row.crashes) == (State.SUCCEEDED, 2, 0, 0)
    effects = [mark for mark in scene.marks() if mark.word.startswith("effect")]
    assert [mark.epoch for mark in effects] == ([2] if where == "before" else [1, 2])
    assert {mark.word for mark in effects} == {f"effect:{job.id}"}


# ── the end of a run ──────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_success_is_written_once_or_run_again(scene: Scene, when: str) -> None:
    job = tasks.work.enqueue(scene.marks_path)
    died(scene, f"turn:{when}:success")
    if scene.engine == "postgres":
        until(lambda: not _others_are_busy(scene))
    done = written(scene, when)
    assert (scene.row(job).state is State.SUCCEEDED) == done
    scene.worker()
    assert tasks.add.enqueue(1, 2).result("10s") == 3
    row = scene.ended(job)
    assert (row.state, row.epoch, row.attempt) == (State.SUCCEEDED, 1 if done else 2, 0)
    assert len(scene.marks("ended")) == (1 if done else 2)


@pytest.mark.parametrize("when", ["inside", "after"])
def test_failure_counts_once_and_keeps_its_delay(scene: Scene, when: str) -> None:
    job = tasks.fail.enqueue(scene.marks_path)
    died(scene, f"turn:{when}:retry")
    done = settled_inside(scene, when)
    scene.worker()
    until(lambda: scene.row(job).state is State.SCHEDULED)
    row = scene.row(job)
    assert (row.epoch, row.attempt, row.crashes) == (1 if done else 2, 1, 0)
    assert scene.history(job) == (["failure"] if done else ["lost", "failure"])
    assert row.run_at is not None
    assert row.run_at > scene.store.now() + 500_000_000
    assert len(scene.marks("began")) == (1 if done else 2)


@pytest.mark.parametrize("when", ["inside", "after"])
def test_dead_letter_is_made_once(scene: Scene, when: str) -> None:
    job = tasks.fail_for_good.enqueue(scene.marks_path)
    died(scene, f"turn:{when}:dead")
    done = settled_inside(scene, when)
    dead = scene.rows("select count(*) from relet.dead")[0][0]
    running = scene.held()
    assert (dead, running) == ((1, 0) if done else (0, 1))
    scene.worker()
    row = scene.ended(job)
    assert (row.state, row.epoch, row.attempt, row.crashes) == (State.DEAD, 1 if done else 2, 1, 0)


@pytest.mark.parametrize("when", ["inside", "after"])
@pytest.mark.parametrize(
    ("task", "about", "state"),
    [(tasks.snooze, "snooze", State.SCHEDULED), (tasks.give_up, "cancel", State.CANCELLED)],
)
def test_other_ends_are_written_once_too(scene: Scene, task: Any, about: str, state: State, when: str) -> None:
    job = task.enqueue(scene.marks_path)
    died(scene, f"turn:{when}:{about}")
    done = settled_inside(scene, when)
    assert (scene.row(job).state is state) == done
    scene.worker()
    until(lambda: scene.row(job).state is not State.RUNNING and scene.row(job).epoch > (not done))
    until(lambda: scene.row(job).state in (state, State.SUCCEEDED))
    assert scene.row(job).attempt == 0


@pytest.mark.parametrize("when", ["inside", "after"])
def test_effect_in_the_store_happens_exactly_once(scene: Scene, when: str) -> None:
    scene.rows("create table effect (job text, epoch integer)")
    job = tasks.pay.enqueue(scene.marks_path)
    died(scene, f"effects:{when}")
    done = settled_inside(scene, when)
    scene.worker()
    row = scene.ended(job)
    assert (row.state, row.epoch) == (State.SUCCEEDED, 1 if done else 2)
    assert scene.rows("select job, epoch from effect") == [(str(job.id), row.epoch)]


def test_what_a_run_has_said_is_there_as_soon_as_its_effects_are(scene: Scene) -> None:
    scene.rows("create table effect (job text, epoch integer)")
    job = tasks.pay.enqueue(scene.marks_path)
    died(scene, "effects:after")
    lines = scene.store.insights.logs(job.id.bytes, (0, 0), 10)
    assert [(line.epoch, line.message) for line in lines] == [(1, "about to pay"), (1, "paid")]
    assert [(used.kind, used.amount) for used in scene.store.insights.usage(job.id.bytes)] == [("cents", "5")]


# ── who tidies ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("verb", "when"), [("reclaim", "inside"), ("reclaim_expired", "inside"), ("reclaim_expired", "after")]
)
def test_rescuer_that_dies_leaves_the_rescue_to_the_next(scene: Scene, verb: str, when: str) -> None:
    jobs = [tasks.rest.enqueue(scene.marks_path, 0.2) for _ in range(5)]
    # Where locks cannot tell, because the rescuers look in another directory, the lease does.
    elsewhere = {} if verb == "reclaim" else {"lock_dir": str(scene.folder / "elsewhere")}
    died(scene, "turn:after:claim", lease="1s", **elsewhere)
    assert scene.held() == 5
    died(scene, f"{verb}:{when}:found" if when == "after" else f"{verb}:{when}", lease="30s" if not elsewhere else "1s")
    scene.worker(lease="2s")
    rows = [scene.ended(job) for job in jobs]
    assert {(row.state, row.attempt, row.crashes) for row in rows} == {(State.SUCCEEDED, 0, 0)}
    assert all(scene.history(job)[0] == "lost" for job in jobs)


@pytest.mark.parametrize("when", ["inside", "after"])
def test_scheduled_jobs_become_ready_once(scene: Scene, when: str) -> None:
    jobs = [tasks.work.options(delay=0.01).enqueue(scene.marks_path) for _ in range(5)]
    died(scene, f"promote:{when}:found")
    scene.worker()
    assert {scene.ended(job).state for job in jobs} == {State.SUCCEEDED}


@pytest.mark.parametrize("when", ["inside", "after"])
def test_worker_that_dies_while_it_says_goodbye_leaves_nothing_held(scene: Scene, when: str) -> None:
    job = tasks.rest.enqueue(scene.marks_path, 60)
    process = scene.process(point=f"end_session:{when}", grace="100ms")
    until(lambda: scene.marks("began"))
    process.signal(signal.SIGTERM)
    assert process.ended() == -signal.SIGKILL
    scene.worker()
    until(lambda: len(scene.marks("began")) == 2)
    row = scene.row(job)
    assert (row.epoch, row.attempt, row.crashes, row.releases) == (2, 0, 0, 1)


def test_worker_killed_during_its_drain_costs_its_jobs_nothing(scene: Scene) -> None:
    job = tasks.rest.enqueue(scene.marks_path, 3)
    process = scene.process(grace="60s")
    until(lambda: scene.marks("began"))
    process.signal(signal.SIGTERM)
    until(lambda: process.told("worker.draining"))
    process.kill()
    scene.worker()
    until(lambda: len(scene.marks("began")) == 2)
    row = scene.row(job)
    assert (row.epoch, row.attempt, row.crashes) == (2, 0, 0)


# ── a signal in the middle of something ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("point", ["turn:after:claim", "turn:before:success", "renew:before", "open_session:after"])
def test_sigterm_at_any_moment_ends_the_worker_in_good_order(scene: Scene, point: str) -> None:
    jobs = [tasks.rest.enqueue(scene.marks_path, 0.1) for _ in range(6)]
    verb, when, about = (*point.split(":"), "")[:3]
    process = scene.process(point=f"{verb}:{when}:{about}:term", slots="2", lease="1s")
    assert process.ended() == 0
    assert scene.held() == 0
    assert not scene.store.insights.sessions()
    rows = [scene.row(job) for job in jobs]
    assert {row.state for row in rows} <= {State.READY, State.SUCCEEDED}
    assert all((row.attempt, row.crashes) == (0, 0) for row in rows)
    assert len(scene.marks("ended")) == sum(row.state is State.SUCCEEDED for row in rows), "what was begun was finished"
