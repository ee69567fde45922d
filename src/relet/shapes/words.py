"""Times, counts and sizes in words for people, and the other way round for times in flags."""

from __future__ import annotations

from datetime import datetime

from relet.errors import UsageError
from relet.job.duration import format_us, to_us
from relet.job.moment import to_at


def at_of(text: str) -> int:
    """Microseconds since the epoch of a time as records write it."""
    return to_at(datetime.fromisoformat(text), name="time")


def ago(text: str | None, now: int) -> str:
    """How long ago a time of a record was: "3m". A time to come reads "in 3m"."""
    if text is None:
        return ""
    past = now - at_of(text)
    return format_us(past) if past >= 0 else f"in {format_us(-past)}"


def clock(text: str | None) -> str:
    """A time of a record in this host's zone, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S %z") if text else ""


def plural(count: int, noun: str, nouns: str = "") -> str:
    """ "1 job", "1,204 jobs"."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def size(count: int) -> str:
    """Bytes for people: "64 MB"."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if value >= 10 or units[0] == "B" else f"{value:.1f} {units[0]}"


def when(text: str | None, now: int, *, name: str) -> int | None:
    """A time in a flag: a duration before now ("2h"), or an ISO 8601 time; without a zone, it is of this host's."""
    if text is None:
        return None
    moment = _iso(text)
    if moment:
        return to_at(moment, name=name)
    try:
        return now - to_us(text, name=name)
    except UsageError:
        how = 'Write how long ago, such as "2h", or a time like 2030-12-31T18:00'
        raise UsageError(f"{name}: {text!r} is not a time. {how}.") from None


def moment(text: str, *, name: str) -> datetime:
    """An ISO 8601 time in a flag; without a zone, it is of this host's. Raises UsageError."""
    parsed = _iso(text)
    if parsed is None:
        raise UsageError(f"{name}: {text!r} is not a time. Write it like 2030-12-31T18:00 or 2030-12-31T18:00:00Z.")
    return parsed


def _iso(text: str) -> datetime | None:
    if "-" not in text.lstrip("-"):
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return None
