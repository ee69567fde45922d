"""Limits: made, changed and taken away while workers run, and what is used of those of queues.

A rule is named after what it holds: `queue:NAME` for a queue, the limit's own name for what jobs stand before by name and key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from relet.clock import Clock
from relet.errors import Contended
from relet.job.limits import QUEUE, QueueLimit, Rule, Tally, decode_rates, encode_rates, queue_of, room, rule_name, used
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.link import Link, Row, Tx

CODE, PERSON = "code", "person"
NOBODY = ""
"""Jobs have named a limit by name and key of which nobody has said yet what it is."""


class Limits:
    """The verbs that make limits, over any link."""

    _link: Link
    real: Clock

    @repeated
    def limit_queue(self, queue: str, rule: Rule, by: str, keep: Collection[str] = ()) -> Rule:
        with self._link.write() as tx:
            return change(tx, rule_name(queue), rule, by, keep)

    @repeated
    def forget_queue_limit(self, queue: str) -> bool:
        with self._link.write() as tx:
            name = rule_name(queue)
            tx.all("limit_hold", rule=name)
            for window_us in windows_of(tx, queue):
                tx.run("tally_clear", rule=name, window_us=window_us)
            return tx.run("limit_forget", rule=name) > 0

    def declare_queue_limits(self, rules: Mapping[str, Rule], by: str) -> int:
        return sum(self._declare(rule_name(queue), rules[queue], by) for queue in sorted(rules))

    @repeated
    def _declare(self, name: str, rule: Rule, by: str) -> bool:
        """Most of the time it is as it should be, and nothing is written."""
        with self._link.read() as tx:
            found = tx.all("limit_look", rule=name)
        if found and not _behind(found[0], rule):
            return False
        with self._link.write() as tx:
            before = _begin(tx, name)
            if before is not None and not _behind(before, rule):
                return False
            _put(tx, name, before, rule, CODE, by)
            return True


def _behind(row: Row, rule: Rule) -> bool:
    """Whether nobody made this rule, or code did, and makes another one now. What a person has said stands."""
    return row[4] == NOBODY or (row[4] == CODE and rule_of(row) != rule)


def change(tx: Tx, name: str, rule: Rule, by: str, keep: Collection[str]) -> Rule:
    """What a person says; fields that `keep` names stay as they are."""
    before = _begin(tx, name)
    kept = Rule() if before is None else rule_of(before)
    wanted = rule._replace(**{field: getattr(kept, field) for field in keep})
    _put(tx, name, before, wanted, PERSON, by)
    return wanted


def forget(tx: Tx, name: str, by: str) -> bool:
    """It limits nothing, as if code had said so, until code says something else."""
    before = _begin(tx, name)
    _put(tx, name, before, Rule(), CODE, by)
    return before is not None and bool(before[3])


def _begin(tx: Tx, name: str) -> Row | None:
    """Hold the rule, and before the first one of a queue everybody who may be in the middle of a claim. In this order: a turn
    holds rules first, then writes its claims."""
    held = tx.all("limit_hold", rule=name)
    queue = queue_of(name)
    if queue is None or (held and held[0][3]):
        return held[0] if held else None
    tx.all("limit_freeze")
    if not held and tx.all("limit_look", rule=name):
        raise Contended(
            f"The limit of queue {queue} was changed by somebody else just now. Nothing was written; repeat the call."
        )
    return held[0] if held else None


def _put(tx: Tx, name: str, before: Row | None, rule: Rule, origin: str, by: str) -> None:
    queue = queue_of(name)
    tx.run(
        "limit_put",
        rule=name,
        concurrency=rule.concurrency,
        per_worker=rule.per_worker,
        rates=encode_rates(rule.rates),
        active=int(rule.active),
        origin=origin,
        by=storable(by),
    )
    if queue is None:
        tx.run("gate_wake", rule=name)
        return
    windows = {rate.window_us for rate in rule.rates}
    for window_us in windows_of(tx, queue):
        if window_us not in windows:
            tx.run("tally_clear", rule=name, window_us=window_us)
    if rule.active and not (before is not None and before[3]):
        tx.run("limit_mark", queue=queue)


def rule_of(row: Row) -> Rule:
    """A rule from `concurrency, per_worker, rates, …`."""
    concurrency, per_worker, rates, *_ = row
    return Rule(concurrency, per_worker, decode_rates(rates))


def limits_in(tx: Tx, queue: str = "") -> dict[str, QueueLimit]:
    """The limited queues, or this one if it is, and what is used of their limits."""
    rows = [row for row in tx.all("limit_rules") if row[4] and queue in ("", row[0].removeprefix(QUEUE))]
    now = int(tx.all("session_now")[0][0]) if rows else 0
    return {name: _limit(tx, name, row, now) for row in rows for name in (row[0].removeprefix(QUEUE),)}


def _limit(tx: Tx, queue: str, row: Row, now: int) -> QueueLimit:
    rule = rule_of(row[1:])
    by_session: dict[bytes, int] = dict(tx.all("limit_running", queue=queue))
    running = sum(by_session.values())
    tallies = tallies_of(tx, queue) if rule.rates else []
    spent = tuple(used(rate, tallies, now) for rate in rule.rates)
    return QueueLimit(rule, running, by_session, spent, room(rule, running, 0, tallies, now).next_at, *row[5:])


def tallies_of(tx: Tx, queue: str) -> list[Tally]:
    """What its rates have let start lately."""
    return [Tally(*row) for row in tx.all("limit_tallies", rule=rule_name(queue))]


def windows_of(tx: Tx, queue: str) -> list[int]:
    """The windows of which something is counted."""
    return sorted({tally.window_us for tally in tallies_of(tx, queue)})
