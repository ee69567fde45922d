"""What the command line says to a mistake, and what it costs to ask it for help."""

from __future__ import annotations

import subprocess
import sys

import pytest

from relet.cli.commands import COMMANDS
from relet.cli.program import build
from tests.cli.conftest import Cli


def test_every_command_has_its_arguments_described() -> None:
    missing = [command.name for command in COMMANDS if command.name != "demo"]
    for name in missing:
        assert build(name) is not None


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["jbos"], ["no 'jbos'", "Did you mean 'jobs'?", "relet --help"]),
        (["jobs", "lss"], ["no 'lss'", "Did you mean 'ls'?", "relet jobs --help"]),
        (["jobs", "ls", "--qeue", "x"], ["no flag '--qeue'", "Did you mean '--queue'?"]),
        (["jobs", "ls", "--state", "redy"], ["--state", "'redy'", "Did you mean 'ready'?"]),
        (["jobs", "ls", "x"], ["'x' is one argument too many"]),
        (["--url", "sqlite:///x.db", "status"], ["'--url' is before the command"]),
        (["completion", "tcsh"], ["no 'tcsh'", "There are: bash, zsh."]),
        (["jobs", "ls", "--workload", "x"], ["no flag '--workload'"]),
        (["schedule"], ["no 'schedule'", "There are: demo, init"]),
    ],
)
def test_a_mistake_gets_three_lines_and_status_2(cli: Cli, argv: list[str], words: list[str]) -> None:
    ran = cli(*argv)
    assert ran.status == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) <= 3
    for word in words:
        assert word in ran.err
    assert ("Did you mean" in ran.err) == any("Did you mean" in word for word in words), "a guess misleads"


def test_a_mistake_cannot_write_to_the_terminal(cli: Cli) -> None:
    assert "\x1b" not in cli("jobs\x1b[2J").err
    assert "\x1b" not in cli("jobs", "ls", "--\x1b[2J").err


def test_an_abbreviated_flag_is_refused(cli: Cli) -> None:
    assert cli("jobs", "ls", "--limi", "3").status == 2


def test_no_arguments_print_help(cli: Cli) -> None:
    ran = cli()
    assert ran.status == 0
    for command in COMMANDS:
        assert command.name in ran.out
    assert "124 timed out" in ran.out


def test_version_is_data(cli: Cli) -> None:
    from relet import __version__

    assert cli("--version").out.startswith(f"relet {__version__}")
    assert cli("version", "--json").json["relet"] == __version__


def test_help_imports_neither_store_nor_command() -> None:
    code = (
        "import sys; from relet.cli import main; main(['--help']); "
        "print([m for m in sys.modules if m.startswith(('relet.store', 'relet.app', 'relet.work', 'apsw', 'psycopg'))],"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr.strip() == "[]"
