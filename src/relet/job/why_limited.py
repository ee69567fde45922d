"""How limits hold a job back, in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import NamedTuple
from uuid import UUID

from relet.job.duration import format_us
from relet.job.gates import FOREVER
from relet.job.limits import BLOCK, ROUTINES, QueueLimit, Rule
from relet.job.textsafe import one_line
from relet.job.why_words import wall


def held_back(queue: str, limit: QueueLimit, now: int, workers: Mapping[str, int]) -> Iterator[str]:
    """Why the limit lets none of these workers, which could, start a job of the queue; the numbers are what each of them runs
    of it. Nothing, if it does."""
    rule, name = limit.rule, one_line(queue)
    change = f"See or change it: relet queues ls; relet queues limit {quote(queue)}"
    if rule.concurrency is not None and limit.running >= rule.concurrency:
        yield (
            f"Queue {name} lets {rule.concurrency} run at once, and {limit.running} run: "
            f"the next starts when one of them ends. {change}"
        )
    for rate, used in zip(rule.rates, limit.used, strict=True):
        if used >= rate.units and limit.next_at is not None:
            yield (
                f"Queue {name} has let {used} start in the last {_window(rate.window_us)}, as many as its rate allows ({rate}): "
                f"the next may start at {wall(limit.next_at)} (in {format_us(max(0, limit.next_at - now))}). {change}"
            )
    if rule.per_worker is not None and workers and all(count >= rule.per_worker for count in workers.values()):
        names = ", ".join(sorted(map(one_line, workers))[:5])
        yield f"Queue {name} lets each worker run {rule.per_worker} of its jobs at once, and each does ({names}). {change}"


class Line(NamedTuple):
    """A job stands in line before a limit by name and key."""

    name: str
    key: str
    rule: Rule
    ahead: int
    """Jobs before it in line."""
    ahead_capped: bool
    """There are more than that."""
    passed: int
    """Jobs that are ready or run."""
    used: tuple[int, ...]
    paused_until: int | None
    opens_at: int | None
    declared: bool
    """Somebody has said what the limit is."""
    holders: tuple[tuple[UUID, str], ...]
    """Some of those that have passed: job and task."""
    budgets: tuple[str, ...] = ()
    """Those that are used up, and pause it."""


def stands_before(line: Line, now: int) -> str:
    """Why a job waits there, and for how long."""
    ahead = f"{line.ahead:,}{'+' if line.ahead_capped else ''} before it" if line.ahead else "it is the first"
    return f"{_before(line)} ({ahead}): {_shut(line, now)} {_see(line)}"


def _before(line: Line) -> str:
    if line.name.startswith(BLOCK):
        return f"It never runs beside the other of {' and '.join(one_line(line.name.removeprefix(BLOCK)).split('|'))}"
    if line.name == ROUTINES:
        return "It waits until fewer runs of routines are under way"
    key = f" of key {one_line(line.key)}" if line.key else ""
    return f"It waits in line before limit {one_line(line.name)}{key}"


def _shut(line: Line, now: int) -> str:
    if not line.declared:
        return "nobody has said yet what the limit is. A worker of the app that declares it says so when it starts."
    if line.paused_until is not None and line.paused_until >= FOREVER:
        return "it is paused until somebody resumes it."
    if line.paused_until is not None and line.paused_until > now:
        by = "".join(f" by budget {one_line(name)}, which is used up" for name in line.budgets[:1])
        return f"it is paused until {wall(line.paused_until)} (in {format_us(line.paused_until - now)}){by}."
    concurrency = line.rule.concurrency
    if concurrency is not None and line.passed >= concurrency:
        return f"{line.passed} of {concurrency} at once run or are about to ({_holders(line)}). The next is let in when one ends."
    for rate, used in zip(line.rule.rates, line.used, strict=True):
        if line.opens_at is not None and used >= rate.units:
            when = f"{wall(line.opens_at)} (in {format_us(max(0, line.opens_at - now))})"
            return f"{used} of {rate} are used. The next may pass at {when}."
    return "there is room, and it is let in within a second, as soon as those before it are."


def _holders(line: Line) -> str:
    more = line.passed - len(line.holders)
    named = ", ".join(f"{one_line(task)} {job_id}" for job_id, task in line.holders)
    return f"{named} and {more} more" if more > 0 else named


def _see(line: Line) -> str:
    if line.name.startswith(BLOCK):
        return "See them: relet routines ls"
    if line.budgets:
        key = f" --key {quote(line.key)}" if line.key else ""
        return f"Lift it: relet budgets lift {quote(line.budgets[0])}{key}"
    return f"See or change it: relet limits show {quote(line.name)}"


def _window(us: int) -> str:
    words = {1_000_000: "second", 60_000_000: "minute", 3_600_000_000: "hour", 86_400_000_000: "day"}
    return words.get(us) or format_us(us)
