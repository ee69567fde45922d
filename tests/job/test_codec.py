"""What is given to a task is what its function gets: round trips by every kind of hint and parameter."""

from __future__ import annotations

import enum
import functools
import inspect
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, NewType, NoReturn, TypedDict, cast
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.job.codec import Codec
from relet.job.outcome import Snooze
from relet.job.payload import MAX_INT, MIN_INT


class Context: ...


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Mood(enum.StrEnum):
    GOOD = "good"


@dataclass
class Line:
    sku: str
    count: int = 1
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Order:
    id: UUID
    lines: list[Line]
    due: datetime | None = None
    parent: Order | None = None


class Point(NamedTuple):
    x: float
    y: float


class Struct(msgspec.Struct, tag="s"):
    a: int
    b: Path | None = None


class OtherStruct(msgspec.Struct, tag="o"):
    a: int


@attrs.define
class Shape:
    sides: int
    color: Color


class Movie(TypedDict, total=False):
    name: str
    year: int


class Account(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    owner: str = pydantic.Field(alias="ownerName")
    opened: datetime
    limits: dict[str, Decimal] = {}


CustomerId = NewType("CustomerId", int)
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]

DATA: list[tuple[Any, Any]] = [
    (int, MIN_INT),
    (int, MAX_INT),
    (float, 1e-300),
    (float, -0.0),
    (str, "ü\u2028🙂"),
    (bool, True),
    (None, None),
    (CustomerId, 7),
    (Percent, 100),
    (bytes, b"\x00\xff"),
    (UUID, UUID(int=2**127)),
    (datetime, datetime(2030, 1, 1, 1, 2, 3, 4, tzinfo=UTC)),
    (date, date(1, 1, 1)),
    (time, time(1, 2, 3)),
    (timedelta, timedelta(days=-3, microseconds=1)),
    (Decimal, Decimal("1.2300")),
    (Path, Path("/a/b")),
    (PurePosixPath, PurePosixPath("a")),
    (Color, Color.RED),
    (Level, Level.LOW),
    (Mood, Mood.GOOD),
    (Literal["a", "b"], "a"),
    (int | None, None),
    (int | str, "x"),
    (int | float, 1.5),
    (Path | None, Path("x")),
    (list[int], [1, 2]),
    (Sequence[str], ["a"]),
    (Mapping[str, int], {"a": 1}),
    (set[UUID], {UUID(int=1), UUID(int=2)}),
    (frozenset[str], frozenset("abc")),
    (tuple[int, str], (1, "a")),
    (tuple[Path, ...], (Path("a"), Path("b"))),
    (dict[int, list[datetime]], {-7: [datetime(2030, 1, 1, tzinfo=UTC)]}),
    (dict[Color, dict[UUID, Decimal]], {Color.RED: {UUID(int=1): Decimal("0.1")}}),
    (dict[str, Any], {"a": [1, None, {"b": 1.5}]}),
    (Any, {"a": [1, None, {"b": 1.5}]}),
    (object, [True]),
    (list[object], ["x", 1]),
    (Line, Line("a", 2, {"k": [1]})),
    (Order, Order(UUID(int=1), [Line("a")], datetime(2030, 1, 1, tzinfo=UTC), Order(UUID(int=2), []))),
    (Point, Point(1.5, -2.0)),
    (Struct | OtherStruct, OtherStruct(1)),
    (Struct, Struct(1, Path("x"))),
    (Shape, Shape(3, Color.BLUE)),
    (Movie, {"name": "Stalker"}),
    (Account, Account(ownerName="ann", opened=datetime(2030, 1, 1, tzinfo=UTC), limits={"day": Decimal("1.10")})),
    (list[Account | None], [None, Account(ownerName="ann", opened=datetime(2030, 1, 1, tzinfo=UTC))]),
]


def exact(value: Any) -> str:
    """Tells 1 from 1.0 and 1.1 from Decimal("1.10"), but not the order of a dictionary."""
    if isinstance(value, dict):
        return repr(sorted((repr(key), exact(member)) for key, member in cast("dict[Any, Any]", value).items()))
    return repr(value).replace("TzInfo(0)", "datetime.timezone.utc")  # as pydantic writes UTC


def taking(hint: Any) -> Callable[[Any], Any]:
    def task(value: Any) -> Any: ...

    task.__annotations__ = {"value": hint, "return": hint}
    return task


