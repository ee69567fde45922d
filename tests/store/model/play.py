"""Long histories by a weighted draw: where hypothesis looks for small cases, this gets deep, and most of it is work."""

from collections.abc import Callable
from random import Random

from relet.job.job import Need
from relet.job.outcome import Ended
from relet.job.state import State
from tests.store.model.machine import BY_WORKERS, DELAYS, LANES, PRIORITIES, QUEUES, STEPS, StoreMachine

Step = tuple[int, Callable[[StoreMachine, Random], None]]

ENDS = [*BY_WORKERS, *[Ended.FAILURE, Ended.SUCCESS] * 3, Ended.REJECT]


NEEDS = [Need.SUCCESS, Need.SUCCESS, Need.END, Need.FAILURE]


def _pick(rng: Random) -> int:
    return rng.randrange(2**16)


def _enqueue(machine: StoreMachine, rng: Random) -> None:
    machine.enqueue(rng.randint(1, 4), rng.choice(QUEUES), rng.choice(PRIORITIES), rng.choice(DELAYS))


def _enqueue_unique(machine: StoreMachine, rng: Random) -> None:
    conflict = rng.choice(["existing", "raise", "replace", "debounce"])
    machine.enqueue_unique(rng.choice("kl"), conflict, rng.choice(DELAYS), rng.choice(QUEUES))


def _enqueue_again(machine: StoreMachine, rng: Random) -> None:
    if machine.news:
        machine.enqueue_again(_pick(rng))


def _enqueue_after(machine: StoreMachine, rng: Random) -> None:
    if machine.oracle.jobs:
        bonds = [
            [(_pick(rng), rng.choice(NEEDS), rng.random() < 0.2) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
            for _ in range(rng.randint(1, 3))
        ]
        machine.enqueue_after(bonds, rng.random() < 0.5, rng.choice(DELAYS))


def _open(machine: StoreMachine, rng: Random) -> None:
    if len(machine.live()) < 3:
        machine.open_worker()


def _claim(machine: StoreMachine, rng: Random) -> None:
    machine.claim(_pick(rng), rng.choice((1, 2, 10)), rng.sample(LANES, len(LANES)))


def _work(machine: StoreMachine, rng: Random) -> None:
    if machine.live():
        machine.work(_pick(rng), rng.choices(ENDS, k=rng.randint(0, 8)))


def _get_on(machine: StoreMachine, rng: Random) -> None:
    """A while in which most goes well, so that what waits for others gets its turn."""
    for _ in range(rng.randint(1, 4)):
        machine.promote(100)
        machine.every_move_is_in_the_table_of_transitions()
        if machine.live():
            machine.work(_pick(rng), rng.choices((Ended.SUCCESS, Ended.REJECT), (8, 1), k=10))
            machine.every_move_is_in_the_table_of_transitions()


def _settle(machine: StoreMachine, rng: Random) -> None:
    if machine.claims:
        picked = [(_pick(rng), rng.choice(ENDS)) for _ in range(rng.randint(1, 3))]
        machine.settle(picked, rng.random() < 0.7)


def _settle_again(machine: StoreMachine, rng: Random) -> None:
    if machine.settles:
        machine.settle_again(_pick(rng))


def _steal(machine: StoreMachine, rng: Random) -> None:
    if machine.claims:
        machine.settle_of_another(_pick(rng), _pick(rng), rng.choice(ENDS))


def _cancel(machine: StoreMachine, rng: Random) -> None:
    if machine.news:
        machine.cancel(_pick(rng), rng.choice(("first", "second")))


def _retry(machine: StoreMachine, rng: Random) -> None:
    if any(job.state is State.DEAD for job in machine.oracle.jobs.values()):
        machine.retry_dead(_pick(rng))


STEPS_BY_WEIGHT: tuple[Step, ...] = (
    (5, _enqueue),
    (5, _enqueue_unique),
    (1, _enqueue_again),
    (5, _enqueue_after),
    (3, _open),
    (8, _claim),
    (8, _work),
    (6, _get_on),
    (10, _settle),
    (2, _settle_again),
    (2, _steal),
    (3, lambda machine, rng: machine.renew(_pick(rng))),
    (2, lambda machine, rng: machine.leave(_pick(rng), rng.choice((Ended.RELEASE, Ended.LOST, Ended.LOST)))),
    (5, lambda machine, rng: machine.advance(rng.choice(STEPS))),
    (2, lambda machine, _: machine.reclaim_expired()),
    (4, lambda machine, rng: machine.promote(rng.choice((1, 100)))),
    (1, lambda machine, rng: machine.prune(rng.choice((1, 100)))),
    (2, _cancel),
    (1, lambda machine, _: machine.honour_cancels()),
    (3, _retry),
    (1, lambda machine, _: machine.pause_or_resume()),
    (1, lambda machine, rng: machine.limit(rng.choice(QUEUES), _pick(rng))),
)


def play(machine: StoreMachine, seed: int, steps: int) -> None:
    """So many steps; the same as the oracle's after each."""
    rng = Random(seed)
    weights, moves = zip(*STEPS_BY_WEIGHT, strict=True)
    try:
        machine.open_worker()
        for _ in range(steps):
            rng.choices(moves, weights)[0](machine, rng)
            machine.rows_are_what_the_oracle_says()
            machine.batches_are_what_the_oracle_says()
            machine.every_move_is_in_the_table_of_transitions()
        machine.nothing_is_lost()
    finally:
        machine.teardown()
