"""How a queue's limit holds a job back, in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote

from relet.job.duration import format_us
from relet.job.limits import Limit
from relet.job.textsafe import one_line
from relet.job.why_words import wall


def held_back(queue: str, limit: Limit, now: int, workers: Mapping[str, int]) -> Iterator[str]:
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


def _window(us: int) -> str:
    words = {1_000_000: "second", 60_000_000: "minute", 3_600_000_000: "hour", 86_400_000_000: "day"}
    return words.get(us) or format_us(us)
