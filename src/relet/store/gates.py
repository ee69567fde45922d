"""Gates: jobs that stand before limits by name and key are let in, and those that leave give their place to the next.

A script without I/O, the last part of an `aftermath`. Everything is decided at once for all jobs and gates of a transaction,
so that gates are locked in one go, in the order of their names and keys: after pointers, before nothing. Rules come first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from relet.job.gates import FOREVER, Comer, Decision, Gate, GateKey, asked_in_order, decide, place_of, weight
from relet.job.job import Flag
from relet.job.limits import STEPS, Rule, Tally, decode_rates, implied
from relet.store.link import Row
from relet.store.options import options_of
from relet.store.records import LimitPause
from relet.store.script import Step, Steps
from relet.store.shares import newly_shared

_FAIR = int(Flag.FAIR)
LOOK = 100
"""So many of one line are looked at in one transaction. What is left is looked at in the next one."""
SPARE = 3
"""So many more than have left: some may have been put off, or stand before another gate as well."""


class Left(NamedTuple):
    """A slot that is free."""

    key: GateKey
    units: int
    started_at: int | None


class _Rule(NamedTuple):
    rule: Rule
    paused_until: int | None = None


class Passed(NamedTuple):
    """Who was let in."""

    queues: Counter[str]
    """How many, by their queues."""
    fair: list[bytes]
    """Those with shares: they have yet to get a place."""


def pass_gates(
    newcomers: Sequence[bytes], left: Sequence[bytes], due: Iterable[Row] = (), pauses: Sequence[LimitPause] = ()
) -> Steps[Passed]:
    """Let in whom there is room for.

    `newcomers` wait, held by the caller, for nothing but their gates; `left` are no longer ready, do not run, or have left a
    line; the lines of `due` gates are looked at besides. `pauses` hold from now on: for whoever stands behind those that left."""
    look = dict.fromkeys(due, LOOK)
    if not (newcomers or left or look or pauses):
        return Passed(Counter(), [])
    freed, comers = (yield from _free(sorted(left))), (yield from _comers(sorted(newcomers)))
    for key, count in Counter(slot.key for slot in freed).items():
        look[key] = max(min(count + SPARE, LOOK), look.get(key, 0))
    seen = yield from _lines(look)
    keys = sorted({*look, *(key for comer in (*comers, *seen) for key in _keys(comer))})
    paused = {(pause.limit_name, pause.key) for pause in pauses}
    if not (keys or paused):
        return (yield from _write(decide(comers, {})))
    rules = yield from _rules({name for name, _ in keys})
    held = yield from _hold(sorted({*keys, *paused}))
    if paused:
        yield Step("note_limit_pause", [pause._asdict() for pause in sorted(pauses, key=lambda pause: pause[:2])])
        held = yield from _hold(keys)
    now = int((yield Step("session_now", [{}], fetch=True))[0][0])
    yield from _keep_tallies([slot for slot in freed if slot.started_at is not None], rules, now)
    gates = yield from _count(held, rules, now)
    lined = yield from _line_up(gates, look)
    decision = decide([*comers, *lined], gates)
    passed = yield from _write(decision)
    yield from _set_clocks(gates, held)
    return passed


def leave_for_later(newcomers: Sequence[bytes], left: Sequence[bytes]) -> Steps[Passed]:
    """As `pass_gates`, but no gate is locked: `newcomers` are tied again, and slots of those that `left` are marked."""
    for name, job_ids in (("tie_again", newcomers), ("slot_leave", left)):
        if job_ids:
            yield Step(name, [{"job_id": job_id} for job_id in sorted(job_ids)])
    return Passed(Counter(), [])


def free_marked(marked: Sequence[Row]) -> Steps[None]:
    """Free these slots (limit, key, job) that were left for later, unless their jobs have passed again."""
    yield from hold_gates((name, key) for name, key, _ in marked)
    rows = [{"job_id": job_id} for job_id in sorted({job_id for *_, job_id in marked})]
    still = yield Step("slot_marked", rows, fetch=True)
    yield from pass_gates((), sorted({job_id for (job_id,) in still}))


def hold_gates(keys: Iterable[GateKey]) -> Steps[None]:
    """Nobody passes these until the commit."""
    ordered = sorted(set(keys))
    yield from _rules({name for name, _ in ordered})
    yield from _hold(ordered)


def _free(left: Sequence[bytes]) -> Steps[list[Left]]:
    """The slots of these jobs; for those that had none, the gates in whose line they may have stood."""
    if not left:
        return []
    rows = yield Step("slot_free", [{"job_id": job_id} for job_id in left], fetch=True)
    freed = [Left((name, key), units, started_at) for name, key, units, started_at, _ in rows]
    others = sorted(set(left) - {row[4] for row in rows})
    if others:
        for _, options in (yield Step("job_options", [{"job_id": job_id} for job_id in others], fetch=True)):
            freed += [Left((name, key), 0, None) for name, key, _ in options_of(options).gates]
    return freed


def _comers(newcomers: Sequence[bytes]) -> Steps[list[Comer]]:
    if not newcomers:
        return []
    rows = yield Step("gate_comers", [{"job_id": job_id} for job_id in newcomers], fetch=True)
    return [_comer(row) for row in rows]


def _comer(row: Row) -> Comer:
    job_id, queue, rank, at_or_since, epoch, flags, due, options, name, key = row
    asked = asked_in_order(options_of(options).gates)
    if name is None:
        return Comer((place_of(rank, at_or_since), job_id), queue, asked, epoch, bool(flags & _FAIR), bool(due))
    return Comer((at_or_since, job_id), queue, asked, epoch, bool(flags & _FAIR), bool(due), (name, key))


def _keys(comer: Comer) -> list[GateKey]:
    return [(name, key) for name, key, _ in comer.asked]


def _named(keys: Iterable[GateKey]) -> list[dict[str, Any]]:
    return [{"limit_name": name, "key": key} for name, key in keys]


def _lines(look: Mapping[GateKey, int]) -> Steps[list[Comer]]:
    """The first of these lines, and one more of each, who is only looked at."""
    if not look:
        return []
    rows = [{"limit_name": name, "key": key, "most": look[name, key] + 1} for name, key in sorted(look)]
    return [_comer(row) for row in (yield Step("gate_line", rows, fetch=True))]


def _rules(names: Collection[str]) -> Steps[dict[str, _Rule]]:
    if not names:
        return {}
    rows = yield Step("gate_rules", [{"rule": name} for name in sorted(names)], fetch=True)
    known = {name for name, *_ in rows}
    found = {name: _Rule(rule) for name in names if (rule := implied(name)) is not None}
    unknown = [{"rule": name, "until_at": FOREVER} for name in sorted(set(names) - known - found.keys())]
    if unknown:  # a row to be held, so that whoever says now what it is finds us in line
        yield Step("gate_unknown", unknown)
        rows += yield Step("gate_rules", unknown, fetch=True)
    for name, concurrency, per_worker, rates, paused_until in rows:
        found[name] = _Rule(Rule(concurrency, per_worker, decode_rates(rates)), paused_until)
    return found


Held = dict[GateKey, tuple[int | None, int | None]]
"""Gates that are locked: until when each is paused, and when its line was to be looked at."""


def _hold(keys: Sequence[GateKey]) -> Steps[Held]:
    held: Held = {}
    missing = list(keys)
    while missing:  # made now, or forgotten since we looked
        for name, key, paused_until, line_at in (yield Step("gate_lock", _named(missing), fetch=True)):
            held[name, key] = (paused_until, line_at)
        missing = [key for key in keys if key not in held]
        if missing:
            yield Step("gate_new", _named(missing))
    return held


def _keep_tallies(slots: Sequence[Left], rules: Mapping[str, _Rule], now: int) -> Steps[None]:
    """What has started counts on in its windows when its slot is gone."""
    units: Counter[tuple[str, str, int, int]] = Counter()
    for (name, key), weighs, started_at in slots:
        for rate in rules[name].rule.rates:
            if started_at is not None and now - started_at <= 2 * rate.window_us:
                units[name, key, rate.window_us, rate.step(started_at)] += weight(rate, weighs)
    if not units:
        return
    names = ("limit_name", "key", "window_us", "step")
    yield Step("tally_keep", [dict(zip(names, of, strict=True)) | {"units": units[of]} for of in sorted(units)])
    windows = sorted({of[:3] for of in units})
    spans = [(now * STEPS // window_us) for _, _, window_us in windows]
    yield Step(
        "tally_old",
        [
            dict(zip(names, of, strict=False)) | {"first_step": step - STEPS, "last_step": step + STEPS}
            for of, step in zip(windows, spans, strict=True)
        ],
    )


def _count(held: Held, rules: Mapping[str, _Rule], now: int) -> Steps[dict[GateKey, Gate]]:
    """What is used of each gate. What has passed and not started yet counts as if it started now."""
    keys = sorted(held)
    rated = [key for key in keys if rules[key[0]].rule.rates]
    counted = [key for key in keys if rules[key[0]].rule.concurrency is not None]
    slots: dict[GateKey, int] = {}
    if counted:
        slots = {(name, key): count for name, key, count in (yield Step("gate_slots", _named(counted), fetch=True))}
    tallies: dict[GateKey, list[Tally]] = defaultdict(list)
    if rated:
        for name, key, *tally in (yield Step("gate_tallies", _named(rated), fetch=True)):
            tallies[name, key].append(Tally(*tally))
        for name, key, units, started_at in (yield Step("gate_starts", _named(rated), fetch=True)):
            tallies[name, key] += started(rules[name].rule, units, started_at, now)
    gates: dict[GateKey, Gate] = {}
    for key in keys:
        rule, paused_until = rules[key[0]]
        until = max((at for at in (paused_until, held[key][0]) if at is not None), default=None)
        gates[key] = Gate(key, rule, now, until, slots.get(key, 0), tallies[key])
    return gates


def started(rule: Rule, units: int, at: int | None, now: int) -> list[Tally]:
    """What one that has passed counts in the rates; None: it has not started."""
    return [Tally(rate.window_us, rate.step(now if at is None else at), weight(rate, units)) for rate in rule.rates]


def _line_up(gates: Mapping[GateKey, Gate], look: Mapping[GateKey, int]) -> Steps[list[Comer]]:
    """Those in line that may be let in now, held; the first one behind them is noted at its gate."""
    lines: dict[GateKey, list[Comer]] = defaultdict(list)
    for comer in (yield from _lines({key: look.get(key, 0) for key in gates})):
        if comer.at is not None:
            lines[comer.at].append(comer)
    wanted: list[Comer] = []
    for key, line in lines.items():
        most = look.get(key, 0)
        wanted += line[:most]
        gates[key].behind = line[most] if len(line) > most else None
    if not wanted:
        return []
    ids = sorted(comer.job_id for comer in wanted)
    free = {job_id for (job_id,) in (yield Step("line_lock", [{"job_id": job_id} for job_id in ids], fetch=True))}
    for comer in wanted:
        if comer.at is not None and comer.job_id not in free:
            gates[comer.at].busy = True
    return [comer for comer in wanted if comer.job_id in free]


def _write(decision: Decision) -> Steps[Passed]:
    if decision.passed:
        slots = [
            {"limit_name": name, "key": key, "job_id": comer.job_id, "units": units, "epoch": comer.epoch}
            for comer in decision.passed
            for name, key, units in comer.asked
        ]
        if slots:
            yield Step("slot_take", slots)
    fair = {comer.job_id for comer in decision.passed if comer.fair}
    fair |= yield from newly_shared(comer.job_id for comer in decision.passed if not comer.fair)
    plain = [comer for comer in decision.passed if comer.job_id not in fair]
    for name, gone in (("free_put_off", decision.put_off), ("free_ready", plain)):
        if gone:
            rows = [{"job_id": comer.job_id} for comer in gone]
            yield Step(name, rows)
            yield Step("free_waiting", rows)
    if decision.lined:
        yield Step(
            "line_stand",
            [
                {"job_id": comer.job_id, "limit_name": name, "key": key, "line_place": comer.order[0]}
                for comer, (name, key) in sorted(decision.lined, key=lambda lined: lined[0].job_id)
            ],
        )
    queues = Counter(comer.queue for comer in decision.passed)
    return Passed(queues, sorted(fair))


def _set_clocks(gates: Mapping[GateKey, Gate], held: Held) -> Steps[None]:
    rows = [
        {"limit_name": name, "key": key, "line_at": -1 if gate.next_at is None else gate.next_at}
        for (name, key), gate in sorted(gates.items())
        if gate.next_at != held[name, key][1]
    ]
    if rows:
        yield Step("gate_next", rows)
