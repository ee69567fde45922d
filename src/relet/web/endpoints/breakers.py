"""Circuit breakers: listed, opened, closed, reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from relet.errors import NotFound
from relet.shapes import records
from relet.shapes.schema import BreakerOut
from relet.store.port import Store
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.endpoints.jobs import Name, Note
from relet.web.visitor import Role


class BreakerList(TypedDict):
    """All circuit breakers, by name."""

    breakers: list[BreakerOut]


class OneBreaker(Input):
    """A breaker by name."""

    name: Name


class OpenBreaker(OneBreaker):
    """A breaker to be opened."""

    reason: Note = ""
    until: str | float | None = None
    """When it tries by itself: a duration from now on; null: when somebody closes it."""


def list_breakers(call: Call, _given: Input) -> BreakerList:
    """List circuit breakers."""
    now = call.store.now()
    return BreakerList(breakers=[records.breaker_out(row, now) for row in call.store.insights.breakers()])


def show_breaker(call: Call, given: OneBreaker) -> BreakerOut:
    """Show one circuit breaker."""
    return _shown(call.store, given.name)


def open_breaker(call: Call, given: OpenBreaker) -> BreakerOut:
    """Open a breaker: what it guards is not started until it is closed."""
    return _changed(
        call, given, lambda: call.app.breakers[given.name].open(given.reason, until=given.until, by=call.by)
    )


def close_breaker(call: Call, given: OneBreaker) -> BreakerOut:
    """Close a breaker: what it guards starts again."""
    return _changed(call, given, lambda: call.app.breakers[given.name].close(by=call.by))


def reset_breaker(call: Call, given: OneBreaker) -> BreakerOut:
    """Close a breaker, and forget what it has counted."""
    return _changed(call, given, lambda: call.app.breakers[given.name].reset(by=call.by))


def _changed(call: Call, given: OneBreaker, change: Callable[[], object]) -> BreakerOut:
    call.trace.was = _shown(call.store, given.name)
    change()
    became = _shown(call.store, given.name)
    call.trace.done, call.trace.became = 1, became
    return became


def _shown(store: Store, name: str) -> BreakerOut:
    row = store.insights.breaker(name)
    if row is None:
        raise NotFound(f"There is no breaker {name!r}. Nothing was changed.")
    return records.breaker_out(row, store.now())


ENDPOINTS = (
    Endpoint("breakers.list", "GET", "/breakers", Role.VIEWER, list_breakers),
    Endpoint("breakers.show", "GET", "/breakers/{name}", Role.VIEWER, show_breaker),
    Endpoint("breakers.open", "POST", "/breakers/{name}/open", Role.OPERATOR, open_breaker),
    Endpoint("breakers.close", "POST", "/breakers/{name}/close", Role.OPERATOR, close_breaker),
    Endpoint("breakers.reset", "POST", "/breakers/{name}/reset", Role.OPERATOR, reset_breaker),
)
