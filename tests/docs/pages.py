"""The documentation as data: its pages, their code blocks, their links.

A comment before a block, which readers of the page do not see, says how the block is run:

    <!-- run: worker, new -->      worker: while a worker of `app` runs; new: a program of its own begins;
                                   postgres: RELET_URL and `pg_url` are a migrated PostgreSQL; pytest: by pytest;
                                   async: inside a coroutine; raises=Refused: that error is what the page shows
    <!-- file: tasks.py -->        it is a file of the reader's directory, there for all blocks of the page
    <!-- setup                     code that the page need not show
    … -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*) *$")
_MARK = re.compile(r"^<!-- (?P<verb>run|file|setup):? ?(?P<words>.*?)(?P<end> ?-->)?$")


@dataclass(frozen=True)
class Block:
    """One code block. `line` is that of its opening fence, from 1."""

    page: Path
    line: int
    language: str
    text: str
    marks: frozenset[str] = frozenset()
    file: str = ""
    hidden: bool = False

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass
class Program:
    """Blocks of one page that run one after the other, in one process and one directory."""

    page: Path
    blocks: list[Block] = field(default_factory=list[Block])
    files: list[Block] = field(default_factory=list[Block])

    @property
    def where(self) -> str:
        return self.blocks[0].where

    def has(self, mark: str) -> bool:
        return any(mark in block.marks for block in self.blocks)


def pages() -> list[Path]:
    """Every page that people read."""
    own = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return own + sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "examples").rglob("*.md"))


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page, with their marks."""
    lines = page.read_text("utf-8").splitlines()
    marks: frozenset[str] = frozenset()
    file = ""
    n = 0
    while n < len(lines):
        mark, fence = _MARK.match(lines[n]), _FENCE.match(lines[n])
        if mark and mark["verb"] == "setup":
            end = next(m for m in range(n, len(lines)) if lines[m].endswith("-->"))
            yield Block(page, n + 1, "python", "\n".join(lines[n + 1 : end]), marks, hidden=True)
            n, marks = end, frozenset()
        elif mark and mark["verb"] == "run":
            marks = frozenset(word.strip() for word in mark["words"].split(","))
        elif mark:
            file = mark["words"]
        elif fence:
            end = next(m for m in range(n + 1, len(lines)) if _FENCE.match(lines[m]))
            indent = len(fence["indent"])
            text = "\n".join(line[indent:] for line in lines[n + 1 : end])
            yield Block(page, n + 1, fence["language"], text, marks, file)
            n, marks, file = end, frozenset(), ""
        n += 1


def programs() -> list[Program]:
    """All Python of the documentation, as programs."""
    found: list[Program] = []
    for page in pages():
        blocks = list(blocks_of(page))
        files = [block for block in blocks if block.file]
        program = Program(page, files=files)
        for block in blocks:
            if block.language != "python" or block.file:
                continue
            if "new" in block.marks and program.blocks:
                found.append(program)
                program = Program(page, files=files)
            program.blocks.append(block)
        if program.blocks:
            found.append(program)
    return found
