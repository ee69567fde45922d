"""The argument parser: argparse, with the flags that all commands share, and errors that name the closest match."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    from relet.cli.output import Output

Run = Callable[[argparse.Namespace, "Output"], int]
"""A command: from its arguments to its exit status."""

_CHOICE = re.compile(r"invalid choice: '?(?P<word>.*?)'? \(choose from (?P<known>.*)\)", re.DOTALL)


class Arguments(Protocol):
    """A parser, or a group of its arguments."""

    def add_argument(self, *names: str, **how: Any) -> Any: ...


class Parser(argparse.ArgumentParser):
    """Full names only, no abbreviations: a script must not change its meaning when a flag is added."""

    def __init__(self, prog: str, sentence: str = "", **others: Any) -> None:
        super().__init__(
            prog,
            description=sentence,
            allow_abbrev=False,
            formatter_class=_formatter,
            **others,
        )

    def runs(self, run: Run) -> Parser:
        """Make `run` what this parser's command does."""
        self.set_defaults(run=run, leaf=self)
        return self

    def forget_defaults(self) -> None:
        """Leave what is not given to the parser above, which has the same flags."""
        for action in self._actions:
            action.default = argparse.SUPPRESS

    def error(self, message: str) -> NoReturn:
        """Three lines on stderr: what, the closest match, where help is. Exit status 2."""
        found = _CHOICE.search(message)
        if found:
            known = [word.strip().strip("'") for word in found["known"].split(",")]
            noun = "command" if "COMMAND" in message else message.partition(":")[0].removeprefix("argument ")
            what = f"{noun}: there is no {found['word']!r}"
            self.refuse(what, near(found["word"], known), f"There are: {', '.join(known)}.")
        if message.endswith("arguments are required: COMMAND"):
            verbs = next(action.choices for action in self._actions if action.choices and not action.option_strings)
            self.refuse("which command?", None, f"There are: {', '.join(verbs)}.")
        self.refuse(message, None)

    def unknown(self, arguments: list[str]) -> NoReturn:
        """For arguments that no part of the command takes."""
        flag = next((word for word in arguments if word.startswith("-")), None)
        if flag is None:
            self.refuse(f"{arguments[0]!r} is one argument too many", None)
        flags = [option for action in self._actions for option in action.option_strings]
        self.refuse(f"there is no flag {flag!r}", near(flag.partition("=")[0], flags))

    def refuse(self, what: str, meant: str | None, known: str = "") -> NoReturn:
        """End with status 2."""
        hint = f"Did you mean {meant!r}?" if meant else known
        lines = (f"relet: {printable(what)}", *([hint] if hint else []), f"See: {self.prog} --help")
        self.exit(2, "\n  ".join(lines) + "\n")


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Epilogs as they are written; room for the longest command beside its sentence."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30)


class Verbs:
    """The sub-commands of a parser; one of them has to be given if they are `required`."""

    def __init__(self, parser: argparse.ArgumentParser, *, required: bool = True) -> None:
        self._action = parser.add_subparsers(
            metavar="COMMAND", required=required, parser_class=Parser, title="commands"
        )

    def add(self, name: str, sentence: str) -> Parser:
        """One more, with its line of help."""
        return self._action.add_parser(name, help=sentence, sentence=sentence[:1].upper() + sentence[1:] + ".")


def printable(text: str) -> str:
    """Safe on a terminal: an argument may hold anything."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None rather than a guess."""
    from relet.job.nearest import nearest

    return nearest(word, known)


def count(text: str) -> int:
    """The type of a flag that says how many."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that prints data."""
    group = parser.add_argument_group("output")
    form = group.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="text", help="one JSON object")
    form.add_argument("--jsonl", dest="form", action="store_const", const="jsonl", help="one JSON object a line")
    add_talk_flags(group)


def add_talk_flags(group: Arguments) -> None:
    """The flags of every command."""
    group.add_argument("--quiet", action="store_true", help="say nothing but data and errors")
    group.add_argument("--no-color", action="store_true", help="no colours (as with NO_COLOR, or off a terminal)")


def add_store_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that opens the store."""
    group = parser.add_argument_group("store")
    group.add_argument("--url", metavar="URL", help="where jobs are kept; better RELET_URL when it holds a password")
    add_app_flag(group)


def add_app_flag(group: Arguments) -> None:
    """The flag that names the App."""
    group.add_argument("-A", "--app", metavar="MODULE[:ATTR]", help="where the App is (RELET_APP)")


def add_change_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that changes many things at once."""
    group = parser.add_argument_group("safety")
    group.add_argument("--dry-run", action="store_true", help="show what would be changed, and change nothing")
    group.add_argument("--yes", action="store_true", help="do not ask")
    group.add_argument("--no-input", action="store_true", help="never ask: refuse what would need an answer")
