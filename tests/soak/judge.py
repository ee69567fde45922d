"""The history checker: from what was acknowledged, what ran and what the rows say, to violations and figures. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

INNOCENT = ("quick", "nap", "plain", "apart", "flaky", "keyed", "snoozer", "pay")
DOOMED_ATTEMPTS = 2
MAX_CRASHES = 3
PATIENCE_US = 60_000_000
"""A re-run that comes later than this is no re-run because of a fault."""


class Ack(NamedTuple):
    """A job that a producer was told of."""

    job: str
    created: bool
    plan: Mapping[str, Any]


class Run(NamedTuple):
    """One line that a run has written."""

    word: str
    job: str
    epoch: int
    at: int
    pid: int
    key: str


class End(NamedTuple):
    """Where a job is in the store."""

    job: str
    task: str
    state: str
    epoch: int
    attempt: int
    crashes: int
    created_at: int
    ended_at: int | None
    key: str = ""
    reason: str = ""


class Fault(NamedTuple):
    """Something that was done to a process that held jobs: of each the fencing token that it held."""

    kind: str
    at: int
    held: Mapping[str, int]


@dataclass
class History:
    """Everything that is known at the end."""

    acks: Sequence[Ack] = ()
    asked: int = 0
    runs: Sequence[Run] = ()
    ends: Mapping[str, End] = field(default_factory=dict[str, End])
    attempts: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict[str, Sequence[tuple[int, str]]])
    """Of each job, its claims that did not end in success: (epoch, outcome)."""
    effects: Sequence[tuple[str, int]] = ()
    """Rows that runs have written in the transaction of their settle: (job, epoch)."""
    cured: frozenset[str] = frozenset()
    """Dead letters that a producer was told to run again, with better arguments."""
    cancelled: frozenset[str] = frozenset()
    faults: Sequence[Fault] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """What was counted elsewhere: kills, late writes that were refused."""
    complaints: Sequence[str] = ()
    """What was seen to go wrong while it ran."""


@dataclass
class Verdict:
    """What is to be said about a history."""

    violations: list[str]
    figures: dict[str, Any]

    @property
    def holds(self) -> bool:
        return not self.violations


def judge(history: History) -> Verdict:
    """Check I1 to I5, I7, I8 and I11 (see docs/guarantees.md), and count."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in history.runs:
        runs[run.job].append(run)
    lost = sorted({ack.job for ack in history.acks} - history.ends.keys())
    twice = list(_settled_twice(history))
    found = [
        *history.complaints,
        *(f"lost: job {job} was acknowledged and is nowhere (I1)" for job in lost),
        *twice,
        *_unended(history),
        *_superseded(history, runs),
        *_not_returned(history, runs),
        *_miscounted(history),
        *_keys_twice(history),
        *_invented(history),
        *(f"job {run.job} was handed two idempotency keys" for run in history.runs if run.key != run.job),
    ]
    return Verdict(found, _figures(history, runs, lost=len(lost), twice=len(twice)))


def _unended(history: History) -> Iterable[str]:
    for end in history.ends.values():
        if end.state not in ("succeeded", "dead", "cancelled"):
            yield f"job {end.job} ({end.task}) is still {end.state} after everything (I1)"


def _settled_twice(history: History) -> Iterable[str]:
    """I2: one end, and nothing after it."""
    paid = Counter(job for job, _ in history.effects)
    for job, count in paid.items():
        end = history.ends.get(job)
        if count > 1:
            yield f"job {job} was settled {count} times: each left its effect (I2)"
        if end is None or end.state != "succeeded":
            yield f"job {job} left an effect and did not succeed (I2)"
    for job, epoch in history.effects:
        end = history.ends.get(job)
        if end is not None and end.epoch != epoch:
            yield f"job {job} succeeded in claim {end.epoch}, and its effect is of claim {epoch} (I3)"
    for end in history.ends.values():
        if end.task == "pay" and end.state == "succeeded" and not paid[end.job]:
            yield f"job {end.job} succeeded without its effect (I2)"
        if end.state == "succeeded" and any(epoch >= end.epoch for epoch, _ in history.attempts.get(end.job, ())):
            yield f"job {end.job} has an end behind its success (I2)"


def _superseded(history: History, runs: Mapping[str, Sequence[Run]]) -> Iterable[str]:
    """I3, I4: the last claim is the one that counts, and claims are numbered without gap."""
    for end in history.ends.values():
        began = {run.epoch for run in runs.get(end.job, ()) if run.word == "began"}
        if began and max(began) > end.epoch:
            yield f"job {end.job} ran as claim {max(began)}, and its end is that of claim {end.epoch} (I3)"
        epochs = [epoch for epoch, _ in history.attempts.get(end.job, ())]
        expected = list(range(1, end.epoch if end.state == "succeeded" else end.epoch + 1))
        if epochs != expected:
            yield f"job {end.job} ({end.state}, claim {end.epoch}) has ended claims {epochs} (I4)"


