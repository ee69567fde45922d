"""Amounts are exact, and what is none is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.costs import DAY, HOUR, ONE, amount_of, decimal_of, model_of, start_of, tenant_of, total_of
from relet.job.job import Options
from relet.job.money import money_text

AMOUNTS = st.decimals(0, 10**15, allow_nan=False, allow_infinity=False, places=12)


@given(AMOUNTS)
def test_an_amount_of_twelve_places_is_added_up_exactly(amount: Decimal):
    total = total_of(amount_of("cost", amount))

    assert total is not None
    assert decimal_of(total) == amount


@pytest.mark.parametrize(
    "amount", ["nan", "inf", "-inf", "-0.01", "1e400", "1e16", "a lot", "", "--1", float("nan"), -1]
)
def test_what_is_no_amount_is_refused_and_added_to_nothing(amount: object):
    with pytest.raises(UsageError):
        amount_of("cost", amount)
    assert total_of(str(amount)) is None


def test_thirty_digits_are_kept_and_added_up_to_the_twelfth():
    text = amount_of("cost", "0.123456789012345678901234567890")

    assert text == "0.123456789012345678901234567890"
    assert total_of(text) == 123_456_789_012
    assert total_of("1e-400") == 0


def test_days_and_hours_begin_in_utc():
    night = 1_774_742_399_999_999  # 2026-03-28T23:59:59.999999Z, before the clocks of Europe are set

    assert start_of(night, DAY) == 1_774_656_000_000_000
    assert start_of(night + 1, DAY) == 1_774_742_400_000_000
    assert start_of(night + 1 + 90 * 60 * 10**6, HOUR) == 1_774_742_400_000_000 + HOUR


@pytest.mark.parametrize("details", [None, "{}", '{"model": 5}', '["model"]', '{"model": ', '"model"'])
def test_details_that_name_no_model_are_of_none(details: str | None):
    assert model_of(details) == ""


def test_a_job_belongs_to_the_tenant_whose_share_it_takes_or_to_that_of_its_tag():
    assert tenant_of(Options(fair="acme", tags={"tenant": "other"})) == "acme"
    assert tenant_of(Options(tags={"tenant": "other"})) == "other"
    assert tenant_of(Options()) == ""


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        ("0.0125", "USD", "$0.0125"),
        ("0.1875", "USD", "$0.1875"),
        ("12", "USD", "$12.00"),
        ("1234567.891", "EUR", "€1,234,567.891"),
        ("0.0000025", "USD", "$0.0000025"),
        ("0", "USD", "$0.00"),
        ("3.5", "CHF", "3.50 CHF"),
        ("37500", "tokens", "37,500 tokens"),
        ("3.25", "gpu_seconds", "3.25 gpu_seconds"),
        ("1e15", "bytes", "1,000,000,000,000,000 bytes"),
    ],
)
def test_amounts_are_written_for_people(amount: str, unit: str, text: str):
    assert money_text(Decimal(amount), unit) == text


def test_a_sum_is_whole_and_part():
    assert decimal_of(3 * ONE) == 3
    assert str(decimal_of(ONE // 4)) == "0.25"
    assert decimal_of(0) == 0
