"""Tables that fit, colours only where they are wanted, data and talk apart."""

from __future__ import annotations

import io
import os

import pytest

from relet.cli.output import Output
from relet.cli.safe import safe
from relet.cli.table import PLAIN, Column, Style, laid_out
from tests.cli.conftest import Cli, Shop

COLUMNS = [
    Column("id", lambda row: row["id"]),
    Column("state", lambda row: row["state"], state=True),
    Column("note", lambda row: row["note"], flexible=True),
    Column("count", lambda row: row["count"], right=True),
    Column("extra", lambda row: row["extra"], spare=True),
]
ROW = {"id": "0123456789", "state": "running", "note": "n" * 60, "count": 999, "extra": "e" * 20}


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40])
def test_a_table_fits_its_screen(width: int) -> None:
    lines = laid_out([ROW, {**ROW, "note": ""}], COLUMNS, PLAIN, width)
    assert all(len(line) <= width for line in lines)
    assert all("0123456789" in line for line in lines[1:])


def test_spare_columns_go_before_others_are_cut_to_nothing() -> None:
    head = laid_out([ROW], COLUMNS, PLAIN, 45)[0]
    assert "EXTRA" not in head
    assert "NOTE" in head


def test_off_a_terminal_nothing_is_cut() -> None:
    assert "n" * 60 in laid_out([ROW], COLUMNS, PLAIN, None)[1]


def test_wide_characters_count_twice() -> None:
    rows = [{**ROW, "note": "日本語" * 20}, {**ROW, "note": "x"}]
    lines = laid_out(rows, COLUMNS, PLAIN, 60)
    first = lines[1].index("999") + sum(ord(c) > 0x2E80 for c in lines[1])
    assert abs(first - lines[2].index("999")) <= 1


def test_a_state_has_word_glyph_and_colour_on_a_terminal_and_only_the_word_elsewhere() -> None:
    painted = laid_out([ROW], COLUMNS, Style(colour=True, glyphs=True), None)[1]
    assert "\x1b[36m▶ running" in painted
    plain = laid_out([ROW], COLUMNS, PLAIN, None)[1]
    assert "running" in plain
    assert "▶" not in plain
    assert "\x1b" not in plain


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", ["NO_COLOR", "TERM", "flag"])
def test_colours_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from argparse import Namespace

    monkeypatch.setenv("TERM", "dumb" if name == "TERM" else "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", Terminal())
    assert Output.of_process(Namespace()).style.colour is (name != "TERM")
    if name == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    assert Output.of_process(Namespace(no_color=name == "flag")).style.colour is False


def test_columns_of_the_environment_are_honoured(cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.add(task="a.very.long.name.of.a.task.that.does.not.fit.a.narrow.screen.at.all")
    monkeypatch.setenv("COLUMNS", "70")
    assert all(len(line) <= 70 for line in cli("jobs", "ls").out.splitlines())
    monkeypatch.delenv("COLUMNS")
    assert "at.all" in cli("jobs", "ls").out


def test_a_reader_that_leaves_early_is_no_error(shop: Shop) -> None:
    import subprocess
    import sys

    shop.add(500)
    command = [sys.executable, "-m", "relet", "jobs", "ls", "--limit", "500", "--json", "--url", shop.url]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    os.close(write)
    assert done.stderr == ""


def test_safe_text_is_one_line_without_secrets() -> None:
    assert safe("a\nb\x1b[1m token=abc") == "a\\nb\\x1b[1m token=[redacted]"
