"""What code says of limits and routines, written to the store when a worker starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from relet.job.breaker import Breaker, rules_of
from relet.job.budget import Rule as Budget
from relet.job.limits import ROUTINES, Rule
from relet.job.schedule import Schedule, gated
from relet.settings import Settings
from relet.store.port import Store
from relet.store.records import Declared


class Declares(Protocol):
    """An app, as far as it declares."""

    @property
    def queue_limits_of_code(self) -> Mapping[str, Rule]: ...
    @property
    def limits_of_code(self) -> Mapping[str, Rule]: ...
    @property
    def weights_of_code(self) -> Mapping[str, Mapping[str, int]]: ...
    @property
    def breakers_of_code(self) -> Mapping[str, Breaker]: ...
    @property
    def budgets_of_code(self) -> Mapping[str, Budget]: ...
    @property
    def schedules_of_code(self) -> Mapping[str, Schedule]: ...


def declare(store: Store, app: Declares, settings: Settings) -> Declared:
    """Limits first: a routine that is due at once stands before them. What people have said stands."""
    most, by = settings.max_concurrent_routines, settings.worker
    store.declare_queue_limits({**app.queue_limits_of_code, **settings.queue_limits}, by)
    store.declare_weights(app.weights_of_code, by)
    store.declare_breakers(rules_of(app.breakers_of_code), by)
    store.declare_budgets(app.budgets_of_code, by)
    own = {ROUTINES: Rule(most)} if most and app.schedules_of_code else {}
    store.declare_limits({**app.limits_of_code, **own}, by)
    return store.declare_schedules(tuple(gated(app.schedules_of_code, counted=most > 0).values()), by)
