"""Cron in time zones: compared, minute by minute of UTC, with an oracle that knows no arithmetic of due times."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.clock import DAY, HOUR, SECOND
from relet.job.cron import parse
from relet.job.localtime import LocalTimes, offset_at, stretches, zone_of
from relet.job.recurrence import Recurrence

ZONES = (
    "Europe/Oslo",
    "America/New_York",
    "Australia/Lord_Howe",  # set by half an hour
    "Asia/Kathmandu",  # 5:45 ahead
    "Pacific/Apia",
    "Atlantic/Azores",  # set at midnight
    "Africa/Casablanca",  # set for Ramadan
    "America/Santiago",  # set at midnight
    "Asia/Tehran",
    "UTC",
    "America/St_Johns",
    "Antarctica/Troll",  # set by two hours
    "Africa/Cairo",
    "Asia/Gaza",
    "America/Havana",
)
MINUTE = 60 * SECOND
ONE_MINUTE = timedelta(minutes=1)
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
LAST = datetime(2036, 1, 1, tzinfo=UTC)
DAYS = (LAST - FIRST).days


def at(when: datetime) -> int:
    return int(when.timestamp()) * SECOND


def local(when: str, zone: str, *, second: bool = False) -> int:
    """A moment by what the zone's clock shows; `second` showing in an overlap."""
    return at(datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone), fold=second))


def times_of(cron: str, zone: str) -> LocalTimes:
    return LocalTimes(parse(cron), zone_of(zone))


@dataclass(frozen=True)
class Expression:
    """An expression with what it names, made together, so that the oracle needs no parser."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    dates: frozenset[int]
    weekdays: frozenset[int]
    """Monday is 0."""
    both_days: bool

    def names(self, shown: datetime) -> bool:
        if shown.minute not in self.minutes or shown.hour not in self.hours:
            return False
        by_date, by_weekday = shown.day in self.dates, shown.weekday() in self.weekdays
        return by_date and by_weekday if self.both_days else by_date or by_weekday

    @property
    def hourly(self) -> bool:
        return self.hours == frozenset(range(24))

    @property
    def repeats(self) -> bool:
        return self.hourly or self.text.startswith("*")


def expression(minute: str, minutes: set[int], hour: str, hours: set[int], day: str = "* *") -> Expression:
    dates, weekdays = _DAYS[day]
    date, weekday = day.split()
    text = f"{minute} {hour} {date} * {weekday}"
    return Expression(
        text, frozenset(minutes), frozenset(hours), frozenset(dates), frozenset(weekdays), both_days="*" in day
    )


_MONTH, _WEEK = set(range(1, 32)), set(range(7))
_DAYS = {
    "* *": (_MONTH, _WEEK),
    "* mon-fri": (_MONTH, set(range(5))),
    "* sun": (_MONTH, {6}),
    "* 7": (_MONTH, {6}),
    "*/2 0,6": (set(range(1, 32, 2)), {5, 6}),
    "1-7,25-31 *": ({*range(1, 8), *range(25, 32)}, _WEEK),
    "1,29 Sat": ({1, 29}, {5}),
}


def listed(top: int) -> st.SearchStrategy[tuple[str, set[int]]]:
    numbers = st.sets(st.integers(0, top - 1), min_size=1, max_size=6)
    return numbers.map(lambda found: (",".join(map(str, sorted(found))), found))


def stepped(top: int) -> st.SearchStrategy[tuple[str, set[int]]]:
    starred = st.integers(1, top).map(lambda step: (f"*/{step}", set(range(0, top, step))))
    ends = st.tuples(st.integers(0, top - 1), st.integers(0, top - 1), st.integers(1, 5)).filter(lambda e: e[0] != e[1])
    ranged = ends.map(lambda e: (f"{min(e[:2])}-{max(e[:2])}/{e[2]}", set(range(min(e[:2]), max(e[:2]) + 1, e[2]))))
    return st.one_of(st.just(("*", set(range(top)))), starred, ranged)


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    minute = draw(st.one_of(st.sampled_from([("0", {0}), ("30", {30})]), listed(60), stepped(60)))
    early = st.integers(0, 3).map(lambda hour: (str(hour), {hour}))
    hour = draw(st.one_of(early, listed(24), stepped(24)))
    return expression(*minute, *hour, day=draw(st.sampled_from(sorted(_DAYS))))


@functools.cache
def changes(zone: str) -> list[tuple[int, int]]:
    """When the zone's clock is set from 2020 to 2035, and by how much."""
    if zone == "UTC":
        return []
    parts = list(stretches(zone_of(zone), at(FIRST), at(LAST)))
    return [(b.start, b.offset - a.offset) for a, b in itertools.pairwise(parts) if a.offset != b.offset]


