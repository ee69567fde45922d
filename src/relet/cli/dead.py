"""`relet dead`: list, show, retry, resolve and remove dead letters."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from relet.cli import choose
from relet.cli.choose import Made, add_dead_filter, configure_change, dead_named, operator
from relet.cli.confirm import confirm
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, count
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import UsageError
from relet.job.state import State
from relet.shapes import records
from relet.shapes.schema import DeadOut
from relet.shapes.words import ago, clock, plural
from relet.store.port import Store
from relet.store.rows import DeadRow

FILTERS = ("task", "queue", "reason", "error", "since", "until")


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    _configure_ls(verbs.add("ls", "list dead letters, newest first"))
    show = verbs.add("show", "one dead letter with its stack").runs(run_show)
    show.add_argument("id", help="job id, or its first digits")
    stats = verbs.add("stats", "how many there are in each queue").runs(run_stats)
    for verb in (show, stats):
        add_store_flags(verb)
        add_output_flags(verb)
    retry = _changing(verbs.add("retry", "run them again, with fresh counters").runs(run_retry))
    retry.add_argument("--args", metavar="JSON", help="for one id: run it with these arguments instead")
    resolve = _changing(verbs.add("resolve", "mark as resolved, with who and when").runs(run_resolve))
    resolve.add_argument("--notes", default="", help="what was done about it")
    resolve.add_argument("--reopen", action="store_true", help="the other way: mark as not resolved")
    remove = _changing(verbs.add("rm", "remove them and their jobs, for good").runs(run_rm))
    remove.add_argument("--resolved", action="store_true", help="with a filter: only resolved ones")


def _changing(parser: Parser) -> Parser:
    return configure_change(parser, add_dead_filter, all_of_them=True)


def _configure_ls(parser: Parser) -> None:
    parser.runs(run_ls)
    add_dead_filter(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--resolved", action="store_true", help="only resolved ones")
    which.add_argument("--all", action="store_true", help="open and resolved ones")
    parser.add_argument("--limit", type=count, default=50, help="how many (50)")
    parser.add_argument("--before", metavar="ID", help="only letters of jobs older than this one: the next page")
    add_store_flags(parser)
    add_output_flags(parser)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        resolved = None if args.all else args.resolved
        before = dead_named(store, args.before).job_id if args.before else None
        wanted = replace(choose.dead_filter(args, now, resolved=resolved), before=before)
        found = [records.dead_out(row) for row in islice(choose.all_dead(store.insights, wanted), args.limit)]
        total = store.insights.dead_count(wanted)
    more = found[-1]["id"] if len(found) == args.limit else None
    out.records("dead", found, columns(now), "no dead letters match", total=total, next=more)
    if found and out.form == "text":
        out.say(
            f"{len(found):,} of {total:,}"
            + (f"; the next page: --before {more}" if more and total > len(found) else "")
        )
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of dead letters."""
    return [
        Column("id", lambda dead: dead["id"]),
        Column("task", lambda dead: dead["task"], flexible=True),
        Column("queue", lambda dead: dead["queue"], flexible=True, spare=True),
        Column("died", lambda dead: ago(dead["failed_at"], now), right=True),
        Column("reason", lambda dead: dead["reason"]),
        Column("failed", lambda dead: dead["failed_attempts"], right=True, spare=True),
        Column("resolved", lambda dead: dead["resolved_by"] or "", flexible=True, spare=True),
        Column("error", lambda dead: (dead["error"] or " ").splitlines()[0], flexible=True),
    ]


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        shown = records.dead_out(dead_named(store, args.id))
    out.record(shown, lambda: _shown(out, shown, now))
    return Exit.OK


