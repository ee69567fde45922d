"""`relet breakers`: list circuit breakers, show one, open, close and reset them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator

from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, near
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import NotFound
from relet.job.duration import to_us
from relet.shapes import records
from relet.shapes.schema import BreakerOut
from relet.shapes.words import ago, clock, plural
from relet.store.port import Store
from relet.store.rows import BreakerRow


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list circuit breakers, and how they stand").runs(run_ls)
    show = verbs.add("show", "one breaker").runs(run_show)
    show.add_argument("name", help="name of a breaker: stripe, task:shop.charge, queue:billing")
    opens = verbs.add("open", "let nothing pass until they are closed").runs(run_open)
    opens.add_argument("--for", dest="duration", metavar="DURATION", help="so long only; then probes may try")
    opens.add_argument("--reason", default="", help="said to whoever asks why a job does not run")
    closes = verbs.add("close", "let everything pass again").runs(run_close)
    reset = verbs.add("reset", "close them, and forget how often they have opened").runs(run_reset)
    for verb in (opens, closes, reset):
        verb.add_argument("names", nargs="+", metavar="NAME", help="name of a breaker")
    for verb in (ls, show, opens, closes, reset):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [records.breaker_out(row, now) for row in store.insights.breakers()]
    out.records("breakers", found, columns(now), "no worker has declared a circuit breaker")
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of breakers."""
    return [
        Column("breaker", lambda breaker: breaker["name"], flexible=True),
        Column("state", lambda breaker: breaker["state"]),
        Column("since", lambda breaker: ago(breaker["opened_at"], now), right=True),
        Column("next probe", lambda breaker: _next_probe(breaker, now), right=True),
        Column("failures", lambda breaker: breaker["failures"] or "", right=True),
        Column("trips", lambda breaker: breaker["trips"] or "", right=True),
        Column("why", _why, flexible=True, spare=True),
    ]


def _next_probe(breaker: BreakerOut, now: int) -> str:
    if breaker["state"] == "half-open":
        return f"{breaker['probes_out']} out" if breaker["probes_out"] else "now"
    if breaker["state"] == "open" and breaker["probe_at"] is None:
        return "when closed"
    return ago(breaker["probe_at"], now)


def _why(breaker: BreakerOut) -> str:
    if breaker["state"] == "closed":
        return ""
    by = "" if breaker["changed_by"] == "relet" else f"by {breaker['changed_by']}"
    return ": ".join(filter(None, (by, breaker["because"], breaker["last_error"])))


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        row, now = _known(store, args.name), store.now()
    breaker = records.breaker_out(row, now)
    out.record(breaker, lambda: _shown(out, breaker, now))
    return Exit.OK


def _shown(out: Output, breaker: BreakerOut, now: int) -> Iterator[str]:
    yield f"{out.style.bold(out.plain(breaker['name']))}  {breaker['state']}"
    yield from out.facts(
        [
            ("rule", breaker["rule"]),
            ("open since", clock(breaker["opened_at"]) if breaker["opened_at"] else ""),
            ("next probe", _next_probe(breaker, now) if breaker["state"] != "closed" else ""),
            ("because", breaker["because"]),
            ("last error", breaker["last_error"]),
            ("failures in a row", breaker["failures"]),
            ("trips", breaker["trips"]),
            ("changed", f"{clock(breaker['changed_at'])} by {breaker['changed_by']}"),
        ]
    )


def run_open(args: Namespace, out: Output) -> int:
    lasts_us = None if args.duration is None else to_us(args.duration, name="--for")

    def act(store: Store, name: str) -> BreakerRow | None:
        until = None if lasts_us is None else store.now() + lasts_us
        return store.open_breaker(name, operator(), args.reason, until)

    return _each(args, out, "opened", act)


def run_close(args: Namespace, out: Output) -> int:
    return _each(args, out, "closed", lambda store, name: store.close_breaker(name, operator()))


def run_reset(args: Namespace, out: Output) -> int:
    return _each(args, out, "reset", lambda store, name: store.close_breaker(name, operator(), forget=True))


def _each(args: Namespace, out: Output, verbed: str, act: Callable[[Store, str], BreakerRow | None]) -> int:
    """Do it to each breaker; all of them have to be there, or nothing is done."""
    with opened(args, out) as store:
        for name in args.names:
            _known(store, name)
        for name in args.names:
            act(store, name)
        now = store.now()
        found = [records.breaker_out(_known(store, name), now) for name in args.names]
    out.records("breakers", found, columns(now), "")
    out.say(f"{verbed} {plural(len(found), 'breaker')}; workers hear of it within a second")
    return Exit.OK


def _known(store: Store, name: str) -> BreakerRow:
    row = store.insights.breaker(name)
    if row is None:
        names = [each.name for each in store.insights.breakers()]
        meant = next((each for each in names if each.endswith((f":{name}", f".{name}"))), None) or near(name, names)
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet breakers ls"
        raise NotFound(f"There is no breaker {name!r}. Nothing was changed. {hint}")
    return row
