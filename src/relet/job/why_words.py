"""Words that all sentences of why have in common. Pure."""

from __future__ import annotations

from relet.job.moment import from_at
from relet.job.textsafe import clip, one_line

ERROR_CHARS = 200


def wall(at: int) -> str:
    """A time, as people write it."""
    return from_at(at).strftime("%Y-%m-%d %H:%M:%S UTC")


def because(text: str) -> str:
    """The first line of what was said, in brackets."""
    said = text.strip()
    return f" ({one_line(clip(said.splitlines()[0], ERROR_CHARS))})" if said else ""
