"""Limits by name and key against a model too simple to be wrong: after each step, every job stands where the model says."""

from dataclasses import dataclass, field
from random import Random

import pytest

from relet.clock import SECOND
from relet.job.job import Claim, NewJob, Options
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.job.state import State
from relet.store.port import Store
from tests.store.beds import Bed
from tests.store.contract.test_edges import state_of
from tests.store.hands import POLICY, Worker, new, put
from tests.store.model.history import play

KEYS = ("a", "b")
STEPS = 50
PLAYS = 4
FAILS = (State.SCHEDULED, State.DEAD)


@dataclass
class Line:
    """One key: who has passed, and who stands in line, the oldest first."""

    passed: set[bytes] = field(default_factory=set[bytes])
    waits: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    paused: bool = False


@dataclass
class Model:
    """A limit of so many at once for each key; None: of nothing."""

    most: int | None = 2
    paused: bool = False
    lines: dict[str, Line] = field(default_factory=lambda: {key: Line() for key in KEYS})
    state: dict[bytes, State] = field(default_factory=dict[bytes, State])
    key: dict[bytes, str] = field(default_factory=dict[bytes, str])

    def stand(self, job: bytes, key: str, since: int) -> None:
        """It wants to pass. Lines go by how long somebody has waited, and ids rise."""
        self.key[job], self.state[job] = key, State.WAITING
        line = self.lines[key]
        line.waits = sorted([*line.waits, (since, job)])
        self.let_in()

    def let_in(self) -> None:
        """As many as the limit lets in."""
        for line in self.lines.values():
            while (
                line.waits and not (self.paused or line.paused) and (self.most is None or len(line.passed) < self.most)
            ):
                _, job = line.waits.pop(0)
                line.passed.add(job)
                self.state[job] = State.READY

    def leave(self, job: bytes, to: State) -> None:
        """It is neither ready nor runs any more."""
        line = self.lines[self.key[job]]
        line.passed.discard(job)
        line.waits = [one for one in line.waits if one[1] != job]
        self.state[job] = to
        self.let_in()

    def of(self, *states: State) -> list[bytes]:
        """The jobs in one of these states, the oldest first."""
        return sorted(job for job, state in self.state.items() if state in states)


class Play:
    """One history, on the store and on the model side by side."""

    def __init__(self, bed: Bed, store: Store, seed: int) -> None:
        self.bed, self.store, self.rng = bed, store, Random(seed)
        self.name = f"limit-{seed}"
        self.model = Model()
        self.worker = Worker(store, queues=(self.name,))
        self.held: dict[bytes, Claim] = {}
        store.set_limit(self.name, Rule(self.model.most), "ann")

    def step(self) -> str:
        """Something that is possible now; returns what."""
        able = [self.enqueue, self.enqueue, self.claim, self.set, self.pause, self.resume, self.wait]
        able += [self.succeed, self.fail, self.give_back] if self.held else []
        able += [self.cancel] if self.model.of(State.WAITING, State.READY, State.SCHEDULED) else []
        chosen = self.rng.choice(able)
        chosen()
        return chosen.__name__

    def enqueue(self) -> None:
        keys = [self.rng.choice(KEYS) for _ in range(self.rng.randint(1, 3))]
        jobs: list[NewJob] = [new(queue=self.name, options=Options(gates=((self.name, key, 1),))) for key in keys]
        put(self.store, *jobs)
        for job, key in zip(jobs, keys, strict=True):
            self.model.stand(job.id, key, self.store.now())

    def claim(self) -> None:
        ready, wanted = self.model.of(State.READY), self.rng.randint(1, 3)
        for claim in self.worker.claim(wanted):
            assert claim.job_id in ready
            self.held[claim.job_id] = claim
            self.model.state[claim.job_id] = State.RUNNING
        assert len(self.model.of(State.READY)) == max(0, len(ready) - wanted)

    def succeed(self) -> None:
        self._end(Ended.SUCCESS, State.SUCCEEDED)

    def fail(self) -> None:
        claim = self._end(Ended.FAILURE, None)
        found = state_of(self.store, claim.job_id)
        assert found in FAILS
        self.model.leave(claim.job_id, found)

    def give_back(self) -> None:
        claim = self._end(Ended.RELEASE, None)
        self.model.state[claim.job_id] = State.READY  # and keeps its place

    def _end(self, ended: Ended, to: State | None) -> Claim:
        claim = self.held.pop(self.rng.choice(sorted(self.held)))
        self.worker.end(claim, ended, POLICY)
        if to is not None:
            self.model.leave(claim.job_id, to)
        return claim

    def cancel(self) -> None:
        job = self.rng.choice(self.model.of(State.WAITING, State.READY, State.SCHEDULED))
        self.store.cancel(job, "", "ann", 0)
        self.model.leave(job, State.CANCELLED)

    def set(self) -> None:
        self.model.most = self.rng.choice((None, 0, 1, 2, 3))
        self.store.set_limit(self.name, Rule(self.model.most), "ann")
        self.model.let_in()

    def pause(self) -> None:
        key = self.rng.choice((None, *KEYS))
        self.store.pause_limit(self.name, key, None, "ann")
        self._pause(key, True)

    def resume(self) -> None:
        key = self.rng.choice((None, *KEYS))
        self.store.resume_limit(self.name, key, "ann")
        self._pause(key, False)
        self.model.let_in()

    def _pause(self, key: str | None, paused: bool) -> None:
        if key is None:
            self.model.paused = paused
        else:
            self.model.lines[key].paused = paused

    def wait(self) -> None:
        """Until all that was put off is due."""
        self.bed.advance(600 * SECOND)
        self.worker.renew()
        self.store.promote(100)
        for job in self.model.of(State.SCHEDULED):
            self.model.state[job] = State.WAITING
            line = self.model.lines[self.model.key[job]]
            line.waits = sorted([*line.waits, (self.store.now(), job)])
        self.model.let_in()

    def same(self) -> None:
        """Every job stands where the model says."""
        found = {job: state_of(self.store, job) for job in self.model.state}
        assert found == self.model.state


@pytest.mark.parametrize("seed", range(PLAYS))
def test_every_job_stands_where_the_model_says(bed: Bed, store: Store, seed: int):
    play(bed, Play(bed, store, seed), seed, STEPS)
