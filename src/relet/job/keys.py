"""Keys made from a call's arguments: "order:{order_id}", "mail:{user.email}".

A template is checked against the task's signature when the task is defined. Two calls get the same key only if each of
their fields reads the same, for a key shared by mistake would drop a job. Hence fields need a separator between them,
the separator is escaped where a value holds it, and a value without one canonical text (None, "", a float, a list) is
refused.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

from relet.errors import DefinitionError, UsageError
from relet.job.names import KEY_BYTES, flaw_of_character, unique_key
from relet.job.textsafe import shown

_FIELD = re.compile(r"[^\W\d]\w*(?:\.[^\W\d_]\w*)*")
_MISSING = object()
_DIGEST_CHARS = 32


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    """As written: "order.id"."""
    path: tuple[str, ...]
    default: object
    escaped: frozenset[str]
    """Characters that a value may not show, because they end this field."""
    suffix: str
    """The text behind the field."""


@dataclass(frozen=True, slots=True)
class KeyTemplate:
    """A checked template. `parse` makes one, `render` makes the key of a call."""

    text: str
    task: str
    prefix: str
    fields: tuple[_Field, ...]

    @classmethod
    def parse(cls, text: str, signature: inspect.Signature, task_name: str) -> KeyTemplate:
        """Check `text` against the parameters that a job of the task carries.

        A field is the name of a parameter, or a public attribute or dictionary key of one: `{order_id}`, `{order.id}`.
        A template without fields is a constant. `{{` and `}}` stand for braces. Raises `DefinitionError`.
        """
        try:
            return _parse(text, signature, task_name)
        except ValueError as flaw:
            raise DefinitionError(f"task {task_name!r}: the key template {shown(text)} is wrong: {flaw}") from None

    def render(self, arguments: Mapping[str, object]) -> str:
        """The key of a call with these arguments by parameter name; what is not given has its default.

        Values may be text, integers, booleans, UUID, Decimal, dates, aware datetimes, enums and paths. A key of more
        than 512 bytes is shortened to its head and a digest of the whole. Raises `UsageError`.
        """
        if not self.fields:
            return self.prefix
        parts = [self.prefix]
        for field in self.fields:
            parts += (_escape(self._value(field, arguments), field.escaped), field.suffix)
        return _shortened("".join(parts))

    def _value(self, field: _Field, arguments: Mapping[str, object]) -> str:
        try:
            return _canonical(_reach(field, arguments))
        except ValueError as flaw:
            raise UsageError(
                f"task {self.task!r}: the key {shown(self.text)} cannot be made, because {{{field.name}}} {flaw}. "
                "Nothing was written."
            ) from None


def _parse(text: str, signature: inspect.Signature, task_name: str) -> KeyTemplate:
    pieces = list(string.Formatter().parse(text))
    prefix, found, suffixes = _split(pieces)
    separators = suffixes[:-1]
    for separator in separators:
        if not _splitters(separator):
            raise ValueError(
                "between two fields there must be a character that is no letter, digit or '_', such as ':'"
            )
    splitters = frozenset[str]().union(*map(_splitters, separators))
    last = len(found) - 1
    fields = tuple(
        _field(name, signature, splitters if n < last else frozenset(), suffixes[n]) for n, name in enumerate(found)
    )
    unique_key(f"{prefix}{'x'.join(['', *suffixes])}" if fields else prefix)
    return KeyTemplate(text, task_name, prefix, fields)


def _split(pieces: list[tuple[str, str | None, str | None, str | None]]) -> tuple[str, list[str], list[str]]:
    """The text before the first field, the fields' names, and the text behind each."""
    texts, names = [""], list[str]()
    for literal, name, spec, conversion in pieces:
        texts[-1] += literal
        if name is None:
            continue
        if spec or conversion:
            raise ValueError(f"{{{name}}} has a format or a conversion; a field is a plain name")
        names.append(name)
        texts.append("")
    return texts[0], names, texts[1:]


def _splitters(separator: str) -> frozenset[str]:
    return frozenset(char for char in separator if not char.isalnum() and char not in "_\\")


