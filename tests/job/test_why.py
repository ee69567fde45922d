"""Why a job does not run: the sentences, and their order."""

from dataclasses import replace
from uuid import UUID

import pytest

from relet.clock import SECOND
from relet.job import breaker
from relet.job.limits import QueueLimit, Rate, Rule
from relet.job.outcome import Ended
from relet.job.settlement import DeadReason
from relet.job.state import State
from relet.job.surroundings import Closed, Lease, LiveWorker, Pause
from relet.job.why import Standing, explain
from relet.job.why_held import Tripped

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
NOW = 1_700_000_000 * SECOND  # 2023-11-14 22:13:20 UTC
MINUTE = 60 * SECOND

FREE = LiveWorker("w1", frozenset({"mail"}), frozenset({"app.send"}), frozenset(), slots=10, held=0)
READY = Standing(
    job_id=ID.bytes,
    task="app.send",
    queue="mail",
    state=State.READY,
    now=NOW,
    ready_at=NOW - 5 * SECOND,
    workers=(FREE,),
)
RUNNING = replace(
    READY, state=State.RUNNING, ready_at=None, lease=Lease("w1", NOW - MINUTE, NOW - 10 * SECOND, 90 * SECOND, True)
)
SCHEDULED = replace(READY, state=State.SCHEDULED, ready_at=None, run_at=NOW + 30 * SECOND)


def only(job: Standing) -> str:
    (sentence,) = explain(job)
    return sentence


# ── ended ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_job_that_succeeded_says_when_and_on_which_worker() -> None:
    job = replace(READY, state=State.SUCCEEDED, ended_at=NOW - 5 * MINUTE, worker="w1")
    assert only(job) == f"It succeeded 5m ago on worker w1. See its result: relet jobs show {ID}"


def test_a_cancelled_job_says_why() -> None:
    job = replace(READY, state=State.CANCELLED, ended_at=NOW - SECOND, error="user asked")
    assert only(job) == f"It was cancelled 1s ago (user asked). See its history: relet jobs show {ID}"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (DeadReason.ATTEMPTS, "all its attempts failed"),
        (DeadReason.PERMANENT, "it failed with an error that is not retried"),
        (DeadReason.REJECTED, "its task rejected it"),
        (DeadReason.POISON, "it took its worker process down too often"),
        (DeadReason.DEADLINE, "its deadline passed"),
        ("some later reason", "some later reason"),
    ],
)
def test_a_dead_job_says_why_and_how_to_run_it_again(reason: str, words: str) -> None:
    job = replace(
        READY, state=State.DEAD, ended_at=NOW - SECOND, worker="w1", dead_reason=reason, attempt=3, error="E: x\nmore"
    )
    assert only(job) == (
        f"It went to the dead letters 1s ago on worker w1: {words}, after 3 failed attempts (E: x). "
        f"Look at it, then run it again: relet dead show {ID}; relet dead retry {ID}"
    )


def test_a_resolved_dead_job_says_so() -> None:
    job = replace(READY, state=State.DEAD, ended_at=NOW, dead_reason=DeadReason.REJECTED, attempt=1, resolved=True)
    assert "after 1 failed attempt. It is marked as resolved. Look at it" in only(job)


# ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_running_job_says_who_has_it_until_when_and_for_how_long_it_has_run() -> None:
    assert only(RUNNING) == (
        "It is running: leased to worker w1 for 1m, until 2023-11-14 22:14:40 UTC (renewed 10s ago). "
        f"To stop it: relet jobs cancel {ID}"
    )


def test_a_job_of_a_lapsed_session_says_that_it_will_be_reclaimed() -> None:
    lapsed = Lease("w2", NOW - 10 * MINUTE, NOW - 2 * MINUTE, 90 * SECOND, False)
    assert only(replace(RUNNING, lease=lapsed)) == (
        "The session of worker w2, which holds it, has lapsed or ended: it was last heard of 2m ago. "
        "The next sweep of any live worker gives it to another one. Sweep now: relet recover"
    )


def test_a_job_of_a_session_that_is_gone_says_that_it_will_be_reclaimed() -> None:
    gone = Lease("", NOW - MINUTE, None, 0, False)
    assert only(replace(RUNNING, lease=gone)).startswith("The worker that held it is gone. The next sweep")


def test_a_lapsed_session_with_nobody_left_to_sweep_says_to_start_a_worker() -> None:
    lapsed = Lease("w2", NOW - 10 * MINUTE, NOW - 2 * MINUTE, 90 * SECOND, False)
    first, second = explain(replace(RUNNING, lease=lapsed, workers=()))
    assert "has lapsed" in first
    assert second == "No worker is alive to do that or to run it. Start one: relet worker -q mail"


