"""`relet routines`, and the verbs of `relet schedules` that are the same: list, show, trigger, backfill, enable, disable, pause,
resume and delete."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from shlex import quote
from typing import Any

from relet.cli.choose import operator
from relet.cli.confirm import confirm
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_change_flags, add_output_flags, add_store_flags, count, near
from relet.cli.table import Column
from relet.cli.target import opened
from relet.clock import Ids
from relet.errors import NotFound, Refused
from relet.job.moment import to_at
from relet.job.schedule import Kind, Mode
from relet.shapes import records
from relet.shapes.schedules import FiringOut, RoutineOut
from relet.shapes.words import ago, at_of, clock, moment, plural
from relet.store.port import Store
from relet.store.records import Firing
from relet.store.rows import ScheduleRow
from relet.store.standby import standing_by

HISTORY = 20
AT_ONCE = 1_000


def configure(parser: Parser) -> None:
    steering(Verbs(parser), Kind.ROUTINE)


def steering(verbs: Verbs, kind: Kind) -> None:
    """The verbs of routines and of schedules."""
    noun = kind.value
    ls = verbs.add("ls", f"list {noun}s, and how they are doing").runs(run_ls)
    show = verbs.add("show", f"one {noun}, with its last due times").runs(run_show)
    history = verbs.add("history", f"what became of the due times of a {noun}, the newest first").runs(run_history)
    for verb in (show, history):
        verb.add_argument("--limit", type=count, default=HISTORY, metavar="N", help=f"at most N due times ({HISTORY})")
    history.add_argument("--before", metavar="TIME", help="only due times before this one (ISO 8601): the next page")
    trigger = verbs.add("trigger", f"run a {noun} now").runs(run_trigger)
    trigger.add_argument(
        "--force", action="store_true", help="also if it is disabled, runs, or waits for what it depends on"
    )
    backfill = verbs.add("backfill", "make runs for due times in the past that have none").runs(run_backfill)
    for verb in (show, history, trigger, backfill):
        verb.add_argument("name", help=f"name of a {noun}")
    backfill.add_argument("start", help="the first due time (ISO 8601)")
    backfill.add_argument("end", help="due times before this one (ISO 8601)")
    backfill.add_argument("--limit", type=count, default=AT_ONCE, metavar="N", help=f"at most N runs ({AT_ONCE})")
    add_change_flags(backfill)
    changes = _changes(verbs, noun)
    for verb in (ls, show, history, trigger, backfill, *changes):
        verb.set_defaults(kind=kind)
        add_store_flags(verb)
        add_output_flags(verb)


def _changes(verbs: Verbs, noun: str) -> list[Parser]:
    """Verbs on many at once."""
    enable = verbs.add("enable", f"let disabled {noun}s run again, with no failures counted").runs(run_enable)
    disable = verbs.add("disable", f"no runs of these {noun}s, not even triggered ones").runs(run_disable)
    pause = verbs.add("pause", "no runs by time; they may still be triggered").runs(run_pause)
    resume = verbs.add("resume", "end a pause").runs(run_resume)
    delete = verbs.add("delete", f"remove {noun}s; their jobs stay").runs(run_delete)
    for verb in (disable, pause):
        verb.add_argument("--reason", default="", help="said to whoever asks why it does not run")
    found = [enable, disable, pause, resume, delete]
    for verb in found:
        verb.add_argument("names", nargs="+", metavar="NAME", help=f"name of a {noun}")
    add_change_flags(delete)
    return found


def run_ls(args: Namespace, out: Output) -> int:
    kind: Kind = args.kind
    with opened(args, out) as store:
        now = store.now()
        found = [record_of(store, row) for row in store.insights.schedules(kind.value)]
    nothing = "no worker has declared a routine" if kind is Kind.ROUTINE else "nobody has added a schedule"
    out.records(f"{kind}s", found, columns(now, kind.value), nothing)
    return Exit.OK


def record_of(store: Store, row: ScheduleRow) -> RoutineOut:
    """For programs."""
    if row.definition.kind is Kind.ROUTINE:
        return records.routine_out(row, standing_by(store, row))
    return records.schedule_out(row)


def columns(now: int, noun: str = "routine") -> list[Column]:
    """Columns of a table of routines, or of schedules."""
    return [
        Column(noun, lambda routine: routine["name"], flexible=True),
        Column("state", lambda routine: routine["state"]),
        Column("when", lambda routine: routine["rule"] or "when triggered", flexible=True),
        Column("next", lambda routine: _next(routine, now), right=True),
        Column("last run", lambda routine: ago(routine["last_run_at"], now), right=True),
        Column("last success", lambda routine: ago(routine["last_success_at"], now), right=True),
        Column("failures", lambda routine: routine["consecutive_failures"] or "", right=True),
        Column("note", _note, flexible=True, spare=True),
    ]


def _next(routine: RoutineOut, now: int) -> str:
    """When it is due: "in 3m"; "3m ago" if nobody has fired it yet."""
    due_at = routine["next_due_at"]
    return ago(due_at, now) + (" ago" if due_at is not None and at_of(due_at) <= now else "")


def _note(routine: RoutineOut) -> str:
    """Who holds it back, and why; where its state is another one, with the word."""
    state = routine["state"]
    if routine["disabled_by"] is not None:
        return f"{_unless(state, 'disabled')}by {routine['disabled_by']}{_because(routine['disable_reason'])}"
    if routine["paused_by"] is not None:
        return f"{_unless(state, 'paused')}by {routine['paused_by']}{_because(routine['pause_reason'])}"
    if state == "unreadable":
        return "a later version wrote it, and fires it"
    if routine["standing_by"] is not None and routine["standing_by"] < routine["standby"]:
        return f"{_standing_by(routine)} stand by"
    return f"waits for {', '.join(routine['waits_for'])}" if state == "waiting" else ""


def _standing_by(routine: RoutineOut) -> str:
    there, wanted = routine["standing_by"], routine["standby"]
    return "" if there is None else f"{there} of {wanted}"


def _unless(state: str, held: str) -> str:
    return "" if state == held else f"{held} "


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        row = known(store, args.name, args.kind)
        now = store.now()
        firings = store.insights.firings(args.name, None, args.limit)
        record = record_of(store, row)
    shown = {args.kind.value: record, "history": [records.firing_out(firing) for firing in firings]}
    out.record(shown, lambda: _shown(out, shown, args.kind, now))
    return Exit.OK


def _shown(out: Output, shown: dict[str, Any], kind: Kind, now: int) -> Iterator[str]:
    routine: RoutineOut = shown[kind.value]
    yield f"{out.style.bold(out.plain(routine['name']))}  {routine['state']}"
    yield from out.facts(_facts(routine, now))
    if shown["history"]:
        yield out.style.bold("due times")
        yield from (f"  {out.plain(_line(firing))}" for firing in shown["history"])


def _facts(routine: RoutineOut, now: int) -> list[tuple[str, object]]:
    return [
        ("task", routine["task"]),
        *([("arguments", records.compact(routine["args"]))] if "args" in routine else []),
        ("when", routine["rule"] or "when triggered"),
        ("runs", f"{len(routine['running'])} of {routine['replicas']}" if routine["mode"] == "continuous" else ""),
        ("standing by", _standing_by(routine)),
        ("next", _next(routine, now)),
        ("waits for", ", ".join(routine["waits_for"])),
        ("note", _note(routine) if routine["disabled_by"] or routine["paused_by"] else ""),
        ("successes", routine["successes"]),
        ("failures in a row", routine["consecutive_failures"]),
        ("last success", clock(routine["last_success_at"])),
        ("last failure", clock(routine["last_failure_at"])),
        ("last error", routine["last_error"]),
    ]


def _became(firing: FiringOut) -> str:
    return firing["outcome"] or "has not ended" if firing["job_id"] else "passed over"


def _line(firing: FiringOut) -> str:
    return f"{clock(firing['due_at'])}  {_became(firing)}  {firing['job_id'] or ''}  {firing['cause']}".rstrip()


def run_history(args: Namespace, out: Output) -> int:
    before = None if args.before is None else to_at(moment(args.before, name="--before"), name="--before")
    with opened(args, out) as store:
        known(store, args.name, args.kind)
        found = [records.firing_out(row) for row in store.insights.firings(args.name, before, args.limit)]
    more = found[-1]["due_at"] if len(found) == args.limit else None
    out.records("history", found, _history_columns(), "it had no due times yet", next=more)
    if more and out.form == "text":
        out.say(f"there may be more: --before {more}")
    return Exit.OK


def _history_columns() -> list[Column]:
    return [
        Column("due", lambda firing: clock(firing["due_at"])),
        Column("outcome", _became),
        Column("job", lambda firing: firing["job_id"] or ""),
        Column("cause", lambda firing: firing["cause"], flexible=True),
        Column("ended", lambda firing: clock(firing["ended_at"]), spare=True),
    ]


def run_trigger(args: Namespace, out: Output) -> int:
    kind: Kind = args.kind
    with opened(args, out) as store:
        row = known(store, args.name, kind)
        triggered = store.trigger_schedule(args.name, operator(), Ids().job(), force=args.force)
    if triggered.job_id is None:
        raise Refused(
            f"{kind.capitalize()} {args.name!r} was not triggered: {triggered.refusal}. Nothing was enqueued.{_ways(row)}"
        )
    record = {kind.value: args.name, "job_id": records.uuid_text(triggered.job_id)}
    out.record(record, lambda: iter([f"{record['job_id']}  {args.name}"]))
    return Exit.OK


def _ways(row: ScheduleRow) -> str:
    """What may be done about a refused trigger."""
    steer = f"relet {row.definition.kind}s"
    name = quote(row.definition.name)
    if row.definition.mode is Mode.CONTINUOUS:
        return ""
    enable = f" Next: {steer} enable {name}." if row.disabled_at is not None else ""
    return f"{enable} All the same: {steer} trigger {name} --force"


def run_backfill(args: Namespace, out: Output) -> int:
    start_at, end_at = (to_at(moment(text, name=name), name=name) for name, text in _span(args))
    with opened(args, out) as store:
        known(store, args.name, args.kind)
        due = _to_make_up(store, args.name, start_at, end_at, args.limit)
        runs = len(due)
        what = f"{plural(runs, 'run')} of {args.name}"
        fired: list[Firing] = []
        if runs and not confirm(args, out, "make", what, runs):
            would = [{"job_id": None, "due_at": records.time_text(at)} for at in due]
            out.records("jobs", would, _backfilled()[1:], "", runs=runs, dry_run=True)
            return Exit.OK
        at: int | None = start_at if runs else None
        while at is not None and len(fired) < args.limit:
            left = args.limit - len(fired)
            made = store.backfill_schedule(args.name, at, end_at, operator(), Ids().jobs, left)
            fired += made.fired
            at = made.next_at
    jobs = [{"job_id": records.uuid_text(one.job_id), "due_at": records.time_text(one.due_at)} for one in fired]
    following = None if at is None else records.time_text(at)
    out.records("jobs", jobs, _backfilled(), "no due time in between is without a run", runs=len(jobs), next=following)
    if following:
        out.say(f"made {plural(len(jobs), 'run')}; there may be more from {following} on")
    return Exit.OK


def _span(args: Namespace) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("start", args.start), ("end", args.end)


def _to_make_up(store: Store, name: str, start_at: int, end_at: int, limit: int) -> list[int]:
    """The due times to which a backfill would give a run now."""
    due: list[int] = []
    at = start_at
    while len(due) < limit:
        found = store.to_make_up(name, at, end_at, limit - len(due))
        due += found.due_times
        if found.next_at is None:
            break
        at = found.next_at
    return due


def _backfilled() -> list[Column]:
    return [
        Column("job", lambda made: made["job_id"]),
        Column("due", lambda made: clock(made["due_at"])),
    ]


def run_enable(args: Namespace, out: Output) -> int:
    return _each(args, out, "enabled", lambda store, name: store.enable_schedule(name))


def run_disable(args: Namespace, out: Output) -> int:
    return _each(args, out, "disabled", lambda store, name: store.disable_schedule(name, operator(), args.reason))


def run_pause(args: Namespace, out: Output) -> int:
    return _each(args, out, "paused", lambda store, name: store.pause_schedule(name, operator(), args.reason))


def run_resume(args: Namespace, out: Output) -> int:
    return _each(args, out, "resumed", lambda store, name: store.resume_schedule(name))


def run_delete(args: Namespace, out: Output) -> int:
    kind: Kind = args.kind
    with opened(args, out) as store:
        found = [record_of(store, known(store, name, kind)) for name in args.names]
        now = store.now()
        whose = "its" if len(found) == 1 else "their"
        what = f"{plural(len(found), kind.value)} with {whose} history: {', '.join(args.names)}"
        if not confirm(args, out, "delete", what, len(found)):
            out.records(f"{kind}s", found, columns(now, kind.value), "", dry_run=True)
            return Exit.OK
        for name in args.names:
            store.delete_schedule(name)
    out.records(f"{kind}s", found, columns(now, kind.value), "")
    out.say(f"deleted {plural(len(found), kind.value)}; their jobs stay")
    return Exit.OK


def _each(args: Namespace, out: Output, verbed: str, act: Callable[[Store, str], bool]) -> int:
    """Do it to each of them; all of them have to be there, or nothing is done."""
    kind: Kind = args.kind
    with opened(args, out) as store:
        for name in args.names:
            known(store, name, kind)
        done = sum(act(store, name) for name in args.names)
        found = [record_of(store, known(store, name, kind)) for name in args.names]
        now = store.now()
    out.records(f"{kind}s", found, columns(now, kind.value), "")
    out.say(f"{verbed} {plural(done, kind.value)}" if done else f"nothing to be {verbed}: it is so already")
    return Exit.OK


def known(store: Store, name: str, kind: Kind) -> ScheduleRow:
    """Its row. Raises NotFound, with what was probably meant."""
    row = store.insights.schedule(name)
    if row is not None and row.definition.kind is not kind:
        other = row.definition.kind
        raise NotFound(f"{name!r} is a {other}, not a {kind}. Nothing was changed. Use: relet {other}s …")
    if row is None:
        names = [each.definition.name for each in store.insights.schedules(kind.value)]
        meant = near(name, names)
        hint = f"Did you mean {meant!r}?" if meant else f"List them with: relet {kind}s ls"
        raise NotFound(f"There is no {kind} {name!r}. Nothing was changed. {hint}")
    return row
