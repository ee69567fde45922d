"""The lease protocol as a small machine, and a search through every state that it can reach.

One job, two workers. A worker claims, runs, and settles by a message that may be late, lost or repeated, as may the claim's
answer. Leases lapse at any moment; anybody reclaims; a worker dies and comes back as another session. `Rules` says which
checks the store makes; the rules of the real store are the default, and each weaker set must show a violation.

Checked in every state: at most one end is accepted (I2), a settle is accepted only for the claim that stands (I3), a claim
under a good lease is never taken away (I6), and an end can still be reached (I1, for a fair scheduler).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

WORKERS = 2
SESSIONS = 3
"""One of the workers may die, or learn of its end, and come back."""
MOST_CLAIMS = 3

LIVE, LAPSED, ENDED, UNBORN = "live", "lapsed", "ended", "unborn"
READY, RUNNING, DONE = "ready", "running", "done"
IDLE, WORKS, WAITS = "idle", "works", "waits"


@dataclass(frozen=True)
class Rules:
    """What the store checks."""

    fence: Literal["job, session, epoch", "job, session", "job that runs", "job", "nothing"] = "job, session, epoch"
    second_look: bool = True
    """A reclaim looks at the lease again under the lock that it takes."""
    live_claims: bool = True
    """A claim is made only under a session that has not ended."""


class Settle(NamedTuple):
    """A message on its way."""

    session: int
    epoch: int
    final: bool


class Worker(NamedTuple):
    """What one process believes."""

    session: int
    doing: str = IDLE
    epoch: int = 0
    final: bool = False


class World(NamedTuple):
    """One state of everything."""

    place: str = READY
    holder: int = -1
    epoch: int = 0
    sessions: tuple[str, ...] = (LIVE,) * WORKERS + (UNBORN,) * (SESSIONS - WORKERS)
    workers: tuple[Worker, ...] = tuple(Worker(n) for n in range(WORKERS))
    net: frozenset[Settle] = frozenset()
    doomed: int = -1
    """A session that some reclaimer has found lapsed and not ended yet."""
    ends: int = 0
    fault: str = ""


Step = tuple[str, World]


def steps(world: World, rules: Rules) -> Iterator[Step]:
    """Everything that may happen next."""
    if world.fault:
        return
    for number, worker in enumerate(world.workers):
        yield from _worker_steps(world, number, worker, rules)
    for message in world.net:
        yield from _deliver(world, message, rules)
    for session, state in enumerate(world.sessions):
        if state == LIVE:
            yield f"lease of {session} lapses", _session(world, session, LAPSED)
        if state == LAPSED and world.doomed < 0:
            yield f"reclaimer finds {session}", world._replace(doomed=session)
    if world.doomed >= 0:
        yield f"reclaimer ends {world.doomed}", _reclaim(world, rules)


def _worker_steps(world: World, number: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    session, state = worker.session, world.sessions[worker.session]
    if state in (LIVE, LAPSED):
        yield f"worker {number} renews {session}", _session(world, session, LIVE)
    may_claim = state == LIVE or (state == ENDED and not rules.live_claims)
    if worker.doing == IDLE and world.place == READY and may_claim and world.epoch < MOST_CLAIMS:
        held = world._replace(place=RUNNING, holder=session, epoch=world.epoch + 1)
        yield f"worker {number} claims", _worker(held, number, worker._replace(doing=WORKS, epoch=held.epoch))
        yield f"worker {number} claims, answer lost", held
    if worker.doing == IDLE and world.place == RUNNING and world.holder == session and state != ENDED:
        found = worker._replace(doing=WORKS, epoch=world.epoch)
        yield f"worker {number} finds its lost claim", _worker(world, number, found)
    if worker.doing == WORKS:
        for final in (True, False):
            yield from _send(world, number, worker._replace(doing=WAITS, final=final))
    young = next((n for n, other in enumerate(world.sessions) if other == UNBORN), None)
    if young is not None:
        reborn = _session(world, young, LIVE)
        yield f"worker {number} dies and returns as {young}", _worker(reborn, number, Worker(young))
    if worker.doing == IDLE and state == ENDED and young is not None:
        reborn = _session(world, young, LIVE)
        yield f"worker {number} learns of its end", _worker(reborn, number, Worker(young))


def _send(world: World, number: int, worker: Worker) -> Iterator[Step]:
    message = Settle(worker.session, worker.epoch, worker.final)
    sent = _worker(world, number, worker)
    yield f"worker {number} sends {message}", sent._replace(net=world.net | {message})


def _deliver(world: World, message: Settle, rules: Rules) -> Iterator[Step]:
    """The store takes the message; it may come again. Its answer may be lost. One that is lost is one never taken."""
    after = _settle(world, message) if _accepts(world, message, rules) else world
    yield f"store takes {message}, answer lost", after
    for number, worker in enumerate(world.workers):
        if (worker.doing, worker.session, worker.epoch) == (WAITS, message.session, message.epoch):
            yield f"store answers {message}", _worker(after, number, worker._replace(doing=IDLE, epoch=0, final=False))


def _accepts(world: World, message: Settle, rules: Rules) -> bool:
    runs = world.place == RUNNING
    match rules.fence:
        case "job, session, epoch":
            return runs and (world.holder, world.epoch) == (message.session, message.epoch)
        case "job, session":
            return runs and world.holder == message.session
        case "job that runs":
            return runs
        case "job":
            return world.place != DONE
        case "nothing":
            return True


def _settle(world: World, message: Settle) -> World:
    stands = world.place == RUNNING and (world.holder, world.epoch) == (message.session, message.epoch)
    fault = "" if stands else f"{message} accepted while {world.place} under ({world.holder}, {world.epoch})"
    ends = world.ends + message.final
    return world._replace(
        place=DONE if message.final else READY, holder=-1, ends=ends, fault="two ends" if ends > 1 else fault
    )


def _reclaim(world: World, rules: Rules) -> World:
    session = world.doomed
    state = world.sessions[session]
    world = world._replace(doomed=-1)
    if state == ENDED or (rules.second_look and state == LIVE):
        return world
    held = world.place == RUNNING and world.holder == session
    if held and state == LIVE:
        world = world._replace(fault=f"the claim of {session} was taken away under a good lease")
    ended = _session(world, session, ENDED)
    return ended._replace(place=READY, holder=-1) if held else ended


def _session(world: World, session: int, state: str) -> World:
    found = list(world.sessions)
    found[session] = state
    return world._replace(sessions=tuple(found))


def _worker(world: World, number: int, worker: Worker) -> World:
    found = list(world.workers)
    found[number] = worker
    return world._replace(workers=tuple(found))


@dataclass
class Search:
    """What a search has found."""

    states: int
    fault: str
    trace: list[str]
    """What happened on the way to the fault."""
    stuck: World | None
    """A state from which no end can be reached any more, though claims are left."""


def explore(rules: Rules) -> Search:
    """Look at every state, nearest first; stop at the first fault."""
    start = World()
    came: dict[World, tuple[World, str] | None] = {start: None}
    before: dict[World, list[World]] = {}
    todo = deque([start])
    while todo:
        world = todo.popleft()
        if world.fault:
            return Search(len(came), world.fault, _trace(came, world), None)
        for name, after in steps(world, rules):
            before.setdefault(after, []).append(world)
            if after not in came:
                came[after] = (world, name)
                todo.append(after)
    return Search(len(came), "", [], _stuck(came, before))


def _trace(came: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    names: list[str] = []
    while (step := came[world]) is not None:
        world, name = step
        names.append(name)
    return names[::-1]


def _stuck(came: dict[World, tuple[World, str] | None], before: dict[World, list[World]]) -> World | None:
    """The first state, if any, from which no end can be reached and which the bounds of the search do not explain."""
    hopeful = {world for world in came if world.place == DONE}
    todo = list(hopeful)
    while todo:
        for earlier in before.get(todo.pop(), ()):
            if earlier not in hopeful:
                hopeful.add(earlier)
                todo.append(earlier)
    return next((world for world in came if world not in hopeful and not _bounded(world)), None)


def _bounded(world: World) -> bool:
    """Whether the search itself ran out of claims or sessions here."""
    alive = any(world.sessions[worker.session] != ENDED for worker in world.workers)
    return world.epoch >= MOST_CLAIMS or not (alive or UNBORN in world.sessions)
