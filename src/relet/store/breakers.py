"""Circuit breakers: told of what runs come to, asked for probes, steered by people.

A verb holds the breaker's row from reading it to the commit, and `relet.job.breaker` says what becomes of it: so reports count
in the order of their commits, and of two that ask for the last probe one gets it. What changes nothing writes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from relet.clock import SECOND, Clock
from relet.job.breaker import (
    AUTOMATIC,
    QUEUE,
    TASK,
    Rule,
    Status,
    closed,
    decode_buckets,
    decode_rule,
    encode_buckets,
    encode_rule,
    forced,
    hear,
    judge,
    queue_breaker,
    task_breaker,
)
from relet.job.job import Claim
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.link import Link, Row, Tx
from relet.store.records import LimitedQueue, Probed, Report, Turned, Want
from relet.store.rows import BreakerRow

AT_ONCE = 500
"""So many jobs are brought back as a breaker closes, in the same transaction; the rest by the chore that makes jobs ready."""

SOON_US = SECOND
"""When they come back: by then, all processes know that it has closed. So no job goes round and round that meets one which does
not know, or one which has heard of failures that the store has not."""


class Breakers(ABC):
    """The verbs of breakers, over any link."""

    _link: Link
    real: Clock

    def declare_breakers(self, rules: Mapping[str, Rule], by: str) -> int:
        return sum(self._declare_breaker(name, rules[name], by) for name in sorted(rules))

    @repeated
    def _declare_breaker(self, name: str, rule: Rule, by: str) -> bool:
        """Most of the time it is as it should be, and nothing is written."""
        with self._link.read() as tx:
            found = tx.all("breaker_look", breaker=name)
        if found and _row(found[0]).rule == rule:
            return False
        with self._link.write() as tx:
            text = encode_rule(rule)
            if tx.run("breaker_new", breaker=name, rule=text, by=storable(by)):
                return True
            return tx.run("breaker_rule", breaker=name, rule=text) > 0

    @repeated
    def report_outcomes(self, reports: Sequence[Report]) -> tuple[BreakerRow, ...]:
        rows: list[BreakerRow] = []
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            for report in sorted(reports, key=lambda each: each.breaker):
                before = _held(tx, report.breaker)
                if before is not None:
                    rows.append(_heard(tx, before, report, now))
        return tuple(rows)

    def claim_probe(self, session_id: bytes, want: Want, breakers: Collection[str]) -> Probed:
        with self._link.write() as tx:
            held = tx.all("session_hold", session_id=session_id)
            now = int(held[0][1] if held else tx.all("session_now")[0][0])
            live = bool(held and held[0][0])
            rows = [row for name in sorted(breakers) if (row := _held(tx, name)) is not None]
            rooms = {row.name: _room(tx, row, now) for row in rows}
            narrowed = _within(want, {name for name in breakers if not rooms.get(name)})
            claims: tuple[Claim, ...] = ()
            limited: tuple[LimitedQueue, ...] = ()
            if live and narrowed.lanes and narrowed.tasks:
                claims, limited = self._claim(tx, session_id, replace(narrowed, limit=1), now)
            for claim in claims:
                for name in {task_breaker(claim.task), queue_breaker(claim.queue)} & rooms.keys():
                    _send(tx, name, claim.job_id, claim.epoch, session_id, None)
            return Probed(Turned(live, now, (), claims, limited), tuple(rows))

    @abstractmethod
    def _claim(
        self, tx: Tx, session_id: bytes, want: Want, now: int
    ) -> tuple[tuple[Claim, ...], tuple[LimitedQueue, ...]]:
        """Take what is wanted."""

    @repeated
    def ask_probe(self, breaker: str, token: bytes, for_us: int) -> tuple[bool, BreakerRow | None]:
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            row = _held(tx, breaker)
            if row is None:
                return False, None
            granted = _room(tx, row, now) > 0
            if granted:
                _send(tx, breaker, token, 0, None, for_us)
            return granted, row

    @repeated
    def return_probe(self, breaker: str, token: bytes) -> None:
        with self._link.write() as tx:
            tx.run("probe_over", breaker=breaker, token=token, epoch=0)

    @repeated
    def open_breaker(self, breaker: str, by: str, reason: str, probe_at: int | None = None) -> BreakerRow | None:
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            row = _held(tx, breaker)
            return None if row is None else _write(tx, row, forced(row.status, now, probe_at, reason), by, now)

    @repeated
    def close_breaker(self, breaker: str, by: str, *, forget: bool = False) -> BreakerRow | None:
        with self._link.write() as tx:
            now = int(tx.all("session_now")[0][0])
            row = _held(tx, breaker)
            return None if row is None else _write(tx, row, Status() if forget else closed(row.status), by, now)


class BreakerReading:
    """What people and workers see of breakers."""

    _link: Link

    def breakers(self) -> list[BreakerRow]:
        with self._link.read() as tx:
            return [_with_probes(tx, _row(row)) for row in tx.all("breaker_all")]

    def breaker(self, breaker: str) -> BreakerRow | None:
        with self._link.read() as tx:
            return one(tx, breaker)


def one(tx: Tx, breaker: str) -> BreakerRow | None:
    """One of them, in an open transaction."""
    found = tx.all("breaker_look", breaker=breaker)
    return _with_probes(tx, _row(found[0])) if found else None


def tripped(tx: Tx) -> tuple[BreakerRow, ...]:
    """Those that are not closed."""
    return tuple([_row(row) for row in tx.all("breaker_tripped")])


def bring_back(tx: Tx, limit: int) -> None:
    """Let jobs that were put off by breakers which are closed come back soon: at most `limit`."""
    tx.run("breaker_wake", soon_us=SOON_US, limit=limit)


def _with_probes(tx: Tx, row: BreakerRow) -> BreakerRow:
    return row if row.status.opened_at is None else row._replace(out=_out(tx, row.name))


def _out(tx: Tx, breaker: str) -> int:
    return int(tx.all("probe_out", breaker=breaker)[0][0])


def _held(tx: Tx, breaker: str) -> BreakerRow | None:
    """The row, which nobody else changes until the commit."""
    found = tx.all("breaker_hold", breaker=breaker)
    return _row(found[0]) if found else None


def _row(row: Row) -> BreakerRow:
    name, rule, failures, buckets, opened_at, probe_at, proved, trips, because, error, *changed = row
    status = Status(failures, decode_buckets(buckets), opened_at, probe_at, proved, trips, because, error)
    return BreakerRow(name, decode_rule(rule), status, *changed)


def _heard(tx: Tx, before: BreakerRow, report: Report, now: int) -> BreakerRow:
    status = before.status
    for verdict in report.verdicts:
        probe = {"breaker": before.name, "token": verdict.token, "epoch": verdict.epoch}
        if tx.all("probe_is_out", **probe):
            status = judge(before.rule, status, verdict.passed, now, report.error)
            tx.run("probe_over", **probe)
    if before.status.opened_at is None:
        status = hear(before.rule, status, report.outcomes, now, report.error)
    return before if status == before.status else _write(tx, before, status, AUTOMATIC, now)


def _write(tx: Tx, before: BreakerRow, status: Status, by: str, now: int) -> BreakerRow:
    """Who and when is written where it opens or closes; what is counted has no author."""
    turned = (status.opened_at, status.trips) != (before.status.opened_at, before.status.trips) or by != AUTOMATIC
    who, at = (storable(by), now) if turned else (before.changed_by, before.changed_at)
    tx.run(
        "breaker_write",
        **{**status._asdict(), "buckets": encode_buckets(status.buckets)},
        breaker=before.name,
        by=who,
        changed_at=at,
    )
    if status.opened_at is None and before.status.opened_at is not None:
        tx.run("probe_clear", breaker=before.name)
        bring_back(tx, AT_ONCE)
    return before._replace(status=status, changed_by=who, changed_at=at, revision=before.revision + 1)


def _room(tx: Tx, row: BreakerRow, now: int) -> int:
    """How many more probes of it may go out."""
    if row.status.room(row.rule, 0, now) == 0:
        return 0
    return row.status.room(row.rule, _out(tx, row.name), now)


def _send(tx: Tx, breaker: str, token: bytes, epoch: int, session_id: bytes | None, for_us: int | None) -> None:
    tx.run("probe_sweep", breaker=breaker)
    tx.run("probe_add", breaker=breaker, token=token, epoch=epoch, session_id=session_id, for_us=for_us)


def _within(want: Want, full: Collection[str]) -> Want:
    """What is wanted, without that of which no probe may go out."""
    tasks = {name.removeprefix(TASK) for name in full if name.startswith(TASK)}
    queues = {name.removeprefix(QUEUE) for name in full if name.startswith(QUEUE)}
    lanes = tuple([lane for lane in want.lanes if lane.queue not in queues])
    return replace(want, lanes=lanes, tasks=tuple([task for task in want.tasks if task not in tasks]))