def test_a_running_job_that_was_asked_to_be_cancelled_says_so() -> None:
    first, second = explain(replace(RUNNING, cancel_asked="user asked"))
    assert first.startswith("It is running")
    assert second == "It was asked to be cancelled (user asked): it is told within a second."


# ── scheduled ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_delayed_job_says_when_it_is_due() -> None:
    assert only(SCHEDULED) == (
        f"It is due in 30s, at 2023-11-14 22:13:50 UTC: it was enqueued with a delay. See it: relet jobs show {ID}"
    )


def test_a_retry_says_which_attempt_it_will_be_and_why_the_last_failed() -> None:
    job = replace(SCHEDULED, attempt=1, max_attempts=3, last_ended=Ended.FAILURE, error="ValueError: no")
    assert "at 2023-11-14 22:13:50 UTC: attempt 2 of 3, after the last one failed (ValueError: no)." in only(job)
    assert ": attempt 2, after the last one failed (ValueError: no)." in only(replace(job, max_attempts=None))


def test_a_snoozed_job_says_that_its_task_put_it_off() -> None:
    job = replace(SCHEDULED, last_ended=Ended.SNOOZE, error="api is busy")
    assert ": its task put it off (api is busy)." in only(job)


def test_a_job_that_a_breaker_put_off_names_it_and_says_when_it_tries_again_or_that_it_has_closed() -> None:
    status = breaker.Status(
        opened_at=NOW - MINUTE, probe_at=NOW + MINUTE, because="5 failures in a row", error="OSError: down"
    )
    tripped = Tripped("stripe", breaker.Rule(), status, "relet", 0)
    job = replace(SCHEDULED, last_ended=Ended.SNOOZE, error="breaker stripe is open", put_off_by="stripe")
    due, held = explain(replace(job, breakers=(tripped,)))
    assert "its task put it off (breaker stripe is open)" in due
    assert held == (
        "Breaker stripe is open since 2023-11-14 22:12:20 UTC (5 failures in a row: OSError: down): it tries again at "
        "2023-11-14 22:14:20 UTC (in 1m). See it: relet breakers show stripe; close it: relet breakers close stripe"
    )
    assert explain(job)[1] == (
        "Breaker stripe, which put it off, is closed: the next sweep of a live worker makes it due within a second. "
        "See it: relet breakers show stripe"
    )


def test_an_overdue_job_waits_for_a_sweep() -> None:
    job = replace(SCHEDULED, run_at=NOW - 3 * SECOND)
    assert only(job).startswith("It was due 3s ago and becomes ready at the next sweep of a live worker: ")


def test_a_scheduled_job_also_says_what_will_hinder_it_then() -> None:
    due, paused, nobody = explain(replace(SCHEDULED, paused=Pause(NOW), workers=()))
    assert due.startswith("It is due in 30s")
    assert paused.startswith("Queue mail is paused")
    assert nobody.startswith("No worker is alive")


def test_a_scheduled_job_does_not_mind_who_is_busy_now() -> None:
    assert only(replace(SCHEDULED, workers=(replace(FREE, held=10),))).startswith("It is due in 30s")


# ── ready: the queue ────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_paused_queue_says_by_whom_since_when_why_and_until_when() -> None:
    pause = Pause(NOW - MINUTE, "ann", "db is down", NOW + 5 * MINUTE)
    assert only(replace(READY, paused=pause)) == (
        "Queue mail is paused by ann since 2023-11-14 22:12:20 UTC until 2023-11-14 22:18:20 UTC (in 5m) (db is down). "
        "Resume it: relet queues resume mail"
    )


def test_a_paused_queue_without_an_end_says_none() -> None:
    assert only(replace(READY, paused=Pause(NOW))) == (
        "Queue mail is paused by somebody since 2023-11-14 22:13:20 UTC. Resume it: relet queues resume mail"
    )


def test_a_closed_queue_is_a_remark_for_it_stops_nothing_that_is_there() -> None:
    first, second = explain(replace(READY, closed=Closed(NOW - MINUTE, "ann", "moving")))
    assert first.startswith("Nothing is in its way")
    assert second == (
        "Queue mail was closed by ann 1m ago (moving): it takes no new jobs, but works off those that it has. "
        "Open it: relet queues resume mail"
    )


