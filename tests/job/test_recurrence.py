"""What recurs: its rule as a value, what to fire after a pause, and its words."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.clock import DAY, HOUR, SECOND
from relet.errors import UsageError
from relet.job.moment import LAST_AT
from relet.job.recurrence import MAX_CATCHUP, ON_TIME_US, Catchup, Due, Recurrence

MINUTE = 60 * SECOND
YEAR = 365 * DAY
NOON = int(datetime(2026, 12, 5, 12, tzinfo=UTC).timestamp()) * SECOND

hourly = Recurrence.of(cron="0 * * * *")
minutely = Recurrence.of(every="1m", anchor_at=NOON)


def test_an_interval_counts_from_its_anchor_whenever_it_is_asked() -> None:
    rule = Recurrence.of(every="7m", anchor_at=NOON + 13)
    assert rule.next_after(NOON) == NOON + 13
    assert rule.next_after(NOON + 13) == NOON + 13 + 7 * MINUTE
    assert rule.next_after(NOON + 13 + 7 * MINUTE - 1) == NOON + 13 + 7 * MINUTE
    assert Recurrence.from_text(rule.to_text()).next_after(NOON + YEAR) == rule.next_after(NOON + YEAR)


def test_an_interval_is_real_time_in_a_zone_whose_clock_is_set() -> None:
    rule = Recurrence.of(every="1d", tz="Europe/Oslo", anchor_at=NOON)
    due = [NOON + n * DAY for n in range(366)]
    assert [rule.next_after(each) for each in due[:-1]] == due[1:]


@given(st.integers(1, 400 * 86_400), st.integers(0, 2**51), st.integers(0, 2**52), st.integers(0, 2**40))
def test_an_interval_neither_skips_nor_doubles(seconds: int, anchor: int, start: int, length: int) -> None:
    rule = Recurrence(every_us=seconds * SECOND, anchor_at=anchor)
    following = rule.next_after(start)
    assert following is not None
    assert following > start
    assert (following - anchor) % rule.every_us == 0
    assert following - rule.every_us <= start or following == anchor
    assert rule.next_after(following - 1) == following
    done = rule.due(start, start + length, MAX_CATCHUP)
    assert done.missed + len(done.fire) == len(range(following, start + length + 1, rule.every_us))
    assert done.fire == tuple(range(following, start + length + 1, rule.every_us))[-MAX_CATCHUP:]


def test_an_interval_ends_with_the_years() -> None:
    assert Recurrence.of(every="1d").next_after(LAST_AT) is None


def test_nothing_is_due_before_its_time() -> None:
    assert hourly.due(NOON, NOON) == Due((), 0, NOON + HOUR)
    assert hourly.due(NOON, NOON + HOUR - 1) == Due((), 0, NOON + HOUR)
    assert hourly.due(NOON, NOON + HOUR) == Due((NOON + HOUR,), 0, NOON + 2 * HOUR)


def test_a_wall_clock_that_goes_back_fires_nothing_twice() -> None:
    assert hourly.due(NOON, NOON - 3 * HOUR) == Due((), 0, NOON + HOUR)


PASSED = tuple(NOON + n * HOUR for n in range(1, 6))


@pytest.mark.parametrize(
    ("catchup", "late", "fire"),
    [
        ("latest", 30 * MINUTE, PASSED[-1:]),
        (1, 30 * MINUTE, PASSED[-1:]),
        (3, 30 * MINUTE, PASSED[-3:]),
        (5, 30 * MINUTE, PASSED),
        (1_000, 30 * MINUTE, PASSED),
        ("skip", 30 * MINUTE, ()),
        ("skip", ON_TIME_US + 1, ()),
        ("skip", ON_TIME_US, PASSED[-1:]),
        ("skip", 0, PASSED[-1:]),
    ],
)
@pytest.mark.parametrize("rule", [hourly, Recurrence.of(every="1h", anchor_at=NOON)])
def test_after_five_missed_hours_the_policy_decides(
    rule: Recurrence, catchup: Catchup, late: int, fire: tuple[int, ...]
) -> None:
    assert rule.due(NOON, PASSED[-1] + late, catchup) == Due(fire, 5 - len(fire), NOON + 6 * HOUR)


def test_the_policy_is_the_rule_s_own_unless_given() -> None:
    rule = Recurrence.of(every="1h", anchor_at=NOON, catchup=2)
    assert rule.due(NOON, PASSED[-1]).fire == PASSED[-2:]
    assert rule.due(NOON, PASSED[-1], "latest").fire == PASSED[-1:]


def test_every_second_of_three_years_is_counted_without_a_look_at_each() -> None:
    rule = Recurrence.of(every=1, anchor_at=NOON)
    until = NOON + 3 * YEAR
    assert rule.due(NOON, until) == Due((until,), 3 * YEAR // SECOND - 1, until + SECOND)
    assert rule.due(NOON, until, 3).fire == (until - 2 * SECOND, until - SECOND, until)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo"])
def test_every_minute_of_thirty_years_is_counted_by_its_days(zone: str) -> None:
    until = NOON + 30 * YEAR
    due = Recurrence.of(cron="* * * * *", tz=zone).due(NOON, until, 2)
    assert due == Due((until - MINUTE, until), 30 * YEAR // MINUTE - 2, until + MINUTE)


@given(st.integers(0, 3 * DAY), st.integers(0, 3 * DAY), st.integers(1, 80), st.sampled_from([hourly, minutely]))
def test_what_is_fired_and_missed_is_all_that_passed(start: int, length: int, most: int, rule: Recurrence) -> None:
    last, now = NOON + start, NOON + start + length
    due, passed, here = rule.due(last, now, most), list[int](), last
    while (here := rule.next_after(here) or 0) <= now:
        passed.append(here)
    assert due == Due(tuple(passed[-most:]), max(0, len(passed) - most), here)


def test_the_jitter_is_the_same_everywhere_and_bounded() -> None:
    rule = Recurrence.of(every="1h", jitter="30s", anchor_at=NOON)
    due = [NOON + n * HOUR for n in range(500)]
    starts = [rule.start_at("report", each) - each for each in due]
    assert starts[:3] == [2_506_890, 22_414_963, 26_100_050]  # for ever: hosts of different versions have to agree
    assert all(0 <= each <= 30 * SECOND for each in starts)
    assert len(set(starts)) > 490
    assert starts != [rule.start_at("other", each) - each for each in due]
    assert hourly.start_at("report", NOON) == NOON


RULES = st.builds(
    Recurrence,
    every_us=st.integers(SECOND, YEAR),
    anchor_at=st.integers(0, LAST_AT),
    catchup=st.one_of(st.sampled_from(["skip", "latest"]), st.integers(1, MAX_CATCHUP)),
    jitter_us=st.integers(0, SECOND),
) | st.builds(
    Recurrence,
    cron=st.sampled_from(["@daily", "*/5 1-3 * jan,JUL mon#2"]),
    tz=st.sampled_from(["UTC", "Europe/Oslo"]),
    jitter_us=st.integers(0, DAY),
)


@given(RULES)
def test_a_rule_is_the_same_after_the_round_trip(rule: Recurrence) -> None:
    assert Recurrence.from_text(rule.to_text()) == rule


def test_fields_of_a_later_version_are_passed_over() -> None:
    text = '{"every_us":5000000,"anchor_at":7,"calendar":{"holidays":["NO"]}}'
    assert Recurrence.from_text(text) == Recurrence(every_us=5 * SECOND, anchor_at=7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"every_us":5000000,"catchup":"some"}', "catchup"),
        ('{"every_us":"5m"}', "every_us"),
        ('{"cron":"* * *"}', "it has 3 fields"),
        ("{}", "either an interval or a cron expression"),
        ("[]", "array"),
        ("", "truncated"),
    ],
)
def test_a_stored_rule_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(
        UsageError, match=rf"A schedule of the store cannot be read \(is it of a later version\?\): .*{said}"
    ):
        Recurrence.from_text(text)


def test_a_stored_rule_of_a_zone_that_this_host_lacks_can_be_shown_but_not_reckoned() -> None:
    rule = Recurrence.from_text('{"cron":"@daily","tz":"Mars/Olympus"}')
    assert rule.describe() == "at 00:00 every day, Mars/Olympus"
    with pytest.raises(UsageError, match="tz 'Mars/Olympus': there is no such time zone here"):
        rule.next_after(NOON)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "either an interval or a cron expression"),
        ({"every": 5, "cron": "@daily"}, "either an interval or a cron expression"),
        ({"every": 0}, "an interval of nothing"),
        ({"every": 0.5}, "500ms is not between 1 second and 100 years"),
        ({"every": "soon"}, "every: 'soon' is not a duration"),
        ({"cron": ""}, "it has 0 fields"),
        ({"cron": "0 25 * * *"}, "hour '25' at character 3"),
        ({"every": 5, "anchor_at": -1}, "outside of the years"),
        ({"every": "5m", "jitter": "6m"}, "jitter: 6m is not between 0 and the interval, 5m"),
        ({"cron": "@daily", "jitter": "25h"}, "jitter: 1d1h is not between 0 and a day, 1d"),
        *(({"every": 5, "catchup": bad}, "catchup: .* is not") for bad in ("all", 0, -1, True, None, 1_001, 2.0, [])),
    ],
)
def test_a_rule_that_cannot_be_is_refused(given_: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Recurrence.of(**given_)


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("europe/oslo", "Europe/Oslo"),
        ("Oslo", "Europe/Oslo"),
        ("Europe/Olso", "Europe/Oslo"),
        ("New York", "America/New_York"),
        ("America/Sao Paolo", "America/Sao_Paulo"),
        ("right/Europe/Oslo", None),
        *((odd, None) for odd in ("PST", "", "Europe", "../../etc/passwd", "x\x00", "x" * 5_000, 5, None)),
    ],
)
def test_an_unknown_zone_is_refused_with_the_one_that_was_meant(zone: object, meant: str | None) -> None:
    with pytest.raises(UsageError, match="there is no such time zone here") as refusal:
        Recurrence.of(cron="@daily", tz=cast("str", zone))
    assert ("Did you mean" in str(refusal.value)) == (meant is not None)
    assert meant is None or f'Did you mean "{meant}"?' in str(refusal.value)


def test_a_host_without_time_zones_knows_utc_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import zoneinfo

    for name in {"tzdata", *(known for known in sys.modules if known.startswith("tzdata."))}:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("relet.job.localtime.available_timezones", set[str])
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert Recurrence.of(cron="@daily").next_after(NOON) == NOON + DAY // 2
        with pytest.raises(UsageError, match=r"this host has no time zones.*pip install tzdata"):
            Recurrence.of(cron="@daily", tz="Europe/Oslo")
    finally:
        zoneinfo.reset_tzpath()


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"every": "1m"}, "every minute"),
        ({"every": "5m"}, "every 5 minutes"),
        ({"every": "1h30m"}, "every 1 hour 30 minutes"),
        ({"every": timedelta(days=1)}, "every day"),
        ({"every": 1.5}, "every 1 second 500 milliseconds"),
        ({"every": "2w"}, "every 14 days"),
        ({"cron": "0 9 * * mon-fri", "tz": "Europe/Oslo"}, "at 09:00 on Monday to Friday, Europe/Oslo"),
        ({"cron": "30 2 * * *"}, "at 02:30 every day, UTC"),
    ],
)
def test_a_rule_is_said_in_a_plain_sentence(given_: dict[str, Any], words: str) -> None:
    assert Recurrence.of(**given_).describe() == words
