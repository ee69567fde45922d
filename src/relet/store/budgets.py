"""Budgets: counted in the transaction that writes what was spent, which also closes what it uses up. Steered and seen.

What is used of a budget is locked by whoever spends from it until the commit, in the order of names and keys: so of two turns
that reach the end of it at the same moment, one is the first, and it closes. The budgets themselves are locked before: turns
beside each other, and who steers them alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from relet.clock import DAY, Clock
from relet.job.budget import Rule, Use, by_budget, decode_rule, encode_rule, spend
from relet.job.costs import ONE, Spent, decimal_of
from relet.job.money import money_text
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.cost_rows import BudgetNews, BudgetRow, UseRow
from relet.store.limits import CODE, PERSON
from relet.store.link import Link, Row, Tx
from relet.store.page import page_size
from relet.store.records import LimitPause

KEPT_US = 35 * DAY
"""How long the use of a window that is over is kept, where nothing was spent since."""


def charge(tx: Tx, sums: Mapping[Spent, int], now: int) -> list[LimitPause]:
    """Take what was spent from the budgets that it is of, and close what is used up; returns the pauses of limits, which are
    to be written where those are locked."""
    if not sums:
        return []
    known = {name: decode_rule(rule) for name, rule in tx.all("budget_rules")}
    concerned = sorted(name for name, rule in known.items() if any(map(rule.counts, sums)))
    rules = dict(map(_ruled, tx.each("budget_keep", [{"budget": name} for name in concerned]))) if concerned else {}
    amounts: dict[tuple[str, str], int] = defaultdict(int)
    for name, rule in rules.items():
        for spent, total in sums.items():
            if rule.counts(spent):
                amounts[name, rule.key_of(spent)] += total
    closed: list[tuple[str, str, Use]] = []
    for name, key in sorted(amounts):
        before = _held(tx, name, key)
        after = spend(rules[name], before, amounts[name, key], now)
        warned, gone = _newly(before, after)
        _write(tx, name, key, after, 2 if gone else 1 if warned else None)
        if gone:
            closed.append((name, key, after))
    return [pause for name, key, use in closed for pause in _close(tx, name, key, rules[name], use)]


def _ruled(row: Row) -> tuple[str, Rule]:
    name, rule = row
    return name, decode_rule(rule)


def _newly(before: Use | None, after: Use) -> tuple[bool, bool]:
    """Whether somebody is to be warned now, and whether it is used up now."""
    known = before if before is not None and before.began_at == after.began_at else Use(0, 0)
    warned = after.warned_at is not None and known.warned_at is None
    return warned, after.closed and known.exceeded_at is None


def _held(tx: Tx, name: str, key: str) -> Use | None:
    tx.run("budget_new", budget=name, key=key)
    return _use(tx.all("budget_used", budget=name, key=key)[0])


def _use(row: Row) -> Use:
    began_at, until_at, whole, part, *told = row
    return Use(began_at, until_at, whole * ONE + part, *told)


def _write(tx: Tx, name: str, key: str, use: Use, untold: int | None = None) -> None:
    whole, part = divmod(use.total, ONE)
    fields = use._asdict() | {"whole": min(whole, 2**62), "part": part}
    del fields["total"]
    tx.run("budget_write", budget=name, key=key, untold=untold, **fields)


def _close(tx: Tx, name: str, key: str, rule: Rule, use: Use) -> list[LimitPause]:
    """Until the window ends."""
    said = money_text(decimal_of(use.total), rule.unit)
    reason = f"{said} of {rule} are spent; lift it: relet budgets lift {name}"
    shut = "budget_shut" if rule.on_exceeded == "pause" else "budget_refuse"
    for queue in sorted(rule.closes):
        tx.run(shut, queue=queue, by=storable(by_budget(name)), reason=storable(reason), until_at=use.until_at)
    return _pauses(rule, key, use.until_at)


def _pauses(rule: Rule, key: str, until_at: int) -> list[LimitPause]:
    return [LimitPause(rule.limit, key, 0, until_at)] if rule.limit else []


def forget_uses(tx: Tx) -> None:
    """Remove what was used long ago."""
    tx.run("budget_prune", older_us=KEPT_US)


class Budgets(ABC):
    """The verbs of budgets, over any link."""

    _link: Link
    real: Clock

    def declare_budgets(self, rules: Mapping[str, Rule], by: str) -> int:
        return sum(self._declare_budget(name, rules[name], by) for name in sorted(rules))

    def _declare_budget(self, name: str, rule: Rule, by: str) -> bool:
        """Most of the time it is as it should be, and nothing is written. What a person has said stands."""
        with self._link.read() as tx:
            if not _behind(tx.all("budget_look", budget=name), rule):
                return False
        self._let_in_again(self._put_budget(name, rule, CODE, by), by)
        return True

    def set_budget(self, budget: str, rule: Rule, by: str) -> None:
        self._let_in_again(self._put_budget(budget, rule, PERSON, by), by)

    @repeated
    def _put_budget(self, name: str, rule: Rule, origin: str, by: str) -> list[LimitPause]:
        with self._link.write() as tx:
            found = _all_held(tx, name)
            if origin == CODE and not _behind(found, rule):
                return []
            tx.run("budget_put", budget=name, rule=encode_rule(rule), origin=origin, by=storable(by))
            if not found:
                return []
            before = decode_rule(found[0][0])
            opened = _open_all(tx, name, before)
            same = (before.unit, before.window, before.per) == (rule.unit, rule.window, rule.per)
            tx.run("budget_again" if same else "budget_unuse", budget=name)
            return opened

    def forget_budget(self, budget: str) -> bool:
        found, opened = self._forget_budget(budget)
        self._let_in_again(opened, "")
        return found

    @repeated
    def _forget_budget(self, name: str) -> tuple[bool, list[LimitPause]]:
        with self._link.write() as tx:
            found = _all_held(tx, name)
            if not found:
                return False, []
            opened = _open_all(tx, name, decode_rule(found[0][0]))
            tx.run("budget_unuse", budget=name)
            tx.run("budget_forget", budget=name)
            return True, opened

    def lift_budget(self, budget: str, key: str, by: str) -> bool:
        opened = self._lift_budget(budget, key)
        self._let_in_again(opened or (), by)
        return opened is not None

    @repeated
    def _lift_budget(self, name: str, key: str) -> list[LimitPause] | None:
        with self._link.write() as tx:
            found = _all_held(tx, name)
            now = int(tx.all("session_now")[0][0])
            use = _held(tx, name, key) if found else None
            if use is None or not use.closed or use.until_at <= now:
                return None
            rule = decode_rule(found[0][0])
            _write(tx, name, key, use._replace(lifted_at=now))
            _open(tx, name, rule.closes)
            return _pauses(rule, key, use.until_at)

    @repeated
    def tell_budgets(self) -> list[BudgetNews]:
        with self._link.read() as tx:
            if not tx.all("budget_rules"):
                return []
        with self._link.write() as tx:
            rules = {name: decode_rule(rule) for name, rule in tx.all("budget_rules")}
            told = tx.all("budget_untold")
        return [BudgetNews(name, key, rules[name], _use(tuple(use))) for name, key, *use in told if name in rules]

    def _let_in_again(self, pauses: Iterable[LimitPause], by: str) -> None:
        for pause in pauses:
            self.resume_limit(pause.limit_name, pause.key, by)

    @abstractmethod
    def resume_limit(self, name: str, key: str | None, by: str) -> bool:
        """See `relet.store.holds.Holds`."""


def _all_held(tx: Tx, name: str) -> list[Row]:
    """The rule and the origin of this one. Nobody spends from any of them, or steers it, until the commit: what is closed by one
    and opened for another must not come in between."""
    return [tuple(said) for each, *said in tx.all("budget_hold") if each == name]


def _open_all(tx: Tx, name: str, rule: Rule) -> list[LimitPause]:
    """Open what it has closed; returns the pauses of limits that are to be ended."""
    _open(tx, name, rule.closes)
    closed = tx.all("budget_closed", budget=name) if rule.limit else []
    return [pause for key, until_at in closed for pause in _pauses(rule, key, until_at)]


def _open(tx: Tx, name: str, queues: Collection[str]) -> None:
    """End what it has closed; what another budget holds, too, is closed by that one from now on."""
    for queue in sorted(queues):
        for verb in ("budget_unshut", "budget_accept"):
            tx.run(verb, queue=queue, by=storable(by_budget(name)))
    for other, text in tx.all("budget_rules"):
        rule = decode_rule(text)
        if other != name and not set(queues).isdisjoint(rule.closes):
            for key, _ in tx.all("budget_closed", budget=other):
                _close(tx, other, key, rule, _use(tx.all("budget_one", budget=other, key=key)[0]))


def _behind(found: Sequence[Row], rule: Rule) -> bool:
    return not found or (found[0][1] == CODE and decode_rule(found[0][0]) != rule)


def used_up(tx: Tx, limit: str, key: str) -> list[str]:
    """The budgets that pause this key of a limit."""
    return [name for name, rule in tx.all("budget_of_limit", key=key) if decode_rule(rule).limit == limit]


class BudgetReading:
    """What people see of budgets."""

    _link: Link

    def budgets(self) -> list[BudgetRow]:
        with self._link.read() as tx:
            return [BudgetRow(name, decode_rule(rule), *said) for name, rule, *said in tx.all("budget_all")]

    def budget_use(self, budget: str, key: str) -> Use | None:
        with self._link.read() as tx:
            found = tx.all("budget_one", budget=budget, key=key)
            return _use(found[0]) if found else None

    def budget_uses(self, budget: str, after: str | None = None, limit: int = 50) -> list[UseRow]:
        with self._link.read() as tx:
            if after is None:
                rows = tx.all("budget_first", budget=budget, limit=page_size(limit))
            else:
                rows = tx.all("budget_uses", budget=budget, key_behind=after, limit=page_size(limit))
            return [UseRow(key, _use(tuple(use))) for key, *use in rows]
