"""The service: `POST /render` takes an order, `GET /charts/{id}` has what came of it. The dashboard of Relet is at /relet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import UUID

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from examples.charts import tasks
from examples.charts.bounds import BODY_BYTES
from examples.charts.faults import Fault, Faulty
from examples.charts.gallery import gallery
from examples.charts.order import Order, order_of, read_request
from examples.charts.order import Request as Asked
from examples.charts.page import page
from relet.errors import NotFound, UsageError
from relet.records import JobInfo

TYPES = {"png": "image/png", "svg": "image/svg+xml"}
OLDER_PATHS = ("/health", "/worker/stats", "/distributed/stats", "/metrics")
"""Where programs look that know chart services of an older kind."""

_PAGE_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
"""A chart is somebody's drawing: whoever opens it by itself runs nothing of it."""
_OUT_OF_BOUNDS = ("timeout", "child_died", "crash")


def service(*, open_to_all: bool = False, hosts: Collection[str] = ()) -> Starlette:
    """The web application. The charts are for all who can reach it; who may see the jobs says `App.dashboard`."""
    jobs = tasks.app.dashboard(open_to_all=open_to_all, hosts=hosts)
    return Starlette(
        routes=[
            Route("/", show_gallery),
            Route("/render", render, methods=["POST"]),
            Route("/charts/{id}", show_chart),
            Route("/images/{name}", show_image),
            Mount("/relet", jobs),
            *(Route(path, jobs) for path in OLDER_PATHS),
        ]
    )


# ── asking for a chart ────────────────────────────────────────────────────────────────────────────────────────────────
async def render(request: Request) -> Response:
    """Take an order: 202 with the place of the chart, or 422 with what is wrong."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return problem(415, "Send the order as application/json.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            return problem(413, f"An order may have {BODY_BYTES:,} bytes. Aggregate the data, or leave columns out.")
    return await run_in_threadpool(_accept, body)


def _accept(body: bytes) -> Response:
    try:
        asked = read_request(body)
        order = order_of(asked)
        job = tasks.enqueue(order, asked)
    except Faulty as error:
        return _faults(error.faults)
    except UsageError as error:
        return _faults([Fault("/notify" if "webhook" in str(error) else "", str(error))])
    said = {"id": job.id, "status": job.state, "chart": f"/charts/{job.id}", "image": f"/images/{_name(order)}"}
    return _json(202, said, {"Location": f"/charts/{job.id}"})


# ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────────────
def show_chart(request: Request) -> Response:
    """The chart of a job: 200 when it is done, 202 before that, 422 if it cannot be drawn."""
    try:
        job = tasks.app.job(UUID(request.path_params["id"]), tasks.render)
        info = job.info()
    except (ValueError, NotFound):
        info = None
    if info is None or info.task != tasks.render.name:
        return problem(404, "There is no such chart. Those asked for a week ago are at the address of their image.")
    if info.state == "succeeded":
        order = msgspec.convert(info.args["order"], Order)
        faults = tasks.app.job(info.id, tasks.render).result(0).faults
        return _faults(faults) if faults else _image(request, info.args["key"], order.format)
    if info.state in ("dead", "cancelled"):
        return _ended(info)
    return _json(202, {"id": info.id, "status": info.state}, {"Retry-After": "1", "Location": request.url.path})


def show_image(request: Request) -> Response:
    """A chart by what it shows: `KEY.svg`."""
    key, _, form = request.path_params["name"].partition(".")
    if form not in TYPES or not key.isalnum():
        return problem(404, "There is no such image.")
    return _image(request, key, form)


def _image(request: Request, key: str, form: str) -> Response:
    content = tasks.shelf.get(key, form)
    if content is None:
        return problem(404, "This chart is not kept any more, or is not drawn yet. Ask for it by POST /render.")
    tag = f'"{key}"'
    headers = {**_HEADERS, "ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
        return Response(status_code=304, headers=headers)
    headers["Content-Location"] = f"/images/{key}.{form}"
    return Response(content, headers=headers, media_type=TYPES[form])


def _ended(info: JobInfo) -> Response:
    """It did not come to an image, and nothing in the specification says why."""
    last = tasks.app.job(info.id).attempts[-1:]
    if info.state == "dead" and last and last[0].outcome in _OUT_OF_BOUNDS:
        return _faults([Fault("", f"It takes more time or memory than a chart may: {info.error}.")])
    return problem(410 if info.state == "cancelled" else 500, f"It was not drawn: {info.error or 'it was cancelled'}.")


# ── the gallery ───────────────────────────────────────────────────────────────────────────────────────────────────────
def show_gallery(_request: Request) -> Response:
    """All charts of the gallery. Those that are not there yet are asked for, behind everything else."""
    shown: dict[str, str | None] = {}
    for name, asked, order in _gallery():
        there = tasks.shelf.path(order.key, order.format).exists()
        shown[name] = f"images/{_name(order)}" if there else None
        if not there:
            tasks.enqueue(order, asked)
    headers = {**_HEADERS, "Content-Security-Policy": _PAGE_POLICY}
    return Response(page(shown), headers=headers, media_type="text/html")


@cache
def _gallery() -> list[tuple[str, Asked, Order]]:
    bodies = {name: msgspec.json.encode({**body, "priority": "low"}) for name, body in gallery().items()}
    return [(name, asked, order_of(asked)) for name, body in bodies.items() for asked in [read_request(body)]]


def _name(order: Order) -> str:
    return f"{order.key}.{order.format}"


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _faults(faults: Sequence[Fault]) -> Response:
    said = " ".join(f"{fault.at}: {fault.says}" if fault.at else fault.says for fault in faults[:3])
    return problem(422, said, errors=faults[:50])


def problem(status: int, detail: str, **more: Any) -> Response:
    """An error as RFC 9457 has it."""
    said = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(msgspec.json.encode(said), status, _HEADERS, "application/problem+json")


def _json(status: int, said: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(said), status, {**_HEADERS, **headers}, "application/json")
