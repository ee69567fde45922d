"""Drawing: a Vega-Lite specification becomes the bytes of an image. Runs in a process with bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast
from xml.etree import ElementTree as ET

import msgspec

from examples.charts.faults import Fault, Faulty, Json, below, faulty
from examples.charts.order import Order

PIXELS = 16_000_000
"""Of a PNG: four bytes each while it is drawn."""
SVG_BYTES = 8_000_000

_EXPRESSIONS = {"calculate", "filter", "expr", "test", "labelExpr"}
_NO_ADDRESSES: list[str] = []


class Image(msgspec.Struct, frozen=True):
    """A finished chart. Its size is in pixels."""

    content: bytes
    width: int
    height: int


def draw(order: Order) -> Image:
    """Raises Faulty if the specification cannot be drawn."""
    import vl_convert  # slow to load, and of use in the process that draws alone

    try:
        svg = vl_convert.vegalite_to_svg(order.spec, allowed_base_urls=_NO_ADDRESSES)
    except ValueError as error:
        raise Faulty(list(_bad_expressions(order.spec)) or [Fault("", _reason(error))]) from None
    width, height = _measured(svg)
    if order.format == "svg":
        return Image(svg.encode(), width, height)
    width, height = round(width * order.scale), round(height * order.scale)
    if width * height > PIXELS:
        raise faulty("", f"It would be {width:,} x {height:,} pixels; at most {PIXELS:,} are drawn.")
    return Image(vl_convert.svg_to_png(svg, scale=order.scale), width, height)


def _measured(svg: str) -> tuple[int, int]:
    """Its size. Raises Faulty if it is too large, or would have something fetched by who looks at it."""
    if len(svg) > SVG_BYTES:
        raise faulty(
            "", f"The drawing has {len(svg):,} characters, and may have {SVG_BYTES:,}: it shows too many things."
        )
    root = ET.fromstring(svg)
    for part in root.iter():
        if part.tag.endswith("}image") or any(name.endswith("href") for name in part.attrib):
            raise faulty("", "The drawing holds a link or an image from elsewhere.")
    return round(float(root.get("width", "0"))), round(float(root.get("height", "0")))


def _reason(error: ValueError) -> str:
    """What the renderer says, without the places in its own source."""
    lines = [line for line in str(error).splitlines() if not re.match(r"\s+at |.*conversion failed:$", line)]
    said = " ".join(lines).strip()[:300]
    return f"The specification cannot be drawn. The renderer says: {said}"


def _bad_expressions(spec: Json) -> Iterator[Fault]:
    """Vega-Lite does not say which expression it cannot read, so each is tried by itself."""
    import vl_convert

    for at, text in _expressions("", spec):
        trial = {"signals": [{"name": "trial", "on": [{"events": "click", "update": text}]}]}
        try:
            vl_convert.vega_to_svg(trial, allowed_base_urls=_NO_ADDRESSES)
        except ValueError as error:
            if "parse error" in str(error) or "Unrecognized function" in str(error):
                yield Fault(at, f"This expression cannot be read: {text[:100]!r}.")


def _expressions(at: str, part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for name, inner in cast("Json", part).items():
            if name in _EXPRESSIONS and isinstance(inner, str):
                yield below(at, name), inner
            elif name not in ("values", "datasets"):
                yield from _expressions(below(at, name), inner)
    elif isinstance(part, list):
        for place, inner in enumerate(cast("list[Any]", part)):
            yield from _expressions(below(at, place), inner)
