"""The operator's part: what a person would do and see while the routines run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from examples.orchestrator.ledger import Run, read
from relet import App
from relet.errors import Refused

PATIENCE = 30.0
"""Seconds that nothing here should take."""


@dataclass
class Operator:
    """Looks at the app and its folder, acts, and tells of both."""

    app: App
    folder: Path
    began: float = field(default_factory=time.monotonic)
    shown: int = 0

    def say(self, words: str) -> None:
        """One line, with the time."""
        print(f"{time.monotonic() - self.began:5.1f} s  {words}", flush=True)

    def relet(self, *words: str) -> None:
        """Give a command, and show what it says."""
        self.say("$ relet " + " ".join(words))
        subprocess.run([sys.executable, "-m", "relet", *words], check=True)

    def wait(self, reached: Callable[[], bool]) -> None:
        """Show the runs that end, until something is so. Raises TimeoutError."""
        limit = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > limit:
                raise TimeoutError(f"It did not happen within {PATIENCE:g} s. The workers' logs are in {self.folder}.")
            self.show_runs()
            time.sleep(0.1)
        self.show_runs()

    def show_runs(self) -> None:
        """Those that have ended since the last look."""
        runs = self.runs()
        for run in runs[self.shown :]:
            how = "FAILED" if run.failed else "ok"
            print(f"{run.ended - self.began:5.1f} s    {run.routine:12}  worker {run.worker}  {how:6}  {run.said}")
        self.shown = len(runs)

    def runs(self) -> list[Run]:
        """All runs that have ended."""
        return read(self.folder / "ledger.jsonl")


def spoil_and_mend(operator: Operator) -> None:
    """A file is spoilt, its routine is disabled; enabled too early, and disabled again; mended, and enabled for good."""
    process = operator.app.routines["process-data"]
    budget = operator.folder / "budget.json"
    operator.say("Somebody edits budget.json, and forgets the number")
    budget.write_text('{"megabytes": }')
    _wait_until_disabled(operator)
    try:
        process.trigger()
    except Refused as refusal:
        operator.say(f"To trigger it now is refused: {refusal}")
    operator.say("It is enabled, but the file is as it was")
    operator.relet("routines", "enable", process.name)
    _wait_until_disabled(operator)
    operator.say("The file is mended, and it is enabled by app.routines['process-data'].enable()")
    budget.write_text('{"megabytes": 20}')
    process.enable()
    successes = process.status().successes
    operator.wait(lambda: process.status().successes >= successes + 2)
    operator.say("It makes reports again")


def _wait_until_disabled(operator: Operator) -> None:
    process = operator.app.routines["process-data"]
    operator.wait(lambda: not process.status().enabled)
    status = process.status()
    operator.say(f"process-data is disabled: {status.disable_reason}. Its last error: {status.last_error}")
