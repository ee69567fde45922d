"""Jobs that come after others in a simulated history: fans with a batch and callbacks; and how all of that must have ended."""

import json
from random import Random
from typing import Any

from msgspec.structs import replace

from relet.clock import MS, SECOND, Ids
from relet.job.after import satisfied
from relet.job.job import After, Need, NewBatch, NewJob, Options
from tests.simulation.bodies import TASK, kinds
from tests.simulation.judge import Judge, Violation
from tests.store.beds import Bed

KINDS = ["quick"] * 8 + ["slow", "fail once", "fail", "snooze"]
ENDS = {"fail": "dead"}


def fan(rng: Random, ids: Ids) -> tuple[list[NewJob], list[NewBatch]]:
    """Some jobs, some after those, one after all of these; mostly in a batch, with callbacks."""
    batch = NewBatch(ids.job())
    options = Options(batch=batch.id.hex()) if rng.random() < 0.7 else Options()
    first = [_job(rng, ids, options) for _ in range(rng.randint(1, 2))]
    needs = (Need.SUCCESS, Need.SUCCESS, Need.END)
    spread = [
        _job(rng, ids, options, (After(rng.choice(first).id, rng.choice(needs)),)) for _ in range(rng.randint(1, 4))
    ]
    last = _job(rng, ids, options, tuple(After(job.id, rng.choice(needs)) for job in spread))
    jobs = [*first, *spread, last]
    if not options.batch:
        return jobs, []
    callbacks = [_job(rng, ids, Options(), (After(batch.id, need),)) for need in (Need.SUCCESS, Need.END, Need.FAILURE)]
    return [*jobs, *callbacks], [batch]


def _job(rng: Random, ids: Ids, options: Options, after: tuple[After, ...] = ()) -> NewJob:
    kind = rng.choice(KINDS)
    args = json.dumps(kinds(rng.choice((1, 5 * MS, 300 * MS)))[kind] | {"kind": kind})
    delay = rng.choice((0, 0, 0, SECOND))
    return replace(NewJob(ids.job(), TASK, args=args, delay_us=delay, after=after), options=options)


def look_at_bonds(bed: Bed, judge: Judge, jobs: list[NewJob]) -> None:
    """Each of these jobs has run, or was skipped, as the ends of those say that it came after. Raises Violation."""
    ends: dict[bytes, str] = dict(bed.rows("select job_id, outcome from relet.finished"))  # type: ignore[arg-type]  # two columns
    ends |= {job_id: "dead" for (job_id,) in bed.rows("select job_id from relet.dead")}
    for job in jobs:
        if job.id not in judge.cancelled:
            _look_at(job, ends, judge.members)


def _look_at(job: NewJob, ends: dict[bytes, str], members: dict[bytes, list[bytes]]) -> None:
    fit = all(satisfied(after.need, _outcome(after.parent_id, ends, members)) for after in job.after)
    kind: Any = json.loads(job.args)["kind"]
    expected = ENDS.get(kind, "succeeded") if fit else "cancelled"
    if ends[job.id] != expected:
        raise Violation(f"I10: {job.id.hex()[-6:]}, {kind!r}, came to {ends[job.id]!r}, not {expected!r}")


def _outcome(parent: bytes, ends: dict[bytes, str], members: dict[bytes, list[bytes]]) -> str:
    if parent not in members:
        return ends[parent]
    return "succeeded" if all(ends[job_id] == "succeeded" for job_id in members[parent]) else "failed"
