"""Every `relet …` that the documentation shows is a command of the real program."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from relet.cli.program import build
from tests.docs.pages import ROOT, blocks_of, pages

GENERATED = {"command-line.md", "json.md"}
_SPAN = re.compile(r"(?<!`)`(relet(?: [^`]+)?)`(?!`)")
_SETTING = re.compile(r"[A-Z_]+=")


class Shown(NamedTuple):
    """A command as a page shows it."""

    where: str
    text: str


def shown() -> Iterator[Shown]:
    """All commands, from console blocks (`$ relet …`) and from the running text."""
    for page in pages():
        if page.name in GENERATED:
            continue
        for block in blocks_of(page):
            if block.language == "console":
                yield from _typed(block.where, block.text)
        yield from _mentioned(page)


def _typed(where: str, text: str) -> Iterator[Shown]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            words = shlex.split(line[2:], comments=True)
            while words and _SETTING.match(words[0]):
                words.pop(0)
            if words[:1] == ["relet"]:
                yield Shown(where, shlex.join(words))


def _mentioned(page: Path) -> Iterator[Shown]:
    code = False
    for n, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        code ^= line.lstrip().startswith("```")
        if not code:
            yield from (Shown(f"{page.relative_to(ROOT)}:{n}", span) for span in _SPAN.findall(line))


def flaw(text: str) -> str | None:
    """What the parser says against it; None if it takes it. A command without its verb or arguments may be mentioned."""
    words = shlex.split(text)[1:]
    said = io.StringIO()
    is_mention = not any(word.startswith("-") for word in words)
    for attempt in (words, [*words, "--help"])[: 1 + is_mention]:
        said = io.StringIO()
        with redirect_stderr(said), redirect_stdout(said):
            try:
                _, rest = build(words[0] if words else None).parse_known_args(attempt)
            except SystemExit as ended:
                if ended.code == 0:
                    return None
                continue
        if not rest:
            return None
        said.write(f"too many: {rest}")
    return said.getvalue()


@pytest.mark.parametrize("command", [pytest.param(one, id=f"{one.where} {one.text[:40]}") for one in shown()])
def test_a_command_that_is_shown_exists(command: Shown) -> None:
    assert flaw(command.text) is None, f"{command.where}: {command.text}\n{flaw(command.text)}"


def test_a_command_that_does_not_exist_is_noticed() -> None:
    for wrong in ("relet jobs explode", "relet worker --slotz 3", "relet dead retry --because x", "relet forget"):
        assert flaw(wrong), wrong
