"""Which type hints a payload can follow, and what has to be checked for each.

A hint is carried if what arrives can only be what was sent. Hence unions of types that look alike in JSON
(`UUID | str`) are refused when the task is defined, and a value whose class would not survive the way is refused when
it is sent.
"""

from __future__ import annotations

import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import inspect as tree

from relet.job.payload import MAX_INT, MIN_INT
from relet.job.textsafe import shown

BARE: tuple[object, ...] = (inspect.Parameter.empty, Any, object)
"""No hint at all: JSON values only."""

_SCALARS = (tree.IntType, tree.StrType, tree.FloatType, tree.BoolType, tree.NoneType, tree.UnionType)
_KEYS = (
    tree.StrType,
    tree.IntType,
    tree.LiteralType,
    tree.EnumType,
    tree.UUIDType,
    tree.DateTimeType,
    tree.DateType,
    tree.DecimalType,
    tree.AnyType,
)
_INT64 = typing.Annotated[int, msgspec.Meta(ge=MIN_INT, le=MAX_INT)]
_BINARY = (bytes, bytearray, memoryview)
_ARRAYS = (list, tuple, set, frozenset)
_SIMPLE = frozenset((str, int, float, bool, type(None), bytes, datetime, date, timedelta, UUID, Decimal))
"""Classes that have nothing inside."""
_JSON = frozenset((str, int, float, bool, type(None), list, dict))


class HintError(Exception):
    """A hint that a payload cannot follow. The message is a clause: "Iterable[int] cannot be carried as JSON"."""


class Care(enum.IntEnum):
    """How much has to be checked of a value, beside its decoding: all of the steps below it, too."""

    PLAIN = 0
    """Plain scalars: of what was sent and what will arrive, the classes are the same."""
    CLASS = 1
    """Anything else: the same all the way down, and the text is looked over."""
    JSON = 2
    """No hint: only JSON values pass."""


def care_of(hint: Any) -> Care:
    """What a value of this hint needs. Raises `HintError` for a hint that cannot be carried."""
    if any(hint is bare for bare in BARE):
        return Care.JSON
    try:
        msgspec.json.Decoder(hint)
        root = tree.type_info(hint)
    except (TypeError, NameError, AttributeError, RuntimeError) as error:
        raise HintError(f"{_text(hint)} cannot be carried: {str(error).partition(' - type ')[0]}") from None
    nodes = list(_nodes(root))
    for node in nodes:
        _refuse_uncarried(node)
    plain = all(isinstance(node, _SCALARS) and _is_bounded(node) for node in nodes)
    return Care.PLAIN if plain else Care.CLASS


def bounded(hint: Any) -> Any:
    """The hint with its plain integers held to 64 bits, so that the decoder, which is quick, checks them."""
    if hint is int:
        return _INT64
    if is_union(hint):
        return typing.Union[tuple(bounded(part) for part in typing.get_args(hint))]  # noqa: UP007  made at run time
    return hint


