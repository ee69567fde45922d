"""The HTTP API: endpoints as routes. Answers are JSON, errors `application/problem+json`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache
from hashlib import blake2b
from itertools import groupby
from typing import Any, cast, get_args, get_origin

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relet.web.auth import Auth
from relet.web.desk import Desk
from relet.web.endpoint import Endpoint, Input
from relet.web.perform import check, perform
from relet.web.problem import MEDIA_TYPE, Problem, invalid, unauthorized

ROOT = "/api/v1"
KEY_HEADER = "idempotency-key"
REASON_HEADER = "x-relet-reason"
JSON = "application/json"

Handler = Callable[[Request], Awaitable[Response]]


def routes(desk: Desk, auth: Auth, endpoints: Iterable[Endpoint]) -> list[Route]:
    """A route for each path, so that a method it does not know is told which ones it does."""
    ordered = sorted(endpoints, key=_path_order)
    return [_route(desk, auth, path, list(group)) for path, group in groupby(ordered, key=lambda one: one.path)]


def _path_order(endpoint: Endpoint) -> tuple[int, str]:
    """Paths with fewer places first: `/jobs/cancel` before `/jobs/{id}`."""
    return len(endpoint.places), endpoint.path


def _route(desk: Desk, auth: Auth, path: str, endpoints: list[Endpoint]) -> Route:
    by_method = {endpoint.method: endpoint for endpoint in endpoints}

    async def handle(request: Request) -> Response:
        return await answer(request, by_method["GET" if request.method == "HEAD" else request.method], desk, auth)

    return Route(ROOT + path, handle, methods=list(by_method), name=endpoints[0].name)


async def answer(request: Request, endpoint: Endpoint, desk: Desk, auth: Auth) -> Response:
    """Use an endpoint as a request asks. Raises Problem."""
    visitor = await auth.visitor(request)
    if visitor is None:
        raise unauthorized(
            "Send a token: `Authorization: Bearer relet_…`. An admin makes one with: relet tokens add NAME"
        )
    check(endpoint, visitor)
    if endpoint.changes:
        auth.check_change(request, visitor, None)
    given = await taken(request, endpoint)
    reason = request.headers.get(REASON_HEADER, "")
    key = request.headers.get(KEY_HEADER, "")
    status, body = await perform(desk, endpoint, visitor, given, reason=reason, key=key)
    response = Response(body, status, media_type=JSON)
    return response if endpoint.changes else _unless_known(request, response)


def _unless_known(request: Request, response: Response) -> Response:
    """With an ETag; without a body, if the client has it already."""
    tag = f'W/"{blake2b(bytes(response.body), digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if tag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


async def taken(request: Request, endpoint: Endpoint) -> Input:
    """What the path, the query and the body say together, checked. Raises Problem."""
    found: dict[str, Any] = {}
    many = lists_of(endpoint.takes)
    for name in request.query_params:
        values = request.query_params.getlist(name)
        if len(values) > 1 and name not in many:
            raise invalid(f"The query says {name} {len(values)} times. Say it once. Nothing was done.")
        found[name] = values if name in many else values[0]
    for name, value in (await _body(request)).items() if endpoint.changes else ():
        if name in found:
            raise invalid(f"Both the query and the body say {name}. Nothing was done.")
        found[name] = value
    for name, value in request.path_params.items():
        if name in found:
            raise invalid(f"{name} is said by the path. Leave it out elsewhere. Nothing was done.")
        found[name] = value
    return converted(found, endpoint.takes)


def converted(found: Mapping[str, Any], kind: type[Input]) -> Input:
    """Values by name as the input that they are to be. Texts may stand for numbers and booleans. Raises Problem."""
    if name := next((name for name, value in found.items() if _has_nul(value)), None):
        raise invalid(
            f"{name} holds a NUL character. Nothing was done.", [{"field": name, "detail": "a NUL character"}]
        )
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `$")
        where = place.strip("`.") if place else ""
        known = ", ".join(kind.__struct_fields__) or "nothing"
        raise invalid(
            f"{said}{f' at {where}' if where else ''}. It takes: {known}. Nothing was done.",
            [{"field": where, "detail": said}],
        ) from None


def _has_nul(value: Any) -> bool:
    """PostgreSQL stores none. What arguments hold is checked where all arguments are."""
    many = cast("list[Any]", value) if isinstance(value, list) else [value]
    return any(isinstance(one, str) and "\0" in one for one in many)


async def _body(request: Request) -> Mapping[str, Any]:
    body = await request.body()
    if not body:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise Problem(
            "media-type", 415, f"Send the body as {JSON}, not as {media_type or 'nothing'}. Nothing was done."
        )
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The body is not a JSON object: {error}. Nothing was done.") from None


@cache
def lists_of(kind: type[Input]) -> frozenset[str]:
    """The fields that may be said several times in a query."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind) if _is_list(field.type))


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple) or any(_is_list(part) for part in get_args(kind) if get_origin(kind))


def problem_response(request: Request, problem: Problem) -> Response:
    """A problem as the answer to a request."""
    return Response(problem.body(request.url.path), problem.status, problem.headers, MEDIA_TYPE)
