"""What the store's verbs take and give. The port says what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from relet.job.job import Claim
from relet.job.settlement import Answer
from relet.store.rows import BreakerRow


class Enqueued(NamedTuple):
    """What became of one `NewJob`: `job_id` is the job that now stands for it, `created` whether it is the new one."""

    job_id: bytes
    created: bool


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A worker process that asks for a session. Never reused: each process start makes a new random id."""

    id: bytes
    worker: str
    host: str
    pid: int
    queues: tuple[str, ...]
    tasks: tuple[str, ...]
    offers: tuple[str, ...] = ()
    slots: int = 1
    tier: int = 0
    version: str = ""
    host_boot: str = ""
    """Boot id of the host: with `lock_place`, names where the liveness lock of this session can be looked at."""
    lock_place: str = ""
    """`device:inode` of the host-local directory with the session's lock file; empty: there is none."""


class Lane(NamedTuple):
    """A place to claim from: one priority of one queue, behind a place in it that this worker has passed already."""

    queue: str
    rank: int
    """The negative priority: lower comes first."""
    after: int = -(2**63)


@dataclass(frozen=True, slots=True)
class Want:
    """What a worker would take: at most `limit` jobs, from the lanes in this order, of tasks it knows and needs it offers."""

    limit: int
    lanes: tuple[Lane, ...]
    tasks: tuple[str, ...]
    offers: tuple[str, ...] = ()
    younger_than_us: int | None = None
    """For a lower tier: only jobs that have waited at least this long."""
    limited: tuple[str, ...] = ()
    """Those of its queues that the worker knows to be limited. From one that is and is not named here, nothing is let where
    workers could be in each other's way; the answer names it."""


class Progress(NamedTuple):
    """How far a running job is. Refused unless the claim stands."""

    job_id: bytes
    epoch: int
    percent: float
    message: str


class LogLine(NamedTuple):
    """A line that a running job wrote; `n` counts within the claim, so that a repeated write makes no second line."""

    job_id: bytes
    epoch: int
    n: int
    at: int
    level: str
    message: str
    fields: str | None


class Usage(NamedTuple):
    """What a running job consumed; `n` counts within the claim."""

    job_id: bytes
    epoch: int
    n: int
    kind: str
    amount: str
    """A decimal number as text: money and tokens are never floats."""
    unit: str
    details: str | None


class QueuePause(NamedTuple):
    """A running job wants its queue to start nothing for a while. Never ends or shortens a pause that there is."""

    job_id: bytes
    epoch: int
    delay_us: int
    """From the store's now on."""
    resume_at: int | None
    """Wall time; wins over `delay_us`."""
    by: str
    reason: str


class LimitPause(NamedTuple):
    """A running job wants its key of a limit to let nobody in for a while. Never ends or shortens a pause that there is."""

    limit_name: str
    key: str
    delay_us: int
    """From the store's now on."""
    resume_at: int | None
    """Wall time; wins over `delay_us`."""


Note = Progress | LogLine | Usage | QueuePause | LimitPause
"""What a running job has to say."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What running jobs have to say: rides on the next turn, before its settles."""

    progress: Sequence[Progress] = ()
    logs: Sequence[LogLine] = ()
    usage: Sequence[Usage] = ()
    pauses: Sequence[QueuePause] = ()
    limit_pauses: Sequence[LimitPause] = ()
    """Written behind the settles, for they lock limits."""

    def __bool__(self) -> bool:
        return bool(self.progress or self.logs or self.usage or self.pauses or self.limit_pauses)

    @property
    def lines(self) -> tuple[LogLine | Usage, ...]:
        """What is kept."""
        return (*self.logs, *self.usage)


class LimitedQueue(NamedTuple):
    """A limited queue, as a turn has left it."""

    queue: str
    held: bool
    """False: the turn did not ask for it, or somebody else was claiming from it. Nothing was claimed from it."""
    left: int = 0
    """How many more this worker could start now."""
    next_at: int | None = None
    """If a rate is used up: when it lets the next one start."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The answer to a turn."""

    live: bool
    """False: the session has ended or its lease has lapsed; nothing was claimed, and it must not go on."""
    now: int
    answers: tuple[Answer, ...] = ()
    """One per settle, in order."""
    claims: tuple[Claim, ...] = ()
    limited: tuple[LimitedQueue, ...] = ()
    """The limited ones of the queues that were wanted."""