def is_union(hint: Any) -> bool:
    """Whether a hint is `A | B`, or `Optional[A]`."""
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def hints_of(function: Callable[..., Any]) -> tuple[inspect.Signature, Any]:
    """The signature with its hints resolved, and the hint of the result. Raises `HintError`."""
    target = _function_of(function)
    try:
        signature = inspect.signature(function)
        hints = typing.get_type_hints(target, include_extras=True)
    except NameError as error:
        advice = "import it outside of TYPE_CHECKING, at the top of the module"
        raise HintError(f"a hint names {error.name!r}, which cannot be found; {advice}") from None
    except (TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise HintError(f"its hints cannot be read: {error}") from None
    parameters = [p.replace(annotation=hints.get(p.name, p.empty)) for p in signature.parameters.values()]
    return signature.replace(parameters=parameters), hints.get("return", inspect.Signature.empty)


def revive(cls: Any, value: Any) -> Any:
    """What makes a value of a class that JSON does not know out of what `payload.foreign` made of it."""
    if cls is object:
        return value
    if _is_path(cls):
        if not isinstance(value, str):
            raise ValueError(f"Expected `{cls.__name__}`, got `{type(value).__name__}`")
        return cls(value)
    try:
        return cls.model_validate_json(msgspec.json.encode(value))
    except ValueError as error:
        raise ValueError(_flaw_of_model(cls, error)) from None


def drift(sent: Any, received: Any, path: str = "", *, care: Care = Care.CLASS) -> tuple[str, str] | None:
    """The first place where `received`, decoded from the text of `sent`, is of another class; None if there is none."""
    kind = cast("type[Any]", type(sent))
    if kind is type(received) and kind in _SIMPLE:
        return None
    if care is Care.JSON and kind not in _JSON:
        return (
            path,
            f"{_a(sent)} needs a type hint of its parameter; without one only JSON values pass",
        )
    if isinstance(received, dict):
        return _drift_of_dict(sent, cast("dict[Any, Any]", received), path, care)
    if isinstance(received, _ARRAYS):
        return _drift_of_array(sent, cast("list[Any]", received), path, care)
    if not _arrives_as(sent, received):
        return path, f"{_a(sent)} would arrive as {_a(received)}"
    return _drift_of_fields(sent, received, path, care)


def _flaw_of_model(cls: Any, error: ValueError) -> str:
    """What pydantic found first, without the value, which may be a secret."""
    errors: Callable[..., list[dict[str, Any]]] | None = getattr(error, "errors", None)
    if errors is None:
        return f"no {cls.__name__}"
    first = errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"no {cls.__name__}: {place + ': ' if place else ''}{first['msg']}"


def _a(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name}"


def _function_of(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = cast("functools.partial[Any]", function).func
    is_plain = inspect.isroutine(function) or inspect.isclass(function)
    return function if is_plain else type(function).__call__


def _text(hint: Any) -> str:
    is_class = isinstance(hint, type) and not typing.get_args(hint)
    return hint.__qualname__ if is_class else str(hint).replace("typing.", "")


def _nodes(root: tree.Type) -> typing.Iterator[tree.Type]:
    """Every type inside a hint, once: hints may refer to themselves."""
    seen: dict[int, tree.Type] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        pending += _inside(node)
        if not isinstance(node, tree.Metadata):
            yield node


def _inside(node: tree.Type) -> list[tree.Type]:
    found: list[tree.Type] = []
    for name in node.__struct_fields__:
        value: Any = getattr(node, name)
        items = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
        types_of = [item.type if isinstance(item, tree.Field) else item for item in items]
        found += [item for item in types_of if isinstance(item, tree.Type)]
    return found


def _is_bounded(node: tree.Type) -> bool:
    return not isinstance(node, tree.IntType) or (node.ge is not None and node.le is not None)


def _refuse_uncarried(node: tree.Type) -> None:
    if isinstance(node, tree.RawType | tree.ExtType):
        raise HintError("raw messages of msgspec cannot be carried")
    if isinstance(node, tree.DictType) and not isinstance(node.key_type, _KEYS):
        advice = "keys may be text, integers, enums, UUIDs, dates or decimals"
        raise HintError(f"a dictionary with keys of {_kind(node.key_type)} cannot be carried; {advice}")
    if isinstance(node, tree.CustomType) and not _is_known(node.cls):
        advice = "use a list, a dataclass, or another type that is written as JSON"
        raise HintError(f"{_text(node.cls)} cannot be carried as JSON; {advice}")


def _kind(node: tree.Type) -> str:
    return type(node).__name__.removesuffix("Type").lower()


def _is_known(cls: Any) -> bool:
    return cls is object or _is_path(cls) or (hasattr(cls, "model_validate_json") and hasattr(cls, "model_dump"))


def _is_path(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, PurePath)


def _arrives_as(sent: Any, received: Any) -> bool:
    kind = cast("type[Any]", type(received))
    if type(sent) is kind:
        return True
    if kind is float:
        return isinstance(sent, int | float) and not isinstance(sent, bool)
    if kind in _BINARY:
        return isinstance(sent, _BINARY)
    if isinstance(received, PurePath):
        return isinstance(sent, PurePath)
    # A subclass of a record has fields that would be lost; one of a scalar is the scalar.
    return isinstance(sent, kind) and not _fields(kind) and not hasattr(kind, "model_dump")


def _drift_of_dict(sent: Any, received: dict[Any, Any], path: str, care: Care) -> tuple[str, str] | None:
    if not isinstance(sent, Mapping):
        return path, f"{_a(sent)} would arrive as a dict"
    sent = cast("Mapping[Any, Any]", sent)
    if sent.keys() != received.keys():
        strange = next((key for key in sent if key not in received), None)
        return path, f"its key {shown(strange)} would arrive as another one, or not at all"
    pairs = ((key, sent[key], value) for key, value in received.items())
    return _first_drift(((f"{path}.{key}" if path else str(key), one, other) for key, one, other in pairs), care)


def _drift_of_array(sent: Any, received: Any, path: str, care: Care) -> tuple[str, str] | None:
    if not isinstance(sent, _ARRAYS):
        return path, f"{_a(sent)} would arrive as {_a(received)}"
    if isinstance(received, AbstractSet):
        return None if set(cast("list[Any]", sent)) == received else (path, "its members would not arrive as they are")
    if isinstance(sent, AbstractSet):
        return path, f"{_a(sent)} would arrive as a list, in any order"
    classes = list(map(type, received))
    if _SIMPLE.issuperset(classes) and classes == list(map(type, cast("list[Any]", sent))):
        return None  # the same answer, at the speed of C
    pairs = enumerate(zip(cast("list[Any]", sent), received, strict=True))
    return _first_drift(((f"{path}[{n}]", one, other) for n, (one, other) in pairs), care)


def _drift_of_fields(sent: Any, received: Any, path: str, care: Care) -> tuple[str, str] | None:
    missing = object()
    places = (
        (f"{path}.{name}", getattr(sent, name, missing), getattr(received, name, missing))
        for name in _fields(type(received))
    )
    return _first_drift(((place, one, other) for place, one, other in places if other is not missing), care)


def _first_drift(pairs: typing.Iterable[tuple[str, Any, Any]], care: Care) -> tuple[str, str] | None:
    return next((found for place, one, other in pairs if (found := drift(one, other, place, care=care))), None)


def _fields(cls: Any) -> list[str]:
    """The fields of a record: a msgspec struct, a dataclass or a class of attrs; none for anything else."""
    if issubclass(cls, msgspec.Struct):
        return list(cls.__struct_fields__)
    listed = getattr(cls, "__dataclass_fields__", {}).values() or getattr(cls, "__attrs_attrs__", ())
    return [field.name for field in listed if field.init]
