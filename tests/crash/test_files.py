"""A SQLite file that many write, that somebody else holds, rebuilds, forbids or fills up."""

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from relet.errors import StoreFull, StoreUnavailable
from relet.job.state import State
from relet.store.open import open_store
from relet.store.port import Store
from tests.crash import tasks
from tests.crash.scene import ROOT, Scene
from tests.support.waiting import until


def produce(url: str, count: int, *prefix: str) -> "subprocess.Popen[str]":
    command = [*prefix, sys.executable, "-m", "tests.crash.produce", url, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def acknowledged(process: "subprocess.Popen[str]") -> list[str]:
    """The ids that it has written, when it has ended well."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.split()


# ── many writers ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_eight_writing_processes_never_hear_that_the_file_is_locked(lite_scene: Scene) -> None:
    workers = [lite_scene.process(lease="5s") for _ in range(2)]
    producers = [produce(lite_scene.url, 40) for _ in range(6)]
    made = [job for producer in producers for job in acknowledged(producer)]
    assert len(set(made)) == 240
    until(lambda: lite_scene.rows("select count(*) from relet.finished") == [(240,)])
    for worker in workers:
        for event in (
            "store.unavailable",
            "store.unknown",
            "store.refused",
            "lease.late",
            "chore.failed",
            "worker.defect",
        ):
            assert not worker.told(event)
    assert lite_scene.rows("select count(*) from relet.attempt") == [(0,)]


@pytest.mark.parametrize("engine", ["sqlite", "sqlite+stdlib"])
@pytest.mark.parametrize("parent", ["keep", "close"])
@pytest.mark.parametrize("child", ["exit", "kill"])
def test_forked_process_loses_no_acknowledged_job(tmp_path: Path, engine: str, parent: str, child: str) -> None:
    """SQLite's idea of who has locked a file is per process, and goes wrong in a fork that goes on with its parent's."""
    url = f"{engine}:///{tmp_path}/jobs.db"
    command = [sys.executable, "-m", "tests.crash.fork", url, parent, child]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert len(ids) == (20 if parent == "keep" else 15)
    with closing(open_store(url)) as store:
        found = store.insights.counts()[State.READY]
    assert found == len(ids), "acknowledged jobs are gone"


def test_processes_that_make_the_file_at_once_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    producers = [produce(url, 3) for _ in range(5)]
    made = [job for producer in producers for job in acknowledged(producer)]
    with closing(open_store(url)) as store:
        assert store.insights.counts()[State.READY] == len(set(made)) == 15


_DIES_WHILE_IT_MAKES_THE_FILE = """
import os, sys
from relet.store.open import open_store
from relet.store.sqlite.driver import ApswDriver

execute, left = ApswDriver.execute, [int(sys.argv[2])]

def counted(self, sql, values=()):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
    return execute(self, sql, values)

ApswDriver.execute = counted
open_store(sys.argv[1])
"""


@pytest.mark.parametrize("statement", [8, 13, 20, 35])
def test_process_that_dies_while_it_makes_the_file_leaves_it_to_the_next(tmp_path: Path, statement: int) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    died = subprocess.run([sys.executable, "-c", _DIES_WHILE_IT_MAKES_THE_FILE, url, str(statement)], check=False)
    assert died.returncode == -signal.SIGKILL
    made = acknowledged(produce(url, 2))
    with closing(open_store(url)) as store:
        assert store.insights.counts()[State.READY] == len(made) == 2


# ── others at the file ────────────────────────────────────────────────────────────────────────────────────────────────
def test_reader_that_holds_a_snapshot_is_in_nobodys_way(lite_scene: Scene) -> None:
    file = lite_scene.url.removeprefix("sqlite:///")
    tasks.add.enqueue(1, 1)
    with closing(apsw.Connection(file)) as reader:
        reader.execute("begin")
        (before,) = reader.execute("select count(*) from relet_job").fetchall()
        worker = lite_scene.worker(slots="50", lease="2s")
        for _ in range(10):
            tasks.app.enqueue_many(tasks.add.call(n, 1) for n in range(200))
        until(lambda: worker.status().jobs_completed == 2001)
        assert not lite_scene.told("lease.late")
        assert reader.execute("select count(*) from relet_job").fetchall() == [before]
        grown = Path(f"{file}-wal").stat().st_size
    tasks.app.enqueue_many(tasks.add.call(n, 1) for n in range(500))
    until(lambda: worker.status().jobs_completed == 2501)
    assert Path(f"{file}-wal").stat().st_size <= max(grown, 8_000_000), "the log is used again when the reader has gone"


_REBUILD = """
import sys, time, apsw
connection = apsw.Connection(sys.argv[1])
connection.set_busy_timeout(30000)
for _ in range(6):
    connection.execute("vacuum")
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    time.sleep(0.05)
connection.execute("vacuum into ?", (sys.argv[1] + ".copy",))
"""


def test_other_programs_may_rebuild_and_copy_the_file(lite_scene: Scene) -> None:
    file = lite_scene.url.removeprefix("sqlite:///")
    tasks.app.enqueue_many(tasks.add.call(n, 1) for n in range(2000))
    worker = lite_scene.worker(lease="2s", slots="20")
    other = subprocess.Popen([sys.executable, "-c", _REBUILD, file], stderr=subprocess.PIPE, text=True)
    made = 0
    while other.poll() is None:
        tasks.add.enqueue(1, 1)
        made += 1
    assert other.communicate()[1] == ""
    until(lambda: worker.status().jobs_completed == 2000 + made)
    for event in ("session.lost", "worker.defect", "store.refused", "job.fenced"):
        assert not lite_scene.told(event)
    with closing(open_store(f"sqlite:///{file}.copy")) as copy:
        assert copy.insights.counts()[State.SUCCEEDED] >= 0, "a copy is a store"


def test_transaction_that_another_program_holds_open_is_waited_for(lite_scene: Scene) -> None:
    lite_scene.worker(lease="2s")
    job = tasks.rest.enqueue(lite_scene.marks_path, 0.2)
    until(lambda: lite_scene.marks("began"))
    with closing(apsw.Connection(lite_scene.url.removeprefix("sqlite:///"))) as other:
        other.set_busy_timeout(5000)
        other.execute("begin immediate")
        answered = threading.Event()
        enqueue = threading.Thread(target=lambda: (tasks.add.enqueue(1, 1), answered.set()))
        enqueue.start()
        time.sleep(1.0)
        assert not answered.is_set()
        other.execute("rollback")
    enqueue.join(10)
    assert answered.is_set()
    row = lite_scene.ended(job)
    assert (row.state, row.epoch, row.attempt) == (State.SUCCEEDED, 1, 0)


# ── no writing ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_file_that_must_not_be_written_is_refused_in_clear_words(small_disk: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{small_disk}/jobs.db"
    scene = Scene("sqlite", url, tmp_path)
    try:
        tasks.add.enqueue(1, 2)
        tasks.app.close()
        scene.store.close()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(StoreUnavailable, match="Nothing was written"):
            tasks.add.enqueue(1, 2)
        began = time.process_time()
        worker = scene.command("worker", "-A", "tests.crash.tasks:app", "--url", url, "--patience", "1s")
        assert worker.ended() == 5
        assert time.process_time() - began < 1
        assert "Traceback" not in "\n".join(worker.said())
        assert len(worker.said()) < 12
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        assert scene.rows("select count(*) from relet.job") == [(1,)]
    finally:
        scene.close()


# ── no room ───────────────────────────────────────────────────────────────────────────────────────────────────────────
class Capped:
    """An employer whose stores may not grow beyond the pages that they have, until told otherwise."""

    def __init__(self) -> None:
        self.pages = 2**30

    def __getattr__(self, name: str) -> Any:
        return getattr(tasks.app, name)

    def open_store(self) -> Any:
        return _CappedStore(tasks.app.open_store(), self)


class _CappedStore:
    def __init__(self, store: Store, employer: Capped) -> None:
        self._store = store
        self._employer = employer

    def __getattr__(self, name: str) -> Any:
        self._store._link.driver.execute(f"pragma max_page_count = {self._employer.pages}")  # type: ignore[attr-defined]
        return getattr(self._store, name)


def test_full_file_refuses_jobs_and_keeps_what_has_ended_until_there_is_room(lite_scene: Scene) -> None:
    employer = Capped()
    lite_scene.worker(employer, lease="10s")
    waiting = [tasks.fetch.enqueue(lite_scene.marks_path, 0.5, 100_000) for _ in range(5)]
    until(lambda: len(lite_scene.marks("began")) == 5)
    employer.pages = 1  # SQLite makes that as many as there are: the file cannot grow
    with closing(employer.open_store()) as store, pytest.raises(StoreFull, match="Make room"):
        any(store.enqueue([_job(n)]) is None for n in range(5000))
    before = lite_scene.rows("select count(*) from relet.job")
    until(lambda: len(lite_scene.marks("ended")) == 5)
    until(lambda: lite_scene.told("store.full"))
    employer.pages = 2**30
    rows = [lite_scene.ended(job) for job in waiting]
    assert {(row.state, row.epoch, row.attempt) for row in rows} == {(State.SUCCEEDED, 1, 0)}
    assert len(lite_scene.marks("ended")) == 5, "nothing ran twice"
    assert lite_scene.rows("select count(*) from relet.job") == before


def _job(n: int) -> Any:
    from relet.job.job import NewJob

    return NewJob(n.to_bytes(16, "big"), "nobody.knows", args="{" + f'"n":"{"x" * 2000}"' + "}")


def test_full_disk_loses_nothing_and_is_waited_out(small_disk: Path, tmp_path: Path) -> None:
    scene = Scene("sqlite", f"sqlite:///{small_disk}/jobs.db", tmp_path)
    try:
        scene.worker(lease="20s")
        waiting = [tasks.rest.enqueue(scene.marks_path, 0.5) for _ in range(5)]
        until(lambda: len(scene.marks("began")) == 5)
        _fill(small_disk / "filler")
        made: list[Any] = []
        with pytest.raises((StoreFull, StoreUnavailable)) as refusal:
            made.extend(tasks.add.enqueue(n, 1) for n in range(5000))
        assert isinstance(refusal.value, StoreFull), refusal.value
        until(lambda: len(scene.marks("ended")) == 5)
        (small_disk / "filler").unlink()
        after = tasks.add.enqueue(1, 2)
        rows = [scene.ended(job) for job in (*waiting, *made, after)]
        assert {(row.state, row.attempt, row.crashes) for row in rows} == {(State.SUCCEEDED, 0, 0)}
        assert not scene.told("worker.defect")
        assert scene.rows("pragma integrity_check") == [("ok",)]
    finally:
        scene.close()
    scene.check()


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            return


# ── power ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_job_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    """Between two acknowledgements the file was synced."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    url = f"sqlite:///{tmp_path}/jobs.db"
    asked = (strace, "-f", "-s", "99", "-o", str(trace), "-e", "trace=fsync,fdatasync,write")
    process = produce(url, 5, *asked)
    out, err = process.communicate(timeout=60)
    if process.returncode != 0 and "ptrace" in err:
        pytest.skip(f"strace may not trace here: {err.strip()}")
    assert process.returncode == 0, err
    story = "".join(_letters(trace.read_text(), out.split()))
    assert story.count("A") == 5, story
    assert re.fullmatch("(S+A){5}S*", story), f"an acknowledgement without a sync before it: {story}"


def _letters(trace: str, ids: list[str]) -> list[str]:
    """S for a sync that succeeded, A for an acknowledgement."""
    letters: list[str] = []
    for line in trace.splitlines():
        if re.search(r"(fsync|fdatasync).*= 0$", line):
            letters.append("S")
        elif "write(1, " in line and any(one in line for one in ids):
            letters.append("A")
    return letters
