"""The facts that a store gathers to explain why a schedule does not run, and who made a job."""

from uuid import UUID

from relet.job.breaker import Rule, queue_breaker
from relet.job.job import Fired, Options
from relet.job.outcome import Ended
from relet.job.schedule import Mode
from relet.job.surroundings import Pause
from relet.job.why import explain
from relet.job.why_schedule import LastFiring, Needed, ScheduleStanding, explain_schedule
from relet.store.port import Store
from tests.store.beds import BEGINNING, Bed
from tests.store.contract.test_schedules import MINUTE, declare, fire, hand, run, schedule


def standing(store: Store, name: str = "report") -> ScheduleStanding:
    found = store.insights.why_schedule(name)
    assert found is not None
    return found


def test_a_schedule_that_is_not_there_has_no_standing(store: Store) -> None:
    assert store.insights.why_schedule("report") is None


def test_its_runs_what_it_waits_for_and_its_workers_are_gathered(store: Store, bed: Bed) -> None:
    hand(store, name="w1", queues=("r", "f"))
    declare(store, schedule("fetch", mode=Mode.TRIGGERED, queue="f"), schedule(depends_on=("fetch", "gone"), queue="r"))
    store.pause_schedule("fetch", "ann", "night")
    fire(store)
    found = standing(store)
    assert (found.now, found.progress.pending_at) == (store.now(), BEGINNING)
    assert found.needed == (Needed("fetch", "paused"), Needed("gone", ""))
    assert [(each.name, each.tasks) for each in found.workers] == [("w1", frozenset({"t"}))]
    assert (found.live, found.last, found.disabled) == ((), None, None)
    assert standing(store, "fetch").paused == Pause(BEGINNING, "ann", "night")
    assert "waits for fetch (paused), gone (not in the store" in explain_schedule(found)[0]


def test_what_was_passed_over_and_what_disabled_it_are_gathered(store: Store, bed: Bed) -> None:
    declare(store, schedule(max_failures=1))
    (firing,) = fire(store).fired
    bed.advance(MINUTE)
    fire(store)
    found = standing(store)
    assert found.live == ((firing.job_id, "ready"),)
    assert found.last == LastFiring(BEGINNING + MINUTE, None, "the run before it had not ended", None)
    store.close_queue("default", "ann", "moving")
    run(store, hand(store), Ended.FAILURE)
    found = standing(store)
    assert found.disabled is not None
    assert (found.disabled.by, found.failures, found.queue_closed is not None) == ("relet", 1, True)
    assert found.error


def test_an_open_breaker_of_its_queue_is_told(store: Store) -> None:
    declare(store, schedule())
    store.declare_breakers({queue_breaker("default"): Rule()}, "code")
    assert store.open_breaker(queue_breaker("default"), "ann", "down") is not None
    assert any("Breaker queue:default is open by ann" in said for said in explain_schedule(standing(store)))


def test_a_job_that_a_schedule_has_made_says_so(store: Store, bed: Bed) -> None:
    declare(store, schedule())
    (firing,) = fire(store).fired
    job = store.insights.why(firing.job_id)
    assert job is not None
    assert job.fire == Fired("report", BEGINNING, None, 0, "due")
    assert explain(job)[-1].startswith("Schedule report made it for its due time")


def test_a_run_that_another_one_blocks_says_which(store: Store) -> None:
    apart = Options(gates=(("block:report|sweep", "", 1),))
    declare(store, schedule("sweep", options=apart), schedule("report", options=apart))
    fired = {firing.schedule: firing.job_id for firing in fire(store).fired}
    waits, holds = ("report", "sweep") if standing(store).lines else ("sweep", "report")
    (said,) = [each for each in explain_schedule(standing(store, waits)) if each.startswith("Of its run")]
    assert said.startswith(f"Of its run {UUID(bytes=fired[waits])}: It never runs beside the other of report and sweep")
    assert str(UUID(bytes=fired[holds])) in said
    assert standing(store, holds).lines == ()
