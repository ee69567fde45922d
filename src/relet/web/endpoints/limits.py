"""Limits that jobs share by name and key: listed, set, forgotten, paused."""

from __future__ import annotations

from typing import TypedDict

from relet.errors import NotFound
from relet.shapes import records
from relet.shapes.schema import LimitKeyOut, LimitOut
from relet.store.port import Store
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name, PageSize
from relet.web.endpoints.kept import number_or_kept, text_or_kept
from relet.web.visitor import Role


class LimitList(TypedDict):
    """All limits by name and key."""

    limits: list[LimitOut]


class OneLimit(Input):
    """A limit by name."""

    name: Name


class LimitKeys(OneLimit):
    """A page of its keys."""

    after: str | None = None
    limit: PageSize = 50


class KeyPage(TypedDict):
    """Keys of one limit, by name. `next`: what to give as `after` for the next page."""

    limit: LimitOut
    keys: list[LimitKeyOut]
    next: str | None


class SetLimit(OneLimit):
    """What a limit is. What is left out stays as it is; "none" takes it away."""

    concurrency: int | str | None = None
    rate: str | None = None


class PauseLimit(OneLimit):
    """A limit, or one of its keys, to be paused."""

    key: str | None = None
    """Null: all its keys."""
    until: str | float | None = None
    """When it resumes by itself: a duration from now on, or an HTTP date."""


class ResumeLimit(OneLimit):
    """A limit, or one of its keys, to be resumed."""

    key: str | None = None


def list_limits(call: Call, _given: Input) -> LimitList:
    """List the limits that jobs share by name and key."""
    now = call.store.now()
    return LimitList(limits=[records.limit_out(row, now) for row in call.store.insights.limits()])


def show_limit(call: Call, given: LimitKeys) -> KeyPage:
    """Show one limit with its keys."""
    now = call.store.now()
    keys = call.store.insights.limit_keys(given.name, given.after, given.limit)
    found = [records.limit_key_out(row, now) for row in keys]
    return KeyPage(
        limit=_shown(call.store, given.name), keys=found, next=found[-1]["key"] if len(found) == given.limit else None
    )


def set_limit(call: Call, given: SetLimit) -> LimitOut:
    """Say what a limit is, from now on, for all workers."""
    call.app.limits[given.name].set(
        concurrency=number_or_kept(given.concurrency, "concurrency"), rate=text_or_kept(given.rate), by=call.by
    )
    return _became(call, given.name)


def forget_limit(call: Call, given: OneLimit) -> LimitOut:
    """End a limit, until code declares it again at a worker's start."""
    call.trace.was = _shown(call.store, given.name)
    call.app.limits[given.name].forget(by=call.by)
    call.trace.done = 1
    return call.trace.was


def pause_limit(call: Call, given: PauseLimit) -> LimitOut:
    """Let nobody in for a key, or for all, for a while. What has passed goes on."""
    call.app.limits[given.name].pause(given.key, until=given.until, by=call.by)
    return _became(call, given.name)


def resume_limit(call: Call, given: ResumeLimit) -> LimitOut:
    """End such a pause."""
    call.app.limits[given.name].resume(given.key, by=call.by)
    return _became(call, given.name)


def _became(call: Call, name: str) -> LimitOut:
    became = _shown(call.store, name)
    call.trace.done, call.trace.became = 1, became
    return became


def _shown(store: Store, name: str) -> LimitOut:
    for row in store.insights.limits():
        if row.name == name:
            return records.limit_out(row, store.now())
    raise NotFound(f"There is no limit {name!r}. Nothing was changed.")


ENDPOINTS = (
    Endpoint("limits.list", "GET", "/limits", Role.VIEWER, list_limits),
    Endpoint("limits.show", "GET", "/limits/{name}", Role.VIEWER, show_limit),
    Endpoint("limits.set", "PUT", "/limits/{name}", Role.OPERATOR, set_limit),
    Endpoint("limits.forget", "DELETE", "/limits/{name}", Role.OPERATOR, forget_limit),
    Endpoint("limits.pause", "POST", "/limits/{name}/pause", Role.OPERATOR, pause_limit),
    Endpoint("limits.resume", "POST", "/limits/{name}/resume", Role.OPERATOR, resume_limit),
)
