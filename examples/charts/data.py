"""Which columns the data of a view has: read from its rows, and followed through its transforms."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias, cast

from examples.charts.bounds import ROWS
from examples.charts.faults import Fault, Json, below

Columns: TypeAlias = Mapping[str, list[Any] | None]
"""Values by field; None: they are not known."""

_OWN_NAMES = {"fold": ("key", "value"), "density": ("value", "density"), "quantile": ("prob", "value")}
"""What these transforms call their fields, unless they say `as`."""
_SEPARATORS = {"csv": ",", "tsv": "\t"}


def columns_of(at: str, view: Json, outer: Columns | None, datasets: Json) -> tuple[Columns | None, list[Fault]]:
    """The columns of a view's data, and what is wrong with it; None: they cannot be told without drawing."""
    if "data" not in view:
        return outer, []
    at, data = below(at, "data"), view["data"]
    if data is None:
        return outer, []
    if not isinstance(data, dict):
        return None, [Fault(at, 'Write data as {"values": [...]}.')]
    data = cast("Json", data)
    if "values" not in data:
        return _generated(at, data, datasets)
    return _read(below(at, "values"), data["values"], cast("object", data.get("format")))


def _generated(at: str, data: Json, datasets: Json) -> tuple[Columns | None, list[Fault]]:
    name = data.get("name")
    if data.keys() & {"sequence", "sphere", "graticule"}:
        return None, []
    if isinstance(name, str) and name in datasets:
        return _read(below("/datasets", name), datasets[name], None)
    known = f"; the datasets are {', '.join(datasets) or 'none'}" if name else ""
    return None, [Fault(at, f"It has no values{known}.")]


def _read(at: str, values: object, form: object) -> tuple[Columns | None, list[Fault]]:
    form = cast("Json", form) if isinstance(form, dict) else {}
    if isinstance(values, str):
        return _read_text(at, values, form.get("type"))
    if form.get("property") or form.get("type", "json") != "json":
        return None, []
    if not isinstance(values, list):
        return None, [Fault(at, "Rows are a list of objects, or a text with the format csv or tsv.")]
    rows = cast("list[object]", values)
    strange = next(
        (place for place, row in enumerate(rows) if isinstance(row, dict) != isinstance(rows[0], dict)), None
    )
    if strange is not None:
        return None, [
            Fault(below(at, strange), f"This row is {rows[strange]!r:.40}, and the first is {rows[0]!r:.40}.")
        ]
    return _by_name(rows), []


def _read_text(at: str, text: str, kind: object) -> tuple[Columns | None, list[Fault]]:
    separator = _SEPARATORS.get(str(kind))
    if separator is None:
        return None, [Fault(at, 'This is a text; say how to read it: "format": {"type": "csv"}.')]
    lines = list(islice(csv.reader(text.splitlines(), delimiter=separator), ROWS + 2))
    if len(lines) < 2:
        return None, [Fault(at, "There is no line of data behind the line of names.")]
    if len(lines) > ROWS + 1:
        return None, [Fault(at, f"It has more than {ROWS:,} rows.")]
    uneven = next((place for place, line in enumerate(lines) if line and len(line) != len(lines[0])), None)
    if uneven is not None:
        said = f"Line {uneven + 1} has {len(lines[uneven])} values, and the first has {len(lines[0])} names."
        return None, [Fault(at, said)]
    return {name: [line[place] for line in lines[1:] if line] for place, name in enumerate(lines[0])}, []


def _by_name(rows: list[object]) -> dict[str, list[Any] | None]:
    """Rows that are no objects have one field, which Vega-Lite calls data."""
    columns: dict[str, list[Any] | None] = {}
    for row in rows:
        for name, value in (cast("Json", row) if isinstance(row, dict) else {"data": row}).items():
            values = columns.setdefault(name, [])
            assert values is not None
            values.append(value)
    return columns


# ── transforms ────────────────────────────────────────────────────────────────────────────────────────────────────────
def columns_through(transforms: object, columns: Columns | None) -> Columns | None:
    """The columns behind these transforms: at least those that there are. What a pivot makes cannot be told."""
    for transform in cast("list[object]", transforms) if isinstance(transforms, list) else []:
        if columns is None or not isinstance(transform, dict) or "pivot" in transform:
            return None if transform else columns
        made = dict.fromkeys(_made(cast("Json", transform)))
        columns = {**columns, **made}
    return columns


def _made(transform: Json) -> Iterator[str]:
    """The fields that a transform adds."""
    for name, value in transform.items():
        if name == "as":
            yield from [value] if isinstance(value, str) else map(str, cast("list[object]", value or []))
        elif name == "from" and isinstance(value, dict):
            yield from map(str, cast("Json", value).get("fields", []))
        elif isinstance(value, list):
            for one in cast("list[object]", value):
                yield from _made(cast("Json", one)) if isinstance(one, dict) else ()
    for name in _OWN_NAMES.keys() & transform.keys():
        yield from _OWN_NAMES[name]
