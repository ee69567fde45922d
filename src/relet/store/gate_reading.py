"""Limits by name and key, as people see them: rules, keys, who has passed, who stands in line."""

from __future__ import annotations

from typing import Any

from relet.job.gates import Gate, GateKey
from relet.job.limits import Rule, Tally, decode_rates, implied
from relet.store.gates import started
from relet.store.limits import NOBODY
from relet.store.link import Link, Row, Tx
from relet.store.page import page_size
from relet.store.rows import GateRow, LimitRow

MOST_COUNTED = 10_000


class GateReading:
    """Limits by name and key. A count is exact below the cap; one that equals it means "at least"."""

    _link: Link

    def limits(self, cap: int = MOST_COUNTED) -> list[LimitRow]:
        with self._link.read() as tx:
            rows = tx.all("insight_limits", cap=cap)
            return [_limit(row) for row in rows]

    def limit_keys(self, name: str, after: str | None = None, limit: int = 50) -> list[GateRow]:
        with self._link.read() as tx:
            keys = [(name, key) for (key,) in tx.all("insight_keys", rule=name, after=after, limit=page_size(limit))]
            return gate_rows(tx, keys)


def gate_rows(tx: Tx, keys: list[GateKey], cap: int = MOST_COUNTED) -> list[GateRow]:
    """What is used of these gates now."""
    now = int(tx.all("session_now")[0][0])
    found: list[GateRow] = []
    for name, key in keys:
        named = {"limit_name": name, "key": key}
        rule, rule_until, declared = _rule(tx, name)
        held = tx.all("insight_gate", **named, cap=cap)[0]
        tallies = _tallies(tx, rule, named, now) if rule.rates else []
        paused_until = max((at for at in (rule_until, held[0]) if at is not None), default=None)
        gate = Gate((name, key), rule, now, paused_until, int(held[1]), tallies)
        found.append(
            GateRow(name, key, rule, gate.slots, int(held[2]), gate.used, gate.opens_at, gate.paused_until, declared)
        )
    return found


def _tallies(tx: Tx, rule: Rule, named: dict[str, Any], now: int) -> list[Tally]:
    found = [Tally(*tally) for _, _, *tally in _each(tx, "gate_tallies", named)]
    for _, _, units, at in _each(tx, "gate_starts", named):
        found += started(rule, units, at, now)
    return found


def _each(tx: Tx, name: str, named: dict[str, Any]) -> list[Row]:
    return tx.each(name, [named])


def _rule(tx: Tx, name: str) -> tuple[Rule, int | None, bool]:
    """The rule, until when it is paused, and whether anybody has said what it is."""
    found = tx.all("limit_seen", rule=name)
    if not found:
        return implied(name) or Rule(), None, True
    concurrency, per_worker, rates, paused_until, origin = found[0]
    return Rule(concurrency, per_worker, decode_rates(rates)), paused_until, origin != NOBODY


def _limit(row: Row) -> LimitRow:
    name, concurrency, per_worker, rates, paused_until, origin, changed_by, changed_at, keys, passed, lined = row
    rule = Rule(concurrency, per_worker, decode_rates(rates))
    return LimitRow(name, rule, paused_until, origin, changed_by, changed_at, int(keys), int(passed), int(lined))
