"""What workers have counted is added up, and for how long it is known."""

from collections.abc import Mapping

from relet.clock import DAY, HOUR, SECOND
from relet.job.figures import COLUMNS, MINUTE, RUN, RUN_US, Came, place_of
from relet.store.measures import News
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.hands import Worker, new, news, put

NO_EVENTS: Mapping[str, int] = {}


def counted(**numbers: int) -> list[int]:
    row = dict.fromkeys(COLUMNS, 0) | numbers
    return [row[column] for column in COLUMNS]


def told(store: Store, queue: str = "default", task: str = "t", **numbers: int) -> None:
    store.add_figures(News({(queue, task): counted(**numbers)}, NO_EVENTS))


def test_what_is_counted_is_added_to_its_minute_its_hour_and_all_that_was(store: Store, bed: Bed) -> None:
    told(store, succeeded=2, run_us=30, run_3=2)
    told(store, succeeded=1, dead=1)
    bed.advance(MINUTE)
    told(store, succeeded=5)
    (ever,) = store.insights.figure_sums()
    assert (ever.queue, ever.task) == ("default", "t")
    assert (ever.figure.of(Came.SUCCEEDED), ever.figure.of(Came.DEAD)) == (8, 1)
    assert (ever.figure.counts[RUN_US], ever.figure.counts[RUN + 3]) == (30, 2)
    minutes = store.insights.figure_points(store.now() - HOUR, MINUTE)
    assert [point.figure.of(Came.SUCCEEDED) for point in minutes] == [3, 5]
    assert [point.at % MINUTE for point in minutes] == [0, 0]
    hours = store.insights.figure_points(store.now() - DAY, HOUR)
    assert sum(point.figure.of(Came.SUCCEEDED) for point in hours) == 8
    assert all(point.at % HOUR == 0 for point in hours)


def test_every_column_is_where_it_was_written(store: Store) -> None:
    store.add_figures(News({("q", "t"): range(1, len(COLUMNS) + 1)}, NO_EVENTS))
    store.add_figures(News({("q", "t"): range(1, len(COLUMNS) + 1)}, NO_EVENTS))
    (ever,) = store.insights.figure_sums()
    assert ever.figure.counts == tuple(2 * n for n in range(1, len(COLUMNS) + 1))
    (point,) = store.insights.figure_points(0, HOUR)
    assert point.figure == ever.figure


def test_queues_and_tasks_are_told_apart_and_added_together(store: Store) -> None:
    told(store, "mail", "send", succeeded=1)
    told(store, "mail", "sort", succeeded=2)
    told(store, "site", "send", succeeded=4)
    assert [(row.queue, row.task, row.figure.of(Came.SUCCEEDED)) for row in store.insights.figure_sums()] == [
        ("mail", "send", 1),
        ("mail", "sort", 2),
        ("site", "send", 4),
    ]
    assert len(store.insights.figure_sums(queue="mail")) == 2
    for queue, task, many in (("", "", 7), ("mail", "", 3), ("", "send", 5), ("site", "sort", 0)):
        points = store.insights.figure_points(0, MINUTE, queue, task)
        assert sum(point.figure.of(Came.SUCCEEDED) for point in points) == many


def test_several_minutes_can_be_one_step(store: Store, bed: Bed) -> None:
    for _ in range(10):
        told(store, failed=1)
        bed.advance(MINUTE)
    points = store.insights.figure_points(store.now() - HOUR, 5 * MINUTE)
    assert sum(point.figure.of(Came.FAILED) for point in points) == 10
    assert len(points) <= 3
    assert all(point.at % (5 * MINUTE) == 0 for point in points)


def test_a_recent_sum_has_only_what_came_since(store: Store, bed: Bed) -> None:
    told(store, succeeded=1)
    bed.advance(10 * MINUTE)
    told(store, succeeded=2)
    (recent,) = store.insights.figure_sums(store.now() - 5 * MINUTE)
    assert recent.figure.of(Came.SUCCEEDED) == 2
    (both,) = store.insights.figure_sums(store.now() - 20 * HOUR)
    assert both.figure.of(Came.SUCCEEDED) == 3


def test_minutes_are_kept_for_hours_hours_for_a_month_and_what_was_ever_for_good(store: Store, bed: Bed) -> None:
    told(store, succeeded=1)
    bed.advance(7 * HOUR)
    store.prune(DAY, DAY, 10)
    assert store.insights.figure_points(0, MINUTE) == []
    assert len(store.insights.figure_points(0, HOUR)) == 1
    bed.advance(40 * DAY)
    store.prune(DAY, DAY, 10)
    assert store.insights.figure_points(0, HOUR) == []
    (ever,) = store.insights.figure_sums()
    assert ever.figure.of(Came.SUCCEEDED) == 1


def test_events_are_added_up_by_name(store: Store) -> None:
    store.add_figures(News({}, {"job.fenced": 2}))
    store.add_figures(News({}, {"job.fenced": 1, "lease.renewed": 5}))
    assert store.insights.event_counts() == {"job.fenced": 3, "lease.renewed": 5}


def test_who_looks_first_writes_down_how_many_jobs_there_are(store: Store, other: Store, bed: Bed) -> None:
    worker = Worker(store)
    put(store, *news(3), new(queue="mail"), new(delay_us=HOUR))
    worker.claim(1)
    bed.advance(7 * SECOND)
    assert store.take_depth(5 * SECOND)
    assert not other.take_depth(5 * SECOND)
    rows = {row.queue: row for row in store.insights.depths(0)}
    assert rows["default"][2:] == (2, 1, 1, 0, 0, 7 * SECOND)
    assert rows["mail"].ready == 1
    assert [row.queue for row in store.insights.depths(0, "mail")] == ["mail"]


def test_the_last_look_of_a_minute_is_kept_for_a_day(store: Store, other: Store, bed: Bed) -> None:
    bed.advance(MINUTE - bed._wall() % MINUTE)
    assert store.take_depth(5 * SECOND)
    put(store, *news(2))
    bed.advance(5 * SECOND)
    assert other.take_depth(5 * SECOND)
    put(store, *news(2))
    bed.advance(5 * SECOND)
    assert store.take_depth(5 * SECOND)
    (row,) = store.insights.depths(0)
    assert (row.at % MINUTE, row.ready) == (0, 4)
    bed.advance(DAY + MINUTE)
    store.prune(DAY, DAY, 10)
    assert store.insights.depths(0) == []


def test_a_clock_that_was_set_back_stops_nothing(store: Store, bed: Bed) -> None:
    assert store.take_depth(5 * SECOND)
    bed.jump(-HOUR)
    assert store.take_depth(5 * SECOND)


def test_a_claim_says_since_when_its_job_was_ready(store: Store, bed: Bed) -> None:
    worker = Worker(store)
    put(store, new(), new(delay_us=10 * SECOND))
    began = store.now()
    bed.advance(2 * SECOND)
    now = worker.take()
    assert (now.ready_at, now.claimed_at) == (began, began + 2 * SECOND)
    bed.advance(10 * SECOND)
    store.promote(10)
    bed.advance(SECOND)
    later = worker.take()
    assert later.claimed_at - later.ready_at == SECOND, "what is put off waits from when it is due"


def test_places_are_known_by_their_names() -> None:
    assert COLUMNS[place_of(Came.SUCCEEDED)] == "succeeded"