@pytest.mark.parametrize(("hint", "value"), DATA, ids=[str(hint) for hint, _ in DATA])
def test_a_value_arrives_as_it_was_given(hint: Any, value: Any) -> None:
    codec = Codec.for_function(taking(hint))
    text = codec.encode_args((value,), {})
    (received,), kwargs = codec.decode_args(text)
    assert kwargs == {}
    assert received == value
    assert type(received) is type(value)
    assert exact(received) == exact(value)
    assert codec.encode_args((received,), {}) == text
    assert codec.encode_named(json.loads(text)) == text
    assert exact(codec.decode_result(codec.encode_result(value))) == exact(value)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(MIN_INT, MAX_INT),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(),
    UUID: st.uuids(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)).map(lambda when: when.replace(fold=0)),
    timedelta: st.timedeltas(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    Color: st.sampled_from(Color),
}
SHAPES: list[tuple[Callable[[Any], Any], Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]]]] = [
    (lambda hint: hint, lambda values: values),
    (lambda hint: hint | None, lambda values: st.none() | values),
    (lambda hint: list[hint], st.lists),
    (lambda hint: dict[str, hint], lambda values: st.dictionaries(TEXT, values)),
    (lambda hint: tuple[hint, ...], lambda values: st.lists(values).map(tuple)),
]


@given(st.sampled_from(sorted(SCALARS.items(), key=repr)), st.sampled_from(SHAPES), st.data())
def test_any_value_of_a_hint_arrives_as_it_was_given(
    scalar: tuple[Any, st.SearchStrategy[Any]],
    shape: tuple[Callable[[Any], Any], Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]]],
    data: st.DataObject,
) -> None:
    hint, values = scalar
    codec = Codec.for_function(taking(shape[0](hint)))
    value = data.draw(shape[1](values))
    text = codec.encode_args((value,), {})
    assert exact(codec.decode_args(text)[0][0]) == exact(value)


def plain(a: int, b: str = "x", c: float = 1.5) -> None: ...
def keyword(a: int, *, b: int, c: int = 3) -> None: ...
def positional(a: int, b: int = 2, /, c: int = 3) -> None: ...
def variadic(a: int, b: int = 2, *rest: int, c: int = 3, **named: float) -> None: ...
def untyped(a, *rest, b=2, **named): ...  # pyright: ignore  # noqa: PGH003  no hints: the test
def nothing() -> None: ...


CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (plain, (1,), {}, '{"a":1}'),
    (plain, (1, "y", 2.5), {}, '{"a":1,"b":"y","c":2.5}'),
    (plain, (), {"c": 2.5, "a": 1}, '{"a":1,"c":2.5}'),
    (keyword, (1,), {"b": 2}, '{"a":1,"b":2}'),
    (positional, (1,), {"c": 4}, '{"a":1,"c":4}'),
    (positional, (1, 5), {}, '{"a":1,"b":5}'),
    (variadic, (1,), {}, '{"a":1}'),
    (variadic, (1, 2, 3, 4), {"c": 5, "x": 1.5}, '{"a":1,"b":2,"rest":[3,4],"c":5,"named":{"x":1.5}}'),
    (variadic, (1,), {"rest": 1.0, "named": 2.0}, '{"a":1,"named":{"named":2.0,"rest":1.0}}'),
    (untyped, (None, "a", [1]), {"b": {}, "z": False}, '{"a":null,"rest":["a",[1]],"b":{},"named":{"z":false}}'),
    (nothing, (), {}, "{}"),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "text"), CALLS)
def test_a_call_binds_as_python_binds_it(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], text: str
) -> None:
    codec = Codec.for_function(function)
    assert codec.encode_args(args, kwargs) == text
    got = codec.decode_args(text)
    signature = inspect.signature(function)
    assert signature.bind(*got[0], **got[1]) == signature.bind(*args, **kwargs)


def test_a_gap_before_what_must_go_by_position_is_filled_with_defaults() -> None:
    assert Codec.for_function(variadic).decode_args('{"a":1,"rest":[7]}') == ((1, 2, 7), {})
    assert Codec.for_function(plain).decode_args('{"a":1,"c":2.5}') == ((1,), {"c": 2.5})

    def late(a: int = 1, b: int = 2, /) -> None: ...

    assert Codec.for_function(late).decode_args('{"b":5}') == ((1, 5), {})


