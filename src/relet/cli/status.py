"""`relet status`: how it stands, on one screen."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from relet.cli.breakers import columns as breaker_columns
from relet.cli.checks_host import warn_of_library
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.queues import capped
from relet.cli.queues import columns as queue_columns
from relet.cli.safe import safe
from relet.cli.table import laid_out
from relet.cli.target import opened, resolved
from relet.cli.workers import columns as worker_columns
from relet.overview import gather
from relet.shapes.schema import ScheduleCountsOut, StatusOut
from relet.shapes.words import at_of, plural


def configure(parser: Parser) -> None:
    parser.runs(run)
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    settings = resolved(args, out)
    with opened(args, out, settings=settings) as store:
        found = gather(store)
    out.record(found, lambda: lines(found, out))
    warn_of_library(settings, out)
    return Exit.OK


def lines(found: StatusOut, out: Output) -> Iterator[str]:
    """The record for people."""
    now = at_of(found["now"])
    yield out.style.dim(safe(found["url"]))
    shown = [(state, count) for state, count in found["counts"].items() if count or state in ("ready", "running")]
    yield "   ".join(f"{capped(count)} {out.style.state(state)}" for state, count in shown)
    yield from _schedules(found["schedules"])
    if found["queues"]:
        yield from ("", *laid_out(found["queues"], queue_columns(now, found["breakers"]), out.style, out.width))
    if found["workers"]:
        yield from ("", *laid_out(found["workers"], worker_columns(now), out.style, out.width))
    if found["breakers"]:
        yield from ("", *laid_out(found["breakers"], breaker_columns(now), out.style, out.width))
    if found["problems"]:
        yield ""
    for problem in found["problems"]:
        yield f"{out.style.paint('!', '33')} {safe(problem['what'])}: {out.style.bold(safe(problem['next']))}"
    if not found["problems"]:
        yield "nothing needs you"


def _schedules(counts: ScheduleCountsOut) -> Iterator[str]:
    if counts["total"]:
        held = [
            (counts["disabled"], "disabled"),
            (counts["paused"], "paused"),
            (counts["waiting"], "waiting for others"),
        ]
        words = [plural(counts["total"], "routine or schedule", "routines and schedules")]
        yield ", ".join(words + [f"{count:,} {word}" for count, word in held if count])
