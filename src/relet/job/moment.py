"""Points in time at the user's surface: an aware datetime outside, microseconds since the Unix epoch inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from relet.errors import UsageError
from relet.job.duration import Duration, to_us

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

LAST_AT = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The last microsecond of the year 9999, the latest that a datetime can say."""


def to_at(when: datetime, *, name: str) -> int:
    """`when` as microseconds since the Unix epoch (UTC), exactly.

    `name` is what the error calls the value. Raises `UsageError` for a datetime without a time zone, and for one before
    1970 or after 9999 (UTC).
    """
    if not isinstance(when, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
        raise UsageError(f"{name}: expected a datetime with a time zone, got {type(when).__name__}. {_ADVICE}")
    if when.utcoffset() is None:
        raise UsageError(f"{name}: {when.isoformat()} has no time zone, so it is not a point in time. {_ADVICE}")
    at = (when - _EPOCH) // _MICROSECOND
    if not 0 <= at <= LAST_AT:
        raise UsageError(f"{name}: {when.isoformat()} is outside of the years 1970 to 9999 (UTC).")
    return at


def from_at(at: int) -> datetime:
    """The UTC datetime of `at` microseconds since the Unix epoch. Raises `UsageError` outside of 1970 to 9999."""
    if not 0 <= at <= LAST_AT:
        raise UsageError(f"{at} microseconds since 1970 is outside of the years 1970 to 9999 (UTC).")
    return _EPOCH + timedelta(microseconds=at)


def from_at_or_none(at: int | None) -> datetime | None:
    """The same of what may not have happened."""
    return None if at is None else from_at(at)


def span_or_at(when: datetime | Duration, *, name: str) -> tuple[int, int | None]:
    """How many microseconds from now on, or until which wall time: `when` is a duration, a datetime, or an HTTP date, as in a
    Retry-After header. Raises `UsageError`."""
    moment = http_date(when) if isinstance(when, str) else when
    if isinstance(moment, datetime):
        return 0, to_at(moment, name=name)
    return to_us(moment, name=name), None


def ends_at(when: datetime | Duration, now: int, *, name: str) -> int:
    """The same as wall time."""
    span_us, at = span_or_at(when, name=name)
    return now + span_us if at is None else at


def http_date(text: str) -> datetime | str:
    """The moment of an HTTP date (RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"); any other text as it is."""
    if not text.rstrip().endswith("GMT"):
        return text
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return text


_ADVICE = "Use datetime.now(UTC), or when.astimezone() for a time of this host's zone."
