"""`relet jobs`: list, show, explain, cancel, retry and remove jobs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

from relet.cli import choose
from relet.cli.batches import bond_lines
from relet.cli.choose import Made, add_job_filter, configure_change, job_named, operator
from relet.cli.confirm import confirm
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, count
from relet.cli.table import Column
from relet.cli.target import opened, resolved
from relet.clock import SECOND
from relet.errors import NotFound
from relet.job.costs import summed, unit_of
from relet.job.duration import format_us, to_us
from relet.job.money import spent_text
from relet.job.state import ENDED, State
from relet.settings import Settings
from relet.shapes import records
from relet.shapes.schema import AttemptOut, ChangeOut, JobOut, UsageOut
from relet.shapes.words import ago, clock, plural
from relet.store.port import Store
from relet.store.rows import JobRow

LOG_LINES = 200
REMOVABLE = ENDED - {State.DEAD}
FILTERS = ("state", "task", "queue", "worker", "since", "until")


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    _configure_ls(verbs.add("ls", "list jobs, newest first"))
    _configure_show(verbs.add("show", "everything about one job: facts, history, log lines, usage"))
    why = verbs.add("why", "why a job is not running, or what became of it").runs(run_why)
    why.add_argument("id", help="job id, or its first digits")
    cancel = _changing(verbs.add("cancel", "cancel jobs that wait, and ask running ones to end").runs(run_cancel))
    cancel.add_argument("--reason", default="", help="said to the job and kept in its history")
    cancel.add_argument("--grace", help="how long a running job may take to end (the setting cancel_grace: 20s)")
    _changing(verbs.add("retry", "run dead jobs again, with fresh counters").runs(run_retry))
    _changing(verbs.add("rm", "remove ended jobs with their history, for good").runs(run_rm))
    for verb in (why,):
        add_store_flags(verb)
        add_output_flags(verb)


def _changing(parser: Parser) -> Parser:
    return configure_change(parser, add_job_filter)


def _configure_ls(parser: Parser) -> None:
    parser.runs(run_ls)
    add_job_filter(parser)
    parser.add_argument(
        "--stuck",
        nargs="?",
        const="10m",
        metavar="FOR",
        help="only jobs that have run for longer than FOR (10m), or whose worker is gone",
    )
    parser.add_argument("--limit", type=count, default=50, help="how many (50)")
    parser.add_argument("--before", metavar="ID", help="only jobs older than this one: the next page")
    add_store_flags(parser)
    add_output_flags(parser)


def _configure_show(parser: Parser) -> None:
    parser.runs(run_show)
    parser.add_argument("id", help="job id, or its first digits")
    parser.add_argument("--logs", type=count, default=LOG_LINES, metavar="N", help=f"at most N log lines ({LOG_LINES})")
    add_store_flags(parser)
    add_output_flags(parser)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        before = job_named(store, args.before).id if args.before else None
        wanted = replace(choose.job_filter(args, now), before=before)
        found = [records.job_out(row) for row in islice(choose.all_jobs(store.insights, wanted), args.limit)]
    more = found[-1]["id"] if len(found) == args.limit else None
    out.records("jobs", found, columns(now), "no jobs match", next=more)
    if more and out.form == "text":
        out.say(f"there may be more: --before {more}")
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of jobs."""
    return [
        Column("id", lambda job: job["id"]),
        Column("state", lambda job: job["state"], state=True),
        Column("task", lambda job: job["task"], flexible=True),
        Column("queue", lambda job: job["queue"], flexible=True, spare=True),
        Column("age", lambda job: ago(job["created_at"], now), right=True),
        Column("failed", lambda job: job["failed_attempts"] or "", right=True, spare=True),
        Column("worker", lambda job: job["worker"], flexible=True, spare=True),
        Column("note", note_of(now), flexible=True),
    ]


