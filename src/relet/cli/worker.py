"""`relet worker`: run jobs until told to stop. The first signal drains, the second gives back, the third kills."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING, Any

from relet import __version__, log
from relet.cli.checks_host import warn_of_library
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, add_talk_flags
from relet.cli.safe import safe
from relet.clock import SECOND, SystemClock, pause
from relet.errors import StoreUnavailable
from relet.events import Emitter
from relet.job.duration import format_us, to_us
from relet.settings import Settings, table
from relet.shapes.words import plural

if TYPE_CHECKING:
    from relet.app import App
    from relet.work.worker import Worker

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter. Plain functions that compute would else hold up starts and renewals by many times
the default of 5 ms."""

GC_THRESHOLDS = (20_000, 20, 50)
"""A turn of 500 jobs makes some thousand small objects that live until the next one; looking through them at the default of 700
cost a fifth of the worker's time."""

RETRY_US = 2 * SECOND
_RELOAD = "--reload"


def configure(parser: Parser) -> None:
    parser.runs(run)
    parser.add_argument("--reload", action="store_true", help="start anew when a source file here changes")
    parser.add_argument(
        "--patience",
        metavar="DURATION",
        default="30s",
        help="how long to wait for a store that does not answer at start (30s)",
    )
    group = parser.add_argument_group("settings", "each also as a variable (RELET_LEASE=2s) or in relet.toml")
    short = {"app": ["-A"], "queues": ["-q"]}
    for row in table():
        how: dict[str, Any] = {"action": "append"} if row.name == "queues" else {}
        words = f"{row.sentence.replace('`', '').replace('%', '%%')} ({row.default.replace('%', '%%')})"
        group.add_argument(*short.get(row.name, []), row.flag, metavar=_metavar(row.unit), help=words, **how)
    add_talk_flags(parser.add_argument_group("output"))


def _metavar(unit: str) -> str:
    """A unit as help writes it: DURATION, KEY=VALUE, pretty|json."""
    words = unit.split(" or ")
    return "|".join(words) if len(words) > 1 else unit.partition(",")[0].upper()


def flags_of(args: Namespace) -> dict[str, object]:
    """The settings among the arguments."""
    flags: dict[str, object] = {row.name: getattr(args, row.name, None) for row in table()}
    if args.queues is not None:
        flags["queues"] = ",".join(args.queues)
    return flags


def run(args: Namespace, out: Output) -> int:
    flags = flags_of(args)
    if args.reload:
        from relet.cli.reload import Reloader

        Settings.load(flags)  # a mistake in a flag should end this program, and not each of its children
        return Reloader([word for word in sys.argv[2:] if word != _RELOAD], out, Path.cwd()).run()
    from relet.cli.lookup import find_app

    found = find_app(Settings.load(flags))
    found.app.settings = found.app.settings.override(flags)
    _await_store(found.app, to_us(args.patience, name="--patience"), out)
    return _work(found.app, f"{found.place} ({found.rule})", out)


def _await_store(app: App, patience_us: int, out: Output) -> None:
    """Later a worker waits as long as it takes; at the start a wrong URL is the likelier cause. Raises StoreUnavailable."""
    clock = SystemClock()
    deadline = clock.steady() + patience_us
    while True:
        try:
            app.open_store().close()
            return
        except StoreUnavailable as error:
            if clock.steady() >= deadline:
                raise
            out.say(f"{error}\ntrying again for {format_us(deadline - clock.steady())}")
            pause(min(RETRY_US, max(0, deadline - clock.steady())))


def _work(app: App, place: str, out: Output) -> int:
    # Log lines are written by a thread of their own. So what is said here is said before the first and behind the last.
    with logging_to(app.settings, out) as edge:
        quicken(app)
        try:
            worker = app.worker(emit=edge)
            heard = _hearing()  # from before it starts: a signal in that moment drains it, too
            _banner(app, place, out)
            worker.start()
            signals = _until_ended(worker, heard, app.settings, out)
        finally:
            app.close()
    out.say("ended; what was not finished is given back" if signals > 1 else "ended")
    return Exit.FORCED if signals > 1 else Exit.OK


@contextmanager
def logging_to(settings: Settings, out: Output) -> Generator[Emitter]:
    """Log lines on stderr, and the emitter whose events become such."""
    form, level, colour = settings.log_format, settings.log_level, out.style.colour
    lines = log.set_up(out.stderr, form=form, level=level, clean=safe, context=_context, colour=colour)
    try:
        yield log.LogEdge(logging.getLogger("relet"), SystemClock())
    finally:
        if lines is not None:
            lines.close()


def quicken(app: App) -> None:
    """Collect garbage less often, and let threads change more often if there are tasks that run in threads."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    if any(not task.is_async and task.spec.executor != "process" for task in app.tasks.values()):
        sys.setswitchinterval(SWITCH_SECONDS)


def _banner(app: App, place: str, out: Output) -> None:
    settings = app.settings
    queues = ", ".join(f"{queue} ({share})" for queue, share in settings.queues.items()) or "all"
    out.say(f"relet {__version__}, worker {settings.worker}, pid {os.getpid()}")
    out.say(f"  app     {place}: {plural(len(app.tasks), 'task')}")
    out.say(f"  store   {settings.shown_url} ({settings.source('url')})")
    out.say(f"  queues  {queues}; {plural(settings.slots, 'slot')}")
    beat = format_us(settings.heartbeat_us)
    out.say(
        f"  lease   {format_us(settings.lease_us)}, renewed every {beat}; on a signal jobs get {format_us(settings.grace_us)}"
    )
    warn_of_library(settings, out)
    out.say("Ctrl-C: finish what runs, and end. Twice: give it back, and end. Three times: end at once")


def _hearing() -> SimpleQueue[str]:
    """What comes: "signal" for each of them."""
    heard: SimpleQueue[str] = SimpleQueue()

    def hear(_number: int, _frame: FrameType | None) -> None:
        heard.put("signal")  # nothing more: whatever runs now may hold any lock

    for number in _signals():
        signal.signal(number, hear)
    return heard


def _until_ended(worker: Worker, heard: SimpleQueue[str], settings: Settings, out: Output) -> int:
    """Wait for the worker or for signals, whichever comes; returns how many signals came."""
    from relet.work.signals import heard_next

    def watch() -> None:
        worker.wait()
        heard.put("ended")

    Thread(target=watch, name="relet-wait", daemon=True).start()
    signals = 0
    while heard_next(heard) != "ended":
        signals += 1
        _act(signals, worker, settings, out)
    return signals


def _act(signals: int, worker: Worker, settings: Settings, out: Output) -> None:
    if signals == 1:
        out.say(f"draining: no new jobs; what runs has {format_us(settings.grace_us)}. Again: give it back now")
        worker.drain()
    elif signals == 2:
        out.say("giving back what runs, at no cost to it. Again: end at once")
        worker.stop()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def _signals() -> list[int]:
    """Those that mean: go. A hang-up counts, unless somebody (nohup) has said to pass it over."""
    numbers: list[int] = [signal.SIGTERM, signal.SIGINT]
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    return numbers


def _context() -> Mapping[str, object]:
    """For log lines of tasks: whose they are."""
    from relet.context import current
    from relet.errors import UsageError

    try:
        ctx = current()
    except UsageError:
        return {}
    return {"job": str(ctx.job_id), "attempt": ctx.attempt, "worker": ctx.lease.worker_id, "task": ctx.task}
