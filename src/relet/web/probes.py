"""Probes for whoever runs this server: is it alive, has it started, can it serve?"""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relet.clock import SECOND
from relet.web.desk import Desk

READY_WITHIN_US = 2 * SECOND


class Probes:
    """`/livez`, `/readyz` and `/startupz`. They ask nobody who they are, and tell nothing but that."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._started = False
        self.stopping = asyncio.Event()
        """The server is about to stop: send it nothing more, and end what goes on."""

    def drain(self) -> None:
        """It is."""
        self.stopping.set()

    def routes(self) -> list[Route]:
        """Theirs."""
        return [
            Route("/livez", self.live, name="livez"),
            Route("/readyz", self.ready, name="readyz"),
            Route("/startupz", self.started, name="startupz"),
        ]

    async def live(self, _request: Request) -> Response:
        """Its event loop turns."""
        return _said(True, "alive")

    async def ready(self, _request: Request) -> Response:
        """It can serve: the store answers, its schema is ours, and we are not about to stop."""
        if self.stopping.is_set():
            return _said(False, "stopping")
        return await self._look()

    async def started(self, _request: Request) -> Response:
        """It could serve once; from then on, this stays so."""
        return _said(True, "started") if self._started else await self._look()

    async def _look(self) -> Response:
        try:
            await self._desk.run(lambda store: store.now(), READY_WITHIN_US)
        except Exception as error:  # noqa: BLE001  whatever it is, we cannot serve
            return _said(False, f"it cannot serve: {type(error).__name__}")  # more is not for everybody
        self._started = True
        return _said(True, "ready")


def _said(good: bool, why: str) -> Response:
    return Response(msgspec.json.encode({"ok": good, "why": why}), 200 if good else 503, media_type="application/json")
