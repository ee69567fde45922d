"""One rule for the names of queues, workers, tasks, labels and unique keys, applied alike wherever a name comes in.

A name is Unicode text of at least one character and at most so many bytes of UTF-8. It has no control characters, no
line separators, no lone surrogates, no characters that turn the reading direction, and no white space at its ends.
Everything else is allowed: quotes, slashes, per cent signs, emoji. Nothing is folded or normalised: names are equal
when their bytes are.
"""

from __future__ import annotations

import unicodedata

from relet.errors import UsageError
from relet.job.textsafe import shown

QUEUE_BYTES = 128
WORKER_BYTES = 128
LABEL_BYTES = 128
TASK_BYTES = 256
KEY_BYTES = 512
BREAKER_BYTES = 128

_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_CATEGORIES = {
    "Cc": "a control character",
    "Cs": "a lone surrogate",
    "Zl": "a line separator",
    "Zp": "a line separator",
}


def queue_name(text: str) -> str:
    """`text`, if it can name a queue. "*" cannot: it stands for all queues. Raises `UsageError`."""
    if text == "*":
        raise UsageError('"*" cannot name a queue: it stands for all queues.')
    return checked_name("queue name", text, QUEUE_BYTES)


def worker_name(text: str) -> str:
    """`text`, if it can name a worker. Raises `UsageError`."""
    return checked_name("worker name", text, WORKER_BYTES)


def task_name(text: str) -> str:
    """`text`, if it can name a task. Raises `UsageError`."""
    return checked_name("task name", text, TASK_BYTES)


def breaker_name(text: str) -> str:
    """`text`, if it can name a breaker around calls. Raises `UsageError`."""
    return checked_name("breaker name", text, BREAKER_BYTES)


def label_name(text: str) -> str:
    """`text`, if it can be the key or the value of a label, a tag or a capability. Raises `UsageError`."""
    return checked_name("label", text, LABEL_BYTES)


def unique_key(text: str) -> str:
    """`text`, if it can be a unique key. Raises `UsageError`."""
    return checked_name("unique key", text, KEY_BYTES)


def flaw_of_character(char: str) -> str | None:
    """What forbids this character in a name, or None."""
    if char in _TURNING:
        return "a character that turns the reading direction"
    return _REFUSED_CATEGORIES.get(unicodedata.category(char))


def checked_name(kind: str, text: str, limit: int) -> str:
    """`text`, if it can name something; `kind` says what, `limit` how many bytes it may have. Raises `UsageError`."""
    flaw = None if _is_plain(text, limit) else _flaw(text, limit)
    if flaw:
        raise UsageError(f"{kind} {shown(text)}: {flaw}.")
    return text


def _is_plain(text: object, limit: int) -> bool:
    """Most names: printable ASCII, without looking at each character."""
    return (
        isinstance(text, str)
        and text.isascii()
        and text.isprintable()
        and 0 < len(text) <= limit
        and text == text.strip()
    )


def _flaw(text: object, limit: int) -> str | None:
    if not isinstance(text, str):
        return f"it is a {type(text).__name__}, not text"
    if not text:
        return "it is empty"
    if len(text) > limit or len(text.encode(errors="surrogatepass")) > limit:
        return f"it is longer than {limit} bytes of UTF-8"
    if text != text.strip():
        return "it has white space at its ends"
    return next((f"it holds {flaw} (U+{ord(c):04X})" for c in text if (flaw := flaw_of_character(c))), None)
