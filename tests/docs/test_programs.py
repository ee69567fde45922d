"""What the documentation shows, runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, Program, blocks_of, pages, programs
from tests.docs.programs import run

LANGUAGES = {"python", "console", "text", "toml", "sql", ""}


def _named(needs_postgres: bool) -> list[object]:
    wanted = [program for program in programs() if program.has("postgres") is needs_postgres]
    return [pytest.param(program, id=program.where) for program in wanted]


@pytest.mark.parametrize("program", _named(needs_postgres=False))
def test_the_code_of_a_page_runs(program: Program, tmp_path: Path) -> None:
    run(program, tmp_path, None)


@pytest.mark.parametrize("program", _named(needs_postgres=True))
def test_the_code_of_a_page_runs_on_postgres(program: Program, tmp_path: Path, migrated_pg_url: str) -> None:
    run(program, tmp_path, migrated_pg_url)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_block_says_its_language(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in LANGUAGES - {""}, f"{block.where}: {block.language!r}"


@pytest.mark.parametrize(
    ("text", "marks"),
    [("assert 1 == 2", ""), ("await nothing()", ""), ("1 == 1", "raises=KeyError"), ("{}['a']", "raises=IndexError")],
)
def test_a_block_that_does_not_do_what_it_says_is_noticed(text: str, marks: str, tmp_path: Path) -> None:
    block = Block(ROOT / "README.md", 7, "python", text, frozenset({marks} - {""}))
    with pytest.raises(AssertionError, match=r"README\.md:7"):
        run(Program(block.page, [block]), tmp_path)
