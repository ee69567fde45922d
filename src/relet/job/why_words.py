"""Words that all sentences of why have in common. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from relet.job.moment import from_at
from relet.job.textsafe import clip, one_line

ERROR_CHARS = 200
NAMED = 3
"""How many jobs, workers or tasks a sentence names before it says "and 7 more"."""


def wall(at: int) -> str:
    """A time, as people write it."""
    return from_at(at).strftime("%Y-%m-%d %H:%M:%S UTC")


def because(text: str) -> str:
    """The first line of what was said, in brackets."""
    said = text.strip()
    return f" ({one_line(clip(said.splitlines()[0], ERROR_CHARS))})" if said else ""


def listed(words: Sequence[str], most: int = NAMED) -> str:
    """The first of them, and how many more there are."""
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest:,} more" if rest > 0 else "")
