"""Durations and sizes: what people write becomes exact microseconds and bytes, or is refused by name."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.duration import MAX_US, Duration, format_us, to_bytes, to_us


@pytest.mark.parametrize(
    ("written", "us"),
    [
        (0, 0),
        (-0.0, 0),
        (30, 30_000_000),
        (0.25, 250_000),
        (timedelta(milliseconds=1.5), 1_500),
        ("250ms", 250_000),
        ("30s", 30_000_000),
        ("5m", 300_000_000),
        ("5min", 300_000_000),
        ("1h30m", 5_400_000_000),
        ("1h 30m", 5_400_000_000),
        ("1.5H", 5_400_000_000),
        ("2d", 172_800_000_000),
        ("1w", 604_800_000_000),
        ("17us", 17),
        (" 12 ", 12_000_000),
        ("0.1", 100_000),
        ("0.0000004", 0),
        (MAX_US / 1_000_000, MAX_US),
    ],
)
def test_every_form_is_understood(written: Duration, us: int) -> None:
    assert to_us(written, name="timeout") == us


@pytest.mark.parametrize(
    "written",
    [
        *("", "soon", "5x", "5m5m", "30s1h", "1h-3m", "1e3", "nan", "inf", "٣s", "5m\x00", "1" * 200),
        *(True, None, [5], b"5m"),
        *(-1, -0.001, "-5m", "-3", timedelta(microseconds=-1), float("nan"), float("inf"), float("-inf")),
        *(MAX_US, 1e300, 10**400, "5300w", timedelta.max, "9" * 90),
    ],
)
def test_what_is_no_duration_is_refused_by_name(written: Duration) -> None:
    with pytest.raises(UsageError, match=r"^timeout: .*1h30m") as refusal:
        to_us(written, name="timeout")
    assert len(str(refusal.value)) < 300


@given(st.timedeltas(timedelta(0), timedelta(microseconds=MAX_US)))
def test_a_timedelta_is_exact(span: timedelta) -> None:
    assert timedelta(microseconds=to_us(span, name="x")) == span


@given(st.integers(0, MAX_US))
def test_text_of_microseconds_is_exact(us: int) -> None:
    assert to_us(f"{us}us", name="x") == us
    assert to_us(f"{us // 1_000_000}.{us % 1_000_000:06}", name="x") == us


@given(st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.text("0123456789.smhdwu -", max_size=12)))
def test_anything_is_a_bounded_duration_or_refused(written: Duration) -> None:
    try:
        us = to_us(written, name="x")
    except UsageError:
        return
    assert 0 <= us <= MAX_US


@pytest.mark.parametrize(
    ("us", "shown"),
    [
        (0, "0s"),
        (850, "850us"),
        (1_000, "1ms"),
        (1_250, "1.3ms"),
        (17_000, "17ms"),
        (999_499, "999ms"),
        (999_500, "1s"),
        (8_200_000, "8.2s"),
        (30_000_000, "30s"),
        (59_949_999, "59.9s"),
        (59_950_000, "1m"),
        (360_000_000, "6m"),
        (365_000_000, "6m5s"),
        (3_599_600_000, "1h"),
        (5_400_000_000, "1h30m"),
        (86_399_999_999, "1d"),
        (187_200_000_000, "2d4h"),
        (MAX_US, "36525d"),
        (-17_000, "-17ms"),
    ],
)
def test_a_duration_is_shown_to_people(us: int, shown: str) -> None:
    assert format_us(us) == shown


@given(st.integers(0, MAX_US - 86_400_000_000))
def test_what_is_shown_can_be_read_back_within_a_twentieth(us: int) -> None:
    assert abs(to_us(format_us(us), name="x") - us) <= us / 20


@given(st.integers(0, MAX_US), st.integers(0, MAX_US))
def test_what_is_shown_keeps_the_order(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert to_us(format_us(shorter), name="x") <= to_us(format_us(longer), name="x")


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (1, 1),
        ("17", 17),
        ("256k", 2**18),
        ("512M", 2**29),
        ("512 MB", 2**29),
        ("1GiB", 2**30),
        ("1.5g", 3 * 2**29),
        ("1T", 2**40),
    ],
)
def test_sizes_are_powers_of_1024(written: int | str, count: int) -> None:
    assert to_bytes(written) == count


@pytest.mark.parametrize(
    "written", [0, -1, "0", "0.0001k", "-1M", "1P", "M", "", "1e3", True, None, 1.5, 2**63, "9" * 30 + "T"]
)
def test_what_is_no_size_is_refused_by_name(written: int | str) -> None:
    with pytest.raises(UsageError, match=r"^memory: .*512M"):
        to_bytes(written, name="memory")
