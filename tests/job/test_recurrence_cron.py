"""Cron expressions: what is read, what is refused and where, and what they are in words."""

from itertools import takewhile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relet.clock import DAY, HOUR, SECOND
from relet.errors import UsageError
from relet.job.cron import MACROS, parse

MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "every minute"),
        ("30 9 * * mon-fri", "at 09:30 on Monday to Friday"),
        ("30 9 * * 1-5", "at 09:30 on Monday to Friday"),
        ("  0   0 1 JAN *  ", "at 00:00 on January 1"),
        ("*/15 * * * *", "every 15th minute of every hour"),
        ("0 0 1 * mon", "at 00:00 on the first day of month and on Monday"),
        ("0 0 * * mon#1", "at 00:00 on the first Monday of the month"),
        ("0 0 L * *", "at 00:00 on the last day of every month"),
        ("@daily", "at 00:00 every day"),
        ("@Weekly", "at 00:00 on Sunday"),
    ],
)
def test_an_expression_is_read_and_said_in_words(text: str, words: str) -> None:
    assert parse(text).explain() == words


@pytest.mark.parametrize("word", MACROS)
def test_a_word_is_the_expression_that_it_stands_for(word: str) -> None:
    assert parse(f" {word.upper()} ").fields == MACROS[word]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 25 * * *", "hour '25' at character 3 cannot be read. It can be 0 to 23."),
        ("60 * * * *", "minute '60' at character 1 cannot be read. It can be 0 to 59."),
        ("1,2,x * * * *", "minute 'x' at character 5"),
        ("1,,2 * * * *", "minute '' at character 3"),
        ("1, * * * *", "minute '' at character 3"),
        (", * * * *", "minute '' at character 1"),
        ("0 0 32 * *", "day of the month '32' at character 5"),
        ("0 0 ? * *", "day of the month '?' at character 5 cannot be read. Write * for any."),
        ("0 0 * foo *", "month 'foo' at character 7 cannot be read. It can be 1 to 12, or jan to dec."),
        ("0   0 * * 8", "day of the week '8' at character 11"),
        ("0 0 * * fri-mon", "A range rises; one that goes around is two"),
        ("*/0 * * * *", "minute '*/0' at character 1 cannot be read"),
        ("*/90 * * * *", "'*/90' at character 1 steps further than its 60 values.*every=\"90m\""),
        ("5-5/10 * * * *", "minute '5-5/10' at character 1 steps through a single value"),
        ("0 0 * * fri-05/2", "steps through a single value"),
        ("0 */25 * * *", "hour '*/25' at character 3 steps further than its 24 values"),
        ("*/" + "9" * 190 + " * * * *", "minute .*cannot be read|steps further"),
        ("* * * * * *", 'it has 6 fields; a schedule has 5.*every="10s"'),
        ("* * * *", "it has 4 fields; a schedule has 5"),
        ("*", "it has 1 field;"),
        ("", "it has 0 fields"),
        ("@reboot", "the start of a host, which is no time. There are @hourly, @daily"),
        ("@sometimes", "there is no such word"),
        ("0 0 30 2 *", "there is no such day"),
        ("* * */20 * 1L", "there is no such day"),
        ("1" * 201, "longer than 200 characters"),
        (None, "expected text, got NoneType"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place_and_an_example(text: str, said: str) -> None:
    pattern = said.replace("?", r"\?").replace("'*/", r"'\*/").replace(" * ", r" \* ")
    with pytest.raises(UsageError, match=pattern) as refusal:
        parse(text)
    assert str(refusal.value).startswith("cron")
    assert "Example" in str(refusal.value) or "@daily" in str(refusal.value)
    assert len(str(refusal.value)) < 500


FIELD = st.text("0123456789*/,-#LlWw?", min_size=1, max_size=8)
WORDS = st.sampled_from(["*", "mon-fri", "*/5", "jan", "L", "LW", "5L", "sun#2", "1-5/2", "²", "ß", "\x00", "\uff11"])


@given(st.one_of(st.text(max_size=30), st.lists(st.one_of(FIELD, WORDS), min_size=4, max_size=6).map(" ".join)))
@example("0 0 L/2 * *")
@example("0 0 * * L")
@example("0 0 * * 1L,2#3/4")
@example("9-5/*/2 * * * *")
@example("\x1c* * * * *")
def test_any_text_is_an_expression_that_can_be_said_and_found_or_is_refused(text: str) -> None:
    try:
        cron = parse(text)
    except UsageError:
        return
    found = next(cron.named_from(1_700_000_000 * SECOND), None)
    assert found is None or found % MINUTE == 0
    assert cron.explain()
    assert parse(cron.fields).explain() == cron.explain()


@given(
    st.integers(0, 40_000 * DAY),
    st.integers(0, 3 * DAY),
    st.sampled_from(["*/7 * * * *", "5,35 0-12/3 * * 1-5", "0 0 L * *"]),
)
def test_the_count_is_the_number_of_steps(low: int, length: int, text: str) -> None:
    cron = parse(text)
    steps = sum(1 for _ in takewhile(lambda local: local < low + length, cron.named_from(low)))
    assert cron.count(low, low + length) == steps
    assert cron.count(low + length, low) == 0


@pytest.mark.parametrize(("text", "hourly", "repeats"), [
    ("0 * * * *", True, True),
    ("5 0-23 * * *", True, True),
    ("*/15 1-5 * * *", False, True),
    ("0-59/15 1-5 * * *", False, False),
    ("0 */2 * * *", False, False),
    ("0 2 * * *", False, False),
])  # fmt: skip
def test_a_named_hour_is_a_time_of_the_day(text: str, hourly: bool, repeats: bool) -> None:
    cron = parse(text)
    assert (cron.hourly, cron.repeats) == (hourly, repeats)


def test_one_of_two_day_fields_is_enough_unless_one_begins_with_a_star() -> None:
    first = 0
    assert parse("0 0 1 * mon").count(first, 28 * DAY) == 5  # 1 January 1970 was a Thursday
    assert parse("0 0 */2 * mon").count(first, 28 * DAY) == 2
    assert parse("0 0 * * mon").count(first + HOUR, 28 * DAY) == 4
