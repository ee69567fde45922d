"""Circuit breakers: when to stop trying, and when to try again. Pure.

closed     everything passes, and is counted
open       nothing passes until `probe_at`
half-open  from then on so many probes may be out at once: when that many have succeeded it closes; one that fails opens it

A breaker is half-open when its time has come: nobody has to write that down, so nobody can die before he has. It trips at a
failure, never at a success. Times are microseconds since the epoch, of the store's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from relet.clock import DAY, MS, SECOND
from relet.errors import UsageError
from relet.job.duration import Duration, format_us, to_us
from relet.job.names import breaker_name
from relet.job.textsafe import clip, shown, storable

STEPS = 10
"""Into so many steps the window of a rate is cut."""

TASK, QUEUE = "task:", "queue:"
"""What the names of the breakers of tasks and queues begin with."""

AUTOMATIC = "relet"
"""Who has opened or closed a breaker that did so by itself."""

MOST_PROBES = 1_000
ERROR_CHARS = 300
_SHORTEST_US, _LONGEST_US = 100 * MS, 366 * DAY
MINUTE = 60 * SECOND


class Rule(msgspec.Struct, frozen=True):
    """When a breaker trips, and how it tries again."""

    failures: int | None = 5
    """So many in a row."""
    within_us: int | None = None
    """How far back failures in a row count (None: for ever), and how long the window of the rate is (None: a minute)."""
    rate: float | None = None
    minimum: int = 20
    cool_us: int = MINUTE
    probes: int = 1

    @property
    def window_us(self) -> int:
        """The window of the rate."""
        return MINUTE if self.within_us is None else self.within_us

    def step(self, now: int) -> int:
        """The number of the step in which `now` is."""
        return now * STEPS // self.window_us

    def __str__(self) -> str:
        window = format_us(self.window_us)
        parts = [f"{self.failures} failures in a row"] if self.failures is not None else []
        if parts and self.within_us is not None:
            parts = [f"{parts[0]} within {window}"]
        if self.rate is not None:
            parts.append(f"{self.rate:.0%} of at least {self.minimum} within {window}")
        return f"{' or '.join(parts)}; tries again after {format_us(self.cool_us)}"


@dataclass(frozen=True)
class Breaker:
    """A rule for a circuit breaker: it opens after so many `failures` in a row, or when the share `rate` of the last runs failed.

    `failures`: so many in a row; None: they do not count. `within`: only those of so long ago; without it, however long it took.
    `rate`: the share of failures, above 0 and up to 1, among the runs of the last `within` (by default a minute), if there were
    at least `minimum`. `cool`: so long it stays open; then `probes` runs at once may try whether things work again: it closes
    when so many have succeeded, and the first that fails opens it for another `cool`.

    `only`: the exceptions that count as failures; `ignore`: those that do not, and win. Timeouts and child processes that died
    count. What is no failure of the thing itself counts neither way: a snooze, a rejection, a cancel, a lost lease.

    Raises UsageError for what cannot be.
    """

    failures: int | None = 5
    within: Duration | None = None
    rate: float | None = None
    minimum: int = 20
    cool: Duration = "1m"
    probes: int = 1
    ignore: tuple[type[BaseException], ...] = ()
    only: tuple[type[BaseException], ...] = (Exception,)
    rule: Rule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        within_us = None if self.within is None else _span(self.within, "within")
        if self.failures is None and self.rate is None:
            raise UsageError("Breaker(failures=None): without failures= and rate= it would never trip.")
        for name, count in (("failures", self.failures), ("minimum", self.minimum)):
            if count is not None:
                _whole(count, name, 1_000_000)
        _whole(self.probes, "probes", MOST_PROBES)
        if self.rate is not None and not (isinstance(self.rate, (int, float)) and 0 < self.rate <= 1):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
            raise UsageError(f"Breaker(rate={shown(self.rate)}): a share is above 0 and up to 1, such as 0.5.")
        rate = None if self.rate is None else float(self.rate)
        cool_us = _span(self.cool, "cool")
        object.__setattr__(self, "rule", Rule(self.failures, within_us, rate, self.minimum, cool_us, self.probes))

    def counts(self, error: BaseException) -> bool:
        """Whether this error speaks against what the breaker guards."""
        return isinstance(error, self.only) and not isinstance(error, self.ignore)


def _whole(count: object, name: str, most: int) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= most:
        raise UsageError(f"Breaker({name}={shown(count)}): give a whole number from 1 to {most:,}.")


def _span(duration: Duration, name: str) -> int:
    us = to_us(duration, name=name)
    if not _SHORTEST_US <= us <= _LONGEST_US:
        raise UsageError(f"Breaker({name}={shown(duration)}): give a time from 100ms to 366d.")
    return us


def task_breaker(task: str) -> str:
    """The name of a task's breaker."""
    return TASK + task


def queue_breaker(queue: str) -> str:
    """The name of a queue's breaker."""
    return QUEUE + queue


def call_breaker(text: str) -> str:
    """`text`, if it can name a breaker around calls. Raises UsageError."""
    if text.startswith((TASK, QUEUE)):
        raise UsageError(
            f"breaker {shown(text)}: names that begin with {TASK} and {QUEUE} are those of tasks and queues, which declare "
            "theirs by @app.task(breaker=…) and app.queue(…, breaker=…)."
        )
    return breaker_name(text)


