"""How pages say things: states, times, counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

from relet.clock import SECOND
from relet.job.duration import format_us
from relet.job.moment import from_at
from relet.shapes import records, words

CAP = 10_000
"""Pages count so far: a count of this many means "or more"."""

LINE_CHARS = 160

GLYPHS: Mapping[str, str] = {
    "ready": "●",
    "scheduled": "◷",
    "waiting": "◔",
    "running": "▶︎",
    "succeeded": "✓",
    "success": "✓",
    "cancelled": "⊘",
    "dead": "✕",
    "lost": "⚠︎",
    "lapsed": "⚠︎",
    "failure": "↻",
    "retrying": "↻",
    "released": "↩︎",
    "snoozed": "◷",
    "open": "●",
    "paused": "‖",
    "closed": "⊘",
    "live": "▶︎",
    "draining": "◷",
    "stopping": "◷",
    "ended": "⊘",
    "disabled": "⊘",
    "idle": "●",
    "unreadable": "⚠︎",
    "resolved": "✓",
    "half-open": "◷",
    "viewer": "●",
    "operator": "●",
    "admin": "●",
}
"""Each state has a sign beside its colour and its word."""

TONES: Mapping[str, str] = {
    "success": "succeeded",
    "failure": "retrying",
    "lapsed": "lost",
    "released": "waiting",
    "snoozed": "scheduled",
    "paused": "retrying",
    "live": "running",
    "draining": "retrying",
    "stopping": "retrying",
    "ended": "waiting",
    "disabled": "dead",
    "idle": "ready",
    "unreadable": "lost",
    "resolved": "succeeded",
    "half-open": "retrying",
    "viewer": "ready",
    "operator": "running",
    "admin": "cancelled",
    "timeout": "retrying",
}
"""Whose colour a word has that is no state of a job."""


def glyph(state: str) -> str:
    """The sign of a state."""
    return GLYPHS.get(state, "●")


def tone(state: str) -> str:
    """The colour of a state, by the name of its token."""
    return TONES.get(state, state)


def count(number: int, cap: int = CAP) -> str:
    """A count for people: "1,204", or "10,000+" when it was counted no further."""
    return f"{cap:,}+" if number >= cap else f"{number:,}"


def line(text: str | None, most: int = LINE_CHARS) -> str:
    """The first line of a text, cut."""
    first = (text or "").strip().partition("\n")[0]
    return first if len(first) <= most else f"{first[: most - 1]}…"


def span(us: float) -> str:
    """A duration in microseconds."""
    return format_us(round(us))


def seconds(number: float) -> str:
    """A duration in seconds."""
    return format_us(round(number * SECOND))


def between(start: str | None, end: str | None) -> str:
    """How long from one time of a record to another."""
    if start is None or end is None:
        return ""
    return format_us(max(0, words.at_of(end) - words.at_of(start)))


def ago(text: str | None, now: str) -> str:
    """How long ago, at the time at which the page was made."""
    return words.ago(text, words.at_of(now))


def absolute(text: str | None) -> str:
    """A time in full, in UTC."""
    return "" if text is None else datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def clock_time(text: str) -> str:
    """A time of the day, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%H:%M:%S")


def moment(at: int) -> str:
    """A time in microseconds as records write it."""
    return from_at(at).astimezone(UTC).isoformat().replace("+00:00", "Z")


def pretty(value: Any) -> str:
    """A value of a record as JSON on many lines."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)


def fields(value: Any) -> str:
    """What a log line has beside its message."""
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    return " ".join(f"{name}={records.compact(said)}" for name, said in cast("dict[str, Any]", value).items())


def short(job_id: str) -> str:
    """The end of an id, which tells jobs of one time apart."""
    return f"…{job_id[-12:]}"


def segment(text: str) -> str:
    """A name as a part of a path."""
    return quote(text, safe="")


FILTERS: dict[str, Callable[..., str]] = {
    "glyph": glyph,
    "tone": tone,
    "capped": count,
    "line": line,
    "span": span,
    "seconds": seconds,
    "between": between,
    "ago": ago,
    "absolute": absolute,
    "clock_time": clock_time,
    "moment": moment,
    "pretty": pretty,
    "fields": fields,
    "short": short,
    "segment": segment,
    "size": words.size,
    "plural": words.plural,
}
