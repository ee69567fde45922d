"""`relet run`: a task now, in this process, without a store; or `--once`: what is ready, by a worker that then ends."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from relet.cli.arguments import HELP, find_task, read_arguments
from relet.cli.exits import Exit, Problem
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.safe import safe
from relet.errors import ReletError, UsageError
from relet.job.textsafe import describe, stack_of
from relet.settings import Settings
from relet.shapes import records

if TYPE_CHECKING:
    from relet.trial import Trial


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.epilog = HELP
    parser.add_argument("task", nargs="?", help="name of the task; its last part is enough")
    parser.add_argument("arguments", nargs="*", metavar="ARG", help="arguments of the task; see below")
    parser.add_argument("--once", action="store_true", help="instead: work off what is ready in the store, then end")
    parser.add_argument(
        "-q", "--queues", action="append", metavar="QUEUE[=SHARE]", help="with --once: only these queues"
    )
    parser.add_argument("--slots", metavar="NUMBER", help="with --once: jobs at once")
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    if args.once == (args.task is not None):
        raise UsageError("Give a task to run now, or --once to work off what is ready.")
    if args.once:
        from relet.cli.once import run_once

        return run_once(args, out)
    return _run_now(args, out)


def _run_now(args: Namespace, out: Output) -> int:
    from relet.cli.lookup import find_app

    found = find_app(Settings.load({"url": args.url, "app": args.app}))
    out.say(f"App {found.place} ({found.rule})")
    task = find_task(found.app, args.task)
    arguments = read_arguments(args.arguments, task.codec.signature, out.stdin)
    given, named = task.codec.decode_args(task.codec.encode_named(arguments))
    try:
        trial = found.app.try_out(task.call(*given, **named))
    except ReletError:
        raise
    except Exception as error:  # a task may raise anything
        for line in stack_of(error).splitlines():
            out.say(line)
        raise Problem(Exit.JOB_FAILED, f"task {task.name} failed: {describe(error, 500)}") from error
    _print(trial, out)
    return Exit.OK


def _print(trial: Trial[Any], out: Output) -> None:
    result = records.data_of(records.json_text(trial.result))
    for line in trial.logs:
        out.say(f"{line.level}: {line.message}")
    shown = {
        "result": result,
        "logs": [{"level": line.level, "message": safe(line.message)} for line in trial.logs],
        "progress": [{"percent": step.percent, "message": safe(step.message)} for step in trial.progress],
    }
    out.record(shown, lambda: [safe(json.dumps(result, ensure_ascii=False) if result is not None else "null")])
