"""The addresses of the dashboard."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from relet.web import assets
from relet.web.auth import Auth
from relet.web.desk import Desk
from relet.web.pages import (
    access,
    api,
    costs,
    dead,
    job,
    jobs,
    limits,
    overview,
    queues,
    routines,
    webhooks,
    whole,
    workers,
)
from relet.web.pages.doing import Doing
from relet.web.pages.frame import Frame, back_to
from relet.web.pages.live import Live
from relet.web.pages.page import ROOT, Page
from relet.web.paths import cookie_path
from relet.web.probes import Probes
from relet.web.problem import Problem
from relet.web.render import DENSITIES, DENSITY_COOKIE, THEME_COOKIE, THEMES
from relet.web.visitor import Visitor

ALL: tuple[Page, ...] = (
    *overview.PAGES,
    *jobs.PAGES,
    *job.PAGES,
    *queues.PAGES,
    *workers.PAGES,
    *routines.PAGES,
    *dead.PAGES,
    *limits.PAGES,
    *webhooks.PAGES,
    *costs.PAGES,
    *access.PAGES,
    *api.PAGES,
)
"""Those with a key stand in the navigation, in this order."""


def routes(desk: Desk, auth: Auth, probes: Probes) -> list[Route]:
    """Pages, what their forms do, what is live in them, and what they are made of."""
    frame = Frame(desk, auth, ALL)

    async def root(request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + ROOT, 302)

    async def nowhere(request: Request, _visitor: Visitor) -> Response:
        raise Problem("not-found", 404, f"There is no page {request.url.path}.")

    return [
        Route("/", root),
        Route(f"{ROOT}/static/{{name}}", assets.serve),
        Route(f"{ROOT}/looks", looks, methods=["POST"]),
        Route(f"{ROOT}/events", Live(frame, ALL, probes).answer),
        Route(f"{ROOT}/do/{{name}}", frame.handler(Doing(frame).answer), methods=["POST"]),
        *(Route(f"{ROOT}{path}", frame.handler(partial(whole.answer, frame, text))) for path, text in whole.TEXTS),
        *(Route(ROOT + one.path, frame.handler(partial(_shown, frame, one))) for one in ALL),
        Route(f"{ROOT}/{{rest:path}}", frame.handler(nowhere)),
    ]


async def _shown(frame: Frame, one: Page, request: Request, visitor: Visitor) -> Response:
    return await frame.show(request, visitor, one)


async def looks(request: Request) -> Response:
    """How this browser wants pages to look. Nothing but its own cookies is changed."""
    form = await request.form()
    response = back_to(request, str(form.get("back", ROOT)))
    for name, cookie, known in (("theme", THEME_COOKIE, THEMES), ("density", DENSITY_COOKIE, DENSITIES)):
        if name in form:
            value = str(form[name]) if form[name] in known else ""
            response.set_cookie(cookie, value, path=cookie_path(request), samesite="lax", max_age=31_536_000)
    return response
