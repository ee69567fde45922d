"""`relet recover`: give back the jobs of workers whose lease has lapsed. Workers do this by themselves; this does it now."""

from __future__ import annotations

from argparse import Namespace

from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.table import Column
from relet.cli.target import opened
from relet.cli.workers import columns as worker_columns
from relet.shapes import records
from relet.shapes.words import plural


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument(
        "--dry-run", action="store_true", help="show whose jobs would be given back, and change nothing"
    )
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        if args.dry_run:
            now = store.now()
            lapsed = [
                records.worker_out(row) for row in store.insights.sessions() if not row.live and row.ended_at is None
            ]
            out.records("workers", lapsed, worker_columns(now), "no lease has lapsed", dry_run=True)
            return Exit.OK
        ended = [records.reclaimed_out(row) for row in store.reclaim_expired("lease expired; relet recover")]
    out.records("reclaimed", ended, _columns(), "no lease had lapsed; nothing to do")
    if ended:
        returned, dead = sum(one["returned"] for one in ended), sum(one["dead"] for one in ended)
        cancelled = sum(one["cancelled"] for one in ended)
        out.say(f"{plural(returned, 'job')} returned to their queues, {dead} dead, {cancelled} cancelled")
    return Exit.OK


def _columns() -> list[Column]:
    return [
        Column("worker", lambda one: one["worker"], flexible=True),
        Column("session", lambda one: one["session"][:8]),
        Column("returned", lambda one: one["returned"], right=True),
        Column("dead", lambda one: one["dead"], right=True),
        Column("cancelled", lambda one: one["cancelled"], right=True),
    ]