class State(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Bucket(NamedTuple):
    """What was counted in one step of the window."""

    step: int
    passed: int
    failed: int
    streak: int
    """Of those that failed: how many have had no success behind them since."""


class Status(NamedTuple):
    """How a breaker stands. A new one is closed."""

    failures: int = 0
    """In a row, up to now."""
    buckets: tuple[Bucket, ...] = ()
    opened_at: int | None = None
    """Since when it lets nothing pass; None: it is closed."""
    probe_at: int | None = None
    """From when on it lets probes pass; None: when a person says so."""
    proved: int = 0
    """Probes that have succeeded since it opened."""
    trips: int = 0
    """How often it has opened by itself."""
    because: str = ""
    """Why it is open."""
    error: str = ""
    """The last failure that counted."""

    def state(self, now: int) -> State:
        """Where it stands at this time."""
        if self.opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self.probe_at is not None and self.probe_at <= now else State.OPEN

    def room(self, rule: Rule, out: int, now: int) -> int:
        """How many more probes may go out, when so many are."""
        if self.state(now) is not State.HALF_OPEN:
            return 0
        return max(0, rule.probes - self.proved - out)


def hear(rule: Rule, before: Status, outcomes: Iterable[int], now: int, error: str = "") -> Status:
    """What outcomes make of a breaker, in their order: 3 stands for three successes, -2 for two failures.

    Unless it is closed they change nothing: they are of runs that began before, and only probes decide then."""
    after = before
    for count in outcomes:
        if after.opened_at is not None:
            break
        after = _passed(rule, after, count, now) if count > 0 else _failed(rule, after, -count, now, error)
    return after


def _passed(rule: Rule, status: Status, count: int, now: int) -> Status:
    buckets = _count(rule, status.buckets, now, passed=count)
    return status._replace(failures=0, buckets=tuple([bucket._replace(streak=0) for bucket in buckets]))


def _failed(rule: Rule, status: Status, count: int, now: int, error: str) -> Status:
    for _ in range(count):
        buckets = _count(rule, status.buckets, now, failed=1)
        status = status._replace(failures=status.failures + 1, buckets=buckets, error=_said(error) or status.error)
        because = _trips(rule, status)
        if because:
            return _opened(rule, status, now, because)
    return status


def _count(rule: Rule, buckets: Sequence[Bucket], now: int, passed: int = 0, failed: int = 0) -> tuple[Bucket, ...]:
    """One more in the present step; what is older than the window is forgotten. (Steps to come: the clock was set back.)"""
    if rule.rate is None and rule.within_us is None:
        return ()
    step = rule.step(now)
    kept = {bucket.step: bucket for bucket in buckets if step - STEPS < bucket.step <= step + STEPS}
    had = kept.get(step, Bucket(step, 0, 0, 0))
    kept[step] = Bucket(step, had.passed + passed, had.failed + failed, had.streak + failed)
    return tuple(kept[each] for each in sorted(kept))


def _trips(rule: Rule, status: Status) -> str:
    """Why it trips now; empty: it does not."""
    window = format_us(rule.window_us)
    in_a_row = status.failures if rule.within_us is None else sum(bucket.streak for bucket in status.buckets)
    if rule.failures is not None and in_a_row >= rule.failures:
        return f"{in_a_row} failures in a row" + (f" within {window}" if rule.within_us is not None else "")
    failed = sum(bucket.failed for bucket in status.buckets)
    total = failed + sum(bucket.passed for bucket in status.buckets)
    if rule.rate is not None and total >= rule.minimum and failed / total >= rule.rate:
        return f"{failed} of {total} failed within {window}"
    return ""


def _opened(rule: Rule, status: Status, now: int, because: str) -> Status:
    return status._replace(
        buckets=(), opened_at=now, probe_at=now + rule.cool_us, proved=0, trips=status.trips + 1, because=because
    )


def judge(rule: Rule, status: Status, passed: bool, now: int, error: str = "") -> Status:
    """What the end of a probe makes of a half-open breaker. In any other state it changes nothing."""
    if status.state(now) is not State.HALF_OPEN:
        return status
    if not passed:
        failed = status._replace(failures=status.failures + 1, error=_said(error) or status.error)
        return _opened(rule, failed, now, "a probe failed")
    proved = status.proved + 1
    return closed(status) if proved >= rule.probes else status._replace(proved=proved)


def forced(status: Status, now: int, probe_at: int | None, because: str) -> Status:
    """Open, because a person wants it so: until then, or until a person closes it."""
    return status._replace(
        buckets=(), opened_at=now, probe_at=probe_at, proved=0, because=storable(clip(because, ERROR_CHARS)), error=""
    )


def closed(status: Status) -> Status:
    """Closed, with nothing counted."""
    return Status(trips=status.trips, error=status.error)


def _said(error: str) -> str:
    return storable(clip(error, ERROR_CHARS))


def encode_rule(rule: Rule) -> str:
    """As it is stored."""
    return msgspec.json.encode(rule).decode()


def decode_rule(text: str) -> Rule:
    """The other way."""
    return msgspec.json.decode(text, type=Rule)


def encode_buckets(buckets: Sequence[Bucket]) -> str:
    """As they are stored: `[[step, passed, failed, streak]]`."""
    return msgspec.json.encode(buckets).decode()


def decode_buckets(text: str) -> tuple[Bucket, ...]:
    """The other way."""
    return msgspec.json.decode(text, type=tuple[Bucket, ...])


def wait_us(rule: Rule, status: Status, now: int) -> int:
    """How long what was turned away should wait: until the first probe, or for a tenth of the cooling where probes are out."""
    if status.probe_at is None:
        return rule.cool_us
    tenth = max(SECOND, rule.cool_us // 10)
    return max(status.probe_at - now, min(tenth, rule.cool_us))


def rules_of(breakers: Mapping[str, Breaker]) -> dict[str, Rule]:
    """What the store has to know of them."""
    return {name: breaker.rule for name, breaker in breakers.items()}
