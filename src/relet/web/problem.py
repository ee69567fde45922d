"""Errors as `application/problem+json` (RFC 9457): what happened, what it means for the data, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from relet import errors
from relet.job.redact import Redactor

MEDIA_TYPE = "application/problem+json"

_REDACTOR = Redactor()

_BY_KIND: tuple[tuple[type[BaseException], str, HTTPStatus], ...] = (
    (errors.PayloadError, "payload", HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.UsageError, "usage", HTTPStatus.BAD_REQUEST),
    (msgspec.ValidationError, "usage", HTTPStatus.BAD_REQUEST),
    (errors.NotFound, "not-found", HTTPStatus.NOT_FOUND),
    (errors.UniqueConflict, "unique-conflict", HTTPStatus.CONFLICT),
    (errors.Refused, "refused", HTTPStatus.CONFLICT),
    (errors.StoreFull, "store-full", HTTPStatus.INSUFFICIENT_STORAGE),
    (errors.OutcomeUnknown, "outcome-unknown", HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.StoreError, "store", HTTPStatus.SERVICE_UNAVAILABLE),
)
"""The kinds of error that requests end with, the special ones first."""


@dataclass
class Problem(Exception):
    """Why a request was not done."""

    kind: str
    status: int
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def body(self, instance: str) -> bytes:
        """The problem as JSON."""
        said = {
            "type": f"urn:relet:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": _REDACTOR.text(self.detail),
            "instance": instance,
            **self.more,
        }
        return msgspec.json.encode(said)


def problem_of(error: BaseException) -> Problem | None:
    """The problem that an error means; None: it is a defect of ours."""
    if isinstance(error, Problem):
        return error
    for kind, name, status in _BY_KIND:
        if isinstance(error, kind):
            more: dict[str, Any] = {}
            if isinstance(error, errors.UniqueConflict):
                more["holder"] = str(error.holder)
            headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
            return Problem(name, status, str(error), more, headers)
    return None


def unauthorized(detail: str) -> Problem:
    """Nobody has said who asks."""
    return Problem("unauthorized", 401, detail, headers={"WWW-Authenticate": 'Bearer realm="relet"'})


def forbidden(detail: str) -> Problem:
    """Whoever asks may not."""
    return Problem("forbidden", 403, detail)


def invalid(detail: str, errors: Sequence[Mapping[str, str]] = ()) -> Problem:
    """What was sent does not fit."""
    return Problem("usage", 400, detail, {"errors": list(errors)} if errors else {})


def too_large(most: int) -> Problem:
    """More was sent than is taken."""
    return Problem(
        "too-large", 413, f"The request has more than {most:,} bytes, so nothing was done. Send less at a time."
    )


def too_many(seconds: int, detail: str) -> Problem:
    """Too many requests in a time."""
    return Problem("too-many-requests", 429, detail, headers={"Retry-After": str(seconds)})
