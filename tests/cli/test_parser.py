"""What the command line says to a mistake, and what it costs to ask it for help."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from relet.cli.commands import COMMANDS
from relet.cli.parser import Parser
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
        (["jobs"], ["which command?", "There are: ls, show, why"]),
        (["jobs", "ls", "--limit", "-3"], ["--limit", "'-3' is not a whole number of at least 1"]),
        (["leases", "--limit", "many"], ["--limit", "'many' is not a whole number of at least 1"]),
        (["--json", "status"], ["behind it: relet status --json"]),
        (["jobs", "ls", "x"], ["'x' is one argument too many"]),
        (["--url", "sqlite:///x.db", "status"], ["'--url' is before the command"]),
        (["completion", "tcsh"], ["no 'tcsh'", "There are: bash, zsh."]),
        (["jobs", "ls", "--workload", "x"], ["no flag '--workload'"]),
        (["calendar"], ["no 'calendar'", "There are: demo, init"]),
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


def leaves(parser: Parser) -> Iterator[Parser]:
    """The commands that can be run."""
    below = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    if parser.get_default("run") is not None:
        yield parser
    for verbs in below:
        for verb in verbs.values():
            yield from leaves(verb)


def test_every_command_that_prints_data_has_json() -> None:
    without = {"relet completion", "relet web", "relet worker"}
    found = {
        leaf.prog: {flag for action in leaf._actions for flag in action.option_strings} for leaf in leaves(build("*"))
    }
    assert len(found) > 30
    assert {prog for prog, flags in found.items() if "--json" not in flags} == without


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
