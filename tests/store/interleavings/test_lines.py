"""Lines that are written while their job is erased, on PostgreSQL: they go with it, or the job stays for as long."""

from collections.abc import Callable

import pytest

from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import LogLine, Notes, Usage
from tests.store.beds import BEGINNING, PostgresBed
from tests.store.hands import Worker, decide, put_new
from tests.store.interleavings.stepping import Act, Happening, Stepper, interleave
from tests.store.invariants import check_invariants


@pytest.fixture
def engine() -> str:
    """PostgreSQL alone: SQLite has one writer at a time."""
    return "postgres"


def end_and(erase: Callable[[Store, bytes], object], ended: Ended) -> Callable[[Worker, bytes], Act]:
    """Another connection ends the run (as its effects do), and at once its job is erased."""

    def scene(worker: Worker, job_id: bytes) -> Act:
        settle = decide(worker.take(), ended)

        def act(on: Store) -> None:
            on.turn(worker.id, [settle], Notes(), None)
            erase(on, job_id)

        return act

    return scene


ERASE = {
    "deleted by a person": end_and(lambda on, job_id: on.delete_job(job_id), Ended.SUCCESS),
    "deleted from the dead letters": end_and(lambda on, job_id: on.delete_dead(job_id), Ended.REJECT),
    "pruned": end_and(lambda on, _: on.prune(-1, 0, 100), Ended.SUCCESS),
}


@pytest.mark.parametrize("first", ["lines", "erase"])
@pytest.mark.parametrize("scene", ERASE.values(), ids=ERASE.keys())
def test_no_line_outlives_its_job(
    bed: PostgresBed, store: Store, other: Store, scene: Callable[[Worker, bytes], Act], first: str
):
    stepper = Stepper(store)
    other.now()
    for place in range(60):
        worker = Worker(other)
        job_id = put_new(other)
        erase = scene(worker, job_id)
        lines = [LogLine(job_id, 1, n, BEGINNING, "info", "said", None) for n in (1, 2)]
        notes = Notes(logs=lines, usage=[Usage(job_id, 1, 1, "tokens", "1", "t", None)])

        def say(on: Store, worker: Worker = worker, notes: Notes = notes) -> None:
            on.turn(worker.id, (), notes, None)

        mine, theirs = (say, erase) if first == "lines" else (erase, say)
        answers = interleave(bed, stepper, store, mine, [Happening(place, other, theirs)])
        check_invariants(bed)
        if answers is None:
            assert place > 4
            break
        assert answers == [None, None], f"at statement {place}"
    else:
        pytest.fail("the verb has more statements than were tried")


def test_a_job_whose_lines_are_being_written_is_pruned_the_next_time(bed: PostgresBed, store: Store, other: Store):
    worker = Worker(other)
    put_new(other)
    claim = worker.take()
    worker.end(claim)
    lines = Notes(logs=[LogLine(claim.job_id, 1, 1, BEGINNING, "info", "said", None)])
    pruned: list[int] = []

    Stepper(store).at(3, lambda: pruned.append(other.prune(-1, 0, 100)))
    store.turn(worker.id, (), lines, None)

    assert pruned == [0], "the lines are written, and not yet committed"
    assert other.prune(-1, 0, 100) == 1
    assert bed.rows("select 1 from relet.log_line") == []
