"""Jobs after jobs, chains, fans and batches, as an app says them."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from relet import App, Batch, Context, Job, State, chain
from relet.errors import NotFound, ResultTimeout, UsageError
from relet.testing import relet_test

app = App("sqlite:///:memory:?name=dependencies")
heard: list[object] = []


@app.task
def number(n: int) -> int:
    return n


@app.task
def plus(ctx: Context, n: int = 0) -> int:
    return n + sum(parent.result for parent in ctx.parents if parent.succeeded)


@app.task
async def aplus(ctx: Context) -> int:
    return sum(parent.result for parent in await ctx.aparents())


@app.task(retry=1)
def broken() -> None:
    raise ValueError("broken")


@app.task
def hear(ctx: Context, word: str) -> str:
    heard.append((word, [parent.outcome for parent in ctx.parents]))
    return word


@pytest.fixture(autouse=True)
def _silence():
    heard.clear()


def test_a_job_runs_after_others_and_sees_what_they_returned():
    with relet_test(app) as t:
        a, b = number.enqueue(2), number.enqueue(3)
        total = plus.options(after=[a, b]).enqueue(10)
        assert total.state is State.WAITING
        t.run_until_idle()

        assert total.result() == 15


def test_a_chain_hands_on_what_each_returns():
    with relet_test(app) as t:
        jobs = chain(number.call(1), plus.call(10), plus.call(100), aplus.call()).enqueue()
        t.run_until_idle()

        assert [job.result() for job in jobs] == [1, 11, 111, 111]


def test_fan_out_and_fan_in_in_one_call():
    with relet_test(app) as t:
        first = number.call(1)
        fan = [plus.call(n).after(first) for n in range(10)]
        *_, total = app.enqueue_many([first, *fan, plus.call().after(*fan)])
        t.run_until_idle()

        assert total.result() == sum(range(10)) + 10


def test_parents_come_in_the_order_in_which_they_were_named():
    with relet_test(app) as t:
        a, b = hear.enqueue("a"), number.enqueue(5)

        @app.task(name="ordered")
        def ordered(ctx: Context) -> list[str | None]:
            return [parent.task for parent in ctx.parents]

        job = ordered.options(after=[b, a]).enqueue()
        t.run_until_idle()

        assert job.result() == [number.name, hear.name]


def test_a_failure_skips_what_comes_after_it():
    with relet_test(app) as t:
        bad, skipped, later = chain(broken.call(), number.call(1), number.call(2)).enqueue()
        t.run_until_idle(skip_ahead=True)

        assert (bad.state, skipped.state, later.state) == (State.DEAD, State.CANCELLED, State.CANCELLED)
        assert str(bad.id) in (skipped.info().error or "")
        assert "skipped" in app.why(later.id)[0]


def test_run_and_hold():
    with relet_test(app) as t:
        bad = broken.enqueue()
        run = hear.options(after=bad, on_dep_failure="run").enqueue("run")
        held = hear.options(after=bad.id, on_dep_failure="hold").enqueue("held")
        t.run_until_idle()

        assert heard == [("run", ["dead"])]
        assert (run.state, held.state) == (State.SUCCEEDED, State.WAITING)
        assert "relet dead retry" in app.why(held.id)[0]

        app.dead.retry(bad.id)
        app.cancel(bad.id)
        assert held.state is State.CANCELLED


def test_why_names_what_it_waits_for():
    with relet_test(app):
        a, b = number.enqueue(1), number.options(delay="1h").enqueue(2)
        child = plus.options(after=[a, b]).enqueue()

        (sentence, *_) = app.why(child.id)

        assert "2 of 2" in sentence
        assert str(a.id) in sentence
        assert "scheduled" in sentence


def test_mistakes_are_refused():
    with relet_test(app) as t:
        other = number.call(1)
        with pytest.raises(UsageError, match="not enqueued with it"):
            app.enqueue_many([number.call(2).after(other)])
        with pytest.raises(UsageError, match="job"):
            number.options(after=["x"])  # type: ignore[list-item]
        with pytest.raises(UsageError, match="skip"):
            number.options(on_dep_failure="ignore")  # type: ignore[typeddict-item]
        with pytest.raises(UsageError, match="chain"):
            chain()
        a, b = number.call(1), number.call(2)
        with pytest.raises(UsageError, match="wait for each other"):
            app.enqueue_many([a.after(b), b.after(a)])
        job = number.enqueue(1)
        t.run_until_idle()
        app.jobs.delete(job.id)
        with pytest.raises(NotFound, match="come after"):
            number.options(after=job).enqueue(2)


def test_a_batch_counts_and_calls_back_once():
    with relet_test(app) as t:
        callbacks = {name: hear.call(name) for name in ("on_complete", "on_success", "on_failure")}
        with app.batch("numbers", **callbacks) as batch:
            batch.add_many(number.call(n) for n in range(5))
        info = batch.progress()
        assert (info.label, info.total, info.open, info.percent) == ("numbers", 5, 5, 0.0)
        t.run_until_idle()

        info = batch.wait("1s")
        assert (info.succeeded, info.open, info.failed, info.percent) == (5, 0, 0, 100.0)
        assert sorted(heard) == [("on_complete", ["succeeded"]), ("on_success", ["succeeded"])]
        assert [job.result() for job in batch.jobs] == [0, 1, 2, 3, 4]


def test_a_batch_with_a_failure():
    with relet_test(app) as t:
        callbacks = {name: hear.call(name) for name in ("on_complete", "on_success", "on_failure")}
        with app.batch("mixed", **callbacks) as batch:
            bad = batch.add(broken.call())
            batch.add(number.call(1))
            batch.add(number.call(2).after(bad))
        t.run_until_idle()

        info = batch.progress()
        assert (info.succeeded, info.dead, info.cancelled, info.open) == (1, 1, 1, 0)
        assert sorted(heard) == [("on_complete", ["failed"]), ("on_failure", ["failed"])]
        assert [job.state for job in batch.walk("dead")] == [State.DEAD]
        assert len(list(batch.walk())) == 3


def test_batches_are_found_again():
    with relet_test(app):
        first, second = app.batch("a").enqueue(), app.batch("b")
        second.add(number.call(1))
        second.enqueue()

        assert [info.label for info in app.batches.list()] == ["b", "a"]
        assert [info.label for info in app.batches.list(only_open=True)] == ["b"]
        assert app.batches[str(first.id)].label == "a"
        with pytest.raises(ResultTimeout, match="1 jobs are open"):
            second.wait(0.01)
        with pytest.raises(UsageError, match="another batch"):
            second.add(number.call(2))
        with pytest.raises(NotFound):
            app.batch().progress()


def test_a_block_that_raises_enqueues_nothing():
    with relet_test(app):
        with pytest.raises(UsageError), app.batch() as batch:
            batch.add(number.options(delay=-1).call(1))

        assert app.batches.list() == []


def test_async_twins():
    async def enqueue() -> tuple[Batch, list[Job[int]]]:
        async with app.batch(on_success=hear.call("done")) as batch:
            batch.add(number.call(1))
        return batch, await chain(number.call(1), plus.call(1)).aenqueue()

    async def look(batch: Batch, job: Job[int]) -> tuple[int, int, int]:
        return (await batch.aprogress()).open, (await batch.await_("1s")).succeeded, await job.aresult("1s")

    with relet_test(app) as t:
        batch, jobs = asyncio.run(enqueue())
        t.run_until_idle()

        assert asyncio.run(look(batch, jobs[-1])) == (0, 1, 2)


def test_chains_and_batches_in_a_transaction_of_the_callers_own(tmp_path: Path):
    mine = App(f"sqlite+stdlib:///{tmp_path}/jobs.db")

    @mine.task(name="one")
    def one() -> int:
        return 1

    mine.open()
    there = one.enqueue()
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("begin")
        jobs: list[Job[int]] = chain(one.call(), one.call()).enqueue(tx=connection)
        late = one.options(after=there, tx=connection).enqueue()
        batch = mine.batch("mine", on_complete=one.call())
        batch.add(one.call())
        batch.enqueue(tx=connection)
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("begin")
        lost = chain(one.call(), one.call()).enqueue(tx=connection)
        connection.rollback()

    with mine.worker():
        assert jobs[-1].result("10s") == 1
        assert late.result("10s") == 1
        assert batch.wait("10s").succeeded == 1
    with pytest.raises(NotFound):
        _ = lost[0].state


def test_children_can_be_seen_from_both_sides():
    with relet_test(app):
        parent, child = chain(number.call(1), number.call(2)).enqueue()

        assert [bond.id for bond in parent.children] == [child.id]
        (bond,) = child.parents
        assert (bond.id, bond.name, bond.state, bond.on_failure) == (parent.id, number.name, "ready", "skip")
