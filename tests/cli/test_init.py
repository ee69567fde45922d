"""`relet init` writes a starter that works, and never over anything."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli


def test_init_writes_a_starter_that_can_be_enqueued_to(cli: Cli, tmp_path: Path) -> None:
    ran = cli("init", "shop", "--json")
    assert ran.json == {"written": ["shop/tasks.py", "shop/relet.toml"], "kept": []}
    assert "import" in (tmp_path / "shop" / "tasks.py").read_text()


def test_init_overwrites_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("mine = 1\n")
    assert cli("init", "--json").json == {"written": ["relet.toml"], "kept": ["tasks.py"]}
    assert (tmp_path / "tasks.py").read_text() == "mine = 1\n"
    assert "# app =" in (tmp_path / "relet.toml").read_text()
    assert cli("init", "--json").json["written"] == []


def test_init_where_nothing_can_be_written_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert cli("init", "file").status == 4
