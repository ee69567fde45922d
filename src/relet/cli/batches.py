"""`relet batches`: list batches, and show how far one is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from relet.cli.choose import batch_named
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, count
from relet.cli.table import Column
from relet.cli.target import opened
from relet.shapes import records
from relet.shapes.schema import BatchOut, BondOut
from relet.shapes.words import ago, clock

MEMBERS = 50


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list batches with their counts, newest first").runs(run_ls)
    ls.add_argument("--label", default="", help="only batches with this label")
    ls.add_argument("--open", dest="only_open", action="store_true", help="only batches that have not ended")
    ls.add_argument("--limit", type=count, default=50, metavar="N", help="at most N batches (50)")
    ls.add_argument("--before", metavar="ID", help="only batches older than this one: the next page")
    show = verbs.add("show", "how far a batch is, what comes after it, and its jobs").runs(run_show)
    show.add_argument("id", help="batch id, or its first digits")
    show.add_argument(
        "--state",
        choices=("open", "succeeded", "dead", "cancelled"),
        default="dead",
        help="list its jobs of which this became (dead)",
    )
    show.add_argument("--jobs", type=int, default=MEMBERS, metavar="N", help=f"at most N of them ({MEMBERS})")
    for verb in (ls, show):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        before = batch_named(store, args.before).id if args.before else None
        rows = store.insights.batches(args.label, args.only_open, before, args.limit)
        found = [records.batch_out(row) for row in rows]
    more = found[-1]["id"] if len(found) == args.limit else None
    out.records("batches", found, columns(now), "no batches match", next=more)
    if more and out.form == "text":
        out.say(f"there may be more: --before {more}")
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of batches."""
    return [
        Column("id", lambda batch: batch["id"]),
        Column("label", lambda batch: batch["label"], flexible=True),
        Column("done", lambda batch: f"{batch['percent']:.0f} %", right=True),
        Column("jobs", lambda batch: f"{batch['total']:,}", right=True),
        Column("open", lambda batch: f"{batch['open']:,}", right=True),
        Column("dead", lambda batch: batch["dead"] or "", right=True),
        Column("cancelled", lambda batch: batch["cancelled"] or "", right=True),
        Column("age", lambda batch: ago(batch["created_at"], now), right=True, spare=True),
    ]


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        row = batch_named(store, args.id)
        now, insights = store.now(), store.insights
        jobs = insights.members(row.id, args.state, None, max(0, args.jobs))
        shown = {
            "batch": records.batch_out(row),
            "children": [records.bond_out(edge, parent=False) for edge in insights.children(row.id)],
            "state": args.state,
            "jobs": [records.uuid_text(job_id) for job_id in jobs],
        }
    out.record(shown, lambda: _shown(out, shown, now))
    return Exit.OK


def _shown(out: Output, shown: dict[str, Any], now: int) -> Iterator[str]:
    batch: BatchOut = shown["batch"]
    yield f"{out.style.bold(batch['id'])}  {out.plain(batch['label'])}"
    yield from out.facts(_facts(batch, now))
    for title, lines in (("then", bond_lines(shown["children"])), (shown["state"], shown["jobs"])):
        if lines:
            yield out.style.bold(title)
            yield from (f"  {out.plain(line)}" for line in lines)


def _facts(batch: BatchOut, now: int) -> list[tuple[str, object]]:
    names = ("open", "succeeded", "dead", "cancelled")
    counts = ", ".join(f"{batch[name]:,} {name}" for name in names if batch[name])
    return [
        ("done", f"{batch['percent']:.0f} %"),
        ("jobs", f"{batch['total']:,}" + (f": {counts}" if counts else "")),
        ("enqueued", f"{clock(batch['created_at'])} ({ago(batch['created_at'], now)} ago)"),
        ("ended", clock(batch["ended_at"])),
    ]


def bond_lines(bonds: list[BondOut]) -> list[str]:
    """Parents or children, one a line."""
    return [f"{bond['id']}  {bond['state'] or 'gone'}  {bond['name'] or ''}".rstrip() for bond in bonds]
