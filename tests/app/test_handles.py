"""The handle of a job: results, ends, progress, history, events."""

import asyncio
import threading
from uuid import UUID, uuid4

import pytest

from relet import App, Context, Reject, State
from relet.errors import JobCancelled, JobFailed, NotFound, ResultTimeout, UsageError
from tests.app.work import work_off


def test_a_dead_job_raises_its_error_with_its_stack(app: App) -> None:
    @app.task(name="fails", retry=1)
    def fails() -> None:
        raise ValueError("no such card")

    job = fails.enqueue()
    work_off(app)
    with pytest.raises(JobFailed, match=r"dead after 1 failed attempts: ValueError: no such card") as caught:
        job.result()
    assert (caught.value.error, caught.value.attempts, caught.value.job_id) == ("ValueError: no such card", 1, job.id)
    assert "in fails" in caught.value.stack
    with pytest.raises(JobFailed):
        asyncio.run(job.aresult())


def test_a_cancelled_job_raises_its_reason(app: App) -> None:
    @app.task(name="noop")
    def noop() -> None: ...

    job = noop.enqueue()
    assert job.cancel("not needed")
    assert not job.cancel("again")
    assert job.state is State.CANCELLED
    with pytest.raises(JobCancelled, match="was cancelled: not needed") as caught:
        job.result()
    assert caught.value.reason == "not needed"


def test_a_job_that_does_not_end_in_time_goes_on(app: App) -> None:
    @app.task(name="noop")
    def noop() -> str:
        return "done"

    job = noop.enqueue()
    for wait in (lambda: job.result(0.05), lambda: asyncio.run(job.aresult("50ms"))):
        with pytest.raises(ResultTimeout, match=r"has not ended within 50ms: it is ready\. It goes on"):
            wait()
    with pytest.raises(TimeoutError):
        job.result(0)
    work_off(app)
    assert job.result() == "done"


def test_a_waiter_wakes_when_the_job_ends(app: App) -> None:
    @app.task(name="noop")
    def noop() -> int:
        return 7

    job = noop.enqueue()
    worker = threading.Timer(0.05, work_off, [app])
    worker.start()
    assert job.result("10s") == 7
    worker.join()


def test_many_async_waiters_need_no_thread_each(app: App) -> None:
    @app.task(name="noop")
    def noop(n: int) -> int:
        return n

    async def main() -> list[int]:
        jobs = await app.aenqueue_many(noop.call(n) for n in range(30))
        waiters = [asyncio.create_task(job.aresult("10s")) for job in jobs]
        await asyncio.to_thread(work_off, app)
        return await asyncio.gather(*waiters)

    assert asyncio.run(main()) == list(range(30))


def test_a_job_can_be_found_again_by_its_id(app: App) -> None:
    @app.task(name="pair")
    def pair(n: int) -> tuple[int, UUID]:
        return n, UUID(int=n)

    job = pair.enqueue(1)
    work_off(app)
    assert app.job(job.id, pair).result() == (1, UUID(int=1))
    assert app.job(str(job.id)).result() == [1, str(UUID(int=1))]
    assert app.job(job.id) == job
    with pytest.raises(UsageError, match="is not a job id"):
        app.job("nonsense")


def test_a_job_that_is_not_there_is_not_found(app: App) -> None:
    job = app.job(uuid4())
    for verb in (lambda: job.state, job.info, job.result, job.cancel, lambda: app.why(job.id)):
        with pytest.raises(NotFound, match=str(job.id)):
            verb()


def test_a_handle_shows_progress_log_lines_usage_and_attempts(app: App) -> None:
    @app.task(name="works", retry=2)
    def works(ctx: Context) -> None:
        ctx.log("started", attempt=ctx.attempt)
        ctx.progress(40, "halfway")
        ctx.usage(pages=3)
        if ctx.attempt == 1:
            raise ValueError("first time")
        raise Reject("never")

    job = works.options(delay=0).enqueue()
    work_off(app)
    assert job.progress is None
    assert [(line.claim, line.message, line.fields) for line in job.logs] == [(1, "started", {"attempt": 1})]
    assert [(entry.kind, str(entry.amount)) for entry in job.usage] == [("pages", "3")]
    attempt = job.attempts[0]
    assert (attempt.claim, attempt.outcome, attempt.error) == (1, "failure", "ValueError: first time")
    assert attempt.took.total_seconds() >= 0


def test_why_says_why_in_sentences(app: App) -> None:
    @app.task(name="noop", queue="q")
    def noop() -> None: ...

    job = noop.enqueue()
    app.queues["q"].pause("deploy", by="ann")
    assert any("paused" in line and "ann" in line for line in app.why(job.id))


def collect(job: object, after: str = "") -> list:
    async def main() -> list:
        return [event async for event in job.events(after)]  # type: ignore[attr-defined]

    return asyncio.run(asyncio.wait_for(main(), 10))


def test_events_tell_log_lines_and_the_end_and_can_be_resumed(app: App) -> None:
    @app.task(name="talks")
    def talks(ctx: Context) -> None:
        for n in range(3):
            ctx.log(f"line {n}", level="debug")

    job = talks.enqueue()
    work_off(app)
    events = collect(job)
    assert [(event.kind, event.message or event.state) for event in events] == [
        ("log", "line 0"), ("log", "line 1"), ("log", "line 2"), ("state", "succeeded"),
    ]  # fmt: skip
    assert [event.message for event in collect(job, events[0].cursor)] == ["line 1", "line 2", ""]
    assert collect(job, events[-1].cursor) == []
    with pytest.raises(UsageError, match="no cursor"):
        collect(job, "nonsense")


def test_events_follow_a_job_while_it_waits_and_ends(app: App) -> None:
    @app.task(name="noop")
    def noop() -> None: ...

    async def main() -> list[str]:
        job = await noop.aenqueue()
        states: list[str] = []
        async for event in job.events():
            states.append(event.state)
            if event.state is State.READY:
                await job.acancel("seen")
        return states

    assert asyncio.run(asyncio.wait_for(main(), 10)) == ["ready", "cancelled"]
