"""When a queue or a worker is healthy."""

import pytest

from relet.job.health import HEALTHY, Pause, Rules, Standing, Tally, Turn, judge, uptime

RULES = Rules()
ILL = Standing(False, True, "before")


@pytest.mark.parametrize(
    ("succeeded", "errors", "healthy"),
    [
        (0, 0, True),
        (0, 6, False),
        (100, 5, True),
        (95, 5, True),
        (94, 6, False),
        (1, 1, False),
        (20, 1, True),
        (1000, 50, True),
    ],
)
def test_what_is_healthy_falls_ill_by_a_larger_part_than_one_in_twenty(succeeded: int, errors: int, healthy: bool):
    assert judge(RULES, HEALTHY, Tally(succeeded, errors)).healthy is healthy


def test_more_errors_than_five_while_nothing_succeeds_are_named_so():
    patient = Rules(failure_percent=100)
    assert judge(patient, HEALTHY, Tally(0, 5)).healthy
    assert judge(patient, HEALTHY, Tally(1, 6)).healthy
    found = judge(patient, HEALTHY, Tally(0, 6))
    assert found == Standing(False, True, "nothing has succeeded for 5m, and 6 runs have failed")


@pytest.mark.parametrize(
    ("succeeded", "errors", "healthy"),
    [
        (0, 0, False),
        (1, 0, True),
        (1000, 2, True),
        (1000, 3, False),
        (19, 1, False),
        (38, 2, False),
        (41, 2, True),
        (0, 2, False),
    ],
)
def test_what_is_ill_is_healthy_again_when_something_succeeds_and_little_fails(
    succeeded: int, errors: int, healthy: bool
):
    found = judge(RULES, ILL, Tally(succeeded, errors))
    assert found.healthy is healthy
    assert bool(found.because) is not healthy


def test_between_the_two_it_stays_as_it_is():
    """Four of a hundred: too few to fall ill, too many to be healthy again."""
    tally = Tally(96, 4)
    assert judge(RULES, HEALTHY, tally).healthy
    assert not judge(RULES, ILL, tally).healthy


@pytest.mark.parametrize(
    ("pause", "healthy"),
    [
        (Pause("ann", "", None), False),
        (Pause("ann", "maintenance", None), True),
        (Pause("job 7", "", 10**15), True),
    ],
)
def test_a_pause_is_expected_that_ends_by_itself_or_that_somebody_has_explained(pause: Pause, healthy: bool):
    found = judge(RULES, HEALTHY, Tally(), pause)
    assert found.healthy is healthy
    assert not found.failing


def test_a_pause_that_is_over_leaves_nothing_behind():
    paused = judge(RULES, HEALTHY, Tally(), Pause("ann", "", None))
    assert "paused by ann" in paused.because
    assert judge(RULES, paused, Tally()) == HEALTHY


def test_runs_that_fail_stay_known_beside_a_pause():
    both = judge(RULES, HEALTHY, Tally(1, 9), Pause("ann", "", None))
    assert "paused" in both.because
    assert "9 of 10" in both.because
    assert not judge(RULES, both, Tally()).healthy


def test_uptime_is_the_part_of_the_time_that_is_known():
    turns = [Turn(0, True), Turn(60, False), Turn(80, True)]
    assert uptime(turns, 0, 100) == 0.8
    assert uptime(turns, 70, 100) == pytest.approx(2 / 3)
    assert uptime([Turn(50, True)], 0, 100) == 1
    assert uptime([], 0, 100) is None
