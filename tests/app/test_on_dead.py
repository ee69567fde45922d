"""`app.on_dead`: a function of the app hears of the jobs that died."""

from __future__ import annotations

import logging
from queue import SimpleQueue
from threading import get_ident

import pytest

from relet import App, Reject
from relet.errors import DefinitionError
from relet.records import DeadJob
from relet.task import Task
from relet.testing import relet_test


@pytest.fixture
def charge(app: App) -> Task[[int], str]:
    @app.task(name="charge")
    async def charge(order_id: int) -> str:
        if order_id < 0:
            raise Reject(f"there is no order {order_id}")
        return "charged"

    return charge


def test_a_hook_gets_the_dead_letter_and_its_own_thread(app: App, charge: Task[[int], str]) -> None:
    heard: SimpleQueue[tuple[DeadJob, int, object]] = SimpleQueue()

    @app.on_dead(charge)
    def alert(dead: DeadJob) -> None:
        heard.put((dead, get_ident(), app.job(dead.id).state))

    @app.on_dead("another")
    def silent(dead: DeadJob) -> None:
        raise AssertionError(f"it is for another task, not {dead.task}")

    with app.worker(poll="50ms"):
        ids = {charge.enqueue(-n).id for n in (1, 2, 3)}
        charge.enqueue(4)
        letters = [heard.get(timeout=30) for _ in ids]
    assert {dead.id for dead, _, _ in letters} == ids
    assert {(dead.reason, dead.task) for dead, _, _ in letters} == {("rejected", "charge")}
    assert {state for _, _, state in letters} == {"dead"}, "it is called once that is true"
    assert get_ident() not in {thread for _, thread, _ in letters}
    assert heard.empty()


def test_a_hook_that_fails_is_logged_and_costs_nobody_anything(
    app: App, charge: Task[[int], str], caplog: pytest.LogCaptureFixture
) -> None:
    heard: SimpleQueue[DeadJob] = SimpleQueue()

    @app.on_dead()
    def broken(dead: DeadJob) -> None:
        raise RuntimeError("no route to the pager")

    app.on_dead(charge)(heard.put)
    with caplog.at_level(logging.ERROR, "relet.on_dead"), app.worker(poll="50ms") as worker:
        dead = charge.enqueue(-1)
        assert heard.get(timeout=30).id == dead.id, "the others are called all the same"
        assert charge.enqueue(1).result("30s") == "charged"
        assert worker.healthy
    assert "no route to the pager" in caplog.text
    assert [one.id for one in app.dead.list()] == [dead.id]


def test_the_harness_calls_hooks_too(app: App, charge: Task[[int], str]) -> None:
    heard: list[object] = []
    app.on_dead(charge)(lambda dead: heard.append(dead.args["order_id"]))
    with relet_test(app) as t:
        charge.enqueue(-7)
        charge.enqueue(7)
        t.run_until_idle()
    assert heard == [-7]


def test_a_coroutine_is_no_hook(app: App) -> None:
    async def alert(_dead: DeadJob) -> None: ...

    with pytest.raises(DefinitionError, match="not a plain function"):
        app.on_dead()(alert)
