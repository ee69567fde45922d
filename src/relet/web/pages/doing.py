"""What forms do: each one uses an endpoint, in the one way in which all are used. JavaScript is not needed.

What changes many things, or takes something away for good, is asked back first: with how many it would be, and, if they are
many, with a word to be typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from relet.shapes.words import plural
from relet.web.api import converted, lists_of
from relet.web.auth import CSRF_FIELD
from relet.web.endpoint import Endpoint, Input
from relet.web.endpoints import BY_NAME
from relet.web.pages.edited import json_object, patch_of
from relet.web.pages.frame import Frame, back_to
from relet.web.pages.page import ROOT
from relet.web.perform import check, perform
from relet.web.problem import Problem
from relet.web.visitor import Visitor

ASKED_BACK = frozenset(
    ("jobs.cancel", "jobs.delete", "dead.delete", "workers.drain", "workers.stop", "queues.drain", "queues.unlimit")
) | frozenset(
    (
        "routines.delete",
        "schedules.delete",
        "webhooks.delete",
        "webhooks.rotate",
        "limits.forget",
        "budgets.forget",
        "tokens.revoke",
        "breakers.open",
    )
)
"""Acts on one thing that are asked back. Those on many that can be tried first always are."""

TYPED_ABOVE = 1_000
"""Of more things than this, the verb has to be typed."""

CHOSEN = frozenset(("ids", "causes"))
"""Fields that name what somebody has selected. A form for selected things that selects none is not one for all things."""

_OURS = frozenset((CSRF_FIELD, "back", "sure", "typed", "chosen", "note_for_audit", "edited", "shown"))
"""Fields of the form itself, not of the endpoint."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a form says."""

    endpoint: Endpoint
    fields: Mapping[str, Any]
    """For the endpoint."""
    back: str
    sure: bool
    typed: str
    reason: str

    @property
    def verb(self) -> str:
        """What is done, in one word."""
        return self.endpoint.name.partition(".")[2].partition("-")[0]

    @property
    def tries(self) -> bool:
        """Whether the endpoint can say what it would do."""
        return "dry_run" in self.endpoint.takes.__struct_fields__

    @property
    def asks_back(self) -> bool:
        """Whether it is asked back."""
        return not self.sure and (self.tries or self.endpoint.name in ASKED_BACK)

    def given(self, **more: Any) -> Input:
        """What the endpoint takes. Raises Problem."""
        return converted({**self.fields, **more}, self.endpoint.takes)


class Doing:
    """The one handler of all forms."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    async def answer(self, request: Request, visitor: Visitor) -> Response:
        """Do what the form says, or ask back. Raises Problem."""
        data = await request.form(max_fields=2_000)
        self._frame.auth.check_change(request, visitor, str(data.get(CSRF_FIELD, "")))
        form = _form(request.path_params["name"], data)
        check(form.endpoint, visitor)
        if "chosen" in data and not form.fields.keys() & CHOSEN:
            return back_to(request, form.back, "Nothing was selected, so nothing was done.")
        if form.asks_back:
            return await self._ask(request, visitor, form)
        if form.tries:
            await self._check_typed(visitor, form)
        _, body = await perform(self._frame.desk, form.endpoint, visitor, form.given(), reason=form.reason)
        return self._tell(request, visitor, form, msgspec.json.decode(body))

    async def _ask(self, request: Request, visitor: Visitor, form: Form) -> Response:
        many = await self._how_many(visitor, form) if form.tries else None
        if many == 0:
            return back_to(request, form.back, f"Nothing matches, so nothing was done ({form.verb}).")
        return self._frame.page(
            request,
            visitor,
            "confirm.html",
            title=f"{form.verb.capitalize()}?",
            section="",
            live=(),
            badges={},
            now="",
            form=form,
            many=many,
            typed=many is not None and many > TYPED_ABOVE,
            takes_reason="reason" in form.endpoint.takes.__struct_fields__,
        )

    async def _how_many(self, visitor: Visitor, form: Form) -> int:
        _, body = await perform(self._frame.desk, form.endpoint, visitor, form.given(dry_run=True))
        answer = msgspec.json.decode(body)
        return int(answer.get("matched", answer.get("purged", len(answer.get("jobs", ())))))

    async def _check_typed(self, visitor: Visitor, form: Form) -> None:
        if form.typed == form.verb:
            return
        many = await self._how_many(visitor, form)
        if many > TYPED_ABOVE:
            raise Problem(
                "not-confirmed",
                400,
                f"{many:,} match. Go back and type {form.verb!r} to {form.verb} them. Nothing was done.",
            )

    def _tell(self, request: Request, visitor: Visitor, form: Form, answer: dict[str, Any]) -> Response:
        if answer.get("refused") or answer.get("more") or "token" in answer or answer.get("secret"):
            return self._frame.page(
                request,
                visitor,
                "done.html",
                title="Done",
                section="",
                live=(),
                badges={},
                now="",
                form=form,
                answer=answer,
            )
        if form.endpoint.name in ("jobs.enqueue", "jobs.run-again"):
            said = "Enqueued." if answer["created"] else "A job that was there before holds the unique key: this one."
            return back_to(request, f"{ROOT}/jobs/{quote(answer['id'])}", said)
        return back_to(request, form.back, _said(form, answer))


def _said(form: Form, answer: Mapping[str, Any]) -> str:
    if "matched" in answer:
        return f"Done: {form.verb}, {plural(answer['done'], 'job')}."
    if "purged" in answer:
        return f"Done: {plural(answer['purged'], 'job')} of {answer['queue']} cancelled."
    subject = str(next((form.fields[name] for name in form.endpoint.places if name in form.fields), ""))
    if why := answer.get("why"):
        return f"Not done: {why}."
    return f"Done: {answer.get('did') or form.verb}{f' {subject}' if subject else ''}."


def _form(name: str, data: FormData) -> Form:
    endpoint = BY_NAME.get(name)
    if endpoint is None or not endpoint.changes:
        raise Problem("not-found", 404, f"There is no act {name!r}. Nothing was done.")
    many = lists_of(endpoint.takes)
    fields: dict[str, Any] = {
        field: data.getlist(field) if field in many else str(value)
        for field, value in data.items()
        if field not in _OURS and value != "" and field in endpoint.takes.__struct_fields__
    }
    for field in ("args", "patch"):
        if field in fields:
            fields[field] = json_object(fields[field], field)
    if "edited" in data:
        fields["patch"] = patch_of(str(data["edited"]), str(data.get("shown", "{}")))
    return Form(
        endpoint,
        fields,
        back=str(data.get("back", ROOT)),
        sure=data.get("sure") == "yes",
        typed=str(data.get("typed", "")).strip().lower(),
        reason=str(data.get("reason") or data.get("note_for_audit") or "")[:2_000],
    )