@functools.cache
def minutes_of(zone: str, start: int, days: int) -> list[tuple[int, datetime]]:
    """Every minute of UTC, and what the zone's clock shows at it."""
    info = ZoneInfo(zone)
    minutes = range(start, start + days * DAY, MINUTE)
    return [(minute, datetime.fromtimestamp(minute // SECOND, info).replace(tzinfo=None)) for minute in minutes]


def oracle(asked: Expression, zone: str, start: int, days: int) -> list[int]:
    """Walks the minutes and remembers which local times have been shown; of the first day it only learns."""
    seen: set[datetime] = set()
    before: datetime | None = None
    found: list[int] = []
    for minute, shown in minutes_of(zone, start - DAY, days + 1):
        missing = before + ONE_MINUTE if before else shown
        skipped = False
        while missing < shown:
            skipped, missing = skipped or asked.names(missing), missing + ONE_MINUTE
        is_due = asked.names(shown) and (asked.repeats or shown not in seen)
        if minute >= start and (is_due or (skipped and not asked.hourly)):
            found.append(minute)
        seen.add(shown)
        before = shown
    return found


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, int]:
    """A zone, and a day: mostly one around which the zone's clock is set."""
    zone = draw(st.sampled_from(ZONES))
    near = [at_ // DAY * DAY - DAY for at_, _ in changes(zone)]
    anywhere = st.integers(0, DAYS - 6).map(lambda day: at(FIRST) + day * DAY)
    return zone, draw(st.one_of(st.sampled_from(near), st.sampled_from(near), anywhere) if near else anywhere)


@settings(max_examples=100, deadline=None)
@given(windows(), expressions())
def test_due_times_are_those_of_a_walk_over_every_minute(window: tuple[str, int], asked: Expression) -> None:
    zone, start = window
    times, end = times_of(asked.text, zone), start + 3 * DAY - 1
    expected = oracle(asked, zone, start, 3)
    assert list(times.between(start - 1, end)) == expected
    assert times.count(start - 1, end) == len(expected)


@settings(max_examples=100, deadline=None)
@given(windows(), expressions(), st.data())
def test_the_next_due_time_is_the_same_from_wherever_it_is_asked(
    window: tuple[str, int], asked: Expression, data: st.DataObject
) -> None:
    zone, start = window
    times = times_of(asked.text, zone)
    expected = oracle(asked, zone, start, 3)
    set_at = next((at_ for at_, _ in changes(zone) if start < at_ < start + 2 * DAY), start + DAY)
    near = st.integers(max(start, set_at - 4 * HOUR), set_at + 4 * HOUR)
    asked_at = data.draw(st.one_of(near, st.integers(start, start + 3 * DAY - 1)))
    later = [due for due in expected if due > asked_at]
    following = times.next_after(asked_at)
    assert following is not None
    assert following > asked_at
    assert times.next_after(following - 1) == following
    assert following == later[0] if later else following >= start + 3 * DAY
    earlier = [due for due in expected if due <= asked_at]
    number = data.draw(st.integers(0, len(earlier)))
    assert not number or times.latest(number, asked_at) == tuple(earlier[-number:])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), expressions(), st.integers(at(FIRST), at(LAST) - 40 * DAY))
def test_steps_rise_strictly_and_neither_skip_nor_double(zone: str, asked: Expression, start: int) -> None:
    times, steps, here = times_of(asked.text, zone), list[int](), start
    while len(steps) < 40 and (here := times.next_after(here) or 0):
        steps.append(here)
    assert steps == sorted(set(steps))
    assert times.count(start, steps[-1]) == len(steps)
    assert times.latest(len(steps), steps[-1]) == tuple(steps)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time", ["0 0", "30 0", "0 1", "30 1", "45 1", "0 2", "30 2", "59 2", "15 3", "0 23", "59 23"])
def test_a_time_of_day_is_due_once_on_each_day_of_16_years(zone: str, time: str) -> None:
    first, last = local("2020-01-01", zone), local("2036-01-01", zone)
    assert times_of(f"{time} * * *", zone).count(first - 1, last - 1) == DAYS


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    ("cron", "distance"), [("0 * * * *", HOUR), ("*/15 * * * *", 15 * MINUTE), ("7 0-23 * * *", HOUR)]
)
def test_each_real_hour_and_quarter_is_due_across_every_change(zone: str, cron: str, distance: int) -> None:
    for change, _ in changes(zone):
        due = list(times_of(cron, zone).between(change - 12 * HOUR, change + 12 * HOUR))
        assert {b - a for a, b in itertools.pairwise(due)} == {distance}


