"""Charts, drawn by the server as paths of an SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple


class Spark(NamedTuple):
    """A line without axes, and the area below it."""

    line: str
    area: str


class Tick(NamedTuple):
    """A line across the chart, and what it stands for."""

    y: float
    text: str


class Box(NamedTuple):
    """Where in the picture the values are drawn."""

    left: float
    top: float
    right: float
    bottom: float


SPARK = Box(0, 2, 120, 27)


def spark(values: Sequence[float], box: Box = SPARK, top: float | None = None) -> Spark | None:
    """The path of these values, from the left to the right. None: there are too few."""
    if len(values) < 2:
        return None
    top = top or max(values) or 1.0
    return Spark(_path(values, box, top), _area(values, [0.0] * len(values), box, top))


def between(upper: Sequence[float], lower: Sequence[float], box: Box, top: float) -> Spark:
    """The path of `upper`, and the area from there down to `lower`. Where there is nothing between them, no line is drawn:
    it would lie upon that of the next one below."""
    points, parts = _points(upper, box, top), list[str]()
    drawn = [over > under for over, under in zip(upper, lower, strict=True)]
    for n in range(1, len(points)):
        if drawn[n - 1] or drawn[n]:
            (x0, y0), (x1, y1) = points[n - 1], points[n]
            parts.append(f"M{x0:.1f} {y0:.1f} L{x1:.1f} {y1:.1f}")
    return Spark(" ".join(parts), _area(upper, lower, box, top))


def _area(upper: Sequence[float], lower: Sequence[float], box: Box, top: float) -> str:
    back = " ".join(f"L{x:.1f} {y:.1f}" for x, y in reversed(_points(lower, box, top)))
    return f"{_path(upper, box, top)} {back} Z"


def ladder(most: float, rungs: Sequence[float], steps: int = 4) -> list[float]:
    """Values from nought to `most` or a little above, at the distance of one of these."""
    step = next((rung for rung in rungs if rung * steps >= most), rungs[-1])
    count = max(1, ceil(most / step))
    return [step * n for n in range(count + 1)]


def nice(most: float, steps: int = 4) -> list[float]:
    """Round values from nought to `most` or a little above."""
    rough = (most or 1.0) / steps
    power = 10.0 ** len(str(int(rough))[1:]) if rough >= 1 else _below_one(rough)
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    count = 1
    while step * count < most:
        count += 1
    return [step * n for n in range(count + 1)]


def _below_one(rough: float) -> float:
    power = 1.0
    while power > rough:
        power /= 10
    return power


def height(value: float, box: Box, top: float) -> float:
    """Where in the box a value lies."""
    return round(box.bottom - (box.bottom - box.top) * value / top, 1)


def _points(values: Sequence[float], box: Box, top: float) -> list[tuple[float, float]]:
    wide = (box.right - box.left) / max(1, len(values) - 1)
    return [(box.left + wide * n, height(value, box, top)) for n, value in enumerate(values)]


def _path(values: Sequence[float], box: Box, top: float) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in _points(values, box, top))
