"""`relet schedules`: add and change schedules at run time, and steer them as routines are steered."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from relet.cli.arguments import HELP, read_arguments
from relet.cli.choose import operator
from relet.cli.enqueue import app_and_task
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, count
from relet.cli.routines import columns, known, steering
from relet.errors import UsageError
from relet.job.schedule import Kind
from relet.options import CallOptions
from relet.schedules import ScheduleOptions
from relet.shapes.records import schedule_out


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    upsert = verbs.add("upsert", "add a schedule, or change it: all of its rule and call").runs(run_upsert)
    upsert.epilog = HELP
    upsert.add_argument("name", help="its name")
    upsert.add_argument("task", help="name of the task; its last part is enough")
    upsert.add_argument("arguments", nargs="*", metavar="ARG", help="arguments of the task; see below")
    when = upsert.add_mutually_exclusive_group(required=True)
    when.add_argument("--every", metavar="DURATION", help="time between due times; the first is now")
    when.add_argument("--cron", metavar="EXPRESSION", help='five fields, such as "30 9 * * mon-fri"')
    upsert.add_argument("--tz", metavar="ZONE", help="the zone of --cron, such as Europe/Oslo (UTC)")
    upsert.add_argument(
        "--catchup", metavar="HOW", help="due times while no worker ran: skip, latest or a number (latest)"
    )
    upsert.add_argument(
        "--overlap", choices=("skip", "queue", "allow"), help="a due time while a run has not ended (skip)"
    )
    upsert.add_argument("--jitter", metavar="DURATION", help="runs start up to so much later")
    upsert.add_argument(
        "--depends-on", action="append", metavar="NAME", help="wait for this one to succeed first; repeatable"
    )
    upsert.add_argument("--max-failures", type=count, metavar="N", help="dead runs in a row that disable it (never)")
    upsert.add_argument("--disabled", action="store_true", help="a new one is disabled at first")
    upsert.add_argument("--priority", help="low, normal, high, critical or a number; higher goes first")
    upsert.add_argument("--queue", help="instead of the task's own queue")
    upsert.add_argument(
        "--by-name", action="store_true", help="the task's code is elsewhere: check only that its name is whole"
    )
    add_store_flags(upsert)
    add_output_flags(upsert)
    steering(verbs, Kind.SCHEDULE)


def run_upsert(args: Namespace, out: Output) -> int:
    app, task = app_and_task(args, out)
    signature = task.codec.signature if task is not None else None
    arguments = read_arguments(args.arguments, signature, out.stdin)
    name = task.name if task else args.task
    try:
        call = CallOptions(priority=args.priority, queue=args.queue)
        put = app.schedules.upsert_by_name(args.name, name, arguments, by=operator(), options=call, **_rule(args))
        with app.shared.use() as store:
            row, now = known(store, put.name, Kind.SCHEDULE), store.now()
    finally:
        app.close()
    found = schedule_out(row)
    out.records("schedules", [found], columns(now, "schedule"), "", changed=bool(put.changed))
    said = "nothing was changed: it is so already"
    out.say((f"changed {put.name}" if row.revision > 1 else f"added {put.name}") if put.changed else said)
    return Exit.OK


def _rule(args: Namespace) -> ScheduleOptions:
    given: dict[str, Any] = {
        "every": args.every,
        "cron": args.cron,
        "tz": args.tz,
        "catchup": None if args.catchup is None else _catchup(args.catchup),
        "overlap": args.overlap,
        "jitter": args.jitter,
        "depends_on": args.depends_on,
        "max_consecutive_failures": args.max_failures,
        "enabled": False if args.disabled else None,
    }
    return ScheduleOptions(**{name: value for name, value in given.items() if value is not None})  # type: ignore[typeddict-item]  # by their names


def _catchup(text: str) -> str | int:
    if text in ("skip", "latest"):
        return text
    if not text.isdecimal() or len(text) > 6:
        raise UsageError(f"--catchup: {text!r} is neither skip, nor latest, nor a number.")
    return int(text)