def note_of(now: int) -> Callable[[Mapping[str, Any]], str]:
    """The one thing worth saying about a job beside its state."""

    def note(job: Mapping[str, Any]) -> str:
        if job["state"] == State.WAITING:
            return "comes after others: relet jobs why"
        if job["state"] == State.SCHEDULED:
            return f"due {ago(job['run_at'], now)}"
        if job["state"] == State.RUNNING:
            percent = "" if job["percent"] is None else f"{job['percent']:.0f} % "
            asked = "cancel asked " if job["cancel_asked"] is not None else ""
            return f"{asked}{percent}{job['message'] or ''}".strip()
        return (job["error"] or "").splitlines()[0] if job["error"] else ""

    return note


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        row = job_named(store, args.id)
        insights, now = store.insights, store.now()
        shown = {
            "job": records.job_out(row),
            "parents": [records.bond_out(edge, parent=True) for edge in insights.parents(row.id)],
            "children": [records.bond_out(edge, parent=False) for edge in insights.children(row.id)],
            "attempts": [records.attempt_out(attempt) for attempt in insights.attempts(row.id)],
            "logs": [records.log_out(line) for line in insights.logs(row.id, (0, -1), args.logs)],
            "usage": [records.usage_out(usage) for usage in insights.usage(row.id)],
        }
    out.record(shown, lambda: _shown(out, shown, now))
    return Exit.OK


def _shown(out: Output, shown: dict[str, Any], now: int) -> Iterator[str]:
    job: JobOut = shown["job"]
    yield f"{out.style.bold(job['id'])}  {out.style.state(job['state'])}"
    yield from out.facts([*_facts(job, now), ("cost", _spent(shown["usage"]))])
    for title, lines in (
        ("after", bond_lines(shown["parents"])),
        ("before", bond_lines(shown["children"])),
        ("attempts", _attempt_lines(shown["attempts"], shown["usage"])),
        ("log", [f"{line['level']:<7} {line['message']}" for line in shown["logs"]]),
        ("usage", [f"{use['kind']} {use['amount']} {use['unit']}" for use in shown["usage"]]),
    ):
        if lines:
            yield out.style.bold(title)
            yield from (f"  {out.plain(line)}" for line in lines)


def _facts(job: JobOut, now: int) -> list[tuple[str, object]]:
    return [
        ("task", job["task"]),
        ("queue", f"{job['queue']}, priority {job['priority']}"),
        ("args", records.compact(job["args"])),
        ("needs", ", ".join(job["needs"])),
        ("enqueued", f"{clock(job['created_at'])} ({ago(job['created_at'], now)} ago)"),
        ("due", job["run_at"] and f"{clock(job['run_at'])} ({ago(job['run_at'], now)})"),
        ("started", clock(job["started_at"])),
        ("ended", clock(job["ended_at"])),
        ("worker", job["worker"]),
        ("counters", _counters(job)),
        ("progress", _progress(job)),
        ("cancel asked", _cancel_asked(job)),
        ("result", "" if job["result"] is None else records.compact(job["result"])),
        ("error", job["error"]),
    ]


def _cancel_asked(job: JobOut) -> str:
    if job["cancel_asked"] is None or State(job["state"]).ended:
        return ""
    return job["cancel_asked"] or "yes, without a reason"


def _counters(job: JobOut) -> str:
    words = [plural(job["claims"], "claim"), plural(job["failed_attempts"], "failed attempt")]
    words += [plural(job["crashes"], "crash", "crashes")] if job["crashes"] else []
    words += [plural(job["releases"], "release")] if job["releases"] else []
    return ", ".join(words)


def _progress(job: JobOut) -> str:
    return "" if job["percent"] is None else f"{job['percent']:.0f} % {job['message'] or ''}".strip()


def _spent(usage: Iterable[UsageOut]) -> str:
    return spent_text(summed((unit_of(use["kind"], use["unit"]), Decimal(use["amount"])) for use in usage))


def _attempt_lines(attempts: list[AttemptOut], usage: list[UsageOut]) -> list[str]:
    lines: list[str] = []
    for attempt in attempts:
        took = format_us(round(attempt["seconds"] * SECOND))
        head = f"{attempt['claim']}: {attempt['outcome']} on {attempt['worker'] or '?'} after {took}"
        spent = _spent(use for use in usage if use["claim"] == attempt["claim"])
        head += f", {spent}" if spent else ""
        lines.append(f"{head}: {attempt['error']}" if attempt["error"] else head)
        lines += [f"    {line}" for line in attempt["stack"].splitlines()]
    return lines


