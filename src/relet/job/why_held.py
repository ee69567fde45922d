"""How a circuit breaker holds a job back, in a sentence for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote
from typing import NamedTuple

from relet.job.breaker import AUTOMATIC, Rule, State, Status
from relet.job.duration import format_us
from relet.job.textsafe import one_line
from relet.job.why_words import because, wall


class Tripped(NamedTuple):
    """A breaker of the job's task or queue, or around its call, that is not closed."""

    name: str
    rule: Rule
    status: Status
    changed_by: str
    out: int
    """Probes that are out."""


def held_by(breakers: Iterable[Tripped], now: int) -> Iterator[str]:
    """Which breakers hold a job back: since when, why, and when they try again."""
    for breaker in breakers:
        status, name = breaker.status, one_line(breaker.name)
        since = f" since {wall(status.opened_at)}" if status.opened_at is not None else ""
        person = "" if breaker.changed_by == AUTOMATIC else f" by {one_line(breaker.changed_by)}"
        state = status.state(now)
        yield (
            f"Breaker {name} is {'half-open' if state is State.HALF_OPEN else 'open'}{person}{since}{_why(status)}: "
            f"{_again(breaker, state, now)}. See it: relet breakers show {quote(breaker.name)}; "
            f"close it: relet breakers close {quote(breaker.name)}"
        )


def let_go_by(name: str, not_closed: Iterable[Tripped]) -> Iterator[str]:
    """That the breaker around a call which has put a job off (empty: none has) is closed meanwhile."""
    if name and name not in [breaker.name for breaker in not_closed]:
        yield (
            f"Breaker {one_line(name)}, which put it off, is closed: the next sweep of a live worker makes it due within a "
            f"second. See it: relet breakers show {quote(name)}"
        )


def _why(status: Status) -> str:
    return because(": ".join(filter(None, (status.because, status.error))))


def _again(breaker: Tripped, state: State, now: int) -> str:
    probe_at, probes = breaker.status.probe_at, breaker.rule.probes
    if probe_at is None:
        return "nothing passes until a person closes it"
    if state is State.OPEN:
        return f"it tries again at {wall(probe_at)} (in {format_us(probe_at - now)})"
    if breaker.out:
        return f"{breaker.out} of {probes} {'probe is' if probes == 1 else 'probes are'} out, and what they come to decides"
    return f"the next {'job' if probes == 1 else f'{probes} jobs'} that a worker takes may try"
