"""What a store should answer, in plain Python: a second opinion, without SQL, for one store that is used step by step.

Where the store is free to choose (the order among jobs that came back together), the oracle checks that the choice is
allowed and goes along with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from relet.errors import UniqueConflict
from relet.job.job import After, Claim, Counters, Flag, Need, NewJob
from relet.job.limits import Rule, Tally, used
from relet.job.outcome import Ended
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.records import Enqueued
from relet.store.recovery import TOO_MANY_SUSPICIONS

WAITING = (State.SCHEDULED, State.READY)
LEARNT = int(Flag.PARENT | Flag.COUNTED)
"""Flags that a claim has for other reasons than what its job is."""
TAKEN_BACK = (Ended.LOST, Ended.RELEASE)


@dataclass
class Trace:
    """How one claim ended."""

    session: bytes
    word: str


@dataclass
class Job:
    """A job and where it stands."""

    new: NewJob
    state: State
    place: int = 0
    """In its lane: lower is earlier; jobs with equal places may be handed out in any order."""
    run_at: int = 0
    counters: Counters = field(default_factory=Counters)
    epoch: int = 0
    session: bytes | None = None
    ended_at: int = 0
    result: str | None = None
    traces: dict[int, Trace] = field(default_factory=dict)
    edges: dict[bytes, After] = field(default_factory=dict)
    """What it still waits for."""

    @property
    def finished(self) -> bool:
        """Ended, and not among the dead letters."""
        return self.state in (State.SUCCEEDED, State.CANCELLED)

    @property
    def key(self) -> tuple[str, str] | None:
        """Its unique key, if it has one."""
        unique = self.new.options.unique
        return None if unique is None else (self.new.task, unique)


@dataclass
class Session:
    """A lease."""

    lease_until: int
    ended: bool = False


@dataclass
class Batch:
    """Jobs that are counted."""

    total: int
    open: int
    succeeded: int = 0
    dead: int = 0
    cancelled: int = 0
    ended_at: int | None = None

    @property
    def outcome(self) -> str:
        """How it has ended."""
        return "failed" if self.dead + self.cancelled else "succeeded"


class Oracle:
    """The whole store."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.jobs: dict[bytes, Job] = {}
        self.sessions: dict[bytes, Session] = {}
        self.paused: set[str] = set()
        self.cancels: dict[bytes, str] = {}
        self.batches: dict[bytes, Batch] = {}
        self.rules: dict[str, Rule] = {}
        self.tallies: dict[str, list[Tally]] = {}
        self.enqueued = 0
        self.forgotten = 0
        self._last = 0

    # ── producing ─────────────────────────────────────────────────────────────────────────────────────────────────
    def enqueue(self, new: NewJob) -> Enqueued:
        """One job. Raises UniqueConflict."""
        if new.id in self.jobs:
            return Enqueued(new.id, True)
        holder = self.holder(new)
        if holder is not None and new.on_conflict == "replace" and holder.state in WAITING:
            self._end(holder, State.CANCELLED)
            holder = None
        if holder is not None:
            return self._occupied(new, holder)
        delay_us = max(new.delay_us, new.debounce_us if new.on_conflict == "debounce" else 0)
        job = self.jobs[new.id] = Job(new, State.READY)
        self.enqueued += 1
        if new.after:
            job.state, job.run_at = State.WAITING, self.now + delay_us
            job.edges = {after.parent_id: after for after in new.after}
        elif delay_us > 0:
            self._schedule(job, delay_us)
        else:
            self._to_end(job)
        return Enqueued(new.id, True)

    def enqueue_bound(self, news: Sequence[NewJob], batch: bytes | None) -> list[Enqueued]:
        """Jobs that come after others, their parents among them first; all of those that name it are in the batch."""
        self._last += 1
        answers = [self.enqueue(new) for new in news]
        if batch is not None:
            total = sum(new.options.batch == batch.hex() for new in news)
            self.batches[batch] = Batch(total, total, ended_at=None if total else self.now)
        for new in news:
            for parent in new.after:
                self._learn(self.jobs[new.id], parent.parent_id)
        return answers

    def _learn(self, child: Job, parent: bytes) -> None:
        """How a parent has ended before its child came."""
        if parent in self.batches and self.batches[parent].ended_at is not None:
            self._tell(child, parent, self.batches[parent].outcome)
        elif parent in self.jobs and self.jobs[parent].state.ended:
            self._tell(child, parent, self.jobs[parent].state)

    def _occupied(self, new: NewJob, holder: Job) -> Enqueued:
        if new.on_conflict == "raise":
            raise UniqueConflict("taken", key="", holder=None)  # type: ignore[arg-type]  # only its kind is compared
        if new.on_conflict == "debounce" and holder.state in WAITING:
            self._schedule(holder, new.debounce_us)
        return Enqueued(holder.new.id, False)

    def holder(self, new: NewJob) -> Job | None:
        """Who has the unique key that a job wants."""
        wanted = Job(new, State.READY).key
        live = (job for job in self.jobs.values() if not job.state.ended)
        return None if wanted is None else next((job for job in live if job.key == wanted), None)

    # ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────
    def open(self, session: bytes, lease_us: int) -> None:
        """A session begins."""
        self.sessions[session] = Session(self.now + lease_us)

    def live(self, session: bytes) -> bool:
        """Whether it may claim."""
        found = self.sessions[session]
        return not found.ended and found.lease_until > self.now

    def renew(self, session: bytes, lease_us: int) -> bool:
        """Extend its lease; whether it is live afterwards."""
        found = self.sessions[session]
        if not found.ended:
            found.lease_until = self.now + lease_us
        return self.live(session)

    def held(self, session: bytes) -> set[tuple[bytes, int]]:
        """The claims that stand under it."""
        return {(job.new.id, job.epoch) for job in self._running(session)}

    def _running(self, session: bytes) -> list[Job]:
        return [job for job in self.jobs.values() if job.state is State.RUNNING and job.session == session]

    def end_session(self, session: bytes, ended: Ended) -> tuple[int, int, int] | None:
        """End it and give back what it held: (returned, dead, cancelled). None: it was over."""
        self._last += 1
        return self._end_session(session, ended)

    def _end_session(self, session: bytes, ended: Ended) -> tuple[int, int, int] | None:
        found = self.sessions[session]
        if found.ended:
            return None
        found.ended = True
        counts = [0, 0, 0]
        for job in self._running(session):
            job.traces[job.epoch] = Trace(session, ended)
            counts[self._give_back(job, suspicion=ended is Ended.LOST)] += 1
        return counts[0], counts[1], counts[2]

    def _give_back(self, job: Job, *, suspicion: bool) -> int:
        if job.new.id in self.cancels:
            self._end(job, State.CANCELLED)
            return 2
        suspicions = job.counters.suspicions + suspicion
        if suspicions >= TOO_MANY_SUSPICIONS:
            self._end(job, State.DEAD)
            return 1
        job.counters = job.counters._replace(suspicions=suspicions, releases=job.counters.releases + 1)
        job.state, job.session, job.place = State.READY, None, -self._last
        return 0

    def reclaim_expired(self) -> dict[bytes, tuple[int, int, int]]:
        """End all sessions that have lapsed, in any order."""
        self._last += 1
        lapsed = [s for s, found in self.sessions.items() if not found.ended and found.lease_until <= self.now]
        ended = {session: self._end_session(session, Ended.LOST) for session in lapsed}
        return {session: counts for session, counts in ended.items() if counts is not None}

    # ── turns ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def claim(self, session: bytes, lanes: Sequence[tuple[str, int]], limit: int, claims: Sequence[Claim]) -> None:
        """Check what was handed out, and go along with it."""
        got = [self.jobs[claim.job_id] for claim in claims]
        assert all(job.state is State.READY for job in got), "handed out what was not ready"
        if self.live(session):
            self._check_order(session, lanes, limit, got)
        else:
            assert got == [], "handed out to nobody"
        for job, claim in zip(got, claims, strict=True):
            job.epoch += 1
            job.state, job.session = State.RUNNING, session
            assert (claim.epoch, claim.counters, claim.claimed_at) == (job.epoch, job.counters, self.now)
            assert (claim.cancel, claim.flags | LEARNT) == (self.cancels.get(claim.job_id), job.new.flags | LEARNT)
        for queue, rule in self.rules.items():
            units = sum(job.new.queue == queue for job in got)
            self.tallies[queue] += [Tally(rate.window_us, rate.step(self.now), units) for rate in rule.rates]

    def _check_order(self, session: bytes, lanes: Sequence[tuple[str, int]], limit: int, got: list[Job]) -> None:
        """Of each lane what was next, and of all as much as fits. Without limits, the lanes in their order."""
        ready = {lane: sorted(self._ready(*lane), key=lambda job: job.place) for lane in lanes}
        room = {queue: self._room(session, queue, limit) for queue in {queue for queue, _ in lanes}}
        if not self.rules:
            allowed = [job for lane in lanes for job in ready[lane]]
            assert list(map(_turn_of, got)) == list(map(_turn_of, allowed[:limit])), "not what was next"
            return
        might = 0
        for queue, most in room.items():
            there = [job for lane in lanes if lane[0] == queue for job in ready[lane]]
            mine = [job for job in got if job.new.queue == queue]
            assert list(map(_turn_of, mine)) == list(map(_turn_of, there[: len(mine)])), "not what was next"
            assert len(mine) <= most, "more than its limit lets start"
            might += min(most, len(there))
        assert len(got) == min(limit, might), "fewer than might start"

    def _room(self, session: bytes, queue: str, most: int) -> int:
        """How many jobs of a queue may start under a session."""
        rule = self.rules.get(queue, Rule())
        running = [job.session for job in self.jobs.values() if (job.state, job.new.queue) == (State.RUNNING, queue)]
        rooms = [most]
        if rule.concurrency is not None:
            rooms.append(rule.concurrency - len(running))
        if rule.per_worker is not None:
            rooms.append(rule.per_worker - running.count(session))
        rooms += [rate.units - used(rate, self.tallies[queue], self.now) for rate in rule.rates]
        return max(0, min(rooms))

    def limit(self, queue: str, rule: Rule) -> None:
        """Hold a queue to this. What was counted for a window that stays, counts on."""
        windows = {rate.window_us for rate in rule.rates}
        self.tallies[queue] = [tally for tally in self.tallies.get(queue, ()) if tally.window_us in windows]
        self.rules[queue] = rule
        if not rule.active:
            del self.rules[queue]

    def _ready(self, queue: str, rank: int) -> Iterable[Job]:
        if queue in self.paused:
            return []
        ready = (job for job in self.jobs.values() if job.state is State.READY)
        return [job for job in ready if (job.new.queue, -job.new.priority) == (queue, rank)]

    def settle(self, session: bytes, settles: Sequence[Settle]) -> tuple[Answer, ...]:
        """End those claims that stand. Jobs that are given back in one turn return in any order."""
        self._last += 1
        return tuple(self._settle(session, settle) for settle in settles)

    def _settle(self, session: bytes, settle: Settle) -> Answer:
        job = self.jobs.get(settle.job_id)
        if job is None:
            return Answer.EXPIRED
        if (job.state, job.session, job.epoch) != (State.RUNNING, session, settle.epoch):
            return self._judge(job, session, settle)
        job.traces[job.epoch] = Trace(session, settle.ended)
        job.counters = settle.counters
        if settle.to.ended:
            self._end(job, settle.to, settle.result)
        elif settle.to is State.SCHEDULED:
            self._schedule(job, settle.delay_us)
        else:
            job.state, job.place = State.READY, -self._last
        job.session = session if job.state.ended else None
        return Answer.ACCEPTED

    def _judge(self, job: Job, session: bytes, settle: Settle) -> Answer:
        trace = job.traces.get(settle.epoch)
        if trace is None or trace.session != session:
            return Answer.FENCED
        return Answer.FENCED if trace.word in TAKEN_BACK and trace.word != settle.ended else Answer.REPLAYED

    # ── chores and people ─────────────────────────────────────────────────────────────────────────────────────────
    def promote(self, limit: int) -> dict[str, int]:
        """What is due becomes ready."""
        scheduled = [job for job in self.jobs.values() if job.state is State.SCHEDULED and job.run_at <= self.now]
        counts: dict[str, int] = {}
        for job in sorted(scheduled, key=lambda job: (job.run_at, job.new.id))[:limit]:
            self._to_end(job)
            counts[job.new.queue] = counts.get(job.new.queue, 0) + 1
        return counts

    def prune(self, older_us: int, limit: int, gone: set[bytes]) -> int:
        """What ended long ago is forgotten, the dead excepted. Which comes first is the store's choice."""
        needed = {after.parent_id for job in self.jobs.values() if not job.finished for after in job.new.after}
        finished = (job for job in self.jobs.values() if job.finished and job.new.id not in needed)
        old = {job.new.id for job in finished if job.ended_at < self.now - older_us}
        assert gone <= old, "forgot what it must keep"
        for job_id in gone:
            del self.jobs[job_id]
        self.cancels = {
            j: reason for j, reason in self.cancels.items() if j in self.jobs and not self.jobs[j].state.ended
        }
        self.forgotten += len(gone)
        return min(len(old), limit)

    def forget_batches(self, older_us: int, gone: set[bytes]) -> None:
        """Batches that ended long ago are forgotten, all but those that somebody waits for."""
        awaited = {parent for job in self.jobs.values() for parent in job.edges}
        for batch in gone:
            ended_at = self.batches[batch].ended_at
            assert ended_at is not None and ended_at < self.now - older_us and batch not in awaited  # noqa: PT018
            del self.batches[batch]

    def cancel(self, job_id: bytes, reason: str) -> State | None:
        """Cancel what waits; ask what runs."""
        self._last += 1
        job = self.jobs.get(job_id)
        if job is None:
            return None
        found = job.state
        if found is State.RUNNING:
            self.cancels.setdefault(job_id, reason)
            return found
        if found in (State.WAITING, *WAITING):
            self._end(job, State.CANCELLED)
        self.cancels.pop(job_id, None)
        return found

    def honour_cancels(self) -> int:
        """Those who wait again though they were to be cancelled."""
        waiting = [job_id for job_id in self.cancels if self.jobs[job_id].state in WAITING]
        ended = [job_id for job_id in self.cancels if self.jobs[job_id].state.ended]
        for job_id in [*waiting, *ended]:
            self.cancel(job_id, "")
        return len(waiting)

    def retry_dead(self, job_id: bytes) -> bool:
        """Back to ready. Raises UniqueConflict."""
        job = self.jobs.get(job_id)
        if job is None or job.state is not State.DEAD:
            return False
        if self.holder(job.new) is not None:
            raise UniqueConflict("taken", key="", holder=None)  # type: ignore[arg-type]  # only its kind is compared
        job.counters, job.session = Counters(), None
        if (batch := self._batch_of(job)) is not None:
            batch.open, batch.dead = batch.open + 1, batch.dead - 1
        self.cancels.pop(job_id, None)
        self._to_end(job)
        return True

    # ── moves ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _to_end(self, job: Job) -> None:
        self._last += 1
        job.state, job.place = State.READY, self._last

    def _schedule(self, job: Job, delay_us: int) -> None:
        job.state, job.run_at, job.session = State.SCHEDULED, self.now + delay_us, None

    def _end(self, job: Job, state: State, result: str | None = None) -> None:
        job.state, job.ended_at, job.result = state, self.now, result
        job.edges = {}
        failing = False
        if (batch := self._batch_of(job)) is not None:
            batch.open -= 1
            batch.succeeded += state is State.SUCCEEDED
            batch.dead += state is State.DEAD
            batch.cancelled += state is State.CANCELLED
            failing = state is not State.SUCCEEDED
        self._tell_all(job.new.id, state)
        name = bytes.fromhex(job.new.options.batch or "")
        if batch is not None and batch.open <= 0 and batch.ended_at is None:
            batch.ended_at = self.now
            self._tell_all(name, batch.outcome)
        elif failing:
            self._tell_all(name, "failed", Need.FAILURE)

    # ── jobs that wait for others ─────────────────────────────────────────────────────────────────────────────────
    def _batch_of(self, job: Job) -> Batch | None:
        return None if job.new.options.batch is None else self.batches.get(bytes.fromhex(job.new.options.batch))

    def _tell_all(self, parent: bytes, outcome: str, need: Need | None = None) -> None:
        waiting = [job for job in self.jobs.values() if parent in job.edges]
        for child in waiting:
            if parent in child.edges and need in (None, child.edges[parent].need):
                self._tell(child, parent, outcome)

    def _tell(self, child: Job, parent: bytes, outcome: str) -> None:
        """How one that a job waits for has ended."""
        edge = child.edges.get(parent)
        if edge is None or (edge.hold and outcome == State.DEAD):
            return
        del child.edges[parent]
        if edge.need is not Need.END and (outcome == State.SUCCEEDED) is not (edge.need is Need.SUCCESS):
            self._end(child, State.CANCELLED)
        elif not child.edges and child.run_at > self.now:
            child.state = State.SCHEDULED
        elif not child.edges:
            child.state, child.place = State.READY, self._last


def _turn_of(job: Job) -> tuple[str, int, int]:
    return job.new.queue, -job.new.priority, job.place
