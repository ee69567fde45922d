"""Why a schedule does not run: the sentences, and their order."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace as changed

from relet.clock import SECOND
from relet.job.firing import Progress
from relet.job.job import Fired
from relet.job.limits import QueueLimit, Rule
from relet.job.recurrence import Recurrence
from relet.job.schedule import Kind, Mode, Schedule
from relet.job.surroundings import Closed, LiveWorker, Pause
from relet.job.why_fired import made_by
from relet.job.why_schedule import LastFiring, Needed, ScheduleStanding, explain_schedule

NOW = 1_700_000_000 * SECOND  # 2023-11-14 22:13:20 UTC
MINUTE = 60 * SECOND
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

FETCH = Schedule(
    name="fetch", kind=Kind.ROUTINE, mode=Mode.SCHEDULED, task="app.fetch", queue="data", rule=Recurrence.of(every="5m")
)
FREE = LiveWorker("w1", frozenset({"data"}), frozenset({"app.fetch"}), frozenset(), slots=10, held=0)
IDLE = ScheduleStanding(schedule=FETCH, now=NOW, progress=Progress(NOW - MINUTE, NOW + 4 * MINUTE), workers=(FREE,))
HOLD = Pause(NOW - MINUTE, "ann", "migration")
NEXT = "Routine fetch is due next at 2023-11-14 22:17:20 UTC, in 4m (every 5 minutes)."


def of(**definition: Any) -> ScheduleStanding:
    return replace(IDLE, schedule=changed(FETCH, **definition))


def test_one_that_nothing_holds_back_says_when_it_is_due() -> None:
    assert explain_schedule(IDLE) == [NEXT]
    jitter = explain_schedule(of(rule=Recurrence.of(every="5m", jitter="10s")))
    assert jitter == [NEXT.replace("5 minutes)", "5 minutes, started up to 10s later)")]
    late = replace(IDLE, progress=Progress(0, NOW - 2 * SECOND))
    assert explain_schedule(late) == [
        "Routine fetch was due at 2023-11-14 22:13:18 UTC, 2s ago: any live worker fires it within a second."
    ]
    never = replace(IDLE, progress=Progress(0, None))
    assert "has no due time any more: every 5 minutes names none" in explain_schedule(never)[0]


def test_one_without_a_rule_says_what_makes_it_run() -> None:
    triggered = explain_schedule(of(mode=Mode.TRIGGERED, rule=None, kind=Kind.SCHEDULE, name="a b"))
    assert triggered == [
        "Schedule a b has no times: it runs when it is triggered. Run it now: relet schedules trigger 'a b'"
    ]
    assert "its next run is made within a second" in explain_schedule(of(mode=Mode.CONTINUOUS, rule=None))[0]


def test_failures_that_disabled_it_are_said_with_the_last_error() -> None:
    by_failures = replace(
        IDLE,
        disabled=Pause(NOW - MINUTE, "relet", "its last 5 runs failed"),
        failures=5,
        error="OSError: no disk\nmore",
    )
    assert explain_schedule(by_failures) == [
        (
            "Routine fetch is disabled by relet since 2023-11-14 22:12:20 UTC, 1m ago (its last 5 runs failed; the last one: "
            "OSError: no disk): it does not run, not even when triggered. Enable it: relet routines enable fetch"
        )
    ]
    by_ann = explain_schedule(replace(by_failures, disabled=HOLD))[0]
    assert "by ann since 2023-11-14 22:12:20 UTC, 1m ago (migration):" in by_ann
    assert explain_schedule(replace(IDLE, failures=2, error="OSError"))[1:] == [
        "Its last 2 runs are dead (OSError). See them: relet routines history fetch"
    ]


def test_what_people_have_stopped_comes_first() -> None:
    held = replace(IDLE, paused=HOLD, needed=(Needed("load", "idle"),), workers=())
    first, *rest = explain_schedule(held)
    assert first.startswith("Routine fetch is paused by ann since")
    assert first.endswith("but may be triggered. Resume it: relet routines resume fetch")
    assert not any("due next" in sentence for sentence in rest)
    later = explain_schedule(replace(IDLE, unreadable="no field 'moon'."))
    assert later[0].startswith("Routine fetch was written by a later version")


def test_nobody_looks_without_a_worker() -> None:
    assert explain_schedule(replace(IDLE, workers=())) == [
        "No worker is alive, so nobody fires fetch nor runs its jobs. Start one: relet worker -q data",
        NEXT,
    ]


@pytest.mark.parametrize(
    ("worker", "said"),
    [
        ({"queues": frozenset({"mail"})}, "No live worker serves queue data (alive: w1)"),
        ({"tasks": frozenset({"app.other"})}, "No live worker of queue data knows task app.fetch (alive: w1)"),
        ({"offers": frozenset({"gpu=h100"})}, "No live worker that knows its task offers gpu=a100 (alive: w1)"),
    ],
)
def test_workers_that_cannot_run_it_are_named(worker: dict[str, Any], said: str) -> None:
    lonely = replace(of(needs=("gpu=a100",)), workers=(replace(FREE, **worker),))
    assert explain_schedule(lonely)[0].startswith(f"{said}: its jobs are made, and wait.")
    able = replace(FREE, offers=frozenset({"gpu=a100"}), queues=frozenset({"*"}))
    assert explain_schedule(replace(lonely, workers=(able,))) == [NEXT]


def test_what_it_depends_on_is_named_with_its_state() -> None:
    needed = (Needed("load", "disabled"), Needed("clean", ""))
    waits = replace(IDLE, needed=needed, progress=Progress(NOW, NOW + 4 * MINUTE, NOW - MINUTE))
    assert explain_schedule(waits) == [
        (
            "Routine fetch is due since 2023-11-14 22:12:20 UTC and waits for load (disabled), clean (not in the store: no "
            "worker has declared it): each must succeed once after fetch was fired last. See why: relet why load"
        ),
        NEXT,
    ]
    assert "Routine fetch will wait for load (disabled)" in explain_schedule(replace(waits, progress=IDLE.progress))[0]


@pytest.mark.parametrize(
    ("overlap", "said"),
    [
        ("skip", "; due times that come before it ends are passed over (overlap: skip)"),
        ("queue", "; one due time waits behind it, further ones are passed over (overlap: queue)"),
        ("allow", ""),
    ],
)
def test_a_run_that_has_not_ended_is_named(overlap: Any, said: str) -> None:
    runs = replace(of(overlap=overlap), live=((ID.bytes, "running"),))
    assert explain_schedule(runs) == [f"1 run has not ended: {ID} (running){said}. See why: relet why {ID}", NEXT]
    many = replace(runs, live=((ID.bytes, "ready"),) * 5)
    assert explain_schedule(many)[0].startswith(f"5 runs have not ended: {ID} (ready), ")
    assert "and 2 more" in explain_schedule(many)[0]


def test_a_continuous_one_runs_and_does_not_fail_to_end() -> None:
    runs = replace(of(mode=Mode.CONTINUOUS, rule=None), live=((ID.bytes, "running"),))
    assert explain_schedule(runs) == [
        f"Routine fetch runs all the time; now: {ID} (running). See how far it is: relet why {ID}"
    ]
    assert explain_schedule(replace(runs, live=((ID.bytes, "ready"),)))[0].startswith("1 run has not ended: ")
    paused = explain_schedule(replace(runs, paused=Pause(NOW, "ann", "")))
    assert ": it does not run. Resume it: relet routines resume fetch" in paused[0]
    assert paused[1] == f"1 run has not ended: {ID} (running). See why: relet why {ID}"


def test_its_queue_may_be_closed_paused_or_full() -> None:
    closed = replace(IDLE, queue_closed=Closed(NOW - MINUTE, "bob", "moving"))
    assert explain_schedule(closed)[0] == (
        "Queue data was closed by bob 1m ago (moving): due times are passed over until it is open. "
        "Open it: relet queues resume data"
    )
    paused = replace(IDLE, queue_paused=HOLD)
    assert "its jobs are made, and wait. Resume it: relet queues resume data" in explain_schedule(paused)[0]
    full = replace(IDLE, limit=QueueLimit(Rule(concurrency=1), 1, {}, (), None, "code", "w1", NOW))
    assert explain_schedule(full)[0].startswith("Queue data lets 1 run at once, and 1 run")


def test_a_zone_that_is_not_known_here_is_named() -> None:
    (said,) = explain_schedule(of(rule=Recurrence(cron="0 0 * * *", tz="Mars/One")))
    assert said.startswith("This host cannot reckon fetch, and leaves it to others: tz 'Mars/One': there is no such")


def test_a_due_time_that_was_passed_over_is_told() -> None:
    passed = LastFiring(NOW - MINUTE, None, "its queue was closed", None)
    assert explain_schedule(replace(IDLE, last=passed))[-1] == (
        "Its last due time, 2023-11-14 22:12:20 UTC, was passed over: its queue was closed. "
        "See what became of the others: relet routines history fetch"
    )
    assert explain_schedule(replace(IDLE, last=passed._replace(job_id=ID.bytes))) == [NEXT]


@pytest.mark.parametrize(
    ("cause", "missed", "said"),
    [
        ("due", 0, "for its due time 2023-11-14 22:13:20 UTC."),
        ("due", 1, "for its due time 2023-11-14 22:13:20 UTC; 1 due time before it has no run."),
        ("made up for by ann", 0, "for its due time 2023-11-14 22:13:20 UTC, made up for by ann."),
        ("triggered by ann", 0, "at 2023-11-14 22:13:20 UTC, triggered by ann."),
    ],
)
def test_a_job_says_which_schedule_made_it(cause: str, missed: int, said: str) -> None:
    assert [*made_by(Fired("fetch", NOW, None, missed, cause))] == [
        f"Schedule fetch made it {said} See the schedule: relet why fetch"
    ]
    assert [*made_by(None)] == []
