"""The terms under which a worker works: what the pure parts need of the settings, in microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relet.clock import SECOND
from relet.job.breaker import Breaker, Rule, rules_of
from relet.settings import Settings
from relet.work.registry import Registry


@dataclass(frozen=True, slots=True)
class Terms:
    """All that clerk and keeper have to know. Times are microseconds."""

    slots: int = 10
    turn_size: int = 500
    lease_us: int = 90 * SECOND
    heartbeat_us: int = 30 * SECOND
    poll_us: int = 2 * SECOND
    queues: Mapping[str, int] = field(default_factory=dict[str, int])
    """Share by queue; "*" stands for all others. Empty: all queues, evenly."""
    known_queues: tuple[str, ...] = ("default",)
    """Queues to look at from the first moment on, where all queues are wanted; others are learnt from the store."""
    tasks: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    tier: int = 0
    tier_wait_us: int = 5 * SECOND
    breakers: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    """Those that its code declares, by name."""

    @property
    def turn(self) -> int:
        """How many jobs one turn settles or claims at most: half of the slots, so that store and tasks work at once."""
        return max(1, min(self.turn_size, self.slots // 2))

    @property
    def margin_us(self) -> int:
        """How long before the lease can lapse a worker acts as if it had: the time to cancel what runs."""
        return self.lease_us // 10

    @property
    def younger_than_us(self) -> int | None:
        """How long a job must have waited before this worker takes it; None for the first tier, which never waits."""
        return self.tier * self.tier_wait_us if self.tier else None


def terms_of(settings: Settings, tasks: Registry, breakers: Mapping[str, Breaker]) -> Terms:
    """What clerk and keeper need of the settings."""
    return Terms(
        settings.slots,
        settings.turn_size,
        settings.lease_us,
        settings.heartbeat_us,
        settings.poll_us,
        dict(settings.queues),
        tuple(sorted({"default", *(task.spec.queue for task in tasks.values())})),
        tuple(sorted(tasks)),
        settings.offers,
        settings.tier,
        settings.tier_wait_us,
        rules_of(breakers),
    )
