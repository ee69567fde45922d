"""`POST /hooks/{name}`: events of others become jobs. A signature says who sends them; nobody signs in for that."""

from __future__ import annotations

from datetime import UTC
from hashlib import sha256
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relet.clock import SECOND
from relet.errors import NotFound
from relet.inbound import Hook, received
from relet.job.inbound import Event, Forged, verified
from relet.job.moment import from_at
from relet.shapes.records import uuid_text
from relet.store.port import Store
from relet.web.desk import Desk
from relet.web.problem import Problem


def routes(desk: Desk) -> list[Route]:
    """The one route."""

    async def receive(request: Request) -> Response:
        name = request.path_params["name"]
        hook = desk.app.inbound_hooks.get(name)
        if hook is None:
            raise NotFound(f"There is no hook {name!r} here. Nothing was enqueued.")
        body, headers = await request.body(), dict(request.headers)
        try:
            event = verified(hook.style, hook.keys, headers, body, desk.app.clock.now() // SECOND, hook.header)
        except Forged as error:
            raise Problem("forged", 401, str(error)) from None
        job_id, created = await desk.run(lambda store: _enqueued(desk, store, hook, event, body, headers))
        return JSONResponse({"job_id": uuid_text(job_id), "created": created}, 202 if created else 200)

    return [Route("/hooks/{name}", receive, methods=["POST"], name="hook")]


def _enqueued(
    desk: Desk, store: Store, hook: Hook, event: Event, body: bytes, headers: dict[str, str]
) -> tuple[bytes, bool]:
    """The job of an event, and whether it is new. The event is remembered with the id of its job before that is made, so
    that one whose answer was lost makes no second one."""
    app, scope = desk.app, f"hook:{hook.name}"
    key = sha256(event.key.encode()).hexdigest()
    row = store.begin_once(scope, key, "", app.ids.job())
    if row.status is not None:
        return row.job_id, False
    given = received(hook, event.id, event.type, from_at(app.clock.now()).astimezone(UTC), body, headers)
    app.enqueue_by_name(hook.task.name, {hook.parameter: msgspec.to_builtins(given)}, job_id=UUID(bytes=row.job_id))
    store.end_once(scope, key, 202, "")
    return row.job_id, True