@pytest.mark.parametrize("zone", [zone for zone in ZONES if changes(zone)])
def test_in_every_gap_a_fixed_time_moves_to_its_end_and_in_every_overlap_it_is_the_first(zone: str) -> None:
    for change, shift in changes(zone):
        before = offset_at(zone_of(zone), change - 1)
        inside = change + before + shift // 2  # before the change in an overlap, whose shift is negative
        shown = datetime.fromtimestamp(inside // SECOND, UTC)
        due = list(times_of(f"{shown.minute} {shown.hour} * * *", zone).between(change - 6 * HOUR, change + 6 * HOUR))
        assert due == [change if shift > 0 else change + shift // 2]


OSLO, HOWE, YORK = "Europe/Oslo", "Australia/Lord_Howe", "America/New_York"
TABLE = [
    # spring in Oslo: 02:00 to 03:00 is skipped
    (OSLO, "0 2 * * *", "2026-03-29T00:00", ["2026-03-29T03:00", "2026-03-30T02:00"]),
    (OSLO, "30 2 * * *", "2026-03-29T00:00", ["2026-03-29T03:00", "2026-03-30T02:30"]),
    (OSLO, "0,30 2 * * *", "2026-03-29T00:00", ["2026-03-29T03:00", "2026-03-30T02:00"]),
    (OSLO, "0 2,3 * * *", "2026-03-29T00:00", ["2026-03-29T03:00", "2026-03-30T02:00"]),
    (OSLO, "*/20 2 * * *", "2026-03-29T00:00", ["2026-03-29T03:00", "2026-03-30T02:00"]),
    (OSLO, "0 */2 * * *", "2026-03-29T00:00", ["2026-03-29T03:00", "2026-03-29T04:00", "2026-03-29T06:00"]),
    (OSLO, "0 * * * *", "2026-03-29T00:00", ["2026-03-29T01:00", "2026-03-29T03:00", "2026-03-29T04:00"]),
    (OSLO, "5 * * * *", "2026-03-29T00:05", ["2026-03-29T01:05", "2026-03-29T03:05", "2026-03-29T04:05"]),
    (OSLO, "*/30 * * * *", "2026-03-29T01:00", ["2026-03-29T01:30", "2026-03-29T03:00", "2026-03-29T03:30"]),
    (OSLO, "30 2 * * 1", "2026-03-28T00:00", ["2026-03-30T02:30", "2026-04-06T02:30"]),
    # autumn in Oslo: 02:00 to 03:00 is shown twice; "+" is the second showing
    (OSLO, "0 2 * * *", "2026-10-25T00:00", ["2026-10-25T02:00", "2026-10-26T02:00"]),
    (OSLO, "30 2 * * *", "2026-10-25T02:10+", ["2026-10-26T02:30"]),
    (OSLO, "*/30 2 25 10 *", "2026-10-25T02:30", ["2026-10-25T02:00+", "2026-10-25T02:30+", "2027-10-25T02:00"]),
    (OSLO, "0 */2 * * *", "2026-10-25T01:00", ["2026-10-25T02:00", "2026-10-25T04:00"]),
    (OSLO, "0 * * * *", "2026-10-25T01:00", ["2026-10-25T02:00", "2026-10-25T02:00+", "2026-10-25T03:00"]),
    (OSLO, "*/30 2 * * *", "2026-10-25T02:00", ["2026-10-25T02:30", "2026-10-25T02:00+", "2026-10-25T02:30+"]),
    # by half an hour: 02:00 to 02:30 is skipped, 01:30 to 02:00 is shown twice
    (HOWE, "15 2 * * *", "2026-10-04T00:00", ["2026-10-04T02:30", "2026-10-05T02:15"]),
    (HOWE, "0 * * * *", "2026-10-04T00:00", ["2026-10-04T01:00", "2026-10-04T03:00"]),
    (HOWE, "45 1 * * *", "2026-04-05T00:00", ["2026-04-05T01:45", "2026-04-06T01:45"]),
    (HOWE, "45 * * * *", "2026-04-05T01:00", ["2026-04-05T01:45", "2026-04-05T01:45+", "2026-04-05T02:45"]),
    # midnight itself is skipped, and shown twice
    ("America/Santiago", "0 0 * * *", "2026-09-05T12:00", ["2026-09-06T01:00", "2026-09-07T00:00"]),
    ("America/Santiago", "0 0 6 9 *", "2026-09-05T12:00", ["2026-09-06T01:00", "2027-09-06T00:00"]),
    ("America/Santiago", "30 23 * * *", "2026-04-04T12:00", ["2026-04-04T23:30", "2026-04-05T23:30"]),
    ("Atlantic/Azores", "@daily", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:00"]),
    ("Atlantic/Azores", "@daily", "2026-10-24T12:00", ["2026-10-25T00:00", "2026-10-26T00:00"]),
    (YORK, "30 2 8 3 *", "2026-01-01T00:00", ["2026-03-08T03:00", "2027-03-08T02:30"]),
    # a whole day is skipped
    ("Pacific/Apia", "0 12 * * *", "2011-12-29T00:00", ["2011-12-29T12:00", "2011-12-31T00:00", "2011-12-31T12:00"]),
    ("Pacific/Apia", "0 12 30 12 *", "2011-12-29T23:59", ["2011-12-31T00:00", "2012-12-30T12:00"]),
    ("Asia/Kathmandu", "0 2 * * *", "2026-03-29T00:00", ["2026-03-29T02:00", "2026-03-30T02:00"]),
    ("UTC", "30 2 * * *", "2026-03-29T00:00", ["2026-03-29T02:30", "2026-03-30T02:30"]),
]


@pytest.mark.parametrize(("zone", "cron", "asked", "due"), TABLE)
def test_the_rule_for_clocks_that_are_set(zone: str, cron: str, asked: str, due: list[str]) -> None:
    rule, times = Recurrence.of(cron=cron, tz=zone), times_of(cron, zone)
    start, *expected = (local(each.rstrip("+"), zone, second=each.endswith("+")) for each in (asked, *due))
    found, here = list[int](), start
    while len(found) < len(expected) and (here := rule.next_after(here) or 0):
        found.append(here)
    assert [str(datetime.fromtimestamp(each // SECOND, ZoneInfo(zone))) for each in found] == [
        str(datetime.fromtimestamp(each // SECOND, ZoneInfo(zone))) for each in expected
    ]
    assert list(times.between(start, expected[-1])) == expected
    assert times.count(start, expected[-1]) == len(expected)


def test_a_zone_with_seconds_in_its_offset_keeps_to_its_own_clock() -> None:
    monrovia: tzinfo = ZoneInfo("Africa/Monrovia")  # 44:30 behind until 1972
    due = times_of("30 2 * * *", "Africa/Monrovia").next_after(at(datetime(1971, 1, 1, tzinfo=UTC)))
    assert datetime.fromtimestamp((due or 0) // SECOND, monrovia).replace(tzinfo=None) == datetime(1971, 1, 1, 2, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("cron", "asked", "due"),
    [
        ("0 0 29 2 *", 2096, "2104-02-29T00:00"),
        ("0 0 * 2 MON#5", 2044, "2044-02-29T00:00"),
        ("0 0 31 12 *", 9798, "9798-12-31T00:00"),
    ],
)
def test_the_next_due_time_may_be_years_away(cron: str, asked: int, due: str) -> None:
    start = at(datetime(asked, 1, 1, tzinfo=UTC)) + 60 * DAY * (asked == 2096)
    assert times_of(cron, OSLO).next_after(start) == local(due, OSLO)


@pytest.mark.parametrize("year", [9801, 9900, 9999])
def test_at_the_end_of_all_years_nothing_more_is_due(year: int) -> None:
    assert times_of("0 0 1 1 *", OSLO).next_after(at(datetime(year, 12, 31, 12, tzinfo=UTC))) is None
