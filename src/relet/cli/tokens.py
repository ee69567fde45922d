"""`relet tokens`: who may use the HTTP API, and sign in to the dashboard."""

from __future__ import annotations

from argparse import Namespace

from relet.cli.choose import operator
from relet.cli.exits import Exit
from relet.cli.output import Output
from relet.cli.parser import Parser, Verbs, add_output_flags, add_store_flags
from relet.cli.table import Column
from relet.cli.target import opened
from relet.errors import NotFound
from relet.job.duration import to_us
from relet.shapes.words import ago
from relet.web.endpoints.access import TokenOut, token_out
from relet.web.tokens import make_token
from relet.web.visitor import EVERYTHING, Role


def configure(parser: Parser) -> None:
    verbs = Verbs(parser)
    ls = verbs.add("ls", "list tokens").runs(run_ls)
    add = verbs.add("add", "make a token, and print it, this once").runs(run_add)
    add.add_argument("name", help="whose it is: a program, or a person")
    roles = [role.word for role in Role]
    add.add_argument(
        "--role", choices=roles, default="viewer", help="viewer reads, operator changes, admin lets people in"
    )
    add.add_argument(
        "--scope",
        action="append",
        metavar="PATTERN",
        help='what it is for, such as "jobs.*" or "dead.list"; may be repeated (all)',
    )
    add.add_argument("--lasts", default="90d", metavar="DURATION", help='how long it is good (90d), or "forever"')
    revoke = verbs.add("revoke", "end tokens, and the sign-ins that came from them").runs(run_revoke)
    revoke.add_argument("ids", nargs="+", metavar="ID", help="ids, as ls shows them")
    for verb in (ls, add, revoke):
        add_store_flags(verb)
        add_output_flags(verb)


def run_ls(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        now = store.now()
        found = [token_out(row) for row in store.tokens()]
    out.records("tokens", found, columns(now), "there are no tokens; make one: relet tokens add NAME")
    return Exit.OK


def columns(now: int) -> list[Column]:
    """Columns of a table of tokens."""

    def good(token: TokenOut) -> str:
        if token["revoked_at"]:
            return f"revoked by {token['revoked_by']}"
        return f"until {token['expires_at'][:10]}" if token["expires_at"] else "for ever"

    return [
        Column("id", lambda token: token["id"]),
        Column("name", lambda token: token["name"], flexible=True),
        Column("role", lambda token: token["role"]),
        Column("for", lambda token: ", ".join(token["scopes"]), flexible=True),
        Column("good", good, flexible=True),
        Column("used", lambda token: f"{ago(token['used_at'], now)} ago" if token["used_at"] else "never", right=True),
        Column("made by", lambda token: token["created_by"], flexible=True, spare=True),
    ]


def run_add(args: Namespace, out: Output) -> int:
    lasts_us = None if args.lasts == "forever" else to_us(args.lasts, name="--lasts")
    with opened(args, out, make=True) as store:
        scopes = tuple(args.scope or EVERYTHING)
        made = make_token(store, args.name, Role.read(args.role), operator(), scopes=scopes, lasts_us=lasts_us)
    out.record({"id": made.id, "token": made.text}, lambda: [made.text])
    out.say(f"token {made.id} of {args.name}, {args.role}: keep it now, it is not shown again")
    return Exit.OK


def run_revoke(args: Namespace, out: Output) -> int:
    with opened(args, out) as store:
        for token_id in args.ids:
            if not store.revoke_token(token_id, operator()):
                raise NotFound(f"There is no token {token_id} that is not revoked. See: relet tokens ls")
            out.say(f"revoked {token_id}")
    return Exit.OK
