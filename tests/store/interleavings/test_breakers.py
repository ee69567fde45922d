"""Circuit breakers under races: whatever comes between, no report is lost, and no more probes go out than may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest

from relet.clock import SECOND
from relet.job.breaker import Rule, State
from relet.job.job import Claim
from relet.job.outcome import Ended
from relet.job.settlement import Settle
from relet.store.port import Store
from relet.store.records import Notes, Report, Verdict
from relet.store.rows import BreakerRow
from tests.store.beds import Bed, PostgresBed, memory_bed
from tests.store.hands import IDS, Worker, decide, news, put
from tests.store.interleavings.stepping import Happening, Stepper, interleave
from tests.store.invariants import check_invariants
from tests.support.postgres import Databases

NAME, COOL = "task:t", 10 * SECOND
Act = Callable[[Store], object]


class Scene:
    """A breaker whose time has come, of which so many probes may be out, and one is; and those who want more of them."""

    def __init__(self, bed: Bed, probes: int) -> None:
        if isinstance(bed, PostgresBed):
            bed.rows(f"alter database {bed.name} set deadlock_timeout = '30ms'")
        self.bed, self.probes = bed, probes
        store = bed.open()
        put(store, *news(8))
        store.declare_breakers({NAME: Rule(2, cool_us=COOL, probes=probes)}, "code")
        store.report_outcomes([Report(NAME, (-2,))])
        bed.advance(COOL)
        self.mine, self.theirs, self.third = (Worker(bed.open(), name) for name in ("mine", "theirs", "third"))
        (self.claim,) = self.probe(self.theirs, self.theirs.store)
        bed.save()

    def probe(self, worker: Worker, store: Store) -> object:
        return store.claim_probe(worker.id, worker.want(5), (NAME,)).turned.claims

    def call(self, store: Store) -> object:
        return store.ask_probe(NAME, IDS.session(), COOL)

    def judge(self, store: Store, *, passed: bool) -> object:
        verdict = Verdict(self.claim.job_id, self.claim.epoch, passed)
        return store.report_outcomes([Report(NAME, (), (verdict,), "E: still")])

    def settle(self, store: Store) -> object:
        return store.turn(self.theirs.id, [decide(self.claim, Ended.SNOOZE, delay_us=SECOND)], Notes(), None)

    def row(self) -> BreakerRow:
        found = self.third.store.insights.breaker(NAME)
        assert found is not None
        return found

    def more(self) -> int:
        """How many probes a third one gets, one after the other."""
        return sum(bool(self.probe(self.third, self.third.store)) for _ in range(self.probes + 2))


@pytest.fixture(params=["postgres", "memory"])
def bed(request: pytest.FixtureRequest, pg: Databases) -> Iterator[Bed]:
    """One bed for one test."""
    made = PostgresBed(pg) if request.param == "postgres" else memory_bed()
    yield made
    made.drop() if isinstance(made, PostgresBed) else made.close()


def played(scene: Scene | PutOff, mine: Act, theirs: Act) -> Iterator[None]:
    """With theirs before each statement of mine in turn."""
    stepper = Stepper(scene.mine.store)
    for place in count():
        scene.bed.restore()
        answers = interleave(scene.bed, stepper, scene.mine.store, mine, [Happening(place, scene.theirs.store, theirs)])
        if answers is None:
            assert place > 1
            return
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        check_invariants(scene.bed)
        yield


@pytest.mark.parametrize("probes", [1, 2, 3])
def test_two_that_ask_at_once_get_no_more_probes_than_there_are(bed: Bed, probes: int):
    scene = Scene(bed, probes)
    for _ in played(scene, partial(scene.probe, scene.mine), partial(scene.probe, scene.theirs)):
        assert scene.row().out == min(3, probes)
        scene.more()
        assert scene.row().out == probes


def test_calls_and_jobs_share_the_probes(bed: Bed):
    scene = Scene(bed, 2)
    for _ in played(scene, scene.call, partial(scene.probe, scene.theirs)):
        assert (scene.row().out, scene.more()) == (2, 0)


@pytest.mark.parametrize("passed", [True, False])
def test_a_verdict_beside_a_new_probe_counts_and_lets_no_more_out(bed: Bed, passed: bool):
    scene = Scene(bed, 2)
    judge = partial(scene.judge, passed=passed)
    for mine, theirs in (
        (partial(scene.probe, scene.mine), judge),
        (judge, lambda store: scene.probe(scene.theirs, store)),
    ):
        for _ in played(scene, mine, theirs):
            row = scene.row()
            if passed:
                assert (row.status.proved, row.status.state(scene.third.store.now())) == (1, State.HALF_OPEN)
                scene.more()
                assert scene.row().out == 1, "one has succeeded, one more may"
            else:
                assert (row.status.trips, scene.more()) == (2, 0)


def test_a_probe_that_ends_without_a_word_makes_room_for_one(bed: Bed):
    scene = Scene(bed, 1)
    for _ in played(scene, partial(scene.probe, scene.mine), scene.settle):
        scene.more()
        assert scene.row().out == 1


def test_a_person_who_closes_it_beside_a_probe_closes_it(bed: Bed):
    scene = Scene(bed, 2)
    for _ in played(scene, partial(scene.probe, scene.mine), lambda store: store.close_breaker(NAME, "ann")):
        assert (scene.row().status.opened_at, scene.more()) == (None, 0)


def test_of_two_reports_at_once_none_is_lost(bed: Bed):
    scene = Scene(bed, 1)
    scene.third.store.close_breaker(NAME, "ann")
    bed.rows("delete from relet.saved_breaker")
    bed.rows("insert into relet.saved_breaker select * from relet.breaker")
    tell: Act = lambda store: store.report_outcomes([Report(NAME, (-1,), (), "E: broken")])  # noqa: E731
    for _ in played(scene, tell, tell):
        assert (scene.row().status.trips, scene.row().status.because) == (2, "2 failures in a row")


# ── jobs that a breaker around a call has put off ─────────────────────────────────────────────────────────────────
CALL, LATER = "stripe", 1_800 * SECOND


class PutOff:
    """A breaker around a call that is open, some jobs that it has put off, and one that has just met it."""

    def __init__(self, bed: Bed) -> None:
        if isinstance(bed, PostgresBed):
            bed.rows(f"alter database {bed.name} set deadlock_timeout = '30ms'")
        self.bed = bed
        store = bed.open()
        store.declare_breakers({CALL: Rule(2, cool_us=COOL)}, "code")
        store.open_breaker(CALL, "ann", "")
        put(store, *news(3))
        self.mine, self.theirs = Worker(bed.open(), "mine"), Worker(bed.open(), "theirs")
        first, second, self.claim = self.theirs.claim(3)
        self.theirs.settle(self._settle(first), self._settle(second))
        self.waits = first.job_id
        bed.save()

    def _settle(self, claim: Claim) -> Settle:
        return decide(claim, Ended.SNOOZE, delay_us=LATER, breaker=CALL)

    def meet(self, store: Store) -> object:
        return store.turn(self.theirs.id, [self._settle(self.claim)], Notes(), None)

    def close(self, store: Store) -> object:
        return store.close_breaker(CALL, "bob")

    def cancel(self, store: Store) -> object:
        return store.cancel(self.waits, "", "bob", SECOND)

    def promote(self, store: Store) -> object:
        return store.promote(10)

    def due(self) -> list[int]:
        """In how long those that wait are due, when the chore has looked once more."""
        store = self.mine.store
        store.promote(10)
        return [at - store.now() for (at,) in self.bed.rows("select run_at from relet.scheduled")]


def test_whatever_comes_while_it_closes_all_that_it_put_off_come_back(bed: Bed):
    scene = PutOff(bed)
    for mine, theirs, waiting in (
        (scene.close, scene.meet, 3),
        (scene.meet, scene.close, 3),
        (scene.close, scene.promote, 2),
        (scene.close, scene.cancel, 1),
        (scene.cancel, scene.close, 1),
        (scene.promote, scene.close, 2),
    ):
        for _ in played(scene, mine, theirs):
            assert scene.due() == [SECOND] * waiting
