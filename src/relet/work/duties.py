"""The chores of a worker: what it does for all beside its own jobs, as any worker does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relet.clock import Clock, Ids, id_at
from relet.events import Emitter
from relet.maintain.budgets import TellBudgets
from relet.maintain.chores import (
    Backlog,
    Chore,
    HonourCancels,
    Mend,
    Neighbours,
    Promote,
    Prune,
    PruneDoors,
    Reclaim,
    Tie,
    Work,
)
from relet.maintain.continuous import TellPasses, Trim
from relet.maintain.fire import Fire
from relet.maintain.measure import Measure
from relet.maintain.tell import PruneDeliveries, Tell
from relet.settings import Settings
from relet.work.keeper_thread import KeeperThread
from relet.work.liveness import Locks
from relet.work.runner import Runner


@dataclass(frozen=True, slots=True)
class House:
    """What the chores need of the worker that does them."""

    settings: Settings
    keeper: KeeperThread
    locks: Locks
    runner: Runner
    clock: Clock
    emit: Emitter
    work: Work
    """Says that there is work."""
    send: Callable[[], None]
    """Sees to it that messages of webhooks are sent, here or elsewhere."""


Duties = Callable[[House], list[Chore]]


def duties(house: House) -> list[Chore]:
    """All chores of this worker."""
    settings, work, emit = house.settings, house.work, house.emit
    found: list[Chore] = [
        Neighbours(house.locks.free, house.locks.dead, house.locks.forget, work, emit),
        _reclaim(house),
        Promote(settings.poll_us, work),
        Fire(Ids(house.clock), work, emit),
        TellPasses(house.runner.untold, house.runner.told),
        Trim(settings.cancel_grace_us, emit),
        HonourCancels(),
        Tie(),
        Mend(work, emit),
        Prune(settings.keep_finished_us, settings.keep_dead_us),
        PruneDoors(settings.keep_audit_us, id_at),
        _measure(house),
        TellBudgets(emit),
        Tell(Ids(house.clock), house.send),
        PruneDeliveries(settings.keep_finished_us),
    ]
    if settings.max_backlog:
        found.append(Backlog(settings.max_backlog, emit))
    return found


def beside(house: House) -> list[Chore]:
    """Those of a worker beside another one of the same process, which does the others."""
    return [Promote(house.settings.poll_us, house.work), _measure(house)]


def _measure(house: House) -> Measure:
    settings = house.settings
    return Measure(house.runner.figures, settings.worker, settings.health_rules, house.clock, house.emit)


def _reclaim(house: House) -> Reclaim:
    settings, keeper, clock = house.settings, house.keeper, house.clock
    return Reclaim(
        settings.lease_us,
        settings.heartbeat_us,
        lambda: keeper.keeper.fresh(clock.steady()),
        keeper.doubt,
        house.work,
        house.emit,
    )
