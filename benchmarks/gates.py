"""What limits by name and key cost: a turn of jobs that have passed them, against plain ones in the same run; and to a plain
queue, beside a great number of jobs that stand in line."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle

from benchmarks import raw
from benchmarks.figures import Figure
from benchmarks.ground import Ground, wait_for
from relet.job.job import NewJob, Options
from relet.job.limits import Rule, parse_rates
from relet.job.settlement import Settle
from relet.store.port import Store
from relet.store.records import Lane, Notes, SessionInfo, Want

PLAIN = "plain"
FREE = "no limits anywhere"
LINED = 50
"""Turns' worth of jobs of each kind that stand beside plain ones."""
KINDS: dict[str, Callable[[int], tuple[str, str]]] = {
    "one key, in line": lambda _n: ("one", ""),
    "100 keys, in line": lambda n: ("many", str(n % 100)),
    "one key with a rate": lambda _n: ("rated", ""),
}
"""A queue each, and the limit and key that a job of it stands before."""


def rules(size: int) -> dict[str, Rule]:
    """As many as run at once, and as many more are ready: each end lets another one in. The rate lets in all."""
    rate = parse_rates("1000000/min")
    return {"one": Rule(2 * size), "many": Rule(2 * size // 100 + 2), "rated": Rule(2 * size, None, rate)}


def gated(kind: str, count: int) -> list[NewJob]:
    """Of one kind, in a queue of their own."""
    options = [Options(gates=((*KINDS[kind](n), 1),)) if kind != PLAIN else Options() for n in range(100)]
    return [NewJob(one, raw.TASK, kind, options=options[n % 100]) for n, one in enumerate(raw.IDS.jobs(count))]


def turn_costs(store: Store, size: int, rounds: int) -> dict[str, float]:
    """Median microseconds of a turn that settles and claims so many, by kind; all in one run, in turn."""
    return medians({kind: (store, kind) for kind in (PLAIN, *KINDS)}, size, rounds)


def plain_costs(store: Store, free: Store, size: int, rounds: int) -> dict[str, float]:
    """The same of plain jobs alone, where others stand in line before limits, and where there are none. Turns of others between
    them would leave the two stores' files unlike."""
    for kind in KINDS:
        store.enqueue(gated(kind, size * LINED))
    return medians({PLAIN: (store, PLAIN), FREE: (free, PLAIN)}, size, rounds)


def medians(kinds: Mapping[str, tuple[Store, str]], size: int, rounds: int) -> dict[str, float]:
    """Median microseconds of a turn of each of these kinds, in its store, in turn."""
    me = {store: session(store) for store, _ in kinds.values()}
    took = {kind: list[float]() for kind in kinds}
    for store, kind in kinds.values():
        store.enqueue(gated(kind, size * (rounds + 2)))
    settles: dict[str, Sequence[Settle]] = dict.fromkeys(kinds, ())
    for number, (name, (store, kind)) in zip(range(rounds * len(kinds)), cycle(kinds.items())):
        began = time.perf_counter()
        turned = store.turn(me[store], settles[name], Notes(), Want(size, (Lane(kind, -1),), (raw.TASK,)))
        if number >= 5 * len(kinds):
            took[name].append(time.perf_counter() - began)
        assert len(turned.claims) == size, name
        settles[name] = raw.successes(turned.claims)
    return {name: statistics.median(times) * 1e6 for name, times in took.items()}


def session(store: Store) -> bytes:
    """One that claims from all of the queues."""
    me = raw.IDS.session()
    store.open_session(SessionInfo(me, "bench", "bench", 1, (PLAIN, *KINDS), (raw.TASK,)), 3_600_000_000)
    return me


def gate_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """Each kind against plain jobs, and a plain queue beside a long line."""
    for size in (1, 10, 100):
        rounds = 30 * scale if size < 100 else 10 * scale
        with ground.opened(ground.fresh()) as store, ground.opened(ground.fresh()) as free:
            limit(store, size)
            plain = plain_costs(store, free, size, rounds)
        yield figure(ground, size, PLAIN, plain[PLAIN], plain[FREE], "a store without limits")
        with ground.opened(ground.fresh()) as store:
            limit(store, size)
            costs = turn_costs(store, size, rounds)
        for kind in KINDS:
            yield figure(ground, size, kind, costs[kind], costs[PLAIN], PLAIN)
    yield from line_figure(ground, scale)


def limit(store: Store, size: int) -> None:
    """Set all limits."""
    for name, rule in rules(size).items():
        store.set_limit(name, rule, "bench")


def figure(ground: Ground, size: int, kind: str, us: float, base_us: float, against: str) -> Figure:
    """A turn of one kind."""
    return Figure(ground.engine, f"turn of {size}, {kind}", us / size, "µs a job", us / base_us, against)


def line_figure(ground: Ground, scale: int) -> Iterator[Figure]:
    """A worker's drain of a plain queue beside a line of a great number of jobs before one limit, and beside none."""
    total, lined = 5_000 * scale, 100_000 * scale
    alone, _ = drains(ground, total, 1)
    great, enqueued = drains(ground, total, lined)
    yield Figure(ground.engine, f"enqueue into a line of up to {lined:,}", enqueued, "jobs/s")
    yield Figure(ground.engine, f"drain beside {lined:,} jobs in line", great, "jobs/s", great / alone, "one of them")


def drains(ground: Ground, total: int, lined: int) -> tuple[float, float]:
    """Jobs a second of one worker, the median of three drains, beside so many in line; and how fast these were enqueued."""
    url, rates = ground.fresh(), list[float]()
    with ground.opened(url) as store:
        store.set_limit("one", Rule(1), "bench")
        jobs = gated("one key, in line", lined + 1)
        began = time.perf_counter()
        for first in range(0, len(jobs), 10_000):
            store.enqueue(jobs[first : first + 10_000])
        enqueued = len(jobs) / (time.perf_counter() - began)
        for _ in range(3):
            for slot in ground.home.glob("*.slot"):
                slot.unlink()
            store.enqueue(raw.jobs(total))
            os.sync()  # what the enqueue has left to write is not the drain's
            time.sleep(1)
            process = ground.worker(url, slots=1000, queues="default=1")
            wait_for(lambda: ground.runs()[0] >= total, 120)
            _, first_at, last_at = ground.runs()
            ground.end(process)
            rates.append(total / (last_at - first_at))
    return statistics.median(rates), enqueued
