"""What is counted of runs."""

import pytest

from relet.clock import MS, SECOND
from relet.job.figures import BOUNDS_US, BUCKETS, COLUMNS, RUN_US, Came, Figure, Times, bucket, came_to, place_of
from relet.job.outcome import Ended
from relet.job.state import State


def times(*took_us: int) -> Times:
    buckets = [0] * BUCKETS
    for us in took_us:
        buckets[bucket(us)] += 1
    return Times(sum(took_us), tuple(buckets))


@pytest.mark.parametrize(
    ("ended", "to", "came"),
    [
        (Ended.SUCCESS, State.SUCCEEDED, Came.SUCCEEDED),
        (Ended.FAILURE, State.SCHEDULED, Came.FAILED),
        (Ended.RETRY_LATER, State.SCHEDULED, Came.FAILED),
        (Ended.CRASH, State.SCHEDULED, Came.FAILED),
        (Ended.FAILURE, State.DEAD, Came.DEAD),
        (Ended.DEADLINE, State.DEAD, Came.DEAD),
        (Ended.EXPIRE, State.CANCELLED, Came.CANCELLED),
        (Ended.SNOOZE, State.SCHEDULED, Came.SNOOZED),
        (Ended.RELEASE, State.READY, Came.RELEASED),
    ],
)
def test_what_a_run_came_to_is_told_by_how_it_ended_and_where_its_job_went(ended: Ended, to: State, came: Came) -> None:
    assert came_to(ended, to) is came


def test_a_bucket_has_what_took_as_long_as_its_bound() -> None:
    assert [bucket(us) for us in BOUNDS_US] == list(range(BUCKETS - 1))
    assert bucket(BOUNDS_US[-1] + 1) == BUCKETS - 1
    assert bucket(0) == 0


def test_quantiles_lie_in_the_bucket_that_has_them() -> None:
    found = times(*[40 * MS] * 95, *[2 * SECOND] * 5)
    assert 25 * MS < (found.quantile(0.5) or 0) <= 50 * MS
    assert found.quantile(0.95) == 50 * MS
    assert SECOND < (found.quantile(0.99) or 0) <= 2_500 * MS
    assert found.mean_us == (95 * 40 * MS + 5 * 2 * SECOND) // 100


def test_what_took_longer_than_all_bounds_counts_as_the_last() -> None:
    assert times(BOUNDS_US[-1] * 5).quantile(0.5) == BOUNDS_US[-1]


def test_of_nothing_there_is_no_quantile() -> None:
    assert times().quantile(0.95) is None
    assert times().mean_us is None
    assert Figure().failure_rate == 0


def test_dead_and_failed_runs_are_errors_and_snoozed_ones_are_not() -> None:
    counts = [0] * len(COLUMNS)
    for came, n in ((Came.SUCCEEDED, 6), (Came.FAILED, 1), (Came.DEAD, 1), (Came.SNOOZED, 50), (Came.RELEASED, 9)):
        counts[place_of(came)] = n
    figure = Figure(tuple(counts))
    assert (figure.processed, figure.errors, figure.failure_rate) == (8, 2, 0.25)


def test_figures_are_added_number_by_number() -> None:
    rows = [[n] * len(COLUMNS) for n in (1, 2)]
    assert Figure.sum(rows).counts == (3,) * len(COLUMNS)
    assert Figure.sum([]) == Figure()
    assert COLUMNS[RUN_US] == "run_us"
