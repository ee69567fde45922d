"""The web application of an app: the API, what it is described by, probes, signing in, and the pages, under one root.

It may be mounted anywhere in another ASGI application: all addresses that it gives out are below the path it was reached by.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from relet.app import App
from relet.clock import secret
from relet.errors import ReletError
from relet.events import Emitter, silent
from relet.job.textsafe import describe as described_error
from relet.job.textsafe import stack_of
from relet.web import classic, inbound, metrics, signing
from relet.web.api import problem_response, routes
from relet.web.auth import Auth, Identify
from relet.web.desk import Desk
from relet.web.door import TOLD, Door
from relet.web.endpoints import ENDPOINTS
from relet.web.openapi import describe
from relet.web.pages import routes as pages
from relet.web.pages.frame import is_page, told
from relet.web.probes import Probes
from relet.web.problem import Problem, problem_of


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of a web application that its server has to do with."""

    asgi: Door
    desk: Desk
    auth: Auth
    probes: Probes


def make_site(
    app: App,
    *,
    open_to_all: bool = False,
    identify: Identify | None = None,
    hosts: Collection[str] = (),
    emit: Emitter = silent,
) -> Site:
    """The web application of an app. See `App.dashboard` for who may come in."""
    desk = Desk(app)
    auth = Auth(desk, app.clock, open_to_all=open_to_all, identify=identify)
    probes = Probes(desk)

    @asynccontextmanager
    async def lifespan(_asgi: Starlette) -> AsyncGenerator[None]:
        yield
        probes.drain()
        desk.close()

    inner = Starlette(
        routes=_routes(desk, auth, probes),
        lifespan=lifespan,
        exception_handlers=_failures(emit),
    )
    return Site(Door(inner, hosts=hosts), desk, auth, probes)


def _routes(desk: Desk, auth: Auth, probes: Probes) -> list[BaseRoute]:
    async def described(request: Request) -> Response:
        return JSONResponse(describe(ENDPOINTS, request.scope.get("root_path", "")))

    return [
        *probes.routes(),
        Route("/api/v1/openapi.json", described, name="openapi"),
        *routes(desk, auth, ENDPOINTS),
        *classic.routes(desk, auth),
        *inbound.routes(desk),
        *metrics.routes(desk, auth),
        *signing.routes(auth),
        *pages.routes(desk, auth, probes),
    ]


# ── what went wrong ───────────────────────────────────────────────────────────────────────────────────────────────────
def _failures(emit: Emitter) -> dict[Any, Any]:
    """What answers errors. Those of the store and of usage are told; a defect of ours is logged under a number."""

    async def refused(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        assert problem is not None, "these kinds of error are problems"
        return problem_response(request, problem)

    async def failed(request: Request, error: Exception) -> Response:
        number = secret(6)
        request.scope[TOLD] = True
        emit(
            "web.defect",
            number=number,
            method=request.method,
            path=request.url.path,
            error=described_error(error),
            stack=stack_of(error),
        )
        said = f"This is a defect of Relet, logged under {number}. What was asked may or may not have been done: look."
        problem = Problem("defect", 500, said)
        return told(request, problem) if is_page(request) else problem_response(request, problem)

    return {
        404: _not_found,
        405: _wrong_method,
        HTTPException: _unreadable,
        ClientDisconnect: _gone,
        ReletError: refused,
        Problem: refused,
        Exception: failed,
    }


async def _not_found(request: Request, _error: Exception) -> Response:
    return problem_response(request, Problem("not-found", 404, f"There is nothing at {request.url.path}."))


async def _wrong_method(request: Request, error: Exception) -> Response:
    headers = dict(getattr(error, "headers", None) or {})
    said = f"{request.method} is not what {request.url.path} takes, but {headers.get('Allow', 'another method')}."
    return problem_response(request, Problem("method", 405, said, headers=headers))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "what Starlette itself refuses, such as a form without an end"
    return problem_response(request, Problem("usage", error.status_code, f"{error.detail} Nothing was done."))


async def _gone(_request: Request, _error: Exception) -> Response:
    """Whoever asked is gone in the middle of it. Nobody reads this."""
    return Response(status_code=400)
