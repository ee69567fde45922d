"""The proof: what the ledger says, what the store says, and what the same work gives when it is done directly."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from relet.cli.demo.workload import Effect, digest, measured
from relet.job.state import State
from relet.store.reads import Insights
from relet.store.records import uuid_of


@dataclass(frozen=True)
class Submitted:
    """A job of the demo, and what it must come to."""

    job_id: bytes
    task: str
    path: str = ""


@dataclass(frozen=True)
class Proof:
    """The figures, and whether they hold."""

    submitted: int
    done: int
    dead: int
    dead_others: int
    """Dead letters that are not the poison."""
    poison_reason: str
    effects: int
    effects_distinct: int
    effects_repeated: int
    """By runs that a kill or a pause cut off from their settle; the idempotency key tells that they are the same."""
    effects_contradicting: int
    """Repeated effects that differ: none, since the work is the same."""
    lost: int
    results_compared: int
    results_different: int
    late_writes_refused: int
    processes_killed: int
    processes_paused: int
    seconds_to_rerun: float | None
    """From the kill to the first run of a job that the killed worker held."""
    drained: bool
    """All workers ended with status 0 when they were told to stop."""

    @property
    def faults(self) -> list[str]:
        """What does not hold, in words."""
        checks = (
            (self.lost == 0, f"{self.lost} jobs were lost"),
            (
                self.done == self.effects_distinct,
                f"{self.done} jobs done, but {self.effects_distinct} distinct effects",
            ),
            (self.submitted == self.done + self.dead, "submitted is not done plus dead"),
            (self.dead_others == 0, f"{self.dead_others} innocent jobs are dead"),
            (self.poison_reason == "poison", f"the poison job ended as {self.poison_reason!r}"),
            (self.effects_contradicting == 0, f"{self.effects_contradicting} repeated effects differ"),
            (self.results_different == 0, f"{self.results_different} results differ from the direct computation"),
            (self.results_compared > 0, "no result was compared"),
            (self.late_writes_refused >= 1, "no late write was seen to be refused"),
            (self.seconds_to_rerun is not None, "no job of the killed worker was seen to run again"),
            (self.drained, "a worker did not end cleanly when it was told to stop"),
        )
        return [words for holds, words in checks if not holds]

    def record(self) -> dict[str, Any]:
        """As data."""
        return {**asdict(self), "holds": not self.faults, "faults": self.faults}

    def lines(self) -> list[str]:
        """For people."""
        rerun = "never" if self.seconds_to_rerun is None else f"{self.seconds_to_rerun:.2f} s"
        return [
            f"{self.submitted:,} submitted · {self.done:,} done · {self.dead} dead (the poison) · {self.lost} lost",
            f"{self.effects:,} effects in the ledger, {self.effects_distinct:,} distinct",
            f"{self.effects_repeated} effects repeated by a kill or a pause, told by their idempotency key",
            f"{self.processes_killed} processes killed · {self.processes_paused} paused past the lease",
            f"{self.late_writes_refused} late writes refused",
            f"{rerun} from the kill to the next run of a job that the killed worker held",
            f"{self.results_compared:,} results compared with a direct computation, {self.results_different} different",
            *(f"FAILED: {fault}" for fault in self.faults),
            "The proof does not hold." if self.faults else "The proof holds.",
        ]


def prove(
    insights: Insights,
    submitted: Sequence[Submitted],
    ledger: Iterable[Effect],
    direct: Direct,
    seen: Mapping[str, Any],
) -> Proof:
    """Put it together. `seen` are the figures that only the director knows."""
    ends = {one.job_id: insights.job(one.job_id) for one in submitted}
    states = Counter(row.state if row else None for row in ends.values())
    dead = {job_id for job_id, row in ends.items() if row and row.state is State.DEAD}
    poisons = [one.job_id for one in submitted if one.task == "poison"]
    words: dict[str, list[str]] = {}
    for effect in ledger:
        words.setdefault(effect.key, []).append(effect.digest)
    mine = {str(uuid_of(one.job_id)): one for one in submitted}
    distinct = [key for key in words if key in mine]
    results = {f"{one.path}#{n}": _result(ends[one.job_id]) for n, one in enumerate(submitted) if one.path}
    different = direct.compare(results)
    return Proof(
        submitted=len(submitted),
        done=states[State.SUCCEEDED],
        dead=len(dead),
        dead_others=len(dead - set(poisons)),
        poison_reason=_reasons(insights, poisons),
        effects=sum(map(len, words.values())),
        effects_distinct=len(distinct),
        effects_repeated=sum(len(found) - 1 for found in words.values()),
        effects_contradicting=sum(len(set(found)) > 1 for found in words.values()),
        lost=len(submitted) - states[State.SUCCEEDED] - len(dead),
        results_compared=len(results),
        results_different=different,
        **seen,
    )


def _result(row: Any) -> str:
    return "" if row is None or row.result is None else row.result


def _reasons(insights: Insights, poisons: Sequence[bytes]) -> str:
    from relet.store.rows import DeadFilter

    found = {d.job_id: d.reason for d in insights.dead(DeadFilter(limit=1000))}
    reasons = {found.get(job_id, "not dead") for job_id in poisons}
    return reasons.pop() if len(reasons) == 1 else ", ".join(sorted(reasons))


class Direct:
    """The same computation, done here without any queue: beside the workers, with what they leave of the processors."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=os.nice, initargs=(10,))
        self._words = self._pool.map(directly, paths, chunksize=32)
        self._paths = paths

    def compare(self, results: Mapping[str, str]) -> int:
        """How many results differ. Waits until all is computed."""
        words = dict(zip(self._paths, self._words, strict=True))
        return sum(words[path.partition("#")[0]] != _word(text) for path, text in results.items())

    def close(self) -> None:
        """Stop computing."""
        self._pool.shutdown(cancel_futures=True)


def directly(path: str) -> str:
    """One file, without any queue."""
    return digest(measured(Path(path)))


def _word(text: str) -> str:
    from relet.cli.demo.workload import Measured

    return digest(Measured(**json.loads(text))) if text else "no result"
