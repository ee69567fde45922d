"""What runs consume, added up in the transaction that writes it: an entry counts once, whoever repeats it, and whatever becomes
of its run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from relet.clock import DAY
from relet.job.costs import HOUR, ONE, STEPS, Spent, label_of, model_of, start_of, tenant_of, total_of, unit_of
from relet.job.job import Options, decode_options
from relet.store.budgets import charge, forget_uses
from relet.store.cost_rows import CostFilter, CostRow
from relet.store.link import Link, Row, Tx
from relet.store.records import LimitPause, Usage

KEPT = ((HOUR, 35 * DAY), (DAY, 400 * DAY))
"""How long sums of hours and of days are kept."""

_MOST_AT_ONCE = 10**17 * ONE


def write_spend(tx: Tx, entries: Sequence[Usage]) -> list[LimitPause]:
    """Add up entries that have just been written, and take them from budgets; returns the pauses of limits that follow."""
    if not entries:
        return []
    jobs = {row[0]: row[1:] for row in tx.each("spend_job", [{"job_id": each} for each in {e.job_id for e in entries}])}
    sums: dict[Spent, int] = defaultdict(int)
    for entry in entries:
        total = total_of(entry.amount)
        if total is not None and entry.job_id in jobs:
            sums[_spent(entry, jobs[entry.job_id])] += total
    if not sums:
        return []
    now = next(iter(jobs.values()))[-1]
    rows = [_addition(spent, sums[spent], start_of(now, step), step) for step in STEPS for spent in sorted(sums)]
    tx.many("spend_add", rows)
    return charge(tx, sums, now)


def _spent(entry: Usage, job: Row) -> Spent:
    queue, task, options, _ = job
    model, tenant = model_of(entry.details), tenant_of(_readable(options))
    return Spent(queue, task, model, tenant, label_of(entry.kind), label_of(unit_of(entry.kind, entry.unit)))


def _readable(options: str | None) -> Options:
    """The row may hold anything; what was consumed is added up all the same."""
    try:
        return decode_options(options)
    except ValueError:
        return Options()


def _addition(spent: Spent, total: int, at: int, step_us: int) -> dict[str, object]:
    whole, part = divmod(min(total, _MOST_AT_ONCE), ONE)
    return {**spent._asdict(), "step_us": step_us, "at": at, "whole": whole, "part": part}


def forget_spending(tx: Tx) -> None:
    """Remove sums of long ago."""
    for step_us, older_us in KEPT:
        tx.run("spend_prune", step_us=step_us, older_us=older_us)
    forget_uses(tx)


class CostReading:
    """What people see of sums."""

    _link: Link

    def spent(self, wanted: CostFilter) -> list[CostRow]:
        with self._link.read() as tx:
            return [_row(row) for row in tx.all("insight_spent", **_conditions(wanted))]


def _conditions(wanted: CostFilter) -> dict[str, object]:
    grouped = {f"by_{name}": int(name in wanted.by) for name in ("at", "queue", "task", "model", "tenant", "kind")}
    named = {"queue": wanted.queue, "task": wanted.task, "model": wanted.model, "tenant": wanted.tenant}
    span = {"step_us": wanted.step_us, "least_at": wanted.since, "before_at": wanted.until, "limit": wanted.limit}
    return {**grouped, **named, **span}


def _row(row: Row) -> CostRow:
    *keys, whole, millionths, rest = row
    return CostRow(*keys, total=whole * ONE + millionths * 1_000_000 + rest)
