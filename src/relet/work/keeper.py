"""When to renew the lease, and when to give up on it. Pure: no I/O, no clock of its own.

The driver asks `next(now)`, does what it says, and tells what came of it. All times are microseconds of one steady clock.

A worker may trust its lease until the last *accepted* renewal, counted from when it was *sent*, is about to lapse: what the
store has written since then cannot be earlier than that. At that moment it fences itself, whatever it may hear later: it
claims nothing, starts nothing and cancels what runs. Then it opens a new session and goes on with fresh claims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple

from relet.clock import MS, SECOND, Rng
from relet.job.job import ClaimKey
from relet.store.records import Control, Renewed
from relet.work.terms import Terms

LISTEN_US = SECOND
NOT_RENEWED = "it could not be renewed in time"
TAKEN_AWAY = "its session was ended, and what it held was given back"
FIRST_RETRY_US, MOST_RETRY_US = 50 * MS, 2 * SECOND


class Step(StrEnum):
    """What the driver is asked to do."""

    OPEN = "open"
    """Open a new session under a new id, then tell `opened` or `failed`."""
    RENEW = "renew"
    """Renew, then tell `heard` or `failed`."""
    LISTEN = "listen"
    """Listen, then tell `heard` or `failed`."""
    FENCE = "fence"
    """Claim nothing, start nothing, cancel what runs, kill child processes; then tell `fenced`."""
    SLEEP = "sleep"


class Plan(NamedTuple):
    """Do `step` now, or sleep `until`."""

    step: Step
    until: int = 0


class Told(NamedTuple):
    """What an answer means for the worker."""

    live: bool
    lost: list[ClaimKey]
    """Claims that run here and no longer stand: whatever they write is refused."""
    controls: tuple[Control, ...]
    verb: str


class Keeper:
    """The state of one worker's lease."""

    def __init__(self, terms: Terms, rng: Rng) -> None:
        self.lease_us = terms.lease_us
        self.live = False
        """True while this worker may trust its lease."""
        self.deadline = -(2**62)
        """Until when it may, as far as is known now."""
        self.accepted_at = -(2**62)
        """When the last accepted renewal was sent."""
        self.over_because = NOT_RENEWED
        """Why it may not trust its lease any more, when it may not."""
        self._terms = terms
        self._rng = rng
        self._over = False
        self._ended = False
        self._renew_at = 0
        self._listen_at = 0
        self._open_at = 0
        self._retry_us = FIRST_RETRY_US

    def next(self, now: int) -> Plan:
        """What to do now."""
        if self._ended:
            return Plan(Step.SLEEP, now + self._terms.heartbeat_us)
        if self.live and (self._over or now >= self.deadline):
            return Plan(Step.FENCE)
        if not self.live:
            return Plan(Step.OPEN) if now >= self._open_at else Plan(Step.SLEEP, self._open_at)
        if now >= self._renew_at:
            return Plan(Step.RENEW)
        if now >= self._listen_at:
            return Plan(Step.LISTEN)
        return Plan(Step.SLEEP, min(self._renew_at, self._listen_at, self.deadline))

    def opened(self, sent_at: int) -> None:
        """A session was opened by a call that was made at `sent_at`."""
        self.live, self._over, self.over_because = True, False, NOT_RENEWED
        self._accepted(sent_at)

    def heard(self, answer: Renewed, step: Step, sent_at: int, now: int, running: Collection[ClaimKey]) -> Told:
        """The store answered. `running` is what ran before the call was made, and still runs."""
        self._listen_at = now + LISTEN_US
        self._retry_us = FIRST_RETRY_US
        if not answer.live or now >= self.deadline:
            # An answer that came after the deadline came too late: the worker has been fenced meanwhile.
            self._over = True
            self.over_because = NOT_RENEWED if answer.live else TAKEN_AWAY
            return Told(False, list(running), (), "")
        if step is Step.RENEW:
            self._accepted(sent_at)
        return Told(True, lost(running, answer.held), answer.controls, answer.verb)

    def _accepted(self, sent_at: int) -> None:
        self.accepted_at = sent_at
        self.deadline = sent_at + self.lease_us - self._terms.margin_us
        self._renew_at = sent_at + self._terms.heartbeat_us
        self._listen_at = sent_at + LISTEN_US
        self._retry_us = FIRST_RETRY_US

    def failed(self, step: Step, now: int) -> None:
        """The call failed, or its outcome is unknown: unless a later one is accepted, the deadline stands."""
        wait = self._rng.randint(self._retry_us // 2, self._retry_us)
        self._retry_us = min(self._retry_us * 2, MOST_RETRY_US, max(FIRST_RETRY_US, self._terms.heartbeat_us))
        match step:
            case Step.OPEN:
                self._open_at = now + wait
            case Step.RENEW:
                self._renew_at = now + wait
            case _:
                self._listen_at = now + max(wait, LISTEN_US)

    def doubt(self) -> None:
        """A turn was told that the session is not live: ask at once, and not merely by listening."""
        self._renew_at = -(2**62)

    def fenced(self, now: int) -> None:
        """The worker has fenced itself; a new session may be opened."""
        self.live = self._over = False
        self._open_at = now

    def end(self) -> None:
        """The worker goes: nothing is renewed any more."""
        self._ended, self.live = True, False

    def fresh(self, now: int) -> bool:
        """True when the last accepted renewal is young enough for this worker to judge the leases of others: whoever
        comes back from an outage of the store first must not take everybody's work."""
        return self.live and now - self.accepted_at <= self.lease_us // 2


def lost(running: Iterable[ClaimKey], held: Iterable[ClaimKey]) -> list[ClaimKey]:
    """Claims that run here but do not stand in the store."""
    stands = set(held)
    return [key for key in running if key not in stands]
