"""From a command line to an exit status: finds the command, imports it, runs it, and tells what went wrong."""

from __future__ import annotations

import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from relet.cli.commands import BY_NAME, COMMANDS, Command
from relet.cli.parser import Parser, Verbs

_EPILOG = """\
exit status:
  0 ok   1 the job failed   2 usage   3 not found   4 refused   5 store unreachable   6 unhealthy
  124 timed out   130 interrupted by force
"""


def build(wanted: str | None = None) -> Parser:
    """The parser. A command that is `wanted` is imported, and the parser knows no other; "*" stands for all of them.

    Without one, or with one that does not exist, it knows all by name and sentence: for help, and for the closest match.
    """
    parser = Parser(
        "relet", "Background jobs under a lease: a crash, a hang or a failover loses nothing.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    verbs = Verbs(parser)
    for command in (BY_NAME[wanted],) if wanted in BY_NAME else COMMANDS:
        added = verbs.add(command.name, command.sentence)
        if wanted in (command.name, "*"):
            _configure(command, added)
    return parser


def _configure(command: Command, parser: Parser) -> None:
    import_module(f"relet.cli.{command.module}").configure(parser)


def run(argv: Sequence[str] | None) -> int:
    """See `relet.cli.main`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["--version"]:
            arguments = ["version"]
        return _run(_parsed(arguments or ["--help"]))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1


def _parsed(arguments: list[str]) -> Namespace:
    first = arguments[0]
    parser = build(first)
    if first.startswith("-") and first not in ("-h", "--help"):
        parser.refuse(f"{first!r} is before the command", None, f"Flags come behind it: relet status {first} …")
    args, rest = parser.parse_known_args(arguments)
    if rest:
        args.leaf.unknown(rest)
    return args


def _run(args: Namespace) -> int:
    from relet.cli.exits import Exit, Problem, tell
    from relet.cli.output import Output
    from relet.errors import ReletError, ReletWarning

    out = Output.of_process(args)
    try:
        with warnings.catch_warnings():
            # `worker`, `status` and `doctor` say it in a line of their own.
            warnings.filterwarnings("ignore", "SQLite .* can corrupt", ReletWarning)
            status = args.run(args, out)
        out.flush()
    except Problem as problem:
        out.problem(*problem.lines)
        return problem.status
    except ReletError as error:
        told = tell(error)
        out.problem(*told.lines)
        return told.status
    except BrokenPipeError:
        _forget_stdout()
        return Exit.OK
    except KeyboardInterrupt:
        out.problem("interrupted")
        return Exit.FORCED
    return status


def _forget_stdout() -> None:
    """Whoever read our output has gone, as `head` does. Python would complain at exit when it flushes the rest."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
