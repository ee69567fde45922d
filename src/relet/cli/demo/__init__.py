"""`relet demo`: real work, real kills, and a proof taken from what the work left behind.

workload.py   the tasks, and the ledger into which they write their effects
crew.py       the worker processes: started, replaced, killed, paused
acts.py       what is done to them, and what is seen of it
director.py   the course of it
proof.py      what the ledger and the results say
stage.py      what is shown: a screen, lines, or JSON events
"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from relet.cli.parser import Parser, add_talk_flags

if TYPE_CHECKING:
    from relet.cli.output import Output


def configure(parser: Parser) -> None:
    """The arguments of `relet demo`."""
    parser.add_argument("--url", metavar="URL", help="run it on this store, such as an empty PostgreSQL database")
    parser.add_argument("--chaos", metavar="TIME", help="go on killing and pausing workers for so long, such as 60s")
    parser.add_argument("--keep", metavar="DIR", help="keep the store, the ledger and the workers' logs there")
    group = parser.add_argument_group("output")
    group.add_argument("--json", dest="form", action="store_const", const="jsonl", default="text", help="JSON events")
    add_talk_flags(group)
    parser.runs(run)


def run(args: Namespace, out: Output) -> int:
    """Run it. Status 0 only if the proof holds."""
    from relet.cli.demo.director import direct

    return direct(args, out)
