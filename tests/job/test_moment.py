"""Points in time: exact both ways, never without a time zone, within the years that a datetime has."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.moment import LAST_AT, from_at, to_at

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 29), timezones=ZONES))  # noqa: DTZ001
def test_a_moment_is_the_same_after_the_round_trip(when: datetime) -> None:
    assert from_at(to_at(when, name="at")) == when


@given(st.integers(0, LAST_AT))
def test_microseconds_are_the_same_after_the_round_trip(at: int) -> None:
    moment = from_at(at)
    assert moment.tzinfo is UTC
    assert to_at(moment, name="at") == at


def test_the_ends_of_the_range_are_moments() -> None:
    assert from_at(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert from_at(LAST_AT) == datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_a_naive_datetime_is_refused_with_advice() -> None:
    with pytest.raises(UsageError, match=r"at: .*no time zone.*datetime\.now\(UTC\)"):
        to_at(datetime(2030, 1, 1), name="at")  # noqa: DTZ001


@pytest.mark.parametrize("value", [date(2030, 1, 1), 1_700_000_000, "2030-01-01", None])
def test_what_is_no_datetime_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="at: expected a datetime with a time zone"):
        to_at(cast("datetime", value), name="at")


@pytest.mark.parametrize(
    "when",
    [
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=timezone(timedelta(minutes=1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=23))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
    ],
)
def test_a_moment_outside_of_the_years_is_refused(when: datetime) -> None:
    with pytest.raises(UsageError, match="1970 to 9999"):
        to_at(when, name="at")


@pytest.mark.parametrize("at", [-1, LAST_AT + 1, 2**63])
def test_microseconds_outside_of_the_years_are_refused(at: int) -> None:
    with pytest.raises(UsageError, match="1970 to 9999"):
        from_at(at)
