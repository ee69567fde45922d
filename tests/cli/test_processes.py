"""Real processes: a worker is started, used, signalled and reloaded as people do it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until

RELET = [sys.executable, "-m", "relet"]
PATIENCE = 30.0

TASKS = """
from relet import App, Context
import time

app = App()


@app.task
async def greet(name: str) -> str:
    return f"hello {name}"


@app.task
def slow(ctx: Context, seconds: float) -> str:
    open("started", "w").close()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
        ctx.raise_if_cancelled()
    return "done"


@app.task(retry=1)
def fail() -> None:
    raise ValueError("boom")
"""


class Place:
    """A directory with an app, and the processes that a test starts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[str]] = []
        known = ("RELET_", "WORKER_", "MAX_CONCURRENT_JOBS")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(known)}
        (folder / "tasks.py").write_text(TASKS)

    def run(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*RELET, *argv],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *argv: str, ready: bool = True, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*RELET, *argv], cwd=self.folder, env={**self.env, **env}, stderr=subprocess.PIPE, text=True
        )
        self.running.append(process)
        if ready:
            read_until(process, "is ready")
        return process

    def wait_for(self, file: str) -> None:
        until((self.folder / file).exists, PATIENCE)

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.communicate(timeout=PATIENCE)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What the process says up to a line with these words."""
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return "".join(said)
    raise AssertionError(f"it ended without saying {words!r}:\n{''.join(said)}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status, and what it still said."""
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def test_init_worker_and_enqueue_work_together(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "tasks.py").unlink()
    try:
        assert place.run("init").returncode == 0
        worker = place.start("worker")
        done = place.run("enqueue", "greet", "name=World", "--wait", "--timeout", "20s")
        assert (done.returncode, done.stdout) == (0, "Hello, World!\n")
        done = place.run("enqueue", "count_words", "text=a b c", "--wait", "--timeout", "20s", "--json")
        assert json.loads(done.stdout)["result"] == 3
        worker.send_signal(signal.SIGTERM)
        assert ended(worker)[0] == 0
        assert json.loads(place.run("workers", "ls", "--json").stdout)["workers"] == []
    finally:
        place.close()


def test_the_same_on_postgres_by_changing_the_url_alone(place: Place, pg_url: str) -> None:
    assert place.run("enqueue", "greet", "Ann", RELET_URL=pg_url).returncode == 4  # not migrated yet
    assert place.run("migrate", RELET_URL=pg_url).returncode == 0
    worker = place.start("worker", RELET_URL=pg_url)
    done = place.run("enqueue", "greet", "Ann", "--wait", "--timeout", "20s", RELET_URL=pg_url)
    assert (done.returncode, done.stdout) == (0, "hello Ann\n")
    worker.send_signal(signal.SIGTERM)
    assert ended(worker)[0] == 0


def test_the_first_signal_drains_and_ends_with_0(place: Place) -> None:
    worker = place.start("worker")
    job_id = place.run("enqueue", "slow", "1").stdout.strip()
    place.wait_for("started")
    worker.send_signal(signal.SIGTERM)
    status, said = ended(worker)
    assert status == 0
    assert "draining" in said
    job = json.loads(place.run("jobs", "show", job_id, "--json").stdout)["job"]
    assert (job["state"], job["result"]) == ("succeeded", "done")


def test_the_second_signal_gives_back_what_runs_at_no_cost(place: Place) -> None:
    worker = place.start("worker", "--grace", "60s")
    job_id = place.run("enqueue", "slow", "60").stdout.strip()
    place.wait_for("started")
    worker.send_signal(signal.SIGINT)
    read_until(worker, "Again: give it back now")
    worker.send_signal(signal.SIGINT)
    status, said = ended(worker)
    assert status == 130
    assert "given back" in said
    job = json.loads(place.run("jobs", "show", job_id, "--json").stdout)["job"]
    assert (job["state"], job["failed_attempts"], job["crashes"], job["releases"]) == ("ready", 0, 0, 1)


def test_the_third_signal_kills(place: Place) -> None:
    worker = place.start("worker", "--grace", "60s")
    place.run("enqueue", "slow", "60")
    place.wait_for("started")
    worker.send_signal(signal.SIGTERM)
    read_until(worker, "Again: give it back now")
    worker.send_signal(signal.SIGSTOP)  # else it might have given everything back before the third one comes
    until(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED)  # a signal after it may overtake it
    for again in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        worker.send_signal(again)
    status, said = ended(worker)
    assert status == -signal.SIGKILL
    assert "Again: end at once" in said


