"""Priorities by name and by number, higher first."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import UsageError
from relet.job.priority import CRITICAL, HIGH, HIGHEST, LOW, LOWEST, NORMAL, Priority, priority_name, to_priority


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("low", LOW),
        ("Normal", NORMAL),
        ("HIGH", HIGH),
        (" critical ", CRITICAL),
        ("2", 2),
        ("-1", -1),
        ("+7", 7),
        (2, 2),
    ],
)
def test_names_and_numbers_are_accepted(written: Priority, number: int) -> None:
    assert to_priority(written) == number


def test_higher_goes_first() -> None:
    assert LOW < NORMAL < HIGH < CRITICAL


@given(st.integers(LOWEST, HIGHEST))
def test_any_16_bit_integer_is_a_priority_and_its_name_leads_back(number: int) -> None:
    assert to_priority(number) == number
    assert to_priority(priority_name(number)) == number


@pytest.mark.parametrize(
    "written",
    [LOWEST - 1, HIGHEST + 1, 10**400, "urgent", "", "1.5", "٣", "99999999", 1.0, True, None, [1], "x" * 10_000],
)
def test_what_is_no_priority_is_refused(written: object) -> None:
    with pytest.raises(UsageError, match="low, normal, high, critical, or an integer from -32768 to 32767") as refusal:
        to_priority(cast("Priority", written))
    assert len(str(refusal.value)) < 250
