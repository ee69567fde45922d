"""`python -m tests.soak`: see the package."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.soak.stage import Soak, perform
from tests.support.pages import README, between_marks


def main() -> int:
    """Status 0 only if nothing was violated."""
    parser = argparse.ArgumentParser(prog="tests.soak", description="real processes under faults, and a judge")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long faults are made, on each engine (60)")
    parser.add_argument("--engine", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument(
        "--seed", type=int, default=None, help="of the faults and of the jobs; the clock's course is its own"
    )
    parser.add_argument("--keep", type=Path, help="keep the ledgers, logs and the SQLite file in this directory")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, per engine")
    parser.add_argument("--write", action="store_true", help="put the figures into README.md")
    args = parser.parse_args()
    seed = random.randrange(2**32) if args.seed is None else args.seed
    engines = ["sqlite", "postgres"] if args.engine == "both" else [args.engine]
    records = [_soak(engine, args, seed) for engine in engines]
    if args.write:
        between_marks(README, "\n".join(_table(records)), "soak")
    return 1 if any(record["violations"] for record in records) else 0


def _soak(engine: str, args: Any, seed: int) -> dict[str, Any]:
    def say(text: str) -> None:
        print(f"{engine:9} {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="relet-soak-") as scratch:
        place = (args.keep or Path(scratch)) / engine
        say(f"seed {seed}, {args.seconds:.0f} s of faults, {args.workers} workers, files in {place}")
        verdict = perform(Soak(engine, args.seconds, args.workers, seed, place), say)
    record = {
        "engine": engine,
        "seed": seed,
        "seconds": args.seconds,
        **verdict.figures,
        "violations": verdict.violations,
    }
    print(json.dumps(record) if args.json else "\n".join(_lines(engine, record)), flush=True)
    return record


SHOWN = (
    *("jobs", "runs", "runs_again", "kills", "stops", "terms", "store_restarts", "late_writes_refused"),
    *("recovered_kill", "recovered_stop", "lost", "settled_twice"),
)
"""What the README shows of a soak."""


def _table(records: list[dict[str, Any]]) -> list[str]:
    machine = f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    lines = [
        f"Measured by `make soak`: {machine}, {records[0]['seconds']:.0f} s of faults on each engine.",
        "",
        "| engine | " + " | ".join(name.replace("_", " ") for name in SHOWN) + " |",
        "|---" * (len(SHOWN) + 1) + "|",
    ]
    return lines + ["| " + " | ".join([one["engine"], *(_cell(one[name]) for name in SHOWN)]) + " |" for one in records]


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['jobs']} jobs, p50 {value['p50']} s, p99 {value['p99']} s"
    return f"{value:,}"


def _lines(engine: str, record: dict[str, Any]) -> list[str]:
    figures = {key: value for key, value in record.items() if key not in ("engine", "violations")}
    lines = [f"{engine}:"]
    for name, value in figures.items():
        text = (
            ", ".join(f"{word} {figure}" for word, figure in value.items()) if isinstance(value, dict) else f"{value:,}"
        )
        lines.append(f"  {name.replace('_', ' '):22} {text}")
    violations = record["violations"]
    lines += [f"  VIOLATED: {violation}" for violation in violations[:50]]
    lines.append(
        f"  {len(violations)} violations" if violations else "  It holds: nothing was lost, nothing was settled twice."
    )
    return lines


if __name__ == "__main__":
    sys.exit(main())
