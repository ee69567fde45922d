"""Text that came from anywhere, made safe: to store on every engine, to print on one line, to keep at a bounded length.

Nothing here raises, whatever an exception's `__str__` or a value's `__repr__` does.
"""

from __future__ import annotations

import re
import textwrap
import traceback
from collections.abc import Mapping
from typing import cast

import msgspec

ERROR_CHARS = 4_000
STACK_CHARS = 32_000
SHOWN_CHARS = 60

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LARGEST_SHOWN_INT = 10**SHOWN_CHARS
_FRAMES = 100
_CAUSES = 10
_SHOWN_MEMBERS = 3
_HEADER = "Traceback (most recent call last):\n"
_DIRECT = "The above exception was the direct cause of the following exception:\n"
_DURING = "During handling of the above exception, another exception occurred:\n"


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates, which not every engine stores, replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def clip(text: str, limit: int) -> str:
    """`text` in at most `limit` characters: the head and the tail, and between them how long it was."""
    if len(text) <= limit:
        return text
    mark = f"\n… {len(text):,} characters, shortened …\n"
    room = limit - len(mark)
    if room < 2:
        return text[: max(limit, 0)]
    tail = room // 2
    return f"{text[: room - tail]}{mark}{text[-tail:]}"


def kept_text(text: object, limit: int) -> str:
    """What a task has said, storable, in at most `limit` characters; what is no text as its repr."""
    return storable(clip(text if isinstance(text, str) else shown(text), limit))


def kept_fields(fields: Mapping[str, object], limit: int) -> str | None:
    """The same of named values, as a JSON object; None: there are none. What is too long is kept as a text, shortened."""
    if not fields:
        return None
    try:
        text = msgspec.json.encode(fields, enc_hook=shown).decode()
    except (TypeError, ValueError, RecursionError):
        text = msgspec.json.encode({name: shown(value) for name, value in fields.items()}).decode()
    if len(text) > limit:
        text = msgspec.json.encode({"clipped": clip(text, limit // 2)}).decode()
    return text if "\\u0000" not in text else msgspec.json.encode({"fields": shown(text)}).decode()


def one_line(text: str) -> str:
    """`text` on one line of a log or a terminal: control characters, line separators and characters that turn the
    reading direction are written as escapes. Spaces, quotes and backslashes stay."""
    return _UNPRINTABLE.sub(_escape, text)


def shown(value: object) -> str:
    """A value for an error message: its repr in ASCII on one line, at most 60 characters of it."""
    if isinstance(value, str):
        value = value[: SHOWN_CHARS + 1]
    elif isinstance(value, int) and not -_LARGEST_SHOWN_INT < value < _LARGEST_SHOWN_INT:
        return f"an integer of more than {SHOWN_CHARS} digits"
    try:
        text = ascii(value)
    except Exception:  # noqa: BLE001  the repr of a foreign class may raise anything
        text = f"a {type(value).__name__}"
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 3]}..."


def describe(error: BaseException, limit: int = ERROR_CHARS) -> str:
    """ "ValueError: the message", storable, in at most `limit` characters. A group names its first members."""
    named = "; ".join(clip(_headline(member), ERROR_CHARS // 8) for member in _members(error)[:_SHOWN_MEMBERS])
    return _fitted(f"{_headline(error)}{named and f' [{named}{_rest(error)}]'}", limit)


def stack_of(error: BaseException, limit: int = STACK_CHARS) -> str:
    """The traceback of `error` after those of its causes, as Python prints it, in at most `limit` storable characters.

    Without the values of local variables, which may be secrets. Bounded in every direction: the innermost 100 frames of
    each error, the nearest 10 causes, the first 3 members of a group without theirs. Source lines are shown where
    Python's own line cache finds them.
    """
    try:
        text = "\n".join(_chain(error))
    except BaseException:  # noqa: BLE001  a foreign __cause__ or __notes__ may raise anything, SystemExit too
        text = describe(error, limit)
    return _fitted(text, limit)


def _chain(error: BaseException) -> list[str]:
    """An error and what led to it, the first cause first. Python's own formatter follows groups without a bound."""
    parts = [_own_stack(error)]
    seen = {id(error)}
    while len(seen) <= _CAUSES:
        is_direct = error.__cause__ is not None
        cause = error.__cause__ if is_direct or error.__suppress_context__ else error.__context__
        if cause is None or id(cause) in seen:
            break
        parts += (_DIRECT if is_direct else _DURING, _own_stack(cause))
        seen.add(id(cause))
        error = cause
    return parts[::-1]


def _own_stack(error: BaseException) -> str:
    notes = [f"{note}\n" for note in getattr(error, "__notes__", ())]
    members = [textwrap.indent(_bare_stack(member), "  | ") for member in _members(error)[:_SHOWN_MEMBERS]]
    return "".join((_bare_stack(error), *notes, *members, _rest(error) and f"  |{_rest(error)[1:]}\n"))


def _bare_stack(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__, limit=-_FRAMES))
    return f"{frames and _HEADER}{frames}{clip(_headline(error), ERROR_CHARS)}\n"


def _fitted(text: str, limit: int) -> str:
    return storable(clip(text, limit))


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _ESCAPES.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _class_name(error: BaseException) -> str:
    kind = type(error)
    is_plain = kind.__module__ in ("builtins", "__main__")
    return kind.__qualname__ if is_plain else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  a foreign __str__ may raise anything, SystemExit too
        return "its message cannot be shown: its __str__ raises"


def _headline(error: BaseException) -> str:
    message = _message(error)
    return f"{_class_name(error)}: {message}" if message else _class_name(error)


def _members(error: BaseException) -> tuple[BaseException, ...]:
    return cast("BaseExceptionGroup[BaseException]", error).exceptions if isinstance(error, BaseExceptionGroup) else ()


def _rest(error: BaseException) -> str:
    more = len(_members(error)) - _SHOWN_MEMBERS
    return f"; and {more} more" if more > 0 else ""
