"""What is asked for: a request, and the order that is made of it if it can be drawn."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from examples.charts.bounds import SIDE
from examples.charts.check import check
from examples.charts.faults import Fault, Faulty, Json, faulty
from examples.charts.simple import own_place, specification

Format = Literal["png", "svg"]
Urgency = Literal["low", "normal", "high", "critical"]
Size = Annotated[int, Meta(ge=1, le=SIDE)]

_COMPOSED = {"hconcat", "vconcat", "concat", "facet", "repeat"}


class Order(msgspec.Struct, frozen=True):
    """What to draw: all that decides what the image looks like."""

    spec: Json
    """Vega-Lite."""
    format: Format
    scale: float

    @property
    def key(self) -> str:
        """The same for the same image."""
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:32]


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /render`: `spec`, or `chart` with what belongs to it."""

    spec: Json | None = None
    chart: str | None = None
    data: list[Json] = []
    x: str | None = None
    y: str | None = None
    color: str | None = None
    title: str | None = None
    format: Format = "svg"
    width: Size | None = None
    height: Size | None = None
    scale: Annotated[float, Meta(gt=0, le=4)] = 1.0
    """Pixels of a PNG for each of the chart."""
    priority: Urgency = "normal"
    notify: str | None = None
    """An address that is told when it is done."""


def read_request(body: bytes) -> Request:
    """The request that was sent. Raises Faulty."""
    try:
        return msgspec.json.decode(body, type=Request)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at `$")
        raise faulty(place.rstrip("`").replace(".", "/").replace("[", "/").replace("]", ""), says + ".") from None
    except msgspec.DecodeError as error:
        raise faulty("", f"The body is no JSON: {error}.") from None
    except RecursionError:
        raise faulty("", "The body is nested too deeply to be read.") from None


def order_of(request: Request) -> Order:
    """What is to be drawn. Raises Faulty."""
    if (request.spec is None) == (request.chart is None):
        raise faulty("", "Give either spec, a Vega-Lite specification, or chart, a type of chart.")
    spec = _simple(request) if request.spec is None else request.spec
    spec = _sized(spec, request)
    faults = check(spec)
    if faults and request.spec is None:
        faults = [Fault(own_place(fault.at), fault.says) for fault in faults]
    elif faults:
        faults = [Fault("/spec" + fault.at, fault.says) for fault in faults]
    if faults:
        raise Faulty(faults)
    spec.pop("usermeta", None)  # it is for other programs, such as those that embed charts
    return Order(spec, request.format, 1.0 if request.format == "svg" else request.scale)


def _simple(request: Request) -> Json:
    assert request.chart is not None
    fields = {"x": request.x, "y": request.y, "color": request.color}
    return specification(request.chart, request.data, title=request.title, **fields)


def _sized(spec: Json, request: Request) -> Json:
    sizes = {name: size for name in ("width", "height") if (size := getattr(request, name)) is not None}
    composed = sorted(_COMPOSED & spec.keys())
    if sizes and composed:
        raise faulty(
            f"/{next(iter(sizes))}", f"With {composed[0]}, sizes are those of the views inside; give them there."
        )
    return {**spec, **sizes}
