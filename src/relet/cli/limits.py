"""`relet limits`: what jobs share by name and key: list, show, set, pause, resume and forget limits."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from shlex import quote
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
from relet.shapes.words import ago, plural
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
        verb.add_argument("--key", metavar="KEY", help="only this key of them")
    forget = verbs.add("forget", "end limits, until a worker starts whose code declares it").runs(run_forget)
    show.add_argument("name", help="name of a limit")
    for verb in (change, pause, resume, forget):
        verb.add_argument("names", nargs="+", metavar="NAME", help="name of a limit")
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
        now = store.now()
        limit = records.limit_out(_known(store, args.name), now)
        keys = store.insights.limit_keys(args.name, args.after, args.limit)
    shown: dict[str, Any] = {"limit": limit, "keys": [records.limit_key_out(row, now) for row in keys]}
    out.record(shown, lambda: _shown(out, shown, now))
    return Exit.OK


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
        names = [settable_name(store, name) for name in args.names]
        known = {row.name for row in store.insights.limits()}
        for name in names:
            store.set_limit(name, rule, operator(), keep)
        _said(args, out, store, f"set {plural(len(names), 'limit')}")
    for name in names:
        if name not in known:
            out.say(f"limit {name} is new: no worker has declared it{_slip(name, near(name, known))}")
    return Exit.OK


def _slip(name: str, meant: str | None) -> str:
    return f"; did you mean {meant}? To take it back: relet limits forget {quote(name)}" if meant else ""


def run_pause(args: Namespace, out: Output) -> int:
    span_us = None if args.span is None else to_us(args.span, name="--for")

    def act(store: Store, name: str) -> bool:
        store.pause_limit(name, args.key, None if span_us is None else store.now() + span_us, operator())
        return True

    return _each(args, out, "paused", act)


def run_resume(args: Namespace, out: Output) -> int:
    return _each(args, out, "resumed", lambda store, name: store.resume_limit(name, args.key, operator()))


def run_forget(args: Namespace, out: Output) -> int:
    return _each(args, out, "forgotten", lambda store, name: store.forget_limit(name, operator()))


def _each(args: Namespace, out: Output, verbed: str, act: Callable[[Store, str], bool]) -> int:
    """Do it to each of them; all of them have to be there, or nothing is done."""
    with opened(args, out) as store:
        for name in args.names:
            _known(store, name)
        done = sum(act(store, name) for name in args.names)
        key = getattr(args, "key", None)
        what = plural(done, "limit") if key is None else f"key {key} of {plural(done, 'limit')}"
        _said(args, out, store, f"{verbed} {what}" if done else f"nothing to be {verbed}: it is so already")
    return Exit.OK


def _said(args: Namespace, out: Output, store: Store, said: str) -> None:
    now = store.now()
    out.records("limits", [records.limit_out(_known(store, name), now) for name in args.names], _columns(now))
    out.say(said)


def _known(store: Store, name: str) -> LimitRow:
    found = {row.name: row for row in store.insights.limits()}
    if name not in found:
        meant = near(name, found)
        hint = f"Did you mean {meant!r}?" if meant else "List them with: relet limits ls"
        raise NotFound(f"There is no limit {name!r}. Nothing was changed. {hint}")
    return found[name]