def test_jobs_ahead_are_counted() -> None:
    assert only(replace(READY, ahead=1)) == "1 job is ahead of it in queue mail. Look at the queue: relet queues ls"
    assert only(replace(READY, ahead=1234)).startswith("1,234 jobs are ahead of it")
    assert only(replace(READY, ahead=10_000, ahead_capped=True)).startswith("10,000+ jobs are ahead of it")


# ── ready: the workers ──────────────────────────────────────────────────────────────────────────────────────────────
def test_without_any_live_worker_it_says_to_start_one() -> None:
    assert only(replace(READY, workers=())) == "No worker is alive. Start one: relet worker -q mail"


def test_a_queue_name_is_quoted_in_the_command() -> None:
    assert only(replace(READY, queue="a b", workers=())).endswith("relet worker -q 'a b'")


def test_when_nobody_serves_its_queue_it_says_who_is_alive() -> None:
    others = (replace(FREE, queues=frozenset({"web"})), replace(FREE, name="w2", queues=frozenset({"pdf"})))
    assert only(replace(READY, workers=others)) == (
        "No live worker serves queue mail (alive: w1, w2). Start one: relet worker -q mail"
    )


@pytest.mark.parametrize("queues", [frozenset[str](), frozenset({"web", "*"})])
def test_a_worker_may_serve_all_queues(queues: frozenset[str]) -> None:
    assert only(replace(READY, workers=(replace(FREE, queues=queues),))).startswith("Nothing is in its way")


def test_when_nobody_knows_its_task_it_says_what_they_know() -> None:
    worker = replace(FREE, tasks=frozenset({"app.b", "app.a"}))
    assert only(replace(READY, workers=(worker,))) == (
        "No live worker of queue mail knows task app.send: w1 knows app.a, app.b. "
        "Start one whose app has that task: relet worker -q mail"
    )


def test_a_worker_that_knows_its_task_but_serves_other_queues_is_named() -> None:
    workers = (replace(FREE, tasks=frozenset()), replace(FREE, name="w2", queues=frozenset({"web"})))
    assert "w1 knows nothing. w2 would know it, but serves other queues." in only(replace(READY, workers=workers))


def test_a_need_that_nobody_offers_is_named() -> None:
    job = replace(READY, needs=("gpu=a100", "region=eu"), workers=(replace(FREE, offers=frozenset({"region=eu"})),))
    assert only(job) == (
        "It needs gpu=a100, region=eu, and of the live workers that know its task (w1) gpu=a100 is offered by none. "
        "Start one that does: relet worker -q mail --offers gpu=a100,region=eu"
    )


def test_needs_that_no_single_worker_offers_together_are_told_apart() -> None:
    workers = (
        replace(FREE, offers=frozenset({"region=eu"})),
        replace(FREE, name="w2", offers=frozenset({"gpu=a100"})),
    )
    job = replace(READY, needs=("gpu=a100", "region=eu"), workers=workers)
    assert "(w1, w2) no single one offers all of it." in only(job)


def test_a_worker_of_another_queue_that_offers_what_it_needs_does_not_count() -> None:
    workers = (FREE, replace(FREE, name="w2", queues=frozenset({"web"}), offers=frozenset({"gpu=a100"})))
    assert "(w1) gpu=a100 is offered by none" in only(replace(READY, needs=("gpu=a100",), workers=workers))


def test_when_all_that_could_take_it_are_busy_it_says_how_busy() -> None:
    workers = (replace(FREE, held=10), replace(FREE, name="w2", held=0, verb="drain"))
    assert only(replace(READY, workers=workers)) == (
        "Every worker that could take it is busy: w1 (10 of 10 slots). Wait, or start another: relet worker -q mail"
    )


def test_when_all_that_could_take_it_are_about_to_go_it_says_so() -> None:
    workers = (replace(FREE, verb="drain"), replace(FREE, name="w2", verb="stop"))
    assert only(replace(READY, workers=workers)) == (
        "Every worker that could take it is about to go: w1, w2. Start another: relet worker -q mail"
    )


def test_when_only_standby_workers_are_free_it_says_what_they_wait_for() -> None:
    workers = (replace(FREE, held=10), replace(FREE, name="w2", tier=1))
    assert only(replace(READY, workers=workers)) == (
        "Only standby workers have a free slot (w2), and they take what has waited for their tier's time "
        "(it has waited for 5s). Wait, or start one of tier 0: relet worker -q mail"
    )


def test_when_nothing_is_in_its_way_it_says_who_will_take_it() -> None:
    assert only(READY) == (
        f"Nothing is in its way: w1 should take it within a second (it has waited for 5s). See it: relet jobs show {ID}"
    )


