"""Cron expressions of five fields: which minutes of a local clock they name. No time zones here (see `localtime`).

Local times are microseconds of a plain clock: what a clock on the wall shows, counted from 1970-01-01 00:00 on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cronsim import CronSim, CronSimError

from relet.clock import DAY, HOUR, SECOND
from relet.errors import UsageError
from relet.job.textsafe import shown

MINUTE = 60 * SECOND

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_FIELDS = (
    ("minute", "0 to 59", 60),
    ("hour", "0 to 23", 24),
    ("day of the month", "1 to 31, L for the last, LW for the last weekday", 31),
    ("month", "1 to 12, or jan to dec", 12),
    ("day of the week", "0 to 7 (0 and 7 are Sunday), or sun to sat; mon#1 is the first Monday, 5L the last Friday", 7),
)
_EXAMPLE = 'Example: "30 9 * * mon-fri" is 09:30 on Monday to Friday.'
_LONGEST_TEXT = 200
_PROBED_FROM = datetime(2000, 1, 1)  # noqa: DTZ001 - a local clock has no zone
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as above
_EPOCH_DAY = _EPOCH.toordinal()
_LAST = (datetime(9900, 1, 1) - _EPOCH) // timedelta(microseconds=1)  # noqa: DTZ001 - as above


@dataclass(frozen=True, slots=True)
class Cron:
    """A checked expression. Two of its properties decide what it does when the local clock is set (see `localtime`)."""

    fields: str
    """The five fields, with single spaces."""
    sim: CronSim
    hourly: bool
    """It names every hour of a day: it counts hours as they pass, and no time of a day is its own."""
    repeats: bool
    """What it names is to happen again when the local clock shows it again."""

    def named_from(self, local: int) -> Iterator[int]:
        """The local times that it names, not before `local`, rising. Ends where 50 years name none, or after the year 9900."""
        if local <= _LAST:
            for found in CronSim(self.fields, _EPOCH + timedelta(microseconds=local - 1)):
                yield (found - _EPOCH) // timedelta(microseconds=1)

    def count(self, low: int, top: int) -> int:
        """How many local times it names from `low` to before `top`: looks at each day, not at each time."""
        if top <= low:
            return 0
        days = sum(self._names_day(day) for day in range(low // DAY, top // DAY))
        return days * len(self.sim.hours) * len(self.sim.minutes) - self._before(low) + self._before(top)

    def explain(self) -> str:
        """In words: "at 09:30 on Monday to Friday"."""
        words = self.sim.explain().replace(" through ", " to ")
        return words[0].lower() + words[1:]

    def _before(self, local: int) -> int:
        """How many times it names on the day of `local`, before it."""
        day, rest = divmod(local, DAY)
        if not self._names_day(day):
            return 0
        hour, rest = divmod(rest, HOUR)
        minute = -(-rest // MINUTE)
        in_hour = sum(each < minute for each in self.sim.minutes) if hour in self.sim.hours else 0
        return sum(each < hour for each in self.sim.hours) * len(self.sim.minutes) + in_hour

    def _names_day(self, day: int) -> bool:
        when = date.fromordinal(_EPOCH_DAY + day)
        return when.month in self.sim.months and self.sim.match_day(when)


def parse(text: str) -> Cron:
    """The expression that `text` writes: five fields as Debian's cron reads them, names in either case, or `@daily` and
    its kin.

    If one of the two day fields begins with `*`, a day has to fit both; else one of them. Raises `UsageError`, which
    says what is wrong, and where.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  callers without a type checker
        raise UsageError(f"cron: expected text, got {type(text).__name__}. {_EXAMPLE}")
    if len(text) > _LONGEST_TEXT:
        raise UsageError(f"cron: the expression is longer than {_LONGEST_TEXT} characters. {_EXAMPLE}")
    fields = list(re.finditer(r"\S+", _unfolded(text)))
    if len(fields) != len(_FIELDS):
        raise UsageError(f"cron {shown(text)}: {_flaw_of_number(len(fields))} {_EXAMPLE}")
    for place, field in enumerate(fields):
        _check_field(text, place, field)
    sim = _sim_of(text, " ".join(field[0] for field in fields))
    hourly = len(sim.hours) == 24
    return Cron(" ".join(sim.parts[1:]), sim, hourly, hourly or fields[0][0].startswith("*"))


def _unfolded(text: str) -> str:
    """The five fields that an @word stands for; other text as it is."""
    word = text.strip().lower()
    if not word.startswith("@"):
        return text
    if word not in MACROS:
        advice = " It would mean the start of a host, which is no time." if word == "@reboot" else ""
        raise UsageError(f"cron {shown(text)}: there is no such word.{advice} There are {', '.join(MACROS)}.")
    return MACROS[word]


def _flaw_of_number(count: int) -> str:
    wanted = "a schedule has 5: minute, hour, day of the month, month, day of the week."
    advice = ' For seconds, use an interval: every="10s".' if count == 6 else ""
    return f"it has {count} field{'' if count == 1 else 's'}; {wanted}{advice}"


def _check_field(text: str, place: int, field: re.Match[str]) -> None:
    """Refuses the first of the field's terms that cannot be read, or whose step leaves the field."""
    start = field.start()
    for term in field[0].split(","):
        flaw = _flaw_of_term(term, place)
        if flaw:
            name = _FIELDS[place][0]
            raise UsageError(f"cron {shown(text)}: {name} {shown(term)} at character {start + 1} {flaw} {_EXAMPLE}")
        start += len(term) + 1


def _flaw_of_term(term: str, place: int) -> str | None:
    _, values, size = _FIELDS[place]
    named = _values_of(term, place)
    if named is None:
        return f"cannot be read.{_hint(term)} It can be {values}."
    span, _, step = term.partition("/")
    if step and int(step) > size:
        advice = f' For times that do not fit into an hour, use an interval: every="{step}m".' if place == 0 else ""
        return f"steps further than its {size} values.{advice}"
    if step and "-" in span and len(_values_of(span, place) or ()) == 1:
        return "steps through a single value."  # cron programs differ in what they make of it
    return None


def _values_of(term: str, place: int) -> Collection[object] | None:
    """What one term of a field names; None if it cannot be read."""
    fields = ["*"] * len(_FIELDS)
    fields[place] = term
    try:
        sim = CronSim(" ".join(fields), _PROBED_FROM)
    except (CronSimError, ValueError):
        return None
    return (sim.minutes, sim.hours, sim.days, sim.months, sim.weekdays)[place]


def _hint(term: str) -> str:
    if "?" in term:
        return " Write * for any."
    if re.fullmatch(r"\w+-\w+(/\d+)?", term):
        return " A range rises; one that goes around is two: fri-sat,sun-mon."
    return ""


def _sim_of(text: str, fields: str) -> CronSim:
    """Refuses what can be read, but names no time at all, such as 30 February."""
    try:
        sim = CronSim(fields, _PROBED_FROM)
        if next(CronSim(fields, _PROBED_FROM), None) is not None:
            return sim
    except CronSimError:
        pass
    raise UsageError(f"cron {shown(text)}: there is no such day, in 50 years. {_EXAMPLE}")
