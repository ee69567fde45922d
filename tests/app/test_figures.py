"""`app.figures`, after real runs."""

from datetime import timedelta

import pytest

from relet import App, Retry
from relet.errors import UsageError
from tests.support.waiting import until


@pytest.fixture
def app(shared_url: str) -> App:
    app = App(shared_url)

    @app.task(name="good", queue="mail")
    def good() -> None: ...

    @app.task(name="bad", retry=Retry(1))
    def bad() -> None:
        raise ValueError

    return app


def test_what_runs_came_to_is_told_by_queue_and_task_and_over_time(app: App) -> None:
    app.enqueue_by_name("bad", {})
    jobs = [app.enqueue_by_name("good", {}) for _ in range(3)]
    with app.worker(poll="50ms"):
        for job in jobs:
            job.result("10s")
        until(lambda: sum(one.run.count for one in app.figures.totals()) == 4, 10)
        until(lambda: len(app.figures.depths()) > 0, 10)
    bad, good = app.figures.totals(since="10m")
    assert (bad.queue, bad.task, bad.dead, bad.failure_rate) == ("default", "bad", 1, 1.0)
    assert (good.queue, good.task, good.succeeded, good.failure_rate) == ("mail", "good", 3, 0.0)
    assert good.run.p95 is not None
    assert timedelta(0) < good.run.p95 < timedelta(seconds=5)
    assert [one.task for one in app.figures.totals(queue="mail")] == ["good"]
    points = app.figures.series(step="5m", task="good")
    assert sum(point.succeeded for point in points) == 3
    assert all(point.since is not None and point.since.minute % 5 == 0 for point in points)
    assert app.figures.events()["session.opened"] == 1


@pytest.mark.parametrize("step", ["90s", "0s", "90m", "1s"])
def test_a_step_that_is_not_counted_is_refused(app: App, step: str) -> None:
    with pytest.raises(UsageError):
        app.figures.series(step=step)
