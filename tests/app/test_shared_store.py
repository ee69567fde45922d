"""Callers that meet share a commit, and nothing else."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relet import App
from relet.clock import Ids
from relet.errors import Contended, OutcomeUnknown, Refused, StoreFull, StoreUnavailable, Unconfirmed, UniqueConflict
from relet.job.job import NewJob, Options
from relet.store import shared as shared_module
from relet.store.open import open_store
from relet.store.port import Enqueued, Store
from relet.store.shared import SharedStore

IDS = Ids()


def job(key: str | None = None) -> NewJob:
    return NewJob(IDS.job(), "t", "default", options=Options(unique=key), on_conflict="raise")


class Watched:
    """A real store that notes how many jobs each enqueue has, and can lose its answers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.sizes: list[int] = []
        self.lost_answers = 0
        self.away = 0
        self.then: list[Exception] = []
        """What it says after an answer was lost, one by one."""

    def enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        self.sizes.append(len(jobs))
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        if not self.lost_answers and self.then:
            raise self.then.pop(0)
        answers = self._store.enqueue(jobs)
        if self.lost_answers:
            self.lost_answers -= 1
            raise OutcomeUnknown("lost")
        return answers

    def close(self) -> None:
        self._store.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(open_store(f"sqlite:///{tmp_path}/jobs.db"))


@pytest.fixture
def shared(watched: Watched):
    made = SharedStore(lambda: watched)  # type: ignore[arg-type, return-value]
    yield made
    made.close()


def together(shared: SharedStore, batches: Sequence[Sequence[NewJob]]) -> list:
    """What each caller gets when all come while the connection is busy."""
    with ThreadPoolExecutor(len(batches)) as pool:
        with shared.use():
            calls = [pool.submit(shared.enqueue, batch) for batch in batches]
            line = shared._room().line
            while len(line) < len(batches):
                threading.Event().wait(0.001)
        return [call.exception() or call.result() for call in calls]


def stored(watched: Watched) -> int:
    return sum(watched.insights.counts().values())  # type: ignore[attr-defined]


def test_callers_that_come_together_share_one_commit(shared: SharedStore, watched: Watched) -> None:
    batches = [[job()], [job(), job()], [job()]]
    answers = together(shared, batches)
    assert answers == [[Enqueued(j.id, True) for j in batch] for batch in batches]
    assert watched.sizes == [4]


def test_one_that_is_refused_does_not_harm_the_others(shared: SharedStore, watched: Watched) -> None:
    shared.enqueue([job("taken")])
    good, other = job(), job("free")
    answers = together(shared, [[good], [job("taken")], [other]])
    assert (answers[0], answers[2]) == ([Enqueued(good.id, True)], [Enqueued(other.id, True)])
    assert isinstance(answers[1], UniqueConflict)
    assert stored(watched) == 3


def test_a_store_that_is_away_fails_all_who_wait_each_with_its_own_error(shared: SharedStore, watched: Watched) -> None:
    watched.away = 1
    answers = together(shared, [[job()], [job()]])
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
    assert answers[0] is not answers[1]
    assert stored(watched) == 0
    shared.enqueue([job()])
    assert stored(watched) == 1


def test_an_answer_that_was_lost_is_asked_for_again_and_makes_no_second_job(
    shared: SharedStore, watched: Watched
) -> None:
    watched.lost_answers = 2
    mine = job("key")
    assert shared.enqueue([mine]) == [Enqueued(mine.id, True)]
    assert (len(watched.sizes), stored(watched)) == (3, 1)


def test_an_answer_that_stays_lost_is_told(
    shared: SharedStore, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_module, "REPEATS_US", (1, 1))
    watched.lost_answers = 3
    with pytest.raises(OutcomeUnknown):
        shared.enqueue([job()])
    assert not shared._room().line


@pytest.mark.parametrize("said", [Contended("busy"), StoreFull("full"), StoreUnavailable("away")])
def test_after_a_lost_answer_nobody_is_told_that_nothing_was_written(
    shared: SharedStore, watched: Watched, monkeypatch: pytest.MonkeyPatch, said: Exception
) -> None:
    monkeypatch.setattr(shared_module, "REPEATS_US", (1, 1))
    watched.lost_answers, watched.then = 1, [said, said]
    with pytest.raises(OutcomeUnknown, match="makes another job"):
        shared.enqueue([job()])
    assert stored(watched) == 1


def test_after_a_lost_answer_a_closed_queue_does_not_prove_that_nothing_was_written(
    shared: SharedStore, watched: Watched
) -> None:
    watched.lost_answers, watched.then = 1, [Refused("closed. Nothing was enqueued.")]
    with pytest.raises(OutcomeUnknown) as told:
        shared.enqueue([job()])
    assert isinstance(told.value.__cause__, Refused)
    assert stored(watched) == 1


def test_after_a_lost_answer_a_busy_store_is_asked_again(shared: SharedStore, watched: Watched) -> None:
    watched.lost_answers, watched.then = 1, [Contended("these jobs are being enqueued by another call")]
    mine = job()
    assert shared.enqueue([mine]) == [Enqueued(mine.id, True)]
    assert stored(watched) == 1


def test_a_commit_that_no_standby_confirmed_is_told_also_after_a_lost_answer(
    shared: SharedStore, watched: Watched
) -> None:
    watched.lost_answers, watched.then = 1, [Unconfirmed("not confirmed")]
    with pytest.raises(Unconfirmed):
        shared.enqueue([job()])


def test_a_caller_who_was_interrupted_leaves_the_line(shared: SharedStore, watched: Watched) -> None:
    watched.enqueue = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        shared.enqueue([job()])
    del watched.enqueue
    shared.enqueue([job()])
    assert stored(watched) == 1


def interrupted(jobs: Sequence[NewJob]) -> list[Enqueued]:
    raise KeyboardInterrupt


def test_a_long_line_is_parted_but_never_one_callers_jobs(shared: SharedStore, watched: Watched) -> None:
    batches = [[job() for _ in range(1_500)], [job() for _ in range(900)], [job() for _ in range(5_000)]]
    answers = together(shared, batches)
    assert sorted(len(answer) for answer in answers) == [900, 1_500, 5_000]
    assert sum(watched.sizes) == 7_400
    assert len(watched.sizes) == 3


def test_a_forked_child_opens_a_store_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    shared = SharedStore(lambda: open_store(url))
    shared.enqueue([job()])
    with shared.use():  # the child must not wait for this lock, which nobody releases there
        child = os.fork()
        if child == 0:
            status = 1
            try:
                shared.enqueue([job()])
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
    with shared.use() as store:
        assert sum(store.insights.counts().values()) == 2
    shared.close()


def test_an_app_that_nobody_closed_lets_go_of_its_store(tmp_path: Path) -> None:
    app = App(f"sqlite+stdlib:///{tmp_path}/jobs.db").open()
    asyncio.run(app.threads.run(lambda: None))
    seen, shared = weakref.ref(app), app.shared
    assert shared._room().store is not None
    del app
    gc.collect()
    assert seen() is None
    assert shared._room().store is None


def test_an_end_of_the_program_waits_for_no_thread_that_hangs(tmp_path: Path) -> None:
    program = """
import threading
from relet import App
app = App("sqlite:///jobs.db").open()
held = threading.Event()
def hang():
    with app.shared.use():
        held.set()
        threading.Event().wait()
threading.Thread(target=hang, daemon=True).start()
held.wait()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, check=True, timeout=30)
