"""What jobs do in the simulation, and an executor that does it in virtual time."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from relet.clock import MS, SECOND
from relet.job.outcome import BreakerOpen, Ended, Outcome, Snooze
from relet.job.retry import Retry
from relet.options import TaskSpec
from relet.work.run import Run

if TYPE_CHECKING:
    from tests.simulation.node import Node

TASK, CALL = "t", "stripe"
LAST = 1
"""Epochs of which a job that snoozes does."""


def body() -> None:
    """Where a child process would find the task."""


class PlainCodec:
    """Arguments are kept as text; results are nothing."""

    def decode_args(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (text,), {}

    def encode_result(self, value: Any) -> str:
        return "null"


class SimTask:
    """The one task."""

    name = TASK
    fn = staticmethod(body)
    spec = TaskSpec(retry=Retry(3, backoff="exp", first=0.3, cap=2))
    codec = PlainCodec()
    takes_context = False
    is_async = True
    tracing = None

    def spares(self, queue: str, error: BaseException) -> tuple[str, ...]:
        """Every error counts."""
        return ()


class Bodies:
    """An executor. With `solo`, each body has a process of its own, which may die without the worker."""

    def __init__(self, node: "Node", *, solo: bool) -> None:
        self._node = node
        self._solo = solo

    def start(self, runs: Sequence[Run]) -> None:
        for run in runs:
            outcome = self._node.runner.prepare(run)
            if outcome is not None:
                self._node.runner.conclude(run, outcome)
            else:
                self._begin(run)

    def _begin(self, run: Run) -> None:
        node = self._node
        node.judge.begins(node.process, run.session_id, run.key)
        kind = json.loads(run.args[0])
        run.handle = kind
        node.world.after(kind["us"], lambda: self._end(run, kind["does"]), node.process)

    def _end(self, run: Run, does: str) -> None:
        node = self._node
        if run.key not in node.runner.runs or node.runner.runs[run.key] is not run:
            return
        if does == "kill":
            self._kill(run)
        elif does != "hang":
            node.still_runs(run)
            self._conclude(run, does)

    def _conclude(self, run: Run, does: str) -> None:
        match does:
            case "fail":
                self._raise(run, RuntimeError("broken"))
            case "fail once" if run.claim.counters.attempt == 0:
                self._raise(run, RuntimeError("broken"))
            case "snooze" if run.claim.epoch <= LAST:
                self._raise(run, Snooze(0.2))
            case "meet" if self._node.judge.circuits.turns_away(CALL, self._node.world.now):
                self._raise(run, BreakerOpen(CALL, 0, 3600 * SECOND, ""))
            case _:
                self._node.judge.returned(run.key)
                self._node.runner.conclude(run, run.returned(None))

    def _raise(self, run: Run, error: BaseException) -> None:
        self._node.runner.conclude(run, run.raised(error))

    def _kill(self, run: Run) -> None:
        if self._solo:
            stop = run.stop
            outcome = Outcome(stop.ended if stop else Ended.CRASH, error="killed by signal 9")
            self._node.runner.conclude(run, outcome)
        else:
            self._node.die("poison")

    def interrupt(self, run: Run) -> None:
        if run.handle is not None and not run.handle.get("stubborn"):
            stopped: Callable[[], None] = lambda: self._interrupted(run)  # noqa: E731  a name for its type
            self._node.world.after(5 * MS, stopped, self._node.process)

    def _interrupted(self, run: Run) -> None:
        if self._node.runner.runs.get(run.key) is run:
            self._raise(run, KeyboardInterrupt())

    def give_up(self, run: Run) -> bool:
        if self._solo:
            self._node.world.after(MS, lambda: self._interrupted(run), self._node.process)
        return self._solo


def kinds(us: int) -> dict[str, dict[str, Any]]:
    """Jobs of all sorts, by name, as their arguments; most take about so long."""
    return {
        "quick": {"does": "return", "us": us},
        "slow": {"does": "return", "us": 6 * SECOND},
        "stubborn": {"does": "return", "us": 5 * SECOND, "stubborn": True},
        "fail once": {"does": "fail once", "us": us},
        "fail": {"does": "fail", "us": us},
        "snooze": {"does": "snooze", "us": us},
        "hang": {"does": "hang", "us": us},
        "poison": {"does": "kill", "us": us},
        "meet": {"does": "meet", "us": us},
    }
