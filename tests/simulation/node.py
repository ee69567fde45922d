"""A worker in virtual time: the real clerk, keeper, runner and chores, and what their threads would do, as events."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from relet.clock import MS, SECOND, Ids
from relet.events import silent
from relet.job.outcome import Ended, Outcome
from relet.maintain.chores import Chore, HonourCancels, Promote, Reclaim
from relet.store.records import Beat, Renewed, SessionInfo, Turned
from relet.work.actions import Action, Learn, LookUp, Probe, Reread, Sleep, Tell, Turn
from relet.work.calls import sort
from relet.work.clerk import Clerk
from relet.work.keeper import Keeper, Step
from relet.work.run import Run, Stop
from relet.work.runner import Executors, Runner
from relet.work.terms import Terms
from tests.simulation.bodies import Bodies, SimTask
from tests.simulation.judge import Judge
from tests.simulation.wire import Wire, Witnessed
from tests.simulation.world import NodeClock, Process, World

CANCEL_GRACE_US = SECOND
STOP_US = 500 * MS
FLUSH_US = 3 * SECOND


class Node:
    """One process of one worker, from its start to its end."""

    clerk_type: type[Clerk] = Clerk
    keeper_type: type[Keeper] = Keeper

    def __init__(self, world: World, wire: Wire, judge: Judge, name: str, terms: Terms) -> None:
        self.world = world
        self.judge = judge
        self.process = Process(name)
        self.on_gone: Callable[[Node], None] = lambda node: None
        self.on_death: Callable[[Node], None] = lambda node: None
        self.more_chores: Callable[[Node], list[Chore]] = lambda node: []
        self._wire = wire
        self._terms = terms
        rng = Random(world.rng.random())
        self.clock = NodeClock(world)
        self.ids = Ids(self.clock, rng)
        self.clerk = self.clerk_type(terms, rng)
        self.keeper = self.keeper_type(terms, rng)
        self.runner = Runner(
            {SimTask.name: SimTask()}, self.clock, rng, silent, worker=name, cancel_grace_us=CANCEL_GRACE_US
        )
        self.runner.executors = Executors(Bodies(self, solo=False), Bodies(self, solo=False), Bodies(self, solo=True))
        self.runner.lease_deadline = lambda: self.keeper.deadline
        self.runner.on_ended = self._run_ended
        self.runner.breakers = self.clerk.breakers
        self.runner.on_watched = self._watch_at
        self.session_id: bytes | None = None
        self.sessions: list[bytes] = []
        self._inbox: deque[Callable[[Clerk, int], None]] = deque()
        self._clerk_busy = self._keeper_busy = self._chores_busy = False
        self._clerk_wakes = self._keeper_wakes = self._watch_wakes = 2**62
        self._enough: int | None = None
        self._leaving = False
        self._chores: dict[str, tuple[Chore, int]] = {}
        self._poke_keeper()

    # ── the clerk's thread ────────────────────────────────────────────────────────────────────────────────────────
    def _post(self, message: Callable[[Clerk, int], None]) -> None:
        self._inbox.append(message)
        self._poke_clerk()

    def _poke_clerk(self, at: int = 0) -> None:
        at = max(at, self.world.now)
        if not self._clerk_busy and at < self._clerk_wakes:
            self._clerk_wakes = at
            self.world.at(at, lambda: self._clerk_woken(at), self.process)

    def _clerk_woken(self, at: int) -> None:
        if at == self._clerk_wakes:
            self._clerk_wakes = 2**62
            self._clerk_step()

    def _run_ended(self) -> None:
        if self._enough is not None and (len(self.runner.ended) >= self._enough or not self.runner.runs):
            self._poke_clerk()

    def _clerk_step(self) -> None:
        now = self.clock.steady()
        while self._inbox:
            self._inbox.popleft()(self.clerk, now)
        while self.runner.seen:
            self.clerk.breakers.saw(self.runner.seen.popleft(), now)
        while self.runner.ended:
            ended = self.runner.ended.popleft()
            assert isinstance(ended, tuple)
            session_id, settle = ended  # type: ignore[misc]  # no effects here
            self.clerk.finish(session_id, [settle], now)
        action = self.clerk.next(now)
        self._enough = None
        if isinstance(action, Sleep):
            self._enough = action.ended
            if action.until is not None:
                self._poke_clerk(self.clock.true(action.until))
        else:
            self._clerk_calls(action)

    def _clerk_calls(self, action: Action) -> None:
        self._clerk_busy = True
        sent = self.clock.steady()
        answered, call = self._clerk_call(action)

        def done(answer: Any) -> None:
            self._clerk_busy = False
            answered(answer, self.clock.steady(), self.clock.steady() - sent)
            self._poke_clerk()

        def failed(error: Exception) -> None:
            self._clerk_busy = False
            if isinstance(action, Turn):
                self.clerk.failed(action, sort(error), self.clock.steady())
            elif not isinstance(action, Sleep):
                self.clerk.call_failed(action, self.clock.steady())
            self._poke_clerk()

        self._wire.call(self.process, call, done, failed)

    def _clerk_call(self, action: Action) -> tuple[Callable[[Any, int, int], None], Callable[[Witnessed], Any]]:
        """What is done with the answer, and how it is asked for."""
        match action:
            case Turn() as turn:
                return (
                    lambda answer, now, took: self._turned(turn, answer[1], now, took, answer[0]),
                    lambda store: (
                        store.lane_ends(turn.ends_of) if turn.ends_of else None,
                        store.turn(turn.session_id, turn.settles, turn.notes, turn.want),
                    ),
                )
            case Learn(queues):
                return self.clerk.learned, lambda store: store.ranks(queues)
            case LookUp(session_id):
                return (
                    lambda answer, now, _: self._looked_up(session_id, answer, now),
                    lambda store: store.listen(session_id),
                )
            case Tell(reports):
                return lambda rows, now, _: self.clerk.breakers.told(rows, now), lambda s: s.report_outcomes(reports)
            case Probe() as probe:
                return (
                    lambda answer, now, took: self._start(
                        probe.session_id, self.clerk.probed(probe, answer, now, took)
                    ),
                    lambda store: store.claim_probe(probe.session_id, probe.want, probe.breakers),
                )
            case Reread(session_id, job_ids):
                return (
                    lambda answer, now, _: self._start(session_id, self.clerk.reread(session_id, answer, now)),
                    lambda store: store.claims(session_id, job_ids),
                )
            case _:
                raise AssertionError(action)

    def _turned(self, turn: Turn, answer: Turned, now: int, took: int, ends: list[int] | None) -> None:
        taken = self.clerk.turned(turn, answer, now, took, ends)
        self._start(turn.session_id, taken.start)
        if taken.soonest_us is not None:
            self._hasten("promote", taken.soonest_us)
        if not taken.live and turn.session_id == self.clerk.session_id:
            self._doubt()

    def _looked_up(self, session_id: bytes, answer: Renewed, now: int) -> None:
        if session_id == self.clerk.session_id:
            self.clerk.looked(answer.held, now, exact=True, live=answer.live)

    def _start(self, session_id: bytes, claims: Any) -> None:
        if claims:
            self.runner.start(session_id, claims)

    # ── the keeper's thread ───────────────────────────────────────────────────────────────────────────────────────
    def _poke_keeper(self, at: int = 0) -> None:
        at = max(at, self.world.now)
        if not self._keeper_busy and at < self._keeper_wakes:
            self._keeper_wakes = at
            self.world.at(at, lambda: self._keeper_woken(at), self.process)

    def _keeper_woken(self, at: int) -> None:
        if at == self._keeper_wakes:
            self._keeper_wakes = 2**62
            self._keeper_step()

    def _doubt(self) -> None:
        self.keeper.doubt()
        self._poke_keeper()

    def _keeper_step(self) -> None:
        now = self.clock.steady()
        step, until = self.keeper.next(now)
        match step:
            case Step.SLEEP:
                self._poke_keeper(self.clock.true(until))
            case Step.FENCE:
                session_id, self.session_id = self.session_id, None
                if session_id is not None:
                    self._fence(session_id, "the lease is over")
                self.keeper.fenced(self.clock.steady())
                self._poke_keeper()
            case Step.OPEN:
                self._open()
            case _:
                self._listen(step)

    def _keeper_calls(self, step: Step, call: Callable[[Witnessed], Any], answered: Callable[[Any], None]) -> None:
        self._keeper_busy = True

        def done(answer: Any) -> None:
            self._keeper_busy = False
            answered(answer)
            self._poke_keeper()

        def failed(error: Exception) -> None:
            self._keeper_busy = False
            self.keeper.failed(step, self.clock.steady())
            self._poke_keeper()

        self._wire.call(self.process, call, done, failed)

    def _open(self) -> None:
        session_id, sent_at = self.ids.session(), self.clock.steady()
        info = SessionInfo(session_id, self.process.name, "host", 1, (), (SimTask.name,), slots=self._terms.slots)

        def opened(_: Any) -> None:
            self.session_id = session_id
            self.sessions.append(session_id)
            self.keeper.opened(sent_at)
            self.runner.open(session_id)
            self._post(lambda clerk, now: clerk.open(session_id))
            self._watch_at(self.keeper.deadline)
            self._begin_chores()

        self._keeper_calls(Step.OPEN, lambda store: store.open_session(info, self._terms.lease_us), opened)

    def _listen(self, step: Step) -> None:
        session_id, sent_at, before = self.session_id, self.clock.steady(), tuple(self.runner.runs)
        assert session_id is not None

        def heard(answer: Renewed) -> None:
            running = [key for key in before if key in self.runner.runs]
            told = self.keeper.heard(answer, step, sent_at, self.clock.steady(), running)
            if told.live:
                self._pass_on(session_id, step, told.lost, answer)

        if step is Step.RENEW:
            self._keeper_calls(step, lambda store: store.renew(session_id, self._terms.lease_us, Beat(), before), heard)
        else:
            self._keeper_calls(step, lambda store: store.listen(session_id, before), heard)

    def _pass_on(self, session_id: bytes, step: Step, lost: Any, answer: Renewed) -> None:
        if step is Step.RENEW:
            self._watch_at(self.keeper.deadline)
            self._post(lambda clerk, _: clerk.trust())
        self.runner.lose(lost)
        for control in answer.controls:
            self.runner.cancel(control.job_id, control.reason, control.grace_us)
        held, rows, at = answer.held, answer.breakers, answer.now
        if rows or self.clerk.breakers.holding:
            self._post(lambda clerk, now: clerk.breakers.listed(rows, at, now))
        self._post(lambda clerk, now: clerk.looked(held, now) if clerk.session_id == session_id else None)

    # ── the watch's thread ────────────────────────────────────────────────────────────────────────────────────────
    def _watch_at(self, at: int) -> None:
        if at < self._watch_wakes:
            self._watch_wakes = at
            self.world.at(self.clock.true(at), lambda: self._watch_woken(at), self.process)

    def _watch_woken(self, at: int) -> None:
        if at != self._watch_wakes:
            return
        self._watch_wakes = 2**62
        now, session_id = self.clock.steady(), self.runner.session
        if session_id is not None and self.keeper.live and now >= self.keeper.deadline:
            self._fence(session_id, "the lease could not be renewed in time")
        elif self.keeper.live and now < self.keeper.deadline:
            self._watch_at(self.keeper.deadline)
        if (soonest := self.runner.sweep(now)) is not None:
            self._watch_at(max(soonest, now + MS))

    def _fence(self, session_id: bytes, reason: str) -> None:
        if self.runner.fence(session_id, reason):
            self._post(lambda clerk, _: clerk.lapse() if clerk.session_id == session_id else None)

    def still_runs(self, run: Run) -> None:
        """A body is about to return."""
        lease = self.judge.leases.get(run.session_id, 0)
        if not run.handle.get("stubborn") and self.process.frozen_until < lease - self._terms.lease_us:
            self.judge.goes_on(self.process, run.session_id, run.key)

    # ── the caretaker's thread ────────────────────────────────────────────────────────────────────────────────────
    def _begin_chores(self) -> None:
        if self._chores:
            return
        terms = self._terms
        chores: list[Chore] = [
            Reclaim(terms.lease_us, terms.heartbeat_us, self._fresh, self._doubt, self.work, silent),
            Promote(terms.poll_us, self.work),
            HonourCancels(),
            *self.more_chores(self),
        ]
        self._chores = {chore.name: (chore, self.world.now) for chore in chores}
        self._next_chore()

    def _fresh(self) -> bool:
        return self.keeper.fresh(self.clock.steady())

    def work(self, *, again: bool) -> None:
        self._post(lambda clerk, _: clerk.ring(again=again))

    def _hasten(self, name: str, in_us: int) -> None:
        if name in self._chores:
            chore, due = self._chores[name]
            self._chores[name] = (chore, min(due, self.world.now + in_us))
            self._next_chore()

    def _next_chore(self) -> None:
        due = min(due for _, due in self._chores.values())
        self.world.at(due, self._chore_due, self.process)

    def _chore_due(self) -> None:
        if self._chores_busy or self._leaving:
            return
        name = min(self._chores, key=lambda name: self._chores[name][1])
        chore, due = self._chores[name]
        if due > self.world.now:
            return
        self._chores_busy = True
        self._chores[name] = (chore, 2**62)

        def again(us: int) -> None:
            self._chores_busy = False
            self._chores[name] = (chore, min(self._chores[name][1], self.world.now + us))
            self._next_chore()

        self._wire.call(
            self.process,
            chore.run,  # type: ignore[arg-type]  # it is a store for the chore
            lambda us: again(chore.every_us if us is None else us),
            lambda error: again(self.world.between(SECOND // 5, SECOND)),
        )

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────
    def die(self, why: str) -> None:
        """Killed: at once, and without a word."""
        if self.process.alive:
            self.judge.note(f"{self.process.name} dies: {why}")
            self.process.alive = False
            self.on_death(self)

    def drain(self, grace_us: int) -> None:
        """Told to go: claim nothing more, let runs end for so long, give back the rest."""
        if not self._leaving:
            self._leaving = True
            self.judge.note(f"{self.process.name} drains")
            self._post(lambda clerk, _: clerk.stop())
            self._until(lambda: self.clerk.stopping and self.clerk.drained, grace_us, self._give_back)

    def _until(self, done: Callable[[], bool], us: int, then: Callable[[], None]) -> None:
        limit = self.world.now + us

        def look() -> None:
            if done() or self.world.now >= limit:
                then()
            else:
                self.world.after(50 * MS, look, self.process)

        look()

    def _give_back(self) -> None:
        self.runner.stop_all(Stop(Ended.RELEASE, "the worker was stopping"), STOP_US)
        self._until(lambda: not self.runner.runs, STOP_US, self._flush)

    def _flush(self) -> None:
        for run in tuple(self.runner.runs.values()):
            self.runner.end(run, Outcome(Ended.RELEASE, error="the worker was stopping"))
        self._poke_clerk()
        self._until(lambda: self.clerk.drained, FLUSH_US, self._leave)

    def _leave(self) -> None:
        self.keeper.end()
        session_id = self.session_id
        gone: Callable[[Any], None] = lambda _: self._gone()  # noqa: E731  a name for its type
        if session_id is None:
            self._gone()
        else:
            self._wire.call(self.process, lambda store: store.end_session(session_id, "drained"), gone, gone)

    def _gone(self) -> None:
        self.judge.note(f"{self.process.name} has gone")
        self.process.alive = False
        self.on_gone(self)
