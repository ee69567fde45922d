"""Which schedule made a job, and for when, in a sentence for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from relet.job.firing import DUE, MADE_UP
from relet.job.job import Fired
from relet.job.textsafe import one_line
from relet.job.why_words import wall


def made_by(fire: Fired | None) -> Iterator[str]:
    """Nothing, if nobody but a caller made it."""
    if fire is None:
        return
    name, at = one_line(fire.schedule), wall(fire.due_at)
    if fire.cause == DUE:
        what = f"for its due time {at}"
    elif fire.cause.startswith(MADE_UP):
        what = f"for its due time {at}, {one_line(fire.cause)}"
    else:
        what = f"at {at}, {one_line(fire.cause)}"
    missed = ""
    if fire.missed:
        missed = f"; {fire.missed:,} due {'time before it has' if fire.missed == 1 else 'times before it have'} no run"
    yield f"Schedule {name} made it {what}{missed}. See the schedule: relet why {quote(fire.schedule)}"
