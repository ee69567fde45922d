"""How healthy queues and workers are."""

from __future__ import annotations

from relet.health import health_of
from relet.shapes.health import HealthOut, health_out
from relet.web.endpoint import Call, Endpoint, Input
from relet.web.visitor import Role


def show_health(call: Call, _given: Input) -> HealthOut:
    """Say how healthy queues and workers are, why not, and for which part of the time all was."""
    return health_out(health_of(call.store, call.app.settings.health_rules))


ENDPOINTS = (Endpoint("health.show", "GET", "/health", Role.VIEWER, show_health, shared=True),)
