"""The tutorial, done as its reader does it: real processes, a real kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.docs.pages import ROOT, blocks_of

SECONDS = 60


def relet(folder: Path, *words: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "relet", *words],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def worker(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that lives as long as the block, unless it is killed."""
    command = [sys.executable, "-m", "relet", "worker", "--worker", name]
    with subprocess.Popen(command, cwd=folder, env=_environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("RELET_", "WORKER_"))}


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds as soon as it finds something."""
    end = monotonic() + SECONDS
    while not (found := look()):
        assert monotonic() < end, "nothing happened"
        sleep(0.1)
    return found


def leases(folder: Path, worker_name: str) -> list[dict[str, Any]]:
    held = json.loads(relet(folder, "leases", "--json"))["leases"]
    return [lease for lease in held if lease["worker"] == worker_name]


def test_a_reader_of_the_tutorial_sees_a_killed_worker_s_job_run_again(tmp_path: Path) -> None:
    relet(tmp_path, "init")
    page = blocks_of(ROOT / "docs" / "tutorial.md")
    tasks = next(block.text for block in page if block.file == "tasks.py")
    (tmp_path / "tasks.py").write_text(tasks.replace("time.sleep(1)", "time.sleep(0.6)"), "utf-8")

    with worker(tmp_path, "first") as first:
        job_id = relet(tmp_path, "enqueue", "send_invoice", "order_id=9").strip()
        until(lambda: leases(tmp_path, "first"))
        first.send_signal(signal.SIGKILL)
        first.wait(SECONDS)
        assert leases(tmp_path, "first"), "nobody is there to take it back"

    with worker(tmp_path, "second") as second:
        began = monotonic()
        (lease,) = until(lambda: leases(tmp_path, "second"))
        assert lease["claim"] == 2
        assert monotonic() - began < 30, "it did not wait for the lease of 90 seconds"
        until(lambda: '"succeeded"' in relet(tmp_path, "jobs", "show", job_id, "--json"))
        second.send_signal(signal.SIGINT)
        assert second.wait(SECONDS) == 0

    shown = json.loads(relet(tmp_path, "jobs", "show", job_id, "--json"))
    assert shown["job"]["result"] == "invoice 9"
    assert shown["job"]["failed_attempts"] == 0
    assert [(attempt["outcome"], attempt["worker"]) for attempt in shown["attempts"]] == [
        ("lost", "first"),
        ("success", "second"),
    ]
