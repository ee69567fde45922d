"""Where a job can stand, and which way it may go: the one transition table.

                ┌────────────── retry, snooze ───────────────┐
                ▼                                            │
enqueue ──► scheduled ── due ──► ready ── claim ──► running ─┤
   └──────────────────────────────▲ │                 │      ├─► succeeded
                                  │ │                 │      ├─► cancelled
                                  │ └── cancel ───────┼──────┘
                                  ├─ release, lost ───┘      └─► dead ── retry by a person ──► ready
enqueue ──► waiting ── what it comes after has ended, its limits let it in ──► ready, scheduled, or cancelled

A job with limits goes from scheduled, and from dead, to waiting: it becomes ready when they let it in again.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job stands. A job has exactly one state, kept as one pointer row in the table of that name."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    DEAD = "dead"

    @property
    def ended(self) -> bool:
        """True when nothing moves the job any more, but for a person who retries a dead one."""
        return self in ENDED


ENDED = frozenset({State.SUCCEEDED, State.CANCELLED, State.DEAD})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.READY, State.SCHEDULED, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.WAITING, State.READY, State.SCHEDULED, State.CANCELLED}),
    State.READY: frozenset({State.RUNNING, State.SCHEDULED, State.CANCELLED}),
    State.RUNNING: frozenset({State.READY, State.SCHEDULED, State.SUCCEEDED, State.CANCELLED, State.DEAD}),
    State.SUCCEEDED: frozenset(),
    State.CANCELLED: frozenset(),
    State.DEAD: frozenset({State.READY, State.WAITING}),
}


def may_go(old: State, new: State) -> bool:
    """True when the table has this transition."""
    return new in TRANSITIONS[old]
