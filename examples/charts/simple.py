"""Charts by their type: `{"chart": "bar", "data": [...], "x": "year", "y": "wheat"}` as Vega-Lite."""

from __future__ import annotations

import re
from typing import Any

from examples.charts.faults import Fault, Faulty, Json
from examples.charts.words import unknown

CHARTS = {"bar": "bar", "line": "line", "area": "area", "point": "point", "arc": "arc", "pie": "arc"}
"""Types of chart, with the mark that draws each."""

CONFIG: Json = {
    "background": "white",
    "padding": 10,
    "font": "Liberation Sans, Arial, sans-serif",
    "axis": {
        "gridColor": "#e7e7ea",
        "domainColor": "#888",
        "tickColor": "#888",
        "labelColor": "#444",
        "titleColor": "#333",
    },
    "axisX": {"grid": False, "labelPadding": 6},
    "title": {"anchor": "start", "fontSize": 15, "color": "#222", "subtitleColor": "#666", "offset": 12},
    "legend": {"labelColor": "#444", "titleColor": "#333"},
    "view": {"stroke": None},
    "range": {"category": ["#2f6db5", "#e0803a", "#3c9d78", "#b8487c", "#7a63b8", "#b99a2c", "#5d6b7a", "#c4564b"]},
}
"""How they look."""

_DATE = re.compile(r"\d{4}-\d\d(-\d\d)?([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?")
_LOOKS: dict[str, Json] = {"point": {"filled": True, "opacity": 0.75}, "arc": {"stroke": "white", "strokeWidth": 1.5}}
_MANY = 15
"""More labels than this are not all shown."""
_PLACES = {
    "/mark": "/chart",
    "/data/values": "/data",
    "/encoding/x/field": "/x",
    "/encoding/theta/field": "/y",
    "/encoding/y/field": "/y",
    "/encoding/color/field": "/color",
}


def specification(
    chart: str, data: list[Json], *, x: str | None, y: str | None, color: str | None, title: str | None
) -> Json:
    """The chart as Vega-Lite. Raises Faulty."""
    faults = [] if chart in CHARTS else [Fault("/chart", unknown(chart, "type of chart", CHARTS))]
    for name, field in (("x", x), ("y", y)):
        if field is None:
            faults.append(Fault(f"/{name}", f"It is missing: the field of the data that is {name} of the chart."))
    if faults:
        raise Faulty(faults)
    assert x is not None
    assert y is not None
    mark = CHARTS[chart]
    spec: Json = {
        "config": CONFIG,
        "width": 420,
        "height": 260,
        "data": {"values": data},
        "mark": {"type": mark, **_LOOKS.get(mark, {})},
        "encoding": _slices(x, y) if mark == "arc" else _axes(chart, data, x, y),
    }
    if color is not None and mark != "arc":
        spec["encoding"]["color"] = {"field": color, "type": "nominal", "sort": None}
    return spec if title is None else {**spec, "title": title}


def own_place(at: str) -> str:
    """Where a place of the specification stands in what was asked for."""
    found = next((place for place in _PLACES if at == place or at.startswith(place + "/")), None)
    return at if found is None else _PLACES[found] + at[len(found) :]


def _slices(x: str, y: str) -> Json:
    return {
        "theta": {"field": y, "type": "quantitative", "stack": True},
        "color": {"field": x, "type": "nominal", "sort": None},
        "order": {"field": y, "type": "quantitative", "sort": "descending"},
    }


def _axes(chart: str, data: list[Json], x: str, y: str) -> Json:
    axes = {name: {"field": field, **_scale(data, field)} for name, field in (("x", x), ("y", y))}
    kinds = [axis["type"] for axis in axes.values()]
    if chart == "bar" and kinds[0] != "nominal" and "nominal" not in kinds:
        axes["x"] = {"field": x, "type": "ordinal"}
    if chart == "bar" and len({str(row.get(x)) for row in data}) > _MANY:
        axes["x"] = {**axes["x"], "axis": {"labelOverlap": True, "labelAngle": 0, "ticks": False}}
    return axes


def _scale(data: list[Json], field: str) -> Json:
    """How the values of a field are to be read."""
    values = [row[field] for row in data if row.get(field) is not None]
    if values and all(map(_is_number, values)):
        years = all(isinstance(value, int) and 1000 <= value <= 2999 for value in values)
        return {"type": "quantitative", **({"axis": {"format": "d"}, "scale": {"zero": False}} if years else {})}
    if values and all(isinstance(value, str) and _DATE.fullmatch(value) for value in values):
        return {"type": "temporal"}
    return {"type": "nominal", "sort": None}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
