"""Verbs to be cut off in the middle: each is prepared, called, called again, and looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from relet.errors import StoreUnavailable
from relet.job.job import Claim, NewJob
from relet.job.outcome import Ended
from relet.job.retry import Retry
from relet.job.settlement import Answer, Policy
from relet.store.port import Store
from relet.store.records import Beat, LogLine, Notes, Progress, Usage
from tests.store.hands import IDS, Worker, decide, new

AGREED = {Answer.ACCEPTED, Answer.REPLAYED}
ONCE = Policy(Retry(1))


@dataclass
class Act:
    """One call of a verb. `again` is what a caller does who does not know what became of it; by default the same call."""

    call: Callable[[Store], Any]
    jobs: Sequence[bytes] = ()
    again: Callable[[Store], Any] | None = None


@dataclass
class Stage:
    """The store as the test uses it, on a connection of its own, and a raw one beside it."""

    store: Store
    raw: psycopg.Connection[Any]
    count: int = field(default=0)

    def worker(self) -> Worker:
        """A session with a queue of its own, so that no act meets another's jobs."""
        self.count += 1
        return Worker(self.store, f"w{self.count}", queues=(f"q{self.count}",))

    def put(self, worker: Worker, count: int = 1, **fields: Any) -> list[bytes]:
        """Jobs in that worker's queue."""
        jobs = [new(queue=worker.queues[0], **fields) for _ in range(count)]
        self.store.enqueue(jobs)
        return [job.id for job in jobs]

    def taken(self, worker: Worker, count: int = 1, **fields: Any) -> tuple[Claim, ...]:
        """Jobs that it holds."""
        self.put(worker, count, **fields)
        return worker.claim(count)

    def buried(self, worker: Worker) -> bytes:
        """A dead letter."""
        (claim,) = self.taken(worker)
        worker.bury(claim)
        return claim.job_id

    def run(self, sql: str) -> None:
        """Any statement."""
        self.raw.execute(sql.encode())


def _enqueue(*jobs: NewJob) -> Act:
    return Act(lambda store: store.enqueue(jobs), [job.id for job in jobs])


def enqueue_one(_: Stage) -> Act:
    return _enqueue(new())


def enqueue_several(_: Stage) -> Act:
    return _enqueue(new(), new(queue="other", priority=3), new(delay_us=10**9), new(task="u", needs=("gpu=a",)))


def enqueue_keyed(_: Stage) -> Act:
    key = IDS.job().hex()
    return _enqueue(new(), new(unique=key, on_conflict="raise"), new(unique=f"{key}-2"))


def enqueue_replacing(stage: Stage) -> Act:
    key = IDS.job().hex()
    old = new(unique=key)
    stage.store.enqueue([old])
    act = _enqueue(new(unique=key, on_conflict="replace"))
    return Act(act.call, [old.id, *act.jobs])


def enqueue_debounced(stage: Stage) -> Act:
    key = IDS.job().hex()
    old = new(unique=key, delay_us=10**8)
    stage.store.enqueue([old])
    debounced = new(unique=key, on_conflict="debounce", debounce_us=10**9)
    return Act(lambda store: store.enqueue([debounced]), [old.id])


def claim(stage: Stage) -> Act:
    worker = stage.worker()
    jobs = stage.put(worker, 3)

    def again(store: Store) -> None:
        """What a worker does: it looks for what stands under its session, and claims what does not."""
        held = [job_id for job_id, _ in store.renew(worker.id, worker.lease_us, Beat()).held]
        found = store.claims(worker.id, held)
        assert {one.job_id for one in found} == set(held)
        rest = store.turn(worker.id, (), Notes(), worker.want(5)).claims
        assert {one.job_id for one in (*found, *rest)} == set(jobs)

    return Act(lambda store: store.turn(worker.id, (), Notes(), worker.want(5)), jobs, again)


def _settle(stage: Stage, ended: Ended, policy: Policy = Policy(), **fields: Any) -> Act:  # noqa: B008  it is frozen
    worker = stage.worker()
    claims = stage.taken(worker, 2)
    settles = [decide(one, ended, policy, **fields) for one in claims]

    def call(store: Store) -> None:
        answers = store.turn(worker.id, settles, Notes(), None).answers
        assert set(answers) <= AGREED, answers

    return Act(call, [one.job_id for one in claims])


def settle_success(stage: Stage) -> Act:
    return _settle(stage, Ended.SUCCESS, result='"done"')


def settle_failure(stage: Stage) -> Act:
    return _settle(stage, Ended.FAILURE, error="broken")


def settle_dead(stage: Stage) -> Act:
    return _settle(stage, Ended.FAILURE, ONCE, error="broken")


def settle_release(stage: Stage) -> Act:
    return _settle(stage, Ended.RELEASE)


def settle_snooze(stage: Stage) -> Act:
    return _settle(stage, Ended.SNOOZE, delay_us=10**9)


def settle_cancel(stage: Stage) -> Act:
    return _settle(stage, Ended.CANCEL, error="not needed")


def settle_keyed(stage: Stage) -> Act:
    worker = stage.worker()
    (one,) = stage.taken(worker, unique=IDS.job().hex())
    settles = [decide(one, Ended.SUCCESS)]

    def call(store: Store) -> None:
        assert set(store.turn(worker.id, settles, Notes(), None).answers) <= AGREED

    return Act(call, [one.job_id])