def test_the_context_is_left_out() -> None:
    def task(ctx: Context, order_id: int) -> None: ...

    codec = Codec.for_function(task, skip_first=True)
    assert codec.encode_args((7,), {}) == '{"order_id":7}'
    assert codec.decode_args('{"order_id":7}') == ((7,), {})
    assert list(codec.signature.parameters) == ["order_id"]


def test_what_the_worker_fills_in_is_left_out_and_what_follows_goes_by_name() -> None:
    def task(a: int, db: Context = Context(), b: int = 2) -> None: ...  # noqa: B008

    codec = Codec.for_function(task, leave_out={"db"})
    assert codec.decode_args(codec.encode_args((1,), {"b": 3})) == ((1,), {"b": 3})
    for args, kwargs in (((1, 3), {}), ((1,), {"db": 3})):
        with pytest.raises(ValueError, match=r"too many positional|unexpected keyword argument 'db'"):
            codec.encode_args(args, kwargs)


def test_methods_partials_and_callable_objects_have_codecs() -> None:
    class Worker:
        def process(self, n: int) -> str:
            return str(n)

        def __call__(self, n: int) -> str:
            return str(n)

    partial = functools.partial(variadic, 1)
    for function in (Worker().process, Worker()):
        assert Codec.for_function(function, task="t").encode_args((7,), {}) == '{"n":7}'
    assert Codec.for_function(partial, task="t").encode_args((7,), {}) == '{"b":7}'


def test_wrapped_functions_keep_their_hints() -> None:
    @functools.wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    assert Codec.for_function(wrapper).encode_args((1, "x"), {}) == '{"a":1,"b":"x"}'


def test_a_codec_names_the_task_by_its_import_path_unless_told() -> None:
    assert Codec.for_function(plain).task == f"{__name__}.plain"
    assert Codec.for_function(plain, task="billing").task == "billing"


def test_arguments_can_be_looked_at_by_name() -> None:
    codec = Codec.for_function(variadic)
    text = codec.encode_args((1, 2, 3), {"x": 1.5})
    assert codec.arguments(text) == {"a": 1, "b": 2, "rest": [3], "named": {"x": 1.5}}


def test_arguments_from_outside_may_be_written_as_in_json() -> None:
    def task(order: Order, at: date, *parts: Path) -> None: ...

    codec = Codec.for_function(task)
    text = codec.encode_named({"order": {"id": str(UUID(int=1)), "lines": []}, "at": "2030-01-01", "parts": ["a"]})
    assert codec.decode_args(text) == ((Order(UUID(int=1), []), date(2030, 1, 1), Path("a")), {})


def test_an_integer_given_for_a_float_arrives_as_a_float() -> None:
    codec = Codec.for_function(taking(float))
    assert repr(codec.decode_args(codec.encode_args((7,), {}))) == "((7.0,), {})"


@pytest.mark.parametrize(
    ("hint", "value", "stored"),
    [
        (None, None, "null"),
        (int, 5, "5"),
        (int | Snooze, 5, "5"),
        (Snooze, None, "null"),
        (NoReturn, None, "null"),
        (Coroutine[Any, Any, int], 5, "5"),
        (Any, {"id": UUID(int=0)}, '{"id":"00000000-0000-0000-0000-000000000000"}'),
        (inspect.Signature.empty, (1, 2), "[1,2]"),
    ],
)
def test_a_result_is_stored_by_its_hint(hint: Any, value: Any, stored: str) -> None:
    function = taking(Any)
    function.__annotations__["return"] = hint
    if hint is inspect.Signature.empty:
        del function.__annotations__["return"]
    codec = Codec.for_function(function)
    assert codec.encode_result(value) == stored
    assert codec.decode_result(stored) == json.loads(stored)


def test_the_text_does_not_depend_on_the_order_of_sets_and_dictionaries() -> None:
    codec = Codec.for_function(cast("Callable[..., Any]", untyped))
    assert codec.encode_args(({"b": 1, "a": 2},), {}) == codec.encode_args(({"a": 2, "b": 1},), {})
    letters = Codec.for_function(taking(set[str]))
    assert letters.encode_args(({"c", "a", "b"},), {}) == '{"value":["a","b","c"]}'
