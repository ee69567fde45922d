"""What is live in pages: once a second, the parts of a page that have changed are sent to whoever looks at it.

All who look at the same page with the same rights share one gathering of its facts, so ten readers cost the store what one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import compile_path

from relet.clock import MINUTE
from relet.errors import ReletError
from relet.web.endpoints import BY_NAME
from relet.web.pages.frame import Frame
from relet.web.pages.page import ROOT, Facts, Page
from relet.web.perform import check
from relet.web.probes import Probes
from relet.web.problem import Problem, problem_of, too_many, unauthorized
from relet.web.render import surroundings, templates
from relet.web.visitor import Visitor

EVERY_S = 1.0
LASTS_US = MINUTE
"""Then the browser asks again, and it is looked anew whether whoever listens may still come in."""
MOST = 64
"""So many browsers are told at once; further ones see pages that stand still."""


class Source:
    """The facts of one page, gathered anew once a second as long as somebody listens."""

    def __init__(self) -> None:
        self.listeners = 0
        self.facts: Facts = {}
        self.trouble = ""
        self.ended = False
        self.told = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self, facts: Facts, trouble: str) -> None:
        """Something new is known."""
        self.facts, self.trouble = facts, trouble
        told, self.told = self.told, asyncio.Event()
        told.set()


class Live:
    """Answers browsers that want to be told what changes."""

    def __init__(self, frame: Frame, pages: Sequence[Page], probes: Probes) -> None:
        self._frame = frame
        self._pages = [(compile_path(one.path or "/")[0], one) for one in pages if one.live]
        self._probes = probes
        self._sources: dict[tuple[Any, ...], Source] = {}
        self._listening = 0

    async def answer(self, request: Request) -> Response:
        """A stream of patches. Raises Problem."""
        visitor = await self._frame.auth.visitor(request)
        if visitor is None:
            raise unauthorized("You are not signed in.")
        one, places, query = self._wanted(request.query_params.get("at", ""))
        check(BY_NAME[one.needs], visitor)
        if self._listening >= MOST:
            raise too_many(30, f"{MOST} browsers are told what changes already. This page stands still.")
        stream = self._stream(request, visitor, one, places, query)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    def _wanted(self, at: str) -> tuple[Page, Mapping[str, str], Mapping[str, str]]:
        try:
            address = urlsplit(at)
        except ValueError:
            raise Problem("not-found", 404, "There is nothing live there.") from None
        path = address.path.removeprefix(ROOT) or "/"
        for pattern, one in self._pages:
            if match := pattern.match(path):
                return one, match.groupdict(), dict(parse_qsl(address.query))
        raise Problem("not-found", 404, "There is nothing live there.")

    async def _stream(
        self, request: Request, visitor: Visitor, one: Page, places: Mapping[str, str], query: Mapping[str, str]
    ) -> AsyncGenerator[bytes]:
        key = (one.name, *sorted(places.items()), *sorted(query.items()), visitor.role, tuple(visitor.scopes))
        source = self._sources.setdefault(key, Source())
        source.listeners += 1
        self._listening += 1
        if source.task is None:
            source.task = asyncio.create_task(self._keep(key, source, visitor, one, places, query))
        around = {**surroundings(request), **self._frame.around(request, visitor), "query": query}
        around["here"] = request.query_params.get("at", "")
        try:
            yield b"retry: 300\n\n"
            async for event in self._events(source, one, around):
                yield event
        finally:
            source.listeners -= 1
            self._listening -= 1

    async def _events(self, source: Source, one: Page, around: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        sent: dict[str, str] = {}
        clock = self._frame.desk.app.clock
        until = clock.steady() + LASTS_US
        while await self._more(source) and clock.steady() < until:
            if source.trouble:
                yield _event("trouble", source.trouble)
                continue
            drawn = draw(one, {**around, **source.facts})
            news = {name: html for name, html in drawn.items() if sent.get(name) != html}
            sent.update(news)
            yield _event("patch", news) if news else b": nothing new\n\n"

    async def _more(self, source: Source) -> bool:
        """Wait for news. False: there will be none, or the server is about to stop."""
        told = asyncio.create_task(source.told.wait())
        stopping = asyncio.create_task(self._probes.stopping.wait())
        try:
            await asyncio.wait((told, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            stopping.cancel()
        return not (source.ended or self._probes.stopping.is_set())

    async def _keep(
        self,
        key: tuple[Any, ...],
        source: Source,
        visitor: Visitor,
        one: Page,
        places: Mapping[str, str],
        query: Mapping[str, str],
    ) -> None:
        """Gather, tell, wait, until nobody listens."""
        try:
            while source.listeners and not self._probes.stopping.is_set():
                try:
                    source.tell(await self._frame.facts(visitor, one, places, query), "")
                except (Problem, ReletError) as error:
                    problem = problem_of(error)
                    source.tell({}, "Not available" if problem is None else problem.detail[:200])
                except Exception:
                    source.tell({}, "A defect of Relet: open the page anew, which logs what it is.")
                    raise
                await asyncio.sleep(EVERY_S)
        finally:
            del self._sources[key]
            source.ended = True
            source.tell({}, "")


def draw(one: Page, facts: Mapping[str, Any]) -> dict[str, str]:
    """The live parts of a page as HTML, by name."""
    template = templates().get_template(one.template)
    context = template.new_context({**facts, "title": one.title, "section": one.section, "live": one.live})
    drawn = {name: "".join(template.blocks[name](context)) for name in one.live}
    return {**drawn, "nav": templates().get_template("nav.html").render(context.get_all())}


def _event(kind: str, data: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
