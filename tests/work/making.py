"""Values that tests of the worker start from."""

from random import Random

from relet.job.job import Claim, Counters
from relet.job.outcome import Ended, Outcome, success
from relet.job.settlement import Answer, Policy, Settle, settle
from relet.store.records import Turned
from relet.work.actions import Turn


def claim(
    n: int, *, queue: str = "default", rank: int = -1, seq: int | None = None, epoch: int = 1, flags: int = 0
) -> Claim:
    """The claim on job number `n`."""
    return Claim(
        n.to_bytes(16, "big"),
        epoch,
        "t",
        queue,
        rank,
        seq if seq is not None else n,
        flags,
        Counters(),
        "{}",
        None,
        0,
        0,
        None,
    )


def claims(*numbers: int) -> tuple[Claim, ...]:
    """The claims on these jobs."""
    return tuple(claim(n) for n in numbers)


def ended(n: int, outcome: Outcome | None = None, epoch: int = 1) -> Settle:
    """The settle of job number `n`: a success unless told otherwise."""
    return settle(claim(n, epoch=epoch), outcome or success("null"), Policy(), Random(0))


def released(n: int) -> Settle:
    """The settle that gives job number `n` back."""
    return ended(n, Outcome(Ended.RELEASE))


def answer(turn: Turn, *given: Claim, live: bool = True, said: Answer = Answer.ACCEPTED) -> Turned:
    """The store's answer to a turn: the same to every settle, and these claims."""
    return Turned(live, 0, (said,) * len(turn.settles), given)
