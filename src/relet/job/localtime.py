"""When a cron expression is due in a time zone whose clock is set forward and back.

The zone is cut into stretches, in each of which its clock runs plainly. Between two of them the local clock either skips
some local times (a gap) or shows some again (an overlap). The rule, for what an expression names:

- in a gap: it is due once, at the first moment after the gap; if it names every hour, not at all.
- in an overlap: it is due at the first showing only; if it names every hour, or its minute is `*` or `*/n`, at both.

Debian's cron has the second rule, and the first for expressions without `*` in minute and hour (`man 8 cron`, "Notes").
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from relet.clock import DAY, SECOND
from relet.errors import UsageError
from relet.job.cron import MINUTE, Cron
from relet.job.nearest import nearest
from relet.job.textsafe import shown

_MICROSECOND = timedelta(microseconds=1)
_LONGEST_STRETCH = 30 * DAY
_LONGEST_NAME = 60
_HORIZON = 50 * 366 * DAY
_LAST_AT = (datetime(9800, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND
"""Behind it nothing is due: no zone could take its day from the last datetime that there is."""


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name, such as "Europe/Oslo". Raises `UsageError`, which names the closest one.

    The rules come from the system, or from the package `tzdata` where the system has none. "UTC" needs neither.
    """
    if name == "UTC":
        return UTC
    try:
        if isinstance(name, str) and not name.startswith(("posix/", "right/")):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise UsageError(f"tz {shown(name)}: {_flaw_of_zone(str(name))}")


class Stretch(NamedTuple):
    """From `start` to before `end`, the local clock is `offset` ahead of UTC. All in microseconds."""

    start: int
    end: int
    offset: int


def offset_at(zone: tzinfo, at: int) -> int:
    """How far the zone's clock is ahead of UTC at a moment, in microseconds."""
    offset = datetime.fromtimestamp(at // SECOND, zone).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


def stretches(zone: tzinfo, start: int, end: int) -> Iterator[Stretch]:
    """What lies between two moments, cut where the zone's clock is set, and at least once a month.

    Clocks that are set twice within a day, forth and back, would not be seen; no zone has ever done so since 1970.
    """
    while start < end:
        stop = _set_at(zone, start, min(end, start + _LONGEST_STRETCH))
        yield Stretch(start, stop, offset_at(zone, start))
        start = stop


@dataclass(frozen=True, slots=True)
class _Span:
    """Local times from `low` to before `top` that are due when the local clock shows them."""

    low: int
    top: int
    offset: int
    made_up: int | None
    """A moment before all of them: the first one after a gap, due for what the gap skipped."""


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """The due times of an expression in a zone, as microseconds since the Unix epoch, which rise strictly."""

    cron: Cron
    zone: tzinfo

    def next_after(self, at: int) -> int | None:
        """The first due time after `at`. None: none within 50 years, or after the year 9800."""
        last = min(at + _HORIZON, _LAST_AT)
        while at < last:
            start = self._not_due_before(at)
            if start is None:
                return None
            at = start + 5 * DAY
            found = next(self.between(start, at), None)
            if found is not None:
                return found
        return None

    def between(self, after: int, until: int) -> Iterator[int]:
        """All due times later than `after`, up to and with `until`."""
        for span in self._spans(after, until):
            if span.made_up is not None:
                yield span.made_up
            named = takewhile(span.top.__gt__, self.cron.named_from(span.low))
            yield from (local - span.offset for local in named)

    def count(self, after: int, until: int) -> int:
        """How many due times there are later than `after`, up to and with `until`: looks at days, not at each time."""
        spans = self._spans(after, until)
        return sum(self.cron.count(span.low, span.top) + (span.made_up is not None) for span in spans)

    def latest(self, number: int, until: int) -> tuple[int, ...]:
        """The last `number` due times up to and with `until`; there have to be so many. The count finds where they begin."""
        reach = 1
        while self.count(until - reach * MINUTE, until) < number:
            reach *= 2
        found = bisect_left(range(reach), number, key=lambda back: self.count(until - back * MINUTE, until))
        return tuple(self.between(until - found * MINUTE, until))[-number:]

    def _not_due_before(self, at: int) -> int | None:
        """A moment, `at` or later, up to which nothing is due: saves the search the years that are empty.

        No clock was ever set by more than a day: of all local times shown from `at` on, none lies more than a day
        before the one shown at `at`, and none is due more than a day before the present offset would have it.
        """
        offset = offset_at(self.zone, at)
        local = next(self.cron.named_from(at + offset - DAY), None)
        return None if local is None else max(at, local - offset - 2 * DAY)

    def _spans(self, after: int, until: int) -> Iterator[_Span]:
        """What is due later than `after`, up to and with `until`."""
        start, end = after + 1, until + 1
        shown_to = max(each.end + each.offset for each in stretches(self.zone, start - DAY, start))
        for stretch in stretches(self.zone, start, end):
            low, top = stretch.start + stretch.offset, stretch.end + stretch.offset
            made_up = stretch.start if self._is_made_up(shown_to, low) else None
            yield _Span(low if self.cron.repeats else max(low, shown_to), top, stretch.offset, made_up)
            shown_to = max(shown_to, top)

    def _is_made_up(self, shown_to: int, low: int) -> bool:
        """Whether the local clock skipped what was due, and what it shows after that is not due itself."""
        if low <= shown_to or self.cron.hourly:
            return False
        return self.cron.count(shown_to, low) > 0 and self.cron.count(low, low + 1) == 0


def _set_at(zone: tzinfo, start: int, end: int) -> int:
    """When the zone's clock is set first after `start`, to the second; `end` if not before."""
    offset = offset_at(zone, start)
    while start < end:
        probe = min(start + DAY, end)
        if offset_at(zone, probe) != offset:
            seconds = range(start // SECOND, probe // SECOND + 1)
            return seconds[bisect_left(seconds, True, key=lambda s: offset_at(zone, s * SECOND) != offset)] * SECOND
        start = probe
    return end


def _flaw_of_zone(name: str) -> str:
    known = available_timezones()
    if not known:
        return "this host has no time zones. Install the system's tzdata, or `pip install tzdata`."
    close = _closest(name, known)
    advice = f' Did you mean "{close}"?' if close else ""
    return f'there is no such time zone here.{advice} Names are those of the IANA database: "Europe/Oslo", "UTC".'


def _closest(name: str, known: set[str]) -> str | None:
    """The zone of that name in another case, of that city, or but for a slip; short words are all alike."""
    asked = name[:_LONGEST_NAME].strip().lower().replace(" ", "_")
    zones = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known)}
    zones |= {zone.lower(): zone for zone in known}
    is_area = any(zone.startswith(f"{asked}/") for zone in zones)
    meant = asked if asked in zones else None if is_area or len(asked) < 5 else nearest(asked, zones)
    return zones[meant] if meant else None
