"""What a command prints: data on stdout, talk on stderr; as text for people, or as JSON for programs.

All text that came from jobs is made safe here, and only here: control characters are escaped, secrets hidden.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from relet.cli.safe import safe
from relet.cli.table import PLAIN, Column, Style, laid_out

Form = Literal["text", "json", "jsonl"]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Output:
    """Where and how a command prints. `width` is None where lines need not fit a screen."""

    stdout: TextIO
    stderr: TextIO
    stdin: TextIO
    form: Form = "text"
    quiet: bool = False
    style: Style = PLAIN
    width: int | None = None

    @classmethod
    def of_process(cls, args: Namespace) -> Output:
        """For this process's own streams, with the output flags of a command."""
        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot show a character must not end the command.
            getattr(stream, "reconfigure", dict)(errors="backslashreplace")
        return cls(
            sys.stdout,
            sys.stderr,
            sys.stdin,
            getattr(args, "form", "text"),
            getattr(args, "quiet", False),
            _style(sys.stdout, no_color=getattr(args, "no_color", False)),
            _width(sys.stdout),
        )

    # ── data ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def records(
        self, key: str, records: Sequence[Record], columns: Sequence[Column], empty: str = "", **more: Any
    ) -> None:
        """Many things of one kind: a table, `{key: [...], **more}`, or one object a line. `empty` is said when there are none."""
        if self.form == "json":
            self.line(_json({key: records, **more}, indent=2))
        elif self.form == "jsonl":
            for record in records:
                self.line(_json(record))
        elif records:
            for line in laid_out(records, columns, self.style, self.width):
                self.line(line)
        elif empty:
            self.say(empty)

    def record(self, record: Record, lines: Callable[[], Iterable[str]]) -> None:
        """One thing: lines for people, or one object."""
        if self.form == "text":
            for line in lines():
                self.line(line)
        else:
            self.line(_json(record, indent=2 if self.form == "json" else None))

    def facts(self, facts: Iterable[tuple[str, object]]) -> list[str]:
        """Lines of name and value, for people. Values that are missing are left out."""
        kept = [(name, value) for name, value in facts if value not in (None, "", [], {})]
        room = max((len(name) for name, _ in kept), default=0)
        return [f"{self.style.dim(name.ljust(room))}  {safe(value)}" for name, value in kept]

    def plain(self, text: str) -> str:
        """A line of a text that came from a job, made safe; what is too long for the screen is cut."""
        line = safe(text)
        return line if self.width is None or len(line) < self.width - 2 else f"{line[: self.width - 3]}…"

    def line(self, text: str) -> None:
        """One line of data. The text is safe already."""
        self.stdout.write(text + "\n")

    def flush(self) -> None:
        self.stdout.flush()

    # ── talk ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def say(self, text: str) -> None:
        """Talk, unless quiet."""
        if not self.quiet:
            self._talk(safe(text))

    def ask(self, question: str) -> None:
        """A question; the answer is read from `stdin`."""
        self.stderr.write(safe(question))
        self.stderr.flush()

    def problem(self, what: str, *more: str) -> None:
        """What went wrong, why, and what to do."""
        self._talk("\n  ".join((f"relet: {safe(what)}", *(safe(line) for line in more))))

    def _talk(self, text: str) -> None:
        self.stderr.write(text + "\n")
        self.stderr.flush()


def _json(value: object, indent: int | None = None) -> str:
    """ASCII only: nothing in it can move a cursor or turn the reading direction."""
    return json.dumps(value, indent=indent, ensure_ascii=True)


def _style(stream: TextIO, *, no_color: bool) -> Style:
    dumb = os.environ.get("TERM") == "dumb" or not stream.isatty()
    plain = dumb or no_color or bool(os.environ.get("NO_COLOR"))
    unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
    return Style(colour=not plain, glyphs=unicode and not dumb)


def _width(stream: TextIO) -> int | None:
    """Columns of the screen; off a terminal only if COLUMNS asks for it."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None
    except (OSError, ValueError):
        return None
