"""Key templates: checked when a task is defined, rendered injectively, short enough for every store."""

import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, TypedDict
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import DefinitionError, UsageError
from relet.job.keys import KeyTemplate
from relet.job.names import KEY_BYTES, unique_key


@dataclass
class User:
    id: int
    email: str
    friends: "list[User]"

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


class Address(TypedDict):
    street: str


class Color(enum.Enum):
    RED = "red"


def charge(
    order_id: int, user: User, address: Address, region: str = "eu", *parts: str, note: Any = None, **rest: Any
) -> None: ...


def template(text: str, function: Callable[..., Any] = charge) -> KeyTemplate:
    return KeyTemplate.parse(text, inspect.signature(function), "billing.charge")


def two(a: Any, b: Any) -> None: ...


ANN = User(1, "ann@example.org", [])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("once", "once"),
        ("order:{order_id}", "order:7"),
        ("{order_id}-{region}", "7-eu"),
        ("mail:{user.email}", "mail:ann@example.org"),
        ("{user.domain}", "example.org"),
        ("{address.street}/{order_id}", "Main St/7"),
        ("{rest.tenant}:{order_id}", "t1:7"),
        ("{{{order_id}}}", "{7}"),
    ],
)
def test_a_template_is_rendered_from_arguments_and_defaults(text: str, key: str) -> None:
    arguments: dict[str, Any] = {"order_id": 7, "user": ANN, "address": {"street": "Main St"}, "rest": {"tenant": "t1"}}
    assert template(text).render(arguments) == key


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("order:{oder_id}", "{oder_id} is no parameter of the task; it has order_id, user"),
        ("{parts}", "{parts} is no parameter"),
        ("{}", "{} is no field"),
        ("{0}", "{0} is no field"),
        ("{user[0]}", "is no field"),
        ("{user.__class__}", "is no field"),
        ("{user._secret}", "is no field"),
        ("{user.id.}", "is no field"),
        ("{order_id:>10}", "has a format or a conversion"),
        ("{order_id!r}", "has a format or a conversion"),
        ("{order_id", "expected '}'"),
        ("order}", "Single '}'"),
        ("{user.nme}", "User has no attribute 'nme'"),
        ("{address.city}", "Address has no attribute 'city'"),
        ("{user}", "{user} is a whole User; name one of its attributes"),
        ("{order_id}{region}", "between two fields there must be a character"),
        ("{order_id}and{region}", "between two fields there must be a character"),
        ("", "it is empty"),
        (" {order_id}", "white space at its ends"),
        ("order\n{order_id}", "a control character"),
        ("x" * 513, "longer than 512 bytes"),
    ],
)
def test_a_wrong_template_is_refused_when_the_task_is_defined(text: str, flaw: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        template(text)
    assert "task 'billing.charge': the key template" in str(refusal.value)
    assert flaw in str(refusal.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a:b", "a:b"),
        (True, "true"),
        (-7, "-7"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.50"), "1.5"),
        (Decimal("-0.00"), "0"),
        (Decimal("1E+3"), "1000"),
        (date(2030, 1, 2), "2030-01-02"),
        (datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2030-01-01T00:00:00+00:00"),
        (Color.RED, "red"),
        (PurePosixPath("a/b"), "a/b"),
        ("a\\b", "a\\x5cb"),
        ("a\nb\0", "a\\x0ab\\x00"),
        (" a ", "\\x20a\\x20"),
        ("\u202eb", "\\u202eb"),
        ("日本", "日本"),
    ],
)
def test_a_value_has_one_canonical_text(value: object, text: str) -> None:
    assert template("{note}").render({"note": value}) == text


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        (None, "is None, and all calls without it would share one key"),
        ("", "is '', and all calls"),
        (1.5, "is a float"),
        ([1], "is a list"),
        (object(), "is a object"),
        (datetime(2030, 1, 1), "without a time zone"),  # noqa: DTZ001
        (Decimal("NaN"), "not finite"),
        (Decimal("1E+100000"), "too large"),
        (10**400, "more than 64 bits"),
    ],
)
def test_a_value_without_one_canonical_text_is_refused(value: object, flaw: str) -> None:
    with pytest.raises(UsageError, match=r"task 'billing\.charge'") as refusal:
        template("{note}").render({"note": value})
    assert flaw in str(refusal.value)
    assert "because {note} is" in str(refusal.value)
    assert "Nothing was written" in str(refusal.value)


def test_a_field_that_is_not_given_and_has_no_default_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\{order_id\} is not given"):
        template("{order_id}").render({})
    with pytest.raises(UsageError, match=r"\{rest.tenant\} is not given"):
        template("{rest.tenant}").render({"rest": {}})


def test_a_dictionary_is_read_by_its_keys_alone() -> None:
    with pytest.raises(UsageError, match="is not given"):
        template("{note.keys}").render({"note": {}})


def test_values_that_hold_the_separator_do_not_run_together() -> None:
    pair = template("{a}:{b}", two)
    assert pair.render({"a": "1:2", "b": "3"}) == "1\\x3a2:3"
    assert pair.render({"a": "1", "b": "2:3"}) == "1:2:3"


@given(st.sampled_from(["{a}:{b}", "x-{a}, {b}y", "{a}/a/{b}", "{a}🙂{b}", "{a}1.{b}", "a{a}%{b}"]), st.data())
def test_a_key_is_the_same_only_for_the_same_values(text: str, data: st.DataObject) -> None:
    values = st.text(st.sampled_from("ab1x:/,-. \\%3\n🙂"), min_size=1, max_size=6)
    one, other = (data.draw(st.fixed_dictionaries({"a": values, "b": values})) for _ in range(2))
    pair = template(text, two)
    assert (pair.render(one) == pair.render(other)) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_the_value_the_key_is_a_unique_key(value: str) -> None:
    assert unique_key(template("{note}").render({"note": value}))


def test_a_long_key_keeps_its_head_and_a_digest_of_the_whole() -> None:
    url = "https://example.org/" + "é" * 5_000
    one, other = (template("fetch:{note}").render({"note": f"{url}{n}"}) for n in (1, 2))
    assert one != other
    assert one.startswith("fetch:https://example.org/éé")
    assert len(one.encode()) <= KEY_BYTES
    assert one == template("fetch:{note}").render({"note": f"{url}1"})


def test_the_moment_of_a_key_does_not_depend_on_its_time_zone() -> None:
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    keys = {template("{note}").render({"note": noon.astimezone(timezone(timedelta(hours=n)))}) for n in range(-5, 5)}
    assert len(keys) == 1
