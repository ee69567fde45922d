"""What else moves when a pointer has moved: children of jobs that have ended, the batches that count them, the schedules that
made them, the addresses that they name, and who stands in line for the limits that a job has left.

A script without I/O, in the transaction of whatever moved the pointer, so that it holds for a caller's own connection too.
Work is done only for pointers with a flag. Locks are taken in one order: the pointers that moved, batches, children,
edges, schedules, rules of limits, gates, shares; each in the order of their ids or names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from relet.job.after import satisfied
from relet.job.firing import AGAIN_US
from relet.job.job import Flag
from relet.job.state import State
from relet.store.gates import leave_for_later, pass_gates
from relet.store.link import Row
from relet.store.options import options_of
from relet.store.records import LimitPause
from relet.store.script import Step, Steps
from relet.store.shares import free_shared, newly_shared

FAILED = "failed"
"""How a batch ended of which a job is dead or was cancelled."""
GONE = "gone"
"""What is said of a parent of which nothing is known any more."""
DELETED = "deleted"
"""What is said of a dead letter that was deleted: nobody can retry it."""

_SAID = {
    State.SUCCEEDED: "schedule_succeeded",
    State.DEAD: "schedule_failed",
    State.CANCELLED: "schedule_cancelled",
}

OF_NOTE = int(Flag.PARENT | Flag.BATCH | Flag.FIRED | Flag.GATED | Flag.NOTIFY)
"""A pointer without one of these flags leaves nothing behind."""

_FAIR, _GATED = int(Flag.FAIR), int(Flag.GATED)
_IN = (State.READY, State.RUNNING, State.WAITING)
"""Where a job has the slots of its limits, or has not got them yet."""


class Moved(NamedTuple):
    """A pointer that has moved, with the flags that it had. To `waiting`: what it comes after holds it back no more; its limits
    have yet to let it in, or it has no place yet."""

    job_id: bytes
    flags: int
    to: State


def aftermath(
    moves: Iterable[Moved], due: Iterable[Row] = (), pauses: Sequence[LimitPause] = (), *, later: bool = False
) -> Steps[Counter[str]]:
    """Everything that follows from these moves. What it ends in turn is followed, too. Last but one come limits, with those
    whose line is `due` and `pauses` of some, and last the places among tenants; returns how many jobs the limits let in, by
    queues. `later`: limits are left to the next `tie`, for more pointers are yet to be locked, or the transaction stays open."""
    found = list(moves)
    fired: list[Moved] = []
    notable: list[Moved] = []
    came: list[Moved] = []
    left: list[bytes] = []
    while found:
        came += [moved for moved in found if moved.to is State.WAITING]
        left += [moved.job_id for moved in found if moved.flags & _GATED and moved.to not in _IN]
        ended = [moved for moved in found if moved.flags & OF_NOTE and moved.to.ended]
        fired += [moved for moved in ended if moved.flags & Flag.FIRED]
        notable += [moved for moved in ended if moved.flags & Flag.NOTIFY]
        closed, failing = yield from _count([moved for moved in ended if moved.flags & Flag.BATCH])
        parents = {moved.job_id: moved.to.value for moved in ended if moved.flags & Flag.PARENT}
        found = yield from tell_children(parents | closed, failing)
    yield from _tell_schedules(fired)
    if notable:
        yield Step("outbox_notify", [{"job_id": job_id, "event": f"job.{to}"} for job_id, _, to in sorted(notable)])
    newcomers = [moved.job_id for moved in came if moved.flags & _GATED]
    pass_now = leave_for_later(newcomers, left) if later else pass_gates(newcomers, left, due, pauses)
    passed = yield from pass_now
    yield from free_shared([*(moved.job_id for moved in came if not moved.flags & _GATED), *passed.fair])
    return passed.queues


def tell_children(outcomes: Mapping[bytes, str], failing: Sequence[bytes] = ()) -> Steps[list[Moved]]:
    """Tell those that wait for these jobs and batches how they ended; returns the children that can run no more, and those that
    have yet to pass their limits, or to get a place.

    `failing` are batches that go on, of which a job has failed."""
    parents = sorted({*outcomes, *failing})
    waiting = yield from _fetch("edge_children", "parent_id", parents)
    if not waiting:
        return []
    flags = yield from lock_children(child for (child,) in waiting)
    edges = yield Step("edge_end", [{"parent_id": p, "outcome": outcomes[p]} for p in sorted(outcomes)], fetch=True)
    edges += yield from _fetch("edge_fail", "parent_id", sorted(failing))
    return (yield from resolve(edges, flags))


def lock_children(children: Iterable[bytes], name: str = "waiting_lock") -> Steps[dict[bytes, int]]:
    """Hold those of these jobs that still wait; their flags."""
    rows = yield from _fetch(name, "job_id", sorted(set(children)))
    return dict(rows)  # type: ignore[arg-type]  # two columns


def resolve(edges: Sequence[Row], flags: dict[bytes, int]) -> Steps[list[Moved]]:
    """Draw the consequences of edges (child, parent, need, outcome) that were resolved just now: see `tell_children`."""
    done = Counter(child for child, *_ in edges)
    late = done.keys() - flags.keys()
    if late:  # their edges were committed since we looked
        flags = flags | (yield from lock_children(late))
    failed = {child: (parent, outcome) for child, parent, need, outcome in edges if not satisfied(need, outcome)}
    going_on = [child for child in sorted(done) if child in flags and child not in failed]
    rows = [{"job_id": child, "done": done[child]} for child in going_on]
    counted: list[Row] = (yield Step("waiting_count", rows, fetch=True)) if rows else []
    free = yield from let_go({child: flags[child] for child, left in counted if left <= 0})
    return free + (yield from _skip({child: failed[child] for child in sorted(failed) if child in flags}, flags))


def let_go(children: Mapping[bytes, int]) -> Steps[list[Moved]]:
    """Nothing that these jobs, with their flags, come after holds them back any more: waiting -> scheduled or ready. Those with
    limits or shares are returned: they have yet to pass, or to get a place."""
    plain = [child for child in sorted(children) if not children[child] & (_FAIR | _GATED)]
    fair = yield from newly_shared(plain)
    rows = [{"job_id": child} for child in plain if child not in fair]
    if rows:
        for name in ("free_scheduled", "free_ready", "free_waiting"):
            yield Step(name, rows)
    special = [child for child in children if children[child] & (_FAIR | _GATED)]
    return [Moved(child, children[child], State.WAITING) for child in (*special, *sorted(fair))]


def stop_waiting(children: Iterable[bytes]) -> Steps[None]:
    """The traces that a job which ends while it waits would leave: its key, what was asked of it, its open edges."""
    rows = [{"job_id": child} for child in children]
    if rows:
        for name in ("cancel_unique", "erase_control", "free_waiting", "edge_moot"):
            yield Step(name, rows)


def _skip(failed: Mapping[bytes, tuple[bytes, str]], flags: Mapping[bytes, int]) -> Steps[list[Moved]]:
    if not failed:
        return []
    rows = [{"job_id": child, "error": _skipped(*why)} for child, why in failed.items()]
    yield Step("skip_finished", rows)
    yield from stop_waiting(failed)
    return [Moved(child, flags[child], State.CANCELLED) for child in failed]


def _skipped(parent: bytes, outcome: str) -> str:
    return f"skipped: {UUID(bytes=parent)}, which it came after, {_ENDED.get(outcome, f'ended as {outcome}')}"


_ENDED = {
    GONE: "is not known any more",
    DELETED: "was deleted from the dead letters",
    FAILED: "ended with failures",
    State.SUCCEEDED: "ended without a failure",
    State.CANCELLED: "was cancelled",
    State.DEAD: "is dead",
}


def _count(ended: Sequence[Moved]) -> Steps[tuple[dict[bytes, str], list[bytes]]]:
    """Count these in their batches; returns how the batches that closed by it ended, and those that go on with a failure."""
    if not ended:
        return {}, []
    found = yield from _fetch("job_options", "job_id", [moved.job_id for moved in ended])
    batches = {job_id: options_of(options).batch for job_id, options in found}
    counts: dict[bytes, Counter[State]] = {}
    for moved in ended:
        batch = batches.get(moved.job_id)
        if batch is not None:
            counts.setdefault(bytes.fromhex(batch), Counter())[moved.to] += 1
    rows = [
        {
            "batch_id": batch,
            "done": count.total(),
            "succeeded": count[State.SUCCEEDED],
            "dead": count[State.DEAD],
            "cancelled": count[State.CANCELLED],
        }
        for batch, count in sorted(counts.items())
    ]
    counted = yield Step("batch_count", rows, fetch=True)
    closed = yield from close_batches([batch for batch, left, _ in counted if left <= 0])
    newly = {batch for batch, count in counts.items() if count[State.DEAD] or count[State.CANCELLED]}
    return closed, [batch for batch, *_ in counted if batch in newly and batch not in closed]


def _tell_schedules(fired: Sequence[Moved]) -> Steps[None]:
    """How these runs ended, to the schedules that made them; those of one that was deleted tell nobody."""
    if not fired:
        return
    rows = [{"job_id": moved.job_id, "outcome": moved.to.value} for moved in sorted(fired)]
    known = yield Step("firing_end", rows, fetch=True)
    for name, job_id, outcome in sorted(known):
        row = {"schedule": name, "job_id": job_id, "again_us": AGAIN_US}
        for statement in (_SAID[State(outcome)], "schedule_replace"):
            yield Step(statement, [row])


def close_batches(batches: Sequence[bytes]) -> Steps[dict[bytes, str]]:
    """Close those of these batches that have nothing open, each once; returns how they ended."""
    rows = yield from _fetch("batch_close", "batch_id", sorted(batches))
    return {batch: FAILED if failures else State.SUCCEEDED.value for batch, failures in rows}


def _fetch(name: str, column: str, values: Sequence[bytes]) -> Steps[list[Row]]:
    return (yield Step(name, [{column: value} for value in values], fetch=True)) if values else []
