"""Real data, from the files of the package vega-datasets. Read without importing it, for it would load pandas."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from examples.charts.faults import Json


def rows(name: str) -> list[Json]:
    """The rows of `cars.json`, or of `stocks.csv` with its numbers read."""
    content = text(name)
    if name.endswith(".json"):
        return cast("list[Json]", json.loads(content))
    return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(content.splitlines())]


def text(name: str) -> str:
    """A file as it is."""
    found = find_spec("vega_datasets")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("The gallery shows the data of vega-datasets: pip install vega-datasets")
    return (Path(found.origin).parent / "_data" / name).read_text(encoding="utf-8-sig")


def day(written: str, form: str) -> str:
    """A date as charts read it."""
    return f"{datetime.strptime(written, form):%Y-%m-%d}"  # noqa: DTZ007  a day has no zone


def _number(value: str) -> Any:
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        return value or None
