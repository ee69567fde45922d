"""What an error comes to, and what a task says itself."""

from __future__ import annotations

from msgspec.structs import replace

from relet.errors import Verdict
from relet.job.outcome import Ended, Outcome, from_verdict
from relet.job.retry import Retry
from relet.job.textsafe import clip, describe, stack_of, storable

REASON_CHARS = 4_000


def failure(error: BaseException, *, retryable: bool, spares: tuple[str, ...] = ()) -> Outcome:
    """A run that failed with this error."""
    return Outcome(Ended.FAILURE, error=describe(error), stack=stack_of(error), retryable=retryable, spares=spares)


def verdict(said: Verdict) -> Outcome:
    """What the task decided itself. Its words come from anywhere, so they are made safe."""
    outcome = from_verdict(said)
    return replace(outcome, error=storable(clip(outcome.error, REASON_CHARS)))


def retries(retry: Retry, error: BaseException) -> bool:
    """Whether the policy tries this error again. One that is no `Exception` (SystemExit, a cancellation from inside) counts as
    one where the policy takes them all."""
    if isinstance(error, Exception) or Exception not in retry.on:
        return retry.retries(error)
    return not isinstance(error, retry.give_up_on)
