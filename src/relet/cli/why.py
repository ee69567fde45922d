"""`relet why`: why a routine, a schedule or a job does not run."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from relet.cli import jobs
from relet.cli.choose import batch_named
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags, near
from relet.cli.target import opened
from relet.errors import NotFound
from relet.job.why_schedule import explain_schedule
from relet.shapes import records
from relet.store.port import Store


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument(
        "id", metavar="NAME|ID", help="name of a routine or schedule; or a job's id, or its first digits"
    )
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        found = _of_schedule(store, args.id)
        if found is None and not _may_be_id(args.id):
            raise NotFound(_unknown(store, args.id))
        shown = found or _of_job(store, args.id)
    out.record(shown, lambda: map(out.plain, shown["why"]))
    return Exit.OK


def _of_schedule(store: Store, name: str) -> dict[str, Any] | None:
    row, standing = store.insights.schedule(name), store.insights.why_schedule(name)
    if row is None or standing is None:
        return None
    lines = [records.text_of(line) or "" for line in explain_schedule(standing)]
    return {standing.schedule.kind.value: name, "state": row.state, "why": lines}


def _of_job(store: Store, text: str) -> dict[str, Any]:
    try:
        return jobs.why_of(store, text)
    except NotFound:
        _refuse_batch(store, text)
        raise


def _refuse_batch(store: Store, text: str) -> None:
    try:
        batch = records.uuid_text(batch_named(store, text).id)
    except NotFound:
        return
    raise NotFound(f"{batch} is a batch, not a job. See how far it is: relet batches show {batch}")


def _may_be_id(text: str) -> bool:
    return len(text) >= 4 and not set(text.lower()) - set("0123456789abcdef-")


def _unknown(store: Store, text: str) -> str:
    meant = near(text, [row.definition.name for row in store.insights.schedules()])
    hint = f"Did you mean {meant!r}?" if meant else "See: relet routines ls; relet schedules ls; relet jobs ls"
    return f"There is no routine, schedule or job {text!r}. {hint}"
