"""A producer process: `python -m tests.soak.produce NAME SEED RATE`. Ends at the end of its standard input.

Before each call it writes down how many jobs it asks for, afterwards what was acknowledged. What a store error leaves open
it leaves open.
"""

from __future__ import annotations

import random
import select
import sys
import time
from collections.abc import Callable
from typing import Any

from relet import App
from relet.errors import NotFound, Refused, StoreError
from tests.soak import tasks
from tests.soak.ledger import write

POISON_EVERY = 15.0
SOON_S = 0.7


class Producer:
    """Enqueues at random, and takes care of what it has enqueued."""

    def __init__(self, name: str, seed: int, app: App) -> None:
        self._name = name
        self._rng = random.Random(seed)
        self._app = app
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._n = 0

    def step(self) -> None:
        """One call, and what has become due."""
        now = time.monotonic()
        due = [act for at, act in self._later if at <= now]
        self._later = [(at, act) for at, act in self._later if at > now]
        for act in due:
            self._try(act)
        kinds: dict[Callable[[], None], int] = {
            self._single: 60,
            self._batch: 6,
            self._keyed: 14,
            self._delayed: 8,
            self._cancelled: 8,
            self._doomed: 4,
        }
        self._try(self._rng.choices(list(kinds), list(kinds.values()))[0])

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:
            write("producers", producer=self._name, word="refused", error=type(error).__name__, said=str(error)[:300])

    def _call(self) -> Any:
        self._n += 1
        rng, n = self._rng, self._n
        return rng.choice(
            [
                lambda: tasks.quick.call(n),
                lambda: tasks.quick.call(n),
                lambda: tasks.nap.call(rng.uniform(0, 1.5)),
                lambda: tasks.plain.call(rng.uniform(0, 0.3)),
                lambda: tasks.apart.call(rng.uniform(0, 0.05)),
                lambda: tasks.flaky.call(rng.randint(1, 3)),
                lambda: tasks.snoozer.call(n),
                lambda: tasks.pay.call(n),
            ]
        )()

    def _put(self, calls: list[Any], **facts: Any) -> list[Any]:
        write("producers", producer=self._name, word="asks", count=len(calls))
        jobs = self._app.enqueue_many(calls)
        plans = [_plan(call) for call in calls]
        acks = [[str(job.id), job.created, plan] for job, plan in zip(jobs, plans, strict=True)]
        write("producers", producer=self._name, word="acknowledged", jobs=acks, **facts)
        return jobs

    def _single(self) -> None:
        self._put([self._call()])

    def _batch(self) -> None:
        self._put([self._call() for _ in range(self._rng.randint(2, 30))])

    def _keyed(self) -> None:
        key, conflict = f"k{self._rng.randint(1, 4)}", self._rng.choice(["existing", "existing", "replace"])
        self._n += 1
        self._put([tasks.keyed.options(on_conflict=conflict).call(key, self._n)])

    def _delayed(self) -> None:
        self._n += 1
        self._put([tasks.quick.options(delay=self._rng.uniform(0.05, 2)).call(self._n)])

    def _cancelled(self) -> None:
        waits = self._rng.random() < 0.3
        call = tasks.endless.options(delay=600).call() if waits else tasks.endless.call()
        (job,) = self._put([call])
        self._soon(lambda: self._cancel(job))

    def _cancel(self, job: Any) -> None:
        try:
            asked = job.cancel("the soak wants it", grace=1)
        except StoreError:
            self._soon(lambda: self._cancel(job))
            raise
        write("producers", producer=self._name, word="cancelled", job=str(job.id), asked=asked)

    def _doomed(self) -> None:
        (job,) = self._put([tasks.doomed.call()])
        if self._rng.random() < 0.5:
            self._soon(lambda: self._cure(job))

    def _cure(self, job: Any) -> None:
        try:
            self._app.dead.retry(job.id, patch={"cured": True})
        except (NotFound, Refused):
            self._soon(lambda: self._cure(job))
            return
        except StoreError:
            self._soon(lambda: self._cure(job))
            raise
        write("producers", producer=self._name, word="cured", job=str(job.id))

    def _soon(self, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + self._rng.uniform(0.1, SOON_S), act))

    def poison(self) -> None:
        self._try(lambda: self._put([tasks.poison.call()]) and None)

    def finish(self) -> None:
        """What is still to be done to jobs of this producer, until it is done."""
        limit = time.monotonic() + 60
        while self._later and time.monotonic() < limit:
            waiting, self._later = self._later, []
            for _, act in waiting:
                self._try(act)
            time.sleep(0.1)


def _plan(call: Any) -> dict[str, Any]:
    name = call.task.name.rpartition(".")[2]
    plan: dict[str, Any] = {"task": name}
    if name == "flaky":
        plan["failures"] = call.args[0]
    if name == "keyed":
        plan["key"] = call.args[0]
    return plan


def main(name: str, seed: str, rate: str) -> None:
    producer = Producer(name, int(seed), tasks.app)
    poisoned = time.monotonic() - POISON_EVERY + 3
    while not select.select([sys.stdin], [], [], 1 / float(rate))[0]:
        producer.step()
        if name == "producer-0" and time.monotonic() - poisoned > POISON_EVERY:
            poisoned = time.monotonic()
            producer.poison()
    producer.finish()
    write("producers", producer=name, word="ended")
    tasks.app.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
