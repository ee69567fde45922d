"""Whether a Vega-Lite specification says something that can be drawn: its marks, channels, types and fields.

Vega-Lite itself takes most mistakes for wishes: a field that is not there gives an empty chart, and a mark that it does not
know an error about its own insides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from examples.charts.bounds import bound_faults
from examples.charts.data import Columns, columns_of, columns_through
from examples.charts.faults import Fault, Json, below
from examples.charts.words import AGGREGATES, CHANNELS, MARKS, TRANSFORMS, TYPES, VIEWS, unknown

_HEAD = re.compile(r"[^.\[\]]+")
_SAYS_SOMETHING = {"field", "value", "datum", "aggregate", "condition", "bandPosition"}


def check(spec: Json) -> list[Fault]:
    """All that is wrong with it, as far as it can be told without drawing it."""
    return bound_faults(spec) or _Reader(spec).faults()


class _Reader:
    """Reads a specification from the outside in, and knows at each place which fields there are."""

    def __init__(self, spec: Json) -> None:
        self._spec = spec
        self._datasets = cast("Json", spec.get("datasets")) if isinstance(spec.get("datasets"), dict) else {}

    def faults(self) -> list[Fault]:
        schema = self._spec.get("$schema", "vega-lite")
        if "vega-lite" not in str(schema):
            return [Fault("/$schema", f"{schema!r} is not Vega-Lite.")]
        return list(self._view("", self._spec, None))

    # ── views ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    def _view(self, at: str, view: object, outer: Columns | None) -> Iterator[Fault]:
        """`outer`: the columns of the data that it has from around it."""
        if not isinstance(view, dict):
            yield Fault(at, f"A view is an object, not {_kind(view)}.")
            return
        view = cast("Json", view)
        columns, said = columns_of(at, view, outer, self._datasets)
        yield from said
        yield from self._transforms(below(at, "transform"), view.get("transform", []))
        columns = columns_through(view.get("transform", []), columns)
        yield from self._composition(at, view, columns)
        encoding = view.get("encoding", {})
        if isinstance(encoding, dict):
            for name, channel in cast("Json", encoding).items():
                yield from self._channel(below(at, "encoding", name), name, channel, columns)
        else:
            yield Fault(below(at, "encoding"), f"It is {_kind(encoding)}; write an object with a channel such as x.")

    def _composition(self, at: str, view: Json, columns: Columns | None) -> Iterator[Fault]:
        found = [name for name in VIEWS if name in view]
        if len(found) != 1:
            said = f"has {' and '.join(found)}; it may have one of them" if found else f"has none of {', '.join(VIEWS)}"
            yield Fault(at, f"The view {said}.")
            return
        inner = view[found[0]]
        if found[0] == "mark":
            yield from _mark(below(at, "mark"), inner)
        elif found[0] in ("facet", "repeat"):
            if found[0] == "facet":
                yield from self._facet(below(at, "facet"), inner, columns)
            yield from self._view(below(at, "spec"), view.get("spec"), columns)
        elif isinstance(inner, list) and inner:
            for place, one in enumerate(cast("list[object]", inner)):
                yield from self._view(below(at, found[0], place), one, columns)
        else:
            yield Fault(below(at, found[0]), "It has to be a list of views.")

    def _facet(self, at: str, facet: object, columns: Columns | None) -> Iterator[Fault]:
        rows = cast("Json", facet) if isinstance(facet, dict) else {}
        for name, channel in rows.items() if rows.keys() & {"row", "column"} else [("", rows)]:
            yield from self._channel(below(at, name) if name else at, "facet", channel, columns)

    def _transforms(self, at: str, transforms: object) -> Iterator[Fault]:
        if not isinstance(transforms, list):
            yield Fault(at, f"It is {_kind(transforms)}; write a list of transforms.")
            return
        for place, transform in enumerate(cast("list[object]", transforms)):
            names = list(cast("Json", transform)) if isinstance(transform, dict) else [_kind(transform)]
            if not set(names) & set(TRANSFORMS):
                yield Fault(below(at, place), unknown(names[0] if names else "{}", "transform", TRANSFORMS))

    # ── channels ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def _channel(self, at: str, name: str, channel: object, columns: Columns | None) -> Iterator[Fault]:
        if name not in CHANNELS:
            yield Fault(at, unknown(name, "channel", CHANNELS))
        elif isinstance(channel, list):
            for place, one in enumerate(cast("list[object]", channel)):
                yield from self._definition(below(at, place), one, columns)
        elif channel is not None:
            yield from self._definition(at, channel, columns)

    def _definition(self, at: str, channel: object, columns: Columns | None) -> Iterator[Fault]:
        if not isinstance(channel, dict):
            yield Fault(at, f'It is {_kind(channel)}; write an object such as {{"field": "price"}}.')
            return
        channel = cast("Json", channel)
        if not channel.keys() & _SAYS_SOMETHING:
            yield Fault(at, "It names no field, and gives no value.")
        kind, aggregate = channel.get("type"), channel.get("aggregate")
        if kind is not None and kind not in TYPES:
            yield Fault(below(at, "type"), unknown(kind, "type of field", TYPES))
        if isinstance(aggregate, str) and aggregate not in AGGREGATES:
            yield Fault(below(at, "aggregate"), unknown(aggregate, "aggregate", AGGREGATES))
        if columns is not None and isinstance(channel.get("field"), str):
            yield from _field(below(at, "field"), channel, columns)


def _mark(at: str, mark: object) -> Iterator[Fault]:
    if isinstance(mark, dict):
        yield from _mark(below(at, "type"), cast("Json", mark).get("type"))
    elif mark == "image":
        yield Fault(at, "Images are not drawn, for they would be fetched.")
    elif mark not in MARKS:
        yield Fault(at, unknown(mark, "mark", MARKS))


def _field(at: str, channel: Json, columns: Columns) -> Iterator[Fault]:
    field = cast("str", channel["field"])
    head = _HEAD.match(field)
    if "\\" in field or field in columns or (head and head[0] in columns):
        yield from _values(at, channel, columns.get(field))
        return
    yield Fault(at, unknown(field, "field of the data", columns) if columns else f"{field!r}: the data has no rows.")


def _values(at: str, channel: Json, values: Iterable[Any] | None) -> Iterator[Fault]:
    """That a field is called a quantity, or a time, and none of its values is one."""
    known = [value for value in values or () if value is not None]
    kind, counted = channel.get("type"), channel.get("aggregate") in ("count", "distinct", "valid", "missing")
    if not known or counted or kind not in ("quantitative", "temporal"):
        return
    if not any(_fits(value, kind) for value in known):
        field, first = channel["field"], str(known[0])[:40]
        yield Fault(at, f"{field!r} is said to be {kind}, but none of its values is; the first is {first!r}.")


def _fits(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return any(letter.isdigit() for letter in value) if kind == "temporal" else _is_number(value)
    return isinstance(value, int | float)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _kind(value: object) -> str:
    kinds = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(cast("type", type(value)), "nothing")
