"""Texts that are too long for their page, whole: arguments, results, stacks, and dead letters for export. Secrets stay hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from relet.errors import NotFound
from relet.job.redact import Redactor
from relet.store.port import Store
from relet.web.endpoint import Call
from relet.web.endpoints import BY_NAME
from relet.web.endpoints.jobs import job_of
from relet.web.pages.frame import Frame
from relet.web.pages.page import Look
from relet.web.perform import check
from relet.web.visitor import Visitor

MOST_EXPORTED = 10_000
PAGE = 500
FILTERS = ("task", "queue", "reason", "error", "resolved")

_REDACTOR = Redactor()

Text = Callable[[Look], str]


async def answer(frame: Frame, text: tuple[str, Text], request: Request, visitor: Visitor) -> Response:
    """The text, as a file that the browser shows or keeps."""
    needs, make = text
    check(BY_NAME[needs], visitor)
    query, places = dict(request.query_params), dict(request.path_params)

    def work(store: Store) -> str:
        return make(Look(Call(frame.desk.app, store, visitor, b""), query, places))

    return Response(await frame.desk.run(work), media_type="text/plain; charset=utf-8")


def arguments(look: Look) -> str:
    """All arguments of a job."""
    return _REDACTOR.json(job_of(look.call.store, look.places["id"]).args)


def result(look: Look) -> str:
    """All that a job returned."""
    found = job_of(look.call.store, look.places["id"]).result
    return "" if found is None else _REDACTOR.json(found)


def stack(look: Look) -> str:
    """The error and the stack of one attempt."""
    job = job_of(look.call.store, look.places["id"])
    for attempt in look.call.store.insights.attempts(job.id):
        if str(attempt.epoch) == look.places["claim"]:
            return _REDACTOR.text(f"{attempt.error}\n\n{attempt.stack}")
    raise NotFound(f"There is no ended claim {look.places['claim']} of this job.")


def letters(look: Look) -> str:
    """Dead letters as JSON lines: those of a cause, or all that match."""
    asked: dict[str, Any] = {name: look.query[name] for name in FILTERS if look.asked(name)}
    if cause := look.asked("cause"):
        asked["causes"] = [cause]
    lines: list[str] = []
    while len(lines) < MOST_EXPORTED:
        page = look.read("dead.list", **asked, limit=PAGE)
        lines += [msgspec.json.encode(letter).decode() for letter in page["dead"]]
        if page["next"] is None:
            break
        asked["before"] = page["next"]
    return "".join(f"{line}\n" for line in lines)


TEXTS: tuple[tuple[str, tuple[str, Text]], ...] = (
    ("/jobs/{id}/args", ("jobs.show", arguments)),
    ("/jobs/{id}/result", ("jobs.show", result)),
    ("/jobs/{id}/attempts/{claim}", ("jobs.show", stack)),
    ("/dead/export", ("dead.list", letters)),
)
"""Their addresses, who may read them, and what they are."""
