"""The judge sees every verb that the store executes and every body that runs, and raises Violation at the first wrong one.

It believes nobody: which claims stand, and until when leases last, it works out itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from relet.job.job import After, Need, NewBatch, NewJob
from relet.job.limits import Rule
from relet.job.outcome import Ended
from relet.job.settlement import Answer, Settle
from relet.job.state import State
from relet.store.records import Reclaimed, Turned
from tests.simulation.circuits import Circuits
from tests.simulation.keys import Start, Starts, most_within
from tests.simulation.world import Process, World

Key = tuple[bytes, int]


class Violation(AssertionError):
    """An invariant is broken."""


@dataclass
class Seen:
    """What the judge knows of a job."""

    epoch: int = 0
    standing: tuple[bytes, int] | None = None
    """(session, epoch) of the claim that stands."""
    late: bool = False
    """The claim that stands was made after its worker had given up on the call: it cannot have kept a slot for it."""
    fresh: bool = True
    """It has yet to start since it was let in."""
    ends: int = 0
    """Accepted terminal settles, since the last retry by a person."""
    settled: set[int] = field(default_factory=set)
    returned: set[int] = field(default_factory=set)
    """Epochs whose body returned."""


class Judge:
    """One history, judged as it is made."""

    def __init__(self, world: World, lease_us: int, slots: int) -> None:
        self._world = world
        self._lease_us = lease_us
        self._slots = slots
        self.jobs: dict[bytes, Seen] = {}
        self.leases: dict[bytes, int] = {}
        """Until when each session's lease lasts, in true time."""
        self.ended: set[bytes] = set()
        self.process_of: dict[bytes, Process] = {}
        self.log: list[str] = []
        self.refused = 0
        """Settles that came too late, and were told so."""
        self.unheard_of: set[bytes] = set()
        """Sessions that were opened after their worker had given up on the call: it never learns of them."""
        self.rule = Rule()
        """What the queue is held to."""
        self.starts: dict[int, list[Start]] = {}
        """The claims since there is a rate for a window of this length."""
        self.keys = Starts()
        self.circuits = Circuits()
        self.after: dict[bytes, tuple[After, ...]] = {}
        self.members: dict[bytes, list[bytes]] = {}
        """The jobs of each batch."""
        self.succeeded: set[bytes] = set()
        self.cancelled: set[bytes] = set()
        """Jobs that somebody has asked to be cancelled."""
        self.late = False
        """Whether what is executed now comes after its caller has given up on it."""

    def note(self, text: str) -> None:
        """Something for whoever reads the log of a failed seed."""
        self.log.append(f"{self._world.now / 1e6:10.6f} {text}")

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self.note(f"VIOLATION {what}")
            raise Violation(what)

    # ── verbs ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def executed(self, process: Process, verb: str, args: tuple[Any, ...], answer: Any) -> None:
        """The store has done this."""
        match verb:
            case "open_session":
                self.note(f"{process.name} opens {_short(args[0].id)}")
                self.leases[args[0].id] = self._world.now + args[1]
                self.process_of[args[0].id] = process
                if self.late:
                    self.unheard_of.add(args[0].id)
            case "renew" | "listen":
                self._heard(args[0], answer.live, extends=verb == "renew")
            case "turn":
                self._turned(process, args[0], args[1], answer)
            case "claim_probe":
                self.circuits.stand(answer.breakers, self._world.now)
                self._turned(process, args[0], (), answer.turned)
                self._probed(process, args[2], answer.turned)
            case "declare_breakers":
                self.circuits.rules = args[0]
            case "report_outcomes":
                self.circuits.told(args[0])
                self.circuits.stand(answer, self._world.now)
            case "open_breaker" | "close_breaker":
                self.note(f"a person does {verb}")
                self.circuits.stand([answer] if answer else [], self._world.now)
            case "end_session":
                self._ended(process, args[0], answer)
            case "reclaim":
                self._must(not self.process_of[args[0]].alive, "a session was reclaimed whose process lives")
                self._ended(process, args[0], answer)
            case "reclaim_expired":
                for gone in answer:
                    self._overtaken(gone.session_id)
                    self._ended(process, gone.session_id, gone)
            case "enqueue":
                self._enqueued(*args)
            case "cancel":
                self.cancelled.add(args[0])
            case "set_limit":
                self.keys.rules[args[0]] = answer
            case "limit_queue":
                self._limited(answer)
            case "retry_dead":
                if answer:
                    self.jobs[args[0]].ends = 0
            case _:
                return

    def _enqueued(self, jobs: list[NewJob], batches: Sequence[NewBatch] = ()) -> None:
        self.keys.enqueued(jobs)
        self.after |= {job.id: job.after for job in jobs if job.after}
        for batch in batches:
            self.members[batch.id] = [job.id for job in jobs if job.options.batch == batch.id.hex()]

    def _behind(self, job_id: bytes, name: str) -> None:
        """I10: what a job comes after has ended, as it needs. One that was never claimed was skipped: that is seen at the end."""
        for parent, need, _ in self.after.get(job_id, ()):
            if need is Need.FAILURE:
                continue
            for one in self.members.get(parent, [parent]):
                seen = self.jobs.get(one, Seen())
                ended = seen.ends > 0 or one in self.cancelled or seen.epoch == 0
                self._must(
                    ended and seen.standing is None,
                    f"I10: {name} was claimed before {_short(one)}, which it comes after, has ended",
                )
                self._must(
                    need is Need.END or one in self.succeeded,
                    f"I10: {name} was claimed after {_short(one)}, which has not succeeded",
                )

    def _heard(self, session: bytes, live: bool, *, extends: bool) -> None:
        self._must(
            not (live and session in self.ended), f"session {_short(session)} has ended and was told that it lives"
        )
        if extends and live:
            self.leases[session] = self._world.now + self._lease_us

    def _turned(self, process: Process, session: bytes, settles: tuple[Settle, ...], answer: Turned) -> None:
        self._must(
            not (answer.live and session in self.ended), f"a turn of {_short(session)}, which has ended, counts as live"
        )
        for settle, said in zip(settles, answer.answers, strict=True):
            self.note(f"{process.name} settles {_short(settle.job_id)}/{settle.epoch} as {settle.ended}: {said}")
            if said is Answer.ACCEPTED:
                self._settled(session, settle)
            self.refused += said is Answer.FENCED
        for claim in answer.claims:
            self._claimed(process, session, claim.job_id, claim.epoch)
            self._within_limits(session, claim.claimed_at)
            self._has_passed(claim.job_id, claim.claimed_at)
        standing = (seen for seen in self.jobs.values() if not seen.late)
        held = sum(seen.standing is not None and seen.standing[0] == session for seen in standing)
        self._must(held <= self._slots, f"{process.name} holds {held} jobs in {self._slots} slots")

    def _probed(self, process: Process, asked: Collection[str], answer: Turned) -> None:
        for claim in answer.claims:
            self.note(f"{process.name} tries {_short(claim.job_id)}/{claim.epoch} as a probe")
        standing = {(job_id, seen.epoch) for job_id, seen in self.jobs.items() if seen.standing is not None}
        wrong = self.circuits.granted(asked, answer.claims, answer.now, standing)
        self._must(not wrong, wrong)

    def _settled(self, session: bytes, settle: Settle) -> None:
        seen = self.jobs.setdefault(settle.job_id, Seen())
        name = f"{_short(settle.job_id)}/{settle.epoch}"
        self._must(
            seen.standing == (session, settle.epoch),
            f"I3: the settle of {name} by {_short(session)} was accepted, but {seen.standing} stands",
        )
        self._must(settle.epoch not in seen.settled, f"{name} was settled twice")
        if settle.ended is Ended.SUCCESS:
            self._must(settle.epoch in seen.returned, f"I5: {name} succeeded, but its body has not returned")
        seen.standing = None
        seen.settled.add(settle.epoch)
        if settle.ended is Ended.SUCCESS:
            self.succeeded.add(settle.job_id)
        seen.fresh = settle.to is State.SCHEDULED
        if settle.to.ended:
            seen.ends += 1
            self._must(seen.ends == 1, f"I2: {name} ended a second time")

    def _claimed(self, process: Process, session: bytes, job_id: bytes, epoch: int) -> None:
        seen = self.jobs.setdefault(job_id, Seen())
        name = f"{_short(job_id)}/{epoch}"
        self.note(f"{process.name} claims {name} under {_short(session)}")
        self._must(session not in self.ended, f"{name} was claimed under a session that has ended")
        self._must(self.leases[session] > self._world.now, f"{name} was claimed under a lease that has lapsed")
        self._must(seen.ends == 0, f"I2: {name} was claimed after its end")
        self._behind(job_id, name)
        if seen.standing is not None:
            good = self.leases[seen.standing[0]] > self._world.now
            self._must(
                False, f"I6: {name} was claimed while {seen.standing} stands, {'with' if good else 'without'} a lease"
            )
        self._must(epoch == seen.epoch + 1, f"I4: {name} was claimed after epoch {seen.epoch}")
        seen.epoch, seen.standing, seen.late = epoch, (session, epoch), self.late

    def _limited(self, rule: Rule) -> None:
        self.note(f"the queue is held to {rule}")
        self.rule = rule
        self.starts = {rate.window_us: self.starts.get(rate.window_us, []) for rate in rule.rates}

    def _within_limits(self, session: bytes, now: int) -> None:
        """By the store's own time: no slot more than there are, and no window with more starts than its rate."""
        sessions = [seen.standing[0] for seen in self.jobs.values() if seen.standing is not None]
        for limit, count in (
            (self.rule.concurrency, len(sessions)),
            (self.rule.per_worker, sessions.count(session)),
        ):
            self._must(limit is None or count <= limit, f"{count} run at once, and {limit} may")
        for rate in self.rule.rates:
            starts = self.starts[rate.window_us]
            starts.append(Start(now, self._world.now))
            most = most_within(starts, rate.window_us)
            self._must(most <= rate.units, f"{most} have started within {rate.window_us} µs, and {rate.units} may")

    def _has_passed(self, job_id: bytes, now: int) -> None:
        """No key has more jobs that run, and no window more that start, than its limits let in."""
        running = {one for one, seen in self.jobs.items() if seen.standing is not None}
        found = self.keys.faults(job_id, now, self._world.now, running, fresh=self.jobs[job_id].fresh)
        self._must(not found, f"{_short(job_id)} was claimed, but {found}")
        self.jobs[job_id].fresh = False

    def _overtaken(self, session: bytes) -> None:
        """Nobody's lease lapses who was alive, awake and connected."""
        self._must(self.leases[session] <= self._world.now, f"I6: {_short(session)} lost its jobs under a good lease")
        process = self.process_of[session]
        since = self._world.now - 2 * self._lease_us
        troubled = not process.alive or max(process.faulted_at, process.frozen_until, process.cut_until) > since
        self._must(troubled or session in self.unheard_of, f"{process.name} had no trouble and lost its lease")

    def _ended(self, process: Process, session: bytes, gone: Reclaimed | None) -> None:
        if gone is None:
            return
        self.note(f"{process.name} ends session {_short(session)}: {gone.returned}, {gone.dead}, {gone.cancelled}")
        self.ended.add(session)
        held = [seen for seen in self.jobs.values() if seen.standing is not None and seen.standing[0] == session]
        self._must(
            len(held) == gone.returned + gone.dead + gone.cancelled,
            f"{_short(session)} held {len(held)} jobs, of which {gone[2:]} came back",
        )
        for seen in held:
            seen.standing = None

    # ── bodies ────────────────────────────────────────────────────────────────────────────────────────────────────
    def begins(self, process: Process, session: bytes, key: Key) -> None:
        """A body begins to run."""
        lapsed = self._world.now - self.leases.get(session, 0)
        self.note(f"{process.name} runs {_short(key[0])}/{key[1]}")
        self._must(lapsed < 0, f"{process.name} began {_short(key[0])}/{key[1]} {lapsed} µs after its lease had lapsed")

    def goes_on(self, process: Process, session: bytes, key: Key) -> None:
        """A body that stops when told to is still running. Not asked of those who were frozen."""
        lapsed = self._world.now - self.leases.get(session, 0)
        self._must(
            lapsed < 0, f"{process.name} still runs {_short(key[0])}/{key[1]} {lapsed} µs after its lease has lapsed"
        )

    def returned(self, key: Key) -> None:
        """A body returned."""
        self.jobs.setdefault(key[0], Seen()).returned.add(key[1])


def _short(some_id: bytes) -> str:
    return some_id.hex()[-6:]
