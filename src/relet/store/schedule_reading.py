"""Schedules as they are read: by people, and by whoever looks at them or changes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from relet.errors import UsageError
from relet.job.firing import MADE_UP, Progress
from relet.job.schedule import Kind, Mode, Schedule
from relet.store.link import Link, Row, Tx
from relet.store.page import ANY_TEXT, page_size
from relet.store.rows import FiringRow, ScheduleCounts, ScheduleRow

LATEST_AT = 2**62


class ScheduleReading:
    """Schedules as people see them."""

    _link: Link

    def schedules(self, kind: str = "") -> list[ScheduleRow]:
        with self._link.read() as tx:
            return in_full(tx, rows_of(tx.all("schedule_rows", schedule=ANY_TEXT, kind=kind)))

    def schedule(self, schedule: str) -> ScheduleRow | None:
        with self._link.read() as tx:
            return one(tx, schedule)

    def schedule_counts(self, broken: int = 10) -> ScheduleCounts:
        with self._link.read() as tx:
            total, disabled, paused, waiting = map(int, tx.all("schedule_counts")[0])
            found = tx.all("schedule_broken", limit=broken) if disabled else ()
        listed = tuple((kind, name, reason or "") for kind, name, reason in found)
        return ScheduleCounts(total, disabled, paused, waiting, listed)

    def firings(self, schedule: str, before: int | None = None, limit: int = 50) -> list[FiringRow]:
        older = LATEST_AT if before is None else before
        with self._link.read() as tx:
            found = tx.all("firing_page", schedule=schedule, older_at=older, limit=page_size(limit))
            return [FiringRow(*row) for row in found]


def one(tx: Tx, name: str) -> ScheduleRow | None:
    """One schedule, with its runs and what it waits for."""
    found = in_full(tx, bare(tx, [name]))
    return found[0] if found else None


def bare(tx: Tx, names: Iterable[str]) -> list[ScheduleRow]:
    """The rows of these schedules, without what other rows tell of them."""
    wanted = [{"schedule": name, "kind": ANY_TEXT} for name in names if name]
    return rows_of(tx.each("schedule_rows", wanted)) if wanted else []


def in_full(tx: Tx, rows: Sequence[ScheduleRow]) -> list[ScheduleRow]:
    """With their runs that have not ended, and what they wait for."""
    live: dict[str, list[bytes]] = {row.definition.name: [] for row in rows}
    running: dict[str, list[bytes]] = {name: [] for name in live}
    making_up: Counter[str] = Counter()
    for name, job_id, cause, runs in tx.each("firing_open", [{"schedule": name} for name in live]) if live else ():
        live[name].append(job_id)
        running[name] += [job_id] if runs else []
        making_up[name] += cause.startswith(MADE_UP)
    done = successes(tx, {name for row in rows for name in row.definition.depends_on})
    return [
        row._replace(
            live=tuple(live[row.definition.name]),
            running=tuple(running[row.definition.name]),
            making_up=making_up[row.definition.name],
            unmet=unmet(row.definition, row.seen, done),
        )
        for row in rows
    ]


def successes(tx: Tx, names: Iterable[str]) -> dict[str, int]:
    """How often these schedules have succeeded."""
    wanted = [{"schedule": name} for name in sorted(names)]
    return {name: int(count) for name, count in tx.each("schedule_successes", wanted)} if wanted else {}


def unmet(schedule: Schedule, seen: Mapping[str, int], done: Mapping[str, int]) -> tuple[str, ...]:
    """What it depends on that has not succeeded since it was fired last."""
    return tuple(name for name in schedule.depends_on if done.get(name, 0) <= seen.get(name, 0))


def seen_now(schedule: Schedule, done: Mapping[str, int]) -> str:
    """What it has seen of them when it is fired now."""
    return msgspec.json.encode({name: done[name] for name in schedule.depends_on if name in done}).decode()


def definition_of(text: str) -> Schedule:
    """The definition that is kept as this text. Raises UsageError for one that a later version wrote."""
    try:
        return msgspec.json.decode(text, type=Schedule)
    except msgspec.MsgspecError as error:
        raise UsageError(f"A schedule of the store cannot be read (is it of a later version?): {error}") from None


def rows_of(rows: Iterable[Row]) -> list[ScheduleRow]:
    """Rows as the statement gives them."""
    return [_row(row) for row in rows]


def _row(row: Row) -> ScheduleRow:
    name, kind, text, *steered = row
    before, (settled, next_at, pending_at, previous_at, missed, seen), after = steered[:9], steered[9:15], steered[15:]
    progress = Progress(settled, next_at, pending_at, previous_at, int(missed))
    unreadable = ""
    try:
        definition = definition_of(text)
    except UsageError as error:
        definition, unreadable = _stand_in(name, kind), str(error)
    fields = (definition, *before, progress, msgspec.json.decode(seen), *after, (), (), unreadable, 0, ())
    return ScheduleRow._make(fields)


def _stand_in(name: str, kind: str) -> Schedule:
    known = Kind(kind) if kind in set(Kind) else Kind.SCHEDULE
    return Schedule(name=name, kind=known, mode=Mode.TRIGGERED, task="")
