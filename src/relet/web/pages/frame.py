"""What surrounds every page: signing in, the navigation, what was just done, and what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from relet.errors import ReletError
from relet.job.redact import Redactor
from relet.shapes import records
from relet.store.port import Store
from relet.store.rows import DeadFilter
from relet.web.auth import Auth
from relet.web.desk import Desk
from relet.web.endpoint import Call
from relet.web.endpoints import BY_NAME
from relet.web.pages.page import ROOT, Facts, Look, Page
from relet.web.paths import cookie_path
from relet.web.perform import check
from relet.web.problem import Problem, problem_of
from relet.web.render import page
from relet.web.signing import to_sign_in
from relet.web.visitor import Visitor
from relet.web.words import CAP

FLASH_COOKIE = "relet_said"
MOST_SAID = 600

Shown = Callable[[Request, Visitor], Awaitable[Response]]

_REDACTOR = Redactor()


class Frame:
    """Shows pages, to those who may see them."""

    def __init__(self, desk: Desk, auth: Auth, pages: Sequence[Page]) -> None:
        self.desk = desk
        self.auth = auth
        self._navigation = [one for one in pages if one.key]

    def handler(self, shown: Shown) -> Callable[[Request], Awaitable[Response]]:
        """A handler that lets people in, and tells what went wrong as a page."""

        async def handle(request: Request) -> Response:
            try:
                visitor = await self.auth.visitor(request)
                return to_sign_in(request) if visitor is None else await shown(request, visitor)
            except (Problem, ReletError) as error:
                problem = problem_of(error)
                assert problem is not None, "these kinds of error are problems"
                return told(request, problem)

        return handle

    async def show(self, request: Request, visitor: Visitor, one: Page) -> Response:
        """One page."""
        facts = await self.gathered(request, visitor, one)
        return self.page(request, visitor, one.template, title=one.title, section=one.section, live=one.live, **facts)

    async def gathered(self, request: Request, visitor: Visitor, one: Page) -> Facts:
        """The facts of a page as a request asks for it. Raises Problem, and what the store raises."""
        return await self.facts(visitor, one, request.path_params, dict(request.query_params))

    async def facts(self, visitor: Visitor, one: Page, places: Mapping[str, str], query: Mapping[str, str]) -> Facts:
        """The facts of a page. Raises Problem, and what the store raises."""
        check(BY_NAME[one.needs], visitor)

        def work(store: Store) -> Facts:
            look = Look(Call(self.desk.app, store, visitor, b""), query, places)
            return {"now": records.time_text(store.now()), "badges": badges(look), **one.gather(look)}

        asked = one.name, frozenset(places.items()), frozenset(query.items()), visitor.role, tuple(visitor.scopes)
        return await self.desk.run(lambda store: self.desk.recent.get(asked, lambda: work(store)))

    def page(self, request: Request, visitor: Visitor, template: str, status: int = 200, /, **facts: Any) -> Response:
        """A template with all that surrounds it."""
        response = page(request, template, status, **self.around(request, visitor), **facts)
        if FLASH_COOKIE in request.cookies:
            response.delete_cookie(FLASH_COOKIE, path=cookie_path(request))
        return response

    def around(self, request: Request, visitor: Visitor) -> Mapping[str, Any]:
        """What the templates of pages know, beside their own facts."""
        return {
            "base": request.scope.get("root_path", "") + ROOT,
            "visitor": visitor,
            "may": partial(may, visitor),
            "navigation": [one for one in self._navigation if may(visitor, one.needs)],
            "origin": f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}",
            "here": here(request),
            "query": dict(request.query_params),
            "said": unquote(request.cookies.get(FLASH_COOKIE, "")),
            "cap": CAP,
        }


def told(request: Request, problem: Problem) -> Response:
    """What went wrong, as a page that needs nothing of the store."""
    base, detail = request.scope.get("root_path", "") + ROOT, _REDACTOR.text(problem.detail)
    response = page(request, "problem.html", problem.status, base=base, problem=problem, detail=detail)
    response.headers.update(problem.headers)
    return response


def is_page(request: Request) -> bool:
    """Whether a request is for a page, or from one."""
    return here(request).startswith(ROOT)


def may(visitor: Visitor, name: str) -> bool:
    """Whether they may use an endpoint."""
    return visitor.may(name, BY_NAME[name].role)


def badges(look: Look) -> Facts:
    """The numbers beside the navigation: what needs a person."""
    insights, found = look.call.store.insights, Facts()
    if look.may("dead.list"):
        found["dead"] = insights.dead_count(DeadFilter(resolved=False), CAP)
    if look.may("breakers.list"):
        found["limits"] = sum(row.status.opened_at is not None for row in insights.breakers())
    return found


def back_to(request: Request, place: str, said: str = "") -> Response:
    """Send the browser to a page of ours, where it is told what was done."""
    ours = place.startswith("/") and not place.startswith("//") and "\\" not in place
    response = RedirectResponse(request.scope.get("root_path", "") + (place if ours else ROOT), 303)
    if said:
        response.set_cookie(
            FLASH_COOKIE, quote(said[:MOST_SAID]), path=cookie_path(request), httponly=True, samesite="lax", max_age=60
        )
    return response


def here(request: Request) -> str:
    """The address of a page below the root, with its query."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return f"{path}?{request.url.query}" if request.url.query else path
