"""Schedules that are added at run time, as users write and steer them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relet import App, Retry
from relet.errors import DefinitionError, NotFound, PayloadError, Refused, UsageError
from relet.schedules import Schedule
from relet.testing import Harness, relet_test
from tests.app.work import work_off


@pytest.fixture
def made() -> list[object]:
    return []


@pytest.fixture
def report(app: App, made: list[object]):
    @app.task(name="report", queue="slow")
    def report(tenant: int, kind: str = "pdf") -> int:
        made.append((tenant, kind))
        return tenant

    return report


@pytest.fixture
def t(request: pytest.FixtureRequest):
    """A harness beside the store of the test: these need a clock that moves."""
    plain = App("sqlite:///untouched.db")

    @plain.task(name="report")
    def report(tenant: int) -> int:
        return tenant

    @plain.routine()
    def fetch() -> None: ...

    with relet_test(plain) as harness:
        yield harness


def report_of(t: Harness, tenant: int = 7) -> Any:
    return t.app.tasks["report"].call(tenant)


def at(t: Harness, seconds: int = 0) -> datetime:
    return datetime.fromtimestamp(t.clock.now() / 1_000_000, UTC) + timedelta(seconds=seconds)


def test_a_call_is_put_under_a_name_listed_changed_and_deleted(app: App, report: Any) -> None:
    put = app.schedules.upsert("tenant-7", report.call(7), cron="0 6 * * *", tz="Europe/Oslo", by="ann")
    assert put.changed
    status = put.status()
    assert (status.rule, status.task, status.queue) == ("at 06:00 every day, Europe/Oslo", "report", "slow")
    assert (dict(status.args), status.changed_by, status.mode) == ({"tenant": 7}, "ann", "scheduled")
    assert not app.schedules.upsert("tenant-7", report.call(7), cron="0 6 * * *", tz="Europe/Oslo").changed
    put.pause("they asked", by="ann")
    assert app.schedules.upsert("tenant-7", report.options(queue="fast").call(8), every="1h").changed
    (status,) = app.schedules.list()
    assert (status.rule, status.queue, status.pause_reason) == ("every hour", "fast", "they asked")
    assert dict(status.args) == {"tenant": 8}
    assert [each.name for each in app.schedules] == ["tenant-7"]
    assert app.routines.list() == []
    put.delete()
    assert app.schedules.list() == []
    with pytest.raises(NotFound, match="no schedule 'tenant-7' in the store"):
        put.status()


def test_its_calls_are_made_by_time_and_when_triggered(app: App, report: Any, made: list[object]) -> None:
    schedule = app.schedules.upsert_by_name("hourly", "report", {"tenant": 3}, every="1h")
    with app.shared.use() as store:
        store.fire_due(app.ids.jobs, 10)
    assert work_off(app) == 1
    job_id = schedule.trigger(by="ann")
    assert work_off(app) == 1
    assert app.job(job_id, report).result(0) == 3
    assert made == [(3, "pdf"), (3, "pdf")]
    assert [(one.cause, one.outcome) for one in schedule.history()] == [
        ("triggered by ann", "succeeded"),
        ("due", "succeeded"),
    ]


def test_what_cannot_be_scheduled_is_refused_with_what_to_do(t: Harness) -> None:
    schedules, report = t.app.schedules, t.app.tasks["report"]
    refused: list[tuple[Callable[[], Schedule], type[Exception], str]] = [
        (lambda: schedules.upsert("x", report_of(t)), UsageError, "either an interval or a cron expression"),
        (lambda: schedules.upsert("x", report.options(delay=3).call(1), every="1h"), UsageError, "Its rule says when"),
        (lambda: schedules.upsert("x", report.options(tx=object()).call(1), every="1h"), UsageError, "transaction"),
        (
            lambda: schedules.upsert("x", report.options(unique="{tenant}").call(1), every="1h"),
            UsageError,
            r"task.options\(unique=False\)",
        ),
        (lambda: schedules.upsert("x", report.call("a"), every="1h"), PayloadError, "at tenant"),
        (lambda: schedules.upsert("x", report_of(t), cron="0 0 * * *", tz="Mars/One"), UsageError, "no such time zone"),
        (lambda: schedules.upsert("x", report_of(t), evry="1h"), TypeError, "did you mean 'every'"),  # type: ignore[call-arg]  # on purpose
        (
            lambda: schedules.upsert("x", report_of(t), every="1h", depends_on=["fetsch"]),
            DefinitionError,
            "'fetsch', which is not in the store.*Did you mean 'fetch'",
        ),
        (lambda: schedules.upsert("fetch", report_of(t), every="1h"), Refused, "'fetch', which code declares"),
    ]
    for put, kind, said in refused:
        with pytest.raises(kind, match=said):
            put()
    assert schedules.list() == []


def test_schedules_that_depend_on_each_other_in_a_circle_are_refused(t: Harness) -> None:
    schedules = t.app.schedules
    schedules.upsert("a", report_of(t), every="1h", depends_on=["fetch"])
    schedules.upsert("b", report_of(t), every="1h", depends_on=["a"])
    with pytest.raises(DefinitionError, match="none could ever run: "):
        schedules.upsert("a", report_of(t), every="1h", depends_on=["b"])
    assert schedules["a"].status().waits_for == ("fetch",)


def test_code_and_people_steer_each_their_own(t: Harness) -> None:
    t.app.schedules.upsert("theirs", report_of(t), every="1h")
    with pytest.raises(NotFound, match=r"'fetch' is a routine. Steer it by: app.routines"):
        t.app.schedules["fetch"].delete()
    with pytest.raises(NotFound, match=r"'theirs' is a schedule. Steer it by: app.schedules"):
        t.app.routines["theirs"].disable()
    with pytest.raises(Refused, match="'fetch' is declared by code, and worker test would declare it again"):
        t.app.routines["fetch"].delete()
    assert t.app.routines["fetch"].status().enabled


def test_due_times_of_the_past_are_made_up_for_up_to_a_limit(t: Harness) -> None:
    schedule = t.app.schedules.upsert("hourly", report_of(t), every="1h", catchup="skip")
    t.fire()
    begun = at(t)
    t.advance("5h30m")
    t.fire()
    dry = schedule.backfill(begun, at(t), limit=3, dry_run=True)
    assert (dry.jobs, dry.had, dry.next_at) == ((), 1, begun + timedelta(hours=4))
    first = schedule.backfill(begun, at(t), limit=3)
    assert dry.due_times == first.due_times == tuple(begun + timedelta(hours=hour) for hour in (1, 2, 3))
    assert (len(first.jobs), first.had, first.next_at) == (3, 1, begun + timedelta(hours=4))
    assert first.next_at is not None
    newest, *older = schedule.history()
    assert schedule.history(before=newest.due_at, limit=2) == older[:2], "page by page"
    assert older
    rest = schedule.backfill(first.next_at, at(t))
    assert (len(rest.jobs), rest.had, rest.next_at) == (2, 0, None)
    assert schedule.backfill(begun, at(t)).jobs == ()
    assert t.run_until_idle() == 6
    assert schedule.status().successes == 6


def test_a_long_backfill_is_made_in_several_steps(t: Harness) -> None:
    schedule = t.app.schedules.upsert("often", report_of(t), every="1s", overlap="allow")
    schedule.pause()
    begun = at(t)
    t.advance("30m")
    assert len(schedule.backfill(begun, at(t), limit=5_000, dry_run=True).due_times) == 1800
    made = schedule.backfill(begun, at(t), limit=5_000)
    assert (len(made.jobs), made.next_at) == (1800, None)


def test_failures_disable_it_only_if_asked_to(t: Harness) -> None:
    @t.app.task(name="broken", retry=Retry(1))
    def broken() -> None:
        raise OSError("no disk")

    for name, most in (("patient", None), ("strict", 2)):
        t.app.schedules.upsert(name, broken.call(), every="1h", max_consecutive_failures=most)
    t.play("3h")
    assert {one.name: (one.enabled, one.consecutive_failures) for one in t.app.schedules.list()} == {
        "patient": (True, 4),
        "strict": (False, 2),
    }
