"""The tutorial, done as its reader does it: real processes, a real kill. What it shows is what is really printed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from tests.docs.pages import ROOT, blocks_of
from tests.support.waiting import until

SECONDS = 60
PAGE = ROOT / "docs" / "tutorial.md"
FOLDER = "/home/you/shop"
"""Where the reader of the page is."""

_VARIES = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "SESSION"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}"), "MOMENT"),
    (re.compile(r"\d\d:\d\d:\d\d\.\d{3}"), "CLOCK"),
    (re.compile(r"\b(pid|process) \d+"), r"\1 PID"),
    (re.compile(r"\b(\d+h)?(\d+m)?\d+(\.\d+)?(us|ms|s)\b(?= ago|\)|:| +in | +\d+ %|$)"), "SPAN"),
    (re.compile(r"in (\d+m)?\d+s"), "in SPAN"),
    (re.compile(r"\d+ % rendering"), "N % rendering"),
    (re.compile(r" +"), " "),
)


def shape(lines: str) -> list[str]:
    """Lines without what differs from run to run."""
    found = lines.strip().splitlines()
    for pattern, instead in _VARIES:
        found = [pattern.sub(instead, line) for line in found]
    return found


def shown() -> dict[str, list[list[str]]]:
    """What the page shows below each command, in order; `^C` stands for Ctrl-C."""
    found: dict[str, list[list[str]]] = {}
    for block in blocks_of(PAGE):
        if block.language != "console":
            continue
        below: list[str] = []
        for line in block.text.splitlines():
            if line.startswith(("$ ", "^C")):
                found.setdefault(line.removeprefix("$ "), []).append(below := [])
            else:
                below.append(line)
    return {command: [shape("\n".join(lines)) for lines in times] for command, times in found.items()}


def relet(folder: Path, *words: str, talk: bool = True) -> str:
    """What a command that must succeed prints on a terminal; without its talk, stdout alone."""
    done = subprocess.run(
        [sys.executable, "-m", "relet", *words],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if talk else subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout.replace(os.fspath(folder), FOLDER)


@contextmanager
def worker(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that lives as long as the block, unless it is killed."""
    command = [sys.executable, "-m", "relet", "worker", "--worker", name]
    with subprocess.Popen(command, cwd=folder, env=_environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], folder: Path) -> list[str]:
    """What a worker that has ended had printed."""
    assert process.stderr is not None
    return shape(process.stderr.read().replace(os.fspath(folder), FOLDER))


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RELET_", "WORKER_", "COLUMNS"))}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def leases(folder: Path, worker_name: str) -> list[dict[str, Any]]:
    held = json.loads(relet(folder, "leases", "--json", talk=False))["leases"]
    return [lease for lease in held if lease["worker"] == worker_name and lease["percent"]]


def test_a_reader_of_the_tutorial_sees_what_it_shows(tmp_path: Path) -> None:
    page = shown()
    assert [shape(relet(tmp_path, "init"))] == page["relet init"]
    tasks = next(block.text for block in blocks_of(PAGE) if block.file == "tasks.py")
    (tmp_path / "tasks.py").write_text(tasks.replace("time.sleep(1)", "time.sleep(0.6)"), "utf-8")

    with worker(tmp_path, "first") as first:
        until((tmp_path / "relet.db").exists, SECONDS)
        until(lambda: json.loads(relet(tmp_path, "workers", "ls", "--json", talk=False))["workers"], SECONDS)
        waited = relet(tmp_path, "enqueue", "send_invoice", "order_id=7", "--wait")
        assert [shape(waited)] == page["relet enqueue send_invoice order_id=7 --wait"]
        printed = relet(tmp_path, "enqueue", "send_invoice", "order_id=9")
        assert [shape(printed)] == page["relet enqueue send_invoice order_id=9"]
        job_id = printed.splitlines()[1]
        until(lambda: leases(tmp_path, "first"), SECONDS)
        held = [shape(relet(tmp_path, "leases"))]
        first.send_signal(signal.SIGKILL)
        first.wait(SECONDS)
        held.append(shape(relet(tmp_path, "leases")))  # nobody is there to take it back
        assert [said(first, tmp_path)] == page["relet worker --worker first"]

    with worker(tmp_path, "second") as second:
        began = monotonic()
        (lease,) = until(lambda: leases(tmp_path, "second"), SECONDS)
        assert lease["claim"] == 2
        assert monotonic() - began < 30, "it did not wait for the lease of 90 seconds"
        held.append(shape(relet(tmp_path, "leases")))
        until(lambda: '"succeeded"' in relet(tmp_path, "jobs", "show", job_id, "--json", talk=False), SECONDS)
        second.send_signal(signal.SIGINT)
        assert second.wait(SECONDS) == 0
        assert [said(second, tmp_path)] == [[*page["relet worker --worker second"][0], *page["^C"][0]]]

    assert held == page["relet leases"]
    (show,) = (command for command in page if command.startswith("relet jobs show"))
    assert [shape(relet(tmp_path, "jobs", "show", job_id))] == page[show]
