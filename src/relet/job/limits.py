"""Limits: how many jobs may run at once, and how many may start in a time. Pure.

A rate such as "50/min" lets at most 50 jobs start in any minute: not only from second 0 to second 60, but between any two
moments that are a minute apart. What has started is counted in steps of a sixtieth of the window. A job may start when the
present step and the sixty before it, which cover every window that ends now, have room; so a unit comes back between one
window and one step more after it was used.

Times are microseconds since the epoch, of the store's clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from relet.clock import DAY, SECOND
from relet.errors import UsageError
from relet.job.duration import format_us, to_us
from relet.job.names import checked_name
from relet.job.textsafe import shown

STEPS = 60
"""Into so many steps a window is cut."""

SHORTEST_US, LONGEST_US = SECOND // 100, 366 * DAY
MOST = 1_000_000_000
"""The most that can be allowed; more is no limit."""

MOST_RATES = 8

_FORMS = 'Give text such as "50/min", "10/s", "5/30s" or "500/min;20000/day".'
_ONE = re.compile(r"([0-9]{1,10})\s*/\s*([0-9][0-9a-z. ]*|[a-z]+)", re.ASCII | re.IGNORECASE)
_NAMED = {
    **dict.fromkeys(("s", "sec", "second"), "1s"),
    **dict.fromkeys(("m", "min", "minute"), "1m"),
    **dict.fromkeys(("h", "hour"), "1h"),
    **dict.fromkeys(("d", "day"), "1d"),
    **dict.fromkeys(("w", "week"), "1w"),
}
_WORDS = {SECOND: "s", 60 * SECOND: "min", 3600 * SECOND: "hour", DAY: "day", 7 * DAY: "week"}


class Rate(NamedTuple):
    """At most so many units in any window of this length."""

    units: int
    window_us: int

    def __str__(self) -> str:
        return f"{self.units}/{_WORDS.get(self.window_us) or format_us(self.window_us)}"

    def step(self, now: int) -> int:
        """The number of the step in which `now` is."""
        return now * STEPS // self.window_us


class Tally(NamedTuple):
    """Units that were used in one step of the window of this length."""

    window_us: int
    step: int
    units: int


class Rule(NamedTuple):
    """What one queue is held to. None and no rates: nothing."""

    concurrency: int | None = None
    """Jobs that run at once, in the whole cluster."""
    per_worker: int | None = None
    """Jobs that run at once in one worker."""
    rates: tuple[Rate, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it limits anything."""
        return self.concurrency is not None or self.per_worker is not None or bool(self.rates)

    def __str__(self) -> str:
        """For people: "5 at once, 50/min, 2 per worker"."""
        parts = [f"{self.concurrency} at once"] if self.concurrency is not None else []
        parts += map(str, self.rates)
        parts += [f"{self.per_worker} per worker"] if self.per_worker is not None else []
        return ", ".join(parts)


class Room(NamedTuple):
    """How many more may start now: as far as what runs goes, and as far as the rates go."""

    slots: int
    units: int
    next_at: int | None
    """When the rates let the next one start, if they let none now."""

    @property
    def free(self) -> int:
        """So many may start now."""
        return max(0, min(self.slots, self.units))


class QueueLimit(NamedTuple):
    """A queue's rule, and what is used of it now."""

    rule: Rule
    running: int
    """Jobs of the queue that run."""
    by_session: dict[bytes, int]
    """How many of them under which session."""
    used: tuple[int, ...]
    """Units that are used of each rate."""
    next_at: int | None
    """When the next job may start, where a rate lets none start now."""
    origin: str
    """ "code" or "person"."""
    changed_by: str
    changed_at: int

    @property
    def full(self) -> bool:
        """Whether none may start now, on any worker."""
        concurrency = self.rule.concurrency
        return self.next_at is not None or (concurrency is not None and self.running >= concurrency)

    @property
    def in_use(self) -> str:
        """In words: "3 of 5 at once, 20 of 50/min"."""
        rule = self.rule
        parts = [f"{self.running} of {rule.concurrency} at once"] if rule.concurrency is not None else []
        parts += [f"{used} of {rate}" for used, rate in zip(self.used, rule.rates, strict=True)]
        parts += [f"{rule.per_worker} per worker"] if rule.per_worker is not None else []
        return ", ".join(parts)


def rule_of(concurrency: int | None = None, rate: str | None = None, per_worker: int | None = None) -> Rule:
    """A rule from what people write. Raises UsageError."""
    return Rule(
        whole(concurrency, "concurrency"), whole(per_worker, "per_worker"), () if rate is None else parse_rates(rate)
    )


def parse_rule(text: str) -> Rule:
    """A rule from one text: "5 50/min 2/worker". Raises UsageError."""
    words = re.split(r"[\s;]+", text.strip())
    if words == [""]:
        raise UsageError('There is no limit. Write such as "5 50/min 2/worker".')
    counts = [word for word in words if word.isdecimal()]
    per_worker = [word.partition("/")[0] for word in words if word.endswith("/worker")]
    rates = [word for word in words if word not in counts and not word.endswith("/worker")]
    if len(counts) > 1 or len(per_worker) > 1 or not all(word.isdecimal() for word in per_worker):
        raise UsageError(f'{shown(text)} is no limit. Write such as "5 50/min 2/worker".')
    return rule_of(
        int(counts[0]) if counts else None, ";".join(rates) or None, int(per_worker[0]) if per_worker else None
    )


