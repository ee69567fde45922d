"""A schedule in a simulated history, whose every due time must have one run."""

import json
from random import Random

from relet.clock import MS, SECOND
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from tests.simulation.bodies import TASK, kinds
from tests.simulation.judge import Violation
from tests.store.beds import Bed

NAME = "ticks"
EVERY = 1_500 * MS


def ticking(rng: Random) -> Schedule:
    """Every second and a half; what was missed is made up for."""
    return Schedule(
        name=NAME,
        kind=Kind.SCHEDULE,
        mode=Mode.SCHEDULED,
        task=TASK,
        args=json.dumps(kinds(rng.choice((1, 5 * MS, 300 * MS)))["quick"]),
        rule=Recurrence.of(every=EVERY / SECOND, catchup=1_000),
        overlap="allow",
    )


def look_at_ticks(bed: Bed) -> None:
    """Raises Violation."""
    firings = bed.rows(
        "select due_at, job_id, outcome from relet.firing where cause not like 'triggered%' order by due_at"
    )
    dues = [due_at for due_at, _, _ in firings]
    if dues != list(range(dues[0], dues[-1] + 1, EVERY)):
        raise Violation(f"I9: due times are left out: {[due - dues[0] for due in dues]}")
    (made,) = bed.rows("select count(*) from relet.job where options like '%\"fire\":[%'")
    (known,) = bed.rows("select count(*) from relet.firing where job_id is not null")
    if made != known:
        raise Violation(f"I9: {made[0]} runs were made for {known[0]} firings")
    lacking = [due_at for due_at, job_id, outcome in firings if job_id is None or outcome != "succeeded"]
    if lacking:
        raise Violation(f"I9: due times without a run that has succeeded: {lacking}")
