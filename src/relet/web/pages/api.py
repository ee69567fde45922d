"""The HTTP API, to be read: made of its own description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from relet.web.api import ROOT
from relet.web.endpoints import ENDPOINTS
from relet.web.openapi import describe
from relet.web.pages.page import Facts, Look, Page


class Field(NamedTuple):
    """Something that a request says."""

    name: str
    where: str
    kind: str
    required: bool
    words: str


class Request(NamedTuple):
    """One request of the API."""

    name: str
    method: str
    path: str
    role: str
    summary: str
    rest: str
    fields: tuple[Field, ...]
    may: bool


@cache
def _document() -> Mapping[str, Any]:
    return describe(ENDPOINTS)


def gather(look: Look) -> Facts:
    """All requests, by subject."""
    document = _document()
    subjects: dict[str, list[Request]] = {}
    for endpoint in ENDPOINTS:
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        summary, _, rest = endpoint.words.replace("`", "").partition("\n\n")
        fields = tuple(_fields(operation))
        may = look.call.visitor.may(endpoint.name, endpoint.role)
        subjects.setdefault(endpoint.noun, []).append(
            Request(
                endpoint.name, endpoint.method, ROOT + endpoint.path, endpoint.role.word, summary, rest, fields, may
            )
        )
    return {"subjects": subjects, "count": len(ENDPOINTS)}


def _fields(operation: Mapping[str, Any]) -> Iterable[Field]:
    for one in operation["parameters"]:
        if one["in"] != "header":
            yield Field(
                one["name"], one["in"], _kind(one["schema"]), one["required"], one["schema"].get("description", "")
            )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name, schema in body.get("properties", {}).items():
        yield Field(name, "body", _kind(schema), name in body["required"], schema.get("description", ""))


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a word: "text", "number or text", "one of a, b"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].lower()
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"] if one.get("type") != "null"))
    words = {
        "string": "text",
        "integer": "whole number",
        "object": "object",
        "array": "list",
        "boolean": "true or false",
    }
    kind = str(schema.get("type", "anything"))
    return words.get(kind, kind)


PAGES = (Page("api", "/api", "HTTP API", "status.whoami", gather, key="i"),)
