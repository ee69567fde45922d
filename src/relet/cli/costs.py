"""`relet costs`: what jobs have consumed, added up."""

from __future__ import annotations

from argparse import Namespace
from decimal import Decimal

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.table import Column
from relet.cli.target import opened
from relet.costs import NAMES, TIMES, Cost, filter_of, names_of
from relet.job.moment import from_at
from relet.job.money import money_text
from relet.shapes.costs import CostOut, cost_out
from relet.shapes.words import when


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument(
        "--by",
        default="task",
        metavar="NAMES",
        help=f'what sums are of: {", ".join((*NAMES, *TIMES))}; "" for totals (task)',
    )
    parser.add_argument("--since", default="30d", metavar="WHEN", help='"30d" ago (the default), or an ISO 8601 time')
    parser.add_argument("--until", metavar="WHEN", help="the same; by default, now")
    for name in ("task", "queue", "model", "tenant"):
        parser.add_argument(f"--{name}", default="", metavar="NAME", help=f"only of this {name}")
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    by = names_of([name.strip() for name in args.by.split(",") if name.strip()])
    names = {name: getattr(args, name) for name in ("task", "queue", "model", "tenant")}
    with opened(args, out) as store:
        now = store.now()
        since, until = (when(text, now, name=name) for name, text in (("--since", args.since), ("--until", args.until)))
        assert since is not None, "it has a default"
        wanted = filter_of(by, now, from_at(max(0, since)), None if until is None else from_at(until), **names)
        found = [cost_out(Cost.of(row, by)) for row in store.insights.spent(wanted)]
    out.records("costs", found, _columns(by), "nothing was consumed, as far as jobs have said")
    return Exit.OK


def _columns(by: list[str]) -> list[Column]:
    at = [Column(name, lambda cost, name=name: _time(cost, name)) for name in TIMES if name in by]
    named = [Column(name, lambda cost, name=name: cost[name] or "-", flexible=True) for name in NAMES if name in by]
    return [*at, *named, Column("amount", _amount, right=True)]


def _time(cost: CostOut, name: str) -> str:
    text = cost["at"] or ""
    return text[:10] if name == "day" else text[:13] + "Z"


def _amount(cost: CostOut) -> str:
    return money_text(Decimal(cost["amount"]), cost["unit"])
