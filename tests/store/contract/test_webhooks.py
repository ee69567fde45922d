"""Webhooks in the store: what happens is told exactly as it is committed, and each event becomes one message with its job."""

from collections.abc import Callable
from typing import Any

import pytest

from relet.clock import DAY, HOUR, MS, SECOND
from relet.errors import Refused
from relet.job.breaker import Rule
from relet.job.job import After, Need, NewJob, Options
from relet.job.limits import Rule as Limited
from relet.job.outcome import Ended
from relet.job.webhook import LIMIT, QUEUE, TASK, webhook_of
from relet.store.port import Store
from relet.store.records import Notes, Report
from relet.store.webhook_rows import DeliveryRow, Tried
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, LEASE_US, Worker, decide, new, put, put_new

URL = "https://example.com/hook"
SECRET = "whsec_" + "A" * 32
ADDRESS = "https://example.net/done"


def listen(store: Store, *events: str, name: str = "w", **match: Any) -> None:
    store.put_webhook(webhook_of(name, URL, events or ("*",), **match), SECRET, "ann")


def allow(store: Store, at_once: int) -> None:
    """So many messages on their way to one receiver."""
    store.declare_limits({LIMIT: Limited(at_once)}, "code")


def outbox(bed: Bed) -> list[tuple[str, str, bytes | None, int]]:
    """What is to be told, in order: webhook, event, job, claim."""
    return [
        (str(webhook), str(event), job_id, int(epoch))
        for webhook, event, job_id, epoch in bed.rows(
            "select webhook, event, job_id, epoch from relet.outbox order by id"
        )
    ]


def events(bed: Bed) -> list[str]:
    return [event for _, event, _, _ in outbox(bed)]


def messages(store: Store) -> list[DeliveryRow]:
    """What has happened, as messages, the oldest first."""
    store.tell_news(IDS.jobs, 100)
    return store.insights.deliveries()[::-1]


def claimed(store: Store, *jobs: NewJob) -> Worker:
    put(store, *jobs)
    return Worker(store)


# ── every way in which a job ends ─────────────────────────────────────────────────────────────────────────────────────
def test_a_success_is_told_with_its_claim(bed: Bed, store: Store) -> None:
    listen(store)
    job_id = put_new(store)
    worker = Worker(store)
    worker.end(worker.take())
    assert outbox(bed) == [("w", "job.succeeded", job_id, 1)]


def test_many_successes_of_one_turn_are_each_told_once(bed: Bed, store: Store) -> None:
    listen(store)
    jobs = put(store, *(new(unique=f"k{n}" if n % 2 else None) for n in range(20)))
    worker = Worker(store)
    claims = worker.claim(20)
    worker.settle(*(decide(claim, Ended.SUCCESS) for claim in claims))
    assert sorted(row[2] or b"" for row in outbox(bed)) == sorted(jobs)
    assert worker.end(claims[0]) == "replayed"
    assert len(outbox(bed)) == 20


def test_failed_attempts_and_the_death_that_follows_are_told(bed: Bed, store: Store) -> None:
    listen(store)
    put_new(store)
    worker = Worker(store)
    for _ in range(3):
        worker.fail(worker.take())
        bed.advance(10 * SECOND)
        store.promote(10)
    assert events(bed) == ["job.failed", "job.failed", "job.failed", "job.dead"]
    assert [epoch for *_, epoch in outbox(bed)] == [1, 2, 3, 3]


def test_a_verdict_and_a_release_are_no_failures(bed: Bed, store: Store) -> None:
    listen(store)
    put_new(store)
    worker = Worker(store)
    worker.end(worker.take(), Ended.SNOOZE, delay_us=MS)
    bed.advance(SECOND)
    store.promote(10)
    worker.end(worker.take(), Ended.RELEASE)
    worker.end(worker.take(), Ended.CANCEL)
    assert events(bed) == ["job.cancelled"]


@pytest.mark.parametrize("waits", ["ready", "scheduled", "waiting"])
def test_a_cancel_is_told_wherever_the_job_waits(bed: Bed, store: Store, waits: str) -> None:
    listen(store)
    parent = put_new(store, "other", queue="aside")
    fields = {"ready": {}, "scheduled": {"delay_us": HOUR}, "waiting": {"after": (After(parent),)}}[waits]
    job_id = put(store, new(**fields))[0]
    store.cancel(job_id, "no", "ann", 0)
    assert outbox(bed) == [("w", "job.cancelled", job_id, 0)]


