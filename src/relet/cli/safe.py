"""Text that came from jobs, made safe for a terminal: one line, no control characters, no secrets."""

from __future__ import annotations

from relet.job.redact import Redactor
from relet.job.textsafe import one_line

_REDACTOR = Redactor()


def safe(value: object) -> str:
    """A value on one line, without control characters and secrets."""
    return one_line(_REDACTOR.text(str(value)))
