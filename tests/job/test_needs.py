"""What a job needs and what a worker offers, as tokens of one canonical text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.needs import offers, parse, satisfied, tokens

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
NEEDS = st.dictionaries(WORDS, st.one_of(WORDS, st.booleans(), st.integers(-(2**63), 2**63 - 1)), max_size=5)


def test_tokens_are_sorted_and_canonical() -> None:
    assert tokens({"region": "eu", "gpu": "a100", "spot": True, "cuda": 12}) == (
        "cuda=12",
        "gpu=a100",
        "region=eu",
        "spot=true",
    )


def test_an_offer_may_have_several_values() -> None:
    assert offers({"gpu": ["a100", "h100"], "spot": False, "cuda": (11, 12)}) == {
        "gpu=a100",
        "gpu=h100",
        "spot=false",
        "cuda=11",
        "cuda=12",
    }


def test_a_job_runs_only_where_all_that_it_needs_is_offered() -> None:
    worker = offers({"gpu": ["a100", "h100"], "region": "eu"})
    assert satisfied(tokens({}), worker)
    assert satisfied(tokens({"gpu": "h100", "region": "eu"}), worker)
    assert not satisfied(tokens({"gpu": "h100", "region": "us"}), worker)
    assert not satisfied(tokens({"gpu": "a100", "spot": True}), worker)
    assert not satisfied(tokens({"gpu": "a100"}), offers({}))


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("gpu=a100,region=eu", ("gpu=a100", "region=eu")),
        (" region = eu , gpu=a100, gpu=a100,", ("gpu=a100", "region=eu")),
        ("spot", ("spot=true",)),
        ("gpu=h100,gpu=a100", ("gpu=a100", "gpu=h100")),
        ("", ()),
    ],
)
def test_the_form_of_the_command_line_is_parsed(text: str, parsed: tuple[str, ...]) -> None:
    assert parse(text) == parsed


@given(NEEDS)
def test_the_command_line_means_what_the_mapping_means(needs: dict[str, Any]) -> None:
    assert parse(",".join(tokens(needs))) == tokens(needs)
    assert satisfied(tokens(needs), offers(needs))


@given(NEEDS, NEEDS)
def test_satisfied_is_the_subset_relation(needs: dict[str, Any], given: dict[str, Any]) -> None:
    assert satisfied(tokens(needs), offers(given)) == (set(tokens(needs)) <= offers(given))


@pytest.mark.parametrize(
    "needs",
    [
        {"": "x"},
        {"a=b": "x"},
        {"a": "b,c"},
        {"a": "b=c"},
        {"a": ""},
        {"a": " b"},
        {"a": "x\n"},
        {"a": 1.5},
        {"a": None},
        {"a": "x" * 200},
    ],
)
def test_what_cannot_be_a_token_is_refused(needs: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        tokens(needs)


@pytest.mark.parametrize("text", ["=x", "a=", "a=b=c", "a=\x00"])
def test_what_is_not_of_the_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_refused_value_is_named() -> None:
    with pytest.raises(UsageError, match="capability 'gpu': its value is a float"):
        tokens({"gpu": 1.5})  # pyright: ignore[reportArgumentType]  the mistake is the test
