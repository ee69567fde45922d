"""The figures: what is measured, and how."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import raw
from benchmarks.ground import Ground, producer, wait_for
from benchmarks.tasks import hold, noop, stamp
from relet.job.state import State
from relet.store.port import Store
from relet.store.records import Notes, Want


@dataclass(frozen=True)
class Figure:
    """One measured figure. `ratio` is against the raw engine (or what `against` says) in the same run."""

    engine: str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = "the raw engine"
    note: str = ""


Measure = Callable[[Ground, int], Iterator[Figure]]


def enqueue_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """One by one; in bulk by the store alone; in bulk by `enqueue_many`, with encoding and type checks."""
    url = ground.fresh()
    app = producer(url)
    for number in range(50):
        noop.enqueue(number)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < 2:
        noop.enqueue(count)
        count += 1
    one = count / (time.perf_counter() - began)
    with ground.opened(url) as store:
        raw_one = raw.enqueue(store, [raw.jobs(1) for _ in range(max(200, count // 2))])
    yield Figure(ground.engine, "enqueue, one by one", one, "jobs/s", one / raw_one, "the store's verb alone")
    total = 10_000 * scale
    with ground.opened(ground.fresh()) as store:
        bulk = raw.enqueue(store, [raw.jobs(total)])
    yield Figure(ground.engine, "enqueue in bulk, ready rows", bulk, "jobs/s")
    app = producer(ground.fresh())
    calls = [noop.call(number) for number in range(total)]
    app.open()
    began = time.perf_counter()
    app.enqueue_many(calls)
    many = total / (time.perf_counter() - began)
    app.close()
    yield Figure(ground.engine, "enqueue_many, with encoding", many, "jobs/s", many / bulk, "rows made beforehand")


def drain_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """A backlog drained by one worker process, by two, and by the raw engine in turns of the same size."""
    total = 20_000 * scale
    with ground.opened(ground.fresh()) as store:
        store.enqueue(raw.jobs(total))
        engine = raw.drain(store, 500, 30)
    one, costs = drain(ground, total, 1)
    yield Figure(ground.engine, "drain, one worker process", one, "jobs/s", one / engine, note=costs)
    two, costs = drain(ground, total, 2)
    yield Figure(ground.engine, "drain, two worker processes", two, "jobs/s", two / engine, note=costs)
    for size, most in ((10, total // 4), (1, total // 20)):
        with ground.opened(ground.fresh()) as store:
            store.enqueue(raw.jobs(most))
            engine = raw.drain(store, size, 10)
        rate, costs = drain(ground, most, 1, slots=2 * size if size > 1 else 1, turn_size=size)
        yield Figure(ground.engine, f"drain, {size} at a time", rate, "jobs/s", rate / engine, note=costs)


def drain(ground: Ground, total: int, workers: int, slots: int = 1000, turn_size: int = 500) -> tuple[float, str]:
    """Jobs a second from the first run to the last settle, and what they cost."""
    url = ground.fresh()
    with ground.opened(url) as store:
        store.enqueue(raw.jobs(total))
        server = ground.server_cpu()
        started = [ground.worker(url, slots=slots, turn_size=turn_size) for _ in range(workers)]
        wait_for(lambda: ground.runs()[0] > 0, 30, 0.001)
        used = sum(map(ground.cpu, started))
        wait_for(lambda: ground.runs()[0] >= total, 120)
        ended = settled_at(store)
        _, first, _ = ground.runs()
        used = sum(map(ground.cpu, started)) - used
        served = ground.server_cpu() - server
        for process in started:
            ground.end(process)
    costs = f"worker {used / total * 1e6:.1f} µs a job"
    return total / (ended - first), costs + (f", server {served / total * 1e6:.1f} µs" if served else "")


def settled_at(store: Store) -> float:
    """When the store says that all are settled."""
    wait_for(lambda: not any(store.insights.counts(cap=1).get(s) for s in (State.READY, State.RUNNING)), 60)
    return time.monotonic()


def latency_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """From just before the enqueue call to the first line of the task, on an idle system; and what idling costs."""
    url = ground.fresh()
    producer(url).open()
    process = ground.worker(url)
    time.sleep(3)
    used, began = ground.cpu(process), time.monotonic()
    time.sleep(5)
    idle = (ground.cpu(process) - used) / (time.monotonic() - began)
    yield Figure(ground.engine, "idle worker", idle * 100, "% CPU")
    yield Figure(ground.engine, "idle worker's memory", psutil.Process(process.pid).memory_info().rss / 2**20, "MB RSS")
    for _ in range(50 * scale):
        stamp.enqueue(time.monotonic())
        time.sleep(0.02)
    time.sleep(0.5)
    ground.end(process)
    waits = sorted(float(line) * 1000 for line in (ground.home / "latencies").read_text().split())
    yield Figure(ground.engine, "start on an idle system, p50", statistics.median(waits), "ms")
    yield Figure(ground.engine, "start on an idle system, p99", waits[int(len(waits) * 0.99) - 1], "ms")


def backlog_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """A claim of 100 with a great backlog, against one with a small one: of its own task, and of what it may not take."""
    great = 100_000 * scale
    with ground.opened(ground.fresh()) as store:
        store.enqueue(raw.jobs(4_000))
        small = claims_of_100(store)
    with ground.opened(ground.fresh()) as store:
        for _ in range(scale):
            store.enqueue(raw.jobs(100_000))
        full = claims_of_100(store)
    words = f"claim of 100, {great:,} waiting"
    yield Figure(ground.engine, words, full * 1000, "ms", full / small, "4,000 waiting")
    yield from foreign_figure(ground, scale)


def foreign_figure(ground: Ground, scale: int) -> Iterator[Figure]:
    """A worker's drain behind a great number of jobs whose task it does not know, against its drain without them."""
    total = 5_000 * scale
    alone, _ = drain(ground, total, 1)
    url = ground.fresh()
    with ground.opened(url) as store:
        for _ in range(scale):
            store.enqueue(raw.jobs(100_000, task="nobody.knows"))
        store.enqueue(raw.jobs(total))
        process = ground.worker(url, slots=1000)
        wait_for(lambda: ground.runs()[0] >= total, 120)
        _, first, last = ground.runs()
        ground.end(process)
    rate = total / (last - first)
    words = f"drain behind {100_000 * scale:,} jobs of an unknown task"
    yield Figure(ground.engine, words, rate, "jobs/s", rate / alone, "none of them")


