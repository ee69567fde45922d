"""A job's options as they are stored."""

from __future__ import annotations

import msgspec

from relet.job.job import Options, decode_options


def options_of(text: str | None) -> Options:
    """A job's options; the default ones where they cannot be read. Whoever runs such a job will say so."""
    try:
        return decode_options(text)
    except msgspec.MsgspecError:
        return Options()
