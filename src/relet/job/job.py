"""What a job is: the fact that is enqueued, the claim on it, and the counters that travel with its pointer."""

from __future__ import annotations

from enum import IntFlag, StrEnum
from typing import Literal, NamedTuple

import msgspec

MAX_ATTEMPTS = 3
MAX_CRASHES = 3
SOLO_SUSPICIONS = 2
"""A job that was held by this many dying sessions runs alone, in a child process of its own."""

OnConflict = Literal["existing", "raise", "replace", "debounce"]


class Flag(IntFlag):
    """What a pointer must not forget; work that few jobs need is done only for pointers with its flag."""

    NONE = 0
    UNIQUE = 1
    """Holds a unique key, which goes with the terminal settle."""
    PARENT = 2
    """Other jobs wait for it, or did."""
    GATED = 4
    """Must pass limits by name and key before it is ready; while it is ready or runs it has a slot of each."""
    BATCH = 8
    """Is counted in a batch."""
    FIRED = 16
    """A schedule made it, and its end is written down there."""
    COUNTED = 32
    """A slot of a limited queue. Never stored: a claim says it to its worker, and the worker's settle to the store, which wakes
    others then."""
    FAIR = 64
    """Its places are given by the shares of the tenants of its queue."""
    NOTIFY = 128
    """It names an address that is told of its end."""


class Need(StrEnum):
    """How a parent must have ended for its child to run."""

    SUCCESS = "success"
    END = "end"
    """However it ended."""
    FAILURE = "failure"
    """Of a batch: one of its jobs is dead or was cancelled."""


class After(NamedTuple):
    """A job or a batch that a job comes after."""

    parent_id: bytes
    need: Need = Need.SUCCESS
    hold: bool = False
    """If the parent is dead, wait until a person retries it and it succeeds."""


class NewBatch(NamedTuple):
    """Jobs to be counted together: those enqueued in the same call whose options name it."""

    id: bytes
    label: str = ""


class Fired(msgspec.Struct, frozen=True, array_like=True):
    """What a job knows of the firing that made it."""

    schedule: str
    due_at: int
    """The due time that it is for; of a run that nobody planned, when it was made."""
    previous_at: int | None = None
    """The due time that was fired before this one."""
    missed: int = 0
    """How many due times between the two have no run: nobody was there, or it was passed over."""
    cause: str = ""
    """ "due", or who triggered it."""


class Options(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The policy that travels with one job and overrides its task's. Times are microseconds from the enqueue."""

    timeout_us: int | None = None
    expires_us: int | None = None
    """Not started by then: cancelled."""
    deadline_us: int | None = None
    """No attempt goes on after it: dead."""
    max_attempts: int | None = None
    max_crashes: int | None = None
    unique: str | None = None
    """The unique key held until the job ends; its scope is the task."""
    tags: dict[str, str] = {}
    batch: str | None = None
    """The batch that counts it: its id in hexadecimal."""
    fire: Fired | None = None
    """The firing of a schedule that made it."""
    gates: tuple[tuple[str, str, int], ...] = ()
    """The limits that it must pass before it is ready: name, key, and the units that it weighs there."""
    fair: str | None = None
    """The tenant whose share of its queue it takes."""
    trace: str | None = None
    """What whoever enqueued it has left for the tracing of its runs."""
    notify: str | None = None
    """An address that is told of its end."""


class NewJob(msgspec.Struct, frozen=True):
    """A job to enqueue. The caller makes the id, so that repeating an enqueue makes no second job."""

    id: bytes
    task: str
    queue: str = "default"
    priority: int = 1
    args: str = "{}"
    options: Options = Options()
    needs: tuple[str, ...] = ()
    """Sorted `key=value` tokens; a worker takes the job only if it offers all of them."""
    delay_us: int = 0
    """From the store's now."""
    run_at: int | None = None
    """Microseconds since the epoch; wins over `delay_us`."""
    on_conflict: OnConflict = "existing"
    debounce_us: int = 0
    trace: str | None = None
    after: tuple[After, ...] = ()
    """What it waits for. A parent stands in the store, or comes with the same call."""
    is_parent: bool = False
    """Another job of the same call waits for it. Set by the store."""
    is_shared: bool = False
    """Its queue is shared by tenants, of whom it names none. Set by the store."""

    @property
    def flags(self) -> Flag:
        """The flags of this job's pointers."""
        options, flags = self.options, Flag.PARENT if self.is_parent else Flag.NONE
        if options.unique is not None:
            flags |= Flag.UNIQUE
        if options.gates:
            flags |= Flag.GATED
        if options.batch is not None:
            flags |= Flag.BATCH
        if self.is_shared or options.fair is not None:
            flags |= Flag.FAIR
        if options.notify is not None:
            flags |= Flag.NOTIFY
        return flags if options.fire is None else flags | Flag.FIRED

    @property
    def waits(self) -> bool:
        """Whether it is enqueued as waiting: for others, or for its limits."""
        return bool(self.after or self.options.gates)


class Counters(NamedTuple):
    """Three counters that are never mixed, and the suspicion that isolates a poison job. Kept on the pointer."""

    attempt: int = 0
    """Runs in which the function failed, or its own child process died."""
    crashes: int = 0
    """Runs in which it took its process down while it was alone in it."""
    suspicions: int = 0
    """Sessions that died while they held it, since its last success or retry from the dead letters."""
    releases: int = 0
    """Runs given back unfinished: shutdown, drain, a lost session. Without limit."""


ClaimKey = tuple[bytes, int]
"""(job, epoch): one claim."""


class Claim(NamedTuple):
    """A job let to a session. Every later write names job, session and epoch."""

    job_id: bytes
    epoch: int
    """How often the job has been claimed: rises by one with each claim and is never set back; the fencing token."""
    task: str
    queue: str
    rank: int
    seq: int
    flags: int
    counters: Counters
    args: str
    options: str | None
    created_at: int
    claimed_at: int
    cancel: str | None
    """The reason, when someone asked to cancel the job before it was claimed."""
    ready_at: int = 0
    """Since when it was ready. 0: whoever handed out the claim does not know any more."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Options)
_DEFAULT = Options()


def encode_options(options: Options) -> str | None:
    """Options as JSON text; None for the default ones, which most jobs have."""
    return None if options == _DEFAULT else _encoder.encode(options).decode()


def decode_options(text: str | None) -> Options:
    """The other way. Fields of a later version are passed over."""
    return _DEFAULT if text is None else _decoder.decode(text)
