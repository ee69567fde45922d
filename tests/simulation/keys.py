"""Limits by name and key in a simulated history: jobs that stand before some, and how many of them may run and start."""

import json
from random import Random
from typing import NamedTuple

from relet.clock import MS, SECOND, Ids
from relet.job.gates import Asked, weight
from relet.job.job import NewJob, Options
from relet.job.limits import Rule, parse_rates
from tests.simulation.bodies import TASK, kinds

KINDS = ["quick"] * 8 + ["slow", "fail once", "fail", "snooze"]
NAMES = ("at once", "rated", "both")


def rules(rng: Random) -> dict[str, Rule]:
    """What each of the limits allows, for the whole history."""
    rates = parse_rates(rng.choice(("3/s", "4/2s", "5/2s;12/10s")))
    return {"at once": Rule(rng.choice((1, 1, 2))), "rated": Rule(None, None, rates), "both": Rule(2, None, rates)}


def standing(rng: Random, ids: Ids) -> tuple[str, NewJob]:
    """A job that stands before some of the limits, and of what kind it is."""
    kind = rng.choice(KINDS)
    gates = tuple((name, rng.choice("xy"), rng.choice((1, 1, 2))) for name in NAMES if rng.random() < 0.6)
    args = json.dumps(kinds(rng.choice((1, 5 * MS, 300 * MS)))[kind])
    options = Options(gates=gates or (("at once", "x", 1),), fair=rng.choice((None, None, "a", "b")))
    return kind, NewJob(ids.job(), TASK, args=args, options=options, delay_us=rng.choice((0, 0, 0, SECOND)))


class Start(NamedTuple):
    """One start: by the store's wall clock, and in true time. A clock that is set back meets its own past."""

    at: int
    true: int
    units: int = 1


def most_within(starts: list[Start], window_us: int) -> int:
    """How many units have started in one window, of those that the last one may have been in."""
    last = starts[-1]
    near = [one for one in starts if max(abs(one.at - last.at), last.true - one.true) < window_us]
    return max(sum(one.units for one in near if first.at <= one.at < first.at + window_us) for first in near)


class Starts:
    """What has started under limits by name and key."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.asked: dict[bytes, tuple[Asked, ...]] = {}
        self._starts: dict[tuple[str, str], list[Start]] = {}

    def enqueued(self, jobs: list[NewJob]) -> None:
        """These stand before limits, or do not."""
        self.asked |= {job.id: job.options.gates for job in jobs if job.options.gates}

    def faults(self, job_id: bytes, now: int, true: int, running: set[bytes], *, fresh: bool) -> str:
        """What is wrong with it that this job was claimed, while those run. `fresh`: it was not given back by a worker that
        had started it already."""
        for name, key, units in self.asked.get(job_id, ()):
            rule = self.rules.get(name)
            if rule is None:
                return f"it has passed {name}, of which nobody has said what it is"
            at_once = sum((name, key) in {one[:2] for one in self.asked.get(other, ())} for other in running)
            if rule.concurrency is not None and at_once > rule.concurrency:
                return f"{at_once} run under {name} of {key}, and {rule.concurrency} may"
            if fresh:
                self._starts.setdefault((name, key), []).append(Start(now, true, units))
                for rate in rule.rates:
                    starts = [one._replace(units=weight(rate, one.units)) for one in self._starts[name, key]]
                    if most_within(starts, rate.window_us) > rate.units:
                        return f"too much has started under {name} of {key} within {rate.window_us} µs"
        return ""