def _not_returned(history: History, runs: Mapping[str, Sequence[Run]]) -> Iterable[str]:
    """I5: completed means that the function returned."""
    for end in history.ends.values():
        returned = {run.epoch for run in runs.get(end.job, ()) if run.word == "returned"}
        if end.state == "succeeded" and end.epoch not in returned:
            yield f"job {end.job} ({end.task}) succeeded in claim {end.epoch}, whose function never returned (I5)"


def _miscounted(history: History) -> Iterable[str]:
    """I7 and the counters: each job has paid for its own failures and for nothing else."""
    plans = {ack.job: ack.plan for ack in history.acks if ack.created}
    for end in history.ends.values():
        plan = plans.get(end.job, {})
        for flaw in _flaws(end, plan, history):
            yield f"job {end.job} ({end.task}) {flaw}"


def _flaws(end: End, plan: Mapping[str, Any], history: History) -> Iterable[str]:
    if end.task == "poison":
        if (end.state, end.reason, end.crashes, end.attempt) != ("dead", "poison", MAX_CRASHES, 0):
            yield f"is {end.state} ({end.reason}) after {end.crashes} crashes and {end.attempt} attempts (I7)"
        return
    if end.crashes:
        yield f"paid {end.crashes} crashes for others (I7)"
    if end.task == "doomed":
        cured = end.job in history.cured
        if end.state != ("succeeded" if cured else "dead"):
            yield f"is {end.state}, and it was {'cured' if cured else 'doomed'}"
        if end.attempt != (0 if cured else DOOMED_ATTEMPTS):
            yield f"has {end.attempt} attempts"
    elif end.task == "endless":
        if end.state != "cancelled":
            yield f"is {end.state}, and it was to be cancelled"
    elif end.task in INNOCENT:
        allowed = ("succeeded", "cancelled") if end.task == "keyed" else ("succeeded",)
        if end.state not in allowed:
            yield f"is {end.state} ({end.reason}) for no reason of its own"
        elif (
            end.state == "succeeded"
            and plan
            and not 0 <= end.attempt - plan.get("failures", 0) <= _own_loss(end, history)
        ):
            yield f"paid {end.attempt} attempts, and failed {plan.get('failures', 0)} times (I7)"


def _own_loss(end: End, history: History) -> int:
    """A statement of the task itself, in a transaction that ends with the server, fails by the driver's own error."""
    return history.counts.get("store_restarts", 0) if end.task == "pay" else 0


def _keys_twice(history: History) -> Iterable[str]:
    """I8: of two jobs with one key, the first had ended when the second was accepted."""
    spans: dict[str, list[End]] = defaultdict(list)
    for end in history.ends.values():
        if end.key:
            spans[end.key].append(end)
    for key, ends in spans.items():
        ends.sort(key=lambda end: end.created_at)
        for one, other in pairwise(ends):
            if one.ended_at is None or one.ended_at > other.created_at:
                yield f"jobs {one.job} and {other.job} held key {key!r} at once (I8)"


def _invented(history: History) -> Iterable[str]:
    """I11: every job in the store was asked for."""
    made = {ack.job for ack in history.acks if ack.created}
    extra = len(history.ends.keys() - made)
    open_ends = history.asked - sum(1 for _ in history.acks)
    if extra > open_ends:
        yield f"{extra} jobs are there that nobody was told of, and only {open_ends} calls went without an answer (I11)"


def _figures(history: History, runs: Mapping[str, Sequence[Run]], *, lost: int, twice: int) -> dict[str, Any]:
    states = Counter(end.state for end in history.ends.values())
    began = sum(run.word == "began" for run in history.runs)
    return {
        "jobs": len(history.ends),
        "acknowledged": len({ack.job for ack in history.acks}),
        **{state: states[state] for state in ("succeeded", "dead", "cancelled")},
        "runs": began,
        "runs_again": began - len({run.job for run in history.runs if run.word == "began"}),
        **history.counts,
        **{f"recovered_{kind}": recovery(history.faults, runs, kind) for kind in ("kill", "stop")},
        "lost": lost,
        "settled_twice": twice,
    }


def recovery(faults: Sequence[Fault], runs: Mapping[str, Sequence[Run]], kind: str) -> dict[str, float]:
    """Seconds from a fault to the next run of each job that the process held: how many, median, 99th, longest."""
    waits: list[float] = []
    for fault in faults:
        if fault.kind != kind:
            continue
        for job, epoch in fault.held.items():
            again = [
                run.at
                for run in runs.get(job, ())
                if run.word == "began" and run.epoch > epoch and fault.at <= run.at < fault.at + PATIENCE_US
            ]
            if again:
                waits.append((min(again) - fault.at) / 1e6)
    waits.sort()
    if not waits:
        return {"jobs": 0}
    return {
        "jobs": len(waits),
        "p50": round(waits[len(waits) // 2], 2),
        "p99": round(waits[min(len(waits) - 1, len(waits) * 99 // 100)], 2),
        "max": round(waits[-1], 2),
    }
