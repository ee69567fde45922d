"""The app: three routines, what one of them waits for, and what one of them must never meet."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from examples.orchestrator.ledger import recorded
from examples.orchestrator.packages import Package, installed
from examples.orchestrator.report import MEGABYTE, page, report_on
from relet import App

FOLDER = Path(os.environ.get("ORCHESTRATOR_FOLDER", "orchestrator")).absolute()
LEDGER = FOLDER / "ledger.jsonl"
SNAPSHOTS = FOLDER / "snapshots"
KEPT = 2
"""Snapshots that a cleanup leaves."""

app = App()


class Budget(msgspec.Struct, frozen=True):
    """`budget.json`, which people edit."""

    megabytes: float
    """What a package may weigh."""


@app.routine(every="1s", timeout="30s", priority="high")
@recorded(LEDGER)
def fetch_data() -> str:
    """Take a snapshot of what is installed."""
    packages = installed()
    SNAPSHOTS.mkdir(exist_ok=True)
    path = SNAPSHOTS / f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}.json"
    _write(path, msgspec.json.encode(packages))
    return f"{len(packages)} packages in {path.name}"


@app.routine(every="1s", timeout="30s", retry=1, depends_on=["fetch-data"], max_consecutive_failures=2)
@recorded(LEDGER)
def process_data() -> str:
    """Write the report on the newest snapshot."""
    budget = msgspec.json.decode((FOLDER / "budget.json").read_bytes(), type=Budget)
    newest = max(SNAPSHOTS.glob("*.json"))
    packages = msgspec.json.decode(newest.read_bytes(), type=list[Package])
    report = report_on(packages, newest.stem, int(budget.megabytes * MEGABYTE))
    _write(FOLDER / "report.json", msgspec.json.format(msgspec.json.encode(report)))
    _write(FOLDER / "report.html", page(report).encode())
    return f"{report.size / MEGABYTE:.1f} MB, {len(report.over_budget)} over budget"


@app.routine(every="2s", timeout="30s", priority="low", blocks=["fetch-data", "process-data"])
@recorded(LEDGER)
def cleanup() -> str:
    """Remove old snapshots. It blocks both others, so that no file goes while one of them is at it."""
    old = sorted(SNAPSHOTS.glob("*.json"))[:-KEPT]
    for path in old:
        path.unlink()
    return f"{len(old)} snapshots removed"


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: a run may be killed at any moment."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
