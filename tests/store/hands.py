"""Workers and producers made by hand: one call, one verb of the store."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relet.clock import SECOND, Ids
from relet.job.job import Claim, NewJob, Options
from relet.job.outcome import Ended, Outcome
from relet.job.retry import Retry
from relet.job.settlement import Answer, Policy, Settle, settle
from relet.store.port import Store
from relet.store.records import Beat, Lane, Notes, Reclaimed, Renewed, SessionInfo, Turned, Want

LEASE_US = 90 * SECOND
IDS = Ids(rng=random.Random(20))
RNG = random.Random(7)

POLICY = Policy(Retry(3, backoff="fixed", first=10))
"""Three attempts, ten seconds apart."""


def new(task: str = "t", *, unique: str | None = None, options: Options | None = None, **fields: Any) -> NewJob:
    """A job with an id of its own."""
    chosen = options or Options(unique=unique)
    return NewJob(IDS.job(), task, options=chosen, **fields)


def news(count: int, **fields: Any) -> list[NewJob]:
    """Several of the same kind."""
    return [new(**fields) for _ in range(count)]


def put(store: Store, *jobs: NewJob) -> list[bytes]:
    """Enqueue them; the ids of the jobs that stand for them."""
    return [enqueued.job_id for enqueued in store.enqueue(jobs)]


def put_new(store: Store, task: str = "t", **fields: Any) -> bytes:
    """Enqueue one new job; its id."""
    return put(store, new(task, **fields))[0]


def outcome(ended: Ended, **fields: Any) -> Outcome:
    """How a run ended."""
    return Outcome(ended, **fields)


def decide(claim: Claim, ended: Ended, policy: Policy = POLICY, **fields: Any) -> Settle:
    """What settlement makes of it."""
    return settle(claim, Outcome(ended, **fields), policy, RNG)


class Worker:
    """A session, opened at once."""

    def __init__(
        self,
        store: Store,
        name: str = "w",
        *,
        tasks: Sequence[str] = ("t",),
        queues: Sequence[str] = ("default",),
        offers: Sequence[str] = (),
        lease_us: int = LEASE_US,
        host: str = "here",
    ) -> None:
        self.store = store
        self.id = IDS.session()
        self.tasks = tuple(tasks)
        self.queues = tuple(queues)
        self.offers = tuple(offers)
        self.lease_us = lease_us
        self.info = SessionInfo(self.id, name, host, 1, self.queues, self.tasks, self.offers, slots=10)
        store.open_session(self.info, lease_us)

    def want(self, limit: int = 10, *, ranks: Sequence[int] = (-3, -2, -1, 0), **fields: Any) -> Want:
        """What it would take: of its queues, these ranks in turn."""
        lanes = fields.pop("lanes", None) or tuple(Lane(queue, rank) for queue in self.queues for rank in ranks)
        return replace(Want(limit, lanes, self.tasks, self.offers), **fields)

    def turn(self, settles: Sequence[Settle] = (), notes: Notes | None = None, want: Want | None = None) -> Turned:
        """One turn."""
        return self.store.turn(self.id, settles, notes or Notes(), want)

    def claim(self, limit: int = 10, **fields: Any) -> tuple[Claim, ...]:
        """Claim what fits."""
        return self.turn(want=self.want(limit, **fields)).claims

    def take(self) -> Claim:
        """Claim one job that must be there."""
        (claim,) = self.claim(1)
        return claim

    def settle(self, *settles: Settle) -> tuple[Answer, ...]:
        """Settle, and nothing else."""
        return self.turn(settles).answers

    def end(self, claim: Claim, ended: Ended = Ended.SUCCESS, policy: Policy = POLICY, **fields: Any) -> Answer:
        """Settle one claim as settlement decides."""
        (answer,) = self.settle(decide(claim, ended, policy, **fields))
        return answer

    def fail(self, claim: Claim, error: str = "broken") -> Answer:
        """One failed attempt."""
        return self.end(claim, Ended.FAILURE, error=error)

    def bury(self, claim: Claim, error: str = "broken") -> Answer:
        """To the dead letters at once."""
        return self.end(claim, Ended.REJECT, error=error)

    def renew(self, beat: Beat | None = None) -> Renewed:
        """Extend the lease."""
        return self.store.renew(self.id, self.lease_us, beat or Beat())

    def leave(self, cause: str = "drained") -> Reclaimed | None:
        """End the session."""
        return self.store.end_session(self.id, cause)


def ids(claims: Sequence[Claim]) -> list[bytes]:
    """The jobs of these claims, in order."""
    return [claim.job_id for claim in claims]
