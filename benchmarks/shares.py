"""What the shares of tenants cost: an enqueue and a turn of jobs with them, against plain ones in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks import raw
from benchmarks.figures import Figure
from benchmarks.ground import Ground
from relet.job.job import NewJob, Options
from relet.job.settlement import Settle
from relet.store.port import Store
from relet.store.records import Lane, Notes, SessionInfo, Want

KINDS: dict[str, Callable[[int], Options]] = {
    "plain": lambda _n: Options(),
    "one tenant": lambda _n: Options(fair="acme"),
    "100 tenants": lambda n: Options(fair=f"tenant {n % 100}"),
}
PRESENT = 10_000
"""Jobs that stand in each queue before anything is measured."""


def jobs(kind: str, count: int) -> list[NewJob]:
    """Of one kind, in a queue of their own."""
    made = {n: KINDS[kind](n) for n in range(min(count, 100))}
    return [NewJob(one, raw.TASK, kind, options=made[n % 100]) for n, one in enumerate(raw.IDS.jobs(count))]


def each_in_turn(rounds: int, act: Callable[[str], None]) -> dict[str, float]:
    """Median microseconds by kind; all in one run, in turn."""
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in KINDS:
            began = time.perf_counter()
            act(kind)
            if number >= rounds // 10:
                took[kind].append(time.perf_counter() - began)
    return {kind: statistics.median(times) * 1e6 for kind, times in took.items()}


def enqueue_costs(store: Store, size: int, rounds: int) -> dict[str, float]:
    """Of a call that enqueues so many."""
    ready = {kind: iter([jobs(kind, size) for _ in range(rounds)]) for kind in KINDS}
    return each_in_turn(rounds, lambda kind: void(store.enqueue(next(ready[kind]))))


def turn_costs(store: Store, size: int, rounds: int) -> dict[str, float]:
    """Of a turn that settles and claims so many."""
    me = raw.IDS.session()
    store.open_session(SessionInfo(me, "bench", "bench", 1, tuple(KINDS), (raw.TASK,)), 3_600_000_000)
    settles: dict[str, Sequence[Settle]] = dict.fromkeys(KINDS, ())

    def turn(kind: str) -> None:
        turned = store.turn(me, settles[kind], Notes(), Want(size, (Lane(kind, -1),), (raw.TASK,)))
        assert len(turned.claims) == size
        settles[kind] = raw.successes(turned.claims)

    return each_in_turn(rounds, turn)


def void(_answers: object) -> None:
    """Forget it."""


def share_figures(ground: Ground, scale: int) -> Iterator[Figure]:
    """Each kind against plain jobs."""
    with ground.opened(ground.fresh()) as store:
        for kind in KINDS:
            store.enqueue(jobs(kind, PRESENT))
        for words, costs, size in (
            ("enqueue of 1", enqueue_costs(store, 1, 40 * scale), 1),
            ("enqueue of 1,000", enqueue_costs(store, 1_000, 3 * scale), 1_000),
            ("turn of 1", turn_costs(store, 1, 40 * scale), 1),
            ("turn of 100", turn_costs(store, 100, 8 * scale), 100),
        ):
            for kind, us in costs.items():
                name = f"{words}, {kind}"
                if kind == "plain":
                    yield Figure(ground.engine, name, us / size, "µs a job")
                else:
                    yield Figure(ground.engine, name, us / size, "µs a job", us / costs["plain"], "plain")
