"""The tables."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg

from benchmarks.peers import guarantees
from benchmarks.peers.environment import Environment
from benchmarks.peers.measure import RECOVERY_SECONDS, Bench, Findings
from benchmarks.peers.sides import Side
from tests.support.pages import README, ROOT, between_marks
from tests.support.postgres import PostgresServer

RATES = ("drain 1", "drain 2", "one by one", "bulk")
LEGEND = (
    "Start: p50 / p99 from the enqueue call to the job's first line on an idle system. Recovery: from `kill -9` of a worker "
    f"until its job ran again on a second, healthy worker on the same host, watched for {RECOVERY_SECONDS} s; "
    "from another host, Relet waits until the lease lapses (90 s by default)."
)
PAGE = ROOT / "docs" / "how-to" / "compare-with-peers.md"
SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")


def conditions(server: PostgresServer | None, environment: Environment) -> dict[str, str]:
    """Where, when and on what."""
    said = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load average before": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "Python": platform.python_version(),
    }
    if environment.node:
        said["Node"] = environment.node_version()
    if server is not None:
        with psycopg.connect(server.admin_url) as connection:
            shown = {name: _shown(connection, name) for name in ("server_version", *SETTINGS)}
        said["PostgreSQL"] = f"{shown.pop('server_version')} ({', '.join(f'{k}={v}' for k, v in shown.items())})"
    return said


def _shown(connection: psycopg.Connection[tuple[str]], name: str) -> str:
    row = connection.execute("select current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return row[0]


def summary(bench: Bench) -> dict[str, dict[str, float]]:
    """Of each side: medians of the rates (jobs/s), latencies (ms) over all samples, recovery (s) if it was seen."""
    return {side.name: _medians(bench.found[side.name]) for side in bench.sides}


def _medians(findings: Findings) -> dict[str, float]:
    said = {name: statistics.median(values) for name in RATES if (values := findings.samples.get(name))}
    if waits := sorted(findings.samples.get("latency", [])):
        said["p50"] = statistics.median(waits)
        said["p99"] = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    if findings.recovery is not None:
        said["recovery"] = findings.recovery
    return said


def markdown(bench: Bench, said: dict[str, str], skipped: dict[str, str]) -> str:
    """The whole report."""
    lines = [
        "Jobs a second of jobs that do nothing: medians, with the ratio to Relet on the same kind of store in the same run.",
        "",
        *figures(bench),
        "",
        LEGEND,
        "",
        *promises(bench.sides),
        "",
        *configurations(bench),
        "",
        "; ".join(f"{name}: {value}" for name, value in said.items()) + ".",
        "",
        *(f"Not measured: {name}: {reason}." for name, reason in skipped.items()),
        *(f"Trouble: {side.title}: {words}." for side in bench.sides for words in bench.found[side.name].troubles),
    ]
    return "\n".join(lines).rstrip() + "\n"


def figures(bench: Bench) -> Iterable[str]:
    """One line per side."""
    medians = summary(bench)
    yield from _table(
        ("", *RATES, "start, ms", "recovery, s"),
        [
            (
                side.title,
                *(_rate(medians, side, name) for name in RATES),
                _start(medians[side.name]),
                _recovery(bench.found[side.name]),
            )
            for side in bench.sides
        ],
    )


def _rate(medians: dict[str, dict[str, float]], side: Side, name: str) -> str:
    mine, ours = medians[side.name].get(name), medians.get(side.against, {}).get(name)
    if mine is None:
        return "-"
    ratio = f" ({mine / ours:.2f})" if ours and side.runtime != "relet" else ""
    return f"{mine:,.0f}{ratio}"


def _start(medians: dict[str, float]) -> str:
    return f"{medians['p50']:.1f} / {medians['p99']:.1f}" if "p50" in medians else "-"


def _recovery(findings: Findings) -> str:
    if findings.recovery is not None:
        return f"{findings.recovery:.1f}"
    return f"not within {RECOVERY_SECONDS}" if findings.recovery_tried else "-"


def promises(sides: list[Side]) -> Iterable[str]:
    """What is guaranteed, one column per project, and where it was checked."""
    shown = [side for side in sides if side.name != "relet-sqlite" or len(sides) == 1 or not _has_both(sides)]
    answers = [guarantees.of(side).answers for side in shown]
    rows = [(question, *(answer[at] for answer in answers)) for at, question in enumerate(guarantees.QUESTIONS)]
    yield from _table(("", *(side.title.split(",")[0] for side in shown)), rows)
    yield ""
    yield "Checked in: " + " ".join(
        f"{side.title.split(',')[0]}: {', '.join(guarantees.of(side).checked)}." for side in shown
    )


def _has_both(sides: list[Side]) -> bool:
    return {"relet-postgresql", "relet-sqlite"} <= {side.name for side in sides}


def configurations(bench: Bench) -> Iterable[str]:
    """What was run, and how it was configured."""
    yield from _table(
        ("", "version", "configuration"),
        [(side.title, versions(bench.environment, side), side.configuration) for side in bench.sides],
    )


def versions(environment: Environment, side: Side) -> str:
    """Of the packages that matter."""
    return ", ".join(f"{package} {environment.version(side, package)}" for package in side.packages)


def record(bench: Bench, said: dict[str, str], skipped: dict[str, str]) -> dict[str, object]:
    """Everything, for a program."""
    return {
        "conditions": said,
        "skipped": skipped,
        "sides": {
            side.name: {
                "title": side.title,
                "versions": versions(bench.environment, side),
                "configuration": side.configuration,
                "medians": summary(bench)[side.name],
                "samples": dict(bench.found[side.name].samples),
                "recovery": _recovery(bench.found[side.name]),
                "troubles": bench.found[side.name].troubles,
                "guarantees": dict(zip(guarantees.QUESTIONS, guarantees.of(side).answers, strict=True)),
            }
            for side in bench.sides
        },
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def publish(bench: Bench, said: dict[str, str], text: str) -> None:
    """The rates into the README; the whole report into the page that says how to read it."""
    shown = ("date", "machine", "load average before")
    head = f"Measured by `make bench-peers`: {', '.join(f'{name} {said[name]}' for name in shown)}."
    between_marks(README, "\n".join([head, "", *figures(bench)]), "peers")
    between_marks(PAGE, text.rstrip(), "peers")


def write(file: str, text: str) -> None:
    """To a file, with the directories that lead there."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(text)