class Verdict(NamedTuple):
    """How a probe has ended: that of a job is named by job and claim, that of a call by its token and 0."""

    token: bytes
    epoch: int
    passed: bool


class Report(NamedTuple):
    """What runs or calls that a breaker guards have come to, in the order in which they ended."""

    breaker: str
    outcomes: tuple[int, ...] = ()
    """3 stands for three successes, -2 for two failures."""
    verdicts: tuple[Verdict, ...] = ()
    """Of probes."""
    error: str = ""
    """The last failure."""


class Probed(NamedTuple):
    """What came of asking for probes."""

    turned: Turned
    breakers: tuple[BreakerRow, ...]
    """How the breakers stand that were asked for."""


class Control(NamedTuple):
    """What people ask of a running job."""

    job_id: bytes
    verb: str
    reason: str
    grace_us: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker tells with a renewal, for the registry."""

    busy: int = 0
    done: int = 0
    failed: int = 0
    rss_bytes: int = 0
    turned_at: int = 0
    """Store time of the last turn that was answered: a live process that stopped claiming shows here."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The answer to a renewal."""

    live: bool
    """False: the session is over; every job that it held was let to others."""
    now: int
    held: tuple[tuple[bytes, int], ...] = ()
    """(job, epoch) of every claim that stands for this session."""
    controls: tuple[Control, ...] = ()
    verb: str = ""
    """What people ask of the worker itself: "", "drain" or "stop"."""
    breakers: tuple[BreakerRow, ...] = ()
    """All that are not closed."""


class Reclaimed(NamedTuple):
    """What the end of one session gave back."""

    session_id: bytes
    worker: str
    returned: int
    dead: int
    cancelled: int


class Mended(NamedTuple):
    """What a look at waiting jobs, or at an open batch, has found."""

    repaired: tuple[bytes, ...]
    """They were counted wrong, or waited for nothing. That must not be: say so."""
    last: bytes | None
    """Where to go on; None: that was the end."""


def uuid_of(job_id: bytes) -> UUID:
    """The surface's form of an id."""
    return UUID(bytes=job_id)


class Firing(NamedTuple):
    """A run that a schedule has fired."""

    schedule: str
    due_at: int
    job_id: bytes


class Look(NamedTuple):
    """What a look at the schedules has come to."""

    fired: tuple[Firing, ...] = ()
    passed: tuple[tuple[str, int, str], ...] = ()
    """Due times that were passed over: (schedule, due time, why)."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Schedules that this host cannot reckon (a time zone that it does not know): (schedule, error). They stay as they are."""
    disabled: tuple[tuple[str, str], ...] = ()
    """Schedules that failures have disabled: (schedule, reason). Each is told of once, to whoever looks."""
    looked: int = 0
    """How many schedules were looked at."""
    left: tuple[str, ...] = ()
    """Those of them that stay due: they wait for others, or cannot be reckoned here."""


class Passes(NamedTuple):
    """Passes of a continuous run that have ended well."""

    session_id: bytes
    job_id: bytes
    epoch: int
    schedule: str
    passes: int
    """How many, since this was told last."""


class Surplus(NamedTuple):
    """A run of a continuous schedule that is not wanted any more, and was cancelled."""

    schedule: str
    job_id: bytes
    reason: str


class Triggered(NamedTuple):
    """What became of a trigger: a job, or why there is none."""

    job_id: bytes | None
    refusal: str = ""


class Backfilled(NamedTuple):
    """What was made up for."""

    fired: tuple[Firing, ...]
    """The runs that were made, in the order of their due times."""
    had: int
    """Due times that had a run already."""
    next_at: int | None
    """Where to go on, if that was not all."""


class Backfillable(NamedTuple):
    """What a backfill would make."""

    due_times: tuple[int, ...]
    """They rise; each would get a run."""
    had: int
    """Due times that have a run already."""
    next_at: int | None
    """Where to go on, if that was not all."""


class Taken(NamedTuple):
    """A routine that runs another task from now on, while live workers know the one that it ran so far: two apps declare one
    of this name, or its function has moved while workers of both versions live."""

    schedule: str
    task: str
    before: str
    by: str
    """Who declared it before."""


class Declared(NamedTuple):
    """What came of declaring schedules."""

    changed: int
    """How many were made or changed."""
    taken: tuple[Taken, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    """(schedule, why): those of that name are not of this kind, and stay as they are."""