def test_a_worker_that_is_asked_to_drain_ends_with_0(place: Place) -> None:
    worker = place.start("worker", WORKER_ID="w-1")
    assert place.run("workers", "drain", "w-1").returncode == 0
    assert ended(worker)[0] == 0


def test_a_failed_job_ends_the_wait_with_1(place: Place) -> None:
    place.start("worker")
    done = place.run("enqueue", "fail", "--wait", "--timeout", "20s")
    assert done.returncode == 1
    assert "ValueError: boom" in done.stderr
    assert "relet dead show" in done.stderr


def test_run_once_works_off_what_is_ready_and_ends(place: Place) -> None:
    place.run("migrate")
    for n in range(3):
        place.run("enqueue", "greet", str(n))
    done = place.run("run", "--once", "--json")
    assert (done.returncode, json.loads(done.stdout)["failed"]) == (0, 0)
    counts = json.loads(place.run("status", "--json").stdout)["counts"]
    assert (counts["succeeded"], counts["ready"]) == (3, 0)
    place.run("enqueue", "fail")
    assert place.run("run", "--once").returncode == 1


def test_a_dangerous_setting_stops_a_worker_before_it_starts(place: Place) -> None:
    done = place.run("worker", RELET_HEARTBEAT="60s")
    assert done.returncode == 2
    assert "RELET_HEARTBEAT" in done.stderr
    assert "third of the lease" in done.stderr
    assert not (place.folder / "relet.db").exists()


def test_a_store_that_cannot_be_reached_ends_with_5(place: Place) -> None:
    url = "postgresql://ann:geheim@127.0.0.1:1/none"
    for argv in (("jobs", "ls"), ("enqueue", "greet", "x"), ("worker", "--patience", "0"), ("status",)):
        done = place.run(*argv, RELET_URL=url)
        assert done.returncode == 5, done
        assert "geheim" not in done.stderr
        assert "Traceback" not in done.stderr


def test_json_log_lines_are_json(place: Place) -> None:
    worker = place.start("worker", "--log-format", "json", "--quiet")
    worker.send_signal(signal.SIGTERM)
    status, said = ended(worker)
    assert status == 0
    assert [json.loads(line)["event"] for line in said.splitlines()]


def test_a_changed_file_starts_the_worker_anew(place: Place) -> None:
    worker = place.start("worker", "--reload")
    source = place.folder / "tasks.py"
    source.write_text(TASKS.replace("hello", "good morning"))
    read_until(worker, "starting the worker anew")
    read_until(worker, "is ready")
    done = place.run("enqueue", "greet", "Ann", "--wait", "--timeout", "20s")
    assert done.stdout == "good morning Ann\n"
    worker.send_signal(signal.SIGTERM)
    assert ended(worker)[0] == 0


def test_top_draws_on_a_terminal_obeys_keys_and_gives_it_back(place: Place) -> None:
    place.run("migrate")
    job_id = place.run("enqueue", "greet", "x").stdout.strip()
    master, slave = pty.openpty()
    env = {**place.env, "TERM": "xterm", "COLUMNS": "100"}
    top = subprocess.Popen([*RELET, "top"], cwd=place.folder, env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        screen_until(master, "no worker is running")
        os.write(master, b"gj")
        assert job_id[:18] in screen_until(master, job_id)
        os.write(master, b"c")
        screen_until(master, "press y")
        os.write(master, b"y")
        screen_until(master, "cancelled")
        os.write(master, b"q")
        assert "\x1b[?1049l" in screen_until(master, "\x1b[?1049l")
        assert top.wait(PATIENCE) == 0
    finally:
        top.kill()
        top.wait(PATIENCE)
        os.close(master)


def screen_until(master: int, words: str) -> str:
    """What is written to the terminal, up to these words."""
    said = ""
    end = time.monotonic() + PATIENCE
    while words not in said:
        assert time.monotonic() < end, f"no {words!r} in {said[-2000:]!r}"
        if select.select([master], [], [], 0.1)[0]:
            said += os.read(master, 65536).decode(errors="replace")
    return said


def test_top_off_a_terminal_prints_one_picture(place: Place) -> None:
    place.run("migrate")
    done = place.run("top")
    assert done.returncode == 0
    assert "0 ready" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_name_that_is_no_text_is_refused_without_a_traceback(place: Place) -> None:
    raw = subprocess.run(
        [*RELET, "queues", "pause", b"a\xff"],
        cwd=place.folder,
        env=place.env,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert raw.returncode in (2, 5)
    assert b"Traceback" not in raw.stderr
    assert place.run("worker", "-A", "a\x1b[2J").returncode in (2, 3)
