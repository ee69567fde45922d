"""What was counted in the last hour, minute by minute, as figures and charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from relet.clock import MS, SECOND
from relet.job.duration import format_us
from relet.job.figures import MINUTE, Came, Figure
from relet.store.port import Store
from relet.web.pages.charts import Box, Spark, Tick, between, height, ladder, nice, spark

MINUTES = 60
LATELY = 5
"""A figure of now is one of so many minutes."""


class Kpi(NamedTuple):
    """One figure."""

    label: str
    value: str
    note: str
    to: str
    """The page about it."""
    tone: str
    spark: Spark | None = None


class Line(NamedTuple):
    """One line of a chart."""

    word: str
    tone: str
    line: str
    area: str


class Mark(NamedTuple):
    """A time below a chart."""

    x: float
    text: str
    anchor: str


class Chart(NamedTuple):
    """Lines over the last hour."""

    title: str
    wide: int
    """Of the picture; it is 200 high. What stands in a narrow place is drawn narrower, so that its letters are as large."""
    says: str
    """The same in words."""
    lines: Sequence[Line]
    ticks: Sequence[Tick]
    marks: Sequence[Mark]
    some: bool
    """Whether anything was counted."""
    nothing: str


NOT_KNOWN = "-"

WIDE = Box(46, 8, 640, 176)
NARROW = Box(46, 8, 412, 176)

RUNGS_US = (
    *(step * MS for step in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(step * SECOND for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400)),
)
"""How far apart the lines of a chart of durations may be."""

_TIMES = ("1 h ago", "45 min", "30 min", "15 min", "now")
_ENDS = (
    ("succeeded", "succeeded", Came.SUCCEEDED),
    ("failed, tried again", "retrying", Came.FAILED),
    ("dead", "dead", Came.DEAD),
)
"""What is drawn one on the other: its word, its colour, and what is counted."""


def last_hour(store: Store, now: int, queue: str = "") -> list[Figure]:
    """A figure for each minute, the oldest first. The minute that is not over is left out, unless nothing else was counted."""
    this = now // MINUTE * MINUTE
    begin = this - (MINUTES - 1) * MINUTE
    known = {point.at: point.figure for point in store.insights.figure_points(begin, MINUTE, queue)}
    minutes = [known.get(begin + n * MINUTE, Figure()) for n in range(MINUTES)]
    return minutes[:-1] if any(minute.processed for minute in minutes[:-1]) else minutes


def depths(store: Store, now: int, of: str) -> Spark | None:
    """How many jobs of one state there were in the last hour, over all queues."""
    by_minute: dict[int, int] = {}
    for row in store.insights.depths(now - MINUTES * MINUTE):
        by_minute[row.at] = by_minute.get(row.at, 0) + getattr(row, of)
    return spark([by_minute[at] for at in sorted(by_minute)])


def rate(minutes: Sequence[Figure]) -> Kpi:
    """How many runs end in a minute."""
    ended = [minute.processed for minute in minutes]
    lately = ended[-LATELY:]
    value = sum(lately) / len(lately)
    shown = f"{value:,.1f}" if 0 < value < 100 else f"{value:,.0f}"
    return Kpi("Runs a minute", shown, f"{max(ended):,} at most in 1 h", "/jobs", "succeeded", spark(ended))


def wait(minutes: Sequence[Figure]) -> Kpi:
    """How long jobs were ready before they were claimed."""
    times = Figure.sum(minute.counts for minute in minutes[-LATELY:]).wait
    middle, high = times.quantile(0.5), times.quantile(0.95)
    note = "nothing began lately" if middle is None else f"half of them: {format_us(middle)}"
    drawn = spark([minute.wait.quantile(0.95) or 0 for minute in minutes])
    return Kpi("Wait, 95 %", NOT_KNOWN if high is None else format_us(high), note, "/queues", "ready", drawn)


def failures(minutes: Sequence[Figure]) -> Kpi:
    """Which part of the runs failed."""
    hour = Figure.sum(minute.counts for minute in minutes)
    value = f"{100 * hour.failure_rate:.1f} %" if hour.processed else NOT_KNOWN
    note = f"{hour.errors:,} of {hour.processed:,} runs in 1 h"
    drawn = spark([minute.errors for minute in minutes])
    return Kpi("Failed", value, note, "/jobs?q=state:dead", "dead", drawn)


def charts(minutes: Sequence[Figure]) -> list[Chart]:
    """How many runs ended, and how long their jobs had waited."""
    return [_throughput(minutes), _waits(minutes)]


def _marks(box: Box) -> list[Mark]:
    anchors = {0: "start", 4: "end"}
    step = (box.right - box.left) / 4
    return [Mark(box.left + step * n, text, anchors.get(n, "middle")) for n, text in enumerate(_TIMES)]


def _throughput(minutes: Sequence[Figure]) -> Chart:
    values = [[minute.of(came) for minute in minutes] for _, _, came in _ENDS]
    totals = [sum(column) for column in zip(*values, strict=True)]
    scale = nice(max(totals))
    lower = [0.0] * len(minutes)
    lines: list[Line] = []
    for (word, tone, _), counts in zip(_ENDS, values, strict=True):
        upper = [below + count for below, count in zip(lower, counts, strict=True)]
        lines.append(Line(word, tone, *between(upper, lower, WIDE, scale[-1])))
        lower = upper
    return Chart(
        "Runs a minute",
        640,
        f"Runs that ended in each minute of the last hour: {totals[-1]:,} at last, {max(totals):,} at most.",
        lines,
        [Tick(height(value, WIDE, scale[-1]), f"{value:g}") for value in scale],
        _marks(WIDE),
        any(totals),
        "No run has ended in the last hour.",
    )


def _waits(minutes: Sequence[Figure]) -> Chart:
    high, middle = ([minute.wait.quantile(part) or 0 for minute in minutes] for part in (0.95, 0.5))
    scale = ladder(max(high), RUNGS_US)
    floor = [0.0] * len(minutes)
    lines = [
        Line(word, tone, *between(values, floor, NARROW, scale[-1]))
        for word, tone, values in (("95 %", "ready", high), ("half", "running", middle))
    ]
    return Chart(
        "Wait before start",
        412,
        f"How long jobs were ready before they were claimed, by minutes: 95 % of them at most {format_us(high[-1])} at last.",
        lines,
        [Tick(height(value, NARROW, scale[-1]), format_us(round(value))) for value in scale],
        _marks(NARROW),
        any(high),
        "No job has begun in the last hour.",
    )
