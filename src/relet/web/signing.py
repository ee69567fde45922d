"""Signing in and out: by a token, or by a link that is used once."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from relet.web.auth import CSRF_FIELD, Auth
from relet.web.problem import forbidden, unauthorized
from relet.web.render import page


def routes(auth: Auth) -> list[Route]:
    """`/sign-in` and `/sign-out`."""

    async def show(request: Request) -> Response:
        return page(request, "sign_in.html", why="")

    async def link(request: Request) -> Response:
        """A click, not a look: what only fetches links (chat previews, scanners) must not use them up."""
        return page(request, "sign_in_link.html", code=request.query_params.get("code", ""))

    async def enter(request: Request) -> Response:
        form = await request.form()
        text, code = str(form.get("token", "")), str(form.get("code", ""))
        visit = await (auth.redeem(request, code) if code else auth.sign_in(request, text.strip()))
        if visit is None:
            why = "This link has been used, or is over." if code else "This token is not known, or not good any more."
            return page(request, "sign_in.html", 401, why=why)
        response = RedirectResponse(_inside(request), 303)
        auth.remember(request, response, visit)
        return response

    async def leave(request: Request) -> Response:
        visitor = await auth.visitor(request)
        if visitor is None:
            raise unauthorized("You are not signed in.")
        if visitor.via != "browser":
            raise forbidden("There is nothing to sign out of.")
        form = await request.form()
        auth.check_change(request, visitor, str(form.get(CSRF_FIELD, "")))
        response = RedirectResponse("sign-in", 303)
        await auth.sign_out(request, response)
        return response

    return [
        Route("/sign-in", show, methods=["GET"], name="sign-in"),
        Route("/sign-in", enter, methods=["POST"]),
        Route("/sign-in/link", link, methods=["GET"], name="sign-in-link"),
        Route("/sign-out", leave, methods=["POST"], name="sign-out"),
    ]


def to_sign_in(request: Request) -> RedirectResponse:
    """Send a browser to the sign-in, and from there back to where it wanted to go."""
    back = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return RedirectResponse(f"{request.scope.get('root_path', '')}/sign-in?to={quote(back)}", 303)


def _inside(request: Request) -> str:
    """Where it goes after signing in: a page of ours, whatever the address says."""
    wanted = request.query_params.get("to", "/")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
    return request.scope.get("root_path", "") + (wanted if ours else "/")
