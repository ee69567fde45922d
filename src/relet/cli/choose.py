"""Choosing jobs and dead letters: by id (or the beginning of one), or by a filter that is walked page by page."""

from __future__ import annotations

import getpass
import os
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar
from uuid import UUID

from relet.cli.exits import Exit, Problem
from relet.cli.output import Output
from relet.cli.parser import Arguments, Parser, add_change_flags, add_output_flags, add_store_flags
from relet.cli.table import Column
from relet.errors import NotFound, Refused, UsageError
from relet.job.duration import to_us
from relet.job.state import State
from relet.shapes.records import uuid_text
from relet.shapes.schema import ChangeOut
from relet.shapes.words import plural, when
from relet.store.page import id_behind
from relet.store.port import Store
from relet.store.reads import Insights
from relet.store.rows import BatchRow, DeadFilter, DeadRow, JobFilter, JobRow

LEAST_DIGITS = 4
PAGE = 500
_Row = TypeVar("_Row", JobRow, DeadRow, BatchRow)
_Id = TypeVar("_Id", JobRow, BatchRow)


# ── by id ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def job_named(store: Store, text: str) -> JobRow:
    """The job of this id, or the only one whose id begins so. Raises NotFound."""
    insights = store.insights
    return _named(text, "job", insights.job, lambda before: insights.jobs(JobFilter(before=before, limit=2)))


def batch_named(store: Store, text: str) -> BatchRow:
    """The batch of this id, or the only one whose id begins so. Raises NotFound."""
    insights = store.insights
    return _named(text, "batch", insights.batch, lambda before: insights.batches(before=before, limit=2))


def _named(
    text: str, noun: str, one: Callable[[bytes], _Id | None], newest: Callable[[bytes | None], Sequence[_Id]]
) -> _Id:
    whole = _whole(text)
    if whole is not None:
        row = one(whole)
        if row is None:
            raise NotFound(f"There is no {noun} {uuid_text(whole)}. It may have been removed by retention.")
        return row
    low, high = _bounds(text)
    return _only([row for row in newest(high) if row.id >= low], text, noun, lambda row: row.id)


def dead_named(store: Store, text: str) -> DeadRow:
    """The dead letter of this job id, or the only one whose id begins so; resolved ones too. Raises NotFound."""
    whole = _whole(text)
    low, high = (whole, id_behind(whole)) if whole is not None else _bounds(text)
    rows = store.insights.dead(DeadFilter(resolved=None, before=high, limit=2))
    return _only([row for row in rows if row.job_id >= low], text, "dead letter", lambda row: row.job_id)


def _whole(text: str) -> bytes | None:
    digits = text.strip().replace("-", "").lower()
    if len(digits) != 32:
        return None
    try:
        return UUID(hex=digits).bytes
    except ValueError:
        return None


def _bounds(text: str) -> tuple[bytes, bytes | None]:
    """The least id that begins with these digits, and the least one behind all of them (None: there is no such)."""
    digits = text.strip().replace("-", "").lower()
    if not LEAST_DIGITS <= len(digits) < 32 or set(digits) - set("0123456789abcdef"):
        raise UsageError(f"{text!r} is not a job id. Give the whole id, or at least its first {LEAST_DIGITS} digits.")
    return bytes.fromhex(digits.ljust(32, "0")), id_behind(bytes.fromhex(digits.ljust(32, "f")))


def _only(rows: Sequence[_Row], text: str, noun: str, id_of: Callable[[_Row], bytes]) -> _Row:
    if not rows:
        raise NotFound(f"There is no {noun} {text!r}. It may have been removed by retention.")
    if len(rows) > 1:
        some = ", ".join(uuid_text(id_of(row)) for row in rows)
        raise NotFound(f"More than one {noun} begins with {text!r}: {some}, … Give more digits.")
    return rows[0]


