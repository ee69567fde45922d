"""How values travel: ids as 16 raw bytes, every integer as one type, all in binary.

psycopg picks the width of an integer by its value, and PostgreSQL plans a statement anew for each combination of types;
here each parameter has one type, whatever its value.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrBinaryDumper

INT8, TEXT, UUID = 20, 25, 2950
INT8_ARRAY, TEXT_ARRAY, UUID_ARRAY = 1016, 1009, 2951


class IdDumper(Dumper):
    """16 bytes as a uuid."""

    format = Format.BINARY
    oid = UUID

    def dump(self, obj: bytes) -> bytes:
        return obj


class IdLoader(Loader):
    """A uuid as 16 bytes."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class Joined:
    """An array in its binary form, joined by hand: several times faster than a list that is looked through."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class Ids(Joined):
    """uuid[]"""


class Integers(Joined):
    """int8[]"""


class Texts(Joined):
    """text[]"""


class _JoinedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Joined) -> bytes:
        return obj.data


class IdsDumper(_JoinedDumper):
    """Passes it on as it is."""

    oid = UUID_ARRAY


class IntegersDumper(_JoinedDumper):
    """Passes it on as it is."""

    oid = INT8_ARRAY


class TextsDumper(_JoinedDumper):
    """Passes it on as it is."""

    oid = TEXT_ARRAY


_HEAD = struct.Struct("!iiIii")
"""Dimensions, whether there are nulls, the element's type, length, first index (PostgreSQL source: array_recv)."""
_EMPTY = struct.Struct("!iiI")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)
_SIXTEEN = _LENGTH.pack(16)


def ids(values: Sequence[bytes]) -> Ids:
    """Raw ids as uuid[]."""
    body = _SIXTEEN + _SIXTEEN.join(values) if values else b""
    return Ids(_head(UUID, len(values)) + body)


def integers(values: Sequence[int]) -> Integers:
    """Integers as int8[]."""
    parts = [8] * (2 * len(values))
    parts[1::2] = values
    return Integers(_head(INT8, len(values)) + struct.pack("!" + "iq" * len(values), *parts))


def texts(values: Sequence[str | None]) -> Texts:
    """Strings as text[]; None is null."""
    return Texts(_head(TEXT, len(values)) + b"".join([_text(value) for value in values]))


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return _LENGTH.pack(len(data)) + data


def _head(element: int, count: int) -> bytes:
    return _HEAD.pack(1, 1, element, count, 1) if count else _EMPTY.pack(0, 0, element)


def register(adapters: AdaptersMap) -> None:
    """Make these the rule on one connection."""
    adapters.register_dumper(bytes, IdDumper)
    adapters.register_dumper(int, Int8BinaryDumper)
    adapters.register_dumper(str, StrBinaryDumper)
    adapters.register_dumper(Ids, IdsDumper)
    adapters.register_dumper(Integers, IntegersDumper)
    adapters.register_dumper(Texts, TextsDumper)
    adapters.register_loader("uuid", IdLoader)