def test_a_purge_a_replaced_job_and_a_skipped_child_are_told(bed: Bed, store: Store) -> None:
    listen(store)
    put(store, new(queue="full"))
    store.purge_queue("full", "ann", 10)
    first = put(store, new(unique="k", delay_us=HOUR))[0]
    put(store, new(unique="k", delay_us=HOUR, on_conflict="replace"))
    parent = put_new(store)
    child = put(store, new(queue="later", after=(After(parent, Need.SUCCESS),)))[0]
    store.cancel(parent, "no", "ann", 0)
    told = [job_id for _, event, job_id, _ in outbox(bed) if event == "job.cancelled"]
    assert len(told) == 4
    assert {first, parent, child} < {*told}


def test_jobs_of_a_dead_worker_are_told_as_recovered_cancelled_or_dead(bed: Bed, store: Store) -> None:
    listen(store)
    recovered, cancelled = put(store, new(), new())
    worker = Worker(store)
    assert len(worker.claim()) == 2
    store.cancel(cancelled, "no", "ann", 0)
    bed.advance(LEASE_US + SECOND)
    store.reclaim_expired()
    assert sorted(outbox(bed), key=str) == sorted(
        [
            ("w", "job.recovered", recovered, 1),
            ("w", "job.recovered", cancelled, 1),
            ("w", "job.cancelled", cancelled, 1),
        ],
        key=str,
    )


def test_what_a_transaction_of_effects_settles_is_told_with_it_or_not_at_all(
    bed: Bed, store: Store, other: Store
) -> None:
    listen(store)
    put(store, new(), new())
    worker = Worker(store)
    kept, undone = worker.claim()
    effects = other.begin_effects(worker.id)
    effects.roll_back()
    assert outbox(bed) == []
    effects = other.begin_effects(worker.id)
    effects.settle(decide(kept, Ended.SUCCESS), Notes())
    assert outbox(bed) == [("w", "job.succeeded", kept.job_id, 1)]
    assert undone.job_id not in [row[2] for row in outbox(bed)]


# ── what is not of jobs ───────────────────────────────────────────────────────────────────────────────────────────────
def test_pauses_are_told_when_they_begin_and_when_they_end(bed: Bed, store: Store) -> None:
    listen(store)
    store.pause_queue("mail", "ann", "too many", None)
    store.pause_queue("mail", "bob", "still", BEGINNING + HOUR)
    bed.advance(2 * HOUR)
    store.promote(10)
    assert events(bed) == ["queue.paused", "queue.resumed"]
    details = bed.rows("select details from relet.outbox order by id")[0][0]
    assert '"ann"' in details
    assert '"mail"' in details


def test_breakers_are_told_when_they_open_and_close(bed: Bed, store: Store) -> None:
    listen(store)
    store.declare_breakers({"stripe": Rule(failures=2)}, "code")
    store.report_outcomes([Report("stripe", (-1,), (), "E")])
    assert events(bed) == []
    store.report_outcomes([Report("stripe", (-1,), (), "E")])
    store.close_breaker("stripe", "ann")
    assert events(bed) == ["breaker.opened", "breaker.closed"]


# ── who hears ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_each_hears_of_what_it_asked_for(bed: Bed, store: Store) -> None:
    listen(store, "job.succeeded", name="mail", queues=["mail"])
    listen(store, "job.succeeded", name="t", tasks=["t"])
    listen(store, "job.dead", name="dead")
    listen(store, "queue.paused", name="pauses", queues=["mail"])
    put(store, new(queue="mail"), new("u", queue="mail"), new())
    worker = Worker(store, tasks=("t", "u"), queues=("default", "mail"))
    for claim in worker.claim():
        worker.end(claim)
    store.pause_queue("default", "ann", "", None)
    store.pause_queue("mail", "ann", "", None)
    heard = sorted((webhook, event) for webhook, event, *_ in outbox(bed))
    assert heard == [
        ("mail", "job.succeeded"),
        ("mail", "job.succeeded"),
        ("pauses", "queue.paused"),
        ("t", "job.succeeded"),
        ("t", "job.succeeded"),
    ]


@pytest.mark.parametrize("end", ["disable", "delete"])
def test_who_listens_no_more_hears_nothing_and_is_told_nothing_old(bed: Bed, store: Store, end: str) -> None:
    listen(store)
    worker = claimed(store, new(), new())
    first, second = worker.claim()
    worker.end(first)
    if end == "disable":
        assert store.disable_webhook("w", "ann", "") is True
    else:
        assert store.delete_webhook("w") is True
    worker.end(second)
    assert outbox(bed) == []
    assert store.news().listening is False


