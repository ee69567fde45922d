"""Routines as users write and steer them, with real workers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relet import App, Context, Retry
from relet.errors import DefinitionError, NotFound, Refused
from tests.support.waiting import until


@pytest.fixture
def app(shared_url: str) -> Iterator[App]:
    with App(shared_url) as made:
        yield made


def worker(app: App, tmp_path: Path, **given: Any) -> Any:
    return app.worker(poll="50ms", lock_dir=str(tmp_path / "locks"), **given)


def test_a_routine_runs_by_time_and_its_function_stays_a_function(app: App, tmp_path: Path) -> None:
    runs: list[str] = []

    @app.routine(every="1s", timeout="30s", priority="high", queue="data")
    def fetch_data(ctx: Context, size: int = 3) -> int:
        runs.append(str(ctx.job_id))
        return size

    with pytest.raises(NotFound, match="no worker of its app has started yet"):
        app.routines["fetch-data"].status()
    with worker(app, tmp_path):
        until(lambda: len(runs) >= 3)
    with pytest.raises(NotFound, match="Did you mean 'fetch-data'"):
        app.routines["fetch_data"].status()
    status = app.routines["fetch-data"].status()
    assert (status.mode, status.rule, status.enabled, status.consecutive_failures) == (
        "scheduled",
        "every second",
        True,
        0,
    )
    assert status.successes >= 2
    history = app.routines["fetch-data"].history()
    dues = [firing.due_at for firing in reversed(history)]
    assert dues == [dues[0] + timedelta(seconds=n) for n in range(len(dues))]
    job = app.jobs.list(limit=1)[0]
    assert (job.queue, job.priority, job.task) == ("data", 2, fetch_data.name)


def test_a_triggered_one_runs_when_told_and_says_why_when_it_does_not(app: App, tmp_path: Path) -> None:
    broken = True

    @app.routine(retry=Retry(1), max_consecutive_failures=2)
    def rebuild() -> str:
        if broken:
            raise RuntimeError("no disk")
        return "done"

    routine = app.routines["rebuild"]
    with worker(app, tmp_path):
        until(app.routines.list)
        for failures in (1, 2):
            routine.trigger(by="ann")
            until(lambda: routine.status().consecutive_failures == failures and routine.status().state != "running")  # noqa: B023
        status = routine.status()
        assert (status.enabled, status.disable_reason) == (False, "its last 2 runs failed")
        assert status.last_error is not None
        assert "no disk" in status.last_error
        with pytest.raises(Refused, match="'rebuild' was not triggered: it is disabled by relet"):
            routine.trigger()
        broken = False
        assert routine.enable()
        assert not routine.enable()
        job_id = routine.trigger()
        assert app.job(job_id).result("10s") == "done"
        until(lambda: routine.status().successes == 1)
    assert routine.status().consecutive_failures == 0


def test_a_routine_waits_for_what_it_depends_on(app: App, tmp_path: Path) -> None:
    order: list[str] = []

    @app.routine()
    def fetch() -> None:
        order.append("fetch")

    @app.routine(every="1s", depends_on=["fetch"])
    def process() -> None:
        order.append("process")

    with worker(app, tmp_path):
        until(lambda: app.routines["process"].status().due_since if len(app.routines.list()) == 2 else None)
        assert app.routines["process"].status().waits_for == ("fetch",)
        for number in (1, 2):
            app.routines["fetch"].trigger()
            until(lambda: order.count("process") == number)  # noqa: B023
            until(lambda: app.routines["fetch"].status().state == "idle")
    assert order == ["fetch", "process"] * 2


def test_pause_disable_and_what_code_says_at_first(app: App, tmp_path: Path) -> None:
    @app.routine(cron="0 3 * * *", tz="Europe/Oslo", enabled=False)
    def nightly() -> None: ...

    routine = app.routines["nightly"]
    with worker(app, tmp_path):
        until(app.routines.list)
    assert (routine.status().enabled, routine.status().next_due_at) == (False, None)
    assert routine.enable()
    routine.pause("holiday")
    assert (routine.status().paused, routine.status().next_due_at) == (True, None)
    assert routine.resume()
    assert routine.status().next_due_at is not None
    routine.disable("enough", by="ann")
    started: list[str] = []
    anew = app.worker(poll="50ms", lock_dir=str(tmp_path / "locks"), emit=lambda event, **_: started.append(event))
    with anew:  # what people said stands: it has declared its routines before it says that it is there
        until(lambda: "worker.started" in started)
    status = routine.status()
    assert (status.disable_reason, status.disabled_by) == ("enough", "ann")


def test_a_worker_refuses_circles(app: App, tmp_path: Path) -> None:
    @app.routine(depends_on=["two"])
    def one() -> None: ...

    @app.routine(depends_on=["one"])
    def two() -> None: ...

    with pytest.raises(DefinitionError, match="one -> two -> one"):
        worker(app, tmp_path).start()


def needs_more(path: str) -> None: ...


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every": "1s", "cron": "* * * * *"}, "either an interval or a cron expression"),
        ({"every": "soon"}, "'soon' is not a duration"),
        ({"tz": "Europe/Oslo"}, "tz without every= or cron= says nothing"),
        ({"overlap": "replace"}, "overlap: 'replace'"),
        ({"depends_on": "fetch"}, r"Give a list of names: \['fetch'\]"),
        ({"depends_on": ["same"], "name": "same"}, "cannot depend on itself"),
        ({"max_consecutive_failures": 0}, "max_failures=0"),
    ],
)
def test_what_cannot_be_is_refused_at_import(given: dict[str, Any], said: str) -> None:
    def same() -> None: ...

    with pytest.raises(DefinitionError, match=said):
        App("sqlite:///:memory:").routine(**given)(same)


def test_a_function_must_be_callable_with_nothing_and_options_must_exist() -> None:
    app = App("sqlite:///:memory:")
    with pytest.raises(DefinitionError, match="nobody gives its function path"):
        app.routine()(needs_more)
    with pytest.raises(TypeError, match="unexpected keyword argument 'evry'; did you mean 'every'"):
        app.routine(evry="1s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="unexpected keyword argument 'unique'"):
        app.routine(unique="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_two_routines_of_one_name_are_refused() -> None:
    app = App("sqlite:///:memory:")

    @app.routine(name="same")
    def one() -> None: ...

    with pytest.raises(DefinitionError, match="There are two routines named 'same'"):

        @app.routine(name="same")
        def two() -> None: ...

    assert app.schedules_of_code["same"].task == one.name


def test_a_routine_is_fired_as_soon_as_what_it_depends_on_has_succeeded(app: App, tmp_path: Path) -> None:
    ends: list[str] = []

    def step(name: str, before: str) -> None:
        def run(ctx: Context) -> None:
            if name != "4":
                ends.append(name)
                return
            with ctx.transaction():
                ends.append(name)

        run.__qualname__ = f"step_{name}"
        app.routine(name=name, every="1h", depends_on=[before] if before else [])(run)

    names = [str(number) for number in range(8)]
    for name, before in zip(names, ["", *names], strict=False):
        step(name, before)
    with worker(app, tmp_path):
        until(lambda: len(ends) == 8, 4.0)  # looks that come once a second would take eight
    assert ends == names


def test_whoever_takes_a_name_of_another_app_or_of_a_person_is_told(app: App, tmp_path: Path) -> None:
    said: list[tuple[str, Any]] = []

    def told(event: str, /, **fields: Any) -> None:
        if event in ("schedule.taken", "schedule.refused"):
            said.append((event, fields))

    def declare(owner: App, task: str) -> None:
        def run() -> None: ...

        run.__qualname__ = task
        owner.routine(name="clean-up")(run)
        owner.routine(name="theirs")(run)

    settings = {"poll": "50ms", "lock_dir": str(tmp_path / "locks"), "emit": told}
    declare(app, "first_clean_up")
    task = next(iter(app.tasks.values()))
    app.schedules.upsert("theirs", task.call(), every="1h", by="ann")
    with App(app.settings.url) as other, app.worker(worker="w1", **settings):
        declare(other, "second_clean_up")
        until(lambda: app.workers.list() and [event for event, _ in said] == ["schedule.refused"])
        assert "a schedule named 'theirs', which ann has added" in said[0][1]["error"]
        with other.worker(worker="w2", **settings):
            until(lambda: len(said) == 3)
    assert {event for event, _ in said[1:]} == {"schedule.refused", "schedule.taken"}
    (taken,) = (fields for event, fields in said if event == "schedule.taken")
    assert (taken["before"], taken["by"]) == (task.name, "w1")
    assert app.routines["clean-up"].status().task == taken["task"] != task.name


def test_an_event_names_the_job_and_the_due_time_as_people_write_them(app: App, tmp_path: Path) -> None:
    told: list[dict[str, object]] = []

    @app.routine(every="1h", name="hourly")
    def run() -> None: ...

    def emit(event: str, /, **fields: object) -> None:
        if event == "schedule.fired":
            told.append(fields)

    with worker(app, tmp_path, emit=emit):
        until(lambda: told)
    (firing,) = app.routines["hourly"].history()
    assert told == [{"schedule": "hourly", "due_at": firing.due_at.isoformat(), "job": str(firing.job_id)}]
