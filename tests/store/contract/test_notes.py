"""Progress, log lines and usage: written once, for a claim that stands or that its own session has finished."""

from relet.job.outcome import Ended
from relet.job.settlement import Answer
from relet.store.port import Store
from relet.store.records import LogLine, Notes, Progress, Usage
from tests.store.beds import BEGINNING
from tests.store.hands import Worker, decide, news, put, put_new


def notes(job_id: bytes, epoch: int, *numbers: int) -> Notes:
    """Some of each kind."""
    return Notes(
        [Progress(job_id, epoch, float(n), f"step {n}") for n in numbers],
        [LogLine(job_id, epoch, n, BEGINNING + n, "info", f"line {n}", '{"a": 1}') for n in numbers],
        [Usage(job_id, epoch, n, "tokens", "12.000000000000000001", "t", None) for n in numbers],
    )


def test_notes_of_a_running_job_are_kept_in_order(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()

    worker.turn(notes=notes(job_id, claim.epoch, 1, 2))

    row = store.insights.job(job_id)
    assert row is not None
    assert (row.percent, row.message) == (2.0, "step 2")
    assert store.insights.logs(job_id, (0, 0), 10) == list(notes(job_id, 1, 1, 2).logs)
    assert store.insights.usage(job_id) == list(notes(job_id, 1, 1, 2).usage)


def test_repeated_notes_are_written_once(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()

    for _ in range(2):
        worker.turn(notes=notes(job_id, claim.epoch, 1, 2))

    assert len(store.insights.logs(job_id, (0, 0), 10)) == 2
    assert len(store.insights.usage(job_id)) == 2


def test_notes_are_written_before_the_settles_of_the_same_turn(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()

    worker.turn([decide(claim, Ended.SUCCESS)], notes(job_id, claim.epoch, 1))

    assert len(store.insights.logs(job_id, (0, 0), 10)) == 1
    assert len(store.insights.usage(job_id)) == 1


def test_lines_that_a_commit_of_effects_has_overtaken_are_kept(store: Store, other: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    assert other.begin_effects(worker.id).settle(decide(claim, Ended.SUCCESS), Notes()) is Answer.ACCEPTED

    for _ in range(2):
        worker.turn(notes=notes(job_id, claim.epoch, 1))

    assert store.insights.logs(job_id, (0, 0), 10) == list(notes(job_id, 1, 1).logs)
    assert store.insights.usage(job_id) == list(notes(job_id, 1, 1).usage)


def test_notes_of_a_job_that_another_session_finished_are_refused(store: Store):
    job_id = put_new(store)
    zombie, heir = Worker(store), Worker(store)
    zombie.take()
    store.reclaim(zombie.id, "killed")
    heir.end(heir.take())

    for epoch in (1, 2):
        zombie.turn(notes=notes(job_id, epoch, 1))

    assert store.insights.logs(job_id, (0, 0), 10) == []
    assert store.insights.usage(job_id) == []


def test_notes_after_a_settle_that_did_not_finish_the_job_are_refused(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    claim = worker.take()
    worker.end(claim, Ended.RELEASE)

    worker.turn(notes=notes(job_id, claim.epoch, 1))

    assert store.insights.logs(job_id, (0, 0), 10) == []
    assert store.insights.usage(job_id) == []


def test_notes_of_a_zombie_are_refused(store: Store):
    job_id = put_new(store)
    zombie, heir = Worker(store), Worker(store)
    claim = zombie.take()
    store.reclaim(zombie.id, "killed")
    heir.take()

    for epoch in (claim.epoch, claim.epoch + 1):
        zombie.turn(notes=notes(job_id, epoch, 1))

    row = store.insights.job(job_id)
    assert row is not None
    assert (row.percent, row.message) == (None, None)
    assert store.insights.logs(job_id, (0, 0), 10) == []
    assert store.insights.usage(job_id) == []


def test_notes_of_another_epoch_are_refused(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    worker.end(worker.take(), Ended.RELEASE)
    worker.take()

    worker.turn(notes=notes(job_id, 1, 1))

    assert store.insights.logs(job_id, (0, 0), 10) == []
    row = store.insights.job(job_id)
    assert row is not None
    assert row.percent is None


def test_notes_of_one_job_do_not_touch_another(store: Store):
    first, second = put(store, *news(2))
    worker = Worker(store)
    worker.claim()

    worker.turn(notes=notes(first, 1, 1))

    row = store.insights.job(second)
    assert row is not None
    assert row.percent is None
    assert store.insights.logs(second, (0, 0), 10) == []


def test_good_and_refused_notes_ride_together(store: Store):
    mine, theirs = put(store, *news(2))
    worker, zombie = Worker(store), Worker(store)
    assert worker.take().job_id == mine
    assert zombie.take().job_id == theirs

    both = Notes(logs=[*notes(theirs, 1, 1).logs, *notes(mine, 1, 1).logs])
    worker.turn(notes=both)

    assert len(store.insights.logs(mine, (0, 0), 10)) == 1
    assert store.insights.logs(theirs, (0, 0), 10) == []


def test_progress_starts_anew_with_the_next_claim(store: Store):
    job_id = put_new(store)
    worker = Worker(store)
    worker.take()
    worker.turn(notes=notes(job_id, 1, 50))
    store.reclaim(worker.id, "killed")
    Worker(store).take()

    row = store.insights.job(job_id)
    assert row is not None
    assert (row.percent, row.message) == (None, None)
