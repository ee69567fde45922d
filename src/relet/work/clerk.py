"""What the worker asks of the store, and when: settle what has ended, claim what fits. Pure: no I/O, no clock of its own.

The driver tells the clerk what happened (`finish`, `say`, `ring`, `turned`, `failed`, …), asks `next(now)` what to do, does
it, and tells what came of it. It does one thing at a time. All times are microseconds of one steady clock.

A claim holds a slot from the moment it may have been made until its settle is acknowledged. So a worker never holds more
than its slots, whatever gets lost on the way:
- A turn that wrote nothing is repeated. A turn of unknown outcome is repeated too: its settles get the first answer.
- The claims that it may have made keep their slots reserved until a look at the session shows which ones stand.
- A turn that the store refuses for what is in it is halved until the culprit is alone; the culprit fails alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from relet.clock import MS, SECOND, Rng
from relet.job.job import Claim, ClaimKey
from relet.job.outcome import Ended, Outcome
from relet.job.settlement import Answer, Policy, Settle, settle
from relet.job.state import State
from relet.store.records import Probed, Turned, Want
from relet.work.actions import Action, Asked, Failure, Learn, LookUp, Probe, Reread, Sleep, Taken, Tell, Turn
from relet.work.breakers import HELD, Breakers
from relet.work.division import Division
from relet.work.lanes import Lanes, Look, Pair
from relet.work.limits import Limits
from relet.work.notebook import NOTHING, Notebook
from relet.work.rhythm import Rhythm
from relet.work.terms import Terms

SIZES = (1000, 500, 250, 100, 50, 25, 10, 5, 2, 1)
"""Sizes of claims: few and literal, so that each is one prepared statement with its own plan."""

OLDEST_US = 2 * MS
"""How long an ended run waits for company before it is settled."""

NOTE_US = 200 * MS
"""How long what a job says waits for a turn that goes anyway."""

FIRST_BACKOFF_US, MOST_BACKOFF_US = 10 * MS, SECOND
SECOND_LOOK_US = 200 * MS


class Clerk:
    """The state of one worker's dealings with the store."""

    def __init__(self, terms: Terms, rng: Rng) -> None:
        self.terms = terms
        self.lanes = Lanes(terms.queues, terms.known_queues)
        self.limits = Limits(terms.poll_us, rng)
        self.breakers = Breakers(terms.breakers, lambda: self.ring(again=True))
        self.session_id: bytes | None = None
        self.held: set[ClaimKey] = set()
        """Claims whose end is not acknowledged."""
        self.done = 0
        self.failed_count = 0
        self.stopping = False
        self._rng = rng
        self._doubt = False
        self._ended: deque[Settle] = deque()
        self._ended_since = 0
        self._late: dict[bytes, deque[Settle]] = {}
        self._division = Division()
        self._notes_alone = False
        self.notes = Notebook()
        """Where the runner writes what jobs say."""
        self._ghosts = 0
        self._ghost_looks = 0
        self._look_at: int | None = None
        self._missing: tuple[bytes, ...] = ()
        self._rhythm = Rhythm(terms.poll_us, rng)
        self._turned_at = -(2**62)
        self._wait_until = -(2**62)
        self._backoff_us = FIRST_BACKOFF_US

    # ── told by the keeper ────────────────────────────────────────────────────────────────────────────────────────
    def open(self, session_id: bytes) -> None:
        """A session has begun: claims are made under it. Runs of an earlier one are settled under that."""
        self._leave()
        self.session_id = session_id
        self._doubt = False
        self._rhythm.again()
        self._wait_until = -(2**62)

    def lapse(self) -> None:
        """The session is over, or may be: nothing is claimed until `open`."""
        self._leave()
        self.session_id = None

    def _leave(self) -> None:
        if self.session_id is not None and self._ended:
            self._late.setdefault(self.session_id, deque()).extend(self._ended)
        self._ended.clear()
        self._ghosts = 0
        self._look_at, self._missing = None, ()

    def trust(self) -> None:
        """The session was renewed: it is live, whatever a turn has said before."""
        self._doubt = False

    def stop(self) -> None:
        """Claim nothing any more, for good. A claim that is answered later is given back at once."""
        self.stopping = True

    # ── told by the runner and the bell ───────────────────────────────────────────────────────────────────────────
    def finish(self, session_id: bytes, settles: Iterable[Settle], now: int) -> None:
        """These runs have ended."""
        if session_id != self.session_id:
            self._late.setdefault(session_id, deque()).extend(settles)
            return
        if not self._ended:
            self._ended_since = now
        self._ended.extend(settles)

    def settled(self, key: ClaimKey, ended: Ended) -> None:
        """This claim was settled elsewhere, together with its effects."""
        self.held.discard(key)
        self.limits.ended((key,))
        self.done += ended is Ended.SUCCESS

    def ring(self, *, again: bool = False) -> None:
        """There may be work; with `again`, at the head of lanes that were passed already."""
        self._rhythm.ring()
        self.limits.ring()
        if again:
            self.lanes.look_back()

    @property
    def drained(self) -> bool:
        """Nothing is held, nothing can turn out to be, and what was said is written (or never can be)."""
        said = self.notes.since is None or self.session_id is None
        return said and not self.held and not self._ghosts

    # ── what to do ────────────────────────────────────────────────────────────────────────────────────────────────
    def next(self, now: int) -> Action:
        """What to do now."""
        if now < self._wait_until:
            return Sleep(self._wait_until, 2**62)
        return self._special(now) or self._turn(now) or self._learn(now) or self._sleep(now)

    def _special(self, now: int) -> Action | None:
        """What few turns need: late, lone and parked settles, looking for lost claims, learning lanes."""
        if self._notes_alone and self.session_id is not None:
            return Turn(self.session_id, (), self.notes.take())
        if (part := self._division.next(now)) is not None:
            return Turn(part.session_id, part.settles, NOTHING, part=part)
        if self._late:
            session_id, waiting = self._late.popitem()
            return Turn(session_id, tuple(waiting), NOTHING)
        if self.session_id is None:
            return None
        may = self._may_claim()
        return self._ask(now) or self.breakers.next(self.session_id, self.terms, self.lanes, self.limits, now, may=may)

    def _ask(self, now: int) -> Action | None:
        assert self.session_id is not None
        if self._look_at is not None and self._look_at <= now:
            self._look_at = None
            return LookUp(self.session_id)
        if self._missing:
            missing, self._missing = self._missing, ()
            return Reread(self.session_id, missing)
        # A busy worker has to ask between two turns; an idle one asks after its turn, so that a job that rang starts at once.
        return self._learn(now) if self.held and (self._settle_due(now) or self._claim_due(now)) else None

    def _learn(self, now: int) -> Learn | None:
        claims = not (self.stopping or self._doubt or self.session_id is None)
        return Learn(self.lanes.wanted_queues) if claims and self.lanes.learn_at() <= now else None

    def _turn(self, now: int) -> Turn | None:
        if self.session_id is None or not (
            self._settle_due(now) or (self._may_claim() and self._claim_due(now)) or self.notes.due(now, NOTE_US)
        ):
            return None
        settles = self._take_ended(now)
        self.limits.ending((one.job_id, one.epoch) for one in settles)
        want, look = self._want(len(settles), now)
        notes = self.notes.take()
        if want is None and not settles and not notes:  # every queue is shut
            self.lanes.stayed_away()
            self._rhythm.looked(0, dry=True, now=now)
            return None
        return Turn(self.session_id, settles, notes, want, look)

    def _take_ended(self, now: int) -> tuple[Settle, ...]:
        ended, most = self._ended, self.terms.turn_size
        if len(ended) <= most:
            settles = tuple(ended)
            ended.clear()
            return settles
        self._ended_since = now
        return tuple(ended.popleft() for _ in range(most))

    def _settle_due(self, now: int) -> bool:
        ended = len(self._ended)
        return ended > 0 and (
            ended >= self._enough() or len(self.held) <= ended or now - self._ended_since >= OLDEST_US
        )

    def _enough(self) -> int:
        """So many ended runs are a turn's worth."""
        return max(1, self.terms.turn // 4)

    def _free(self) -> int:
        return self.terms.slots - len(self.held) - self._ghosts

    def _may_claim(self) -> bool:
        return not (self.stopping or self._doubt or self.session_id is None) and self._free() > 0

    def _claim_due(self, now: int) -> bool:
        return now >= self._claim_at()

    def _claim_at(self) -> int:
        """When a claim is due, if one may be made."""
        if self._rhythm.dry:
            back = self.lanes.full_at() if self.lanes.looks_back else 2**62
            return min(self._rhythm.due_at(), back, self.limits.opens_at())
        idle = len(self.held) <= len(self._ended)
        return -(2**62) if idle or self._free() * 2 >= self.terms.turn else self._turned_at + OLDEST_US

    def _want(self, freed: int, now: int) -> tuple[Want | None, Look | None]:
        room = min(self._free() + freed, self.terms.turn)
        if self.stopping or self._doubt or room <= 0:
            return None, None
        limit = next(size for size in SIZES if size <= room)
        terms = self.terms
        shut, tasks = self.breakers.without(self.limits.shut(now), terms.tasks)
        look = self.lanes.next(now, shut)
        if not look.lanes or not tasks:
            return None, None
        limited = self.limits.limited(lane.queue for lane in look.lanes)
        return Want(limit, look.lanes, tasks, terms.offers, terms.younger_than_us, limited), look

    def _sleep(self, now: int) -> Sleep:
        missing = max(1, self._enough() - len(self._ended)) if self._ended else 1
        return Sleep(self._wake_at(now), missing)

    def _wake_at(self, now: int) -> int | None:
        parked = self._division.wake_at()
        times = [parked] if parked is not None else []
        if self.session_id is not None:
            times += [] if self._look_at is None else [self._look_at]
            times += [self._ended_since + OLDEST_US] if self._ended else []
            times += [self.notes.since + NOTE_US] if self.notes.since is not None else []
            times += [self._claim_at(), self.breakers.probe_at(self.terms.tasks)] if self._may_claim() else []
            times += [self.breakers.tell_at()] if self.breakers.untold else []
        return max(now, min(times)) if times else None

    # ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────
    def turned(self, turn: Turn, answer: Turned, now: int, took_us: int, ends: Sequence[int] | None = None) -> Taken:
        """The turn was answered."""
        self._turned_at, self._backoff_us = now, FIRST_BACKOFF_US
        self._notes_alone = False
        self.breakers.shift = answer.now - now
        if not answer.live and turn.session_id == self.session_id:
            self._doubt = True
        refused, others = self._acknowledge(turn, answer)
        if turn.want is not None and turn.look is not None:
            cut = self.limits.turned(turn.look.lanes, answer.limited, answer.claims, now, answer.now)
            self.lanes.came(turn.look, answer.claims, turn.want.limit, ends, now, took_us, cut)
            found = len(answer.claims)
            self._rhythm.looked(found, dry=found < turn.want.limit and self.lanes.went_round, now=now)
        soonest = min((one.delay_us for one in others if one.to is State.SCHEDULED), default=None)
        return Taken(self._take(turn.session_id, answer.claims, now), refused, others, soonest, answer.live)

    def _acknowledge(self, turn: Turn, answer: Turned) -> tuple[list[tuple[Settle, Answer]], list[Settle]]:
        settles, answers, succeeded = turn.settles, answer.answers, State.SUCCEEDED
        keys = [(one.job_id, one.epoch) for one in settles]
        self.held.difference_update(keys)
        self.limits.ended(keys)
        self.breakers.ended(keys)
        if answers.count(Answer.ACCEPTED) == len(settles):
            refused: list[tuple[Settle, Answer]] = []
            others = [one for one in settles if one.to is not succeeded]
        else:
            judged = list(zip(settles, answers, strict=True))
            refused = [pair for pair in judged if pair[1] is Answer.FENCED or pair[1] is Answer.EXPIRED]
            others = [one for one, said in judged if said is Answer.ACCEPTED and one.to is not State.SUCCEEDED]
            self.done -= sum(one.to is not State.SUCCEEDED for one, said in judged if said is Answer.REPLAYED)
        self.done += len(settles) - len(refused) - len(others)
        self.failed_count += sum(one.ended in _FAILED for one in others)
        return refused, others

    def _take(self, session_id: bytes, claims: Sequence[Claim], now: int) -> list[Claim]:
        """The claims to start; those that came too late are given back."""
        keys = [(claim.job_id, claim.epoch) for claim in claims]
        known = () if self.held.isdisjoint(keys) else self.held.intersection(keys)
        new = [claim for claim in claims if (claim.job_id, claim.epoch) not in known] if known else list(claims)
        self.held.update(keys)
        if session_id != self.session_id or self.stopping:
            self._give_back(session_id, new, now)
            return []
        new, held = self.breakers.sort(new)
        self._give_back(session_id, held, now, HELD)
        return new

    def _give_back(self, session_id: bytes, claims: Sequence[Claim], now: int, because: Outcome | None = None) -> None:
        if claims:
            self.finish(session_id, [settle(one, because or _RELEASED, Policy(), self._rng) for one in claims], now)

    def failed(self, turn: Turn, failure: Failure, now: int) -> list[Settle]:
        """The turn failed. Returns settles that the store does not take and whose plain form is tried instead."""
        if turn.look is not None:
            self._rhythm.again()
        self._back_off(now)
        if failure is Failure.DATA or failure is Failure.DEFECT:
            return self._divide(turn, now, of_data=failure is Failure.DATA)
        self._restore(turn, now)
        if failure is Failure.UNKNOWN and turn.want is not None and turn.session_id == self.session_id:
            self._ghosts = min(self._ghosts + turn.want.limit, self.terms.slots)
            self._ghost_looks, self._look_at = 2, now
        return []

    def _divide(self, turn: Turn, now: int, *, of_data: bool) -> list[Settle]:
        """Notes are tried alone first, and dropped if they are refused alone."""
        if turn.part is not None:
            culprit = self._division.refused(turn.part, now, of_data=of_data)
            return [culprit] if culprit is not None else []
        self._notes_alone = bool(turn.notes) and bool(turn.settles or turn.want)
        if self._notes_alone:
            self.notes.put_back(turn.notes, now)
        self._division.begin(turn.session_id, turn.settles)
        return []

    def call_failed(self, action: Asked, now: int) -> None:
        """One of the calls beside turns has failed: it is made again when it is due again."""
        if isinstance(action, Learn):
            self.lanes.learnt_nothing(now)
        elif isinstance(action, Tell):
            self.breakers.not_told(now)
        elif isinstance(action, Probe):  # its claim may stand all the same
            self.breakers.not_probed(action.breaker, now)
            self._ghosts, self._ghost_looks, self._look_at = min(self._ghosts + 1, self.terms.slots), 2, now
        elif self._ghost_looks:
            self._look_at = now
        self._back_off(now)

    def _back_off(self, now: int) -> None:
        self._wait_until = now + self._rng.randint(self._backoff_us // 2, self._backoff_us)
        self._backoff_us = min(self._backoff_us * 2, MOST_BACKOFF_US)

    def _restore(self, turn: Turn, now: int) -> None:
        """What was not acknowledged goes first again, as it is."""
        self.notes.put_back(turn.notes, now)
        if turn.part is not None:
            self._division.put_back(turn.part)
        elif turn.session_id == self.session_id and turn.settles:
            self._ended_since = self._ended_since if self._ended else now
            self._ended.extendleft(reversed(turn.settles))
        elif turn.settles:
            self._late.setdefault(turn.session_id, deque()).extendleft(reversed(turn.settles))

    # ── claims whose answer was lost ──────────────────────────────────────────────────────────────────────────────
    def looked(self, held: Iterable[ClaimKey], now: int, *, exact: bool = False, live: bool = True) -> None:
        """What stands under the session. A claim that is not known here may be one that is just being answered: an exact
        look, made by the clerk's own driver between two of its calls, decides, and what is unknown in that is asked for."""
        self._doubt = self._doubt or not live
        unknown = {key for key in held if key not in self.held}
        if not exact:
            self._look_at = now if unknown else self._look_at
            return
        self._missing = tuple(sorted(job_id for job_id, _ in unknown))
        if self._ghost_looks:
            self._ghost_looks -= 1
            self._look_at = now + SECOND_LOOK_US if self._ghost_looks else None
            self._ghosts = self._ghosts if self._ghost_looks else 0

    def reread(self, session_id: bytes, claims: Sequence[Claim], now: int) -> list[Claim]:
        """Claims that stand and were not known: those to start. What is more than there are slots is given back."""
        new = [claim for claim in claims if (claim.job_id, claim.epoch) not in self.held]
        self._ghosts = max(0, self._ghosts - len(new))
        room = max(0, self._free())
        surplus = new[room:]
        self.held.update((claim.job_id, claim.epoch) for claim in surplus)
        self._give_back(session_id, surplus, now)
        return self._take(session_id, new[:room], now)

    def learned(self, pairs: Iterable[Pair], now: int, took_us: int) -> None:
        """Which lanes have jobs."""
        if self.lanes.learn(pairs, now, took_us):
            self.ring()

    # ── circuit breakers ──────────────────────────────────────────────────────────────────────────────────────────
    def probed(self, probe: Probe, answer: Probed, now: int, took_us: int) -> list[Claim]:
        """What came of asking for a probe. Returns claims to start."""
        turned, claims = answer.turned, answer.turned.claims
        self.breakers.shift = turned.now - now
        self._doubt = self._doubt or (not turned.live and probe.session_id == self.session_id)
        self.limits.turned(probe.want.lanes, turned.limited, claims, now, turned.now)
        self.breakers.probed(probe, claims, answer.breakers, now, took_us)
        return self._take(probe.session_id, claims, now)


_RELEASED = Outcome(Ended.RELEASE, error="claimed too late: the worker was stopping, or had no slot")
_FAILED = frozenset({Ended.FAILURE, Ended.TIMEOUT, Ended.RETRY_LATER, Ended.CHILD_DIED, Ended.CRASH, Ended.REJECT})
