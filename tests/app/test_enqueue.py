"""Enqueueing through the app, on every engine."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from relet import App, Context, State
from relet.errors import PayloadError, Refused, ReletWarning, UniqueConflict, UsageError
from tests.app.work import work_off


def declare(app: App) -> tuple:
    @app.task(name="add")
    def add(a: int, b: int = 1) -> int:
        return a + b

    @app.task(name="charge", queue="billing", priority="high", unique="order:{order_id}")
    async def charge(ctx: Context, order_id: int) -> str:
        return f"charged {order_id}"

    return add, charge


def test_a_job_has_its_tasks_queue_priority_and_arguments(app: App) -> None:
    _, charge = declare(app)
    info = charge.enqueue(7).info()
    assert (info.task, info.queue, info.priority, info.args) == ("charge", "billing", 2, {"order_id": 7})
    assert info.state is State.READY


def test_the_result_comes_back_through_the_store(app: App) -> None:
    add, charge = declare(app)
    jobs = add.enqueue(2, 3), charge.enqueue(7)
    assert work_off(app) == 2
    assert [job.result("5s") for job in jobs] == [5, "charged 7"]


def test_async_callers_enqueue_wait_and_cancel(app: App) -> None:
    add, charge = declare(app)

    async def main() -> tuple[int, bool, bool]:
        job, other = await add.aenqueue(2, 3), await charge.aenqueue(8)
        cancelled = await other.acancel("not wanted"), await app.acancel(other.id)
        await asyncio.to_thread(work_off, app)
        return (await job.aresult("5s"), *cancelled)

    assert asyncio.run(main()) == (5, True, False)


def test_a_delayed_job_waits_for_its_time(app: App) -> None:
    add, _ = declare(app)
    later = datetime.now(UTC) + timedelta(days=1)
    at, delayed = add.options(at=later).enqueue(1).info(), add.options(delay="1h").enqueue(1).info()
    assert (at.state, delayed.state) == (State.SCHEDULED, State.SCHEDULED)
    assert at.run_at == later
    assert work_off(app) == 0


def test_options_of_a_call_go_before_those_of_its_task(app: App) -> None:
    _, charge = declare(app)
    info = charge.options(queue="other", priority=-3, tags={"tenant": "x"}).enqueue(7).info()
    assert (info.queue, info.priority, info.tags) == ("other", -3, {"tenant": "x"})
    assert charge.enqueue(8).info().queue == "billing"


def test_a_taken_key_gives_the_job_that_holds_it(app: App) -> None:
    _, charge = declare(app)
    first, second = charge.enqueue(7), charge.enqueue(7)
    assert second == first
    assert (first.created, second.created) == (True, False)
    assert charge.options(unique=False).enqueue(7) != first


def test_a_taken_key_is_refused_naming_the_holder(app: App) -> None:
    _, charge = declare(app)
    first = charge.enqueue(7)
    with pytest.raises(UniqueConflict) as caught:
        charge.options(on_conflict="raise").enqueue(7)
    assert (caught.value.holder, caught.value.key) == (first.id, "order:7")


def test_replace_ends_the_holder_as_cancelled(app: App) -> None:
    _, charge = declare(app)
    first = charge.enqueue(7)
    second = charge.options(on_conflict="replace").enqueue(7)
    assert second.created
    assert (first.state, second.state) == (State.CANCELLED, State.READY)


def test_debounce_moves_the_start_of_the_holder(app: App) -> None:
    _, charge = declare(app)
    debounced = charge.options(debounce="1h")
    first = debounced.enqueue(7)
    due = first.info().run_at
    second = debounced.enqueue(7)
    assert (second, second.created, second.state) == (first, False, State.SCHEDULED)
    assert due is not None
    assert (second.info().run_at or due) > due


def test_many_calls_are_written_in_order(app: App) -> None:
    add, _ = declare(app)
    jobs = app.enqueue_many(add.call(n) for n in range(50))
    assert [job.info().args["a"] for job in jobs] == list(range(50))
    assert app.enqueue_many([]) == []
    assert asyncio.run(app.aenqueue_many([])) == []


def test_one_bad_call_among_many_is_named_and_nothing_is_written(app: App) -> None:
    add, _ = declare(app)
    calls = [add.call(n) for n in range(20)]
    calls[17] = add.call("x")
    with pytest.raises(PayloadError, match=r"^call 17: .*'add', at a: expected int, got str"):
        app.enqueue_many(calls)
    with pytest.raises(UsageError, match=r"^call 3: expected a call of a task, got a Task"):
        app.enqueue_many([*calls[:3], add])
    assert app.jobs.list() == []


def test_calls_of_another_app_are_refused(app: App) -> None:
    add, _ = declare(app)
    other, _ = declare(App("sqlite:///:memory:"))
    with pytest.raises(UsageError, match=r"^call 1: add is a task of another app"):
        app.enqueue_many([add.call(1), other.call(2)])


def test_a_taken_key_among_many_is_named_and_nothing_is_written(app: App) -> None:
    add, charge = declare(app)
    holder = charge.enqueue(7)
    strict = charge.options(on_conflict="raise")
    with pytest.raises(UniqueConflict, match=r"^call 2: ") as caught:
        app.enqueue_many([add.call(1), strict.call(8), strict.call(7)])
    assert caught.value.holder == holder.id
    assert [job.id for job in app.jobs.list()] == [holder.id]


def test_many_calls_from_async_code(app: App) -> None:
    add, _ = declare(app)
    assert len(asyncio.run(app.aenqueue_many(add.call(n) for n in range(5)))) == 5


def test_callers_that_come_together_get_their_own_answers(app: App) -> None:
    add, charge = declare(app)
    strict = charge.options(on_conflict="raise")

    async def main() -> list:
        calls = [add.aenqueue(n) for n in range(40)] + [strict.aenqueue(1) for _ in range(3)]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(main())
    assert [job.info().args["a"] for job in answers[:40]] == list(range(40))
    assert sorted(type(answer).__name__ for answer in answers[40:]) == ["Job", "UniqueConflict", "UniqueConflict"]


def test_a_closed_queue_refuses(app: App) -> None:
    _, charge = declare(app)
    app.queues["billing"].close("moving", by="ann")
    with pytest.raises(Refused, match=r"'billing' was closed by ann \(moving\)"):
        charge.enqueue(7)


def test_by_name_a_declared_task_is_checked_by_its_hints(app: App) -> None:
    declare(app)
    assert app.enqueue_by_name("charge", {"order_id": 7}).info().queue == "billing"
    with pytest.raises(PayloadError, match="no parameter order"):
        app.enqueue_by_name("charge", {"order": 7})
    with pytest.raises(PayloadError):
        app.enqueue_by_name("charge", {"order_id": "seven"})


def test_by_name_an_unknown_task_carries_plain_json(app: App) -> None:
    job = app.enqueue_by_name("elsewhere.send", {"to": "x"}, queue="mail", unique="mail:{to}")
    assert not app.enqueue_by_name("elsewhere.send", {"to": "x"}, unique="mail:{to}").created
    assert job.info().args == {"to": "x"}
    with pytest.raises(PayloadError):
        app.enqueue_by_name("elsewhere.send", {"to": object()})
    with pytest.raises(TypeError, match="did you mean 'queue'"):
        app.enqueue_by_name("elsewhere.send", {}, queu="mail")  # type: ignore[call-arg]


def test_a_blocking_call_on_a_running_loop_is_warned_about_once(app: App) -> None:
    add, _ = declare(app)

    async def main() -> None:
        add.enqueue(1)
        add.enqueue(2)
        app.enqueue_many([add.call(3)])

    with pytest.warns(ReletWarning, match=r"await add\.aenqueue") as seen:
        asyncio.run(main())
    assert [warning.filename for warning in seen] == [__file__]