def run_why(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        found = why_of(store, args.id)
    out.record(found, lambda: map(out.plain, found["why"]))
    return Exit.OK


def why_of(store: Store, text: str) -> dict[str, Any]:
    """Why a job does not run, as a record. Raises NotFound."""
    from relet.job.why import explain

    row = job_named(store, text)
    standing = store.insights.why(row.id)
    if standing is None:
        raise NotFound(f"Job {records.uuid_text(row.id)} was removed a moment ago.")
    return {"id": records.uuid_text(row.id), "state": row.state.value, "why": explain(standing)}


# ── changing ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def run_cancel(args: Namespace, out: Output) -> int:
    settings = resolved(args, out)
    grace_us = settings.cancel_grace_us if args.grace is None else to_us(args.grace, name="--grace")

    def cancel(store: Store, job_id: bytes) -> Made:
        found = store.cancel(job_id, args.reason, operator(), grace_us)
        if found is None or found.ended:
            return Made(None, found, _ended_already(found))
        return Made("asked to cancel" if found is State.RUNNING else "cancelled", found)

    status, changes = _change(args, out, "cancel", "cancelled", cancel, frozenset(State) - ENDED, settings)
    if any(change["did"] == "asked to cancel" for change in changes):
        out.say(
            f"a running job is told within a second, and has {format_us(grace_us)} to end; then a process is killed, "
            "and anything else abandoned: a thread runs on, and what it returns is refused"
        )
    return status


def run_retry(args: Namespace, out: Output) -> int:
    def retry(store: Store, job_id: bytes) -> Made:
        if store.retry_dead(job_id, None, operator()):
            return Made("retried", State.DEAD)
        row = store.insights.job(job_id)
        return Made(None, row and row.state, "only dead jobs are retried; to run another one again, enqueue it")

    return _change(args, out, "retry", "retried", retry, frozenset({State.DEAD}))[0]


def run_rm(args: Namespace, out: Output) -> int:
    def remove(store: Store, job_id: bytes) -> Made:
        found = store.delete_job(job_id)
        if found is None:
            return Made(None, None, _ended_already(None))
        if found in REMOVABLE:
            return Made("removed", found)
        return Made(
            None, found, f"it is {found}; " + ("use: relet dead rm" if found is State.DEAD else "cancel it first")
        )

    return _change(args, out, "remove", "removed", remove, REMOVABLE)[0]


def _ended_already(found: State | None) -> str:
    return "there is no such job" if found is None else f"it has ended: {found.value}"


Act = Callable[[Store, bytes], Made]


def _change(
    args: Namespace,
    out: Output,
    verb: str,
    verbed: str,
    act: Act,
    fitting: frozenset[State],
    settings: Settings | None = None,
) -> tuple[int, list[ChangeOut]]:
    """Choose, ask, do one by one, report: exit status, and what became of each.

    A filter chooses only jobs in a `fitting` state.
    """
    choose.need_a_choice(args, *FILTERS)
    with opened(args, out, settings=settings) as store:
        chosen = _chosen(args, store, fitting)
        if not chosen:
            raise choose.nothing_matches("job")
        if (not args.ids or args.dry_run) and not confirm(args, out, verb, plural(len(chosen), "job"), len(chosen)):
            found = [choose.unchanged(row.id, row.state) for row in chosen]
            out.records("changes", found, [Column("would " + verb, lambda job: job["id"])], dry_run=True)
            return Exit.OK, found
        changes = [choose.change(row.id, lambda row=row: act(store, row.id)) for row in chosen]
    return choose.report(out, verbed, "job", changes), changes


def _chosen(args: Namespace, store: Store, fitting: frozenset[State]) -> list[JobRow]:
    if args.ids:
        return [job_named(store, text) for text in args.ids]
    wanted = choose.job_filter(args, store.now())
    return [row for row in choose.all_jobs(store.insights, wanted) if row.state in fitting]
