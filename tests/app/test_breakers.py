"""Circuit breakers around calls, in any process: what passes, what is told, and what holds when the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Semaphore, Thread
from typing import Any

import pytest

from relet import App, Breaker, BreakerOpen, RetryLater, Snooze
from relet.clock import SECOND, ManualClock
from relet.errors import DefinitionError, NotFound, StoreUnavailable, UsageError
from relet.job.breaker import State
from relet.job.limits import rule_of
from relet.testing import relet_test

RULE = Breaker(failures=2, cool="10s", ignore=(KeyError,))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000_000_000)


@pytest.fixture
def app(tmp_path: Path, clock: ManualClock) -> Iterator[App]:
    made = App(f"sqlite:///{tmp_path}/jobs.db", clock=clock)
    yield made
    made.breakers.flush()
    made.close()


def fail(app: App, error: BaseException | None = None) -> None:
    with suppress(OSError, KeyError, Snooze), app.breaker("stripe", RULE):
        raise error or OSError("down")


def test_it_opens_after_its_failures_and_raises_before_the_block_begins(app: App):
    fail(app)
    with app.breaker("stripe"):
        pass
    fail(app)
    fail(app)
    began = False
    with pytest.raises(BreakerOpen) as turned_away, app.breaker("stripe"):
        began = True

    assert not began
    status = app.breakers["stripe"].status()
    assert (status.state, status.trips, status.last_error) == (State.OPEN, 1, "OSError: down")
    assert status.probe_at is not None
    assert turned_away.value.until >= status.probe_at
    assert turned_away.value.breaker == "stripe"
    assert "2 failures in a row: OSError: down" in str(turned_away.value)


@pytest.mark.parametrize("error", [KeyError("no"), Snooze(1), KeyboardInterrupt()])
def test_what_is_no_failure_of_the_service_does_not_count(app: App, error: BaseException):
    for _ in range(3):
        with suppress(KeyboardInterrupt):
            fail(app, error)
    with app.breaker("stripe"):
        pass


def test_a_task_that_asks_to_be_retried_says_that_the_call_failed(app: App):
    for _ in range(2):
        with suppress(RetryLater), app.breaker("stripe", RULE):
            raise RetryLater(1)
    assert app.breakers["stripe"].status().state is State.OPEN


def test_all_processes_share_it(app: App, clock: ManualClock):
    fail(app)
    app.breakers["stripe"].status()
    other = App(app.url, clock=clock)
    fail(other)
    assert other.breakers["stripe"].status().state is State.OPEN
    clock.advance(SECOND)
    with pytest.raises(BreakerOpen), app.breaker("stripe"):
        pass
    other.close()


def trip(app: App) -> None:
    """Open, and the store knows."""
    fail(app)
    fail(app)
    assert app.breakers["stripe"].status().state is State.OPEN


def test_one_probe_passes_at_its_time_and_closes_it(app: App, clock: ManualClock):
    trip(app)
    clock.advance(10 * SECOND)
    with app.breaker("stripe"):
        assert app.breakers["stripe"].status().probes_out == 1
        with pytest.raises(BreakerOpen), app.breaker("stripe"):
            pass
    assert app.breakers["stripe"].status().state is State.CLOSED
    with app.breaker("stripe"):
        pass


def test_a_probe_that_fails_opens_it_again_and_one_that_says_nothing_makes_room(app: App, clock: ManualClock):
    trip(app)
    clock.advance(10 * SECOND)
    fail(app, Snooze(1))
    assert app.breakers["stripe"].status().probes_out == 0
    fail(app)
    status = app.breakers["stripe"].status()
    assert (status.state, status.trips, status.because) == (State.OPEN, 2, "a probe failed")


def test_async_code_goes_the_same_way(app: App, clock: ManualClock):
    async def call(error: Exception | None = None) -> None:
        async with app.breaker("stripe", RULE):
            if error is not None:
                raise error

    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            asyncio.run(call(OSError("down")))
    assert app.breakers["stripe"].status().state is State.OPEN
    with pytest.raises(BreakerOpen):
        asyncio.run(call())
    clock.advance(10 * SECOND)
    asyncio.run(call())
    assert app.breakers["stripe"].status().state is State.CLOSED


def test_a_caller_who_holds_the_writer_of_the_store_is_not_held_up(app: App):
    app.open()
    with closing(app.open_store()) as held, held._link.write():  # type: ignore[attr-defined]  # a transaction of the caller's own
        fail(app)
        fail(app)
        with pytest.raises(BreakerOpen), app.breaker("stripe"):
            pass
    assert app.breakers["stripe"].status().state is State.OPEN


def test_when_the_store_is_away_what_is_known_holds_and_goes_on_counting(
    app: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    fail(app)
    app.breakers["stripe"].status()

    def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("away")

    calls = app.breakers["stripe"]._calls
    with monkeypatch.context() as patch:
        patch.setattr(app, "shared", _Away())
        patch.setattr(calls._beside, "_open_store", away)
        clock.advance(2 * SECOND)
        fail(app)
        clock.advance(20 * SECOND)
        with pytest.raises(BreakerOpen), app.breaker("stripe"):
            pass
    calls.look()
    assert app.breakers["stripe"].status().trips == 1


class _Away:
    def use(self) -> Any:
        raise StoreUnavailable("away")


def test_a_person_opens_and_closes_it_and_callers_in_this_process_obey_at_once(app: App):
    breaker = app.breaker("stripe", RULE)
    breaker.open("maintenance", until="5m", by="ann")
    with pytest.raises(BreakerOpen, match="maintenance"), breaker:
        pass
    assert breaker.status().changed_by == "ann"
    breaker.close(by="bob")
    with breaker:
        pass
    breaker.reset()
    assert [each.name for each in app.breakers.list()] == ["stripe"]
    assert [each.name for each in app.breakers] == ["stripe"]


def test_one_that_nobody_knows_is_not_found(app: App):
    for act in (lambda one: one.status(), lambda one: one.open(), lambda one: one.close(), lambda one: one.reset()):
        with pytest.raises(NotFound):
            act(app.breakers["who"])


def test_many_threads_at_a_half_open_breaker_send_one_probe(app: App, clock: ManualClock):
    trip(app)
    clock.advance(10 * SECOND)
    passed, turned_away = list[bool](), Semaphore(0)

    def call() -> None:
        try:
            with app.breaker("stripe"):
                passed.append(True)
                assert all(turned_away.acquire(timeout=10) for _ in range(5))
        except BreakerOpen:
            turned_away.release()

    threads = [Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed == [True]


def test_names_and_rules_that_cannot_be_are_refused(app: App):
    for name in ("task:x", "queue:x", "", "a\nb"):
        with pytest.raises(UsageError):
            app.breaker(name)
    with pytest.raises(UsageError, match="guards jobs"), app.breakers["queue:default"]:
        pass
    with pytest.raises(DefinitionError):

        @app.task(breaker=5)  # type: ignore[arg-type]
        def wrong() -> None: ...


def test_a_queue_is_guarded_and_not_limited_by_saying_so(app: App):
    app.queue("lead", breaker=RULE)
    assert app.breakers_of_code == {"queue:lead": RULE}
    assert app.queue_limits_of_code == {}


def test_what_a_queue_is_held_to_may_be_said_in_parts(app: App):
    app.queue("lead", concurrency=5, shares={"gold": 3})
    app.queue("lead", breaker=RULE)
    app.queue("lead", shares={"gold": 4})
    app.queue("lead")
    app.queue("lead", rate="10/s")
    assert app.queue_limits_of_code == {"lead": rule_of(rate="10/s")}, "limits are said together"
    assert app.weights_of_code == {"lead": {"gold": 4}}
    app.queue("lead", breaker=RULE)
    assert app.queue_limits_of_code["lead"].active
    assert app.weights_of_code["lead"]


def test_under_test_a_job_that_is_turned_away_is_put_off(app: App):
    down = [True]

    @app.task(name="call", retry=1)  # type: ignore[arg-type]  # a number of attempts
    def call() -> str:
        with app.breaker("stripe", RULE):
            if down[0]:
                raise OSError("down")
        return "done"

    with relet_test(app) as t:
        jobs = [call.enqueue() for _ in range(4)]
        t.run_until_idle()
        assert sorted(job.state for job in jobs) == ["dead", "dead", "scheduled", "scheduled"]
        down[0] = False
        t.advance("20s")
        t.run_until_idle()
        t.advance("20s")
        t.run_until_idle()
        assert sorted(job.state for job in jobs) == ["dead", "dead", "succeeded", "succeeded"]
        app.breakers.flush()
