"""What has to hold of what the runs and the store have written down."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from examples.orchestrator.ledger import Run
from relet.routines import FiringInfo


def met(blocking: Sequence[Run], blocked: Sequence[Run]) -> list[tuple[Run, Run]]:
    """Runs that were at it at the same time, whichever worker they were on. There must be none."""
    return [(one, two) for one in blocking for two in blocked if one.began < two.ended and two.began < one.ended]


def unfounded(dependent: Sequence[FiringInfo], dependency: Sequence[FiringInfo]) -> list[FiringInfo]:
    """Those of the runs that were made although no run of what they depend on had succeeded since the run before. There must be
    none."""
    made = sorted((firing for firing in dependent if firing.job_id), key=lambda firing: firing.fired_at)
    successes = [firing.ended_at for firing in dependency if firing.ended_at and firing.outcome == "succeeded"]
    return [
        after
        for before, after in pairwise(made)
        if not any(before.fired_at <= success <= after.fired_at for success in successes)
    ]
