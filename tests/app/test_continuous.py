"""Continuous routines and routines as classes, with real workers."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest

from relet import App, Context, Fire, Retry, Routine
from relet.errors import DefinitionError, Refused, UsageError
from relet.routine_options import RoutineOptions
from relet.routines import RoutineStatus
from relet.testing import relet_test
from tests.support.waiting import until


@pytest.fixture
def app(shared_url: str) -> Iterator[App]:
    with App(shared_url) as made:
        yield made


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[App]:
    with App(f"sqlite:///{tmp_path}/jobs.db") as made:
        yield made


def worker(app: App, tmp_path: Path, **given: Any) -> Any:
    return app.worker(**{"poll": "50ms", "cancel_grace": "300ms", "lock_dir": str(tmp_path / "locks"), **given})


def test_passes_of_a_run_go_on_under_one_claim_and_are_seen_by_others(app: App, tmp_path: Path) -> None:
    passes: list[tuple[str, Any]] = []

    @app.routine(continuous=True, idle="10ms")
    def plain(ctx: Context) -> None:
        passes.append(("plain", (ctx.job_id, ctx.epoch)))

    @app.routine(continuous=True, idle=0)
    async def on_loop(ctx: Context) -> int:
        passes.append(("on-loop", (ctx.job_id, ctx.epoch)))
        await asyncio.sleep(0.01)
        return 7

    with worker(app, tmp_path):
        for name in ("plain", "on-loop"):
            status = until(lambda: _passed(app, name))  # noqa: B023
            assert (status.mode, status.rule, status.consecutive_failures) == ("continuous", "all the time", 0)
            with pytest.raises(Refused, match="it is continuous, and has all its runs by itself"):
                app.routines[name].trigger()
    for name in ("plain", "on-loop"):
        runs = [run for which, run in passes if which == name]
        assert len(runs) > 3
        assert len(set(runs)) == 1
        status = app.routines[name].status()
        assert status.successes == len(runs), "the last passes were told before the worker ended"
        assert [row.releases for row in app.jobs.list() if row.id == runs[0][0]] == [1]


def _passed(app: App, name: str) -> RoutineStatus | None:
    """The status once the store knows of its passes."""
    found = next((status for status in app.routines.list() if status.name == name), None)
    return found if found is not None and found.successes >= 3 else None


def test_a_pass_that_fails_costs_an_attempt_and_one_that_ends_well_counts_them_anew(lite: App, tmp_path: Path) -> None:
    attempts: list[int] = []

    @lite.routine(continuous=True, idle=0, retry=Retry(3, backoff="fixed", first=0.01), max_consecutive_failures=1)
    def shaky(ctx: Context) -> None:
        attempts.append(ctx.attempt)
        if len(attempts) % 3:
            raise ValueError("no luck")

    with worker(lite, tmp_path):
        until(lambda: len(attempts) > 12)
    assert attempts[:12] == [1, 2, 3] * 4
    status = lite.routines["shaky"].status()
    assert (status.enabled, len(lite.dead.list())) == (True, 0)


def test_passes_that_only_fail_disable_the_routine(app: App, tmp_path: Path) -> None:
    @app.routine(continuous=True, idle=0, retry=Retry(1), max_consecutive_failures=2)
    def broken() -> None:
        raise ValueError("no luck")

    with worker(app, tmp_path):
        until(app.routines.list)
        until(lambda: not app.routines["broken"].status().enabled)
    status = app.routines["broken"].status()
    assert (status.disable_reason, status.consecutive_failures) == ("its last 2 runs failed", 2)
    assert "no luck" in (status.last_error or "")


@pytest.mark.parametrize("style", ["plain", "on loop"])
def test_a_worker_that_goes_lets_a_pass_end_and_another_goes_on(app: App, tmp_path: Path, style: str) -> None:
    began, told, go_on = Event(), Event(), Event()
    ends: list[str] = []

    def do(ctx: Context) -> None:
        began.set()
        until(lambda: ctx.stopping)
        assert not ctx.cancelled
        told.set()
        assert go_on.wait(10)
        ends.append("whole")

    async def do_on_loop(ctx: Context) -> None:
        await asyncio.to_thread(do, ctx)

    app.routine(name="keep", continuous=True)(do if style == "plain" else do_on_loop)
    one, two = worker(app, tmp_path), worker(app, tmp_path)
    with one:
        assert began.wait(10)
        began.clear()
        with two:
            one.drain()
            assert told.wait(10)
            assert not began.is_set(), "the pass has not ended, so nobody else makes one"
            go_on.set()
            assert one.wait(10)
            assert ends == ["whole"]
            assert began.wait(10)
    status = app.routines["keep"].status()
    assert (status.state, status.running, len(status.queued)) == ("queued", (), 1)


@pytest.mark.parametrize("style", ["plain", "on loop"])
def test_a_rest_ends_at_once_when_the_worker_goes(lite: App, tmp_path: Path, style: str) -> None:
    began = Event()

    def do() -> None:
        began.set()

    async def do_on_loop() -> None:
        began.set()

    lite.routine(name="keep", continuous=True, idle="1h")(do if style == "plain" else do_on_loop)
    with worker(lite, tmp_path) as only:
        assert began.wait(10)
        only.drain("1m")
        assert only.wait(10)


def test_runs_of_routines_are_given_back_after_their_own_grace(lite: App, tmp_path: Path) -> None:
    began: list[str] = []
    go_on = Event()

    @lite.routine(continuous=True, timeout="1h")
    async def endless() -> None:
        began.append("endless")
        await asyncio.Event().wait()

    @lite.task
    def job() -> str:
        began.append("job")
        assert go_on.wait(20)
        return "whole"

    with worker(lite, tmp_path, routine_grace="100ms", grace="1m") as only:
        handle = job.enqueue()
        until(lambda: sorted(began) == ["endless", "job"])
        only.drain()
        (run,) = lite.routines["endless"].status().running
        until(lambda: lite.job(run).state == "ready")
        assert handle.state == "running"
        go_on.set()
    assert handle.result(0) == "whole"


def test_what_is_disabled_ends_while_it_runs_and_comes_back_when_it_is_enabled(app: App, tmp_path: Path) -> None:
    passes: list[Any] = []

    @app.routine(continuous=True, idle="1h")
    def keep(ctx: Context) -> None:
        passes.append(ctx.job_id)

    with worker(app, tmp_path) as only:
        until(lambda: passes)
        app.routines["keep"].disable("enough", by="ann")
        until(lambda: app.job(passes[0]).state == "cancelled")
        assert app.routines["keep"].status().state == "disabled"
        assert only.status().abandoned == 0, "it was woken from its rest"
        app.routines["keep"].enable()
        until(lambda: len(passes) == 2)
    assert passes[0] != passes[1]


def test_the_timeout_is_for_each_pass(lite: App, tmp_path: Path) -> None:
    long: list[int] = []

    @lite.routine(continuous=True, idle="20ms", timeout="400ms", retry=Retry(2, backoff="fixed", first=0.01))
    async def keep(ctx: Context) -> None:
        long.append(ctx.epoch)
        await asyncio.sleep(30 if len(long) == 30 else 0.005)

    with worker(lite, tmp_path):
        until(lambda: 2 in long)
    assert long[:30] == [1] * 30
    (run,) = lite.routines["keep"].status().queued
    with lite.shared.use() as store:
        assert sorted(row.outcome for row in store.insights.attempts(run.bytes)) == ["release", "timeout"]


def test_a_rest_may_be_longer_than_a_pass(lite: App, tmp_path: Path) -> None:
    epochs: list[int] = []

    @lite.routine(continuous=True, idle="300ms", timeout="100ms")
    async def keep(ctx: Context) -> None:
        epochs.append(ctx.epoch)

    with worker(lite, tmp_path):
        until(lambda: len(epochs) == 3)
    assert epochs == [1, 1, 1]


def test_standby_counts_the_workers_that_could_take_over(app: App, tmp_path: Path) -> None:
    @app.routine(continuous=True, standby=1)
    def keep() -> None: ...

    def status() -> RoutineStatus | None:
        return next(iter(app.routines.list()), None)

    def standing_by(wanted: int) -> Callable[[], bool]:
        return lambda: bool((found := status()) and found.running and found.standing_by == wanted)

    with worker(app, tmp_path), worker(app, tmp_path, queues={"other": 1}):
        until(standing_by(0))
        with worker(app, tmp_path):
            until(standing_by(1))
        until(standing_by(0))


# ── declaring ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def does_nothing() -> None: ...


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every": "1s"}, "every: a continuous routine runs all the time"),
        ({"cron": "* * * * *", "jitter": "1s"}, "cron, jitter: a continuous routine"),
        ({"depends_on": ["other"]}, "depends_on: a continuous routine"),
        ({"overlap": "allow", "deadline": "1m"}, "overlap, deadline: a continuous"),
        ({"executor": "process", "cpu": "1m"}, "cpu: a continuous"),
        ({"standby": -1}, "standby=-1 is below 0"),
        ({"replicas": 0}, "replicas=0 is not 1 to 1,000"),
        ({"idle": "soon"}, "'soon' is not a duration"),
        ({"continuous": False, "idle": "1s", "every": "1s"}, "idle is for a routine with continuous=True"),
        ({"continuous": False, "replicas": 2, "standby": 1}, "replicas, standby is for a routine with continuous=True"),
    ],
)
def test_what_says_nothing_of_a_continuous_routine_is_refused(given: dict[str, Any], said: str) -> None:
    options: Any = {"continuous": True, **given}
    with pytest.raises(DefinitionError, match=said):
        App("sqlite://").routine(**options)(does_nothing)


def test_a_transaction_of_a_continuous_run_is_refused() -> None:
    app = App("sqlite://")

    @app.routine(continuous=True)
    def keep(ctx: Context) -> None:
        with ctx.transaction():
            raise AssertionError("it was let in")

    with relet_test(app) as t:
        keep.options(max_attempts=1).enqueue()
        t.run_until_idle()
        assert "ctx.transaction() is not available in a continuous routine" in t.result(keep).error


# ── as classes ────────────────────────────────────────────────────────────────────────────────────────────────────────
class CleanUp(Routine):
    every = "1s"
    queue = "house"
    priority = "high"
    seen: ClassVar[list[Fire | None]] = []

    def run(self, ctx: Context) -> int:
        self.seen.append(ctx.fire)
        return 3


class KeepUp(Routine):
    name = "always"
    continuous = True
    idle = 0
    made: ClassVar[list["KeepUp"]] = []

    def __init__(self) -> None:
        self.made.append(self)
        self.passes = 0

    async def run(self, ctx: Context) -> None:
        self.passes += 1
        await asyncio.sleep(0.001)


def test_a_class_is_a_routine_whose_runs_know_their_firing(app: App, tmp_path: Path) -> None:
    CleanUp.seen.clear()
    KeepUp.made.clear()
    clean_up = app.routine(CleanUp)
    app.routine(KeepUp)
    with worker(app, tmp_path):
        until(lambda: len(CleanUp.seen) > 2 and KeepUp.made and KeepUp.made[0].passes > 3)
    assert len(KeepUp.made) == 1, "all passes of a run have one instance"
    first, second = CleanUp.seen[:2]
    assert first is not None
    assert second is not None
    assert (first.cause, first.schedule, first.previous) == ("due", "clean-up", None)
    assert second.previous == first.at
    assert (second.at - first.at).total_seconds() == 1 + second.missed
    status = app.routines["clean-up"].status()
    assert (status.mode, status.rule, status.task) == ("scheduled", "every second", clean_up.name)
    assert app.routines["always"].status().mode == "continuous"
    job = next(job for job in app.jobs.list() if job.task == clean_up.name)
    assert (job.queue, job.priority) == ("house", 2)


def test_a_class_runs_by_hand_without_a_firing() -> None:
    app = App("sqlite://")
    clean_up = app.routine(name="tidy", every="5m")(CleanUp)
    assert app.schedules_of_code["tidy"].rule is not None
    CleanUp.seen.clear()
    assert clean_up.run_now().result == 3
    with relet_test(app) as t:
        clean_up.enqueue()
        t.run_until_idle()
        assert t.result(clean_up).value == 3
    assert CleanUp.seen == [None, None]


def test_the_harness_fires_a_class_at_its_due_times() -> None:
    app = App("sqlite://")
    clean_up = app.routine(CleanUp)
    CleanUp.seen.clear()
    with relet_test(app) as t:
        for _ in range(2):
            assert t.fire() == ["clean-up"]
            t.run_until_idle()
            t.advance("1s")
        assert t.result(clean_up).value == 3
    first, second = CleanUp.seen
    assert first is not None
    assert second is not None
    assert second.previous == first.at


def test_one_pass_of_a_continuous_class_runs_by_hand() -> None:
    app = App("sqlite://")
    keep_up = app.routine(KeepUp)
    with relet_test(app) as t:
        keep_up.enqueue()
        assert t.run_until_idle() == 1
        assert t.result(keep_up).ok
        for _ in range(2):
            assert t.fire() == ["always"]
            assert t.run_until_idle() == 1, "in a test, a run is one pass"
            t.advance("1s")


def test_circles_and_unknown_names_of_classes_are_refused_at_start(lite: App, tmp_path: Path) -> None:
    class One(Routine):
        depends_on = ("two",)

        def run(self, ctx: Context) -> None: ...

    class Two(Routine):
        depends_on = ("three",)

        def run(self, ctx: Context) -> None: ...

    @lite.routine(depends_on=["one"])
    def three() -> None: ...

    lite.routine(One)
    with pytest.raises(DefinitionError, match="names 'two', which is not declared"):
        worker(lite, tmp_path).start()
    lite.routine(Two)
    with pytest.raises(DefinitionError, match=r"none could ever run: .*one -> two -> .*three"):
        worker(lite, tmp_path).start()


class Misspelt(Routine):
    evry = "5m"

    def run(self, ctx: Context) -> None: ...


class Idle(Routine):
    every = "5m"


class Greedy(Routine):
    def run(self, ctx: Context, path: str) -> None: ...  # pyright: ignore[reportIncompatibleMethodOverride]  that is the point


class Made(Routine):
    def __init__(self, path: str) -> None:
        self.path = path

    def run(self, ctx: Context) -> None: ...


def test_a_class_may_name_every_option() -> None:
    assert set(RoutineOptions.__annotations__) <= set(Routine.__annotations__)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Misspelt, "'evry' is no option; did you mean 'every'"),
        (Idle, "Idle does not say what to do: override run"),
        (Greedy, "its run takes self and ctx, nothing more"),
        (Made, "Made is made without arguments"),
    ],
)
def test_a_class_that_cannot_run_is_refused(kind: type[Routine], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        App("sqlite://").routine(kind)


def test_an_option_that_does_not_exist_is_refused() -> None:
    options: Any = {"replica": 2}
    with pytest.raises(TypeError, match="did you mean 'replicas'"):
        App("sqlite://").routine(continuous=True, **options)
    assert issubclass(DefinitionError, UsageError)