def settle_with_notes(stage: Stage) -> Act:
    worker = stage.worker()
    good, bad, stays = stage.taken(worker, 3)
    settles = [decide(good, Ended.SUCCESS), decide(bad, Ended.FAILURE, error="broken")]
    notes = Notes(
        [Progress(stays.job_id, 1, 50.0, "half")],
        [LogLine(stays.job_id, 1, 1, 5, "info", "hello", None), LogLine(good.job_id, 1, 1, 5, "info", "hello", None)],
        [Usage(stays.job_id, 1, 1, "pages", "3", "", None)],
    )

    def call(store: Store) -> None:
        assert set(store.turn(worker.id, settles, notes, None).answers) <= AGREED

    return Act(call, [good.job_id, bad.job_id, stays.job_id])


def settle_and_claim(stage: Stage) -> Act:
    worker = stage.worker()
    (one,) = stage.taken(worker)
    (waiting,) = stage.put(worker)
    settles = [decide(one, Ended.SUCCESS)]

    def call(store: Store) -> None:
        answer = store.turn(worker.id, settles, Notes(), worker.want(5))
        assert set(answer.answers) <= AGREED

    return Act(call, [one.job_id, waiting])


def renew(stage: Stage) -> Act:
    worker = stage.worker()
    claims = stage.taken(worker, 2)

    def call(store: Store) -> None:
        answer = store.renew(worker.id, worker.lease_us, Beat(busy=2))
        assert answer.live
        assert len(answer.held) == 2

    return Act(call, [one.job_id for one in claims])


def listen(stage: Stage) -> Act:
    worker = stage.worker()
    claims = stage.taken(worker, 2)
    return Act(lambda store: store.listen(worker.id), [one.job_id for one in claims])


def end_session(stage: Stage) -> Act:
    worker = stage.worker()
    claims = stage.taken(worker, 3)
    return Act(lambda store: store.end_session(worker.id, "drained"), [one.job_id for one in claims])


def reclaim(stage: Stage) -> Act:
    worker = stage.worker()
    claims = stage.taken(worker, 3)
    return Act(lambda store: store.reclaim(worker.id, "its process is gone"), [one.job_id for one in claims])


def reclaim_expired(stage: Stage) -> Act:
    worker = stage.worker()
    claims = stage.taken(worker, 3)
    stage.run(f"update relet.session set lease_until = 0 where id = '{worker.id.hex()}'")
    return Act(lambda store: store.reclaim_expired(), [one.job_id for one in claims])


def promote(stage: Stage) -> Act:
    jobs = [new(delay_us=10**9) for _ in range(3)]
    stage.store.enqueue(jobs)
    listed = ", ".join(f"'{job.id.hex()}'" for job in jobs)
    stage.run(f"update relet.scheduled set run_at = 0 where job_id in ({listed})")
    return Act(lambda store: store.promote(10), [job.id for job in jobs])


def _cancel(job_id: bytes) -> Act:
    return Act(lambda store: store.cancel(job_id, "not needed", "me", 0), [job_id])


def cancel_ready(stage: Stage) -> Act:
    return _cancel(stage.put(stage.worker())[0])


def cancel_scheduled(stage: Stage) -> Act:
    return _cancel(stage.put(stage.worker(), delay_us=10**9)[0])


def cancel_running(stage: Stage) -> Act:
    return _cancel(stage.taken(stage.worker())[0].job_id)


def retry_dead(stage: Stage) -> Act:
    job_id = stage.buried(stage.worker())
    return Act(lambda store: store.retry_dead(job_id, '{"a": 1}', "me"), [job_id])


def resolve_dead(stage: Stage) -> Act:
    job_id = stage.buried(stage.worker())
    return Act(lambda store: store.resolve_dead(job_id, True, "me", "known"), [job_id])


def purge_queue(stage: Stage) -> Act:
    worker = stage.worker()
    jobs = stage.put(worker, 3)
    return Act(lambda store: store.purge_queue(worker.queues[0], "me", 10), jobs)


def effects(stage: Stage) -> Act:
    worker = stage.worker()
    (one,) = stage.taken(worker)
    settle = decide(one, Ended.SUCCESS)
    said = Notes(
        logs=[LogLine(one.job_id, 1, 1, 5, "info", "hello", None)],
        usage=[Usage(one.job_id, 1, 1, "pages", "3", "", None)],
    )

    def call(store: Store) -> None:
        open_effects = store.begin_effects(worker.id)
        try:
            open_effects.connection.execute("insert into effect values (%s)", (one.job_id.hex(),))
        except psycopg.Error as error:  # what the task itself asks is answered by the driver
            open_effects.roll_back()
            raise StoreUnavailable("the connection was lost") from error
        assert open_effects.settle(settle, said) in AGREED

    return Act(call, [one.job_id])


ACTS: dict[str, Callable[[Stage], Act]] = {
    act.__name__: act
    for act in (
        *(enqueue_one, enqueue_several, enqueue_keyed, enqueue_replacing, enqueue_debounced, claim),
        *(settle_success, settle_failure, settle_dead, settle_release, settle_snooze, settle_cancel, settle_keyed),
        *(settle_with_notes, settle_and_claim, renew, listen, end_session, reclaim, reclaim_expired, promote),
        *(cancel_ready, cancel_scheduled, cancel_running, retry_dead, resolve_dead, purge_queue, effects),
    )
}
