"""Lanes: order, shares, and how far a worker looks past what it may not take."""

from collections import Counter

from relet.clock import MS, SECOND
from relet.job.job import Flag
from relet.store.records import Lane
from relet.work.lanes import RANKS, Lanes, Look
from tests.work.making import claim

START = -(2**63)


def came(
    lanes: Lanes, look: Look, *given: object, limit: int = 10, took: int = 100, now: int = 0, **more: object
) -> None:
    lanes.came(look, given, limit, more.get("ends"), now, took)  # type: ignore[arg-type]


def queues_first(lanes: Lanes, looks: int) -> Counter[str]:
    return Counter(lanes.next(0).lanes[0].queue for _ in range(looks))


def test_higher_priority_goes_first() -> None:
    assert [lane.rank for lane in Lanes({"a": 1}).next(0).lanes] == list(RANKS)


def test_every_sixteenth_look_takes_the_lowest_first() -> None:
    lanes = Lanes({"a": 1})
    lowest = [n for n in range(1, 65) if lanes.next(0).lanes[0].rank == 0]
    assert lowest == [16, 32, 48, 64]


def test_queues_share_by_weight() -> None:
    assert queues_first(Lanes({"a": 10, "b": 4, "c": 1}), 150) == {"a": 100, "b": 40, "c": 10}


def test_other_queues_have_the_weight_of_the_star() -> None:
    lanes = Lanes({"a": 3, "*": 1})
    lanes.learn([("a", -1), ("x", -1)], 0, 1)
    assert queues_first(lanes, 40) == {"a": 30, "x": 10}


def test_without_settings_every_queue_has_the_same_weight() -> None:
    lanes = Lanes({}, ["default"])
    lanes.learn([("default", -1), ("x", -1)], 0, 1)
    assert queues_first(lanes, 40) == {"default": 20, "x": 20}


def test_queue_that_was_not_asked_for_is_not_looked_at() -> None:
    lanes = Lanes({"a": 1})
    lanes.learn([("b", -1)], 0, 1)
    assert {lane.queue for lane in lanes.next(0).lanes} == {"a"}


def test_ranks_of_any_number_are_learnt() -> None:
    lanes = Lanes({"a": 1})
    assert lanes.learn([("a", -40), ("a", 7)], 0, 1)
    assert [lane.rank for lane in lanes.next(0).lanes] == [-40, -3, -2, -1, 0, 7]
    assert not lanes.learn([("a", -40)], 1, 1)


def test_learning_takes_at_most_a_twentieth_of_the_time() -> None:
    lanes = Lanes({})
    lanes.learn([], 0, 10)
    assert lanes.learn_at() == SECOND
    lanes.learn([], 0, SECOND)
    assert lanes.learn_at() == 20 * SECOND


def test_many_lanes_are_gone_round_before_a_worker_is_dry() -> None:
    lanes = Lanes({f"q{n}": 1 for n in range(40)})
    seen: set[tuple[str, int]] = set()
    looks = 0
    while True:
        look = lanes.next(0)
        looks += 1
        seen |= {(lane.queue, lane.rank) for lane in look.lanes}
        came(lanes, look)
        if lanes.went_round:
            break
    assert (looks, len(seen)) == (3, 160)


def test_cheap_look_always_starts_at_the_head() -> None:
    lanes = Lanes({"a": 1})
    for _ in range(5):
        look = lanes.next(0)
        assert look.full
        assert not look.with_ends
        came(lanes, look, claim(7, queue="a"), limit=1)


def test_expensive_look_is_not_made_twice_in_a_row() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(7_000_000, queue="a"), limit=1, took=300 * MS)
    look = lanes.next(10)
    assert not look.full
    assert Lane("a", -1, 7_000_000) in look.lanes
    assert Lane("a", 0, START) in look.lanes, "that lane was not walked: the limit was reached before it"


def test_expensive_short_look_asks_for_the_ends_and_passes_them() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), took=300 * MS)
    second = lanes.next(10)
    assert second.with_ends
    came(lanes, second, took=300 * MS, now=300 * MS, ends=[10, 20, 1_000_000, 30])
    assert [lane.after for lane in lanes.next(300 * MS).lanes] == [10, 20, 1_000_000, 30]


def test_full_look_comes_again_after_twenty_times_its_cost() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(1, queue="a"), limit=1, took=300 * MS)
    assert not lanes.next(6 * SECOND - 1).full
    assert lanes.next(6 * SECOND).full


def test_full_look_comes_again_after_a_second_when_it_is_fairly_cheap() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(1, queue="a"), limit=1, took=3 * MS)
    assert not lanes.next(SECOND - 1).full
    assert lanes.next(SECOND).full


def test_short_look_from_a_remembered_place_brings_the_full_one_forward() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(1, queue="a"), limit=1, took=3 * MS)
    came(lanes, lanes.next(10), now=10)
    assert lanes.looks_back
    assert lanes.full_at() == 60 * MS


def test_place_is_forgotten_when_the_full_look_is_cheap_again() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(5, queue="a"), limit=1, took=300 * MS)
    came(lanes, lanes.next(7 * SECOND), claim(6, queue="a"), limit=1, now=7 * SECOND)
    assert all(lane.after == START for lane in lanes.next(7 * SECOND).lanes)


def test_where_tenants_share_a_queue_the_full_look_waits_for_no_second() -> None:
    """New jobs of others stand before what was claimed last all the time."""
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(1, queue="a", flags=Flag.FAIR), claim(2, queue="a"), limit=2, took=3 * MS)
    assert not lanes.next(60 * MS - 1).full
    assert lanes.next(60 * MS).full
    came(lanes, lanes.next(60 * MS), claim(3, queue="a"), limit=1, took=3 * MS, now=60 * MS)
    assert not lanes.next(SECOND).full, "there are no tenants any more"


def test_two_tenants_at_one_place_are_both_found() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(7_000_000, queue="a", flags=Flag.FAIR), limit=1, took=300 * MS)
    assert Lane("a", -1, 6_999_999) in lanes.next(10).lanes


def test_returned_jobs_are_looked_for_at_once() -> None:
    lanes = Lanes({"a": 1})
    came(lanes, lanes.next(0), claim(5, queue="a"), limit=1, took=300 * MS)
    lanes.look_back()
    assert lanes.next(10).full
