"""What users write, typed: a type checker must find nothing here, and must see what `assert_type` says."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type
from uuid import UUID

from relet import App, Call, Context, Job, Reject, Retry, Snooze, State, Task, current
from relet.records import DeadJob, JobInfo
from relet.testing import Harness, Result, relet_test

app = App("sqlite:///jobs.db")


@dataclass
class Lead:
    id: int


@dataclass
class Site:
    url: str


@app.task
def add(a: int, b: int) -> int:
    return a + b


@app.task(
    queue="billing",
    priority="high",
    retry=Retry(5, on=(OSError,), give_up_on=(FileNotFoundError,)),
    timeout="2m",
    unique="charge:{customer_id}",
    requires={"region": "eu", "gpu": True},
)
async def charge(ctx: Context, customer_id: int, cents: int = 100) -> str:
    ctx.progress(50, "half")
    ctx.lease.check()
    ctx.cost("0.0125", kind="llm", input_tokens=2000, output_tokens=500)
    if ctx.cancelled:
        raise Snooze("5m")
    return ctx.idempotency_key


@app.task
async def fetch_lead(lead_id: int) -> Lead:
    return Lead(lead_id)


@app.task(executor="process", memory="1G", cpu="10s", retry=2, name="sites.build")
def build(lead: Lead, *, theme: str = "plain") -> Site:
    current().log("building", lead=lead.id)
    return Site(theme)


@app.task
def email(ctx: Context, site: Site, to: str = "") -> None:
    if not to:
        raise Reject("nobody to write to")


job = add.enqueue(1, 2)
assert_type(job, Job[int])
assert_type(job.result(), int)
assert_type(job.result("10s"), int)
assert_type(job.state, State)
assert_type(job.id, UUID)
assert_type(job.info(), JobInfo)
assert_type(add(1, 2), int)
assert_type(add.call(1, 2), Call[int])

assert_type(charge.enqueue(1, cents=5), Job[str])
assert_type(charge.options(delay="5m", priority=3).enqueue(1, cents=5).result(timeout=timedelta(seconds=5)), str)
assert_type(charge.options(at=datetime(2030, 1, 1, tzinfo=UTC)).options(tags={"t": "x"}).call(1), Call[str])
charge.options(
    queue="other", unique=False, expires="1h", deadline=90, timeout=1.5, max_attempts=2, requires={"gpu": "a"}
)
charge.options(debounce="10s").enqueue(1)
charge.options(on_conflict="replace", tx=object()).enqueue(1)
email.enqueue(Site("x"), to="y").cancel("not needed", grace="20s")
email.enqueue(Site("x"), to="y").cancel()
with app.worker(slots=2) as worker:
    worker.drain("5m")
    worker.drain(timedelta(seconds=5))
    assert_type(worker.wait(2.5), bool)
    worker.wait()
build.options(delay=timedelta(minutes=1)).enqueue(Lead(1), theme="dark")

assert_type(app.enqueue_many(add.call(n, n) for n in range(10)), list[Job[int]])
app.enqueue_many([charge.call(1), charge.options(priority="low").call(2)], tx=None)
assert_type(app.enqueue_by_name("billing.charge", {"order_id": 7}, queue="billing"), Job[Any])
assert_type(app.job(job.id, add), Job[int])
assert_type(app.job(job.id), Job[Any])
assert_type(app.why(job.id), list[str])
assert_type(app.dead.list(task=charge, reason="poison", since="1d"), list[DeadJob])
app.dead.retry(job.id, patch={"customer_id": 4})
app.jobs.cancel("over", task=charge, state=State.READY)
app.queues["billing"].pause("deploy", until="5m")


async def main() -> None:
    assert_type(await add.aenqueue(1, 2), Job[int])
    assert_type(await (await charge.aenqueue(1)).aresult("10s"), str)
    coroutine: Coroutine[Any, Any, str] = charge(1, cents=2)
    assert_type(await coroutine, str)
    assert_type(await app.aenqueue_many([fetch_lead.call(1)]), list[Job[Lead]])
    async for event in job.events():
        assert_type(event.message, str)


def with_any_task(task: Task[..., Any]) -> str:
    return task.name


def with_this_shape(task: Task[[int, int], int]) -> Job[int]:
    return task.enqueue(1, 2)


with_any_task(add)
with_any_task(charge)
with_any_task(charge.options(queue="x"))
with_this_shape(add)


def test_it(t: Harness) -> None:
    assert_type(t.assert_enqueued(charge, customer_id=7), Job[str])
    assert_type(t.result(charge, customer_id=7), Result[str])
    assert_type(t.result(add).value, int)
    t.run_at_most({add: 3})
    t.crash(charge, at="after_commit")
    t.zombie(charge, for_="60s")


with relet_test(app) as harness:
    test_it(harness)
with app.inline():
    assert_type(add.run_now(1, 2).result, int)
    assert_type(charge.run_now(1).result, str)