def test_long_lists_are_cut() -> None:
    workers = tuple(replace(FREE, name=f"w{n}", queues=frozenset({"web"})) for n in range(1, 8))
    assert "(alive: w1, w2, w3, w4, w5 and 2 more)" in only(replace(READY, workers=workers))


# ── ready: the job itself ───────────────────────────────────────────────────────────────────────────────────────────
def test_a_suspect_says_that_it_will_run_alone() -> None:
    first, second = explain(replace(READY, suspicions=2))
    assert first.startswith("Nothing is in its way")
    assert second == (
        "It was held by 2 workers that died, so it will run alone, in a child process of its own. "
        f"If you know it for the culprit: relet jobs cancel {ID}"
    )
    assert len(explain(replace(READY, suspicions=1))) == 1


def test_a_job_that_was_asked_to_be_cancelled_while_it_ran_says_that_first() -> None:
    first, second = explain(replace(READY, cancel_asked="user asked", ahead=2))
    assert first == ("It was asked to be cancelled (user asked): it ends as cancelled instead of running again.")
    assert second.startswith("2 jobs are ahead")


def test_an_expired_job_says_that_it_will_not_run() -> None:
    assert only(replace(READY, expires_at=NOW - MINUTE)).startswith(
        "It had to be started by 2023-11-14 22:12:20 UTC, 1m ago: it ends as cancelled"
    )
    assert only(replace(READY, expires_at=NOW + MINUTE)).startswith("Nothing is in its way")


def test_a_job_past_its_deadline_says_that_it_will_not_run() -> None:
    assert only(replace(READY, deadline_at=NOW - MINUTE)).startswith(
        "Its deadline was 2023-11-14 22:12:20 UTC, 1m ago: it goes to the dead letters"
    )
    assert only(replace(READY, deadline_at=NOW + MINUTE)).startswith("Nothing is in its way")


def test_the_decisive_reason_comes_first() -> None:
    job = replace(
        READY, paused=Pause(NOW), workers=(replace(FREE, held=10),), ahead=3, suspicions=2, closed=Closed(NOW)
    )
    starts = ("Queue mail is paused", "Every worker", "3 jobs are ahead", "It was held by 2", "Queue mail was closed")
    assert [sentence.startswith(start) for sentence, start in zip(explain(job), starts, strict=True)] == [True] * 5


def test_foreign_text_stays_on_one_line_and_short() -> None:
    job = replace(READY, state=State.CANCELLED, ended_at=NOW, error="\x1b[31mred\u202e\x07" + "x" * 1000)
    sentence = only(job)
    assert sentence.isprintable()
    assert len(sentence) < 400


@pytest.mark.parametrize("state", list(State))
def test_there_is_always_an_answer(state: State) -> None:
    bare = Standing(job_id=ID.bytes, task="t", queue="q", state=state, now=NOW)
    assert explain(bare)


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────
FIVE = QueueLimit(Rule(5), 5, {}, (), None, "person", "ann", NOW)
CHANGE = "See or change it: relet queues ls; relet queues limit mail"


def test_a_queue_that_is_full_says_how_many_run() -> None:
    assert only(replace(READY, limit=FIVE)) == (
        f"Queue mail lets 5 run at once, and 5 run: the next starts when one of them ends. {CHANGE}"
    )


def test_a_rate_that_is_used_up_says_when_the_next_may_start() -> None:
    rate = Rate(50, MINUTE)
    limit = QueueLimit(Rule(5, None, (rate,)), 2, {}, (50,), NOW + 31 * SECOND, "code", "w1", NOW)
    assert only(replace(READY, limit=limit)) == (
        "Queue mail has let 50 start in the last minute, as many as its rate allows (50/min): "
        f"the next may start at 2023-11-14 22:13:51 UTC (in 31s). {CHANGE}"
    )


def test_workers_that_run_as_many_as_each_may_are_named() -> None:
    limit = QueueLimit(Rule(None, 2), 2, {}, (), None, "person", "ann", NOW)
    full = replace(READY, limit=limit, workers=(replace(FREE, held=2, of_queue=2),))
    assert only(full) == f"Queue mail lets each worker run 2 of its jobs at once, and each does (w1). {CHANGE}"
    other = replace(full, workers=(*full.workers, replace(FREE, name="w2")))
    assert "lets each worker" not in " ".join(explain(other))


def test_a_limit_with_room_is_not_mentioned() -> None:
    assert "limit" not in only(replace(READY, limit=FIVE._replace(running=4)))
