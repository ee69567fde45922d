"""The app: one task that draws charts, and one routine that throws old ones away."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

import msgspec

from examples.charts.draw import draw
from examples.charts.faults import Fault, Faulty
from examples.charts.order import Order, Request
from examples.charts.shelf import Shelf
from relet import App, Job, Retry

FOLDER = Path(os.environ.get("CHARTS_FOLDER", "charts")).absolute()
KEEP_S = 30 * 24 * 3600
"""How long charts are kept."""

app = App()
shelf = Shelf(FOLDER / "shelf")


class Drawn(msgspec.Struct, frozen=True):
    """What came of an order: a chart on the shelf, unless there are faults."""

    width: int = 0
    height: int = 0
    new: bool = False
    """False: the chart was there already."""
    took: float = 0
    """Seconds."""
    faults: tuple[Fault, ...] = ()


@app.task(
    name="charts.render",
    queue="charts",
    unique="{key}",
    executor="process",
    timeout="20s",
    memory="1G",
    retry=Retry(1),
)
def render(key: str, order: Order) -> Drawn:
    """Draw a chart and put it on the shelf. It may be hostile, so this runs in a process that may be killed.

    A specification that cannot be drawn is an answer, not a failure: no dead letter, for nobody can mend it but its sender.
    """
    began = monotonic()
    if shelf.get(key, order.format) is not None:
        return Drawn()
    try:
        image = draw(order)
    except Faulty as error:
        return Drawn(faults=error.faults)
    new = shelf.put(key, order.format, image.content)
    return Drawn(image.width, image.height, new, round(monotonic() - began, 3))


@app.routine(every="1h", timeout="5m")
def sweep() -> int:
    """Throw old charts away."""
    return shelf.sweep(KEEP_S)


def enqueue(order: Order, request: Request) -> Job[Drawn]:
    """The job that draws it: a new one, or the one that is at it already.

    Who wants to be told gets a job of their own; behind the one that is at it, it finds the chart there.
    """
    call = render.options(priority=request.priority, notify=request.notify)
    job = call.enqueue(order.key, order)
    if job.created or request.notify is None:
        return job
    return call.options(unique=False, after=job, on_dep_failure="run").enqueue(order.key, order)
