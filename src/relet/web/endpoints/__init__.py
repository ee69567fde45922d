"""What can be asked and done over HTTP, by subject."""

from __future__ import annotations

from relet.web.endpoint import Endpoint
from relet.web.endpoints import (
    access,
    batches,
    breakers,
    causes,
    costs,
    dead,
    health,
    jobs,
    limits,
    queues,
    schedules,
    search,
    status,
    webhooks,
    workers,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *status.ENDPOINTS,
    *health.ENDPOINTS,
    *jobs.ENDPOINTS,
    *search.ENDPOINTS,
    *dead.ENDPOINTS,
    *causes.ENDPOINTS,
    *queues.ENDPOINTS,
    *workers.ENDPOINTS,
    *schedules.ENDPOINTS,
    *limits.ENDPOINTS,
    *breakers.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *costs.ENDPOINTS,
    *batches.ENDPOINTS,
    *access.ENDPOINTS,
)

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