def test_what_tells_is_there_only_while_somebody_listens(bed: Bed, store: Store, engine: str) -> None:
    def telling() -> int:
        counted = (
            "select count(*) from pg_trigger where tgname in ('tell', 'tell_new') and tgenabled <> 'D'"
            if engine == "postgres"
            else "select count(*) from sqlite_master where type = 'trigger' and name like '%_tell_%'"
        )
        return int(bed.rows(counted)[0][0])

    store.delete_webhook("w")
    assert telling() == 0
    listen(store)
    assert telling() == 8
    store.disable_webhook("w", "ann", "")
    assert telling() == 0
    store.enable_webhook("w", "ann")
    assert telling() == 8
    store.delete_webhook("w")
    assert telling() == 0


def test_who_settles_by_another_connection_tells_at_once(bed: Bed, store: Store, other: Store) -> None:
    """Its statements were prepared before anybody listened."""
    worker = claimed(other, new(), new())
    first, second = worker.claim()
    worker.end(first)
    listen(store)
    worker.end(second)
    assert outbox(bed) == [("w", "job.succeeded", second.job_id, 1)]


def test_nobody_is_told_of_the_jobs_that_tell(bed: Bed, store: Store) -> None:
    listen(store)
    put(store, new(TASK, queue=QUEUE), new(TASK, queue=QUEUE))
    worker = Worker(store, tasks=(TASK,), queues=(QUEUE,))
    sent, failed = worker.claim()
    worker.end(sent)
    worker.bury(failed)
    assert outbox(bed) == []


# ── a job's own address ───────────────────────────────────────────────────────────────────────────────────────────────
def ends(store: Store, how: str) -> None:
    worker = Worker(store)
    if how == "success":
        worker.end(worker.take())
    elif how == "dead":
        worker.bury(worker.take())
    else:
        store.cancel(worker.take().job_id, "no", "ann", 0)
        worker.leave()


@pytest.mark.parametrize(("how", "event"), [("success", "succeeded"), ("dead", "dead"), ("cancel", "cancelled")])
def test_a_job_tells_its_own_address_of_its_end(store: Store, how: str, event: str) -> None:
    job_id = put(store, new(options=Options(notify=ADDRESS)))[0]
    ends(store, how)
    (message,) = messages(store)
    assert (message.webhook, message.url, message.event) == ("", ADDRESS, f"job.{event}")
    assert (message.job_id, message.epoch) == (job_id, 1)


def test_a_job_that_was_retried_tells_each_of_its_ends(store: Store) -> None:
    job_id = put(store, new(options=Options(notify=ADDRESS)))[0]
    worker = Worker(store)
    worker.bury(worker.take())
    store.retry_dead(job_id, None, "ann")
    worker.end(worker.take())
    assert [(m.event, m.epoch) for m in messages(store)] == [("job.dead", 1), ("job.succeeded", 2)]


# ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_event_becomes_one_message_and_the_job_that_sends_it(bed: Bed, store: Store, other: Store) -> None:
    listen(store)
    job_id = put_new(store)
    worker = Worker(store)
    worker.end(worker.take())
    assert store.news().told is True
    assert store.tell_news(IDS.jobs, 100) == 1
    assert other.tell_news(IDS.jobs, 100) == 0
    assert outbox(bed) == []
    (message,) = store.insights.deliveries()
    assert (message.webhook, message.event, message.job_id, message.state) == ("w", "job.succeeded", job_id, "pending")
    sender = store.insights.job(message.sender_id)
    assert sender is not None
    assert (sender.task, sender.queue) == (TASK, QUEUE)
    assert store.news() == (False, True, False)


def test_a_message_keeps_the_body_that_was_made_first(store: Store) -> None:
    listen(store)
    store.send_webhook("w", "webhook.test", delivery_id := IDS.job())
    first = store.body_of(delivery_id, "one", "standard")
    second = store.body_of(delivery_id, "two", "cloudevents")
    assert first is not None
    assert first == second
    assert (first.body, first.format) == ("one", "standard")


