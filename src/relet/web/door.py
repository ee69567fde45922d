"""What every request passes: whether it may be for us, how much it may send; and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relet.web.problem import MEDIA_TYPE, Problem, too_large

TOLD = "relet.told"
"""In the scope of a request: its error has been answered and logged."""

MAX_BODY_BYTES = 4 * 1024 * 1024

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Door:
    """Middleware around everything."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = (), max_body_bytes: int = MAX_BODY_BYTES) -> None:
        """`hosts`: under which names the server is to be asked; any, when empty. On loopback this keeps out pages of other
        sites whose names were made to point here (DNS rebinding)."""
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._most = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message))
            await send(message)

        if problem := self._refusal(Headers(scope=scope)):
            await _told(problem, scope, receive, with_headers)
            return
        try:
            await self._app(scope, _Bounded(receive, self._most), with_headers)
        except Exception:
            if TOLD not in scope:
                raise  # in the middle of an answer: the server cuts it off

    def _refusal(self, headers: Headers) -> Problem | None:
        try:
            host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            return Problem("host", 400, "The Host header is no name of a host. Nothing was done.")
        if self._hosts and host not in self._hosts:
            return Problem(
                "host",
                421,
                f"This server does not answer to the name {host!r}. Allow it with: relet web --allow-host {host}",
            )
        length = headers.get("content-length", "0")
        return too_large(self._most) if not length.isdecimal() or int(length) > self._most else None


class _Bounded:
    """What a client sends, up to a bound, whatever it has said about it."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most
        self._most = most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large(self._most)
        return message


def _complete(headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")


async def _told(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    response = Response(problem.body(scope["path"]), problem.status, problem.headers, MEDIA_TYPE)
    await response(scope, receive, send)
