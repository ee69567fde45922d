"""What JSON may carry from a producer to a worker: one rule, alike on every engine, checked before anything is sent.

- Integers fit 64 bits with a sign. Floats are finite; each comes back as the same float.
- Text holds no NUL and no lone surrogates. Datetimes have a time zone, of whole minutes.
- Nothing is nested deeper than 100 levels, and the whole is at most so many bytes of UTF-8.

The text is canonical: members of dictionaries and sets are sorted, nothing is indented. Text from outside is read by
`parse_json`, which also refuses a member that comes twice.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, NoReturn, cast

import msgspec

from relet.errors import PayloadError
from relet.job.textsafe import one_line, shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 100
MIN_INT = -(2**63)
MAX_INT = 2**63 - 1

_LONG_NUMBER = re.compile("[0-9]{19}", re.ASCII)
_TIME_OF_DAY = re.compile("T[0-9]{2}:[0-9]{2}:", re.ASCII)
_CONTROL = re.compile("[\x00\ud800-\udfff]")
_DATETIMES = (datetime,)
_PATH_CHARS = 120


NOTHING_WRITTEN = "Nothing was written."


def refuse(subject: str, path: str, flaw: str, *, consequence: str = NOTHING_WRITTEN) -> NoReturn:
    """Raise the `PayloadError` that all refusals share: whose payload, where in it, what is wrong, what follows."""
    path = one_line(path if len(path) <= _PATH_CHARS else f"{path[:_PATH_CHARS]}…")
    where = f", at {path}" if path else ""
    raise PayloadError(f"{subject}{where}: {flaw}. {consequence}", path=path)


def foreign(value: Any) -> Any:
    """What carries a value of a class that JSON does not know: the encoder's hook. Raises `TypeError`."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):  # a subclass, such as the safe strings of a template engine
        return value.encode(errors="surrogatepass").decode(errors="surrogatepass")
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    if not hasattr(value, "model_dump"):
        raise TypeError(f"JSON cannot carry a value of class {type(value).__name__}")
    return value.model_dump(mode="json", by_alias=True)


_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=foreign)


def encode(value: object, subject: str, *, max_bytes: int, scalars: bool = False) -> str:
    """`value` as canonical JSON that follows the rule. `scalars` promises that no member of it is a container, a
    datetime, or an integer of more than 64 bits. Raises `PayloadError`, which calls the payload `subject`.
    """
    try:
        raw = _encode(value)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        refuse_flawed(value, subject)
        refuse(subject, "", _reason(error))
    if len(raw) > max_bytes:
        advice = "keep the data elsewhere and pass where it is"
        refuse(subject, "", f"it is {len(raw):,} bytes of JSON, and {max_bytes:,} is the limit; {advice}")
    text = raw.decode()
    if _is_suspect(text, scalars):
        refuse_flawed(value, subject)
    return text


def encode_by_name(arguments: Mapping[str, object], *, task: str, max_bytes: int = MAX_BYTES) -> str:
    """Arguments by parameter name as the JSON that a job carries, for a producer that does not have the task's code.

    `*args` is a list under its own name, `**kwargs` a dictionary under its own. Types are checked by whoever has the
    code. Raises `PayloadError`.
    """
    subject = f"the arguments of task {task!r}"
    for name in arguments:
        if not isinstance(name, str) or not name.isidentifier():  # pyright: ignore[reportUnnecessaryIsInstance]  a mapping from outside may have any keys
            refuse(subject, "", f"{shown(name)} is no name of a parameter")
    return encode(dict(arguments), subject, max_bytes=max_bytes)


