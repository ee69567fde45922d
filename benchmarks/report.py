"""What is printed and written: the figures, the conditions, and the figures against the aims."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence

from benchmarks.aims import AIMS, Aim
from benchmarks.figures import Figure
from tests.support.pages import README, ROOT, between_marks

SPEED = ROOT / "docs" / "explanation" / "speed.md"


def conditions() -> str:
    """Where and when, and what a commit costs here at least: the disk decides most of the figures of single jobs."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.system()} {platform.machine()}, {cores} cores"
    waits = f"an fsync takes {fsync_ms():.2f} ms"
    load = f"load average before {os.getloadavg()[0]:.1f}"
    return f"{time.strftime('%Y-%m-%d')}, {machine}, Python {platform.python_version()}, full sync, {waits}, {load}"


def fsync_ms() -> float:
    """The median of 200, each of a page that was appended, where the stores of the benchmark lie."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def row(figure: Figure) -> str:
    """One line of the table."""
    ratio = f"{figure.ratio:.2f} of {figure.against}" if figure.ratio is not None else ""
    return f"| {figure.engine} | {figure.name} | {amount(figure.value)} {figure.unit} | {ratio} | {figure.note} |"


def amount(value: float) -> str:
    """A number with as many places as mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def against_aims(found: Sequence[Figure]) -> list[str]:
    """A line for each aim whose figure was measured: what it is, what was aimed at, and why it falls short, if it does."""
    lines = ["| engine | what | measured | aim | |", "|---|---|---|---|---|"]
    for aim in AIMS:
        lines += [_against(aim, figure) for figure in found if aim.is_of(figure)]
    return lines


def _against(aim: Aim, figure: Figure) -> str:
    value = aim.part(figure)
    if value is None:
        return f"| {figure.engine} | {aim.name} | not measured | {aim.words} | |"
    verdict = "reached" if aim.met(value) else aim.why
    return f"| {figure.engine} | {aim.name} | {amount(value)} {aim.unit} | {aim.words} | {verdict} |"


def write(said: str, found: Sequence[Figure], of_features: Sequence[Figure]) -> None:
    """Between the marks in the README and in the page that explains them: what `of_features` cost stands in the latter alone.
    A table of which nothing was measured stays as it is."""
    head = f"Measured by `make bench`: {said}."
    if found:
        between_marks(README, f"{head}\n\n{_table(found)}")
        between_marks(SPEED, f"{head}\n\n" + "\n".join(against_aims(found)))
    if of_features:
        between_marks(SPEED, f"{head}\n\n{_table(of_features)}", "features")


def _table(found: Sequence[Figure]) -> str:
    return "\n".join(["| engine | what | measured | ratio | |", "|---|---|---|---|---|", *map(row, found)])
