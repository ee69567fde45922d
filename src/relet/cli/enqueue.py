"""`relet enqueue`: enqueue one job, and wait for it if asked to."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from relet.cli.arguments import HELP, find_task, read_arguments
from relet.cli.exits import Exit, Problem
from relet.cli.output import Output
from relet.cli.parser import Parser, add_output_flags, add_store_flags
from relet.cli.safe import safe
from relet.cli.target import resolved
from relet.errors import JobCancelled, JobFailed, NotFound, ResultTimeout
from relet.options import CallOptions
from relet.overview import serves
from relet.settings import Settings
from relet.shapes import records
from relet.shapes.schema import EnqueuedOut
from relet.shapes.words import moment

if TYPE_CHECKING:
    from relet.app import App
    from relet.handles import Job
    from relet.task import Task


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.epilog = HELP
    parser.add_argument("task", help="name of the task; its last part is enough")
    parser.add_argument("arguments", nargs="*", metavar="ARG", help="arguments of the task; see below")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--delay", metavar="DURATION", help='run it after this time, such as "5m"')
    when.add_argument("--at", metavar="TIME", help="run it at this time (ISO 8601)")
    parser.add_argument("--priority", help="low, normal, high, critical or a number; higher goes first")
    parser.add_argument("--queue", help="instead of the task's own queue")
    parser.add_argument(
        "--unique", metavar="KEY", help="at most one live job with this key; {name} stands for an argument"
    )
    parser.add_argument(
        "--on-conflict", choices=("existing", "raise", "replace"), help="when the key is taken (existing)"
    )
    parser.add_argument(
        "--by-name", action="store_true", help="the task's code is elsewhere: check only that its name is whole"
    )
    parser.add_argument("--wait", action="store_true", help="wait for the end, and print the result")
    parser.add_argument("--timeout", metavar="DURATION", help="with --wait: no longer than this (exit status 124)")
    add_store_flags(parser)
    add_output_flags(parser)


def run(args: Namespace, out: Output) -> int:
    app, task = app_and_task(args, out)
    signature = task.codec.signature if task is not None else None
    arguments = read_arguments(args.arguments, signature, out.stdin)
    job = app.enqueue_by_name(task.name if task else args.task, arguments, **_options(args))
    try:
        return _wait(job, app, args, out) if args.wait else _told(job, task.name if task else args.task, out)
    finally:
        app.close()


def app_and_task(args: Namespace, out: Output) -> tuple[App, Task[..., Any] | None]:
    """The App with the task; without its code here, an App that knows the store only."""
    from relet.app import App
    from relet.cli.lookup import find_app

    if args.by_name:
        out.say("by name: neither the task's name nor its arguments are checked")
        return App(settings=resolved(args, out)), None
    settings = Settings.load({"url": args.url, "app": args.app})
    found = find_app(settings, required=args.app is not None)
    if found is None:
        out.say("no App here: neither the task's name nor its arguments are checked")
        return App(settings=settings), None
    out.say(f"App {found.place} ({found.rule})")
    if args.url is not None:
        found.app.settings = found.app.settings.override({"url": args.url})
    try:
        return found.app, find_task(found.app, args.task)
    except NotFound as error:
        raise NotFound(f"{error} If its code is elsewhere: the same with --by-name") from None


def _options(args: Namespace) -> CallOptions:
    return CallOptions(
        delay=args.delay,
        at=None if args.at is None else moment(args.at, name="--at"),
        priority=args.priority,
        queue=args.queue,
        unique=args.unique,
        on_conflict=args.on_conflict,
    )


def _told(job: Job[Any], task: str, out: Output) -> int:
    told = EnqueuedOut(id=str(job.id), task=task, created=job.created)
    out.record(told, lambda: [told["id"]])
    out.say("enqueued" if job.created else "not enqueued: this job, which has not ended, holds the unique key")
    return Exit.OK


def _wait(job: Job[Any], app: App, args: Namespace, out: Output) -> int:
    _warn_unserved(job, app, out)
    try:
        result = job.result(args.timeout)
    except JobFailed as error:
        _print_job(job, app, out)
        why = f"It is dead; attempts that failed: {error.attempts}."
        raise Problem(
            Exit.JOB_FAILED, f"job {job.id}: {error.error}", why, f"Next: relet dead show {job.id}"
        ) from error
    except JobCancelled:
        _print_job(job, app, out)
        raise
    except ResultTimeout as error:
        what = f"job {job.id} has not ended within {args.timeout}"
        raise Problem(Exit.TIMED_OUT, what, "It goes on.", f"Next: relet jobs why {job.id}") from error
    except KeyboardInterrupt:
        what = f"no longer waiting for job {job.id}"
        raise Problem(Exit.FORCED, what, "It goes on.", f"Next: relet jobs show {job.id}") from None
    if out.form == "text":
        out.line(safe(records.compact(records.data_of(records.json_text(result)))))
    else:
        _print_job(job, app, out)
    return Exit.OK


def _print_job(job: Job[Any], app: App, out: Output) -> None:
    """The whole record, for programs."""
    if out.form == "text":
        return
    with app.shared.use() as store:
        row = store.insights.job(job.id.bytes)
    if row is not None:
        out.record(records.job_out(row), list)


def _warn_unserved(job: Job[Any], app: App, out: Output) -> None:
    """Waiting for ever for want of a worker should not be a riddle."""
    with app.shared.use() as store:
        row = store.insights.job(job.id.bytes)
        workers = [records.worker_out(session) for session in store.insights.sessions()]
    if row is not None and not any(serves(worker, row.queue) for worker in workers):
        out.say(f"no worker is running for queue {row.queue}; start one: relet worker -q {row.queue}")
