"""A store and the oracle side by side: the same steps to both, and the same rows after each."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from relet.clock import SECOND
from relet.errors import UniqueConflict
from relet.job.job import After, Claim, Need, NewBatch, NewJob, OnConflict, Options
from relet.job.limits import Rule, parse_rates
from relet.job.outcome import Ended
from relet.job.settlement import Answer, Settle
from relet.job.state import State, may_go
from relet.store.records import Lane, Reclaimed
from tests.store.beds import BEGINNING, Bed
from tests.store.hands import IDS, LEASE_US, Worker, decide, new
from tests.store.invariants import check_invariants
from tests.store.model.oracle import Oracle

QUEUES = ("a", "b")
PRIORITIES = (0, 1)
DELAYS = (0, 5 * SECOND, 40 * SECOND)
STEPS = (1 * SECOND, 5 * SECOND, 15 * SECOND, 15 * SECOND, LEASE_US)
BY_WORKERS = [ended for ended in Ended if ended is not Ended.LOST]
MOST_WORKERS = 3
RULES = (
    *(Rule(), Rule(), Rule(), Rule(3), Rule(6, 3), Rule(None, 2)),
    *(Rule(rates=parse_rates(rate)) for rate in ("3/10s", "2/5s;9/1m")),
)

LANES = [(queue, -priority) for queue in QUEUES for priority in PRIORITIES]

picks = st.integers(min_value=0, max_value=2**16)
"""Which of the things that there are."""


def _try(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except UniqueConflict:
        return UniqueConflict


def _settled(claim: Claim, ended: Ended) -> Settle:
    return decide(claim, ended, delay_us=7 * SECOND, result='"r"' if ended is Ended.SUCCESS else None)


class StoreMachine(RuleBasedStateMachine):
    """Anything that producers, workers, chores and people may do, in any order."""

    def __init__(self, make_bed: Callable[[], Bed]) -> None:
        super().__init__()
        self.bed = make_bed()
        self.store = self.bed.open()
        self.oracle = Oracle(BEGINNING)
        self.news: list[NewJob] = []
        self.workers: list[Worker] = []
        self.claims: list[tuple[Worker, Claim]] = []
        """Every claim ever made, whatever became of it."""
        self.settles: list[tuple[Worker, Settle]] = []
        self.states: dict[bytes, State] = {}
        """Where each job stood after the step before."""

    def teardown(self) -> None:
        try:
            check_invariants(self.bed)
        finally:
            self.bed.close()

    # ── producers ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _enqueue(self, job: NewJob) -> None:
        self.news.append(job)
        expected = _try(lambda: [self.oracle.enqueue(job)])
        assert _try(lambda: self.store.enqueue([job])) == expected

    @rule(
        count=st.integers(1, 4),
        queue=st.sampled_from(QUEUES),
        priority=st.sampled_from(PRIORITIES),
        delay=st.sampled_from(DELAYS),
    )
    def enqueue(self, count: int, queue: str, priority: int, delay: int) -> None:
        jobs = [new(queue=queue, priority=priority, delay_us=delay) for _ in range(count)]
        self.news += jobs
        assert self.store.enqueue(jobs) == [self.oracle.enqueue(job) for job in jobs]

    @rule(
        key=st.sampled_from("kl"),
        conflict=st.sampled_from(["existing", "raise", "replace", "debounce"]),
        delay=st.sampled_from(DELAYS),
        queue=st.sampled_from(QUEUES),
    )
    def enqueue_unique(self, key: str, conflict: OnConflict, delay: int, queue: str) -> None:
        window = 10 * SECOND if conflict == "debounce" else 0
        self._enqueue(new(unique=key, on_conflict=conflict, delay_us=delay, debounce_us=window, queue=queue))

    @precondition(lambda self: self.news)
    @rule(pick=picks)
    def enqueue_again(self, pick: int) -> None:
        job = self.news[pick % len(self.news)]
        # A forgotten one would be a new job, and what comes after a forgotten one is refused.
        parents = {after.parent_id for after in job.after}
        if job.id in self.oracle.jobs and parents <= self.oracle.jobs.keys() | self.oracle.batches.keys():
            assert self.store.enqueue([job]) == [self.oracle.enqueue(job)]

    @precondition(lambda self: self.oracle.jobs)
    @rule(
        bonds=st.lists(
            st.lists(st.tuples(picks, st.sampled_from(list(Need)), st.booleans()), max_size=3), min_size=1, max_size=4
        ),
        in_batch=st.booleans(),
        delay=st.sampled_from(DELAYS),
    )
    def enqueue_after(self, bonds: list[list[tuple[int, Need, bool]]], in_batch: bool, delay: int) -> None:
        """Jobs that come after earlier ones, after each other, and after batches; and a batch with one that comes after it."""
        batch = NewBatch(IDS.job()) if in_batch else None
        options = Options(batch=batch.id.hex()) if batch is not None else Options()
        known = [*self.oracle.jobs, *self.oracle.batches]
        jobs: list[NewJob] = []
        for one in bonds:
            among = [*known[-6:], *(job.id for job in jobs)]
            after = {among[-1 - pick % len(among)]: (need, hold) for pick, need, hold in one}
            edges = tuple(After(parent, *how) for parent, how in after.items())
            jobs.append(new(queue=QUEUES[len(one) % 2], delay_us=delay, after=edges, options=options))
        if batch is not None:
            jobs.append(new(queue=QUEUES[0], after=(After(batch.id, bonds[0][0][1] if bonds[0] else Need.END),)))
        self.news += jobs
        expected = self.oracle.enqueue_bound(jobs, None if batch is None else batch.id)
        assert self.store.enqueue(jobs, [] if batch is None else [batch]) == expected

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────
    @initialize()
    def first_worker(self) -> None:
        self.open_worker()

    @precondition(lambda self: len(self.live()) < MOST_WORKERS)
    @rule()
    def open_worker(self) -> None:
        worker = Worker(self.store)
        self.workers.append(worker)
        self.oracle.open(worker.id, LEASE_US)

    def live(self) -> list[Worker]:
        """Workers whose lease is good."""
        return [worker for worker in self.workers if self.oracle.live(worker.id)]

    def _worker(self, pick: int) -> Worker:
        """Mostly one that lives."""
        live = self.live()
        among = live if live and pick % 4 else self.workers
        return among[pick // 4 % len(among)]

    @rule(pick=picks, limit=st.sampled_from([1, 2, 10]), lanes=st.permutations(LANES))
    def claim(self, pick: int, limit: int, lanes: list[tuple[str, int]]) -> None:
        self._claim(self._worker(pick), limit, lanes)

    def _claim(self, worker: Worker, limit: int, lanes: list[tuple[str, int]]) -> list[Claim]:
        turned = worker.turn(
            want=worker.want(
                limit, lanes=tuple(Lane(*lane) for lane in lanes), limited=tuple(sorted(self.oracle.rules))
            )
        )
        assert (turned.live, turned.now) == (self.oracle.live(worker.id), self.oracle.now)
        self.oracle.claim(worker.id, lanes, limit, turned.claims)
        self.claims += [(worker, claim) for claim in turned.claims]
        return list(turned.claims)

    @precondition(lambda self: self.live())
    @rule(
        pick=picks, ends=st.lists(st.sampled_from([*BY_WORKERS, Ended.REJECT, Ended.FAILURE]), min_size=1, max_size=6)
    )
    def work(self, pick: int, ends: list[Ended]) -> None:
        """Renew, claim, and settle some of it: without this little gets done."""
        worker = self.live()[pick % len(self.live())]
        self._renew(worker)
        claims = self._claim(worker, 10, LANES)
        self.every_move_is_in_the_table_of_transitions()
        self._settle(worker, [_settled(claim, ended) for claim, ended in zip(claims, ends, strict=False)])

    @precondition(lambda self: self.claims)
    @rule(picked=st.lists(st.tuples(picks, st.sampled_from(BY_WORKERS)), min_size=1, max_size=3), latest=st.booleans())
    def settle(self, picked: list[tuple[int, Ended]], latest: bool) -> None:
        """Of claims that stand and that do not."""
        by_worker: dict[int, dict[tuple[bytes, int], Settle]] = {}
        for pick, ended in picked:
            worker, claim = self.claims[-1 - pick % min(4, len(self.claims)) if latest else pick % len(self.claims)]
            by_worker.setdefault(self.workers.index(worker), {})[claim.job_id, claim.epoch] = _settled(claim, ended)
        for number, settles in by_worker.items():
            self._settle(self.workers[number], list(settles.values()))

    @precondition(lambda self: self.settles)
    @rule(pick=picks)
    def settle_again(self, pick: int) -> None:
        worker, settle = self.settles[pick % len(self.settles)]
        self._settle(worker, [settle])

    @precondition(lambda self: self.claims)
    @rule(pick=picks, thief=picks, ended=st.sampled_from(BY_WORKERS))
    def settle_of_another(self, pick: int, thief: int, ended: Ended) -> None:
        _, claim = self.claims[pick % len(self.claims)]
        self._settle(self._worker(thief), [_settled(claim, ended)])

    def _settle(self, worker: Worker, settles: list[Settle]) -> None:
        expected = self.oracle.settle(worker.id, settles)
        assert worker.settle(*settles) == expected
        self.settles += [(worker, s) for s, answer in zip(settles, expected, strict=True) if answer is Answer.ACCEPTED]

    @rule(pick=picks)
    def renew(self, pick: int) -> None:
        self._renew(self._worker(pick))

    def _renew(self, worker: Worker) -> None:
        live = self.oracle.renew(worker.id, LEASE_US)
        renewed = worker.renew()
        assert renewed.live == live
        if live:
            held = self.oracle.held(worker.id)
            assert set(renewed.held) == held
            asked = {job_id: reason for job_id, reason in self.oracle.cancels.items() if job_id in dict(held)}
            assert {control.job_id: control.reason for control in renewed.controls} == asked

    @rule(pick=picks, ended=st.sampled_from([Ended.RELEASE, Ended.LOST]))
    def leave(self, pick: int, ended: Ended) -> None:
        """In good order, or killed."""
        self._ended(self._worker(pick), ended)

    def _ended(self, worker: Worker, ended: Ended) -> None:
        counts = self.oracle.end_session(worker.id, ended)
        expected = None if counts is None else Reclaimed(worker.id, "w", *counts)
        gone = worker.leave() if ended is Ended.RELEASE else self.store.reclaim(worker.id, "killed")
        assert gone == expected

    # ── time and chores ───────────────────────────────────────────────────────────────────────────────────────────
    @rule(us=st.sampled_from(STEPS))
    def advance(self, us: int) -> None:
        self.bed.advance(us)
        self.oracle.now += us

    @rule()
    def reclaim_expired(self) -> None:
        expected = self.oracle.reclaim_expired()
        assert {gone.session_id: tuple(gone[2:]) for gone in self.store.reclaim_expired()} == expected

    @rule(limit=st.sampled_from([1, 100]))
    def promote(self, limit: int) -> None:
        assert dict(self.store.promote(limit)) == self.oracle.promote(limit)

    @rule(limit=st.sampled_from([1, 100]))
    def prune(self, limit: int) -> None:
        count = self.store.prune(100 * SECOND, 100 * SECOND, limit)
        gone = self.oracle.jobs.keys() - {job_id for (job_id,) in self.bed.rows("select id from relet.job")}
        batches = self.oracle.batches.keys() - {batch for (batch,) in self.bed.rows("select id from relet.batch")}
        self.oracle.forget_batches(100 * SECOND, batches)
        assert count == len(gone) == self.oracle.prune(100 * SECOND, limit, gone)

    # ── people ────────────────────────────────────────────────────────────────────────────────────────────────────
    @precondition(lambda self: self.news)
    @rule(pick=picks, reason=st.sampled_from(["first", "second"]))
    def cancel(self, pick: int, reason: str) -> None:
        job_id = self.news[pick % len(self.news)].id
        assert self.store.cancel(job_id, reason, "ann", 0) == self.oracle.cancel(job_id, reason)

    @rule()
    def honour_cancels(self) -> None:
        assert self.store.honour_cancels(1_000) == self.oracle.honour_cancels()

    @precondition(lambda self: any(job.state is State.DEAD for job in self.oracle.jobs.values()))
    @rule(pick=picks)
    def retry_dead(self, pick: int) -> None:
        dead = [job_id for job_id, job in self.oracle.jobs.items() if job.state is State.DEAD]
        job_id = dead[pick % len(dead)]
        expected = _try(lambda: self.oracle.retry_dead(job_id))
        assert _try(lambda: self.store.retry_dead(job_id, None, "ann")) == expected

    @rule()
    def pause_or_resume(self) -> None:
        """The second queue; the first goes on always."""
        queue = QUEUES[1]
        if queue in self.oracle.paused:
            assert self.store.resume_queue(queue)
            self.oracle.paused.discard(queue)
        else:
            self.store.pause_queue(queue, "ann", "", None)
            self.oracle.paused.add(queue)

    @rule(queue=st.sampled_from(QUEUES), which=picks)
    def limit(self, queue: str, which: int) -> None:
        """A queue is held to something, to something else, or to nothing any more."""
        rule = RULES[which % len(RULES)]
        self.store.limit_queue(queue, rule, "ann")
        self.oracle.limit(queue, rule)

    # ── the same rows ─────────────────────────────────────────────────────────────────────────────────────────────
    @invariant()
    def rows_are_what_the_oracle_says(self) -> None:
        rows = self._rows()
        expected = {job_id: self._expected(job_id) for job_id in self.oracle.jobs}
        differing = {job_id for job_id in rows.keys() | expected.keys() if rows.get(job_id) != expected.get(job_id)}
        assert not differing, [(j.hex()[-6:], rows.get(j), "expected", expected.get(j)) for j in differing]

    @invariant()
    def batches_are_what_the_oracle_says(self) -> None:
        rows = self.bed.rows("select id, total, open, succeeded, dead, cancelled, ended_at from relet.batch")
        assert {row[0]: row[1:] for row in rows} == {
            batch: (b.total, b.open, b.succeeded, b.dead, b.cancelled, b.ended_at)
            for batch, b in self.oracle.batches.items()
        }

    @invariant()
    def every_move_is_in_the_table_of_transitions(self) -> None:
        before, self.states = self.states, {job_id: job.state for job_id, job in self.oracle.jobs.items()}
        moves = {
            (before[job_id], state) for job_id, state in self.states.items() if before.get(job_id, state) is not state
        }
        assert {move for move in moves if not may_go(*move)} == set()

    @invariant()
    def nothing_is_lost(self) -> None:
        ((count,),) = self.bed.rows("select count(*) from relet.job")
        assert count + self.oracle.forgotten == self.oracle.enqueued

    def _expected(self, job_id: bytes) -> tuple[Any, ...]:
        job = self.oracle.jobs[job_id]
        count = job.counters
        traces = tuple(
            (epoch, trace.session, trace.word) for epoch, trace in sorted(job.traces.items()) if trace.word != "success"
        )
        match job.state:
            case State.WAITING:
                detail: tuple[Any, ...] = (len(job.edges), *count)
            case State.SCHEDULED | State.READY:
                detail = (job.run_at if job.state is State.SCHEDULED else None, *count)
            case State.RUNNING:
                detail = (job.session, *count)
            case State.DEAD:
                detail = (job.session, count.attempt, count.crashes, job.ended_at)
            case _:
                detail = (job.ended_at, job.result)
        return (job.state, job.epoch, *detail, traces)

    def _rows(self) -> dict[bytes, tuple[Any, ...]]:
        traces: dict[bytes, list[tuple[Any, ...]]] = {}
        for job_id, *trace in self.bed.rows(
            "select job_id, epoch, session_id, outcome from relet.attempt order by job_id, epoch"
        ):
            traces.setdefault(job_id, []).append(tuple(trace))
        return {
            job_id: (state, *rest, tuple(traces.get(job_id, ())))
            for sql in _STATES
            for job_id, state, *rest in self.bed.rows(sql)
        }


_COUNTERS = "attempt, crashes, suspicions, releases"
_STATES = (
    f"select job_id, 'waiting', epoch, edges, {_COUNTERS} from relet.waiting",
    f"select job_id, 'scheduled', epoch, run_at, {_COUNTERS} from relet.scheduled",
    f"select job_id, 'ready', epoch, null, {_COUNTERS} from relet.ready",
    f"select job_id, 'running', epoch, session_id, {_COUNTERS} from relet.running",
    "select job_id, 'dead', epoch, session_id, attempt, crashes, failed_at from relet.dead",
    "select job_id, outcome, epoch, finished_at, result from relet.finished",
)
