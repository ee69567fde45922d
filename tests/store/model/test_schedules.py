"""Schedules against a model: which due times have a run, and that none has two, whatever people do and whoever looks when."""

from random import Random

import pytest

from relet.clock import DAY, SECOND
from relet.job.outcome import Ended
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.store.port import Store
from relet.store.rows import FiringRow
from tests.store.beds import Bed
from tests.store.hands import IDS, Worker
from tests.store.model.history import play

EVERY_US = 60 * SECOND
MANY = 1_000
STEPS = 60
PLAYS = 4
MOST_FAILURES = 3


class Play:
    """`load` runs each minute, however many at once; `sum` each minute after `load` has succeeded again."""

    def __init__(self, bed: Bed, store: Store, seed: int) -> None:
        self.bed, self.store, self.rng = bed, store, Random(seed)
        self.load, self.sum, queue = f"load-{seed}", f"sum-{seed}", f"q-{seed}"
        every = Recurrence.of(every=EVERY_US / SECOND, catchup=MANY)
        about = {"kind": Kind.ROUTINE, "mode": Mode.SCHEDULED, "task": "t", "queue": queue, "overlap": "allow"}
        store.declare_schedules(
            (
                Schedule(name=self.load, rule=every, max_failures=MOST_FAILURES, **about),  # type: ignore[arg-type]
                Schedule(name=self.sum, rule=every, depends_on=(self.load,), **about),  # type: ignore[arg-type]
            ),
            "code",
        )
        self.worker = Worker(store, queues=(queue,), lease_us=1_000 * DAY)
        self.began, self.looked = store.now(), store.now()
        self.gaps: list[tuple[int, int]] = []
        """Times in which `load` made no runs, and what was due in them is passed over."""
        self.held_since: int | None = None
        self.failures = self.successes = 0
        self.seen = 0
        """Successes of `load` when `sum` was fired last."""

    def step(self) -> str:
        """Something; returns what."""
        chosen = self.rng.choice(
            (self.wait, self.wait, self.look, self.look, self.work, self.work, self.hold, self.let_go)
        )
        chosen()
        return chosen.__name__

    def wait(self) -> None:
        self.bed.advance(self.rng.choice((1, 20, 61, 200)) * SECOND)

    def look(self) -> None:
        fired = [firing.schedule for firing in self.store.fire_due(IDS.jobs, MANY).fired]
        self.looked = self.store.now()
        assert fired.count(self.sum) <= 1
        if self.sum in fired:
            assert self.successes > self.seen, "it ran without what it depends on"
            self.seen = self.successes
        assert self.held_since is None or self.load not in fired

    def work(self) -> None:
        for claim in self.worker.claim(1):
            of_load = claim.job_id in {firing.job_id for firing in self.firings(self.load)}
            ended = self.rng.choice((Ended.SUCCESS, Ended.SUCCESS, Ended.FAILURE))
            self.worker.end(claim, ended) if ended is Ended.SUCCESS else self.worker.bury(claim)
            if of_load:
                self._came_to(ended)

    def _came_to(self, ended: Ended) -> None:
        if ended is Ended.SUCCESS:
            self.successes, self.failures = self.successes + 1, 0
            return
        self.failures += 1
        if self.failures >= MOST_FAILURES and self.held_since is None:
            self.held_since = self.looked

    def hold(self) -> None:
        if self.held_since is None:
            self.look()
            self.store.disable_schedule(self.load, "ann", "")
            self.held_since = self.looked

    def let_go(self) -> None:
        if self.held_since is not None:
            self.store.enable_schedule(self.load)
            self.gaps.append((self.held_since, self.store.now()))
            self.held_since, self.failures = None, 0

    def firings(self, name: str) -> list[FiringRow]:
        return self.store.insights.firings(name, limit=MANY)

    def same(self) -> None:
        """Each minute up to the last look has one run, but for those in which it made none; and no other time has one."""
        due = [firing.due_at for firing in self.firings(self.load) if firing.job_id is not None]
        assert len(due) == len(set(due))
        first = min(due, default=self.looked + EVERY_US)
        until = self.looked if self.held_since is None else self.held_since
        wanted = [at for at in range(first, until + 1, EVERY_US) if not any(a < at <= b for a, b in self.gaps)]
        assert first <= self.began + EVERY_US or not due
        assert sorted(due) == wanted


@pytest.mark.parametrize("seed", range(PLAYS))
def test_each_due_time_has_one_run_and_no_other_has_any(bed: Bed, store: Store, seed: int):
    play(bed, Play(bed, store, seed), seed, STEPS)
