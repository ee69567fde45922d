"""Names: one rule for all kinds, and a refusal that says what is wrong with which name."""

import unicodedata
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job import names

KINDS: list[tuple[Callable[[str], str], int]] = [
    (names.queue_name, names.QUEUE_BYTES),
    (names.worker_name, names.WORKER_BYTES),
    (names.label_name, names.LABEL_BYTES),
    (names.task_name, names.TASK_BYTES),
    (names.unique_key, names.KEY_BYTES),
]
every_kind = pytest.mark.parametrize(("check", "limit"), KINDS)


@every_kind
@pytest.mark.parametrize(
    "name",
    [
        "a",
        "billing.charge",
        "o'hara; drop table job;--",
        '"%s"',
        "../x",
        "a b",
        "Größe",
        "注文",
        "שלום",
        "👩‍👩‍👧",
        "e\u0301",
        "[x]{y}",
    ],
)
def test_ordinary_and_odd_names_pass_unchanged(check: Callable[[str], str], limit: int, name: str) -> None:
    assert check(name) is name


@every_kind
@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("", "it is empty"),
        (" a", "white space at its ends"),
        ("a\u3000", "white space at its ends"),
        ("a\nb", "a control character \\(U\\+000A\\)"),
        ("a\0b", "a control character \\(U\\+0000\\)"),
        ("a\x7fb", "a control character"),
        ("a\x85b", "a control character"),
        ("a\u2028b", "a line separator"),
        ("a\ud800b", "a lone surrogate"),
        ("gpj.\u202egnp", "turns the reading direction"),
        ("a\u2066b", "turns the reading direction"),
        (7, "it is a int, not text"),
        (b"a", "it is a bytes, not text"),
        (None, "it is a NoneType, not text"),
    ],
)
def test_a_bad_name_is_refused_with_its_flaw(check: Callable[[str], str], limit: int, name: object, flaw: str) -> None:
    with pytest.raises(UsageError, match=flaw) as refusal:
        check(cast("str", name))
    assert str(refusal.value).isascii()
    assert str(refusal.value).isprintable()


@every_kind
def test_the_limit_is_in_bytes(check: Callable[[str], str], limit: int) -> None:
    assert check("a" * limit)
    assert check("é" * (limit // 2))
    for name in ("a" * (limit + 1), "é" * (limit // 2 + 1), "x" * 10_000_000):
        with pytest.raises(UsageError, match=f"longer than {limit} bytes") as refusal:
            check(name)
        assert len(str(refusal.value)) < 200


def test_two_long_names_with_the_same_beginning_stay_two() -> None:
    one, other = "q" * 100 + "1", "q" * 100 + "2"
    assert names.queue_name(one) != names.queue_name(other)


def test_a_star_names_no_queue() -> None:
    with pytest.raises(UsageError, match="all queues"):
        names.queue_name("*")


@given(st.text(max_size=140))
def test_a_name_that_passes_is_safe_to_store_and_to_print(name: str) -> None:
    try:
        names.queue_name(name)
    except UsageError:
        return
    assert 0 < len(name.encode()) <= names.QUEUE_BYTES
    assert name == name.strip()
    assert len(name.splitlines()) == 1
    assert not any(
        unicodedata.bidirectional(char) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI", "PDF", "PDI")
        for char in name
    )
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in name)


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=20))
def test_the_short_way_for_ascii_decides_like_the_long_one(name: str) -> None:
    def passes(text: str) -> bool:
        try:
            names.task_name(text)
        except UsageError:
            return False
        return True

    assert passes(name) == passes(f"{name[0]}é{name[1:]}" if len(name) > 1 else name)
