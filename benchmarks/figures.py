"""The figures: what is measured, and how."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import raw
from benchmarks.ground import Ground, producer, wait_for
from benchmarks.tasks import hold, noop, stamp
from relet.job.job import NewJob
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
    worker_us: float | None = None
    """CPU of the workers, a job."""
    server_us: float | None = None
    """CPU of the server, a job."""


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
        engine = raw.bulk(store, raw.jobs(total))
    with ground.opened(ground.fresh()) as store:
        bulk = raw.enqueue(store, [raw.jobs(total)])
        unique = raw.enqueue(store, [raw.keyed(total // 2)])
    yield Figure(ground.engine, "enqueue in bulk, ready rows", bulk, "jobs/s", bulk / engine)
    yield Figure(ground.engine, "enqueue in bulk, unique keys", unique, "jobs/s", unique / bulk, "rows without a key")
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
    engine = raw_drain(ground, total, 500, 30)
    for workers, word in ((1, "one worker process"), (2, "two worker processes")):
        yield drained(ground, f"drain, {word}", drain(ground, total, workers), engine)
    for size, most in ((10, total // 4), (1, total // 20)):
        engine = raw_drain(ground, most, size, 10)
        found = drain(ground, most, 1, slots=2 * size if size > 1 else 1, turn_size=size)
        yield drained(ground, f"drain, {size} at a time", found, engine)


def raw_drain(ground: Ground, total: int, size: int, most: float) -> raw.Drained:
    """The raw engine's."""
    with ground.opened(ground.fresh()) as store:
        store.enqueue(raw.jobs(total))
        return raw.drain(store, size, most)


class Drain(NamedTuple):
    """What a drain by workers came to: jobs a second from the first run to the last settle, and CPU a job."""

    rate: float
    worker_us: float
    server_us: float


def drained(ground: Ground, name: str, found: Drain, engine: raw.Drained) -> Figure:
    """Its figure. Python's share is what is left of all CPU without the engine's own: a server's, or that of a raw drain."""
    whole = found.worker_us + found.server_us
    share = 1 - (found.server_us or engine.cpu_us) / whole
    note = f"worker {found.worker_us:.1f} µs a job"
    note += f", server {found.server_us:.1f} µs" if found.server_us else f", the raw engine {engine.cpu_us:.1f} µs"
    note += f"; Python's share {share:.0%}"
    ratio, server_us = found.rate / engine.rate, found.server_us or None
    return Figure(
        ground.engine, name, found.rate, "jobs/s", ratio, note=note, worker_us=found.worker_us, server_us=server_us
    )


def drain(ground: Ground, total: int, workers: int, slots: int = 1000, turn_size: int = 500) -> Drain:
    """A backlog, drained by worker processes."""
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
    return Drain(total / (ended - first), used / total * 1e6, served / total * 1e6)


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
    url = ground.fresh()
    with ground.opened(url) as mine, ground.opened(url) as theirs:
        engine = [seconds * 1000 for seconds in raw.starts(mine, theirs, len(waits))]
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        found, least = (values[int(len(values) * part) - 1] for values in (waits, engine))
        yield Figure(ground.engine, f"start on an idle system, {name}", found, "ms", found / least)


def backlog_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """A claim of 100 with a great backlog, against one with a small one: of its own task, and of what it may not take."""
    great = 100_000 * scale
    with ground.opened(ground.fresh()) as little, ground.opened(ground.fresh()) as much:
        little.enqueue(raw.jobs(5_000))
        for _ in range(scale):
            much.enqueue(raw.jobs(100_000))
        small, full = claims_of_100(little, much)
    words = f"claim of 100, {great:,} waiting"
    yield Figure(ground.engine, words, full * 1000, "ms", full / small, "5,000 waiting")
    yield from foreign_figures(ground, scale)


def claims_of_100(*stores: Store) -> list[float]:
    """The median seconds of a claim of 100 from each of them, in turn (the settles are not timed)."""
    sessions = [raw.session(store) for store in stores]
    took: list[list[float]] = [[] for _ in stores]
    for _ in range(40):
        for store, me, mine in zip(stores, sessions, took, strict=True):
            began = time.perf_counter()
            claims = store.turn(me, (), Notes(), Want(100, raw.LANES, (raw.TASK,))).claims
            mine.append(time.perf_counter() - began)
            store.turn(me, raw.successes(claims), Notes(), None)
    return [statistics.median(mine[5:]) for mine in took]


FOREIGN: dict[str, Callable[[int], list[NewJob]]] = {
    "of an unknown task": partial(raw.jobs, task="nobody.knows"),
    "that need what it lacks": partial(raw.jobs, needs=("gpu=yes",)),
}
"""Jobs that a worker may not take."""


def foreign_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """A worker's drain behind a great number of jobs that it may not take, against its drain without them: medians of three,
    in turn."""
    total, rounds = 5_000 * scale, range(3)
    alone: list[float] = []
    rates: dict[str, list[float]] = {words: [] for words in FOREIGN}
    for _ in rounds:
        alone.append(drain(ground, total, 1).rate)
        for words, make in FOREIGN.items():
            rates[words].append(behind(ground, total, [make(100_000) for _ in range(scale)]))
    for words, found in rates.items():
        name, rate = f"drain behind {100_000 * scale:,} jobs {words}", statistics.median(found)
        yield Figure(ground.engine, name, rate, "jobs/s", rate / statistics.median(alone), "none of them")


def behind(ground: Ground, total: int, foreign: Sequence[list[NewJob]]) -> float:
    """Jobs a second, of those that stand behind the foreign ones."""
    url = ground.fresh()
    with ground.opened(url) as store:
        for jobs in foreign:
            store.enqueue(jobs)
        store.enqueue(raw.jobs(total))
        process = ground.worker(url, slots=1000)
        wait_for(lambda: ground.runs()[0] >= total, 120)
        _, first, last = ground.runs()
        ground.end(process)
    return total / (last - first)


def recovery_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """From kill -9 of a worker to the start of its job on another one: seen dead on its own host, or by its lease alone, as
    a worker of another host is."""
    same = [killed(ground, f"same{number}") for number in range(min(scale, 3))]
    name = "job of a killed process runs again, same host"
    yield Figure(ground.engine, name, max(same), "s", note=f"worst of {len(same)}")
    lease = 90 if ground.long else 6
    far = killed(ground, "far", lease=f"{lease}s", lock_dir=ground.home / "elsewhere")
    name = f"job of a killed process runs again, by its lease alone ({lease} s)"
    yield Figure(ground.engine, name, far, "s", far / lease, "the lease", note="as from another host")


def killed(ground: Ground, name: str, **of_victim: object) -> float:
    """Seconds until the job of a killed worker ran again."""
    url, seen = ground.fresh(), Path(ground.home / name)
    producer(url).open()
    lease = {"lease": of_victim["lease"]} if "lease" in of_victim else {}
    victim = ground.worker(url, **of_victim)
    hold.enqueue(str(seen))
    wait_for(seen.exists, 30)
    other = ground.worker(url, **lease)
    time.sleep(2)
    began = time.monotonic()
    ground.end(victim, signal.SIGKILL)
    wait_for(lambda: len(seen.read_text().split()) > 1, 150)
    ground.end(other)
    return float(seen.read_text().split()[1]) - began


def snapshot_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """One worker drains while another program holds a transaction open: the last fifth of the work against the first."""
    if ground.server is None:
        return
    import psycopg

    url, part = ground.fresh(), 40_000 * scale if ground.long else 20_000 * scale
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
