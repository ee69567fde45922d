"""What would not arrive as it was given is refused: at definition by its hint, at enqueue by its value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypedDict
from uuid import UUID

import msgspec
import pydantic
import pytest

from relet.errors import DefinitionError, PayloadError
from relet.job.codec import Codec


@dataclass
class Animal:
    name: str


@dataclass
class Dog(Animal):
    tricks: int = 0


class Movie(TypedDict, total=False):
    name: str


class Account(pydantic.BaseModel):
    owner: str
    pin: int


class Strange:
    def __repr__(self) -> str:
        raise RuntimeError


def taking(hint: Any) -> Callable[[Any], Any]:
    def task(value: Any) -> None: ...

    task.__annotations__ = {"value": hint}
    return task


def plain(order_id: int, note: str = "") -> None: ...


@pytest.mark.parametrize(
    ("hint", "flaw"),
    [
        (Iterable[int], "Iterable cannot be carried as JSON; use a list"),
        (Iterator[int], "Iterator cannot be carried as JSON"),
        (Callable[[], int], "Callable cannot be carried as JSON"),
        (complex, "complex cannot be carried as JSON"),
        (Strange, "Strange cannot be carried as JSON"),
        (list[dict[str, Strange]], "Strange cannot be carried as JSON"),
        (UUID | str, "may not contain more than one str-like type"),
        (Path | str, "custom type"),
        (Animal | Dog, "more than one dataclass"),
        (dict[tuple[int, int], int], "a dictionary with keys of tuple cannot be carried"),
        (dict[float, int], "a dictionary with keys of float cannot be carried"),
        (msgspec.Raw, "raw messages"),
        ("Nope", "a hint names 'Nope', which cannot be found"),
        ("list[Thing]", "a hint names 'Thing', which cannot be found; import it outside of TYPE_CHECKING"),
        ("1 +", "its hints cannot be read"),
    ],
)
def test_a_hint_that_cannot_be_carried_is_refused_at_definition(hint: Any, flaw: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        Codec.for_function(taking(hint), task="billing.charge")
    assert str(refusal.value).startswith("task 'billing.charge'")
    assert flaw in str(refusal.value)


def test_the_result_is_refused_at_definition_as_well() -> None:
    function = taking(int)
    function.__annotations__["return"] = Strange
    with pytest.raises(DefinitionError, match="its result: Strange cannot be carried"):
        Codec.for_function(function)


def test_a_parameter_that_a_record_cannot_have_is_refused_at_definition() -> None:
    def task(__dict__: int) -> None: ...

    with pytest.raises(DefinitionError, match="rename parameters that begin with two underscores"):
        Codec.for_function(task)


@pytest.mark.parametrize(
    ("hint", "value", "path", "flaw"),
    [
        (int, "x", "value", "expected int, got str"),
        (int, True, "value", "expected int, got bool"),
        (int, 1.0, "value", "expected int, got float"),
        (int, None, "value", "expected int, got null"),
        (int, 2**63, "value", "9223372036854775808 does not fit a 64-bit integer"),
        (int | None, -(2**63) - 1, "value", "does not fit a 64-bit integer"),
        (list[int], [0, 2**64], "value[1]", "does not fit a 64-bit integer"),
        (float, math.nan, "value", "nan is no number that JSON can carry"),
        (float | None, math.nan, "value", "nan is no number that JSON can carry"),
        (list[float], [1.0, math.inf], "value[1]", "inf is no number"),
        (str, "a\0b", "value", "NUL"),
        (str, "\ud800", "value", "lone surrogate"),
        (str, 7, "value", "expected str, got int"),
        (str, b"x", "value", "a bytes would arrive as a str"),
        (str, UUID(int=1), "value", "a UUID would arrive as a str"),
        (str | None, Path("x"), "value", "Path would arrive as a str"),
        (list[str], ["x", Decimal(1)], "value[1]", "a Decimal would arrive as a str"),
        (set[str], {UUID(int=1)}, "value", "its members would not arrive as they are"),
        (list[int], {1, 2}, "value", "a set would arrive as a list, in any order"),
        (bytes, "YWJj", "value", "a str would arrive as a bytes"),
        (UUID, "00000000-0000-0000-0000-000000000001", "value", "a str would arrive as a UUID"),
        (UUID, "x", "value", "invalid UUID"),
        (datetime, datetime(2030, 1, 1), "value", "has no time zone"),  # noqa: DTZ001
        (date, datetime(2030, 1, 1, tzinfo=UTC), "value", "invalid RFC3339 encoded date"),
        (Decimal, 7, "value", "an int would arrive as a Decimal"),
        (Literal["a", "b"], "c", "value", "invalid enum value"),
        (dict[str, int], {1: 2}, "value", "its key 1 would arrive as another one"),
        (dict[int, int], {1: 2, "1": 3}, "value", "its key"),
        (Animal, Dog("rex", 3), "value", "a Dog would arrive as an Animal"),
        (list[Animal], [Animal("a"), Dog("b")], "value[1]", "a Dog would arrive as an Animal"),
        (Animal, {"name": "rex"}, "value", "a dict would arrive as an Animal"),
        (Animal, Animal(7), "value.name", "expected str, got int"),  # pyright: ignore[reportArgumentType]
        (Movie, {"name": "x", "year": 1}, "value", "its key 'year' would arrive as another one, or not at all"),
        (Account, {"owner": "ann", "pin": 1}, "value", "a dict would arrive as an Account"),
        (dict[str, Any], {"a": {"id": UUID(int=1)}}, "value.a.id", "a UUID would arrive as a str"),
        (list[bytes], ["YWJj"], "value[0]", "a str would arrive as a bytes"),
        (Any, (1, 2), "value", "a tuple needs a type hint"),
        (Any, [{"a": (1, 2)}], "value[0].a", "a tuple needs a type hint"),
        (Any, {1: 2}, "value", "its key 1 would arrive as another one"),
        (Any, UUID(int=1), "value", "a UUID needs a type hint"),
        (Any, Path("x"), "value", "needs a type hint"),
        (object, Animal("rex"), "value", "an Animal needs a type hint"),
        (Any, {1, 2}, "value", "a set needs a type hint"),
        (Any, Strange(), "value", "JSON cannot carry a value of class Strange"),
        (Any, [[Strange()]], "value", "JSON cannot carry a value of class Strange"),
        (int, range(3), "value", "JSON cannot carry a value of class range"),
    ],
)
def test_a_wrong_argument_is_refused_where_it_is_given(hint: Any, value: Any, path: str, flaw: str) -> None:
    codec = Codec.for_function(taking(hint), task="billing.charge")
    with pytest.raises(PayloadError) as refusal:
        codec.encode_args((value,), {})
    message = str(refusal.value)
    assert refusal.value.path == path
    assert message.startswith(f"the arguments of task 'billing.charge', at {path}: ")
    assert flaw in message
    assert message.endswith("Nothing was written.")


@pytest.mark.parametrize(
    ("args", "kwargs", "flaw"),
    [
        ((), {}, "missing a required argument: 'order_id'"),
        ((1, "x", 2), {}, "too many positional arguments"),
        ((1,), {"ordr": 2}, "got an unexpected keyword argument 'ordr'"),
        ((1,), {"order_id": 2}, "multiple values for argument 'order_id'"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(args: tuple[Any, ...], kwargs: dict[str, Any], flaw: str) -> None:
    with pytest.raises(PayloadError) as refusal:
        Codec.for_function(plain).encode_args(args, kwargs)
    assert flaw in str(refusal.value)


def test_the_size_is_limited_before_anything_is_sent() -> None:
    codec = Codec.for_function(plain, max_bytes=1_000)
    assert codec.encode_args((1, "x" * 975), {})
    with pytest.raises(PayloadError, match="it is 1,001 bytes of JSON, and 1,000 is the limit"):
        codec.encode_args((1, "x" * 977), {})
    with pytest.raises(PayloadError, match=r"the result of task .* 1,000 is the limit"):
        codec.encode_result("x" * 1_000)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("{}", "missing the argument order_id"),
        ('{"order_id": 1, "colour": 2}', "the task has no parameter colour"),
        ('{"order_id": "x"}', "at order_id: expected int, got str"),
        ('{"order_id": 1, "note": "\\ud800"}', "truncated"),
        ("[1]", "expected object, got array"),
        ("", "truncated"),
        ('{"order_id": 1', "truncated"),
        ('{"order_id": 9223372036854775808}', "at order_id"),
    ],
)
def test_a_stored_row_that_does_not_fit_fails_with_a_reason(text: str, flaw: str) -> None:
    for decode in (Codec.for_function(plain).decode_args, Codec.for_function(plain).arguments):
        with pytest.raises(PayloadError) as refusal:
            decode(text)
        assert flaw in str(refusal.value)
        assert "What is stored is kept as it is." in str(refusal.value)


def test_a_stored_row_that_is_nested_without_end_fails_with_a_reason() -> None:
    with pytest.raises(PayloadError, match="nested too deep"):
        Codec.for_function(taking(Any)).decode_args('{"value": ' + "[" * 100_000)


@pytest.mark.parametrize(
    ("arguments", "flaw"),
    [
        ({"order_id": "7"}, "at order_id: expected int, got str"),
        ({"order_id": 7, "x": 1}, "the task has no parameter x"),
        ({}, "missing the argument order_id"),
        ({"order_id": 7, "note": "\0"}, "at note: its text holds a NUL"),
        ({"order_id": math.nan}, "at order_id: nan is no number"),
    ],
)
def test_wrong_arguments_from_outside_are_refused(arguments: dict[str, Any], flaw: str) -> None:
    with pytest.raises(PayloadError) as refusal:
        Codec.for_function(plain).encode_named(arguments)
    assert flaw in str(refusal.value)


def test_a_naive_datetime_from_outside_is_refused() -> None:
    with pytest.raises(PayloadError, match="at value: the datetime 2030-01-01T00:00:00 has no time zone"):
        Codec.for_function(taking(datetime)).encode_named({"value": "2030-01-01T00:00:00"})


def test_a_refusal_of_a_model_does_not_show_its_values() -> None:
    with pytest.raises(PayloadError, match="no Account: pin: ") as refusal:
        Codec.for_function(taking(Account)).encode_named({"value": {"owner": "ann", "pin": "hunter2"}})
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.path == "value"


@pytest.mark.parametrize(
    ("hint", "value", "flaw"),
    [
        (int, "x", "expected int, got str"),
        (int, 2**63, "does not fit a 64-bit integer"),
        (None, 5, "expected null, got int"),
        (dict[str, Any], {"a": math.nan}, "at a: nan is no number"),
        (Any, Strange(), "JSON cannot carry a value of class Strange"),
        (Any, math.inf, "inf is no number"),
        (Any, datetime(2030, 1, 1), "has no time zone"),  # noqa: DTZ001
        (list[Animal], [Animal("\0")], "at [0].name: its text holds a NUL"),
    ],
)
def test_a_wrong_result_is_refused(hint: Any, value: Any, flaw: str) -> None:
    function = taking(int)
    function.__annotations__["return"] = hint
    with pytest.raises(PayloadError, match=r"^the result of task ") as refusal:
        Codec.for_function(function).encode_result(value)
    assert flaw in str(refusal.value)
