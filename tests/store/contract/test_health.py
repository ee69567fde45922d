"""Health is judged by what was counted lately, changes are remembered, and who is gone is forgotten."""

import pytest

from relet.clock import DAY, SECOND
from relet.job.figures import COLUMNS, MINUTE
from relet.job.health import Rules, Tally, Turn, uptime
from relet.store.measures import ALL, News
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.hands import Worker

RULES = Rules()


def ran(store: Store, succeeded: int = 0, failed: int = 0, queue: str = "mail") -> None:
    row = dict.fromkeys(COLUMNS, 0) | {"succeeded": succeeded, "failed": failed}
    store.add_figures(News({(queue, "t"): [row[column] for column in COLUMNS]}, {}))


def health(store: Store, queue: str = "mail") -> tuple[bool, str]:
    (found,) = (one for one in store.insights.health_report(RULES).queues if one.name == queue)
    return found.health.standing.healthy, found.health.standing.because


def test_a_queue_falls_ill_and_recovers(store: Store, bed: Bed) -> None:
    ran(store, 10)
    assert [one.subject for one in store.judge_health(RULES)] == []
    ran(store, 1, 5)
    changes = store.judge_health(RULES)
    assert [(one.subject, one.healthy) for one in changes] == [("queue:mail", False), (ALL, False)]
    assert health(store) == (False, "5 of 16 runs have failed in 5m")
    assert not store.insights.health_report(RULES).verdict.healthy
    bed.advance(10 * MINUTE)
    assert [one.subject for one in store.judge_health(RULES)] == [], "nothing has shown that it works again"
    ran(store, 1)
    changes = store.judge_health(RULES)
    assert [(one.subject, one.healthy) for one in changes] == [("queue:mail", True), (ALL, True)]
    assert health(store) == (True, "")
    assert store.insights.health_report(RULES).verdict.healthy


def test_errors_that_are_older_than_the_window_do_not_count(store: Store, bed: Bed) -> None:
    ran(store, 0, 50)
    bed.advance(6 * MINUTE)
    ran(store, 1)
    store.judge_health(RULES)
    assert health(store) == (True, "")


def test_idle_queues_are_healthy(store: Store) -> None:
    store.close_queue("idle", "ann", "")
    assert store.judge_health(RULES) == []
    assert health(store, "idle") == (True, "")


def test_a_pause_that_nobody_explains_is_not_healthy_until_it_ends(store: Store) -> None:
    store.pause_queue("mail", "ann", "", None)
    store.judge_health(RULES)
    assert not health(store)[0]
    store.pause_queue("mail", "ann", "the provider moves", None)
    store.judge_health(RULES)
    assert health(store)[0]
    store.pause_queue("mail", "ann", "", None)
    store.judge_health(RULES)
    store.resume_queue("mail")
    store.judge_health(RULES)
    assert health(store)[0]


def test_a_queue_that_runs_nothing_for_a_day_is_not_ill_any_more(store: Store, bed: Bed) -> None:
    ran(store, 0, 50)
    store.judge_health(RULES)
    for _ in range(2):
        bed.advance(DAY // 2 + MINUTE)
        store.judge_health(RULES)
    bed.advance(2 * 3600 * SECOND)
    store.judge_health(RULES)
    assert health(store) == (True, "")


def test_a_worker_is_judged_by_what_it_counted_itself_and_forgotten_when_it_is_gone(store: Store, other: Store) -> None:
    worker = Worker(store, "w-1")
    assert store.judge_worker("w-1", Tally(100, 1), RULES) is None
    change = store.judge_worker("w-1", Tally(10, 9), RULES)
    assert change is not None
    assert (change.subject, change.healthy) == ("worker:w-1", False)
    other.judge_health(RULES)
    report = other.insights.health_report(RULES)
    (found,) = report.workers
    assert (found.name, found.health.standing.healthy) == ("w-1", False)
    assert not report.verdict.healthy
    worker.leave()
    other.judge_health(RULES)
    report = other.insights.health_report(RULES)
    assert report.workers == ()
    assert report.verdict.healthy


def test_without_anybody_who_looks_nothing_is_healthy(store: Store, bed: Bed) -> None:
    assert not store.insights.health_report(RULES).verdict.healthy
    store.judge_health(RULES)
    assert store.insights.health_report(RULES).verdict.healthy
    bed.advance(2 * MINUTE)
    verdict = store.insights.health_report(RULES).verdict
    assert (verdict.healthy, verdict.because) == (False, "no worker is there: the last one has looked 2m ago")


def test_uptime_is_measured_by_changes_and_by_who_was_there(store: Store, bed: Bed) -> None:
    began = store.now()
    store.judge_health(RULES)
    bed.advance(30 * SECOND)
    store.judge_health(RULES)
    bed.advance(10 * MINUTE)
    store.judge_health(RULES)
    changes = store.insights.health_changes(ALL, 0)
    assert [(one.at - began, one.healthy) for one in changes] == [
        (0, True),
        (90 * SECOND, False),
        (630 * SECOND, True),
    ]
    turns = [Turn(one.at, one.healthy) for one in changes]
    assert uptime(turns, 0, began + 630 * SECOND) == pytest.approx(90 / 630)
    assert [one.healthy for one in store.insights.health_changes(ALL, began + MINUTE)] == [True, False, True]
    assert [one.healthy for one in store.insights.health_changes(ALL, began + 5 * MINUTE)] == [False, True]


def test_the_report_has_what_it_was_judged_by(store: Store) -> None:
    ran(store, 7, 2)
    (found,) = store.insights.health_report(RULES).queues
    assert (found.recent, found.ever) == (Tally(7, 2), Tally(7, 2))


def test_old_changes_are_forgotten_but_for_the_last(store: Store, bed: Bed) -> None:
    store.judge_health(RULES)
    ran(store, 0, 9)
    store.judge_health(RULES)
    bed.advance(500 * DAY)
    store.prune(DAY, DAY, 10)
    assert [one.healthy for one in store.insights.health_changes(ALL, 0)] == [False]
