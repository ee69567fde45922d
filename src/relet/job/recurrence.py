"""When something recurs: an interval or a cron expression, and what becomes of due times that nobody was there for.

Pure: the same rule and the same times give the same answers on every host, but for the version of its time zone data.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol, Self, cast

import msgspec

from relet.clock import DAY, HOUR, MS, SECOND
from relet.errors import UsageError
from relet.job.cron import MINUTE, parse
from relet.job.duration import MAX_US, Duration, format_us, to_us
from relet.job.localtime import LocalTimes, zone_of
from relet.job.moment import LAST_AT
from relet.job.textsafe import shown

Catchup = Literal["skip", "latest"] | int
"""What becomes of due times that passed while nobody could fire: none of them is made up for; the latest one is; all
are, up to the latest n."""

MAX_CATCHUP = 1_000
ON_TIME_US = MINUTE
"""A due time is fired as if on time until so long after it, also with catchup "skip"."""

_FORMS = 'every="5m" or cron="30 9 * * mon-fri"'
_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"), (MS, "millisecond"), (1, "microsecond"))


@dataclass(frozen=True, slots=True)
class Due:
    """What to do now about a schedule."""

    fire: tuple[int, ...]
    """Due times to fire, which rise."""
    missed: int
    """How many more due times have passed, which are not made up for."""
    next: int | None
    """When to look again; None: never."""


class Recurrence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule, checked when it is made. Usually by `Recurrence.of`, which takes what users write.

    Exactly one of `every_us` and `cron` is set. An interval is real elapsed time from `anchor_at`, which is a due time
    itself: neither a restart nor a clock that is set in some zone shifts it. A cron expression is read in the zone `tz`
    (see `relet.job.localtime` for clocks that are set).
    """

    every_us: int = 0
    anchor_at: int = 0
    cron: str = ""
    tz: str = "UTC"
    catchup: Catchup = "latest"
    jitter_us: int = 0

    def __post_init__(self) -> None:
        if bool(self.every_us) == bool(self.cron):
            raise UsageError(f"A schedule has either an interval or a cron expression: {_FORMS}.")
        if self.cron:
            parse(self.cron)
        elif not SECOND <= self.every_us <= MAX_US:
            raise UsageError(f"every: {_shown_us(self.every_us)} is not between 1 second and 100 years. Use {_FORMS}.")
        if not 0 <= self.anchor_at <= LAST_AT:
            raise UsageError(f"anchor: {shown(self.anchor_at)} is outside of the years 1970 to 9999 (UTC).")
        self._check_policies()

    @classmethod
    def of(
        cls,
        *,
        every: Duration | None = None,
        cron: str | None = None,
        tz: str = "UTC",
        catchup: Catchup = "latest",
        jitter: Duration = 0,
        anchor_at: int = 0,
    ) -> Self:
        """The rule that a user writes. Raises `UsageError` for what is none, and for a zone unknown to this host.

        `anchor_at`, in microseconds, is from when an interval counts: when the schedule was made, and kept with it.
        """
        if every is None and cron is not None:
            parse(cron)
        zone_of(tz)
        every_us = 0 if every is None else to_us(every, name="every")
        if every is not None and not every_us:
            raise UsageError(f"every: an interval of nothing never passes. Use {_FORMS}.")
        jitter_us = to_us(jitter, name="jitter")
        return cls(
            every_us=every_us,
            cron=cron or "",
            tz=tz,
            catchup=catchup,
            jitter_us=jitter_us,
            anchor_at=anchor_at,
        )

    def next_after(self, at_us: int) -> int | None:
        """The first due time after a moment. None: none within 50 years of it, or after the year 9800.

        Raises `UsageError` if this host does not know the zone; so do `due` and all that looks at times.
        """
        return self._times().next_after(at_us)

    def due(self, last_fired_us: int, now_us: int, catchup: Catchup | None = None) -> Due:
        """What to fire now, if all due times up to `last_fired_us` are settled. Afterwards those up to `now_us` are.

        The work grows with the number of days between, not with that of due times. A wall clock that went back fires
        nothing a second time.
        """
        kept = _checked_catchup(self.catchup if catchup is None else catchup)
        times = self._times()
        following = times.next_after(max(last_fired_us, now_us))
        passed = times.count(last_fired_us, now_us) if last_fired_us < now_us else 0
        if not passed:
            return Due((), 0, following)
        number = min(passed, kept if isinstance(kept, int) else 1)
        fire = times.latest(number, now_us)
        if kept == "skip":
            fire = tuple(at for at in fire if now_us - at <= ON_TIME_US)
        return Due(fire, passed - len(fire), following)

    def start_at(self, name: str, due_at: int) -> int:
        """When the run of a due time starts: at most the jitter later, the same on every host for the same schedule."""
        if not self.jitter_us:
            return due_at
        drawn = blake2b(f"{due_at} {name}".encode(errors="surrogatepass"), digest_size=8).digest()
        return due_at + int.from_bytes(drawn, "big") % (self.jitter_us + 1)

    def describe(self) -> str:
        """In words: "every 5 minutes", "at 09:30 on Monday to Friday, Europe/Oslo"."""
        return f"{parse(self.cron).explain()}, {self.tz}" if self.cron else f"every {_in_words(self.every_us)}"

    def to_text(self) -> str:
        """As JSON, for the store."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The other way. Fields of a later version are passed over; raises `UsageError` for words that are not known."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            raise UsageError(f"A schedule of the store cannot be read (is it of a later version?): {error}") from None

    def _times(self) -> _Times:
        if self.cron:
            return LocalTimes(parse(self.cron), zone_of(self.tz))
        return Interval(self.every_us, self.anchor_at)

    def _check_policies(self) -> None:
        _checked_catchup(self.catchup)
        longest = self.every_us or DAY
        if not 0 <= self.jitter_us <= longest:
            limit = "the interval" if self.every_us else "a day"
            raise UsageError(f"jitter: {_shown_us(self.jitter_us)} is not between 0 and {limit}, {format_us(longest)}.")


class _Times(Protocol):
    """Due times: how `LocalTimes` and `Interval` are asked for them."""

    def next_after(self, at: int) -> int | None: ...
    def count(self, after: int, until: int) -> int: ...
    def latest(self, number: int, until: int) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Due at `anchor_at`, and from then on every `every_us` microseconds."""

    every_us: int
    anchor_at: int

    def next_after(self, at: int) -> int | None:
        """The first due time after `at`."""
        found = self.anchor_at + self._up_to(at) * self.every_us
        return found if found <= LAST_AT else None

    def count(self, after: int, until: int) -> int:
        """How many due times there are later than `after`, up to and with `until`."""
        return self._up_to(until) - self._up_to(after)

    def latest(self, number: int, until: int) -> tuple[int, ...]:
        """The last `number` due times up to and with `until`; there have to be so many."""
        last = self._up_to(until)
        return tuple(self.anchor_at + each * self.every_us for each in range(last - number, last))

    def _up_to(self, at: int) -> int:
        """How many due times there are up to and with `at`, from the beginning."""
        return max(0, (at - self.anchor_at) // self.every_us + 1)


def _checked_catchup(given: object) -> Catchup:
    is_number = isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MAX_CATCHUP
    if not is_number and given not in ("skip", "latest"):
        number = f"a number from 1 to {MAX_CATCHUP:,} (all, up to that many)"
        raise UsageError(f'catchup: {shown(given)} is not "skip", "latest" or {number}.')
    return cast("Catchup", given)


def _shown_us(us: int) -> str:
    return format_us(us) if abs(us) <= MAX_US else f"{shown(us)} microseconds"


def _in_words(us: int) -> str:
    """ "minute", "5 minutes", "1 hour 30 minutes": exact, and the one unit without its number if it is one."""
    parts: list[str] = []
    for size, unit in _UNITS:
        number, us = divmod(us, size)
        if number:
            parts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    return parts[0].removeprefix("1 ") if len(parts) == 1 else " ".join(parts)
