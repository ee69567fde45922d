"""From what a run came to, to what is written: outcome + policy + counters → settle. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from relet.clock import Rng
from relet.job.job import MAX_CRASHES, Claim, Counters
from relet.job.outcome import Ended, Outcome
from relet.job.retry import Retry
from relet.job.state import State


class DeadReason(StrEnum):
    """Why a job is in the dead letters."""

    ATTEMPTS = "attempts"
    """All attempts failed."""
    PERMANENT = "permanent"
    """An error that is not retried."""
    REJECTED = "rejected"
    POISON = "poison"
    """It took its process down too often."""
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a task (and the job's own options) say about failures."""

    retry: Retry = field(default_factory=Retry)
    max_attempts: int | None = None
    max_crashes: int = MAX_CRASHES

    @property
    def attempts(self) -> int:
        """Failed attempts after which the job is dead."""
        return self.max_attempts if self.max_attempts is not None else self.retry.max


Ran = tuple[str, str, int, int]
"""For the figures of a worker: queue and task of a run, how long its job was ready, and how long it took, in microseconds; below
zero: nobody knows. (A plain tuple: one is made for every run.)"""


class Settle(msgspec.Struct, frozen=True, gc=False):
    """The end of one claim, to be written under its fence. (A struct of C: one is made for every run.)"""

    job_id: bytes
    epoch: int
    ended: Ended
    to: State
    counters: Counters = Counters()
    flags: int = 0
    delay_us: int = 0
    result: str | None = None
    error: str = ""
    stack: str = ""
    dead_reason: DeadReason | None = None
    breaker: str | None = None
    """For those that are put off: the circuit breaker around a call whose end brings them back earlier."""
    task: str = ""
    """For whoever tells of it; nobody writes it."""
    ran: Ran | None = None
    """No store looks at it. None: it did not get as far as to run."""


class Answer(StrEnum):
    """What the store says to a settle."""

    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    """The same claim was settled before; the first answer stands."""
    FENCED = "fenced"
    """The claim no longer stands: the job was let to another session, or taken back. Nothing was written."""
    EXPIRED = "expired"
    """The job is gone: retention removed it."""


def settle(claim: Claim, outcome: Outcome, policy: Policy, rng: Rng, ran: Ran | None = None) -> Settle:
    """Decide what becomes of the job. The single place where policy meets outcome."""
    if outcome.ended is _SUCCESS:  # most of them: no policy has a say
        flags, result = claim.flags, outcome.result
        return Settle(
            claim.job_id,
            claim.epoch,
            _SUCCESS,
            _SUCCEEDED,
            claim.counters,
            flags,
            0,
            result,
            task=claim.task,
            ran=ran,
        )
    counters = _count(claim.counters, outcome.ended)
    to, reason = _destination(counters, outcome, policy)
    return Settle(
        claim.job_id,
        claim.epoch,
        outcome.ended,
        to,
        counters,
        claim.flags,
        _delay_us(counters, outcome, policy, rng) if to is State.SCHEDULED else 0,
        result=outcome.result,
        error=outcome.error,
        stack=outcome.stack,
        dead_reason=reason,
        breaker=outcome.breaker,
        task=claim.task,
        ran=ran,
    )


_SUCCESS, _SUCCEEDED = Ended.SUCCESS, State.SUCCEEDED
"""Bound once: before Python 3.12 a look at a member of an enum is as slow as a call."""

_FAILED = frozenset({Ended.FAILURE, Ended.TIMEOUT, Ended.RETRY_LATER, Ended.CHILD_DIED})


def _count(counters: Counters, ended: Ended) -> Counters:
    if ended in _FAILED or ended is Ended.REJECT:
        return counters._replace(attempt=counters.attempt + 1)
    if ended is Ended.CRASH:
        return counters._replace(crashes=counters.crashes + 1)
    if ended is Ended.RELEASE:
        return counters._replace(releases=counters.releases + 1)
    return counters


def _destination(counters: Counters, outcome: Outcome, policy: Policy) -> tuple[State, DeadReason | None]:
    match outcome.ended:
        case Ended.SUCCESS:
            return State.SUCCEEDED, None
        case Ended.CANCEL | Ended.EXPIRE:
            return State.CANCELLED, None
        case Ended.RELEASE:
            return State.READY, None
        case Ended.SNOOZE:
            return State.SCHEDULED, None
        case Ended.REJECT:
            return State.DEAD, DeadReason.REJECTED
        case Ended.DEADLINE:
            return State.DEAD, DeadReason.DEADLINE
        case Ended.CRASH:
            poisoned = counters.crashes >= policy.max_crashes
            return (State.DEAD, DeadReason.POISON) if poisoned else (State.SCHEDULED, None)
        case _:
            return _after_failure(counters, outcome, policy)


def _after_failure(counters: Counters, outcome: Outcome, policy: Policy) -> tuple[State, DeadReason | None]:
    if not outcome.retryable:
        return State.DEAD, DeadReason.PERMANENT
    if counters.attempt >= policy.attempts:
        return State.DEAD, DeadReason.ATTEMPTS
    return State.SCHEDULED, None


def _delay_us(counters: Counters, outcome: Outcome, policy: Policy, rng: Rng) -> int:
    if outcome.delay_us is not None:
        return outcome.delay_us
    failed = counters.crashes if outcome.ended is Ended.CRASH else counters.attempt
    return policy.retry.wait_us(max(failed, 1), rng)
