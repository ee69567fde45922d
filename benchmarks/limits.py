"""What limits of queues cost: per claim at 1, 10 and 100 jobs a turn, and to the neighbours of a queue that is full."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from itertools import cycle

from benchmarks import raw
from benchmarks.figures import Figure
from benchmarks.ground import Ground, wait_for
from relet.job.job import NewJob
from relet.job.limits import Rule, parse_rates
from relet.job.settlement import Settle
from relet.store.port import Store
from relet.store.records import Lane, Notes, SessionInfo, Want

RULES = {
    "no limit": None,
    "concurrency": Rule(concurrency=1_000_000),
    "rate": Rule(rates=parse_rates("1000000/min")),
    "concurrency and two rates": Rule(1_000_000, None, parse_rates("100000/s;1000000/min")),
}


def turn_costs(store: Store, size: int, rounds: int) -> dict[str, float]:
    """Median microseconds of a turn that settles and claims so many, by the limit of its queue. All in one run, in turn."""
    me = raw.IDS.session()
    store.open_session(SessionInfo(me, "bench", "bench", 1, tuple(RULES), (raw.TASK,)), 3_600_000_000)
    settles: dict[str, list[Settle]] = {}
    took: dict[str, list[float]] = {name: [] for name in RULES}
    for name, rule in RULES.items():
        store.enqueue([NewJob(one, raw.TASK, name) for one in raw.IDS.jobs(size * (rounds + 2))])
        settles[name] = []
        if rule is not None:
            store.limit_queue(name, rule, "bench")
    for number, name in zip(range(rounds * len(RULES)), cycle(RULES)):
        want = Want(size, (Lane(name, -1),), (raw.TASK,), limited=() if RULES[name] is None else (name,))
        began = time.perf_counter()
        turned = store.turn(me, settles[name], Notes(), want)
        if number >= 5 * len(RULES):
            took[name].append(time.perf_counter() - began)
        assert len(turned.claims) == size
        settles[name] = raw.successes(turned.claims)
    return {name: statistics.median(times) * 1e6 for name, times in took.items()}


def limit_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """Each limit against none."""
    for size in (1, 10, 100):
        with ground.opened(ground.fresh()) as store:
            costs = turn_costs(store, size, 30 * scale if size < 100 else 10 * scale)
        for name, us in costs.items():
            words = f"turn of {size}, {name}"
            if name == "no limit":
                yield Figure(ground.engine, words, us / size, "µs a job")
            else:
                yield Figure(ground.engine, words, us / size, "µs a job", us / costs["no limit"], "no limit")
    yield from held_back_figure(ground, scale)


def held_back_figure(ground: Ground, scale: int) -> Iterator[Figure]:
    """A worker's drain of one queue beside another one that is full, with a great number of jobs held back, and with one."""
    total = 5_000 * scale
    rates = [(beside(ground, total, 1), beside(ground, total, 100_000 * scale)) for _ in range(3)]
    alone, great = (statistics.median(found) for found in zip(*rates, strict=True))
    words = f"drain beside {100_000 * scale:,} jobs held back by a limit"
    yield Figure(ground.engine, words, great, "jobs/s", great / alone, "one of them")


def beside(ground: Ground, total: int, held_back: int) -> float:
    """Jobs a second of one worker, beside so many that a limit holds back."""
    url = ground.fresh()
    with ground.opened(url) as store:
        ids = raw.IDS.jobs(held_back + 1)
        for first in range(0, len(ids), 100_000):
            store.enqueue([NewJob(one, raw.TASK, "full") for one in ids[first : first + 100_000]])
        store.limit_queue("full", Rule(1), "bench")
        me = raw.session(store)
        assert store.turn(me, (), Notes(), Want(1, (Lane("full", -1),), (raw.TASK,), limited=("full",))).claims
        store.enqueue(raw.jobs(total))
        os.sync()  # what the enqueue has left to write is not the drain's
        time.sleep(1)
        process = ground.worker(url, slots=1000, queues="full=1,default=1")
        wait_for(lambda: ground.runs()[0] >= total, 120)
        runs, first_at, last_at = ground.runs()
        ground.end(process)
    assert runs == total
    return total / (last_at - first_at)
