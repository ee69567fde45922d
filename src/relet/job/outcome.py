"""What a run can come to, and what a task raises or returns to say so itself."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from relet.errors import Verdict
from relet.job.duration import Duration, to_us
from relet.job.moment import from_at


class Snooze(Verdict):
    """Not now: run again after `delay`. Costs no attempt."""

    def __init__(self, delay: Duration, reason: str = "") -> None:
        super().__init__(reason or "snoozed")
        self.delay_us = to_us(delay, name="delay")
        self.reason = reason


class BreakerOpen(Snooze):
    """A circuit breaker lets nothing pass now: `until` (UTC) says when to try again.

    Where a task lets it through, its job runs again then, or when the breaker has closed, and no attempt is spent."""

    def __init__(self, breaker: str, until: int, delay_us: int, because: str) -> None:
        reason = f"breaker {breaker} is open{f': {because}' if because else ''}"
        super().__init__(delay_us / 1_000_000, reason)
        self.delay_us = delay_us
        self.breaker = breaker
        self.until = from_at(until)
        self.because = because


class RetryLater(Verdict):
    """This attempt failed; run again after `delay`, whatever the back-off says. Counts as an attempt."""

    def __init__(self, delay: Duration, reason: str = "") -> None:
        super().__init__(reason or "asked to retry later")
        self.delay_us = to_us(delay, name="delay")
        self.reason = reason


class Reject(Verdict):
    """This job can never succeed: to the dead letters at once."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "rejected")
        self.reason = reason


class Cancel(Verdict):
    """This job is not needed any more: it ends as cancelled."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "cancelled by the task")
        self.reason = reason


class Ended(StrEnum):
    """How a claim ended: the word in the history of attempts."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    RETRY_LATER = "retry_later"
    SNOOZE = "snooze"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"
    DEADLINE = "deadline"
    """Its deadline passed before it ended: no further attempt is of use."""
    CHILD_DIED = "child_died"
    """The job's own child process died: a failed attempt."""
    CRASH = "crash"
    """It took its process down while it was alone in it."""
    RELEASE = "release"
    LOST = "lost"
    """The session that held it died or was cut off; written by whoever reclaimed the job."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How one run ended, before any policy is applied. Texts are already safe to store."""

    ended: Ended
    result: str | None = None
    error: str = ""
    stack: str = ""
    delay_us: int | None = None
    """Given by the task itself (snooze, retry later)."""
    retryable: bool = True
    """For failures: whether the task's retry policy accepts this error."""
    spares: tuple[str, ...] = ()
    """For failures: the circuit breakers that do not count this error."""
    breaker: str | None = None
    """For a snooze: the circuit breaker around a call that is open."""


def success(result: str | None) -> Outcome:
    """The function returned."""
    return Outcome(Ended.SUCCESS, result=result)


def from_verdict(verdict: Verdict) -> Outcome:
    """The outcome that a task asked for."""
    match verdict:
        case Snooze():
            breaker = verdict.breaker if isinstance(verdict, BreakerOpen) else None
            return Outcome(Ended.SNOOZE, error=verdict.reason, delay_us=verdict.delay_us, breaker=breaker)
        case RetryLater():
            return Outcome(Ended.RETRY_LATER, error=str(verdict), delay_us=verdict.delay_us)
        case Reject():
            return Outcome(Ended.REJECT, error=str(verdict))
        case _:
            return Outcome(Ended.CANCEL, error=str(verdict))
