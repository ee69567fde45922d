"""The OpenAPI 3.1 description of the API, made of the endpoints themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

import relet
from relet.web.api import KEY_HEADER, REASON_HEADER, ROOT
from relet.web.endpoint import Endpoint
from relet.web.perform import KEY_CHARS, REASON_CHARS
from relet.web.problem import MEDIA_TYPE

_REF = "#/components/schemas/{name}"

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "What kind of problem, as a URN."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, what it means for the data, and what to do."},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


def describe(endpoints: Sequence[Endpoint], server: str = "") -> dict[str, Any]:
    """The whole document. `server` is the path under which the API stands, without `/api/v1`."""
    kinds = [kind for endpoint in endpoints for kind in (endpoint.takes, endpoint.gives)]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Relet",
            "version": relet.__version__,
            "description": "Background jobs under a lease: read, enqueue and steer.",
        },
        "servers": [{"url": server + ROOT}],
        "security": [{"token": []}],
        "tags": [{"name": noun} for noun in dict.fromkeys(endpoint.noun for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, components: Mapping[str, Any]) -> dict[str, Any]:
    summary, _, rest = endpoint.words.partition("\n\n")
    return {
        "operationId": endpoint.name,
        "tags": [endpoint.noun],
        "summary": " ".join(summary.split()),
        "description": f"{rest}\n\nFor the role {endpoint.role.word}.".strip(),
        "parameters": [*_parameters(endpoint, components), *_headers(endpoint)],
        **_request_body(endpoint, components),
        "responses": _responses(endpoint),
    }


def _fields(endpoint: Endpoint, components: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    schema = components[endpoint.takes.__name__]
    return schema.get("properties", {}), schema.get("required", [])


def _parameters(endpoint: Endpoint, components: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    properties, required = _fields(endpoint, components)
    for name in endpoint.places:
        yield {"name": name, "in": "path", "required": True, "schema": properties[name]}
    if not endpoint.changes:
        for name, schema in properties.items():
            if name not in endpoint.places:
                yield {"name": name, "in": "query", "required": name in required, "schema": schema}


def _headers(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    if endpoint.changes:
        yield _header(KEY_HEADER, "The same request with the same key is done once, and answered alike.", KEY_CHARS)
        yield _header(REASON_HEADER, "Why it is done, for the audit log.", REASON_CHARS)


def _header(name: str, description: str, most: int) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": most}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _request_body(endpoint: Endpoint, components: Mapping[str, Any]) -> dict[str, Any]:
    properties, required = _fields(endpoint, components)
    inside = {name: schema for name, schema in properties.items() if name not in endpoint.places}
    if not endpoint.changes or not inside:
        return {}
    needed = [name for name in required if name in inside]
    schema = {"type": "object", "properties": inside, "required": needed, "additionalProperties": False}
    return {"requestBody": {"required": bool(needed), "content": {"application/json": {"schema": schema}}}}


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([endpoint.gives], ref_template=_REF)
    problem = {
        "description": "A problem.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return {
        str(endpoint.status): {"description": "Done.", "content": {"application/json": {"schema": schema}}},
        **{str(status): problem for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    }
