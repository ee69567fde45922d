"""What runs consume is added up once, in the transaction that writes it, whatever becomes of the run."""

import json
from typing import Any

from relet.clock import DAY, SECOND
from relet.job.costs import HOUR, ONE
from relet.job.job import Claim, Options
from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.cost_rows import CostFilter, CostRow
from relet.store.port import Store
from relet.store.records import Notes, Usage
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import Worker, decide, new, put, put_new

TODAY = BEGINNING - BEGINNING % DAY


def said(claim: Claim, *amounts: str, unit: str = "USD", kind: str = "cost", details: str | None = None) -> Notes:
    """What the run of a claim consumed, numbered from 0."""
    return Notes(
        usage=[Usage(claim.job_id, claim.epoch, n, kind, amount, unit, details) for n, amount in enumerate(amounts)]
    )


def spent(store: Store, step_us: int = DAY, **wanted: Any) -> list[CostRow]:
    """The sums of all time."""
    return store.insights.spent(CostFilter(step_us, 0, BEGINNING + 1000 * DAY, **wanted))


def dollars(store: Store, step_us: int = DAY, **wanted: Any) -> float:
    """All dollars."""
    return sum(row.total for row in spent(store, step_us, **wanted) if row.unit == "USD") / ONE


def test_what_is_said_is_added_up_for_the_hour_and_the_day_in_utc(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store, lease_us=DAY)
    claim = worker.take()
    hour = BEGINNING - BEGINNING % HOUR

    worker.turn(notes=said(claim, "0.10", "0.000000000001"))
    bed.advance(TODAY + DAY - 1 - BEGINNING)
    worker.turn(notes=said(claim, "0", "0", "0.20"))
    bed.advance(1)
    worker.turn(notes=said(claim, "0", "0", "0", "0.40"))

    days = [(row.at, row.total) for row in spent(store, by=["at"])]
    hours = [(row.at, row.total) for row in spent(store, HOUR, by=["at"])]
    assert days == [(TODAY, 3 * ONE // 10 + 1), (TODAY + DAY, 2 * ONE // 5)]
    assert hours == [(hour, ONE // 10 + 1), (hour + HOUR, ONE // 5), (hour + 2 * HOUR, 2 * ONE // 5)]
    assert spent(store)[0].total == 7 * ONE // 10 + 1


def test_repeated_notes_are_added_up_once(store: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()

    for _ in range(3):
        worker.turn(notes=said(claim, "1", "2"))

    assert dollars(store) == dollars(store, HOUR) == 3


def test_repeated_notes_that_bring_one_more_add_that_one(store: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn(notes=said(claim, "1"))

    worker.turn([decide(claim, Ended.SUCCESS)], said(claim, "1", "2"))

    assert dollars(store) == 3


def test_parts_become_wholes(store: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    for n in range(1, 5):
        worker.turn(notes=said(claim, *["0.999999999999"] * n))

    assert spent(store)[0].total == spent(store, HOUR)[0].total == 4 * ONE - 4


def test_failed_attempts_cost(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn([decide(claim, Ended.FAILURE, error="broken")], said(claim, "1"))
    bed.advance(20 * SECOND)
    store.promote(10)
    again = worker.take()

    worker.turn([decide(again, Ended.SUCCESS)], said(again, "2"))

    assert dollars(store) == 3


def test_what_a_run_said_before_its_worker_died_is_kept_and_nothing_after_it(store: Store):
    put_new(store)
    worker, heir = Worker(store), Worker(store)
    claim = worker.take()
    worker.turn(notes=said(claim, "1"))
    store.reclaim(worker.id, "killed")

    worker.turn([decide(claim, Ended.SUCCESS)], said(claim, "1", "5"))
    again = heir.take()
    heir.turn([decide(again, Ended.SUCCESS)], said(again, "2"))

    assert dollars(store) == 3


def test_what_is_said_with_effects_is_added_up_with_them(store: Store, other: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()

    effects = other.begin_effects(worker.id)
    assert effects.settle(decide(claim, Ended.SUCCESS), said(claim, "1")) is Answer.ACCEPTED
    worker.turn(notes=said(claim, "1"))

    assert dollars(store) == 1


def test_what_is_said_with_effects_that_are_refused_is_not_added_up(store: Store, other: Store):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    effects = other.begin_effects(worker.id)
    effects.roll_back()
    store.reclaim(worker.id, "killed")

    assert other.begin_effects(worker.id).settle(decide(claim, Ended.SUCCESS), said(claim, "1")) is Answer.FENCED

    assert spent(store) == []


def test_sums_are_of_queue_task_model_tenant_and_kind(store: Store):
    put_new(store, options=Options(tags={"tenant": "acme"}))
    put_new(store, "u", queue="other", options=Options(fair="bolt"))
    worker = Worker(store, tasks=("t", "u"), queues=("default", "other"))
    for claim in worker.claim():
        worker.turn(notes=said(claim, "1", details='{"model": "haiku"}'))
        worker.turn(notes=Notes(usage=[Usage(claim.job_id, 1, 7, "pages", "4", "", None)]))

    found = spent(store, by=["queue", "task", "model", "tenant", "kind"])

    assert found == [
        CostRow(0, "default", "t", "", "acme", "pages", "pages", 4 * ONE),
        CostRow(0, "default", "t", "haiku", "acme", "cost", "USD", ONE),
        CostRow(0, "other", "u", "", "bolt", "pages", "pages", 4 * ONE),
        CostRow(0, "other", "u", "haiku", "bolt", "cost", "USD", ONE),
    ]
    assert dollars(store) == 2
    assert dollars(store, tenant="acme") == dollars(store, queue="other") == dollars(store, task="u") == 1
    assert dollars(store, model="haiku") == 2
    assert dollars(store, model="opus") == 0


def test_what_cannot_be_added_up_is_kept_and_hinders_no_turn(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()

    hostile = said(claim, "nan", "1e400", "-1", "a lot", "1e15", "0.1" + "0" * 29 + "1", "1")
    turned = worker.turn([decide(claim, Ended.SUCCESS)], hostile)

    assert turned.answers == (Answer.ACCEPTED,)
    assert len(store.insights.usage(job_id)) == 7
    assert spent(store)[0].total == (10**15 + 1) * ONE + ONE // 10


def test_a_sum_that_cannot_grow_any_more_hinders_no_turn(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn(notes=said(claim, "1"))
    bed.rows("update relet.spend set whole = 9223372036854775807")

    assert worker.turn([decide(claim, Ended.SUCCESS)], said(claim, "1", "1e15")).answers == (Answer.ACCEPTED,)


def test_a_job_whose_options_cannot_be_read_costs_all_the_same(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    bed.rows("""update relet.job set options = '{"tags": 5}'""")

    worker.turn(notes=said(claim, "1"))

    assert dollars(store) == 1


def test_sums_stay_when_their_job_is_forgotten_and_go_when_they_are_old(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn([decide(claim, Ended.SUCCESS)], said(claim, "1"))
    worker.leave()

    bed.advance(36 * DAY)
    store.prune(DAY, DAY, 100)
    assert (dollars(store), dollars(store, HOUR)) == (1, 0)

    bed.advance(400 * DAY)
    store.prune(DAY, DAY, 100)
    assert dollars(store) == 0


def test_sums_are_seen_by_day_in_sql(store: Store, bed: Bed):
    put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.turn(notes=said(claim, "1.5"))

    ((day, task, unit, amount),) = bed.rows("select day, task, unit, amount from relet.v_costs")

    assert (str(day), task, unit, float(amount)) == ("2023-11-14", "t", "USD", 1.5)


def test_the_longest_names_in_any_script_are_added_up(store: Store):
    long = "".join(chr(0x10000 + n * 131 % 0xF000) for n in range(200))  # no text that an index could compress
    queue, task, tenant = (long[:n] for n in (32, 64, 128))
    put(store, new(task, queue=queue, options=Options(fair=tenant)))
    worker = Worker(store, tasks=[task], queues=[queue])
    claim = worker.take()

    turned = worker.turn(
        [decide(claim, Ended.SUCCESS)], said(claim, "1", unit="", kind=long, details=json.dumps({"model": long}))
    )

    assert turned.answers == (Answer.ACCEPTED,)
    (row,) = spent(store, by=["model", "kind"])
    assert (row.model, row.kind, row.unit, row.total) == (long[:100], long[:100], long[:100], ONE)
