"""Asking before many things are changed: the count is shown, and above a thousand a word has to be typed."""

from __future__ import annotations

from argparse import Namespace

from relet.cli.exits import Exit, Problem
from relet.cli.output import Output

MANY = 1_000
"""Above this, a stray "y" is not enough."""


def confirm(args: Namespace, out: Output, verb: str, what: str, count: int) -> bool:
    """True: go on. False: it is a dry run, and what would happen was said. Raises Problem when the answer is no."""
    if args.dry_run:
        out.say(f"dry run: would {verb} {what}; nothing was changed")
        return False
    if not args.yes:
        _ask(args, out, verb, what, count)
    return True


def _ask(args: Namespace, out: Output, verb: str, what: str, count: int) -> None:
    if args.no_input or not out.stdin.isatty():
        raise Problem(
            Exit.USAGE,
            f"would {verb} {what}: that needs a yes",
            "Nothing was changed: nobody can be asked here.",
            "Next: the same with --yes; or first with --dry-run",
        )
    wanted = verb if count > MANY else "y"
    how = f"type {wanted!r}" if count > MANY else "y/N"
    out.ask(f"{verb} {what}? [{how}] ")
    if out.stdin.readline().strip().lower() != wanted:
        raise Problem(Exit.REFUSED, "not confirmed", "Nothing was changed.")
