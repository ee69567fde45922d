"""`relet workers`: list, drain and stop workers."""

from __future__ import annotations

from argparse import Namespace

from relet.cli.choose import LEAST_DIGITS
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, near
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import NotFound, UsageError
from relet.job.duration import to_us
from relet.shapes import records
from relet.shapes.words import ago, plural, size
from relet.store.port import Store
from relet.store.rows import SessionRow


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list workers with their leases").runs(run_ls)
    ls.add_argument("--ended", metavar="WITHIN", help='also those that ended within this time, such as "1h"')
    drain = verbs.add("drain", "ask workers to finish what they run, and end").runs(run_drain)
    stop = verbs.add("stop", "ask workers to give back what they run, and end").runs(run_stop)
    for verb in (drain, stop):
        verb.add_argument(
            "workers", nargs="*", metavar="WORKER", help="name of a worker, or the beginning of its session id"
        )
        verb.add_argument("--all", action="store_true", help="all live workers")
    for verb in (ls, drain, stop):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    ended_us = to_us(args.ended, name="--ended") if args.ended else 0
    with opened(args, out) as store:
        now = store.now()
        found = [records.worker_out(row) for row in store.insights.sessions(ended_us)]
    out.records("workers", found, columns(now), "no worker is running; start one: relet worker")
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of workers."""
    return [
        Column("worker", lambda worker: worker["worker"], flexible=True),
        Column("session", lambda worker: worker["session"][:8], spare=True),
        Column("state", lambda worker: worker["state"]),
        Column("queues", lambda worker: ",".join(worker["queues"]) or "all", flexible=True, spare=True),
        Column("running", lambda worker: f"{worker['running']}/{worker['slots']}", right=True),
        Column("done", lambda worker: f"{worker['done']:,}", right=True),
        Column("failed", lambda worker: f"{worker['failed']:,}", right=True),
        Column("renewed", lambda worker: ago(worker["renewed_at"], now), right=True),
        Column("lease", lambda worker: f"{worker['lease_seconds']:g}s", right=True, spare=True),
        Column(
            "memory", lambda worker: size(worker["rss_bytes"]) if worker["rss_bytes"] else "", right=True, spare=True
        ),
        Column("up", lambda worker: ago(worker["started_at"], now), right=True, spare=True),
    ]


def run_drain(args: Namespace, out: Output) -> int:
    return _ask(args, out, "drain")


def run_stop(args: Namespace, out: Output) -> int:
    return _ask(args, out, "stop")


def _ask(args: Namespace, out: Output, verb: str) -> int:
    if bool(args.workers) == args.all:
        raise UsageError("Name the workers, or give --all.")
    with opened(args, out) as store:
        chosen = _chosen(store, args.workers)
        asked = [row for row in chosen if store.ask_worker(row.id, verb)]
        now = store.now()
        ids = {row.id for row in asked}
        found = [records.worker_out(row) for row in store.insights.sessions() if row.id in ids]
    out.records("workers", found, columns(now))
    if chosen:
        heard = "each hears of it within a second or with its next renewal"
        out.say(f"asked {plural(len(asked), 'worker')} to {verb}; {heard}")
    else:
        out.say(f"no worker is running; nobody was asked to {verb}")
    return Exit.OK if len(asked) == len(chosen) else Exit.REFUSED


def _chosen(store: Store, names: list[str]) -> list[SessionRow]:
    live = [row for row in store.insights.sessions() if row.ended_at is None]
    if not names:
        return live
    found: dict[bytes, SessionRow] = {}
    for name in names:
        matching = [row for row in live if _is(row, name)]
        if not matching:
            hint = near(name, [row.worker for row in live])
            raise NotFound(f"There is no live worker {name!r}." + (f" Did you mean {hint}?" if hint else ""))
        found |= {row.id: row for row in matching}
    return list(found.values())


def _is(row: SessionRow, name: str) -> bool:
    digits = name.replace("-", "").lower()
    return row.worker == name or (len(digits) >= LEAST_DIGITS and row.id.hex().startswith(digits))
