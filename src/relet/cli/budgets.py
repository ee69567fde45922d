"""`relet budgets`: what may be spent in a window: list, show, set, lift and forget budgets."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from relet.budgets import budget_row, changed_rule, present_use
from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, count, near
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import NotFound
from relet.job.money import money_text
from relet.shapes.costs import BudgetOut, budget_out
from relet.shapes.words import ago, clock
from relet.store.cost_rows import BudgetRow
from relet.store.port import Store

KEYS = 20
_NAMES = ("queue", "task", "model", "tenant", "limit", "warn")


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list budgets, and what is spent of them").runs(run_ls)
    show = verbs.add("show", "one budget, with its tenants").runs(run_show)
    show.add_argument("--after", metavar="KEY", help="the page behind this key")
    show.add_argument("--keys", type=count, default=KEYS, metavar="N", help=f"at most N keys ({KEYS})")
    change = verbs.add("set", "change a budget, or make one; what is not given stays as it is").runs(run_set)
    lift = verbs.add("lift", "open what a budget has closed, until its window ends").runs(run_lift)
    lift.add_argument("--key", default="", metavar="KEY", help="the tenant, where each has an amount of its own")
    forget = verbs.add("forget", "end a budget, until a worker starts whose code declares it").runs(run_forget)
    for verb in (show, change, lift, forget):
        verb.add_argument("name", help="name of a budget")
    _configure_set(change)
    for verb in (ls, show, change, lift, forget):
        add_store_flags(verb)
        add_output_flags(verb)


def _configure_set(parser: Parser) -> None:
    parser.add_argument("amount", nargs="?", help='"20 USD/day": an amount for an hour, day, week or month, in UTC')
    for name in ("queue", "task", "model", "tenant"):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"count only what is of this {name}")
    parser.add_argument("--per", choices=("tenant", ""), help="each tenant has an amount of its own")
    parser.add_argument(
        "--closes", action="append", metavar="QUEUE", help="a queue to close; by default that of --queue"
    )
    parser.add_argument("--limit", metavar="NAME", help="pause the key of this limit: the tenant, or the one of all")
    parser.add_argument("--warn", metavar="SHARE", help="warn when so much of it is spent (0.8)")
    parser.add_argument("--on-exceeded", choices=("pause", "reject"), help="pause queues, or refuse new jobs in them")


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [budget_out(row, "", present_use(store, row, "")) for row in store.insights.budgets()]
    out.records("budgets", found, _columns(now), "no worker has declared a budget, and nobody has set one")
    return Exit.OK


def _columns(now: int) -> list[Column]:
    return [
        Column("budget", lambda budget: budget["name"], flexible=True),
        Column("amount", lambda budget: budget["rule"]),
        Column("spent", lambda budget: "see show" if budget["per"] else _spent(budget), right=True),
        Column("state", lambda budget: "" if budget["per"] else budget["state"]),
        Column("ends", lambda budget: ago(budget["until"], now), right=True),
        Column("closes", _closes, flexible=True, spare=True),
    ]


def _spent(budget: BudgetOut) -> str:
    return money_text(Decimal(budget["spent"]), budget["unit"])


def _closes(budget: BudgetOut) -> str:
    words = [f"limit {budget['limit']}"] if budget["limit"] else []
    return ", ".join([*budget["closes"], *words])


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _say(args, out, store)
    return Exit.OK


def _say(args: Namespace, out: Output, store: Store) -> None:
    row, now = _known(store, args.name), store.now()
    uses = store.insights.budget_uses(args.name, getattr(args, "after", None), getattr(args, "keys", KEYS))
    shown: dict[str, Any] = {
        "budget": budget_out(row, "", present_use(store, row, "")),
        "keys": [budget_out(row, each.key, each.use) for each in uses if each.key and each.use.until_at > now],
    }
    out.record(shown, lambda: _shown(out, shown, now))


def _shown(out: Output, shown: dict[str, Any], now: int) -> Iterator[str]:
    budget: BudgetOut = shown["budget"]
    yield f"{out.style.bold(out.plain(budget['name']))}  {budget['rule']}"
    of = [f"{name} {budget[name]}" for name in ("queue", "task", "model", "tenant") if budget[name]]
    here = "" if budget["per"] else f"{_spent(budget)}, {budget['state']}"
    yield from out.facts(
        [
            ("counts", ", ".join(of) or "everything"),
            ("closes", f"{_closes(budget)} ({budget['on_exceeded']})"),
            ("warns at", f"{Decimal(budget['warn']) * 100:f} %"),
            ("spent", here),
            ("ends", f"{clock(budget['until'])} ({ago(budget['until'], now)})"),
            ("changed", f"{clock(budget['changed_at'])} by {budget['changed_by']} ({budget['origin']})"),
        ]
    )
    if shown["keys"]:
        yield out.style.bold("tenants")
        yield from (f"  {out.plain(each['key'])}  {_spent(each)}, {each['state']}" for each in shown["keys"])


def run_set(args: Namespace, out: Output) -> int:
    given = {name: getattr(args, name) for name in (*_NAMES, "per", "closes", "on_exceeded")}
    said = {name: value for name, value in given.items() if value is not None}
    with opened(args, out) as store:
        rule = changed_rule(store, args.name, args.amount, said)
        store.set_budget(args.name, rule, operator())
        _say(args, out, store)
    return Exit.OK


def run_lift(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _known(store, args.name)
        lifted = store.lift_budget(args.name, args.key, operator())
        _say(args, out, store)
    what = f"budget {args.name}{f' of {args.key}' if args.key else ''}"
    out.say(f"lifted {what} until its window ends" if lifted else f"{what} has closed nothing")
    return Exit.OK


def run_forget(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _known(store, args.name)
        store.forget_budget(args.name)
    out.say(f"forgot budget {args.name}")
    return Exit.OK


def _known(store: Store, name: str) -> BudgetRow:
    names = [row.name for row in store.insights.budgets()]
    if name not in names:
        meant = near(name, names)
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet budgets ls"
        raise NotFound(f"There is no budget {name!r}. Nothing was changed. {hint}")
    return budget_row(store, name)
