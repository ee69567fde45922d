"""The test harness: an app on a store of its own, and workers that do what the test says."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Literal, Self, TypeVar

from relet.app import App
from relet.clock import SECOND, Ids, ManualClock
from relet.handles import Job
from relet.job.duration import Duration, to_us
from relet.job.job import Claim
from relet.job.schedule import check_together
from relet.job.settlement import Answer
from relet.job.state import State
from relet.maintain.declaring import declare
from relet.store.records import uuid_of
from relet.store.rows import JobRow
from relet.task import Task
from relet.testing.hand import Hand, Killed
from relet.testing.looking import Result, call_text, jobs_of, listing

R = TypeVar("R")

LEASE_US = 90_000_000
MOST_RUNS = 10_000
PROMOTE = 10_000
FIRED = 1_000

When = Literal["claim", "mid", "before_commit", "after_commit"]


class Harness:
    """See `relet.testing`. Made by `relet_test(app)`; closing it gives the app its own store back."""

    def __init__(self, app: App, *, offers: tuple[str, ...] | None = None) -> None:
        """`offers`: what the worker offers, as `key=value`; by default all that the app's tasks require."""
        self.app = app
        self.clock = ManualClock()
        self._ids = Ids(self.clock)
        self._offers = offers if offers is not None else _all_needs(app)
        self._stack = ExitStack()
        url = f"sqlite:///:memory:?name=test-{Ids().session().hex()}"
        self._stack.enter_context(app.moved(url, self.clock))
        self._store = app.open_store()
        self._stack.callback(self._store.close)
        self._declare()
        self._worker = self._new_worker(LEASE_US)

    def close(self) -> None:
        """Give the app its own store back."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # ── what was enqueued ─────────────────────────────────────────────────────────────────────────────────────────
    def enqueued(self, task: Task[..., R], /, **partial: Any) -> list[Job[R]]:
        """Jobs of a task, in any state, whose arguments are these as far as given; the oldest first."""
        return [self._job(task, row) for row in reversed(list(jobs_of(self._store, task, partial)))]

    def assert_enqueued(self, task: Task[..., R], /, **partial: Any) -> Job[R]:
        """There is such a job; returns the newest."""
        found = self.enqueued(task, **partial)
        if not found:
            raise AssertionError(f"{call_text(task, partial)} was not enqueued. {listing(self._store)}")
        return found[-1]

    def refute_enqueued(self, task: Task[..., Any], /, **partial: Any) -> None:
        """There is no such job."""
        found = self.enqueued(task, **partial)
        if found:
            raise AssertionError(f"{call_text(task, partial)} was enqueued {len(found)} times. {listing(self._store)}")

    def result(self, task: Task[..., R], /, **partial: Any) -> Result[R]:
        """How the newest such job ended. Fails if there is none, or if it has not ended."""
        row = next(jobs_of(self._store, task, partial), None)
        if row is None:
            raise AssertionError(f"{call_text(task, partial)} was not enqueued. {listing(self._store)}")
        if not row.state.ended:
            raise AssertionError(
                f"{call_text(task, partial)} is {row.state}. Run jobs with t.run_until_idle(); one that waits for its time "
                f"needs t.advance(…) before. {listing(self._store)}"
            )
        return Result(self._job(task, row), row.state, row.error or "", row.attempt)

    def _job(self, task: Task[..., R], row: JobRow) -> Job[R]:
        return Job(self.app, row.id, task)

    # ── time and work ─────────────────────────────────────────────────────────────────────────────────────────────
    def advance(self, duration: Duration) -> None:
        """Let time pass, for the store, the leases and the app. Jobs that become due are run by `run_until_idle`."""
        self.clock.advance(to_us(duration, name="duration"))
        self._keep_alive()

    def run_until_idle(self, *, skip_ahead: bool = False) -> int:
        """Run every job that is due, and what those enqueue; returns how many runs there were.

        With `skip_ahead` the clock jumps to whatever is due next (retries, delayed jobs) until nothing is left.
        """
        runs = self._work({})
        while skip_ahead and (due := self._store.next_due()) is not None and runs < MOST_RUNS:
            self.clock.advance(max(0, due - self.clock.now()))
            runs += self._work({}, MOST_RUNS - runs)
        return runs

    def fire(self) -> list[str]:
        """Make the jobs of routines and schedules that are due now, as any worker does each second; returns their names.

        The jobs are run by `run_until_idle`. A routine that waits for another one is fired when that has succeeded: call this
        again. An interval is due for the first time when the harness is made.
        """
        fired: list[str] = []
        left: set[str] = set()
        while (look := self._store.fire_due(self._ids.jobs, FIRED, left)).looked:
            fired += [firing.schedule for firing in look.fired]
            left |= set(look.left)
        return sorted(fired)

    def play(self, duration: Duration) -> int:
        """Let time pass as a worker lives through it: whatever becomes due is fired and run in its time, be it routines,
        schedules, retries or delayed jobs. Returns how many runs there were."""
        end = self.clock.now() + to_us(duration, name="duration")
        runs = self._fire_and_work(MOST_RUNS)
        while (due := self._next_event()) <= end:
            self._pass_until(due)
            runs += self._fire_and_work(MOST_RUNS - runs)
        self._pass_until(end)
        return runs

    def _fire_and_work(self, most_runs: int) -> int:
        """Until nothing is due."""
        runs = 0
        while True:
            fired, ran = self.fire(), self._work({}, most_runs - runs)
            if not fired and not ran:
                return runs
            runs += ran

    def _next_event(self) -> int:
        """When something is due next. What is due and cannot be done here is looked at again each second."""
        events = [at for at in (self._store.next_due(), self._store.next_firing()) if at is not None]
        soonest, now = min(events, default=2**62), self.clock.now()
        return soonest if soonest > now else now + SECOND

    def _pass_until(self, at: int) -> None:
        self.clock.advance(max(0, at - self.clock.now()))
        self._keep_alive()

    def run_at_most(self, most: Mapping[Task[..., Any], int]) -> int:
        """`run_until_idle`, but these tasks at most so many times: for jobs that enqueue themselves again."""
        return self._work({task.name: count for task, count in most.items()})

    def _work(self, most: dict[str, int], most_runs: int = MOST_RUNS) -> int:
        """One job after the other. A task enqueued meanwhile, by one of them, is run too."""
        for runs in range(most_runs):
            self._do_chores()
            claim = self._worker.claim([name for name in self.app.tasks if most.get(name, 1) > 0])
            if claim is None:
                return runs
            if claim.task in most:
                most[claim.task] -= 1
            self._worker.settle(*self._worker.run(claim))
            self._mourn(claim)
        raise AssertionError(
            f"There were {most_runs:,} runs, and there is still work. If jobs enqueue themselves, use "
            f"t.run_at_most({{task: 3}}). {listing(self._store)}"
        )

    def _declare(self) -> None:
        """Limits and routines, as a worker that starts writes them to the store."""
        check_together(self.app.schedules_of_code)
        declare(self._store, self.app, self.app.settings)
        self._declared = dict(self.app.limits_of_code)

    def _mourn(self, claim: Claim) -> None:
        """Call the hooks of `app.on_dead` as a worker does, but in the test's own thread."""
        if self.app.hooks and (row := self._store.insights.job(claim.job_id)) and row.state is State.DEAD:
            self.app.hooks.call(uuid_of(row.id))

    def _do_chores(self) -> None:
        """What any worker does beside its jobs."""
        self._keep_alive()
        if self._declared != self.app.limits_of_code:  # by a task that was declared meanwhile
            self._declare()
        self._store.tie(PROMOTE)
        self._store.promote(PROMOTE)
        self._store.reclaim_expired()
        self._store.honour_cancels(PROMOTE)

    def _keep_alive(self) -> None:
        self.app.breakers.flush()
        if not self._worker.renew():
            self._worker = self._new_worker(LEASE_US)

    # ── faults ────────────────────────────────────────────────────────────────────────────────────────────────────
    def crash(self, task: Task[..., R], at: When = "mid") -> Job[R]:
        """A worker takes the next job of this task and is killed; another one sees that, and gives its job back.

        `at`: "claim", before the function is called; "mid", when it first says something to its context, or where it ends;
        "before_commit", when it has returned and that is not written yet; "after_commit", when it is written and the worker
        has not heard of it. What the function did outside stays done. `run_until_idle` then runs the job again.
        """
        worker = self._new_worker(LEASE_US)
        claim = self._claimed(worker, task)
        if at != "claim":
            worker.fragile = at == "mid"
            with suppress(Killed):
                run, outcome = worker.run(claim)
                if at == "after_commit":
                    worker.settle(run, outcome)
        worker.close()
        self._store.reclaim(worker.session_id, "its process was killed")
        return Job(self.app, claim.job_id, task)

    def zombie(self, task: Task[..., R], for_: Duration = "3m") -> Job[R]:
        """A worker takes the next job of this task, and stands still for `for_`, twice its lease. Meanwhile another one runs
        the job. Then the first wakes up, runs the function too, and writes: asserts that this is refused.
        """
        pause_us = to_us(for_, name="for_")
        zombie = self._new_worker(max(1, pause_us // 2))
        claim = self._claimed(zombie, task)
        self.advance(for_)
        self._work({})
        answer = zombie.settle(*zombie.run(claim))
        if answer is not Answer.FENCED:
            raise AssertionError(f"The late write of a worker that had lost its lease was {answer}, not refused.")
        return Job(self.app, claim.job_id, task)

    def _claimed(self, worker: Hand, task: Task[..., Any]) -> Claim:
        self._do_chores()
        claim = worker.claim([task.name])
        if claim is None:
            raise AssertionError(f"No job of {task.name} is due, so no worker can take it. {listing(self._store)}")
        return claim

    def _new_worker(self, lease_us: int) -> Hand:
        worker = Hand(self.app.open_store, self._ids.session(), self.app.tasks, self.clock, lease_us, self._offers)
        self._stack.callback(worker.close)
        return worker


def relet_test(app: App, *, offers: tuple[str, ...] | None = None) -> Harness:
    """Put the app on a store in memory with a clock that stands still, until the harness is closed.

    Transactions given by `tx=`, `app.bind` or Django are passed over: the store of the test cannot be part of them.
    """
    return Harness(app, offers=offers)


@contextmanager
def inline(app: App) -> Generator[Harness]:
    """Within this block, a job runs to its end as soon as it is enqueued, retries and delays included, in the calling thread.

    It still goes through the store and the codec: its handle has a state and a result.
    """
    with Harness(app) as harness:
        app.when_enqueued = lambda: harness.run_until_idle(skip_ahead=True)
        try:
            yield harness
        finally:
            app.when_enqueued = None


def _all_needs(app: App) -> tuple[str, ...]:
    return tuple(sorted({need for task in app.tasks.values() for need in task.spec.needs}))
