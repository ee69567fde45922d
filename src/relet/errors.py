"""Every error that Relet raises.

    ReletError
    ├── UsageError (ValueError)          the caller asked for something that cannot be; nothing was written
    │   ├── PayloadError                 arguments or a result that cannot be encoded or decoded
    │   ├── SettingsError                a setting that is wrong or dangerous
    │   └── DefinitionError              a task that cannot be declared like this
    ├── NotFound (LookupError)           no such job, queue, task, worker or dead letter
    ├── Refused                          the state of the thing forbids it; nothing was changed
    │   └── UniqueConflict               another job holds the unique key
    ├── StoreError                       the store did not do its part
    │   ├── StoreUnavailable             it could not be reached; nothing was written
    │   ├── StoreFull                    no room on its disk; nothing was written
    │   ├── Contended                    it asks to repeat (busy, deadlock, lock timeout); nothing was written
    │   ├── OutcomeUnknown               the answer to a write was lost: it may or may not have happened
    │   │   └── Unconfirmed              it is written, but a standby has not confirmed it
    │   ├── Unstorable                   it does not take what was to be written, for what it is; nothing was written
    │   └── SchemaMismatch               its schema is not one that this version may write to
    ├── LeaseLost                        this worker no longer holds the job; what it writes is refused
    ├── JobFailed                        the awaited job is dead
    ├── JobCancelled                     the awaited job was cancelled
    ├── ResultTimeout (TimeoutError)     the awaited job has not ended in time; it goes on
    └── Verdict                          what a task raises to say how its run ends (see relet.job.outcome)
        ├── Snooze, RetryLater           again later: without, or at the cost of, an attempt
        │   └── BreakerOpen (a Snooze)   a circuit breaker lets nothing pass now
        ├── Reject                       never again: to the dead letters
        └── Cancel                       not needed any more

A message says what happened, what it means for the data, and what to do.
"""

from __future__ import annotations

from uuid import UUID


class ReletError(Exception):
    """The root of all errors of this package."""


class UsageError(ReletError, ValueError):
    """The caller asked for something that cannot be. Nothing was written."""


class PayloadError(UsageError):
    """Arguments or a result cannot be encoded or decoded. `path` names the place, such as `order.lines[3]`."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class SettingsError(UsageError):
    """A setting is wrong or dangerous. Nothing was started."""


class DefinitionError(UsageError):
    """A task cannot be declared like this."""


class NotFound(ReletError, LookupError):
    """There is no such job, queue, task, worker or dead letter (any more)."""


class Refused(ReletError):
    """The present state forbids it. Nothing was changed."""


class UniqueConflict(Refused):
    """Another job that has not ended holds the unique key: `holder`. Nothing was written."""

    def __init__(self, message: str, *, key: str, holder: UUID) -> None:
        super().__init__(message)
        self.key = key
        self.holder = holder


class StoreError(ReletError):
    """The store did not do its part."""


class StoreUnavailable(StoreError):
    """The store could not be reached, or refused to write. Nothing was written."""


class StoreFull(StoreError):
    """The store has no room left. Nothing was written; make room and repeat."""


class Contended(StoreError):
    """The engine asks to repeat: busy, deadlock, serialization failure or lock timeout. Nothing was written."""


class OutcomeUnknown(StoreError):
    """The answer to a write was lost: it may or may not have happened.

    What is written again under the same identity (job id, or job, session and claim number) is written once, and gets the
    first one's answer. `enqueue` has done so before it raises this. Calling it again makes another job, unless that has a
    unique key; any other call can be repeated.
    """


class Unconfirmed(OutcomeUnknown):
    """The write is committed on this server, but the standby that should confirm it has not: a failover may undo it.

    Repeating it would be answered by what is there already, and would confirm nothing: so it is not done by itself.
    """


class Unstorable(StoreError):
    """The engine does not take what was to be written, for what it is: to repeat it helps nobody. Nothing was written."""


class SchemaMismatch(StoreError):
    """The store's schema is not one that this version may write to. Nothing was written."""


class LeaseLost(ReletError):
    """This worker no longer holds the job: it was let to another one. Whatever this run writes is refused."""


class JobFailed(ReletError):
    """The awaited job is dead. Carries its last error, its stack and the number of failed attempts."""

    def __init__(self, message: str, *, job_id: UUID, error: str, stack: str, attempts: int) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.error = error
        self.stack = stack
        self.attempts = attempts


class JobCancelled(ReletError):
    """The awaited job was cancelled. `reason` is what was given for it."""

    def __init__(self, message: str, *, job_id: UUID, reason: str) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.reason = reason


class ResultTimeout(ReletError, TimeoutError):
    """The awaited job has not ended in time. The job goes on."""


class Verdict(ReletError):
    """Raised (or returned) by a task to say how its run ends."""


class ReletWarning(UserWarning):
    """Something works, but not as it should: what, why, and what to do instead."""
