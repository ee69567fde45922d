"""Run the routines on two workers, play their operator, and prove what came of it: `python -m examples.orchestrator`."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from examples.orchestrator.operate import Operator, spoil_and_mend
from examples.orchestrator.proof import met, unfounded
from relet import App

EVER = 10_000
"""Due times: more than there are."""


def main() -> int:
    """Exit status 0 only if the proof holds."""
    url, folder = _arguments()
    os.environ.update(RELET_URL=url, ORCHESTRATOR_FOLDER=str(folder))
    (folder / "budget.json").write_text('{"megabytes": 20}')
    app = App(url)
    operator = Operator(app, folder)
    operator.relet("migrate")
    with app:
        with _workers(folder):
            operator.say(f"Two workers start. What they leave is in {folder}")
            operator.wait((folder / "report.html").exists)
            spoil_and_mend(operator)
            operator.wait(lambda: sum(run.routine == "cleanup" for run in operator.runs()) >= 2)
        operator.show_runs()
        holds = _prove(operator)
    operator.say(f"The report: {folder / 'report.html'}")
    return 0 if holds else 1


def _arguments() -> tuple[str, Path]:
    parser = ArgumentParser(prog="python -m examples.orchestrator", description=__doc__)
    parser.add_argument("--url", help="the store, such as an empty PostgreSQL database (SQLite in the folder)")
    parser.add_argument("--folder", type=Path, help="an empty folder for snapshots, report and logs (a new one)")
    args = parser.parse_args()
    folder: Path = (args.folder or Path(mkdtemp(prefix="orchestrator-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    return args.url or f"sqlite:///{folder}/jobs.db", folder


@contextmanager
def _workers(folder: Path) -> Generator[None]:
    """Two ordinary workers, which are told to go at the end."""
    command = [sys.executable, "-m", "relet", "worker", "-A", "examples.orchestrator.routines"]
    logs = [(folder / f"worker-{number}.log").open("wb") for number in (1, 2)]
    workers = [subprocess.Popen(command, stderr=log) for log in logs]
    try:
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker, log in zip(workers, logs, strict=True):
            worker.wait()
            log.close()


def _prove(operator: Operator) -> bool:
    """Say what holds and what does not."""
    cleanups = [run for run in operator.runs() if run.routine == "cleanup"]
    others = [run for run in operator.runs() if run.routine != "cleanup"]
    fetch, process = operator.app.routines["fetch-data"], operator.app.routines["process-data"]
    status = process.status()
    claims = {
        f"None of {len(cleanups)} runs of cleanup went on beside one of the {len(others)} others": not met(
            cleanups, others
        ),
        "Each run of process-data came after a new success of fetch-data": not unfounded(
            process.history(limit=EVER), fetch.history(limit=EVER)
        ),
        "process-data was disabled twice, and is well again": status.enabled and status.consecutive_failures == 0,
    }
    for claim, holds in claims.items():
        operator.say(f"{'HOLDS ' if holds else 'BROKEN'}  {claim}")
    return all(claims.values())


if __name__ == "__main__":
    sys.exit(main())
