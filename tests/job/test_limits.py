"""Rules: how they are written, and that no window ever has more than its rate."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.clock import DAY, SECOND
from relet.errors import UsageError
from relet.job.limits import (
    STEPS,
    Rate,
    Rule,
    Tally,
    decode_rates,
    encode_rates,
    next_at,
    parse_rates,
    parse_rule,
    room,
    rule_of,
    say_rates,
    say_rule,
    used,
)

MINUTE = 60 * SECOND
NOON = 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("50/min", (Rate(50, MINUTE),)),
        ("10/s", (Rate(10, SECOND),)),
        ("5/30s", (Rate(5, 30 * SECOND),)),
        ("1 / 1h30m", (Rate(1, 90 * MINUTE),)),
        ("20000/day; 500/min", (Rate(500, MINUTE), Rate(20_000, DAY))),
        ("7/minute,9/hour", (Rate(7, MINUTE), Rate(9, 60 * MINUTE))),
        ("3/Week", (Rate(3, 7 * DAY),)),
    ],
)
def test_rates_are_read_as_people_write_them(text: str, rates: tuple[Rate, ...]):
    assert parse_rates(text) == rates
    assert parse_rates(say_rates(rates)) == rates
    assert decode_rates(encode_rates(rates)) == rates


@pytest.mark.parametrize(
    "text",
    [
        "",
        "50",
        "/min",
        "50/",
        "0/min",
        "-1/min",
        "50/fortnight",
        "5/0s",
        "1/min;2/60s",
        "1.5/s",
        "9e9/s",
        "1/900d",
        None,
    ],
)
def test_what_is_no_rate_is_refused(text: str):
    with pytest.raises(UsageError):
        parse_rates(text)


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "5", 10**10])
def test_what_is_no_number_of_jobs_is_refused(count: int):
    with pytest.raises(UsageError, match="concurrency"):
        rule_of(concurrency=count)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("5", Rule(5)),
        ("5 50/min 2/worker", Rule(5, 2, (Rate(50, MINUTE),))),
        ("10/s;20/min", Rule(None, None, (Rate(10, SECOND), Rate(20, MINUTE)))),
    ],
)
def test_a_rule_is_read_from_one_text_and_said_so(text: str, rule: Rule):
    assert parse_rule(text) == rule
    assert parse_rule(say_rule(rule)) == rule


def test_a_rule_is_said_in_words():
    assert str(rule_of(1, "3/5s;50/min", 2)) == "1 at once, 3/5s, 50/min, 2 per worker"
    assert str(Rule()) == ""


@pytest.mark.parametrize("text", ["five", "5 6", "1/worker 2/worker", "x/worker"])
def test_what_is_no_rule_is_refused(text: str):
    with pytest.raises(UsageError):
        parse_rule(text)


class Log:
    """What a store does with a rule: tallies by step, and a log of all starts."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.starts: list[int] = []
        self.steps: dict[tuple[int, int], int] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [Tally(window_us, step, units) for (window_us, step), units in self.steps.items()]

    def start(self, wanted: int, now: int) -> int:
        free = room(self.rule, 0, 0, self.tallies, now).free
        count = min(wanted, free)
        self.starts += [now] * count
        for rate in self.rule.rates:
            key = (rate.window_us, rate.step(now))
            self.steps[key] = self.steps.get(key, 0) + count
        return count


RATES = st.sampled_from(["5/s", "7/10s", "3/s;10/min", "1/60ms", "50/min"]).map(parse_rates)


@settings(max_examples=300, deadline=None)
@given(RATES, st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3 * SECOND)), max_size=60), st.integers(0, MINUTE))
def test_no_window_has_more_than_the_rate(rates: tuple[Rate, ...], asks: list[tuple[int, int]], offset: int):
    log, now = Log(Rule(rates=rates)), NOON + offset
    for wanted, pause_us in asks:
        log.start(wanted, now)
        now += pause_us
    for units, window_us in rates:
        for first in log.starts:
            assert sum(first <= at < first + window_us for at in log.starts) <= units


@settings(max_examples=300, deadline=None)
@given(RATES, st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3 * SECOND)), min_size=1, max_size=40))
def test_the_next_start_is_neither_later_nor_earlier_than_said(rates: tuple[Rate, ...], asks: list[tuple[int, int]]):
    log, now = Log(Rule(rates=rates)), NOON
    for wanted, pause_us in asks:
        log.start(wanted, now)
        at = room(log.rule, 0, 0, log.tallies, now).next_at
        if at is not None:
            assert room(log.rule, 0, 0, log.tallies, now).free == 0
            assert room(log.rule, 0, 0, log.tallies, at - 1).free == 0
            assert room(log.rule, 0, 0, log.tallies, at).free > 0
        now += pause_us


def test_a_unit_comes_back_one_window_and_one_step_later_at_most():
    rate = Rate(1, MINUTE)
    at = next_at(rate, [Tally(MINUTE, rate.step(NOON), 1)], NOON)
    assert at is not None
    assert MINUTE <= at - NOON <= MINUTE + MINUTE // STEPS


def test_steps_to_come_count_when_the_clock_was_set_back():
    rate = Rate(5, MINUTE)
    tallies = [Tally(MINUTE, rate.step(NOON), 5)]

    assert used(rate, tallies, NOON - 30 * SECOND) == 5
    assert used(rate, tallies, NOON - 3600 * SECOND) == 0


def test_room_is_what_the_tightest_of_all_leaves():
    assert room(Rule(5, 2), 1, 0, [], NOON).free == 2
    assert room(Rule(5, 2), 4, 0, [], NOON).free == 1
    assert room(Rule(5, 2), 9, 0, [], NOON).free == 0
    assert room(Rule(5, None, (Rate(3, MINUTE),)), 0, 0, [], NOON).free == 3
