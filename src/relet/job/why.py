"""Why a job does not run now, in sentences for people: the decisive reason first, each with what to do about it. Pure.

`Standing` is what is known of the job and its surroundings in one snapshot of the store. All times are microseconds
since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from uuid import UUID

from relet.job.duration import format_us
from relet.job.job import SOLO_SUSPICIONS, Fired
from relet.job.limits import QueueLimit
from relet.job.outcome import Ended
from relet.job.settlement import DeadReason
from relet.job.state import State
from relet.job.surroundings import Closed, Lease, LiveWorker, Pause
from relet.job.textsafe import one_line
from relet.job.waits import Bond, waits_for
from relet.job.why_fired import made_by
from relet.job.why_held import Tripped, held_by, let_go_by
from relet.job.why_limited import Line, held_back, stands_before
from relet.job.why_shared import Share, among_tenants
from relet.job.why_words import because, listed, wall

NAMED = 5
"""How many workers or tasks a sentence names before it says "and 7 more"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands, and everything that decides whether it can run now."""

    job_id: bytes
    task: str
    queue: str
    state: State
    now: int
    needs: tuple[str, ...] = ()
    attempt: int = 0
    """Attempts that failed."""
    suspicions: int = 0
    max_attempts: int | None = None
    """If the job itself has such a limit; its task's is not known here."""
    expires_at: int | None = None
    """By when it has to be started; None when it was started already, or may wait for ever."""
    deadline_at: int | None = None
    """After which no attempt may go on."""
    run_at: int | None = None
    ready_at: int | None = None
    worker: str | None = None
    """Who ended it."""
    ended_at: int | None = None
    error: str = ""
    """Why it ended, or why its last claim did."""
    last_ended: str = ""
    """How its last claim ended (a word of `Ended`)."""
    dead_reason: str = ""
    resolved: bool = False
    cancel_asked: str | None = None
    lease: Lease | None = None
    paused: Pause | None = None
    closed: Closed | None = None
    limit: QueueLimit | None = None
    """What its queue is held to."""
    breakers: tuple[Tripped, ...] = ()
    """Of its task, its queue and the call that has put it off, those that are not closed."""
    put_off_by: str = ""
    """The breaker around a call that has put it off."""
    ahead: int = 0
    """Ready jobs before it in its queue."""
    ahead_capped: bool = False
    """There are more than that."""
    share: Share | None = None
    """Of its queue, if tenants share it."""
    workers: tuple[LiveWorker, ...] = ()
    bonds: tuple[Bond, ...] = ()
    """The first of those that it comes after and that have not ended."""
    bonds_left: int = 0
    bonds_total: int = 0
    line: Line | None = None
    """Where it stands in line before a limit by name and key."""
    fire: Fired | None = None
    """What made it, if a schedule did."""

    @property
    def id(self) -> UUID:
        """The id as people write it."""
        return UUID(bytes=self.job_id)


def explain(job: Standing) -> list[str]:
    """Why the job does not run, or that it does, or how it ended; and what made it, if a schedule did. Never empty."""
    return [*_explained(job), *made_by(job.fire)]


def _explained(job: Standing) -> list[str]:
    if job.state.ended:
        return [_ended(job)]
    if job.state is State.RUNNING:
        return [*_running(job)]
    if job.state is State.WAITING:
        held = [] if job.line is None else [stands_before(job.line, job.now)]
        return [*_given_up(job), *(held or waits_for(job.bonds, job.bonds_left, job.bonds_total, job.id))]
    if job.state is State.SCHEDULED:
        return [
            *_given_up(job),
            _due(job),
            *_paused(job),
            *held_by(job.breakers, job.now),
            *let_go_by(job.put_off_by, job.breakers),
            *_nobody(job),
            *_remarks(job),
        ]
    hindrances = [
        *_given_up(job),
        *_paused(job),
        *held_by(job.breakers, job.now),
        *_limited(job),
        *(_nobody(job) or _all_busy(job)),
        *_behind(job),
    ]
    return [*(hindrances or [_next(job)]), *_remarks(job)]


# ── ended ───────────────────────────────────────────────────────────────────────────────────────────────────────────
_DEAD_BECAUSE: dict[str, str] = {
    DeadReason.ATTEMPTS: "all its attempts failed",
    DeadReason.PERMANENT: "it failed with an error that is not retried",
    DeadReason.REJECTED: "its task rejected it",
    DeadReason.POISON: "it took its worker process down too often",
    DeadReason.DEADLINE: "its deadline passed",
}


