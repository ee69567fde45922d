"""The rule of what JSON may carry: one rule, checked before anything is sent, with the place of what breaks it."""

import enum
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import PayloadError, UsageError
from relet.job.payload import MAX_BYTES, MAX_DEPTH, MAX_INT, MIN_INT, encode, encode_by_name, flaw, parse_json

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FINE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(MIN_INT, MAX_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["null", "\\u0000", "T10:20:30", "12345678901234567890", '"', "[[[["]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
BAD = st.sampled_from(
    [math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, 2**64, 10**400, "a\0b", "\ud800", datetime(2030, 1, 1)]  # noqa: DTZ001
)


def text_of(value: object) -> str:
    return encode(value, "the payload", max_bytes=MAX_BYTES)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@given(FINE)
def test_what_follows_the_rule_comes_back_exactly(value: Any) -> None:
    text = text_of(value)
    assert repr(json.loads(text)) == repr(json.loads(json.dumps(value, sort_keys=True)))
    assert text_of(json.loads(text)) == text
    assert parse_json(text, "x") == json.loads(text)


@given(FINE, BAD, st.integers(0, 4), st.booleans())
def test_what_breaks_the_rule_is_refused_with_its_place_wherever_it_is(
    neighbour: Any, bad: Any, depth: int, named: bool
) -> None:
    value: Any = bad
    path = ""
    for _ in range(depth):
        value = {"a": neighbour, "k": value} if named else [neighbour, value]
        path = f"k.{path}" if named and path and not path.startswith("[") else f"k{path}" if named else f"[1]{path}"
    with pytest.raises(PayloadError) as refusal:
        text_of(value)
    assert refusal.value.path == path
    assert "Nothing was written." in str(refusal.value)
    assert isinstance(refusal.value, UsageError)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "nan is no number that JSON can carry"),
        (-math.inf, "-inf is no number that JSON can carry"),
        (2**63, "9223372036854775808 does not fit a 64-bit integer; carry it as text or Decimal"),
        pytest.param(10**200_000, "an integer of more than 60 digits does not fit", id="huge"),
        ("a\0", "its text holds a NUL character"),
        ("\udfff", "its text holds a lone surrogate"),
        ({"\0": 1}, "its text holds a NUL character"),
        (datetime(2030, 1, 1), "has no time zone; use datetime.now(UTC)"),  # noqa: DTZ001
        (datetime(1800, 1, 1, tzinfo=timezone(timedelta(seconds=3661))), "a time zone with seconds"),
        (nested(MAX_DEPTH + 1), "nested deeper than 100 levels"),
        (nested(100_000), "nested deeper than 100 levels, or contains itself"),
        (object(), "JSON cannot carry a value of class object"),
        ([1j], "JSON cannot carry a value of class complex"),
        ({(1, 2): 3}, "keys"),
        ("x" * MAX_BYTES, "it is 262,146 bytes of JSON, and 262,144 is the limit"),
        ("é" * (MAX_BYTES // 2), "is the limit"),
    ],
)
def test_a_refusal_says_why(value: object, reason: str) -> None:
    with pytest.raises(PayloadError) as refusal:
        text_of(value)
    assert reason in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_the_edges_of_the_rule_pass() -> None:
    for value in (
        MIN_INT,
        MAX_INT,
        5e-324,
        1.7976931348623157e308,
        nested(MAX_DEPTH),
        "x" * (MAX_BYTES - 2),
        "\x01\x7f\u2028",
    ):
        assert json.loads(text_of(value)) == value
    assert text_of(-0.0) == "-0.0"
    assert json.loads(text_of(2**53 + 1)) == 2**53 + 1


def test_a_value_that_contains_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(PayloadError, match="contains itself"):
        text_of(ring)


def test_the_text_is_canonical() -> None:
    assert text_of({"b": 1, "a": {"z", "y", "x"}, "c": (1, 2)}) == '{"a":["x","y","z"],"b":1,"c":[1,2]}'
    assert text_of({"a": 1, "b": 2}) == text_of({"b": 2, "a": 1})


def test_values_beyond_json_are_carried_by_their_usual_text() -> None:
    class Color(enum.Enum):
        RED = "red"

    class Shout(str):
        __slots__ = ()

    value = [
        UUID(int=1),
        Decimal("1.50"),
        Path("a/b"),
        datetime(2030, 1, 1, tzinfo=UTC),
        b"\xff",
        Color.RED,
        Shout("x"),
    ]
    assert (
        text_of(value)
        == '["00000000-0000-0000-0000-000000000001","1.50","a/b","2030-01-01T00:00:00Z","/w==","red","x"]'
    )


def test_a_path_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(PayloadError, match="lone surrogate"):
        text_of([Path("a\udcff")])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "'a' is a member twice"),
        ('[{"b": {"x": 1, "x": 1}}]', "'x' is a member twice"),
        ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("[1e400]", "inf is no number"),
        ("[9223372036854775808]", "does not fit a 64-bit integer"),
        ("1" * 5_000, "it is not JSON that a job can carry"),
        ('"\\u0000"', "NUL"),
        ('"\\ud800"', "lone surrogate"),
        ("[" * 100_000, "nested deeper than 100 levels"),
        ("[" * 101 + "]" * 101, "nested deeper than 100 levels"),
        ("{'a': 1}", "it is not JSON"),
        ("", "it is not JSON"),
        (b"\xff\xfe\xfd", "it is not JSON"),
    ],
)
def test_json_from_outside_is_refused_with_its_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(PayloadError) as refusal:
        parse_json(text, "the body")
    assert str(refusal.value).startswith("the body")
    assert reason in str(refusal.value)


def test_arguments_by_name_need_no_code() -> None:
    text = encode_by_name({"order_id": 7, "when": datetime(2030, 1, 1, tzinfo=UTC)}, task="billing.charge")
    assert text == '{"order_id":7,"when":"2030-01-01T00:00:00Z"}'
    assert encode_by_name({}, task="t") == "{}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"a b": 1}, "'a b' is no name of a parameter"),
        ({7: 1}, "7 is no name of a parameter"),
        ({"a": math.nan}, "the arguments of task 'billing.charge', at a: nan"),
        ({"a": {"b": [1, object()]}}, "at a: JSON cannot carry a value of class object"),
    ],
)
def test_bad_arguments_by_name_are_refused(arguments: dict[Any, Any], reason: str) -> None:
    with pytest.raises(PayloadError) as refusal:
        encode_by_name(cast("dict[str, object]", arguments), task="billing.charge")
    assert reason in str(refusal.value)


@given(st.recursive(FINE | BAD, lambda inner: st.lists(inner, max_size=3), max_leaves=4))
def test_the_quick_look_never_misses_what_the_thorough_one_finds(value: Any) -> None:
    try:
        text_of(value)
    except PayloadError:
        assert flaw(value) is not None
    else:
        assert flaw(value) is None
