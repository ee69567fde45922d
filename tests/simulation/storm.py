"""One simulated history: some workers, some clients, a storm, and the calm after it in which everything must end."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from relet.clock import MS, SECOND, Ids
from relet.errors import NotFound, StoreUnavailable
from relet.events import silent
from relet.job.job import NewJob, Options
from relet.job.limits import Rule, parse_rates
from relet.maintain.chores import Chore, Mend, Tie
from relet.maintain.fire import Fire
from relet.store.port import Store
from relet.work.terms import Terms
from tests.simulation.bodies import TASK, kinds
from tests.simulation.bonds import fan, look_at_bonds
from tests.simulation.circuits import breakers, close_call, declare, meeting, open_call
from tests.simulation.judge import Judge, Violation
from tests.simulation.keys import rules, standing
from tests.simulation.node import Node
from tests.simulation.ticks import NAME, look_at_ticks, ticking
from tests.simulation.wire import Wire
from tests.simulation.world import Process, StoreClock, World
from tests.store.beds import Bed
from tests.store.invariants import check_invariants

LEASE_US = 4 * SECOND
HEARTBEAT_US = 1_300 * MS
SLOTS = 3
STORM_US = 16 * SECOND
CALM_US = 150 * SECOND
"""How long after the storm everything must have ended."""

Make = Callable[[World, Wire, Judge, str, Terms], Node]


@dataclass
class Order:
    """A job that a client wants, and what it is."""

    job: NewJob
    kind: str
    stands_for: bytes | None = None
    """The job that stands for it, once a client has been told."""


@dataclass
class Result:
    """What became of a seed."""

    seed: int
    violation: str = ""
    log: list[str] = field(default_factory=list)
    seconds: float = 0.0
    calls: int = 0
    refused: int = 0


class Storm:
    """One world."""

    def __init__(self, seed: int, bed: Bed, store: Store, world: World, make: Make = Node) -> None:
        self.world = world
        self.bed = bed
        self.judge = Judge(world, LEASE_US, SLOTS)
        self.wire = Wire(world, store, self.judge)
        self._make = make
        self._rules = breakers(Random(f"circuits {seed}")) if seed % 5 == 4 else {}
        self._terms = Terms(SLOTS, 500, LEASE_US, HEARTBEAT_US, 2 * SECOND, tasks=(TASK,), breakers=self._rules)
        self._ids = Ids(StoreClock(world), world.rng)
        self._client = Process("client")
        self.orders: list[Order] = []
        self.meddled: set[bytes] = set()
        """Jobs that people have cancelled, or that a unique key has let give way."""
        self.nodes: dict[str, Node] = {}
        self._seed = seed
        self._bound: list[NewJob] = []
        self._open = 0
        """Calls of clients that must be answered before the end."""

    # ── the people ────────────────────────────────────────────────────────────────────────────────────────────────
    def _employ(self) -> None:
        for number in range(self.world.rng.choice((2, 3))):
            self._boot(f"node-{number}")

    def _boot(self, name: str) -> None:
        node = self._make(self.world, self.wire, self.judge, name, self._terms)
        node.on_death = self._died
        node.more_chores = self._more_chores
        node.on_gone = lambda gone: self.world.after(self._pause(), lambda: self._boot(gone.process.name))
        self.nodes[name] = node

    def _more_chores(self, node: Node) -> list[Chore]:
        """Those that this history needs."""
        chores: list[Chore] = [Fire(node.ids, node.work, silent)] if self._seed % 3 == 2 else []
        if self._seed % 3 == 1 or self._keyed:
            chores += [Tie(), Mend(node.work, self._alarm)]
        return chores

    @property
    def _keyed(self) -> bool:
        """Whether jobs of this history stand before limits by name and key: with each of the three sorts of histories."""
        return self._seed // 3 % 3 == 0

    def _alarm(self, event: str, /, **fields: Any) -> None:
        raise Violation(f"I10: {event}: {fields}")

    def _pause(self) -> int:
        return self.world.between(100 * MS, 4 * SECOND)

    def _died(self, node: Node) -> None:
        """A supervisor starts it again; a neighbour may notice at once that it is gone."""
        self.world.after(self._pause(), lambda: self._boot(node.process.name))
        if self.world.chance(0.5):
            for session in node.sessions[-1:]:
                self.world.after(SECOND, lambda session=session: self._bury(session))

    def _bury(self, session: bytes) -> None:
        self._ask(lambda store: store.reclaim(session, "its process is gone"), lambda _: None, again=False)

    def _ask(self, call: Callable[[Any], Any], then: Callable[[Any], None], *, again: bool = True) -> None:
        """A client's call, made again until it is answered."""
        retry = lambda _: self.world.after(self._pause(), lambda: self._ask(call, then)) if again else None  # noqa: E731
        self.wire.call(self._client, call, then, retry)

    def _order(self) -> None:
        """Some jobs, in one call."""
        rng = self.world.rng
        chosen = rng.choices(
            ["quick", "slow", "stubborn", "fail once", "fail", "snooze", "hang", "poison"],
            [12, 2, 1, 3, 1, 2, 1, 1],
            k=rng.choice((1, 1, 2, 4)),
        )
        if sum(order.kind == "poison" for order in self.orders):
            chosen = [kind if kind != "poison" else "quick" for kind in chosen]
        orders = [self._new(kind) for kind in chosen]
        self.orders += orders

        def told(answers: Any) -> None:
            for order, answer in zip(orders, answers, strict=True):
                order.stands_for = answer.job_id
            self.judge.note(f"client is told of {len(answers)} jobs")

        self._ask(lambda store: store.enqueue([order.job for order in orders]), told)

    def _new(self, kind: str) -> Order:
        rng = self.world.rng
        args = json.dumps(kinds(rng.choice((1, 5 * MS, 300 * MS, SECOND)))[kind])
        unique = rng.choice("abc") if kind == "quick" and rng.random() < 0.3 else None
        timeout = 3 * SECOND if kind == "hang" else None
        delay = rng.choice((0, 0, 0, SECOND, 3 * SECOND))
        options = Options(timeout_us=timeout, unique=unique, fair=rng.choice((None, None, "a", "b")))
        conflict = rng.choice(("existing", "replace")) if unique else "existing"
        job = NewJob(self._ids.job(), TASK, args=args, options=options, delay_us=delay, on_conflict=conflict)
        return Order(job, kind)

    def _cancel(self) -> None:
        if self.orders:
            job_id = self.world.rng.choice(self.orders).job.id
            self.meddled.add(job_id)
            self._ask(lambda store: store.cancel(job_id, "not needed", "ann", SECOND), lambda _: None)

    def _limit(self, rng: Random) -> None:
        """The queue is held to something, or to something else, or to nothing any more."""
        rates = rng.choice(("", "3/s", "4/2s", "3/s;20/10s", "9/3s"))
        rule = Rule(rng.choice((None, 1, 2, 3, 4)), rng.choice((None, None, 1, 2)), parse_rates(rates) if rates else ())
        self._ask(lambda store: store.limit_queue("default", rule, "ann"), lambda _: None)

    def _must_ask(self, call: Callable[[Any], Any], then: Callable[[], None] = lambda: None) -> None:
        """A call without whose answer the history has no end."""
        self._open += 1

        def told(_: Any) -> None:
            self._open -= 1
            then()

        self._ask(call, told)

    def _fan(self, own: Random) -> None:
        jobs, batches = fan(own, Ids(StoreClock(self.world), own))
        self._must_ask(lambda store: store.enqueue(jobs, batches), lambda: self._bound.extend(jobs))
        if own.random() < 0.2:
            job_id = own.choice(jobs).id
            self.judge.cancelled.add(job_id)
            self.world.after(
                own.randint(0, 3 * SECOND),
                lambda: self._must_ask(lambda store: store.cancel(job_id, "", "ann", SECOND)),
            )

    def _keys(self, own: Random) -> None:
        for name, rule in rules(own).items():
            said = partial(self._must_ask, partial(_set_gate, name, rule))
            self.world.at(own.randint(0, 6 * SECOND), said)
        for _ in range(own.randint(2, 5)):
            made = [standing(own, Ids(StoreClock(self.world), own)) for _ in range(own.choice((1, 2, 4, 6)))]
            self.world.at(
                own.randint(0, STORM_US * 3 // 4), partial(self._stand, [Order(job, kind) for kind, job in made])
            )
        for _ in range(own.choice((0, 0, 1, 2))):
            pause = partial(
                _pause_gate, own.choice(("at once", "rated")), own.choice((None, "x")), own.randint(1, 5) * SECOND
            )
            self.world.at(own.randint(6 * SECOND, STORM_US), partial(self._ask, pause, lambda _: None))
        if own.random() < 0.3:
            self.world.at(own.randint(0, STORM_US), partial(self._cancel_one_of, own))

    def _stand(self, orders: list[Order]) -> None:
        self.orders += orders

        def told(answers: Any) -> None:
            for order, answer in zip(orders, answers, strict=True):
                order.stands_for = answer.job_id
            self._ask(lambda store: store.tie(100), lambda _: None, again=False)

        self._ask(lambda store: store.enqueue([order.job for order in orders]), told)

    def _cancel_one_of(self, own: Random) -> None:
        jobs = [order.job.id for order in self.orders if order.job.options.gates]
        if jobs:
            job_id = own.choice(jobs)
            self.meddled.add(job_id)
            self._ask(lambda store: store.cancel(job_id, "not needed", "ann", SECOND), lambda _: None)

    def _circuits(self, own: Random) -> None:
        """People open and close the one around a call. An opening may arrive late: it is closed once more at the end."""
        world = self.world
        for at, call in (
            (0, partial(declare, self._rules)),
            (own.randint(SECOND, 5 * SECOND), open_call),
            (own.randint(6 * SECOND, STORM_US), close_call),
            (STORM_US + 12 * SECOND, close_call),
        ):
            world.at(at, partial(self._must_ask, call))
        for _ in range(own.randint(1, 3)):
            jobs = meeting(own, Ids(StoreClock(world), own))
            world.at(own.randint(0, STORM_US * 3 // 4), partial(self._stand, [Order(job, "meet") for job in jobs]))

    def _tick(self, own: Random) -> None:
        schedule = ticking(own)
        self._must_ask(lambda store: store.put_schedule(schedule, "ann"))
        for _ in range(own.choice((0, 0, 1, 3))):
            job_id = Ids(StoreClock(self.world), own).job()
            trigger = partial(self._trigger, job_id)
            self.world.at(own.randint(4 * SECOND, STORM_US), partial(self._must_ask, trigger))
        self.world.at(
            STORM_US + 5 * SECOND, lambda: self._must_ask(lambda store: store.pause_schedule(NAME, "ann", ""))
        )

    @staticmethod
    def _trigger(job_id: bytes, store: Any) -> Any:
        try:
            return store.trigger_schedule(NAME, "ann", job_id, force=True)
        except NotFound:  # whoever puts it has not got through yet: ask again
            raise StoreUnavailable(f"schedule {NAME} is not there yet") from None

    # ── the weather ───────────────────────────────────────────────────────────────────────────────────────────────
    def _some_node(self) -> Node:
        return self.world.rng.choice(list(self.nodes.values()))

    def _freeze(self) -> None:
        node, us = self._some_node(), self.world.between(SECOND, 4 * LEASE_US)
        node.process.frozen_until = self.world.now + us
        self.judge.note(f"{node.process.name} is frozen for {us / 1e6:.1f} s")

    def _cut(self) -> None:
        node, us = self._some_node(), self.world.between(SECOND, 2 * LEASE_US)
        node.process.cut_until = self.world.now + us
        self.judge.note(f"{node.process.name} is cut off for {us / 1e6:.1f} s")

    def _away(self) -> None:
        us = self.world.between(SECOND, 2 * LEASE_US)
        self.wire.down_until = self.world.now + us
        for node in self.nodes.values():
            node.process.faulted_at = self.wire.down_until
        self.judge.note(f"the store is away for {us / 1e6:.1f} s")

    def _jump(self) -> None:
        self.world.wall_jump += self.world.rng.choice((-1, 1)) * self.world.between(SECOND, 2 * SECOND)

    def _kill(self) -> None:
        self._some_node().die("killed")

    def _drain(self) -> None:
        self._some_node().drain(self.world.rng.choice((0, 500 * MS, 5 * SECOND)))

    def _plan(self) -> None:
        rng, world = self.world.rng, self.world
        for _ in range(rng.randint(4, 9)):
            world.at(world.between(0, STORM_US * 3 // 4), self._order)
        for _ in range(rng.randint(0, 2)):
            world.at(world.between(0, STORM_US), self._cancel)
        weather = [self._freeze, self._cut, self._kill, self._drain, self._away, self._jump]
        for what in rng.choices(weather, [5, 3, 4, 2, 1, 1], k=rng.randint(0, 8)):
            world.at(world.between(SECOND, STORM_US), what)
        if self._seed % 3 == 0:
            own = Random(self._seed)  # so that the rest of the history is as it would be
            for _ in range(own.randint(1, 4)):
                world.at(own.randint(0, STORM_US), partial(self._limit, own))
        if self._seed % 3 == 1:
            own = Random(self._seed)
            for _ in range(own.randint(1, 3)):
                world.at(own.randint(0, STORM_US * 3 // 4), partial(self._fan, own))
        if self._seed % 3 == 2:
            own = Random(self._seed)
            world.at(own.randint(0, SECOND), partial(self._tick, own))
        if self._keyed:
            world.at(0, partial(self._keys, Random(f"keys {self._seed}")))
        if self._rules:
            self._circuits(Random(f"calls {self._seed}"))
        world.at(STORM_US, self._calm)

    def _calm(self) -> None:
        self.wire.stormy = False
        self.wire.down_until = min(self.wire.down_until, self.world.now)
        for node in self.nodes.values():
            node.process.cut_until = min(node.process.cut_until, self.world.now)
        self.judge.note("the storm is over")

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────
    def play(self) -> None:
        """The whole history. Raises Violation."""
        self._plan()
        self._employ()
        looked = 0

        def done() -> bool:
            nonlocal looked
            if self.world.now < STORM_US + (6 * SECOND if self._seed % 3 == 2 else 0) or self.world.now < looked:
                return False
            looked = self.world.now + SECOND
            return self._open == 0 and all(order.stands_for for order in self.orders) and self._live() == 0

        self.world.run(STORM_US + CALM_US, done)
        self._look_at_rows()

    def _live(self) -> int:
        return sum(
            self.bed.rows(f"select count(*) from relet.{table}")[0][0]
            for table in ("waiting", "scheduled", "ready", "running")
        )

    def _look_at_rows(self) -> None:
        stuck = self.bed.rows(
            "select 'running', job_id from relet.running union all select 'ready', job_id from relet.ready"
            " union all select 'scheduled', job_id from relet.scheduled union all select 'waiting', job_id from relet.waiting"
        )
        if stuck:
            raise Violation(f"I1: not ended in the calm: {[(where, job_id.hex()[-6:]) for where, job_id in stuck]}")
        check_invariants(self.bed)
        present = {job_id for (job_id,) in self.bed.rows("select id from relet.job")}
        for order in self.orders:
            if order.stands_for not in present:
                raise Violation(f"I1: an acknowledged job is gone: {order.kind}")
        self._look_at_ends()
        look_at_bonds(self.bed, self.judge, self._bound)
        if self._seed % 3 == 2:
            look_at_ticks(self.bed)

    def _look_at_ends(self) -> None:
        finished = {
            row[0]: row[1:]
            for row in self.bed.rows("select job_id, outcome, attempt, epoch, error from relet.finished")
        }
        dead = {row[0]: row[1:] for row in self.bed.rows("select job_id, reason, attempt, crashes from relet.dead")}
        for order in self.orders:
            job_id = order.job.id
            if (
                job_id in self.meddled
                or order.stands_for != job_id
                or (order.job.options.unique and job_id in finished)
            ):
                continue
            expected = {"poison": "poison", "fail": "attempts", "hang": "attempts"}.get(order.kind, "succeeded")
            got = dead[job_id][0] if job_id in dead else finished[job_id][0]
            if got != expected:
                raise Violation(f"I7: a job that is {order.kind!r} came to {got!r}, not {expected!r}")
            paid = finished[job_id][1] if job_id in finished else 0
            if paid != (order.kind == "fail once") and expected == "succeeded":
                raise Violation(f"I7: a job that is {order.kind!r} paid {paid} attempts")


def _set_gate(name: str, rule: Rule, store: Any) -> Any:
    return store.set_limit(name, rule, "ann")


def _pause_gate(name: str, key: str | None, us: int, store: Any) -> Any:
    return store.pause_limit(name, key, store.now() + us, "ann")