def _ended(job: Standing) -> str:
    when = f"{_ago(job, job.ended_at)}{_on(job.worker)}"
    if job.state is State.SUCCEEDED:
        return f"It succeeded {when}. See its result: relet jobs show {job.id}"
    if job.state is State.CANCELLED:
        return f"It was cancelled {when}{because(job.error)}. See its history: relet jobs show {job.id}"
    reason = _DEAD_BECAUSE.get(job.dead_reason, job.dead_reason or "it failed")
    dead = f"It went to the dead letters {when}: {reason}, {_times(job.attempt)}{because(job.error)}."
    resolved = " It is marked as resolved." if job.resolved else ""
    return f"{dead}{resolved} Look at it, then run it again: relet dead show {job.id}; relet dead retry {job.id}"


def _times(failed: int) -> str:
    return f"after {failed} failed {'attempt' if failed == 1 else 'attempts'}"


# ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _running(job: Standing) -> Iterator[str]:
    if job.lease is None:
        yield f"It is running. See it: relet jobs show {job.id}"
    elif job.lease.live:
        yield _leased(job, job.lease)
    else:
        yield _lapsed(job, job.lease)
        if not job.workers:
            yield f"No worker is alive to do that or to run it. Start one: {_start(job)}"
    if job.cancel_asked is not None:
        told = "it is told within a second" if job.lease and job.lease.live else "the sweep ends it as cancelled"
        yield f"It was asked to be cancelled{because(job.cancel_asked)}: {told}."


def _leased(job: Standing, lease: Lease) -> str:
    renewed = lease.renewed_at or lease.claimed_at
    return (
        f"It is running: leased to worker {_word(lease.worker)} for {format_us(max(0, job.now - lease.claimed_at))}, "
        f"until {wall(renewed + lease.lease_us)} (renewed {_ago(job, renewed)}). "
        f"To stop it: relet jobs cancel {job.id}"
    )


def _lapsed(job: Standing, lease: Lease) -> str:
    sweep = "The next sweep of any live worker gives it to another one. Sweep now: relet recover"
    if lease.renewed_at is None:
        return f"The worker that held it is gone. {sweep}"
    heard = f"it was last heard of {_ago(job, lease.renewed_at)}"
    return f"The session of worker {_word(lease.worker)}, which holds it, has lapsed or ended: {heard}. {sweep}"


# ── waiting ─────────────────────────────────────────────────────────────────────────────────────────────────────────
_RETRIED = frozenset({Ended.FAILURE, Ended.TIMEOUT, Ended.RETRY_LATER, Ended.CHILD_DIED, Ended.CRASH})


def _given_up(job: Standing) -> Iterator[str]:
    if job.cancel_asked is not None:
        yield f"It was asked to be cancelled{because(job.cancel_asked)}: it ends as cancelled instead of running again."
    if job.expires_at is not None and job.expires_at <= job.now:
        yield (
            f"It had to be started by {wall(job.expires_at)}, {_ago(job, job.expires_at)}: "
            f"it ends as cancelled when a worker comes to it. Enqueue it again with a later expiry if it is still wanted."
        )
    if job.deadline_at is not None and job.deadline_at <= job.now:
        yield (
            f"Its deadline was {wall(job.deadline_at)}, {_ago(job, job.deadline_at)}: it goes to the dead letters when a "
            "worker comes to it. Enqueue it again with a later deadline if it is still wanted."
        )


def _due(job: Standing) -> str:
    run_at = job.run_at or job.now
    if run_at <= job.now:
        when = f"It was due {_ago(job, run_at)} and becomes ready at the next sweep of a live worker"
    else:
        when = f"It is due in {format_us(run_at - job.now)}, at {wall(run_at)}"
    return f"{when}: {_why_later(job)}. See it: relet jobs show {job.id}"


def _why_later(job: Standing) -> str:
    if job.last_ended in _RETRIED:
        of = f" of {job.max_attempts}" if job.max_attempts is not None else ""
        return f"attempt {job.attempt + 1}{of}, after the last one failed{because(job.error)}"
    if job.last_ended == Ended.SNOOZE:
        return f"its task put it off{because(job.error)}"
    return "it was enqueued with a delay"


def _paused(job: Standing) -> Iterator[str]:
    if job.paused is None:
        return
    until = job.paused.resume_at
    end = f" until {wall(until)} (in {format_us(until - job.now)})" if until is not None else ""
    yield (
        f"Queue {_word(job.queue)} is paused by {_word(job.paused.by or 'somebody')} since {wall(job.paused.at)}"
        f"{end}{because(job.paused.reason)}. Resume it: relet queues resume {quote(job.queue)}"
    )


def _limited(job: Standing) -> Iterator[str]:
    if job.limit is not None:
        able = [worker for worker in _able(job) if not worker.verb]
        yield from held_back(job.queue, job.limit, job.now, {worker.name: worker.of_queue for worker in able})


