"""Limits by name and key as users write and steer them, with real workers and under test."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest

from relet import App, Context, Limit, RetryLater
from relet.clock import SECOND, ManualClock
from relet.errors import DefinitionError, NotFound, UsageError
from relet.job.moment import from_at
from relet.testing import relet_test
from tests.support.waiting import until


@pytest.fixture
def app(shared_url: str) -> Iterator[App]:
    with App(shared_url) as made:
        yield made


class Together:
    """How many are in the block at once, and the most there were."""

    def __init__(self) -> None:
        self.now, self.most, self.seen = 0, 0, 0
        self._lock = Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.seen += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


def test_jobs_of_all_tasks_share_a_limit_by_its_key(app: App, tmp_path: Path) -> None:
    stripe = Limit("stripe", concurrency=2, per="{customer_id}")
    inside = {1: Together(), 2: Together()}
    wait = Event()

    def work(customer_id: int) -> None:
        with inside[customer_id]:
            wait.wait(0.02)

    @app.task(limits=[stripe], queue="a")
    def charge(customer_id: int) -> None:
        work(customer_id)

    @app.task(limits=[stripe], queue="b")
    def refund(customer_id: int) -> None:
        work(customer_id)

    jobs = [task.enqueue(n % 2 + 1) for n in range(20) for task in (charge, refund)]
    assert app.why(jobs[-1].id)[0].startswith("It waits in line before limit stripe of key 2")
    with app.worker(poll="50ms", slots=16, lock_dir=str(tmp_path / "locks")):
        for job in jobs:
            job.result("20s")
    assert {key: (seen.most, seen.seen) for key, seen in inside.items()} == {1: (2, 20), 2: (2, 20)}
    (info,) = app.limits.list()
    assert (info.name, info.rule, info.keys, info.passed, info.waiting, info.origin) == (
        "stripe",
        "2 at once",
        2,
        0,
        0,
        "code",
    )


def test_a_limit_is_steered_while_workers_run(app: App, tmp_path: Path) -> None:
    @app.task(limits=[Limit("mail", concurrency=3)])
    def send() -> str:
        return "sent"

    mail = app.limits["mail"]
    for verb in (mail.pause, mail.resume, mail.forget, mail.status, mail.keys):
        with pytest.raises(NotFound, match="no limit 'mail'"):
            verb()
    assert not app.limits.list(), "asking for one does not make it"
    with app.worker(poll="50ms", lock_dir=str(tmp_path / "locks")):
        until(lambda: list(app.limits))
        mail.pause(by="ann")
        held = send.enqueue()
        until(lambda: mail.status().waiting == 1)
        assert "paused until somebody resumes it" in app.why(held.id)[0]
        assert mail.status().paused
        assert mail.resume()
        assert not mail.resume()
        assert held.result("10s") == "sent"

        mail.set(concurrency=None, rate="1000/min", by="ann")
        assert (mail.status().rule, mail.status().changed_by) == ("1000/min", "ann")
        assert send.enqueue().result("10s") == "sent"
        (key,) = mail.keys()
        assert key.used == (1,)
        assert mail.forget()
        assert mail.status().rule == ""


def test_a_running_job_pauses_its_key_for_all(app: App, tmp_path: Path) -> None:
    tries: list[str] = []

    @app.task(limits=[Limit("api", concurrency=1, per="{tenant}")])
    def ask(ctx: Context, tenant: str) -> str:
        tries.append(tenant)
        if tenant == "busy" and tries.count("busy") == 1:
            ctx.limits["api"].pause(until="3600")
            raise RetryLater(0.01)
        return ctx.limits["api"].key

    with app.worker(poll="50ms", lock_dir=str(tmp_path / "locks")):
        busy, other = ask.enqueue("busy"), ask.enqueue("calm")
        assert other.result("10s") == "calm"
        until(lambda: app.limits["api"].status().waiting == 1)
        assert "of key busy" in app.why(busy.id)[0]
        assert "it is paused until" in app.why(busy.id)[0]
        app.limits["api"].resume("busy")
        assert busy.result("10s") == "busy"


def test_routines_that_block_each_other_never_run_beside_each_other(app: App, tmp_path: Path) -> None:
    inside = Together()
    runs: list[str] = []

    def routine(name: str, **given: Any) -> None:
        @app.routine(name=name, every="1s", **given)
        def run() -> None:
            with inside:
                runs.append(name)
                Event().wait(0.3)

        run.__qualname__ = name

    @app.routine(name="fetch", every="1s")
    def fetch() -> None:
        with inside:
            runs.append("fetch")
            Event().wait(0.2)

    @app.routine(name="process", every="1s")
    def process() -> None:
        with inside:
            runs.append("process")
            Event().wait(0.2)

    @app.routine(name="clean", every="1s", blocks=["fetch", "process"])
    def clean() -> None:
        with inside:
            assert inside.now == 1
            runs.append("clean")
            Event().wait(0.2)
            assert inside.now == 1

    with app.worker(poll="50ms", slots=8, lock_dir=str(tmp_path / "locks")):
        until(lambda: runs.count("clean") >= 2 and runs.count("fetch") >= 2 and runs.count("process") >= 2)
    assert app.routines["clean"].status().consecutive_failures == 0
    assert app.routines["clean"].status().blocks == ("fetch", "process")


def test_so_many_routines_at_once_and_the_urgent_ones_first(app: App, tmp_path: Path) -> None:
    inside = Together()
    order: list[str] = []
    go = Event()

    def body(name: str) -> None:
        with inside:
            order.append(name)
            go.wait(10)

    @app.routine()
    def first() -> None:
        body("first")

    @app.routine(priority="low")
    def low() -> None:
        body("low")

    @app.routine(priority="high")
    def high() -> None:
        body("high")

    with app.worker(poll="50ms", slots=8, max_concurrent_routines=1, lock_dir=str(tmp_path / "locks")):
        until(app.routines.list)
        app.routines["first"].trigger()
        until(lambda: order == ["first"])
        held = app.routines["low"].trigger()
        app.routines["high"].trigger()
        until(lambda: [info.waiting for info in app.limits.list()] == [2])
        assert app.why(held)[0].startswith("It waits until fewer runs of routines are under way (1 before it)")
        go.set()
        until(lambda: len(order) == 3)
    assert order == ["first", "high", "low"]
    assert inside.most == 1


def test_under_test_limits_hold_as_they_do_in_earnest() -> None:
    app = App("sqlite:///:memory:")
    done: list[int] = []

    @app.task(limits=[Limit("slow", rate="2/min")])
    def step(n: int) -> None:
        done.append(n)

    with relet_test(app) as t:
        began = t.clock.now()
        for n in range(4):
            step.enqueue(n)
        t.run_until_idle()
        assert done == [0, 1]
        t.run_until_idle(skip_ahead=True)
        assert done == [0, 1, 2, 3]
        assert t.clock.now() - began >= 60_000_000


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Limit("a:b"), "holds a colon"),
        (lambda: Limit(""), "it is empty"),
        (lambda: Limit("stripe"), "limits nothing: give it concurrency=, rate=, or both"),
        (lambda: Limit("a", rate="often"), "is not a rate"),
        (lambda: Limit("a", concurrency=0), "is not a number of jobs"),
        (lambda: Limit("a", rate="1/s", units=0), "units=0 is not a whole number"),
        (lambda: Limit("a", rate="1/s", units=True), "is not a whole number"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_where_it_is_written(make: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make()


def test_a_task_whose_limits_cannot_be_is_refused_where_it_is_declared() -> None:
    app = App("sqlite:///:memory:")
    limit = Limit("stripe", concurrency=1)

    @app.task(limits=[limit])
    def good(n: int) -> None: ...

    for wrong, says in (
        ([Limit("x", rate="1/s", per="{nobody}")], "is no parameter"),
        ([Limit("x", rate="1/s", units="{nobody}")], "is no parameter"),
        ([limit, limit], "name one twice"),
        (["stripe"], "expected Limit"),
        ([Limit("stripe", concurrency=2)], "One limit has one rule"),
    ):
        with pytest.raises(DefinitionError, match=says):

            @app.task(limits=wrong)  # type: ignore[arg-type]  # one of them is wrong
            def bad(n: int) -> None: ...

    @app.task(limits=[Limit("weighty", rate="1/s", units="{n}")])
    def weighty(n: str) -> None: ...

    with pytest.raises(UsageError, match="units='much' is not a whole number"):
        weighty.new_job(bytes(16), ("much",), {})
    assert app.limits_of_code.keys() == {"stripe", "weighty"}


def test_a_name_that_no_limit_can_have_is_not_set(app: App) -> None:
    for name in ("queue:mail", "block:a|b", "two\nlines", ""):
        with pytest.raises(UsageError):
            app.limits[name].set(concurrency=1)
    assert app.queues["mail"].status().concurrency is None
    app.limits["mail"].set(concurrency=1)
    assert [limit.name for limit in app.limits] == ["mail"]


def test_a_key_whose_pause_is_over_is_not_paused(tmp_path: Path) -> None:
    clock = ManualClock(1_700_000_000_000_000)
    with App(f"sqlite:///{tmp_path}/jobs.db", clock=clock) as app:
        mail = app.limits["mail"]
        mail.set(concurrency=1)
        mail.pause("7", until="10s")
        (paused,) = mail.keys()
        assert paused.paused
        assert paused.paused_until == from_at(clock.now() + 10 * SECOND)
        clock.advance(11 * SECOND)
        (over,) = mail.keys()
        assert (over.paused, over.paused_until) == (False, None)


def test_a_context_without_the_limit_says_which_there_are() -> None:
    app = App("sqlite:///:memory:")

    @app.task(limits=[Limit("a", concurrency=1)])
    def run(ctx: Context) -> list[str]:
        with pytest.raises(UsageError, match="does not stand before a limit 'b'"):
            ctx.limits["b"].pause(until=1)
        return [limit.name for limit in ctx.limits]

    with relet_test(app) as t:
        run.enqueue()
        t.run_until_idle()
        assert t.result(run).value == ["a"]
