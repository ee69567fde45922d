"""What calls of models cost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.prices import Price, Tokens, find_price, parse_price, tokens_of

HAIKU = Price("0.25", "1.25")


def test_input_and_output_have_their_prices_per_million():
    priced = HAIKU.of(Tokens(2000, 500))

    assert (priced.amount, priced.unit) == (Decimal("0.001125"), "USD")
    assert priced.prices == {"input": "0.25", "output": "1.25", "by": "own table"}


def test_what_comes_from_a_cache_is_part_of_the_input():
    cached = Price("0.25", "1.25", cache_read="0.03", cache_write="0.30")

    assert cached.of(Tokens(1_000_000, 0, 400_000, 100_000)).amount == Decimal("0.167")
    assert HAIKU.of(Tokens(1_000_000, 0, 400_000, 100_000)).amount == Decimal("0.25")


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_calls_cost_together_what_they_cost_alone(first: int, second: int):
    together = HAIKU.of(Tokens(first + second, 0)).amount

    assert together == HAIKU.of(Tokens(first, 0)).amount + HAIKU.of(Tokens(second, 0)).amount


@pytest.mark.parametrize("text", ["0.25/1.25", "0.25/1.25/0.03/0.30", "0.25/1.25 EUR", "0/0"])
def test_a_price_is_read_as_it_is_written(text: str):
    assert str(parse_price(text)) == text


@pytest.mark.parametrize("text", ["", "0.25", "a/b", "1/2/3", "nan/1", "-1/1", "1e400/1", "1/1 dollars", "1/1 U$D"])
def test_what_is_no_price_is_refused(text: str):
    with pytest.raises(UsageError):
        parse_price(text)


def test_money_is_no_float():
    with pytest.raises(UsageError, match="no float"):
        Price(0.25, "1.25")  # pyright: ignore[reportArgumentType]  that is the point


def test_the_longest_beginning_wins_behind_the_name_itself():
    table = {"claude*": Price(1, 1), "claude-3*": Price(2, 2), "claude-3-haiku": Price(3, 3)}

    assert find_price(table, "claude-3-haiku") == Price(3, 3)
    assert find_price(table, "claude-3-opus") == Price(2, 2)
    assert find_price(table, "claude-next") == Price(1, 1)
    assert find_price(table, "gpt") is None


@pytest.mark.parametrize("count", [-1, 1.5, True, "7", 10**13, float("nan")])
def test_what_counts_no_tokens_is_refused(count: object):
    with pytest.raises(UsageError):
        tokens_of(count, 0, 0, 0)


def test_a_cache_cannot_give_more_than_all_input():
    with pytest.raises(UsageError, match="includes them"):
        tokens_of(10, 0, 8, 3)
