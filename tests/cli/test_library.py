"""A SQLite library that can corrupt files is told in a plain line, and only where people look."""

from __future__ import annotations

import sqlite3

import pytest

from relet.cli import checks_host
from relet.store.sqlite.driver import StdlibDriver
from tests.cli.conftest import Cli, Shop


@pytest.fixture
def old_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StdlibDriver, "library", (3, 45, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.45.1")
    monkeypatch.setattr(checks_host, "_apsw_version", lambda: "3.51.3")


@pytest.mark.filterwarnings("error")
def test_an_old_library_is_one_line_of_status_and_none_elsewhere(cli: Cli, shop: Shop, old_library: None) -> None:
    shop.store.close()
    url = ("--url", shop.url.replace("sqlite:", "sqlite+stdlib:"))
    said = [line for line in cli("status", *url).err.splitlines() if "3.45.1" in line]
    assert len(said) == 1
    assert said[0].startswith(
        "warning: Python's own SQLite is 3.45.1; up to 3.51.2 several writers can corrupt the file"
    )
    assert "bad     sqlite library  Python's own SQLite is 3.45.1" in cli("doctor", *url).out
    for command in (("jobs", "ls"), ("queues", "ls"), ("dead", "ls"), ("status", "--quiet")):
        assert "3.45.1" not in cli(*command, *url).err
    assert "warning" not in cli("status").err, "another library has that file open"
