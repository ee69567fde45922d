"""Circuit breakers: when they trip, and what closes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.clock import SECOND
from relet.errors import UsageError
from relet.job.breaker import (
    MINUTE,
    STEPS,
    Breaker,
    Bucket,
    Rule,
    State,
    Status,
    closed,
    decode_buckets,
    decode_rule,
    encode_buckets,
    encode_rule,
    forced,
    hear,
    judge,
)

NOW = 1_700_000_000_000_000
RULES = st.builds(
    Rule,
    failures=st.none() | st.integers(1, 6),
    within_us=st.none() | st.integers(1, 100).map(lambda n: n * SECOND),
    rate=st.none() | st.floats(0.05, 1),
    minimum=st.integers(1, 10),
    cool_us=st.integers(1, 100).map(lambda n: n * SECOND),
    probes=st.integers(1, 3),
)
RUNS = st.lists(st.tuples(st.integers(-7, 7).filter(bool), st.integers(0, 20 * SECOND)), max_size=20)


def told(rule: Rule, runs: list[tuple[int, int]], status: Status | None = None) -> tuple[Status, int]:
    now, status = NOW, status or Status()
    for run, wait in runs:
        now += wait
        status = hear(rule, status, (run,), now, "E: broken")
    return status, now


def opened(rule: Rule, at: int = NOW) -> Status:
    return forced(Status(), at, at + rule.cool_us, "")


def test_it_trips_at_the_nth_failure_in_a_row_and_not_before():
    rule = Rule(failures=3)
    assert hear(rule, Status(), (-2, 1, -2), NOW).state(NOW) is State.CLOSED
    status = hear(rule, Status(), (-2, 1, -2, -1), NOW, "E: broken")
    assert (status.state(NOW), status.trips, status.opened_at, status.probe_at) == (State.OPEN, 1, NOW, NOW + MINUTE)
    assert (status.because, status.error) == ("3 failures in a row", "E: broken")


@given(RUNS, st.integers(1, 6))
def test_consecutive_failures_are_those_of_the_longest_run_whatever_the_reports(runs: list[tuple[int, int]], n: int):
    rule, flat = Rule(failures=n), [run > 0 for run, _ in runs for _ in range(abs(run))]
    in_a_row = longest = 0
    for passed in flat:
        in_a_row = 0 if passed else in_a_row + 1
        longest = max(longest, in_a_row)
    status, now = told(rule, runs)
    assert (status.opened_at is not None) == (longest >= n)
    if longest < n:
        assert (status.failures, status.buckets) == (in_a_row, ())
    assert hear(rule, Status(), [run for run, _ in runs], now).state(now) == status.state(now) or status.opened_at


@given(RULES.filter(lambda rule: rule.rate is not None and rule.failures is None), RUNS)
def test_a_rate_trips_exactly_at_a_failure_that_finds_its_share_in_the_window(rule: Rule, runs: list[tuple[int, int]]):
    now, seen, should = NOW, list[tuple[int, bool]](), False
    for run, wait in runs:
        now += wait
        for _ in range(abs(run)):
            seen.append((rule.step(now), run > 0))
            lately = [passed for step, passed in seen if step > rule.step(now) - STEPS]
            should = should or (
                run < 0 and len(lately) >= rule.minimum and lately.count(False) / len(lately) >= (rule.rate or 0)
            )
    assert (told(rule, runs)[0].opened_at is not None) == should


@given(RULES, RUNS)
def test_what_is_kept_is_small_and_survives_being_stored(rule: Rule, runs: list[tuple[int, int]]):
    status, _ = told(rule, runs)
    assert len(status.buckets) <= STEPS
    assert decode_rule(encode_rule(rule)) == rule
    assert decode_buckets(encode_buckets(status.buckets)) == status.buckets
    assert status.trips == (status.opened_at is not None)


def test_failures_in_a_row_count_for_ever_unless_told_within_what_time():
    spread = [(-1, 50 * SECOND)] * 3
    assert told(Rule(failures=3), spread)[0].opened_at is not None
    assert told(Rule(failures=3, within_us=MINUTE), spread)[0].opened_at is None
    assert told(Rule(failures=3, within_us=200 * SECOND), spread)[0].opened_at is not None


def test_a_success_ends_a_row_within_its_time_too():
    assert told(Rule(failures=3, within_us=MINUTE), [(-2, 0), (1, 0), (-2, 0)])[0].opened_at is None


def test_a_clock_that_was_set_back_forgets_nothing_and_keeps_nothing_for_ever():
    rule = Rule(failures=None, rate=1, minimum=2)
    before = hear(rule, Status(), (-1,), NOW)
    assert hear(rule, before, (-1,), NOW - 2 * SECOND).opened_at is not None
    assert hear(rule, before, (-1,), NOW - 600 * SECOND).buckets == (Bucket(rule.step(NOW - 600 * SECOND), 0, 1, 1),)


@given(RULES, RUNS)
def test_nothing_but_a_probe_changes_a_breaker_that_is_not_closed(rule: Rule, runs: list[tuple[int, int]]):
    before = opened(rule)
    assert told(rule, runs, before)[0] == before
    assert judge(rule, before, passed=True, now=NOW) == before


@given(RULES, st.lists(st.booleans(), max_size=8))
def test_as_many_probes_as_the_rule_says_close_it_and_the_first_failure_opens_it(rule: Rule, verdicts: list[bool]):
    status, ripe = opened(rule), NOW + rule.cool_us
    assert status.state(ripe) is State.HALF_OPEN
    for place, passed in enumerate(verdicts):
        after = judge(rule, status, passed, ripe, "E: still")
        if not passed:
            assert (after.state(ripe), after.probe_at, after.trips) == (
                State.OPEN,
                ripe + rule.cool_us,
                status.trips + 1,
            )
            return
        if place + 1 == rule.probes:
            assert after == closed(after)
            return
        status = after
        assert (status.state(ripe), status.proved) == (State.HALF_OPEN, place + 1)


@given(RULES, st.integers(0, 3), st.integers(0, 5))
def test_probes_that_are_out_and_those_that_have_succeeded_are_never_more_than_the_rule_says(rule, proved, out):
    status, ripe = opened(rule)._replace(proved=min(proved, rule.probes - 1)), NOW + rule.cool_us
    assert status.room(rule, out, ripe) == max(0, rule.probes - status.proved - out)
    assert status.room(rule, out, ripe - 1) == 0
    assert Status().room(rule, 0, ripe) == 0


def test_a_breaker_that_a_person_holds_open_never_tries_by_itself():
    status = forced(Status(), NOW, None, "maintenance")
    assert status.state(NOW + 10**15) is State.OPEN


def test_ignored_errors_do_not_count_and_win_over_only():
    breaker = Breaker(only=(OSError,), ignore=(FileNotFoundError,))
    assert [breaker.counts(error) for error in (OSError(), FileNotFoundError(), ValueError())] == [True, False, False]
    assert Breaker().counts(ValueError())
    assert not Breaker().counts(KeyboardInterrupt())


@pytest.mark.parametrize(
    "given",
    [
        {"failures": None},
        {"failures": 0},
        {"failures": True},
        {"rate": 0.0},
        {"rate": 1.01},
        {"rate": "half"},
        {"minimum": 0},
        {"cool": 0},
        {"within": "1ms"},
        {"probes": 0},
        {"cool": "soon"},
    ],
)
def test_a_rule_that_cannot_be_is_refused(given):
    with pytest.raises(UsageError):
        Breaker(**given)
