"""What a look at a schedule fires: what `overlap` says while somebody is there, and what `catchup` says when nobody was."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relet.clock import SECOND
from relet.job.firing import Around, Plan, Progress, look
from relet.job.recurrence import ON_TIME_US, Recurrence
from relet.job.schedule import Kind, Mode, Schedule

START = 1_700_000_000 * SECOND

overlaps = st.sampled_from(["skip", "queue"])
catchups = st.one_of(st.just("latest"), st.integers(1, 20))
seconds = st.integers(1, 600)


def looked(every: int, catchup: Any, overlap: Any, late_us: int, live: int) -> Plan:
    """A look that comes so late after a due time, up to which all are settled."""
    rule = Recurrence.of(every=every, catchup=catchup, anchor_at=START)
    schedule = Schedule(name="tick", kind=Kind.ROUTINE, mode=Mode.SCHEDULED, task="t", rule=rule, overlap=overlap)
    return look(schedule, Progress(START - 1, START), Around(START + late_us, live))


@given(seconds, catchups, overlaps, st.integers(ON_TIME_US + 1, 10_000 * SECOND), st.integers(0, 40))
def test_a_run_that_was_left_behind_takes_nothing_from_what_nobody_was_there_for(
    every: int, catchup: Any, overlap: Any, late_us: int, live: int
) -> None:
    alone = looked(every, catchup, overlap, late_us, 0).fire
    plan = looked(every, catchup, overlap, late_us, live)
    assert plan.fire == alone[: max(0, len(alone) + 1 - live)] if live else alone
    assert sorted((*plan.fire, *(one.due_at for one in plan.passed))) == list(alone), "each is one or the other"
    assert not live or live + len(plan.fire) <= max(live, len(alone) + 1), "they do not pile up"


@given(seconds, catchups, overlaps, st.integers(0, ON_TIME_US), st.integers(1, 40))
def test_while_somebody_is_there_overlap_says_how_many_wait(
    every: int, catchup: Any, overlap: Any, late_us: int, live: int
) -> None:
    plan = looked(every, catchup, overlap, late_us, live)
    assert len(plan.fire) == (1 if overlap == "queue" and live == 1 else 0)