def configure_change(parser: Parser, add_filter: Callable[[Arguments], None], *, all_of_them: bool = False) -> Parser:
    """Arguments of a command that changes jobs or dead letters: ids, or a filter, and the flags of every such command."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="job ids, or their first digits; or give a filter:")
    add_filter(parser)
    if all_of_them:
        parser.add_argument("--all", action="store_true", help="all of them")
    add_change_flags(parser)
    add_store_flags(parser)
    add_output_flags(parser)
    return parser


# ── by filter ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def add_job_filter(group: Arguments) -> None:
    """Flags that choose jobs; all given ones have to hold."""
    group.add_argument("--state", choices=[state.value for state in State], help="only jobs in this state")
    group.add_argument("--task", help="only jobs of this task, by its whole name")
    group.add_argument("--queue", help="only jobs of this queue")
    group.add_argument("--worker", metavar="NAME", help="only jobs that this worker runs or ended")
    group.add_argument("--since", metavar="WHEN", help='enqueued since: "2h" ago, or an ISO 8601 time')
    group.add_argument("--until", metavar="WHEN", help="enqueued before that")


def job_filter(args: Namespace, now: int) -> JobFilter:
    """The filter of those flags."""
    return JobFilter(
        state=State(args.state) if args.state else None,
        task=args.task,
        queue=args.queue,
        worker=args.worker,
        created_after=when(args.since, now, name="--since"),
        created_before=when(args.until, now, name="--until"),
        stuck_us=to_us(args.stuck, name="--stuck") if getattr(args, "stuck", None) else None,
    )


def add_dead_filter(group: Arguments) -> None:
    """Flags that choose dead letters; all given ones have to hold."""
    group.add_argument("--task", help="only of this task, by its whole name")
    group.add_argument("--queue", help="only of this queue")
    group.add_argument("--reason", help="only with this reason: attempts, permanent, rejected, poison, deadline")
    group.add_argument("--error", metavar="TEXT", help="only with this text in the error, in any case")
    group.add_argument("--since", metavar="WHEN", help='failed since: "2h" ago, or an ISO 8601 time')
    group.add_argument("--until", metavar="WHEN", help="failed before that")


def dead_filter(args: Namespace, now: int, *, resolved: bool | None = False) -> DeadFilter:
    """The filter of those flags."""
    return DeadFilter(
        task=args.task,
        queue=args.queue,
        reason=args.reason,
        error_like=args.error,
        failed_after=when(args.since, now, name="--since"),
        failed_before=when(args.until, now, name="--until"),
        resolved=resolved,
    )


def all_jobs(insights: Insights, wanted: JobFilter) -> Iterator[JobRow]:
    """Every job that matches, newest first, page by page."""
    page = insights.jobs(replace(wanted, limit=PAGE))
    while page:
        yield from page
        page = insights.jobs(replace(wanted, limit=PAGE, before=page[-1].id)) if len(page) == PAGE else []


def all_dead(insights: Insights, wanted: DeadFilter) -> Iterator[DeadRow]:
    """Every dead letter that matches, newest first, page by page."""
    page = insights.dead(replace(wanted, limit=PAGE))
    while page:
        yield from page
        page = insights.dead(replace(wanted, limit=PAGE, before=page[-1].job_id)) if len(page) == PAGE else []


def need_a_choice(args: Namespace, *filters: str) -> None:
    """Ids or a filter, not both, not neither: an empty filter must not mean everything."""
    filtered = [f"--{name}" for name in filters if getattr(args, name)]
    if args.ids and filtered:
        raise UsageError(f"Both ids and {filtered[0]} were given. Give ids, or a filter.")
    if not args.ids and not filtered and not getattr(args, "all", False):
        known = [*filters, "all"] if hasattr(args, "all") else filters
        raise UsageError(f"Nothing was chosen. Give ids, or a filter: {', '.join('--' + name for name in known)}.")


# ── what became of them ───────────────────────────────────────────────────────────────────────────────────────────────
class Made(NamedTuple):
    """What was done to a job: in a word for people (None: nothing), the state in which it was found, and why it was not done."""

    did: str | None
    state: State | None
    why: str = ""


def change(job_id: bytes, act: Callable[[], Made]) -> ChangeOut:
    """Do one thing to one job, and record what became of it; a refusal is an answer, not the end of the others."""
    try:
        made = act()
    except (Refused, NotFound, UsageError) as error:
        made = Made(None, None, str(error))
    return ChangeOut(
        id=uuid_text(job_id),
        done=made.did is not None,
        did=made.did or "",
        state=made.state.value if made.state else None,
        why=made.why,
    )


def unchanged(job_id: bytes, state: State) -> ChangeOut:
    """For a dry run."""
    return ChangeOut(id=uuid_text(job_id), done=False, did="", state=state.value, why="")


def report(out: Output, verbed: str, noun: str, changes: Sequence[ChangeOut]) -> int:
    """Print what became of each, say how many, and choose the exit status: refused if any was not done."""
    columns = [
        Column("id", lambda c: c["id"]),
        Column("done", lambda c: c["did"] or "refused"),
        Column("was", lambda c: c["state"], state=True),
        Column("why", lambda c: c["why"], flexible=True),
    ]
    out.records("changes", changes, columns)
    counts = Counter(c["did"] for c in changes)
    refused = counts.pop("", 0)
    told = [f"{did} {plural(count, noun)}" for did, count in counts.items()] or [f"{verbed} {plural(0, noun)}"]
    out.say("; ".join([*told, f"{refused:,} refused"] if refused else told))
    return Exit.REFUSED if refused else Exit.OK


def operator() -> str:
    """Who asks, for the record: user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "unknown"
    host = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return f"{user}@{host}".encode("ascii", "replace").decode()


def nothing_matches(what: str) -> Problem:
    """An empty choice is worth an exit status: a script that expected some should notice."""
    return Problem(Exit.NOT_FOUND, f"no {what} matches", "Nothing was changed.")