def _shown(out: Output, dead: DeadOut, now: int) -> Iterator[str]:
    yield f"{out.style.bold(dead['id'])}  {out.style.state('dead')}"
    counts = f"{plural(dead['failed_attempts'], 'failed attempt')}, {plural(dead['crashes'], 'crash', 'crashes')}"
    yield from out.facts(
        (
            ("task", dead["task"]),
            ("queue", dead["queue"]),
            ("args", records.compact(dead["args"])),
            ("reason", f"{dead['reason']} ({counts})"),
            ("died", f"{clock(dead['failed_at'])} ({ago(dead['failed_at'], now)} ago)"),
            ("error", dead["error"]),
            ("resolved", f"{clock(dead['resolved_at'])} by {dead['resolved_by']}" if dead["resolved"] else ""),
            ("notes", dead["notes"]),
        )
    )
    yield from (f"  {out.plain(line)}" for line in dead["stack"].splitlines())


def run_stats(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        found = [records.dead_stats_out(row) for row in store.insights.dead_stats()]
    columns = [
        Column("queue", lambda row: row["queue"], flexible=True),
        Column("open", lambda row: f"{row['open']:,}", right=True),
        Column("resolved", lambda row: f"{row['resolved']:,}", right=True),
        Column("total", lambda row: f"{row['total']:,}", right=True),
    ]
    out.records("queues", found, columns, "no dead letters")
    return Exit.OK


# ── changing ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def run_retry(args: Namespace, out: Output) -> int:
    if args.args is not None and len(args.ids) != 1:
        raise UsageError("--args is for exactly one dead letter. Give one id, or leave it out.")
    arguments = None if args.args is None else _arguments(args.args)
    return _change(args, out, "retry", "retried", lambda store, job: store.retry_dead(job, arguments, operator()))


def _arguments(text: str) -> str:
    """New arguments, as stored: one JSON object by parameter name."""
    import msgspec

    try:
        return msgspec.json.encode(msgspec.json.decode(text, type=dict[str, object])).decode()
    except msgspec.MsgspecError as error:
        raise UsageError(
            f'--args: {error}. Write one JSON object by parameter name, such as {{"order_id": 7}}.'
        ) from None


def run_resolve(args: Namespace, out: Output) -> int:
    verbed = "reopened" if args.reopen else "resolved"

    def resolve(store: Store, job: bytes) -> bool:
        return store.resolve_dead(job, not args.reopen, operator(), args.notes)

    return _change(args, out, verbed[:-1] if not args.reopen else "reopen", verbed, resolve, resolved=args.reopen)


def run_rm(args: Namespace, out: Output) -> int:
    return _change(args, out, "remove", "removed", lambda store, job: store.delete_dead(job), resolved=args.resolved)


Act = Callable[[Store, bytes], bool]


def _change(args: Namespace, out: Output, verb: str, verbed: str, act: Act, *, resolved: bool = False) -> int:
    """Choose, ask, do one by one, report."""
    choose.need_a_choice(args, *FILTERS)
    with opened(args, out) as store:
        chosen = _chosen(args, store, resolved=resolved)
        if not chosen:
            raise choose.nothing_matches("dead letter")
        if (not args.ids or args.dry_run) and not confirm(
            args, out, verb, plural(len(chosen), "dead letter"), len(chosen)
        ):
            found = [choose.unchanged(row.job_id, State.DEAD) for row in chosen]
            out.records("changes", found, [Column("would " + verb, lambda dead: dead["id"])], dry_run=True)
            return Exit.OK
        changes = [choose.change(row.job_id, lambda row=row: _one(act, verbed, store, row)) for row in chosen]
    return choose.report(out, verbed, "dead letter", changes)


def _one(act: Act, verbed: str, store: Store, row: DeadRow) -> Made:
    if act(store, row.job_id):
        return Made(verbed, State.DEAD)
    return Made(None, None, "it has left the dead letters meanwhile")


def _chosen(args: Namespace, store: Store, *, resolved: bool) -> list[DeadRow]:
    if args.ids:
        return [dead_named(store, text) for text in args.ids]
    return list(choose.all_dead(store.insights, choose.dead_filter(args, store.now(), resolved=resolved)))
