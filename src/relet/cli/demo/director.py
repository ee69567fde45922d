"""The course of the demo: submit, work, kill, pause, wait for the end, prove."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from relet.cli.demo.acts import Acts
from relet.cli.demo.crew import LEASE, Crew
from relet.cli.demo.proof import Direct, Proof, Submitted, prove
from relet.cli.demo.stage import Stage
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.clock import SECOND, SystemClock, jitter, pause
from relet.errors import StoreUnavailable
from relet.job.duration import to_us
from relet.job.state import State
from relet.store.open import open_store
from relet.store.port import Store
from relet.store.schema import bring_up_to_date

FLAKY, LIMIT_US = 5, 180 * SECOND


def direct(args: Namespace, out: Output) -> int:
    """The whole demo. Returns the exit status."""
    with ExitStack() as stack:
        place = Path(args.keep) if args.keep else Path(stack.enter_context(TemporaryDirectory(prefix="relet-demo-")))
        place.mkdir(parents=True, exist_ok=True)
        url = args.url or f"sqlite:///{place / 'demo.db'}"
        os.environ["RELET_URL"] = url
        _migrate(url)
        store = open_store(url)
        stack.callback(store.close)
        stage = Stage(out, live=out.form == "text" and sys.stderr.isatty() and out.style.colour)
        chaos_us = to_us(args.chaos, name="chaos") if args.chaos else 0
        proof = Play(store, Crew(url, place, place / "ledger.jsonl"), stage, chaos_us).perform()
        stage.close(proof.record(), proof.lines())
        return Exit.JOB_FAILED if proof.faults else Exit.OK


def _migrate(url: str) -> None:
    """A schema on a server is not touched without being asked; the demo's URL asks for it."""
    bring_up_to_date(url)


@dataclass
class Play:
    """One performance."""

    store: Store
    crew: Crew
    stage: Stage
    chaos_us: int = 0
    clock: SystemClock = field(default_factory=SystemClock)
    submitted: list[Submitted] = field(default_factory=list[Submitted])

    def __post_init__(self) -> None:
        self.acts = Acts(self.store, self.crew, self.stage)
        self._until = self.clock.steady() + LIMIT_US + self.chaos_us
        self._rng = jitter()
        self._next_chaos = 0

    def perform(self) -> Proof:
        """From the first job to the proof."""
        self.submit(poison=True)
        self.stage.tell("begin", f"Two workers start. Their lease is {LEASE}, to keep this short; the default is 90s")
        with closing(Direct([one.path for one in self.submitted if one.path])) as direct:
            return self._prove(direct)

    def _prove(self, direct: Direct) -> Proof:
        try:
            self._work()
        finally:
            statuses = self.crew.dismiss()
        self.stage.tell(
            "drained", f"SIGTERM: all workers ended, with status {set(statuses.values())}", statuses=statuses
        )
        self.stage.tell("compare", "The results are compared with the same work done directly")
        return prove(self.store.insights, self.submitted, self._ledger(), direct, self._seen(statuses))

    def submit(self, *, poison: bool) -> None:
        """Every source file of the standard library, and among them what makes trouble."""
        from relet.cli.demo import workload

        paths = [str(path) for path in workload.sources()]
        calls: list[Any] = [workload.measure.call(path) for path in paths]
        began = self.clock.steady()
        jobs = workload.app.enqueue_many(calls)
        took = (self.clock.steady() - began) / SECOND
        new = [Submitted(job.id.bytes, "measure", path) for job, path in zip(jobs, paths, strict=True)]
        new += [Submitted(workload.flaky.enqueue(number).id.bytes, "flaky") for number in range(FLAKY)]
        if poison:
            new.append(Submitted(workload.poison.enqueue().id.bytes, "poison"))
        self.submitted += new
        self.stage.tell(
            "submit",
            f"Submitted {len(paths):,} files in one call ({took:.2f} s), {FLAKY} jobs that fail twice"
            + (", and one that kills its process each time" if poison else ""),
            files=len(paths),
            flaky=FLAKY,
            poison=int(poison),
        )

    def _work(self) -> None:
        plan = deque([(1 / 3, self.acts.kill), (3 / 5, self.acts.pause)])
        while self.clock.steady() < self._until:
            self._replace()
            ended = self._show()
            if plan and ended >= plan[0][0] * len(self.submitted):
                if plan[0][1]():
                    plan.popleft()
            elif not plan and self._chaos(ended):
                continue
            elif ended >= len(self.submitted):
                return
            pause(100_000)
        self.stage.tell("late", "The demo has run out of time")

    def _replace(self) -> None:
        for name, status in self.crew.fill():
            if status is not None and status >= 0:
                raise StoreUnavailable(
                    f"Worker {name} ended by itself, with status {status}: {self.crew.last_words()}\n"
                    "The demo is over. What was submitted is in the store, untouched."
                )
            if status is not None:
                words = f"Worker {name} was ended by signal {-status}; another process takes its place"
                self.stage.tell("replace", words, worker=name, signal=-status)

    def _show(self) -> int:
        """Draw; returns how many jobs have ended."""
        counts = self.store.insights.counts()
        if self.acts.kills and self.acts.kills[0].rerun_at is None and self.acts.kills[0].look(self._ledger()):
            first = self.acts.kills[0]
            after = ((first.rerun_at or 0) - first.at) / SECOND
            self.stage.tell(
                "rerun", f"A job of the killed worker runs again, {after:.2f} s after the kill", seconds=after
            )
        ended = counts.get(State.SUCCEEDED, 0) + counts.get(State.DEAD, 0)
        shown = {
            state.value: counts.get(state, 0) for state in (State.RUNNING, State.READY, State.SCHEDULED, State.DEAD)
        }
        self.stage.progress(ended, len(self.submitted), self._workers(), **shown)
        return ended

    def _workers(self) -> dict[str, str]:
        now = self.store.now()
        bars = {s.pid: _lease_bar(s.renewed_at + s.lease_us - now, s.lease_us) for s in self.store.insights.sessions()}
        states = {m.name: "paused" if m.paused else "gone" if m.gone else "works" for m in self.crew.members.values()}
        return {m.name: f"{states[m.name]} {bars.get(m.pid, '')}".strip() for m in self.crew.members.values()}

    def _chaos(self, ended: int) -> bool:
        """Keep killing and pausing while time is left; True when it did something."""
        now = self.clock.steady()
        if now - self.stage.began > self.chaos_us:
            return False
        if ended > len(self.submitted) - 300:
            self.submit(poison=False)
        if now < self._next_chaos:
            return False
        self._next_chaos = now + self._rng.randint(SECOND, 4 * SECOND)
        return self._rng.choice((self.acts.kill, self.acts.pause))()

    def _ledger(self) -> list[Any]:
        from relet.cli.demo.workload import effects

        return list(effects(self.crew.ledger))

    def _seen(self, statuses: dict[str, int]) -> dict[str, Any]:
        ledger = self._ledger()
        for kill in self.acts.kills:
            kill.look(ledger)
        after = [(kill.rerun_at - kill.at) / SECOND for kill in self.acts.kills[:1] if kill.rerun_at is not None]
        return {
            "late_writes_refused": self.crew.refused(),
            "processes_killed": self.crew.started - len(self.crew.members),
            "processes_paused": self.acts.pauses,
            "seconds_to_rerun": after[0] if after else None,
            "drained": all(status == 0 for status in statuses.values()),
        }


def _lease_bar(left_us: int, lease_us: int) -> str:
    """How much of its lease is left."""
    full = max(0, min(8, 8 * left_us // max(lease_us, 1)))
    return "▓" * full + "░" * (8 - full)