def test_attempts_are_kept_and_failures_counted_until_one_arrives(bed: Bed, store: Store) -> None:
    listen(store)
    store.send_webhook("w", "webhook.test", delivery_id := IDS.job())
    assert store.tried(delivery_id, Tried(5 * MS, 503, "busy", "503")) == (True, 1, 0)
    bed.advance(DAY)
    assert store.tried(delivery_id, Tried(5 * MS, None, "", "refused\0")) == (True, 2, DAY)
    row = store.insights.webhook("w")
    assert row is not None
    assert (row.failures, row.failing_since) == (2, BEGINNING)
    assert store.tried(delivery_id, Tried(MS, 204)) is None
    row = store.insights.webhook("w")
    assert row is not None
    assert (row.failures, row.failing_since, row.error) == (0, None, None)
    tries = store.insights.delivery_attempts(delivery_id)
    assert [(a.n, a.status, a.error) for a in tries] == [(1, 503, "503"), (2, None, "refused\ufffd"), (3, 204, "")]
    delivery = store.insights.delivery(delivery_id)
    assert delivery is not None
    assert (delivery.state, delivery.attempts) == ("delivered", 3)


def test_a_message_is_sent_again_as_it_is(bed: Bed, store: Store) -> None:
    listen(store)
    store.send_webhook("w", "webhook.test", delivery_id := IDS.job())
    store.body_of(delivery_id, "one", "standard")
    allow(store, 5)
    with pytest.raises(Refused, match="on its way"):
        store.resend(delivery_id, IDS.job())
    sender = Worker(store, tasks=(TASK,), queues=(QUEUE,))
    sender.bury(sender.take())
    assert [m.state for m in store.insights.deliveries(state="failed")] == ["failed"]
    again = IDS.job()
    assert store.resend(delivery_id, again) is True
    assert store.resend(delivery_id, again) is True
    (message,) = store.insights.deliveries()
    assert (message.id, message.sender_id, message.body, message.state) == (delivery_id, again, "one", "pending")
    assert store.resend(IDS.job(), IDS.job()) is False


def test_messages_to_one_receiver_wait_for_room(store: Store) -> None:
    """A receiver that answers slowly takes so many slots, and no more; the others go on."""
    allow(store, 2)
    listen(store, name="slow")
    listen(store, name="fast")
    for name in ("slow", "slow", "slow", "fast"):
        store.send_webhook(name, "webhook.test", IDS.job())
    worker = Worker(store, tasks=(TASK,), queues=(QUEUE,))
    assert len(worker.claim()) == 3


def test_old_messages_are_forgotten_unless_they_are_on_their_way(bed: Bed, store: Store) -> None:
    listen(store)
    store.send_webhook("w", "webhook.test", sent := IDS.job())
    store.send_webhook("w", "webhook.test", pending := IDS.job())
    store.tried(sent, Tried(MS, 200))
    store.cancel(sent, "", "ann", 0)
    bed.advance(8 * DAY)
    assert store.prune_deliveries(7 * DAY, 100) == 1
    assert [m.id for m in store.insights.deliveries()] == [pending]
    assert bed.rows("select count(*) from relet.delivery_attempt")[0][0] == 0


def test_pages_of_messages_follow_each_other(store: Store) -> None:
    listen(store)
    made = [IDS.job() for _ in range(5)]
    for delivery_id in made:
        store.send_webhook("w", "webhook.test", delivery_id)
    first = store.insights.deliveries(limit=2)
    second = store.insights.deliveries(before=first[-1].id, limit=2)
    assert [m.id for m in (*first, *second)] == made[:0:-1]
    assert store.insights.deliveries(webhook="x") == []


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_change_keeps_the_secret_and_a_rotation_the_former_one_for_a_while(bed: Bed, store: Store) -> None:
    newer = "whsec_" + "B" * 32
    listen(store)
    listen(store, "job.dead")
    assert store.rotate_webhook("w", newer, HOUR, "ann") is True
    row = store.insights.webhook("w")
    assert row is not None
    assert [(s.text, s.until) for s in row.secrets] == [(newer, None), (SECRET, BEGINNING + HOUR)]
    assert row.definition.events == ("job.dead",)
    assert store.rotate_webhook("x", newer, HOUR, "ann") is False


VERBS: list[Callable[[Store], bool]] = [
    lambda store: store.delete_webhook("x"),
    lambda store: store.disable_webhook("x", "ann", ""),
    lambda store: store.enable_webhook("x", "ann"),
    lambda store: store.send_webhook("x", "webhook.test", IDS.job()),
]


@pytest.mark.parametrize("verb", VERBS)
def test_a_webhook_that_is_not_there_is_said_so(store: Store, verb: Callable[[Store], bool]) -> None:
    assert verb(store) is False
