"""The one way to use an endpoint, for the API and for pages: who may, what is written down, and what is counted once."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from relet.clock import SECOND
from relet.errors import OutcomeUnknown, StoreError
from relet.job.redact import Redactor
from relet.job.textsafe import clip, describe, storable
from relet.store.port import Store
from relet.web.desk import Desk
from relet.web.endpoint import Call, Endpoint, Input, Trace
from relet.web.problem import Problem, forbidden, invalid, problem_of
from relet.web.visitor import Visitor

ASKED_CHARS = 4_000
KEY_CHARS = 255
REASON_CHARS = 1_000

ACT_PATIENCE_US = 30 * SECOND
"""How long an act may take at the store: longer than `relet.web.endpoints.bulk` works at one request."""

_REDACTOR = Redactor()


def check(endpoint: Endpoint, visitor: Visitor) -> None:
    """Raise a problem, if they may not use it."""
    if visitor.may(endpoint.name, endpoint.role):
        return
    if visitor.role < endpoint.role:
        why = f"{endpoint.name} is for the role {endpoint.role.word}, and you have the role {visitor.role.word}"
    else:
        why = f"{endpoint.name} is not among what your token is for ({', '.join(visitor.scopes)})"
    raise forbidden(f"{why}. Nothing was done.")


async def perform(
    desk: Desk, endpoint: Endpoint, visitor: Visitor, given: Input, *, reason: str = "", key: str = ""
) -> tuple[int, bytes]:
    """Use an endpoint: the status and the JSON of its answer. Raises Problem, and what the endpoint raises.

    A request with a key is done once: the same one again gets the first one's answer. A key is each visitor's own.
    """
    check(endpoint, visitor)
    job_id = desk.app.ids.job()

    def work(store: Store) -> tuple[int, bytes]:
        def run(used: bytes) -> bytes:
            return _audited(Call(desk.app, store, visitor, used), endpoint, given, reason)

        if endpoint.shared:
            said = endpoint.name, msgspec.json.encode(given)
            return endpoint.status, desk.recent.get(said, lambda: run(job_id))
        if not endpoint.changes:
            return endpoint.status, run(job_id)
        try:
            return _once(store, endpoint, visitor, given, key, job_id, run) if key else (endpoint.status, run(job_id))
        finally:
            desk.recent.forget()

    if endpoint.changes:
        return await desk.run(work, ACT_PATIENCE_US, late=OutcomeUnknown)
    return await desk.run(work)


def _once(
    store: Store,
    endpoint: Endpoint,
    visitor: Visitor,
    given: Input,
    key: str,
    job_id: bytes,
    run: Callable[[bytes], bytes],
) -> tuple[int, bytes]:
    if len(key) > KEY_CHARS or not key.isprintable():
        raise invalid(f"The Idempotency-Key is longer than {KEY_CHARS} characters, or not printable. Nothing was done.")
    scope = f"{visitor.via}:{visitor.name}"
    request = sha256(endpoint.name.encode() + b"\0" + msgspec.json.encode(given, order="sorted")).hexdigest()
    row = store.begin_once(scope, key, request, job_id)
    if row.request != request:
        raise Problem(
            "key-reused",
            422,
            f"The Idempotency-Key {key!r} was used for another request. Nothing was done; use a new key.",
        )
    if row.status is not None:
        return row.status, (row.answer or "").encode()
    answer = run(row.job_id)
    store.end_once(scope, key, endpoint.status, _REDACTOR.json(answer.decode()))  # a new token is told once
    return endpoint.status, answer


def _audited(call: Call, endpoint: Endpoint, given: Input, reason: str) -> bytes:
    """Run it; an act is written down before and after."""
    if not endpoint.changes or getattr(given, "dry_run", False):
        return msgspec.json.encode(endpoint.run(call, given))
    visitor, audit_id = call.visitor, call.app.ids.job()
    asked = clip(_REDACTOR.json(msgspec.json.encode(given).decode()), ASKED_CHARS)
    why = storable(clip(_REDACTOR.text(reason), REASON_CHARS))
    call.store.begin_audit(
        audit_id, visitor.name, visitor.role.word, visitor.via, endpoint.name, endpoint.subject(given), asked, why
    )
    try:
        answer = msgspec.json.encode(endpoint.run(call, given))
    except OutcomeUnknown:
        raise  # nobody knows, and a row without an outcome says so
    except Exception as error:
        problem = None if isinstance(error, StoreError) else problem_of(error)
        outcome = f"refused: {problem.detail}" if problem else f"failed: {describe(error)}"
        _end(call, audit_id, clip(_REDACTOR.text(outcome), 500), Trace())
        raise
    _end(call, audit_id, "done", call.trace)
    return answer


def _end(call: Call, audit_id: bytes, outcome: str, trace: Trace) -> None:
    call.store.end_audit(audit_id, outcome, trace.done, _json(trace.was), _json(trace.became))


def _json(value: Any) -> str | None:
    return None if value is None else clip(_REDACTOR.json(msgspec.json.encode(value).decode()), ASKED_CHARS)