def parse_json(text: str | bytes, subject: str) -> Any:
    """The value of JSON text from outside: a command line, an HTTP body.

    Raises `PayloadError` for what is no JSON, breaks the rule, or names a member of an object twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members_once, parse_constant=_no_constant)
    except RecursionError:
        refuse(subject, "", f"it is nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        refuse(subject, "", f"it is not JSON that a job can carry: {error}")
    found = flaw(value)
    if found:
        refuse(subject, *found)
    return value


def refuse_flawed(value: object, subject: str) -> None:
    """Look at everything in a value, and refuse what breaks the rule. Raises `PayloadError`."""
    try:
        plain = msgspec.to_builtins(value, builtin_types=_DATETIMES, str_keys=True, enc_hook=foreign)
    except RecursionError:
        refuse(subject, "", f"it is nested deeper than {MAX_DEPTH} levels, or contains itself")
    except (TypeError, ValueError, OverflowError) as error:
        refuse(subject, _culprit(value), _reason(error))
    found = flaw(plain)
    if found:
        refuse(subject, *found)


def flaw(value: object, path: str = "", depth: int = 0) -> tuple[str, str] | None:
    """The first place of a built-in value that breaks the rule, and how it does; None if all is well."""
    if isinstance(value, dict | list | tuple):
        if depth >= MAX_DEPTH:
            return path, f"it is nested deeper than {MAX_DEPTH} levels"
        return _flaw_inside(cast("dict[object, object] | list[object]", value), path, depth + 1)
    found = _flaw_of_scalar(value)
    return (path, found) if found else None


def _encode(value: object) -> bytes:
    try:
        return _ENCODER.encode(value)
    except TypeError:
        # Keys that are no text, such as those of dict[int, str], and a refusal that stays one.
        plain = msgspec.to_builtins(value, str_keys=True, order="deterministic", enc_hook=foreign)
        return _ENCODER.encode(plain)


def _is_suspect(text: str, scalars: bool) -> bool:
    """Whether the text may break the rule: cheap, and never wrong when it says no. A NaN is encoded as null."""
    if "null" in text or "\\u0000" in text:
        return True
    if scalars:
        return False
    deep = text.count("[") + text.count("{") > MAX_DEPTH
    return deep or _LONG_NUMBER.search(text) is not None or _TIME_OF_DAY.search(text) is not None


def _culprit(value: object) -> str:
    """The top-level member that cannot be encoded."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    members = cast("dict[object, object]", value) if isinstance(value, dict) else {}
    for name, member in members.items():
        try:
            msgspec.to_builtins(member, str_keys=True, enc_hook=foreign)
        except (TypeError, ValueError, RecursionError, OverflowError):
            return str(name)
    return ""


def _reason(error: BaseException) -> str:
    """msgspec's own sentence, in ours."""
    return one_line(str(error)[:300]).rstrip(".") or type(error).__name__


def _flaw_inside(value: dict[object, object] | list[object], path: str, depth: int) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return next((found for n, item in enumerate(value) if (found := flaw(item, f"{path}[{n}]", depth))), None)
    for key, item in value.items():
        place = f"{path}.{key}" if path else f"{key}"
        found_in_key = _flaw_of_scalar(key)
        found = (one_line(place), found_in_key) if found_in_key else flaw(item, place, depth)
        if found:
            return found
    return None


def _flaw_of_scalar(value: object) -> str | None:
    match value:
        case str():
            return _flaw_of_text(value)
        case bool():
            return None
        case int():
            fits = MIN_INT <= value <= MAX_INT
            return None if fits else f"{shown(value)} does not fit a 64-bit integer; carry it as text or Decimal"
        case float():
            return None if math.isfinite(value) else f"{value} is no number that JSON can carry"
        case datetime():
            return _flaw_of_datetime(value)
        case _:
            return None


def _flaw_of_text(text: str) -> str | None:
    match = _CONTROL.search(text)
    if match is None:
        return None
    return (
        "its text holds a NUL character" if match[0] == "\0" else "its text holds a lone surrogate, so it is no Unicode"
    )


def _flaw_of_datetime(when: datetime) -> str | None:
    offset = when.utcoffset()
    if offset is None:
        return f"the datetime {when.isoformat()} has no time zone; use datetime.now(UTC) or when.astimezone()"
    if offset % timedelta(minutes=1):
        return f"the datetime {when.isoformat()} has a time zone with seconds; use when.astimezone(UTC)"
    return None


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"{shown(name)} is a member twice")
        members[name] = value
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON can carry")
