"""Budgets: what they are, what they count, and when their windows end."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.budget import Rule, Use, Window, decode_rule, encode_rule, parse_amount, rule_of, span_of, spend
from relet.job.costs import ONE, Spent
from relet.job.moment import from_at, to_at

TIMES = st.integers(0, 4_000_000_000_000_000)
WINDOWS: list[Window] = ["hour", "day", "week", "month"]


def at(*when: int) -> int:
    """A moment of UTC."""
    return to_at(datetime(*when, tzinfo=UTC), name="when")  # type: ignore[arg-type]  # year, month, day, …


@pytest.mark.parametrize(
    ("window", "began", "until"),
    [
        ("hour", (2026, 12, 31, 23), (2027, 1, 1)),
        ("day", (2026, 12, 31), (2027, 1, 1)),
        ("week", (2026, 12, 28), (2027, 1, 4)),  # from Monday on
        ("month", (2026, 12, 1), (2027, 1, 1)),
    ],
)
def test_windows_are_those_of_the_calendar_in_utc(window: Window, began: tuple[int, ...], until: tuple[int, ...]):
    assert span_of(window, at(2026, 12, 31, 23, 59, 59)) == (at(*began), at(*until))
    assert span_of(window, at(*until))[0] == at(*until)


@given(TIMES, st.sampled_from(WINDOWS))
def test_windows_follow_each_other_without_a_gap(now: int, window: Window):
    began_at, until_at = span_of(window, now)

    assert began_at <= now < until_at
    assert span_of(window, until_at - 1) == (began_at, until_at)
    assert span_of(window, until_at)[0] == until_at
    assert from_at(until_at).time() == datetime.min.time() or window == "hour"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("20 USD/day", ("20", "USD", "day")),
        (" 0.50EUR / hour ", ("0.50", "EUR", "hour")),
        ("5_000_000 tokens/month", ("5000000", "tokens", "month")),
        ("7 unpriced tokens/week", ("7", "unpriced tokens", "week")),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, said: tuple[str, str, str]):
    assert parse_amount(text) == said


@pytest.mark.parametrize(
    "text", ["", "20", "20 USD", "USD/day", "-1 USD/day", "0 USD/day", "nan USD/day", "1e400 USD/day", None]
)
def test_what_is_no_amount_is_refused(text: object):
    with pytest.raises(UsageError):
        parse_amount(text)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"model": "m"},
        {"queue": "q", "per": "tenant"},
        {"limit": "l", "on_exceeded": "reject"},
        {"queue": "q", "on_exceeded": "explode"},
        {"queue": "q", "warn": "1.5"},
        {"queue": "q", "warn": "nan"},
        {"limit": "l", "per": "colour"},
        {"closes": "a\nb"},
    ],
)
def test_a_budget_that_could_hold_nothing_back_is_refused(given: dict[str, Any]):
    with pytest.raises(UsageError):
        rule_of("b", "1 USD/day", **given)


def test_a_rule_is_stored_and_read():
    rule = rule_of("b", "20 USD/day", queue="ai", model="claude*", closes=["ai", "batch"], warn=0.9)

    assert decode_rule(encode_rule(rule)) == rule
    assert str(rule) == "$20.00/day"
    assert rule_of("b", "1 USD/day", queue="ai").closes == ("ai",)


def test_a_budget_counts_what_all_that_it_names_is_of():
    rule = rule_of("b", "1 USD/day", queue="q", task="t", model="claude*", tenant="acme")
    spent = Spent("q", "t", "claude-3", "acme", "cost", "USD")

    assert rule.counts(spent)
    for name in ("queue", "task", "model", "tenant", "unit"):
        assert not rule.counts(spent._replace(**{name: "other"}))
    assert rule.key_of(spent) == ""
    assert rule_of("b", "1 USD/day", limit="l", per="tenant").key_of(spent) == "acme"


def _spent(rule: Rule, *amounts: int) -> Use:
    use: Use | None = None
    for n, amount in enumerate(amounts):
        use = spend(rule, use, amount, at(2026, 1, 1) + n)
    assert use is not None
    return use


def test_it_is_used_up_by_the_amount_that_reaches_it():
    rule = rule_of("b", "1 USD/day", queue="q", warn="0.5")

    assert _spent(rule, ONE // 2 - 1).warned_at is None
    assert _spent(rule, ONE // 2).warned_at == at(2026, 1, 1)
    assert not _spent(rule, ONE - 1).closed
    assert _spent(rule, ONE - 1, 1, 5).exceeded_at == at(2026, 1, 1) + 1
