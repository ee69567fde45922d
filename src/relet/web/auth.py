"""Who comes in: by token, by a signed-in browser, or, on loopback alone, without a word.

A browser speaks for whoever signed in, also when another site makes it speak: so with a change it has to say what only our
own pages know, and where the browser says that another site is behind a request, it is refused whatever else it brings.
"""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from relet.clock import SECOND, Clock, secret
from relet.store.port import Store
from relet.web import tokens
from relet.web.attempts import Attempts
from relet.web.desk import Desk
from relet.web.paths import cookie_path
from relet.web.problem import forbidden, too_many
from relet.web.visitor import Role, Visitor

T = TypeVar("T")

COOKIE = "relet_visit"
CSRF_HEADER = "x-relet-csrf"
CSRF_FIELD = "csrf"

Identify = Callable[[Request], "Visitor | Awaitable[Visitor | None] | None"]
"""How the application around us says who makes a request."""


class Auth:
    """Says who makes a request, and signs browsers in and out."""

    def __init__(
        self, desk: Desk, clock: Clock, *, open_to_all: bool = False, identify: Identify | None = None
    ) -> None:
        self.open_to_all = open_to_all
        """Whoever can reach the server may do everything: for loopback."""
        self._desk = desk
        self._clock = clock
        self._identify = identify
        self._key = secret(24).encode()
        self._attempts = Attempts()

    async def visitor(self, request: Request) -> Visitor | None:
        """Who makes this request; None: they have not said, or not rightly. Raises Problem after too many wrong tokens."""
        if (text := bearer(request)) is not None:
            token = await self._found(request, text, lambda store: store.find_token(tokens.hash_of(text)))
            return None if token is None else tokens.visitor_of(token, "token")
        if self._identify is not None:
            return await self._identified(request, self._identify)
        if cookie := request.cookies.get(COOKIE):
            visit = await self._desk.run(lambda store: store.find_visit(tokens.hash_of(cookie)))
            if visit is not None:
                return tokens.visitor_of(visit.token, "browser", visit.csrf)
        if self.open_to_all:
            return Visitor("local", Role.ADMIN, "open", csrf=self._csrf_of("local"))
        return None

    async def _identified(self, request: Request, identify: Identify) -> Visitor | None:
        found = identify(request)
        visitor = await found if inspect.isawaitable(found) else found
        if visitor is None or visitor.csrf:
            return visitor
        return Visitor(visitor.name, visitor.role, visitor.via, visitor.scopes, self._csrf_of(visitor.name))

    def _csrf_of(self, name: str) -> str:
        """Of somebody for whom nothing is kept: each has their own, and it is good in this process."""
        return hmac.new(self._key, name.encode(), "sha256").hexdigest()

    def check_change(self, request: Request, visitor: Visitor, said: str | None) -> None:
        """Raise a problem for a change that a browser was made to ask for by another site. `said`: what its form says."""
        if visitor.via == "token":
            return
        _check_site(request)
        said = said or request.headers.get(CSRF_HEADER, "")
        if said and hmac.compare_digest(said.encode(), visitor.csrf.encode()):
            return
        if visitor.via == "open" and not said and "origin" not in request.headers and "cookie" not in request.headers:
            return  # no browser: one sends where a change comes from
        raise forbidden("The page is too old, or not ours: open it anew and try again. Nothing was done.")

    # ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────
    async def sign_in(self, request: Request, text: str) -> tokens.Visit | None:
        """Sign a browser in by a token. None: it is none that is good."""

        def enter(store: Store) -> tokens.Visit | None:
            token = store.find_token(tokens.hash_of(text))
            return None if token is None else tokens.open_visit(store, token)

        _check_site(request)
        return await self._found(request, text, enter)

    async def redeem(self, request: Request, text: str) -> tokens.Visit | None:
        """Sign a browser in by a link, which that uses up."""
        _check_site(request)
        return await self._found(request, text, lambda store: tokens.redeem(store, text))

    async def _found(self, request: Request, text: str, find: Callable[[Store], T | None]) -> T | None:
        """What is good lets in also while others at this address have to wait: it may be that of a proxy."""
        found = await self._desk.run(find) if text else None
        if found is None:
            self._check_attempts(request)
            self._attempts.failed(_address(request), self._clock.steady())
        return found

    def _check_attempts(self, request: Request) -> None:
        if wait_us := self._attempts.wait_us(_address(request), self._clock.steady()):
            seconds = wait_us // SECOND + 1
            raise too_many(seconds, f"Too many wrong tokens came from {_address(request)}. Try again in {seconds} s.")

    async def sign_out(self, request: Request, response: Response) -> None:
        """End the sign-in of this browser."""
        if cookie := request.cookies.get(COOKIE):
            await self._desk.run(lambda store: store.end_visit(tokens.hash_of(cookie)))
        response.delete_cookie(COOKIE, path=cookie_path(request))

    def remember(self, request: Request, response: Response, visit: tokens.Visit) -> None:
        """Give the browser its cookie. Pages of other sites do not send it with changes, and scripts cannot read it."""
        response.set_cookie(
            COOKIE,
            visit.cookie,
            max_age=tokens.VISIT_LASTS_US // SECOND,
            path=cookie_path(request),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def bearer(request: Request) -> str | None:
    """The token that a request bears; None: it bears none."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _check_site(request: Request) -> None:
    if _from_elsewhere(request):
        raise forbidden("The browser says that another site is behind this request. Nothing was done.")


def _from_elsewhere(request: Request) -> bool:
    """What browsers say themselves counts first (Fetch Metadata): a proxy before us may have changed the name of the host."""
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.rpartition("://")[2] != request.headers.get("host", "")
