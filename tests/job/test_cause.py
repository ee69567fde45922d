"""What makes two failures the same."""

import pytest

from relet.job.cause import cause_key, grouped, masked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP 503 from api.example for lead 12", "HTTP 503 from api.example for lead 9,120"),
        ("no user 'ann'", "no user 'bob'"),
        ('no user "ann"', 'no user "o\'hara"'),
        ("job 01a21317-6c1a-7000-8d86-4efacfe3602d is gone", "job 01a21317-6ce6-7000-8522-68a40e4d292d is gone"),
        ("object at 0x7f299ea294e0", "object at 0x7f299e161620"),
        ("commit deadbeef01 failed", "commit 0123abcd99 failed"),
        ("timed out\nafter one", "timed out\nafter two"),
    ],
)
def test_what_differs_from_job_to_job_is_left_out(one: str, other: str):
    assert masked(one) == masked(other)
    assert cause_key("t", one) == cause_key("t", other)


def test_what_is_said_and_who_says_it_makes_a_cause():
    assert masked("connection refused") != masked("connection reset")
    assert masked("added facade") == "added facade"
    assert cause_key("a", "x") != cause_key("b", "x")


def test_a_very_long_line_is_masked_in_no_time():
    assert len(masked("'" * 100_000 + "9" * 100_000)) <= 600


def test_failures_are_counted_by_cause_the_most_first():
    jobs = [bytes([n]) * 16 for n in range(4)]
    causes = grouped(
        [(jobs[3], "t", "no 1", 40), (jobs[2], "u", "gone", 30), (jobs[1], "t", "no 2", 50), (jobs[0], "t", "no 3", 10)]
    )
    assert [(cause.task, cause.line, cause.first_at, cause.last_at) for cause in causes] == [
        ("t", "no #", 10, 50),
        ("u", "gone", 30, 30),
    ]
    assert causes[0].jobs == [jobs[3], jobs[1], jobs[0]]
