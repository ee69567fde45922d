"""How large a specification may be, and what it may not hold: nothing that is fetched, read or called from elsewhere.

This turns requests away early and says why. What keeps the host safe, whatever is in a specification, is that it is drawn in a
process with bounds (see `tasks.py`) and that the renderer may open no address (see `draw.py`).
"""

from __future__ import annotations

from typing import Any, cast

from examples.charts.faults import Fault, Json, below

DEPTH = 24
"""Levels of a specification, rows not counted."""
PARTS = 5_000
"""Objects, lists and values of a specification, rows not counted."""
ROWS = 20_000
VIEWS = 64
"""Charts in one."""
SIDE = 4_000
"""Width or height in pixels."""
BODY_BYTES = 240_000
"""A specification travels as the argument of a job."""

_REACHES_OUT = {
    "url": "nothing is fetched from an address; give the data as values",
    "href": "charts hold no links",
}


def bound_faults(spec: Json) -> list[Fault]:
    """What is too large in it, or reaches out. Walks without recursion, for it may be nested to any depth."""
    faults: list[Fault] = []
    parts, views = 0, 0
    open_places: list[tuple[str, Any, int]] = [("", spec, 0)]
    while open_places:
        at, part, depth = open_places.pop()
        parts += 1
        if depth > DEPTH or parts > PARTS:
            too = f"nested deeper than {DEPTH} levels" if depth > DEPTH else f"of more than {PARTS:,} parts"
            return [*faults, Fault(_short(at), f"The specification is {too}.")]
        if isinstance(part, dict):
            part = cast("Json", part)
            views += "mark" in part
            faults += _object_faults(at, part)
            open_places += [(below(at, name), inner, depth + 1) for name, inner in part.items() if not _rows(at, name)]
        elif isinstance(part, list):
            listed = cast("list[Any]", part)
            open_places += [(below(at, place), inner, depth + 1) for place, inner in enumerate(listed[: PARTS + 1])]
    if views > VIEWS:
        faults.append(Fault("", f"There are {views} charts in it, and at most {VIEWS} are drawn."))
    return faults


def _rows(at: str, name: str) -> bool:
    """Whether these are rows of data, which are counted, not walked through."""
    return at.endswith("/datasets") or (name == "values" and at.rsplit("/", 1)[-1] in ("data", "from"))


def _object_faults(at: str, part: Json) -> list[Fault]:
    faults = [Fault(below(at, name), f"Refused: {_REACHES_OUT[name]}.") for name in _REACHES_OUT if name in part]
    for name in ("width", "height", "step"):
        size = part.get(name)
        if isinstance(size, int | float) and not 0 < size <= SIDE:
            faults.append(Fault(below(at, name), f"{size} is not a size from 1 to {SIDE:,} pixels."))
    for name, values in part.items():
        if _rows(at, name) and isinstance(values, list) and len(cast("list[Any]", values)) > ROWS:
            faults.append(
                Fault(below(at, name), f"It has {len(cast('list[Any]', values)):,} rows; at most {ROWS:,} are drawn.")
            )
    count = _sequence_length(part)
    if count > ROWS:
        faults.append(Fault(at, f"It would make {count:.3g} rows; at most {ROWS:,} are drawn."))
    return faults


def _sequence_length(part: Json) -> float:
    """Of `{"start": 0, "stop": 10, "step": 2}`: how many values it makes; 0: it is no such thing."""
    start, stop, step = part.get("start", 0), part.get("stop"), part.get("step", 1)
    if not all(isinstance(number, int | float) for number in (start, stop, step)):
        return 0
    return abs((cast("float", stop) - start) / step) if step else float("inf")


def _short(at: str) -> str:
    return at if len(at) <= 80 else at[:77] + "..."