def say_rule(rule: Rule) -> str:
    """A rule as people write it: the inverse of `parse_rule`."""
    parts = [str(rule.concurrency)] if rule.concurrency is not None else []
    parts += map(str, rule.rates)
    parts += [f"{rule.per_worker}/worker"] if rule.per_worker is not None else []
    return " ".join(parts)


def whole(count: int | None, name: str) -> int | None:
    """A number of jobs. Raises UsageError for what is none."""
    if count is None:
        return None
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
        raise UsageError(
            f"{name}={shown(count)} is not a number of jobs from 1 to {MOST:,}. To stop a queue, pause it."
        )
    return count


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Rates from text: "50/min", several of them with ";" or "," between. Shortest window first. Raises UsageError."""
    parts = re.split("[;,]", text) if isinstance(text, str) else []  # pyright: ignore[reportUnnecessaryIsInstance]  as above
    rates = [_parse(part.strip(), text) for part in parts]
    if not rates or len(rates) > MOST_RATES:
        raise UsageError(f"rate={shown(text)} is not a rate, nor up to {MOST_RATES} of them. {_FORMS}")
    if len({rate.window_us for rate in rates}) < len(rates):
        raise UsageError(f"rate={shown(text)} has two rates for the same time. {_FORMS}")
    return tuple(sorted(rates, key=lambda rate: rate.window_us))


def _parse(part: str, text: str) -> Rate:
    match = _ONE.fullmatch(part)
    if match is None:
        raise UsageError(f"rate={shown(text)} is not a rate. {_FORMS}")
    window_us = to_us(_NAMED.get(match[2].lower(), match[2]), name="rate")
    units = int(match[1])
    if not 1 <= units <= MOST or not SHORTEST_US <= window_us <= LONGEST_US:
        raise UsageError(
            f"rate={shown(text)}: a rate is 1 to {MOST:,} jobs in 10ms to 366d. To stop a queue, pause it. {_FORMS}"
        )
    return Rate(units, window_us)


def say_rates(rates: Sequence[Rate]) -> str:
    """Rates as people write them: the inverse of `parse_rates`."""
    return ";".join(map(str, rates))


def encode_rates(rates: Sequence[Rate]) -> str:
    """As they are stored: `[[50, 60000000]]`."""
    return msgspec.json.encode(rates).decode()


def decode_rates(text: str) -> tuple[Rate, ...]:
    """The other way."""
    return tuple(Rate(int(units), int(window_us)) for units, window_us in msgspec.json.decode(text))


def counts(rate: Rate, tally: Tally, now: int) -> bool:
    """Whether what was used then still counts. Also from steps to come: the clock may have been set back a little."""
    return tally.window_us == rate.window_us and abs(tally.step - rate.step(now)) <= STEPS


def used(rate: Rate, tallies: Iterable[Tally], now: int) -> int:
    """How many units of the window that ends now are used."""
    return sum(tally.units for tally in tallies if counts(rate, tally, now))


def next_at(rate: Rate, tallies: Iterable[Tally], now: int, units: int = 1) -> int | None:
    """When so many units are free; None: they are free now."""
    counted = sorted((tally for tally in tallies if counts(rate, tally, now)), key=lambda tally: tally.step)
    over = sum(tally.units for tally in counted) + units - rate.units
    if over <= 0:
        return None
    for tally in counted:
        over -= tally.units
        if over <= 0:
            return -(-(tally.step + STEPS + 1) * rate.window_us // STEPS)
    return None


def room(rule: Rule, running: int, mine: int, tallies: Sequence[Tally], now: int) -> Room:
    """What a worker that runs `mine` of the queue's `running` jobs may start now."""
    bounds = [
        limit - count for limit, count in ((rule.concurrency, running), (rule.per_worker, mine)) if limit is not None
    ]
    units = [rate.units - used(rate, tallies, now) for rate in rule.rates]
    waits = [at for rate in rule.rates if (at := next_at(rate, tallies, now)) is not None]
    return Room(min(bounds, default=MOST), min(units, default=MOST), max(waits, default=None))


QUEUE = "queue:"
"""What the names of the rules of queues begin with."""


def queue_of(name: str) -> str | None:
    """The queue that a rule of this name holds; None: it is not a queue's."""
    return name.removeprefix(QUEUE) if name.startswith(QUEUE) else None


BLOCK = "block:"
"""What the names of limits begin with that let in one job at a time, also where no rule says so."""

LIMIT_BYTES = 128


def limit_name(text: str) -> str:
    """`text`, if it can name a limit. A colon cannot be in it: names with one are Relet's own. Raises UsageError."""
    if ":" in checked_name("limit name", text, LIMIT_BYTES):
        raise UsageError(f"limit name {shown(text)}: it holds a colon, and such names are Relet's own.")
    return text


ROUTINES = "routines:running"
"""The name of the limit on how many runs of routines there are at once."""


def implied(name: str) -> Rule | None:
    """What a limit is held to of which there is no rule. None: nobody has said what it is yet, so it lets nobody in."""
    return Rule(concurrency=1) if name.startswith(BLOCK) else None


def rule_name(queue: str) -> str:
    """The name of a queue's rule."""
    return QUEUE + queue