def claims_of_100(store: Store) -> float:
    """The median seconds of a claim of 100 (the settles are not timed)."""
    me, took = raw.session(store), list[float]()
    for _ in range(30):
        began = time.perf_counter()
        claims = store.turn(me, (), Notes(), Want(100, raw.LANES, (raw.TASK,))).claims
        took.append(time.perf_counter() - began)
        store.turn(me, raw.successes(claims), Notes(), None)
    return statistics.median(took[5:])


def recovery_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """From kill -9 of a worker to the start of its job on another one, with the default lease of 90 s."""
    waits: list[float] = []
    url = ground.fresh()
    producer(url).open()
    for number in range(min(scale, 3)):
        seen = Path(ground.home / f"held{number}")
        victim = ground.worker(url)
        hold.enqueue(str(seen))
        wait_for(seen.exists, 30)
        other = ground.worker(url)
        time.sleep(2)
        began = time.monotonic()
        ground.end(victim, signal.SIGKILL)
        wait_for(lambda seen=seen: len(seen.read_text().split()) > 1, 30)
        waits.append(float(seen.read_text().split()[1]) - began)
        ground.end(other)
    yield Figure(
        ground.engine, "job of a killed process runs again, same host", max(waits), "s", note=f"worst of {len(waits)}"
    )


def snapshot_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """One worker drains while another program holds a transaction open: the last fifth of the work against the first."""
    if ground.server is None:
        return
    import psycopg

    url, part = ground.fresh(), 20_000 * scale
    rates: list[float] = []
    with psycopg.connect(url) as pinned, ground.opened(url) as store:
        pinned.execute("set transaction isolation level repeatable read")
        pinned.execute("select count(*) from relet.job")
        process = ground.worker(url, slots=1000)
        for _ in range(5):
            before, began = ground.runs()[0], time.perf_counter()
            store.enqueue(raw.jobs(part))
            wait_for(lambda before=before: ground.runs()[0] >= before + part, 300)
            rates.append(part / (time.perf_counter() - began))
        ground.end(process)
    words = f"enqueue and drain under a held snapshot, {5 * part:,} jobs"
    yield Figure(ground.engine, words, rates[-1], "jobs/s", rates[-1] / rates[0], "its first fifth")


FIGURES: dict[str, Measure] = {
    "enqueue": enqueue_figures,
    "drain": drain_figures,
    "latency": latency_figures,
    "backlog": backlog_figures,
    "recovery": recovery_figures,
    "snapshot": snapshot_figures,
}
