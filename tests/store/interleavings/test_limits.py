"""Limits under races: whatever comes between the statements of a turn, of a change, or of a claim, no limit is exceeded."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest

from relet.clock import SECOND
from relet.job.limits import Rule, parse_rates
from relet.job.outcome import Ended
from relet.store.port import Store
from relet.store.records import Notes, Progress, Turned
from tests.store.beds import Bed, PostgresBed, memory_bed
from tests.store.hands import Worker, decide, news, put
from tests.store.interleavings.stepping import Happening, Stepper, interleave
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

LIMIT = 3
RULE = Rule(LIMIT, rates=parse_rates("4/min"))


class Scene:
    """Two sessions that run one job each of a queue in which more wait, and one that starts with nothing."""

    def __init__(self, bed: Bed, rule: Rule | None) -> None:
        if isinstance(bed, PostgresBed):
            bed.rows(f"alter database {bed.name} set deadlock_timeout = '30ms'")
        self.bed = bed
        store = bed.open()
        put(store, *news(12))
        self.mine, self.theirs, self.third = (Worker(bed.open(), name) for name in ("mine", "theirs", "third"))
        if rule is not None:
            store.limit_queue("default", rule, "ann")
        self.claims = {worker.id: self.turn(worker, worker.store).claims[0] for worker in (self.mine, self.theirs)}
        bed.save()

    def turn(self, worker: Worker, store: Store, *, most: int = 1, settles: bool = False, says: bool = False) -> Turned:
        """One turn of this worker; with something to say, it is many statements."""
        claim = self.claims[worker.id] if settles or says else None
        notes = Notes([Progress(claim.job_id, 1, 50.0, "half")] if claim is not None and says else [])
        done = [decide(claim, Ended.SUCCESS)] if claim is not None and settles else []
        return store.turn(worker.id, done, notes, worker.want(most, limited=("default",)))

    def blind(self, worker: Worker, store: Store) -> Turned:
        """A turn of a worker that knows of no limit."""
        claim = self.claims[worker.id]
        notes = Notes([Progress(claim.job_id, 1, 50.0, "half")])
        return store.turn(worker.id, [], notes, worker.want(10))

    def running(self) -> int:
        return int(self.bed.rows("select count(*) from relet.running")[0][0])


@pytest.fixture(params=["postgres", "memory"])
def bed(request: pytest.FixtureRequest, pg: Databases) -> Iterator[Bed]:
    """One bed for one test."""
    made = PostgresBed(pg) if request.param == "postgres" else memory_bed()
    yield made
    made.drop() if isinstance(made, PostgresBed) else made.close()


def played(scene: Scene, mine: Callable[[Store], object], theirs: Callable[[Store], object]) -> Iterator[list[object]]:
    """The answers, with theirs before each statement of mine in turn."""
    stepper = Stepper(scene.mine.store)
    for place in count():
        scene.bed.restore()
        answers = interleave(scene.bed, stepper, scene.mine.store, mine, [Happening(place, scene.theirs.store, theirs)])
        if answers is None:
            assert place > 1
            return
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        assert errors == []
        check_invariants(scene.bed)
        yield answers


def drained(scene: Scene) -> int:
    """How many run when a third one has claimed all that it may."""
    for _ in range(3):
        scene.turn(scene.third, scene.third.store, most=10)
    return scene.running()


@pytest.mark.parametrize("settles", [False, True])
def test_two_that_claim_at_once_stay_within_the_limit(bed: Bed, settles: bool):
    scene = Scene(bed, Rule(LIMIT))
    mine = partial(scene.turn, scene.mine, most=10, settles=settles, says=True)
    theirs = partial(scene.turn, scene.theirs, most=10, settles=settles)
    for _ in played(scene, mine, theirs):
        assert scene.running() <= LIMIT
        assert drained(scene) == LIMIT


def test_two_that_claim_at_once_stay_within_the_rate(bed: Bed):
    scene = Scene(bed, RULE)
    mine = partial(scene.turn, scene.mine, most=10, settles=True, says=True)
    theirs = partial(scene.turn, scene.theirs, most=10, settles=True)
    for _ in played(scene, mine, theirs):
        drained(scene)
        started = (
            bed.rows("select count(*) from relet.running")[0][0] + bed.rows("select count(*) from relet.finished")[0][0]
        )
        assert started == 4


def test_a_first_limit_counts_what_was_just_being_claimed(bed: Bed):
    scene = Scene(bed, None)
    limit: Callable[[Store], object] = lambda store: store.limit_queue("default", Rule(LIMIT), "ann")  # noqa: E731
    for answers in played(scene, partial(scene.blind, scene.mine), limit):
        assert bed.rows("select count(*) from relet.running where counted is null") == [(0,)]
        turned = answers[0]
        assert isinstance(turned, Turned)
        assert drained(scene) == max(LIMIT, 2 + len(turned.claims))


def test_a_claim_at_any_moment_of_a_first_limit_is_counted(bed: Bed):
    scene = Scene(bed, None)
    limit: Callable[[Store], object] = lambda store: store.limit_queue("default", Rule(LIMIT), "ann")  # noqa: E731
    for answers in played(scene, limit, partial(scene.blind, scene.theirs)):
        assert bed.rows("select count(*) from relet.running where counted is null") == [(0,)]
        turned = answers[1]
        assert isinstance(turned, Turned)
        assert drained(scene) == max(LIMIT, 2 + len(turned.claims))


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_change_of_the_limit_holds_from_the_next_claim_on(bed: Bed, most: int):
    scene = Scene(bed, Rule(LIMIT))
    change: Callable[[Store], object] = lambda store: store.limit_queue("default", Rule(most), "ann")  # noqa: E731
    for _ in played(scene, partial(scene.turn, scene.mine, most=10, settles=True, says=True), change):
        before = scene.running()
        assert drained(scene) == max(most, before)


def test_a_limit_that_ends_and_begins_again_counts_all(bed: Bed):
    scene = Scene(bed, Rule(LIMIT))

    def again(store: Store) -> None:
        store.limit_queue("default", Rule(), "ann")
        store.limit_queue("default", Rule(LIMIT), "ann")

    for _ in played(scene, partial(scene.turn, scene.mine, most=10, settles=True, says=True), again):
        assert bed.rows("select count(*) from relet.running where counted is null") == [(0,)]
        before = scene.running()
        assert drained(scene) == max(LIMIT, before), "what was claimed between the two was free to be"


def test_a_reclaim_beside_a_claim_leaks_no_slot(bed: Bed):
    scene = Scene(bed, Rule(LIMIT))
    reclaim: Callable[[Store], object] = lambda store: store.reclaim(scene.theirs.id, "killed")  # noqa: E731
    for _ in played(scene, partial(scene.turn, scene.mine, most=10, says=True), reclaim):
        assert drained(scene) == LIMIT


def test_the_rate_counts_a_repeated_turn_once_for_each_claim(bed: Bed):
    """A turn whose answer was lost is sent again: what it claimed counts, and no more."""
    scene = Scene(bed, Rule(rates=parse_rates("5/min")))
    for _ in range(3):
        scene.turn(scene.mine, scene.mine.store, most=1)
    assert scene.running() == 5
    assert scene.turn(scene.mine, scene.mine.store).claims == ()
    bed.advance(62 * SECOND)
    assert len(scene.turn(scene.mine, scene.mine.store).claims) == 1
