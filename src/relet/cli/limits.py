"""`relet limits`: what jobs share by name and key: list, show, set, pause, resume and forget limits."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags, count, near
from relet.cli.queues import limit_value
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import NotFound, UsageError
from relet.job.duration import to_us
from relet.kept import rule_and_kept
from relet.limits import settable_name
from relet.shapes import records
from relet.shapes.schema import LimitKeyOut, LimitOut
from relet.shapes.words import ago
from relet.store.port import Store
from relet.store.rows import LimitRow

KEYS = 20


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list limits, and what is used of them").runs(run_ls)
    show = verbs.add("show", "one limit, with its keys").runs(run_show)
    show.add_argument("--after", metavar="KEY", help="the page behind this key")
    show.add_argument("--limit", type=count, default=KEYS, metavar="N", help=f"at most N keys ({KEYS})")
    change = verbs.add("set", "hold each key to so many jobs at once, and so many starts in a time").runs(run_set)
    change.add_argument("--concurrency", metavar="N", help='jobs at once, ready or running; "none" takes it away')
    change.add_argument(
        "--rate", metavar="RATE", help='units that start in a time: "50/min", "10/s;20000/day"; or "none"'
    )
    pause = verbs.add("pause", "let no further job in; what has passed goes on").runs(run_pause)
    pause.add_argument("--for", dest="span", metavar="DURATION", help="resume by itself after this time")
    resume = verbs.add("resume", "end a pause").runs(run_resume)
    for verb in (pause, resume):
        verb.add_argument("--key", metavar="KEY", help="only this key of it")
    forget = verbs.add("forget", "end a limit, until a worker starts whose code declares it").runs(run_forget)
    for verb in (show, change, pause, resume, forget):
        verb.add_argument("name", help="name of a limit")
    for verb in (ls, show, change, pause, resume, forget):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [records.limit_out(row, now) for row in store.insights.limits()]
    out.records("limits", found, _columns(now), "no worker has declared a limit, and nobody has set one")
    return Exit.OK


def _columns(now: int) -> list[Column]:
    return [
        Column("limit", lambda limit: limit["name"], flexible=True),
        Column(
            "rule", lambda limit: limit["rule"] or ("none" if limit["origin"] else "not declared yet"), flexible=True
        ),
        Column("keys", lambda limit: _count(limit["keys"]), right=True),
        Column("passed", lambda limit: _count(limit["passed"]), right=True),
        Column("waiting", lambda limit: _count(limit["waiting"]), right=True),
        Column("note", lambda limit: _note(limit, now), flexible=True, spare=True),
    ]


def _count(count: int) -> str:
    """At its cap a count says so."""
    return f"{count:,}+" if count >= 10_000 else f"{count:,}"


def _note(limit: LimitOut | LimitKeyOut, now: int) -> str:
    if not limit["paused"]:
        return ""
    if limit.get("origin") == "":
        return "nobody is let in until a worker of its app has started"
    return f"paused, resumes {ago(limit['paused_until'], now)}" if limit["paused_until"] else "paused"


def run_show(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _say(args, out, store)
    return Exit.OK


def _say(args: Namespace, out: Output, store: Store) -> None:
    now = store.now()
    keys = store.insights.limit_keys(args.name, getattr(args, "after", None), getattr(args, "limit", KEYS))
    shown: dict[str, Any] = {
        "limit": records.limit_out(_known(store, args.name), now),
        "keys": [records.limit_key_out(row, now) for row in keys],
    }
    out.record(shown, lambda: _shown(out, shown, now))


def _shown(out: Output, shown: dict[str, Any], now: int) -> Iterator[str]:
    limit: LimitOut = shown["limit"]
    yield f"{out.style.bold(out.plain(limit['name']))}  {limit['rule'] or 'no limit'}  {_note(limit, now)}".rstrip()
    facts = [
        ("passed", _count(limit["passed"])),
        ("waiting", _count(limit["waiting"])),
        ("keys", _count(limit["keys"])),
    ]
    said = f"{limit['changed_by']} ({limit['origin']})" if limit["origin"] else ""
    yield from out.facts([*facts, ("changed by", said)])
    if shown["keys"]:
        yield out.style.bold("keys")
        yield from (f"  {out.plain(_line(key, now))}" for key in shown["keys"])


def _line(key: LimitKeyOut, now: int) -> str:
    used = "".join(f", {used} used of {rate}" for rate, used in key["used"].items())
    opens = f", opens {ago(key['opens_at'], now)}" if key["opens_at"] and not key["paused"] else ""
    note = f", {_note(key, now)}" if key["paused"] else ""
    return f"{key['key'] or '(all)'}  {key['passed']} passed, {key['waiting']} waiting{used}{opens}{note}"


def run_set(args: Namespace, out: Output) -> int:
    """What is not given stays as it is; "none" takes it away."""
    given = {"concurrency": args.concurrency, "rate": args.rate}
    if all(text is None for text in given.values()):
        raise UsageError("Nothing was changed: give --concurrency, --rate, or both.")
    rule, keep = rule_and_kept(**{name: limit_value(name, text) for name, text in given.items()}, per_worker=None)
    with opened(args, out) as store:
        store.set_limit(settable_name(store, args.name), rule, operator(), keep)
        _say(args, out, store)
    return Exit.OK


def run_pause(args: Namespace, out: Output) -> int:
    span_us = None if args.span is None else to_us(args.span, name="--for")
    with opened(args, out) as store:
        _known(store, args.name)
        store.pause_limit(args.name, args.key, None if span_us is None else store.now() + span_us, operator())
        _say(args, out, store)
    out.say(f"paused {_what(args)}")
    return Exit.OK


def run_resume(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _known(store, args.name)
        resumed = store.resume_limit(args.name, args.key, operator())
        _say(args, out, store)
    out.say(f"resumed {_what(args)}" if resumed else f"{_what(args)} was not paused")
    return Exit.OK


def run_forget(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        _known(store, args.name)
        was_one = store.forget_limit(args.name, operator())
        _say(args, out, store)
    out.say(f"forgot {_what(args)}" if was_one else f"{_what(args)} limited nothing")
    return Exit.OK


def _what(args: Namespace) -> str:
    key = getattr(args, "key", None)
    return f"limit {args.name}" if key is None else f"key {key} of limit {args.name}"


def _known(store: Store, name: str) -> LimitRow:
    found = {row.name: row for row in store.insights.limits()}
    if name not in found:
        meant = near(name, found)
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet limits ls"
        raise NotFound(f"There is no limit {name!r}. Nothing was changed. {hint}")
    return found[name]
