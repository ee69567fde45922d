"""The style sheet, the script and the icon. Their addresses change with them, so browsers may keep them for good."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from relet.web.problem import Problem

KINDS = {
    "relet.css": "text/css; charset=utf-8",
    "relet.js": "text/javascript; charset=utf-8",
    "relet.svg": "image/svg+xml",
}


async def serve(request: Request) -> Response:
    """One of these files."""
    name = request.path_params["name"]
    if name not in KINDS:
        raise Problem("not-found", 404, f"There is nothing at {request.url.path}.")
    same = request.query_params.get("v") == version()
    kept = "public, max-age=31536000, immutable" if same else "no-cache"
    return Response(content(name), media_type=KINDS[name], headers={"cache-control": kept})


@cache
def content(name: str) -> bytes:
    """Its bytes."""
    return files("relet.web").joinpath("static", name).read_bytes()


@cache
def version() -> str:
    """Changes when one of them does."""
    return blake2b(b"".join(content(name) for name in KINDS), digest_size=6).hexdigest()
