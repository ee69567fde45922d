"""A running task pauses its queue: one line for a service that says "too many requests"."""

from datetime import UTC, datetime, timedelta

import pytest

from relet import App, Context
from relet.errors import UsageError
from tests.support.waiting import until
from tests.work import tasks
from tests.work.conftest import Shop


@pytest.mark.parametrize("how", ["loop", "thread", "process"])
def test_a_task_pauses_its_queue(any_shop: Shop, how: str) -> None:
    run = {"loop": tasks.hold_off, "thread": tasks.hold_off_plainly, "process": tasks.hold_off_apart}[how]
    any_shop.worker(slots=1)
    first = run.options(queue="api").enqueue("3600")
    second = run.options(queue="api").enqueue("1")
    first.result("20s")
    until(lambda: tasks.app.queues["api"].status().paused_at)
    stats = tasks.app.queues["api"].status()

    assert stats.paused_until is not None
    assert timedelta(minutes=59) < stats.paused_until - datetime.now(UTC) <= timedelta(hours=1)
    assert (stats.paused_by or "").startswith(run.name)
    assert stats.pause_reason == "too many requests"
    assert second.state == "ready"
    assert "is paused by" in tasks.app.why(second.id)[0]


def test_a_pause_that_ends_later_or_not_at_all_stays(shop: Shop) -> None:
    shop.worker()
    queue = tasks.app.queues["default"]
    queue.pause("maintenance", until="2h")
    tasks.hold_off.options(queue="other").enqueue("60").result("10s")
    queue.resume()
    tasks.hold_off.enqueue("60").result("10s")
    until(lambda: queue.status().paused_at)
    first = queue.status().paused_until
    queue.pause("for good")

    assert first is not None
    assert queue.status().paused_until is None


@pytest.mark.parametrize("moment", ["120", 120, timedelta(minutes=2), "2m", "Sun, 06 Nov 2044 08:49:37 GMT"])
def test_every_form_of_retry_after_is_taken(moment: object) -> None:
    app = App("sqlite:///:memory:?name=forms")

    @app.task
    def wait(ctx: Context) -> None:
        ctx.pause_queue(until=moment)  # type: ignore[arg-type]  # all forms

    assert wait.run_now() is not None


@pytest.mark.parametrize("moment", ["soon", -1, "Sun, 99 Nov 1994 08:49:37 GMT", datetime(2026, 1, 1)])  # noqa: DTZ001  that is the point
def test_what_is_no_moment_is_refused(moment: object) -> None:
    app = App("sqlite:///:memory:?name=refused")

    @app.task
    def wait(ctx: Context) -> None:
        ctx.pause_queue(until=moment)  # type: ignore[arg-type]  # no form

    with pytest.raises(UsageError):
        wait.run_now()
