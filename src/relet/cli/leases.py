"""`relet leases`: the jobs that are held now, the oldest claim first."""

from __future__ import annotations

from argparse import Namespace

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags, count
from relet.cli.table import Column
from relet.cli.target import opened
from relet.shapes import records
from relet.shapes.schema import LeaseOut
from relet.shapes.words import ago


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("--limit", type=count, default=200, help="how many (200, at most 1000)")
    parser.add_argument("--expired", action="store_true", help="only those whose lease has lapsed")
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        rows = store.insights.leases(args.limit)
    found = [records.lease_out(row) for row in rows if row.expired or not args.expired]
    out.records("leases", found, columns(now), "no job is held now")
    if not args.expired and any(lease["expired"] for lease in found):
        out.say("some leases have lapsed; live workers give those jobs back by themselves, or: relet recover")
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of leases."""
    return [
        Column("job", lambda lease: lease["id"]),
        Column("task", lambda lease: lease["task"], flexible=True),
        Column("queue", lambda lease: lease["queue"], flexible=True, spare=True),
        Column("worker", lambda lease: lease["worker"], flexible=True),
        Column("claim", lambda lease: lease["claim"], right=True, spare=True),
        Column("runs for", lambda lease: ago(lease["claimed_at"], now), right=True),
        Column("lease", lambda lease: "lapsed" if lease["expired"] else ago(lease["locked_until"], now), right=True),
        Column("progress", _progress, flexible=True),
    ]


def _progress(lease: LeaseOut) -> str:
    percent = "" if lease["percent"] is None else f"{lease['percent']:.0f} % "
    return f"{percent}{lease['message'] or ''}".strip()