def _field(name: str, signature: inspect.Signature, escaped: frozenset[str], suffix: str) -> _Field:
    if not _FIELD.fullmatch(name):
        raise ValueError(f"{{{name}}} is no field; write a parameter's name, or public attributes of one: {{order.id}}")
    path = tuple(name.split("."))
    known = {p.name: p for p in signature.parameters.values() if p.kind is not p.VAR_POSITIONAL}
    parameter = known.get(path[0])
    if parameter is None:
        raise ValueError(f"{{{name}}} is no parameter of the task; it has {', '.join(known) or 'none'}")
    if parameter.kind is not parameter.VAR_KEYWORD:
        _check_path(name, path[1:], parameter.annotation)
    default = _MISSING if parameter.default is parameter.empty else parameter.default
    return _Field(name, path, default, escaped, suffix)


def _check_path(name: str, path: tuple[str, ...], hint: object) -> None:
    """Where the hints are classes that list their attributes, the attributes are checked, too."""
    for attribute in path:
        known = _attributes(hint)
        if known is None:
            return
        if attribute not in known and not hasattr(hint, attribute):
            raise ValueError(f"{{{name}}}: {getattr(hint, '__name__', hint)} has no attribute {attribute!r}")
        hint = known.get(attribute)
    if _attributes(hint) is not None:
        raise ValueError(f"{{{name}}} is a whole {getattr(hint, '__name__', hint)}; name one of its attributes")


_RECORD_MARKS = (
    "__dataclass_fields__",
    "__struct_fields__",
    "__attrs_attrs__",
    "__pydantic_fields__",
    "_fields",
    "__total__",
)


def _attributes(hint: object) -> dict[str, object] | None:
    """The annotated attributes of a class of records, or None for any other hint."""
    if not isinstance(hint, type) or not any(hasattr(hint, mark) for mark in _RECORD_MARKS):
        return None
    found: dict[str, object] = {}
    for cls in reversed(hint.__mro__):
        found |= cast("dict[str, object]", inspect.get_annotations(cls))
    return found


def _reach(field: _Field, arguments: Mapping[str, object]) -> object:
    value = arguments.get(field.path[0], field.default)
    for name in field.path[1:]:
        if isinstance(value, Mapping):
            value = cast("Mapping[str, object]", value).get(name, _MISSING)
        else:
            value = getattr(value, name, _MISSING)
    if value is _MISSING:
        raise ValueError("is not given")
    return value


def _canonical(value: Any) -> str:
    """The one text of a value. Equal values of a field's type have equal texts, different values different texts."""
    if isinstance(value, Enum):
        return _canonical(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, int):
        return str(int(value)) if value.bit_length() <= 64 else _refuse("is an integer of more than 64 bits")
    if value is None or value == "":
        return _refuse(f"is {value!r}, and all calls without it would share one key")
    if isinstance(value, str | UUID | date | PurePath):
        return str(value)
    allowed = "text, integers, booleans, UUIDs, decimals, dates, enums and paths"
    return _refuse(f"is a {type(value).__name__}; a key is made of {allowed}")


def _refuse(flaw: str) -> str:
    raise ValueError(flaw)


def _utc(value: datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError("is a datetime without a time zone")
    return value.astimezone(UTC).isoformat()


def _decimal(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > KEY_BYTES:
        raise ValueError("is a Decimal that is not finite, or too large or too small")
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _escape(value: str, escaped: frozenset[str]) -> str:
    """`value` with what would end the field, and what no key may hold, as `\\x3a`, `\\u202e`."""
    is_plain = value.isascii() and value.isprintable() and "\\" not in value and value == value.strip()
    if is_plain and not any(char in value for char in escaped):
        return value
    begin, end = len(value) - len(value.lstrip()), len(value.rstrip())
    return "".join(
        char
        if begin <= n < end and char != "\\" and char not in escaped and not flaw_of_character(char)
        else _code(char)
        for n, char in enumerate(value)
    )


def _code(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _shortened(key: str) -> str:
    encoded = key.encode()
    if len(encoded) <= KEY_BYTES:
        return key
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST_CHARS]
    return f"{encoded[: KEY_BYTES - _DIGEST_CHARS - 1].decode(errors='ignore')}~{digest}"
