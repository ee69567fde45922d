"""`relet routines`: list them, show how they went, trigger, enable, disable, pause and resume them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

from relet.cli import records
from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, near
from relet.cli.schema import FiringOut, RoutineOut
from relet.cli.table import Column
from relet.cli.target import opened
from relet.cli.words import ago, clock, plural
from relet.clock import Ids
from relet.errors import NotFound, Refused
from relet.job.schedule import Kind
from relet.store.port import Store
from relet.store.rows import ScheduleRow
from relet.store.standby import standing_by

HISTORY = 20


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list routines, and how they are doing").runs(run_ls)
    show = verbs.add("show", "one routine, with its last due times").runs(run_show)
    show.add_argument("--limit", type=int, default=HISTORY, metavar="N", help=f"at most N due times ({HISTORY})")
    trigger = verbs.add("trigger", "run a routine now").runs(run_trigger)
    trigger.add_argument(
        "--force", action="store_true", help="also if it is disabled, runs, or waits for what it depends on"
    )
    for verb in (show, trigger):
        verb.add_argument("name", help="name of a routine")
    enable = verbs.add("enable", "let disabled routines run again, with no failures counted").runs(run_enable)
    disable = verbs.add("disable", "no runs of these routines, not even triggered ones").runs(run_disable)
    pause = verbs.add("pause", "no runs by time; they may still be triggered").runs(run_pause)
    resume = verbs.add("resume", "end a pause").runs(run_resume)
    for verb in (disable, pause):
        verb.add_argument("--reason", default="", help="said to whoever asks why it does not run")
    for verb in (enable, disable, pause, resume):
        verb.add_argument("names", nargs="+", metavar="NAME", help="name of a routine")
    for verb in (ls, show, trigger, enable, disable, pause, resume):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [_out(store, row) for row in store.insights.schedules(Kind.ROUTINE.value)]
    out.records("routines", found, columns(now), "no worker has declared a routine")
    return Exit.OK


def _out(store: Store, row: ScheduleRow) -> RoutineOut:
    return records.routine_out(row, standing_by(store, row))


def columns(now: int) -> list[Column]:
    """Columns of a table of routines."""
    return [
        Column("routine", lambda routine: routine["name"], flexible=True),
        Column("state", lambda routine: routine["state"]),
        Column("when", lambda routine: routine["rule"] or "when triggered", flexible=True),
        Column("next", lambda routine: ago(routine["next_due_at"], now), right=True),
        Column("last run", lambda routine: ago(routine["last_run_at"], now), right=True),
        Column("last success", lambda routine: ago(routine["last_success_at"], now), right=True),
        Column("failures", lambda routine: routine["consecutive_failures"] or "", right=True),
        Column("note", _note, flexible=True, spare=True),
    ]


def _note(routine: RoutineOut) -> str:
    if routine["state"] == "disabled":
        return f"by {routine['disabled_by']}: {routine['disabled_because'] or 'no reason given'}"
    if routine["state"] == "unreadable":
        return "a later version wrote it, and fires it"
    if routine["standing_by"] is not None and routine["standing_by"] < routine["standby"]:
        return f"{routine['standing_by']} of {plural(routine['standby'], 'worker')} stand by"
    return f"waits for {', '.join(routine['waits_for'])}" if routine["state"] == "waiting" else ""


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        row = _known(store, args.name)
        now = store.now()
        firings = store.insights.firings(args.name, None, max(1, args.limit))
        routine = _out(store, row)
    shown = {"routine": routine, "history": [records.firing_out(firing) for firing in firings]}
    out.record(shown, lambda: _shown(out, shown, now))
    return Exit.OK


def _shown(out: Output, shown: dict[str, Any], now: int) -> Iterator[str]:
    routine: RoutineOut = shown["routine"]
    yield f"{out.style.bold(out.plain(routine['name']))}  {routine['state']}"
    yield from out.facts(_facts(routine, now))
    if shown["history"]:
        yield out.style.bold("due times")
        yield from (f"  {out.plain(_line(firing))}" for firing in shown["history"])


def _facts(routine: RoutineOut, now: int) -> list[tuple[str, object]]:
    return [
        ("task", routine["task"]),
        ("when", routine["rule"] or "when triggered"),
        ("runs", f"{len(routine['running'])} of {routine['replicas']}" if routine["mode"] == "continuous" else ""),
        ("standing by", _standing_by(routine)),
        ("next", ago(routine["next_due_at"], now)),
        ("waits for", ", ".join(routine["waits_for"])),
        ("disabled", _note(routine) if routine["state"] == "disabled" else ""),
        ("successes", routine["successes"]),
        ("failures in a row", routine["consecutive_failures"]),
        ("last success", clock(routine["last_success_at"])),
        ("last failure", clock(routine["last_failure_at"])),
        ("last error", routine["last_error"]),
    ]


def _standing_by(routine: RoutineOut) -> str:
    return (
        "" if routine["standing_by"] is None else f"{routine['standing_by']} of {plural(routine['standby'], 'worker')}"
    )


def _line(firing: FiringOut) -> str:
    became = firing["outcome"] or "has not ended" if firing["job_id"] else "passed over"
    return f"{clock(firing['due_at'])}  {became}  {firing['job_id'] or ''}  {firing['cause']}".rstrip()


def run_trigger(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _known(store, args.name)
        triggered = store.trigger_schedule(args.name, operator(), Ids().job(), force=args.force)
    if triggered.job_id is None:
        raise Refused(
            f"Routine {args.name!r} was not triggered: {triggered.refusal}. Nothing was enqueued. "
            f"All the same: relet routines trigger {args.name} --force"
        )
    record = {"routine": args.name, "job_id": records.uuid_text(triggered.job_id)}
    out.record(record, lambda: iter([f"{record['job_id']}  {args.name}"]))
    return Exit.OK


def run_enable(args: Namespace, out: Output) -> int:
    return _each(args, out, "enabled", lambda store, name: store.enable_schedule(name))


def run_disable(args: Namespace, out: Output) -> int:
    return _each(args, out, "disabled", lambda store, name: store.disable_schedule(name, operator(), args.reason))


def run_pause(args: Namespace, out: Output) -> int:
    return _each(args, out, "paused", lambda store, name: store.pause_schedule(name, operator(), args.reason))


def run_resume(args: Namespace, out: Output) -> int:
    return _each(args, out, "resumed", lambda store, name: store.resume_schedule(name))


def _each(args: Namespace, out: Output, verbed: str, act: Callable[[Store, str], bool]) -> int:
    """Do it to each routine; all of them have to be there, or nothing is done."""
    with opened(args, out) as store:
        for name in args.names:
            _known(store, name)
        done = sum(act(store, name) for name in args.names)
        found = [_out(store, _known(store, name)) for name in args.names]
        now = store.now()
    out.records("routines", found, columns(now), "")
    out.say(f"{verbed} {plural(done, 'routine')}" if done else f"nothing to be {verbed}: it is so already")
    return Exit.OK


def _known(store: Store, name: str) -> ScheduleRow:
    row = store.insights.schedule(name)
    if row is None or row.definition.kind is not Kind.ROUTINE:
        names = [each.definition.name for each in store.insights.schedules(Kind.ROUTINE.value)]
        meant = near(name, names)
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet routines ls"
        raise NotFound(f"There is no routine {name!r}. Nothing was changed. {hint}")
    return row
