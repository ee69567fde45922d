"""Addresses of the site, wherever it is mounted."""

from __future__ import annotations

from starlette.requests import Request


def cookie_path(request: Request) -> str:
    """Where our cookies hold: below the root of the site, and nowhere else on the host."""
    return request.scope.get("root_path", "") or "/"