def _nobody(job: Standing) -> list[str]:
    """Why no live worker could take it at all; empty when some could."""
    if not job.workers:
        return [f"No worker is alive. Start one: {_start(job)}"]
    serving = [worker for worker in job.workers if worker.serves(job.queue)]
    if not serving:
        return [
            f"No live worker serves queue {_word(job.queue)} (alive: {_names(job.workers)}). Start one: {_start(job)}"
        ]
    knowing = [worker for worker in serving if job.task in worker.tasks]
    if not knowing:
        return [_unknown(job, serving)]
    return [] if _able(job) else [_unfit(job, knowing)]


def _able(job: Standing) -> list[LiveWorker]:
    return [worker for worker in job.workers if worker.can_run(job.task, job.queue, job.needs)]


def _unknown(job: Standing, serving: Sequence[LiveWorker]) -> str:
    elsewhere = [worker for worker in job.workers if job.task in worker.tasks]
    known = sorted({task for worker in serving for task in worker.tasks})
    hint = f" {_names(elsewhere)} would know it, but serves other queues." if elsewhere else ""
    return (
        f"No live worker of queue {_word(job.queue)} knows task {_word(job.task)}: {_names(serving)} "
        f"{'knows' if len(serving) == 1 else 'know'} {_list(known)}.{hint} Start one whose app has that task: {_start(job)}"
    )


def _unfit(job: Standing, knowing: Sequence[LiveWorker]) -> str:
    offered = frozenset[str]().union(*(worker.offers for worker in knowing))
    missing = [need for need in job.needs if need not in offered]
    lack = f"{_list(missing)} is offered by none" if missing else "no single one offers all of it"
    return (
        f"It needs {_list(job.needs)}, and of the live workers that know its task ({_names(knowing)}) {lack}. "
        f"Start one that does: {_start(job)} --offers {quote(','.join(job.needs))}"
    )


def _all_busy(job: Standing) -> list[str]:
    """Why none of the workers that could take it has a place for it now; empty when one has."""
    able = _able(job)
    staying = [worker for worker in able if not worker.verb]
    if not staying:
        return [f"Every worker that could take it is about to go: {_names(able)}. Start another: {_start(job)}"]
    free = [worker for worker in staying if worker.held < worker.slots]
    if not free:
        full = [f"{_word(worker.name)} ({worker.held} of {worker.slots} slots)" for worker in staying]
        return [
            f"Every worker that could take it is busy: {listed(full, NAMED)}. Wait, or start another: {_start(job)}"
        ]
    return [] if any(worker.tier == 0 for worker in free) else [_standby(job, free)]


def _standby(job: Standing, free: Sequence[LiveWorker]) -> str:
    return (
        f"Only standby workers have a free slot ({_names(free)}), and they take what has waited for their tier's time"
        f"{_waited(job)}. Wait, or start one of tier 0: {_start(job)}"
    )


def _behind(job: Standing) -> Iterator[str]:
    if job.ahead:
        count = f"{job.ahead:,}{'+' if job.ahead_capped else ''}"
        jobs = "job is" if job.ahead == 1 else "jobs are"
        look = "queues ls" if job.share is None else f"queues shares {quote(job.queue)}"
        yield f"{count} {jobs} ahead of it in queue {_word(job.queue)}{among_tenants(job.share)}. Look at the queue: relet {look}"


def _next(job: Standing) -> str:
    able = [worker for worker in _able(job) if not worker.verb and worker.held < worker.slots]
    return f"Nothing is in its way: {_names(able)} should take it within a second{_waited(job)}. See it: relet jobs show {job.id}"


def _remarks(job: Standing) -> Iterator[str]:
    """What does not stop it, and is good to know."""
    if job.suspicions >= SOLO_SUSPICIONS:
        yield (
            f"It was held by {job.suspicions} workers that died, so it will run alone, in a child process of its own. "
            f"If you know it for the culprit: relet jobs cancel {job.id}"
        )
    if job.closed is not None:
        yield (
            f"Queue {_word(job.queue)} was closed by {_word(job.closed.by or 'somebody')} {_ago(job, job.closed.at)}"
            f"{because(job.closed.reason)}: it takes no new jobs, but works off those that it has. "
            f"Open it: relet queues resume {quote(job.queue)}"
        )


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _start(job: Standing) -> str:
    return f"relet worker -q {quote(job.queue)}"


def _ago(job: Standing, at: int | None) -> str:
    return f"{format_us(max(0, job.now - at))} ago" if at is not None else "some time ago"


def _on(worker: str | None) -> str:
    return f" on worker {_word(worker)}" if worker else ""


def _waited(job: Standing) -> str:
    return f" (it has waited for {format_us(max(0, job.now - job.ready_at))})" if job.ready_at is not None else ""


def _word(text: str) -> str:
    return one_line(text)


def _names(workers: Sequence[LiveWorker]) -> str:
    return _list(sorted({worker.name for worker in workers}))


def _list(words: Sequence[str]) -> str:
    return listed([_word(word) for word in words], NAMED) or "nothing"
